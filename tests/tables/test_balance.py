"""The balanced pick: nearer to the pool than chance alone, at every beginning; rare cells stay; small picks are plain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.key import Key
from understudy.tables.balance import SLICE, balanced, pairs
from understudy.tables.tilt import _capped

WANTED = 2 * SLICE


def pool(key: Key, columns: int = 8, sizes: int = 6, n: int = 6 * WANTED) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Groups of rows whose columns depend on one hidden number, most of them in the low ones; chances; random ranks."""
    hidden = key.child("hidden").uniforms(n)[:, None]
    noise = key.child("noise").uniforms(n, columns)
    groups = (((hidden + noise) / 2) ** 3 * sizes).astype(np.int32)
    chance = _capped(np.exp(2 * key.child("weights").uniforms(n) + hidden[:, 0]), n // 6)
    return groups, chance, np.log(key.child("late").uniforms(n)) - np.log(chance)


def miss(groups: np.ndarray, chance: np.ndarray, kept: np.ndarray, sizes: int) -> float:
    """How many of the rows kept are in another cell than the pool says, mean over all pairs of columns."""
    a, b = np.tril_indices(groups.shape[1], -1)
    share = len(kept) / chance.sum()
    cells = [groups[:, i].astype(int) * sizes + groups[:, j] for i, j in zip(a, b)]
    have = [np.bincount(c[kept], minlength=sizes**2) - share * np.bincount(c, chance, sizes**2) for c in cells]
    return float(np.mean([np.abs(h).sum() / 2 for h in have]))


@pytest.mark.parametrize("seed", range(4))
def test_tables_of_pairs_are_thrice_as_near_as_by_chance(seed):
    groups, chance, late = pool(Key(seed))
    kept = balanced(groups, [6] * 8, chance, late, WANTED)
    plain = np.argpartition(late, WANTED - 1)[:WANTED]
    assert len(kept) == WANTED and (np.diff(kept) > 0).all()
    assert miss(groups, chance, kept, 6) < miss(groups, chance, plain, 6) / 3
    assert miss(groups, chance, kept[:SLICE], 6) < miss(groups, chance, plain[:SLICE], 6) / 2
    np.testing.assert_array_equal(kept, balanced(groups, [6] * 8, chance, late, WANTED))
    assert len(np.setdiff1d(kept, balanced(groups, [6] * 8, chance, pool(Key(seed + 9))[2], WANTED))) > WANTED / 2


def test_rare_combinations_stay():
    """Of cells that have less than one row each, the pick has as many rows as are expected, over 8 pools (some 13,000)."""
    have = due = 0.0
    for seed in range(8):
        groups, chance, late = pool(Key(seed), sizes=24)
        kept = balanced(groups, [24] * 8, chance, late, WANTED)
        for i, j in zip(*np.tril_indices(8, -1)):
            cell = groups[:, i].astype(int) * 24 + groups[:, j]
            expected = np.bincount(cell, chance, 24**2)
            rare = expected < 1
            have, due = have + np.bincount(cell[kept], minlength=24**2)[rare].sum(), due + expected[rare].sum()
    assert have == pytest.approx(due, rel=0.1)


def test_few_rows_are_left_to_chance():
    groups, chance, late = pool(Key(1), n=40)
    for wanted in (1, 2, 39):
        np.testing.assert_array_equal(balanced(groups, [6] * 8, chance, late, wanted), np.sort(np.argsort(late)[:wanted]))


def test_a_pool_hardly_larger_than_the_pick_will_do():
    groups, chance, late = pool(Key(1), n=3 * SLICE + 4)
    for wanted in (3 * SLICE + 3, 3 * SLICE + 1, 2 * SLICE + 7):
        kept = balanced(groups, [6] * 8, chance * wanted / chance.sum(), late, wanted)
        assert len(kept) == wanted and (np.diff(kept) > 0).all()


def test_one_column_has_no_pairs():
    groups, chance, late = pool(Key(1), columns=1)
    assert len(balanced(groups, [6], chance, late, WANTED)) == WANTED


@pytest.mark.parametrize("columns", (2, 15, 23, 24, 100, 900))
def test_wide_tables_balance_some_of_their_pairs(columns):
    a, b = pairs(columns)
    assert len(a) <= 256 and (a != b).all()
    assert len(a) == columns * (columns - 1) // 2 or columns > 23
    assert columns > 24 or set(range(columns)) == set(a) | set(b)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(1e-20, 1e20), min_size=2, max_size=40), st.data())
def test_chances_go_by_weight_and_end_at_one(weights, data):
    wanted = data.draw(st.integers(1, len(weights) - 1))
    chance = _capped(np.array(weights), wanted)
    assert chance.sum() == pytest.approx(wanted) and chance.max() <= 1
    ratio = (chance / weights)[chance < 1]
    assert not len(ratio) or ratio.max() == pytest.approx(ratio.min())
