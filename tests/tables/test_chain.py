"""Trees and chains: distributions against closed forms, laws, likelihood, the particle filter."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from understudy.key import Key
from understudy.tables import chain, dependence
from understudy.tables.settings import LEVELS, Settings, level
from understudy.tables.trees import _leaning, groups, grow, root


def coins(n=20_000):
    """a ~ Bernoulli(.3); b = a with chance .9; c from a and b together (exclusive or, .8); d follows from e exactly."""
    key = Key(9)
    a = (key.child("a").uniforms(n) < 0.3).astype(np.int32)
    b = np.where(key.child("b").uniforms(n) < 0.9, a, 1 - a).astype(np.int32)
    c = np.where(key.child("c").uniforms(n) < 0.8, a ^ b, 1 - (a ^ b)).astype(np.int32)
    e = (key.child("e").uniforms(n) * 9).astype(np.int32)
    return {"a": a, "b": b, "c": c, "e": e, "d": (e // 3).astype(np.int32)}


COUNTS = {"a": 2, "b": 2, "c": 2, "e": 9, "d": 3}
ORDERED = {"a": False, "b": False, "c": False, "e": True, "d": False}


@pytest.fixture(scope="module")
def learnt():
    return chain.learn(coins(), COUNTS, ORDERED, Settings(), Key(0))


def test_a_root_is_the_columns_shares():
    tree = root(np.array([1.0, 2.0, 1.0]))
    leaf = tree.leaves({}, 3)
    np.testing.assert_allclose(tree.chance(leaf, np.array([0, 1, 2])), [0.25, 0.5, 0.25], atol=1e-6)
    assert tree.draw(np.zeros(4, int), np.array([0.0, 0.24, 0.26, 0.99])).tolist() == [0, 0, 1, 2]


def test_a_leafs_distribution_is_the_conditional():
    states = coins()
    tree = grow(states, COUNTS, ORDERED, "b", ("a",), Settings(), np.arange(20_000))
    for a in (0, 1):
        chance = tree.chance(tree.leaves({"a": np.array([a])}, 1), np.array([1]))[0]
        assert chance == pytest.approx(states["b"][states["a"] == a].mean(), abs=0.005)  # 10 pseudo-rows of thousands


def test_columns_that_know_nothing_are_not_split_on():
    key = Key(3)
    noise = {name: (key.child(name).uniforms(5000) * 8).astype(np.int32) for name in "xyz"}
    tree = grow(
        noise, dict.fromkeys("xyz", 8), dict.fromkeys("xyz", True), "z", ("x", "y"), LEVELS["careful"], np.arange(5000)
    )
    assert len(tree.ends) <= 2  # whatever the best of many splits gains by chance is priced in


def test_every_leaf_has_the_floor():
    states = coins(3000)
    states["x"] = (Key(1).uniforms(3000) * 60).astype(np.int32)
    states["y"] = (states["x"] // 2 + (Key(2).uniforms(3000) * 3).astype(np.int32)).astype(np.int32)
    tree = grow(
        states,
        COUNTS | {"x": 60, "y": 33},
        ORDERED | {"x": True, "y": True},
        "y",
        ("x", "a"),
        Settings(floor=70, choice=0.1),
        np.arange(3000),
    )
    owners = np.bincount(tree.leaves(states, 3000))
    assert len(owners) > 5 and owners.min() >= 70


def test_leaving_one_out_in_closed_form_is_leaving_one_out():
    """A root and a leaf of it: each row is taken away, both are learnt again, and tell it."""
    root_rows, leaf_rows, lean = np.array([9.0, 4.0, 7.0]), np.array([6.0, 1.0, 2.0]), np.full(3, 1.5)
    _, nats = _leaning(np.array([root_rows, leaf_rows]), np.repeat([[20.0], [9.0]], 3, 1), lean, np.array([-1, 0]))

    def told(more):
        total = 0.0
        for state, count in enumerate(leaf_rows):
            gone = np.eye(3)[state]
            above = (root_rows - gone) / 19
            total += count * np.log(((leaf_rows - gone + more * lean[0] * above) / (8 + more * lean[0]))[state])
        return total

    assert nats[1] == pytest.approx(max(told(more) for more in (1, 3, 10, 30, 100)))


def test_detail_that_is_chance_goes_back_to_the_parent():
    """x moves y's half and nothing else: the halves stay as they are, what lies within them is told alike on either side."""
    n, key = 4000, Key(6)
    x = (key.child("x").uniforms(n) < 0.5).astype(np.int32)
    half = (key.child("h").uniforms(n) < np.where(x, 0.8, 0.2)).astype(np.int32)
    y = 40 * half + (key.child("y").uniforms(n) * 40).astype(np.int32)
    tree = grow({"x": x, "y": y}, {"x": 2, "y": 80}, {"x": False, "y": True}, "y", ("x",), Settings(), np.arange(n))
    each = np.diff(np.concatenate([np.zeros((2, 1)), tree.ends[tree.leaves({"x": np.arange(2)}, 2)]], 1))
    low = [np.bincount(y[x == i], minlength=80) / (x == i).sum() for i in (0, 1)]
    for i in (0, 1):
        assert each[i][40:].sum() == pytest.approx(low[i][40:].sum(), abs=0.02)
    within = [e[40:] / e[40:].sum() for e in each]
    raw = [e[40:] / e[40:].sum() for e in low]
    assert np.abs(within[0] - within[1]).sum() < 0.8 * np.abs(raw[0] - raw[1]).sum()


def test_exact_laws_are_kept_exactly(learnt):
    assert "d" in learnt.laws
    made, _ = learnt.draw(5000, Key(4), {})
    assert (made["d"] == made["e"] // 3).all()


def test_made_shares_are_the_learnt_ones(learnt):
    made, possible = learnt.draw(20_000, Key(1), {})
    assert possible.all()
    real = coins()
    for names in (("a", "b"), ("a", "c"), ("b", "c")):
        joint = [np.bincount(2 * s[names[0]] + s[names[1]], minlength=4) / 20_000 for s in (real, made)]
        np.testing.assert_allclose(joint[1], joint[0], atol=0.015)


def test_what_is_given_conditions_what_came_before(learnt):
    last = learnt.order[-1] if learnt.order[-1] in "abc" else next(c for c in reversed(learnt.order) if c in "abc")
    real = coins()
    for value in (0, 1):
        made, _ = learnt.draw(8000, Key(2), {last: np.full(8000, value)})
        assert (made[last] == value).all()
        for other in {"a", "b", "c"} - {last}:
            wanted = real[other][real[last] == value].mean()
            assert made[other].mean() == pytest.approx(wanted, abs=0.025)  # 4 sigma of 8,000 coins


def test_open_places_are_filled_and_impossible_ones_told(learnt):
    given = {"e": np.array([0, -1, 8]), "d": np.array([0, 2, 0])}
    made, possible = learnt.draw(3, Key(3), given)
    assert possible.tolist() == [True, True, False] and made["e"][1] >= 6 and made["e"][0] == 0


def test_likelihood_is_a_distribution(learnt):
    every = np.array(np.meshgrid(*[range(COUNTS[c]) for c in COUNTS], indexing="ij")).reshape(len(COUNTS), -1)
    states = dict(zip(COUNTS, every.astype(np.int32)))
    lawful = states["d"] == states["e"] // 3
    plain = dataclasses.replace(learnt, correction=None)
    assert np.exp(plain.log_likelihood(states))[lawful].sum() == pytest.approx(1.0, abs=1e-4)
    # weights are brought to a mean of 1 over some made rows, and cut at what choosing can do
    assert np.exp(learnt.log_likelihood(states))[lawful].sum() == pytest.approx(1.0, abs=0.01)


def test_mutual_information_closed_forms():
    n = 20_000
    x = (np.arange(n) % 4).astype(np.int32)
    states = {"x": x, "same": x, "other": ((np.arange(n) // 4) % 4).astype(np.int32)}
    found = dependence.mutual_information(states, dict.fromkeys(states, 4), dict.fromkeys(states, False))
    assert found[0, 1] == pytest.approx(np.log(4), abs=1e-3) and found[0, 2] == pytest.approx(0, abs=1e-6)


def test_groups_keep_heavy_states_alone():
    assert groups(np.array([1, 1, 1, 97, 1, 1, 1]), 4).tolist() == [0, 0, 1, 2, 3, 3, 4]


def test_levels_grow_more_careful():
    rows = [LEVELS[name] for name in ("close", "standard", "careful", "strict")]
    for less, more in itertools.pairwise(rows):
        assert less.owners <= more.owners and less.floor < more.floor
        assert less.choice < more.choice and less.lean < more.lean
    assert level("standard", 30).owners == 30
