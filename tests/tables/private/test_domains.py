"""What may come out of a column: how noisy counts are smoothed, and how the budget is shared out among columns."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.key import Key
from understudy.tables.private.domains import agreed, divided, held, open_names, pieces, smoothed, weight
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


def test_pieces_are_octaves_with_zero_alone_and_end_between_values():
    edges = pieces(Column("integer"))
    assert edges[(edges > -4) & (edges < 8)].tolist() == [-3.5, -1.5, -0.5, 0.5, 1.5, 3.5, 7.5]
    assert pieces(Column("integer"), 0.0, 10.0).tolist() == [-0.5, 0.5, 1.5, 3.5, 7.5, 10.5]
    assert pieces(Column("number", decimals=1), 0.0, 0.3) == pytest.approx([-0.05, 0.05, 0.15, 0.35])
    assert np.diff(pieces(Column("date")))[:2].tolist() == [365, 365]  # 1900 was no leap year


def test_where_many_rows_are_cells_are_small():
    """Hours of a week among ranges up to a thousand: those that nearly all rows have are told one by one."""
    line = pieces(Column("integer"), 0.0, 1000.0)
    rough = np.where((line[:-1] > 30) & (line[:-1] < 60), 9000.0, 20.0)
    cells, home = divided(line, rough, 1.0)
    inner = (cells.low >= 32) & (cells.high <= 63)
    assert (cells.low == cells.high)[inner].all() and inner.sum() == 32
    assert cells.count < 60 and cells.low[0] == 0 and cells.high[-1] == pytest.approx(1000.5)
    assert (np.diff(home) >= 0).all() and home.max() == len(rough) - 1
    assert cells.at(np.array([0, 1, 40, 41])).tolist() == sorted(set(cells.at(np.array([0, 1, 40, 41])).tolist()))


def test_cells_agree_with_their_piece_as_far_as_it_is_sure():
    counts, home = np.array([10.0, 20.0, 5.0]), np.array([0, 0, 1])
    rough = np.array([36.0, 9.0])
    assert agreed(counts, 3.0, home, rough, np.full(2, np.inf)).tolist() == counts.tolist()
    assert agreed(counts, 3.0, home, rough, np.zeros(2)) == pytest.approx([13, 23, 9])
    half = agreed(counts, 1.0, home, rough, np.sqrt([2.0, 1.0]))  # the sum of two cells, and a cell, as sure as their piece
    assert half == pytest.approx([11.5, 21.5, 7])
