"""What may come out of a column: how noisy counts are smoothed, and how the budget is shared out among columns."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.key import Key
from understudy.tables.private.domains import open_names, smoothed, weight
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
