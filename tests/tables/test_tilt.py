"""The tilt: weights against closed forms, how far one row reaches, rows kept by weight and by margins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.key import Key
from understudy.tables.tilt import Scores, Tilt, fitted

SIGNS = np.array([[-1], [1]])


def coins(n: int, key: Key) -> dict[str, np.ndarray]:
    """Two fair coins that know nothing of each other."""
    a, b = (key.uniforms(2, n) < 0.5).astype(np.int32)
    return {"a": a, "b": b}


def tilt(weight: float, margins=()) -> Tilt:
    """Coins weighed by exp(weight) where they are alike and exp(-weight) where they are not."""
    square = np.array([[0.0, weight], [0.0, 0.0]])
    parts = {c: np.arange(2) for c in "ab"}
    return Tilt(Scores(("a", "b"), (SIGNS, SIGNS), 2), square, (np.zeros(2), np.zeros(2)), 0.0, margins, parts)


def test_the_weight_of_two_coins_is_that_of_the_closed_form():
    """Of signs with mean product r, exp(t) / (exp(t) + exp(-t)) are alike: r = tanh(t)."""
    states = coins(40_000, Key(1))
    rows = Scores(("a", "b"), (SIGNS, SIGNS), 2).rows(states)
    product = (rows[:, 0] * rows[:, 1])[:, None]
    held = np.array([states["a"], states["b"]]).T.astype(float)
    theta, level = fitted(product, held, np.array([0.4]), 1e-6)
    assert theta[0] == pytest.approx(np.arctanh(0.4), abs=0.02)  # the coins' own mean product is within .005 of 0
    weight = np.exp(np.hstack([product, held]) @ theta - level)
    assert weight.mean() == pytest.approx(1, abs=1e-4)
    assert (weight * product[:, 0]).mean() == pytest.approx(0.4, abs=1e-3)
    np.testing.assert_allclose((weight[:, None] * held).mean(0), held.mean(0), atol=1e-3)


def test_a_group_that_no_row_has_moves_nothing():
    states = coins(2000, Key(2))
    product = ((2.0 * states["a"] - 1) * (2.0 * states["b"] - 1))[:, None]
    theta, level = fitted(product, np.zeros((2000, 1)), np.array([0.3]), 1e-6)
    assert theta[1] == 0 and np.isfinite(level)


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32))
def test_no_row_moves_the_sums_by_more_than_is_claimed(limit, seed):
    """Whatever the scores: the products of one row have a length of at most ``reach``, and no score changes its sign."""
    words = Key(seed).child("scores")
    widths = (1, 2, 3)
    tables = tuple((words.child(i).uniforms(5, w) * 80 - 40).astype(np.int64) for i, w in enumerate(widths))
    scores = Scores(tuple("abc"), tables, limit)
    states = {c: np.arange(5) for c in "abc"}
    rows = scores.rows(states)
    assert (rows == np.round(rows)).all() and ((rows**2).sum(1) <= limit).all()
    whole = np.hstack(tables)
    assert (rows * whole >= 0).all() and (np.abs(rows) <= np.abs(whole)).all()
    a, b = scores.pairs()
    assert len(a) == 1 * 2 + 1 * 3 + 2 * 3
    assert (np.sqrt(((rows[:, a] * rows[:, b]) ** 2).sum(1)) <= scores.reach * (1 + 1e-12)).all()


def test_the_reach_is_reached():
    scores = Scores(tuple("abc"), (np.array([[5]]),) * 3, 75)
    assert scores.reach == pytest.approx(np.sqrt(3 * 25**2))  # three products of 25


def test_rows_are_kept_by_weight_and_have_the_margins():
    states = coins(40_000, Key(3))
    kept = tilt(0.3).kept(states, 8000, ("a", "b"), Key(4))
    assert len(set(kept.tolist())) == 8000 and (np.diff(kept) > 0).all()
    alike = (states["a"] == states["b"])[kept].mean()
    # weights exp(.3) and exp(-.3) on even odds, of which a fifth is kept: e^.6 / (1 + e^.6); five deviations are .028
    assert alike == pytest.approx(1 / (1 + np.exp(-0.6)), abs=0.028)
    shares = np.array([[0.1, 0.2], [0.3, 0.4]])
    kept = tilt(0.3, ((("a", "b"), shares),)).kept(states, 8000, ("a", "b"), Key(4))
    have = np.bincount(2 * states["a"][kept] + states["b"][kept], minlength=4) / 8000
    np.testing.assert_allclose(have, shares.ravel(), atol=0.01)


def test_a_model_keeps_its_tilt():
    shares = np.array([[0.1, 0.2], [0.3, 0.4]])
    own, store = tilt(0.3, ((("a", "b"), shares),)), {}
    again = Tilt.restore(own.plain(store, "t.tilt"), store)
    states = coins(4000, Key(5))
    np.testing.assert_array_equal(again.logs(states), own.logs(states))
    np.testing.assert_array_equal(again.kept(states, 900, ("a", "b"), Key(6)), own.kept(states, 900, ("a", "b"), Key(6)))
