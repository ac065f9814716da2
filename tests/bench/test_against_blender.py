"""The measure of quality of the comparison with Blender: an error measured against noisy references."""

import numpy as np
import pytest


def test_two_noisy_halves_tell_the_error_that_one_clean_reference_tells(bench):
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:240, :320] / 240
    truth = np.repeat((0.4 + 0.3 * np.sin(6 * x) * np.cos(5 * y))[..., None], 3, axis=2)
    psnr = bench("against_blender").psnr
    for error, within in ((0.02, 0.6), (0.06, 0.2)):
        picture = truth + error * np.cos(23 * x + 17 * y)[..., None]
        clean = psnr(picture, (truth, truth))
        shown = [np.clip(p * 0.4 / truth.mean(), 0, 1) ** (1 / 2.2) for p in (picture, truth)]
        assert clean == pytest.approx(-10 * np.log10(np.mean((shown[0] - shown[1]) ** 2)), abs=0.3)
        halves = tuple(truth + rng.normal(0, 0.1, truth.shape) for _ in range(2))
        assert psnr(picture, halves) == pytest.approx(clean, abs=within)
        noisy = -10 * np.log10(np.mean((shown[0] - np.clip(halves[0] * 0.4 / truth.mean(), 0, 1) ** (1 / 2.2)) ** 2))
        assert noisy < clean - 0.8  # which is what one of them alone would tell


def test_what_is_far_beyond_white_counts_as_white(bench):
    truth = np.full((64, 64, 3), 0.2)
    truth[0, :8] = 30.0  # a lamp
    picture = truth.copy()
    picture[0, :2] = 0.2  # a bit of its edge missed
    psnr = bench("against_blender").psnr(picture, (truth, truth))
    assert 30 < psnr < 45
