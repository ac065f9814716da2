"""Graphical models against sums over every cell."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from understudy.key import Key
from understudy.tables.private.junction import Measured, estimate, junction

SIZES = (3, 4, 2, 5, 3)
PAIRS = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)]


def shares() -> np.ndarray:
    p = Key(1).child("cells").uniforms(*SIZES) ** 6
    return p / p.sum()


def onto(p: np.ndarray, columns: tuple[int, ...]) -> np.ndarray:
    return p.sum(tuple(i for i in range(len(SIZES)) if i not in columns))


def measured(p: np.ndarray) -> list[Measured]:
    return [Measured(c, 1000 * onto(p, c), np.array(1.0 + i)) for i, c in enumerate(PAIRS)]


def test_every_group_lies_in_a_clique_and_columns_hang_together():
    tree = junction(SIZES, [*PAIRS, (0, 2)])
    assert all(any(set(pair) <= set(c) for c in tree.cliques) for pair in PAIRS)
    assert sorted(set(itertools.chain(*tree.cliques))) == list(range(5)) and tree.above[0] == -1
    for column in range(5):  # the cliques that hold a column form one subtree
        holders = [i for i, c in enumerate(tree.cliques) if column in c]
        tops = [i for i in holders if tree.above[i] not in holders]
        assert len(tops) == 1


def test_consistent_marginals_are_met_exactly():
    p = shares()
    found = estimate(junction(SIZES, PAIRS), measured(p), 1000, steps=3000)
    for pair in PAIRS:
        assert found.marginal(pair) == pytest.approx(onto(p, pair), abs=1e-7)


def test_pairs_are_those_of_the_whole_product():
    found = estimate(junction(SIZES, PAIRS), measured(shares()), 1000, steps=50)
    whole = np.ones(SIZES)
    for columns, factor in found.factors.items():
        whole = whole * np.exp(factor).reshape([SIZES[i] if i in columns else 1 for i in range(5)])
    whole /= whole.sum()
    pairs = found.pairs()
    assert set(pairs) == set(itertools.combinations(range(5), 2))
    for pair, own in pairs.items():
        assert own == pytest.approx(onto(whole, pair), abs=1e-12)


def test_of_two_measurements_the_better_one_weighs_more():
    found = estimate(
        junction((2,), [(0,)]),
        [Measured((0,), np.array([80.0, 20.0]), np.array(1.0)), Measured((0,), np.array([50.0, 50.0]), np.array(3.0))],
        100,
        steps=500,
    )
    assert found.marginal((0,))[0] == pytest.approx((0.8 * 9 + 0.5) / 10, abs=1e-6)


def test_nothing_is_below_zero_though_counts_are():
    found = estimate(junction((3,), [(0,)]), [Measured((0,), np.array([120.0, -30.0, 10.0]), np.array(1.0))], 100, steps=500)
    assert (found.marginal((0,)) >= 0).all() and found.marginal((0,)).sum() == pytest.approx(1)
