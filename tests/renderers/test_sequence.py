"""Numbers for paths: evenly laid out over pixels, over blocks of pixels and over each pair of dimensions."""

import numpy as np
import pytest

from understudy.renderers.mitsuba.sequence import Sequence, curve, z_order

WIDTH = 32
PIXELS = np.arange(WIDTH * WIDTH)


def points(mi, place=0, depth=0, samples=4, word=77, pixels=PIXELS) -> np.ndarray:
    """(samples, pixels, 2)."""
    pair = Sequence(mi, pixels, WIDTH, samples, word).pair(place, depth)
    return np.stack([np.array(v) for v in pair], axis=-1).reshape(samples, len(pixels), 2).astype(np.float64)


def cells(values: np.ndarray, columns: int, rows: int) -> np.ndarray:
    return (values[..., 0] * columns).astype(int) * rows + (values[..., 1] * rows).astype(int)


@pytest.mark.parametrize("place, depth", [(0, 0), (3, 0), (3, 2), (5, 1)])
def test_every_aligned_block_is_a_net(mi, place, depth):
    """Block of 2^b x 2^b pixels of 4 samples: one point in each elementary interval (Niederreiter's (0, m, 2)-nets)."""
    laid = points(mi, place, depth).reshape(4, WIDTH, WIDTH, 2)
    for side in (1, 2, 4):
        count = 4 * side * side
        for top in range(0, WIDTH, side):
            for left in range(0, WIDTH, side):
                block = laid[:, top:top + side, left:left + side].reshape(-1, 2)
                for columns in (1, 2, count // 2, count):
                    assert len(np.unique(cells(block, columns, count // columns))) == count


def test_the_integral_of_a_smooth_function_is_found_faster_than_by_chance(mi):
    """Mean over blocks of 4x4 pixels; chance would be off by s / 8 with 64 points."""
    laid = points(mi).reshape(4, WIDTH // 4, 4, WIDTH // 4, 4, 2).transpose(1, 3, 0, 2, 4, 5).reshape(-1, 64, 2)
    value = np.exp(laid[..., 0]) * np.sin(3 * laid[..., 1])
    exact = (np.e - 1) * (1 - np.cos(3)) / 3
    off = np.sqrt(((value.mean(axis=1) - exact) ** 2).mean())
    assert off < 0.25 * value.std() / 8


def test_pairs_depths_and_words_are_independent(mi):
    base = points(mi).reshape(-1, 2)
    for other in (points(mi, place=1), points(mi, depth=1), points(mi, word=78), points(mi, word=77 + (1 << 32))):
        r = np.corrcoef(base.T, other.reshape(-1, 2).T)[:2, 2:]
        assert np.abs(r).max() < 5 / np.sqrt(len(base))


def test_a_pixels_points_are_its_own(mi):
    """Whatever other pixels are asked for with it."""
    some = PIXELS[5::7]
    assert np.array_equal(points(mi, pixels=some), points(mi)[:, some])


def test_any_number_of_samples_is_in_range(mi):
    for samples in (1, 2, 3, 5, 8):
        values = points(mi, samples=samples)
        assert values.min() >= 0 and values.max() < 1
        assert abs(values.mean() - 0.5) < 0.02


def test_the_curve_visits_everything_once_and_stays_near():
    order = curve(16, 32)
    assert np.array_equal(np.sort(order), np.arange(16 * 32))
    at = z_order(np.arange(16 * 16), 16).astype(int)
    assert np.array_equal(np.sort(at), np.arange(256))
    assert at.reshape(16, 16)[:2, :2].tolist() == [[0, 1], [2, 3]] and at.reshape(16, 16)[2, 0] == 8
