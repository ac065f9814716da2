"""Level of detail: from a figure's size in the picture, and never more than it can show."""

import math

import numpy as np
import pytest

from understudy.geometry.cameras import level
from understudy.key import Key
from understudy.scene import Camera, Lens
from understudy.worlds.people import framing
from understudy.worlds.people.clothes.fabric import CLOTHS, choose
from understudy.worlds.people.face_map import FACE_PX, face_masks
from understudy.worlds.people.figure import Detail


def test_without_a_picture_everything_is_made_in_full():
    assert Detail() == Detail(math.inf)
    assert Detail().texels(0.1, 512) == 512
    assert Detail().shows(1e-9)


@pytest.mark.parametrize("px_per_m", [3.0, 40.0, 130.0, 300.0, 900.0])
def test_a_texture_keeps_five_texels_to_four_pixels_and_is_no_larger_than_that_takes(px_per_m):
    side = Detail(px_per_m).texels(0.3, 512, 32)
    assert side in (32, 64, 128, 256, 512)
    assert side >= min(1.25 * px_per_m * 0.3, 512)
    assert side == 32 or side / 2 < 2 * px_per_m * 0.3


def test_pixels_to_a_metre_count_from_the_nearest_point():
    camera = Camera(Lens((640, 480), (500.0, 500.0), (320.0, 240.0)), level((0.0, 0.0, 1.5), 0.0, 0.0, 0.0))
    points = np.array([[0.0, -0.25, 1.0], [0.0, 0.25, 1.0]])
    shape = framing.Shape(points, 1.0, points[:, :2])
    assert framing.px_per_m(camera, shape, framing.Spot(0.0, 5.25, -90.0)) == pytest.approx(100.0)
    assert framing.px_per_m(camera, shape, framing.Spot(0.0, -9.0, -90.0)) == pytest.approx(5000.0)  # no end behind it


def test_a_far_cloth_is_smaller_of_the_same_colour_and_has_creases_but_no_weave():
    choice = choose(Key(3), "jersey", "stripes")
    near, far = choice.material(Detail(2000.0)), choice.material(Detail(30.0))
    assert near.bump_m == pytest.approx(CLOTHS["jersey"].crease_m + CLOTHS["jersey"].bump_m)
    assert far.bump_m == CLOTHS["jersey"].crease_m
    assert far.base_color.pixels.shape[0] < near.base_color.pixels.shape[0]
    means = [m.base_color.pixels.astype(float).mean((0, 1)) for m in (near, far)]
    assert np.abs(means[0] - means[1]).max() < 6


def test_the_face_s_masks_cover_the_same_share_at_every_size():
    full, small = face_masks(FACE_PX), face_masks(FACE_PX // 8)
    for name, mask in vars(full).items():
        assert vars(small)[name].shape == (FACE_PX // 8,) * 2
        assert vars(small)[name].mean() == pytest.approx(mask.mean(), abs=1e-5)
