"""Creases of cloth."""

import numpy as np
import pytest

from understudy.key import Key
from understudy.scene import Texture
from understudy.worlds.people.clothes.creases import TILE_M, creased
from understudy.worlds.people.clothes.fabric import CLOTHS
from understudy.worlds.people.figure import Detail

GREY = Texture(np.full((64, 64, 3), 120, np.uint8))


def test_creases_shade_cloth_without_making_it_darker_and_repeat_without_a_seam():
    colour, height, height_m = creased(Key(1), GREY, 6, 0.02, None, 0.0, Detail(400.0))
    pixels = colour.pixels.astype(float)
    assert pixels.shape == (384, 384, 3) and height.pixels.shape == (192, 192) and height_m == 0.02
    assert pixels.mean() == pytest.approx(120, abs=3) and 15 < pixels.std() < 50
    assert np.corrcoef(pixels[::2, ::2, 0].ravel(), height.pixels.ravel())[0, 1] > 0.98  # dark where it is deep
    for axis in (0, 1):  # one texel of creases is two pixels here, and texels are not blended over the border
        first, last = np.take(pixels[..., 0], 0, axis), np.take(pixels[..., 0], -1, axis)
        texel = np.abs(np.take(pixels[..., 0], range(2, 384), axis) - np.take(pixels[..., 0], range(382), axis))
        assert np.abs(first - last).max() <= texel.max()


def test_a_weave_lies_on_the_creases():
    weave = Texture(np.tile(np.array([[0, 255]], np.uint8), (64, 32)))
    _, bare, _ = creased(Key(1), GREY, 6, 0.02, None, 0.0, Detail(400.0))
    _, both, height_m = creased(Key(1), GREY, 6, 0.02, weave, 0.002, Detail(400.0))
    assert height_m == pytest.approx(0.022)
    wide = np.kron(bare.pixels, np.ones((2, 2)))
    lengths = [both.pixels.astype(float) / 255 * height_m, wide / 255 * 0.02]
    assert (lengths[0] - lengths[1])[:, 1::2].mean() == pytest.approx(0.002, abs=2e-4)
    assert (lengths[0] - lengths[1])[:, ::2].mean() == pytest.approx(0, abs=2e-4)


def test_every_pattern_fits_a_creased_tile_a_whole_number_of_times():
    for name, cloth in CLOTHS.items():
        assert TILE_M / cloth.tile_m == pytest.approx(round(TILE_M / cloth.tile_m)), name
