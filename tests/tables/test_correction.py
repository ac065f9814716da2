"""The correction: density ratios against closed forms, choosing by weight, the same trees as scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.key import Key
from understudy.tables import chain, correction
from understudy.tables.settings import Settings

N = 20_000


def bits(even: float, key: Key) -> dict[str, np.ndarray]:
    """Three fair coins of which an even number is 1 with chance ``even``: no two of them know of each other."""
    u = key.uniforms(3, N)
    a, b = (u[:2] < 0.5).astype(np.int32)
    return {"a": a, "b": b, "c": np.where(u[2] < even, a ^ b, 1 - (a ^ b)).astype(np.int32)}


@pytest.fixture(scope="module")
def parity():
    real, made = bits(0.8, Key(1)), bits(0.5, Key(2))
    return real, made, correction.learn(real, made, Settings())


def test_the_weight_is_the_ratio_of_the_densities(parity):
    real, made, learnt = parity
    weight = np.exp(learnt.logs(made))
    cells = [sum(s << i for i, s in enumerate(table.values())) for table in (real, made)]
    ratio = np.bincount(cells[0]) / np.bincount(cells[1])  # about .8 / .5 and .2 / .5
    np.testing.assert_allclose(weight, ratio[cells[1]], rtol=0.02)
    assert weight.mean() == pytest.approx(1, abs=0.02)


def test_where_nothing_differs_rows_weigh_the_same():
    weight = np.exp(correction.learn(bits(0.8, Key(3)), bits(0.8, Key(4)), Settings()).logs(bits(0.8, Key(5))))
    assert np.abs(weight - 1).max() < 0.1


def test_more_made_rows_than_real_ones_change_no_weight(parity):
    real, made, learnt = parity
    fewer = correction.learn({c: s[: N // 4] for c, s in real.items()}, made, Settings())
    np.testing.assert_allclose(fewer.logs(made), learnt.logs(made), atol=0.15)


def test_the_trees_are_scikit_learns():
    from sklearn.ensemble import HistGradientBoostingClassifier

    key = Key(6)
    states = {name: (key.child(name).uniforms(3000) * 40).astype(np.int32) for name in "xyz"}
    x = np.array(list(states.values()), float).T
    y = key.child("y").uniforms(3000) < (x[:, 0] + x[:, 1] * (x[:, 2] > 20)) / 80
    grown = HistGradientBoostingClassifier(max_iter=20, max_depth=8, random_state=0).fit(x, y)
    np.testing.assert_allclose(correction.read(("x", "y", "z"), grown).logs(states), grown.decision_function(x), atol=1e-5)


def test_a_model_keeps_its_correction(parity):
    _, made, learnt = parity
    store: dict[str, np.ndarray] = {}
    np.testing.assert_array_equal(
        correction.Correction.restore(learnt.plain(store, "t.correction"), store).logs(made), learnt.logs(made)
    )


def test_rows_are_kept_by_their_weight():
    """Over all starting points of systematic sampling each row is kept exactly as often as its weight says."""
    weight = np.array([0.2, 1.0, 1.0, 3.0, 0.5, 0.3])
    order, starts = np.array([3, 1, 0, 5, 4, 2]), (np.arange(1000) + 0.5) / 1000
    kept = [correction.chosen(np.log(weight), 3, order, u) for u in starts]
    often = np.bincount(np.concatenate(kept), minlength=6) / 1000
    rest = weight * 2 / (weight.sum() - 3)  # the heaviest is always kept; the others share two places
    np.testing.assert_allclose(often, np.where(weight == 3, 1, rest), atol=2e-3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=1, max_size=60), st.data())
def test_as_many_are_kept_as_wanted_and_none_twice(logs, data):
    wanted = data.draw(st.integers(1, len(logs)))
    order = np.array(data.draw(st.permutations(range(len(logs)))))
    kept = correction.chosen(np.array(logs), wanted, order, data.draw(st.floats(0.001, 0.999)))
    assert len(kept) == wanted == len(set(kept.tolist())) and (np.diff(kept) > 0).all()


def test_neighbours_are_kept_in_proportion():
    logs, order = np.zeros(1000), Key(7).permutation(1000)
    kept = correction.chosen(logs, 800, order, 0.3)
    place = np.argsort(order)[kept]
    assert (np.bincount(place // 10, minlength=100) == 8).all()  # of any ten neighbours eight


def test_a_chain_with_its_correction_makes_what_trees_miss():
    """Leaves of at least 8,000 rows leave a chain of coins without its last splits; whole rows are then weighed."""
    real = bits(0.7, Key(8))
    counts, ordered = dict.fromkeys(real, 2), dict.fromkeys(real, False)
    plain, corrected = (
        chain.learn(real, counts, ordered, Settings(boosts=n, choice=1e6), Key(0)) for n in (0, Settings().boosts)
    )
    assert plain.correction is None and corrected.correction is not None
    for own, low, high in ((plain, 0.48, 0.52), (corrected, 0.60, 0.72)):
        made, _ = own.draw(N, Key(9), {})
        assert low < ((made["a"] ^ made["b"] ^ made["c"]) == 0).mean() < high
        fixed, _ = own.draw(N, Key(9), {"a": np.ones(N, np.int32)})
        assert low < ((fixed["a"] ^ fixed["b"] ^ fixed["c"]) == 0).mean() < high
        assert fixed["a"].all()


def test_few_rows_teach_no_correction():
    real = {c: s[: correction.LEAST - 1] for c, s in bits(0.8, Key(1)).items()}
    learnt = chain.learn(real, dict.fromkeys(real, 2), dict.fromkeys(real, False), Settings(), Key(0))
    assert learnt.correction is None
