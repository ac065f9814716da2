"""What may come out of a column: how noisy counts are smoothed, and how the budget is shared out among columns."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.key import Key
from understudy.tables.private.domains import held, open_names, smoothed, weight
from understudy.tables.schema import Column


def error(truth: np.ndarray, sigma: float) -> float:
    """Mean squared error of smoothed noisy counts, as a share of that of the noisy ones: over 200 draws."""
    draws = sigma * Key(2).child("noise").normals(200, len(truth)) + truth
    return float(np.mean([(smoothed(d, sigma) - truth) ** 2 for d in draws]) / sigma**2)


def test_smooth_counts_are_smoothed_and_spikes_are_left():
    at = np.arange(80)
    assert error(300 * np.exp(-(((at - 40) / 25) ** 2)), 30.0) < 0.35
    assert error(np.zeros(80), 30.0) < 0.2
    spikes = np.where(at % 10 == 0, 2000.0, 10.0)
    assert error(spikes, 30.0) < 1.05  # no worse than what was told


def test_smoothing_keeps_what_there_is():
    told = np.array([5.0, -3.0, 8.0])
    assert smoothed(told, 1e-6) == pytest.approx(told)
    assert smoothed(np.array([7.0]), 100.0) == pytest.approx([7.0])


def test_more_names_get_more_and_undeclared_ones_most():
    two, ten = (Column("category", names=tuple(map(str, range(n)))) for n in (2, 10))
    assert weight(two) < weight(ten) < weight(Column("category"))
    assert weight(ten) == pytest.approx(11 ** (2 / 3))
    assert open_names(Column("category")) and not open_names(two) and not open_names(Column("integer"))
    assert not open_names(Column("category", stored="bool")) and not open_names(Column("ordered", order=("a", "b")))


def test_a_tail_over_many_octaves_is_found_although_none_of_them_is_sure():
    """Zero fills one piece; a twelfth of all rows lies over six others, each below the threshold; far off there is noise."""
    counts = np.zeros(60)
    counts[20], counts[30:36] = 9200, 140
    assert held(counts, 60.0) == (20, 35)  # four by four: 4 x 140 is more than 4.5 x 60 x 2
    counts[30:36] = 0
    assert held(counts, 60.0) == (20, 20)


def test_noise_alone_widens_no_bounds():
    """With nothing but one full piece, the hull is that piece in all but one of a hundred draws (4.5 deviations)."""
    noise = 60 * Key(5).child("noise").normals(400, 140)
    noise[:, 70] += 5000
    assert sum(held(row, 60.0) != (70, 70) for row in noise) <= 4
