"""Which way pixels look: what is compiled agrees with the camera's own geometry."""

import numpy as np
import pytest

from understudy.geometry.cameras import far_from_fold, unproject, unproject_pixels
from understudy.renderers.mitsuba.rays import seen_by
from understudy.scene import Lens

SIZE = (640, 480)


def compiled(mi, lens: Lens) -> np.ndarray:
    import drjit as dr

    return np.stack([np.array(along) for along in seen_by(mi, dr, lens, np.arange(SIZE[0] * SIZE[1]))], axis=1)


@pytest.mark.parametrize("distortion", [(0.0,) * 5, (-0.25, 0.08, 0.002, -0.001, -0.01), (0.2, 0.05, -0.003, 0.002, 0.01),
                                        (-0.1, 0.0, 0.0, 0.0, 0.0)])
def test_compiled_rays_are_those_of_the_camera(mi, distortion):
    """To float32's own grain: a ten-thousandth of a pixel is 2e-7 here."""
    lens = Lens(SIZE, (500.0, 510.0), (322.0, 238.0), distortion)
    wanted = unproject_pixels(lens, np.arange(SIZE[0] * SIZE[1]))
    assert np.abs(compiled(mi, lens) - wanted).max() < 2e-7


@pytest.mark.parametrize("distortion", [(-0.25, 0.08, 0.002, -0.001, -0.01), (-0.6, 0.0, 0.0, 0.0, 0.0)])
@pytest.mark.parametrize("step", [2, 8])
def test_cells_of_several_pixels_look_from_their_middle(mi, distortion, step):
    """Of a lens that is compiled and of one that is not."""
    import drjit as dr

    lens = Lens((637, 480), (400.0, 410.0), (322.0, 238.0), distortion)
    cells = np.arange(0, -(-637 // step) * (480 // step), 7)
    row, column = np.divmod(cells, -(-637 // step))
    wanted = unproject(lens, np.stack([(column + 0.5) * step, (row + 0.5) * step], axis=1))
    got = np.stack([np.array(along) for along in seen_by(mi, dr, lens, cells, step)], axis=1)
    assert np.array_equal(np.isnan(got), np.isnan(wanted))
    assert np.nanmax(np.abs(got - wanted)) < 2e-7


def test_a_lens_that_folds_within_the_picture_is_not_compiled_and_has_no_rays_beyond(mi):
    folded = Lens(SIZE, (300.0, 300.0), (320.0, 240.0), (-0.6, 0.0, 0.0, 0.0, 0.0))
    assert not far_from_fold(folded)
    wanted = unproject_pixels(folded, np.arange(SIZE[0] * SIZE[1]))
    assert np.isnan(wanted).any()
    assert np.array_equal(np.isnan(compiled(mi, folded)), np.isnan(wanted))


def test_the_shipped_lenses_are_far_from_their_fold():
    assert far_from_fold(Lens(SIZE, (500.0, 500.0), (320.0, 240.0)))
    assert far_from_fold(Lens(SIZE, (450.0, 450.0), (320.0, 240.0), (-0.12, 0.02, 0.001, 0.001, 0.0)))
