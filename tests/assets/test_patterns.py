"""Procedural textures: they tile, repeat by key, keep their colours and natural palettes stay in gamut."""

import numpy as np
import pytest

from understudy.assets.palettes import KINDS, oklch, palette, srgb_decode, srgb_encode
from understudy.assets.patterns import CLOTH, FLOORS, GROUNDS, PATTERNS, WALLS, noise, pattern, relief
from understudy.key import Key

COLOURS = ((0.02, 0.03, 0.2), (0.7, 0.6, 0.5), (0.4, 0.05, 0.05))


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("size", [1, 7, 96])
def test_every_pattern_is_a_texture_and_a_function_of_its_key(name, size):
    first = pattern(name, Key(1), size, COLOURS)
    assert first.pixels.shape == (size, size, 3) and first.pixels.dtype == np.uint8
    assert np.array_equal(first.pixels, pattern(name, Key(1), size, COLOURS).pixels)
    bump = relief(name, Key(1), size).pixels
    assert bump.shape == (size, size) and bump.dtype == np.uint8


@pytest.mark.parametrize("name", PATTERNS)
def test_another_key_is_another_texture(name):
    seen = {pattern(name, Key(i), 64, COLOURS).pixels.tobytes() for i in range(8)}
    assert len(seen) >= 3


@pytest.mark.parametrize("name", PATTERNS)
def test_tiles_without_a_seam(name):
    """The step over the border is like the steps inside: no seam stands out."""
    for seed in range(3):
        tone = pattern(name, Key(seed), 128, COLOURS).pixels.astype(float).mean(2)
        for image in (tone, tone.T):
            inside = np.abs(np.diff(image, axis=1)).mean(0)
            over = np.abs(image[:, 0] - image[:, -1]).mean()
            assert over <= 1.25 * inside.max() + 2


@pytest.mark.parametrize("name", PATTERNS)
def test_colours_are_those_given(name):
    """One colour in, that colour out: linear in, sRGB bytes out, only darker in the hollows."""
    pixels = pattern(name, Key(3), 64, [(0.2, 0.4, 0.1)]).pixels
    top = srgb_encode(np.array([0.2, 0.4, 0.1])) * 255
    assert (pixels <= top + 1).all()
    ratio = srgb_decode(pixels) / np.array([0.2, 0.4, 0.1], np.float32)
    assert 0.5 < ratio.min() and np.ptp(ratio, axis=2).max() < 0.12  # shade is grey: it changes no hue


def test_groups_are_patterns():
    assert set(CLOTH) | set(FLOORS) | set(WALLS) | set(GROUNDS) <= set(PATTERNS)


def test_unknown_names_and_sizes():
    with pytest.raises(ValueError, match="no pattern 'tartn'"):
        pattern("tartn", Key(0), 8, COLOURS)
    with pytest.raises(ValueError, match="at least 1"):
        pattern("plain", Key(0), 0, COLOURS)


def test_noise_is_centred_and_tiles():
    fields = np.stack([noise(Key(i), 64, (4, 7), 4) for i in range(40)])
    assert abs(fields.mean() - 0.5) < 0.02 and 0.08 < fields.std() < 0.3
    assert np.abs(fields[:, 0] - fields[:, -1]).mean() < 1.5 * np.abs(np.diff(fields, axis=1)).mean()


def b_spline(t: np.ndarray) -> np.ndarray:
    """The cubic one, centred, over unit cells."""
    t = np.abs(t)
    return np.where(t < 1, 2 / 3 - t**2 + t**3 / 2, np.where(t < 2, (2 - t) ** 3 / 6, 0))


@pytest.mark.parametrize(("size", "cells", "octaves"), [(32, (4, 4), 3), (48, (3, 5), 2), (32, (16, 16), 1), (16, (6, 5), 3),
                                                        (6, (3, 3), 2)])
def test_noise_is_the_sum_of_its_octaves_splines(size, cells, octaves):
    """Each octave added up by itself, basis function by basis function."""
    at, total, weight = (np.arange(size) + 0.5) / size, np.zeros((size, size)), 0.0
    for octave in range(octaves):
        shape = [min(n << octave, size) for n in cells]
        rows, columns = (sum(b_spline(at[:, None] * n - np.arange(n) + n * turn) for turn in range(-2, 3)) for n in shape)
        total += rows @ (Key(5).child("octave", octave).uniforms(*shape) - 0.5) @ columns.T * 0.5**octave
        weight += 0.25**octave
    wanted = np.clip(0.5 + 1.5 * total / np.sqrt(weight), 0, 1)
    assert noise(Key(5), size, cells, octaves) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_palettes_are_legal_colours(kind):
    drawn = [palette(Key(i), kind, 3) for i in range(100)]
    flat = np.array(drawn).reshape(-1, 3)
    assert ((flat >= 0) & (flat <= 1)).all()
    assert len(set(drawn)) == 100


def test_cloth_is_mostly_muted():
    flat = np.array([palette(Key(i), "cloth", 1)[0] for i in range(500)])
    srgb = srgb_encode(flat)
    saturation = np.ptp(srgb, axis=1) / srgb.max(1)
    assert np.mean(saturation < 0.3) > 0.4 and np.mean(saturation > 0.6) > 0.03


def test_oklch_known_values():
    """White, black, and pure red (0.6280, 0.2577, 29.23 degrees, CSS Color Module level 4)."""
    assert np.allclose(oklch(1, 0, 0), 1, atol=1e-3) and np.allclose(oklch(0, 0, 0), 0, atol=1e-6)
    assert np.allclose(oklch(0.62796, 0.25768, 29.234), (1, 0, 0), atol=2e-3)


def test_srgb_round_trip():
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(np.round(srgb_encode(srgb_decode(levels)) * 255).astype(np.uint8), levels)
