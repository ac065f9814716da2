"""The photograph behind the figures, blurred as the camera would: closed forms of the lens and of the ground plane."""

import numpy as np
import pytest

from understudy.geometry.cameras import level
from understudy.key import Key
from understudy.renderers.mitsuba.defocus import FAR_M, blur_px, defocused
from understudy.scene import Camera, Lens, Optics

W, H, FOCAL, EYE = 160, 120, 150.0, 1.5


def camera(aperture_m: float, focus_m: float) -> Camera:
    return Camera(Lens((W, H), (FOCAL, FOCAL), (W / 2, H / 2)), level((0.0, 0.0, EYE)), Optics(aperture_m, focus_m))


def test_each_row_is_as_deep_as_the_ground_that_it_shows():
    sigma = blur_px(camera(0.1, 1.0), (H, W))
    row = 110
    depth = EYE * FOCAL / (row + 0.5 - H / 2)  # a level camera: the ground's depth at a row below the horizon
    assert sigma[row] == pytest.approx(abs(1 / depth - 1) * 0.1 / 4 * FOCAL)
    assert np.allclose(sigma[:H // 2], abs(1 / FAR_M - 1) * 0.1 / 4 * FOCAL)


def test_the_row_in_focus_stays_sharp_and_a_pinhole_blurs_nothing():
    deep = EYE * FOCAL / (100.5 - H / 2)
    assert blur_px(camera(0.3, deep), (H, W))[100] == pytest.approx(0, abs=1e-9)
    assert blur_px(camera(0.0, deep), (H, W)) is None
    picture = Key(1).uniforms(H, W, 3).astype(np.float32)
    assert defocused(picture, camera(0.0, 2.0), 0.02, Key(0)) is picture
    assert defocused(picture, camera(0.001, 6.0), 0.02, Key(0)) is picture  # a telephone at six metres


@pytest.mark.parametrize("aperture_m", (0.02, 0.08, 0.3))
def test_the_blur_has_the_standard_deviation_that_is_said(aperture_m):
    one = camera(aperture_m, 1.0)
    wanted = float(blur_px(one, (H, W))[10])
    point = np.zeros((H, W, 3), np.float32)
    point[30, W // 2] = 1.0  # above the horizon, where all rows are blurred alike
    spread = defocused(point, one, 0.0, Key(0))[..., 0].astype(float)
    x = np.arange(W) - W // 2
    found = np.sqrt((spread.sum(axis=0) * x**2).sum() / spread.sum())
    assert found == pytest.approx(wanted, rel=0.15)


def test_an_even_picture_stays_even_and_the_noise_comes_back():
    even = np.full((H, W, 3), 0.3, np.float32)
    wide = camera(0.08, 1.0)
    assert np.abs(defocused(even, wide, 0.0, Key(0)) - 0.3).max() < 1e-5
    noisy = defocused(even, wide, 0.03, Key(0))[:H // 2]
    slope = 2.27 * 0.3**0.583  # d linear / d sRGB
    assert noisy.std() == pytest.approx(0.03 * slope, rel=0.1)
    assert noisy.mean() == pytest.approx(0.3, abs=0.002)
