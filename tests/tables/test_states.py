"""States: at least k owners each, nothing rarer comes out, and back again."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.key import Key
from understudy.tables.content import Names, Numbers, Texts
from understudy.tables.schema import Column
from understudy.tables.states import learnt, restored
from understudy.tables.states.blanks import Fresh, Words
from understudy.tables.states.cells import cut
from understudy.tables.states.names import RARE

VALUES = st.lists(
    st.one_of(st.integers(-50, 50), st.floats(-1e6, 1e6), st.sampled_from([0.0, 40.0])), min_size=1, max_size=300
)


@given(VALUES, st.integers(2, 20), st.integers(2, 200))
def test_every_cell_has_k_owners_and_a_place_on_the_line(values, k, count):
    x = np.array(values, float)
    cells = cut(x, k, count)
    owners = np.bincount(cells.at(x), minlength=cells.count)
    assert owners.min() >= min(k, len(x))
    assert (np.diff(cells.first) > 0).all() and (cells.high >= cells.low).all()
    assert (cells.low[1:] >= cells.high[:-1] - 1e-9).all() or cells.count == 1
    known, counts = np.unique(x, return_counts=True)
    assert set(cells.value.tolist()) <= set(known[counts >= k].tolist())
    n = 50
    drawn = cells.draw(np.arange(n) % cells.count, np.linspace(0, 0.999, n), np.linspace(0, 1, n), 6)
    assert (drawn >= x.min() - 1e-5).all() and (drawn <= x.max() + 1e-5).all()


def test_a_drawn_value_lies_in_its_cell_and_shares_come_out():
    key = Key(1)
    x = np.concatenate([np.full(5000, 40.0), np.round(100 * key.uniforms(5000), 2)])
    cells = cut(x, 8, 64)
    at = cells.at(x)
    made = cells.draw(at, *key.child("draw").uniforms(2, len(x)), 2)
    assert (cells.at(made) == at).mean() > 0.999  # a rounded value may fall on an edge
    assert abs((made == 40).mean() - (x == 40).mean()) < 0.02
    np.testing.assert_allclose(
        np.quantile(made, np.linspace(0.02, 0.98, 30)), np.quantile(x, np.linspace(0.02, 0.98, 30)), atol=1.5
    )


def test_no_value_with_fewer_owners_comes_out_or_is_stored():
    x = np.round(1e6 * Key(2).uniforms(3000), 6)  # every value its own owner's
    states = learnt(Numbers(x, np.full(len(x), -1, np.int16)), Column("number", decimals=6), 8, 128)
    made = states.decode(states.encode(Numbers(x, np.full(len(x), -1, np.int16))), Key(3), 0)
    assert not set(made.tolist()) & set(x.tolist())
    stored = json.dumps(states.plain())
    assert sum(f"{v!r}" in stored for v in x.tolist()) == 0


def test_tails_are_clipped_at_the_kth_owner():
    x = np.concatenate([np.arange(1000.0), [1e9]])
    cells = cut(x, 8, 64)
    assert cells.high.max() <= 993 and cells.low.min() >= 7


def test_rare_names_are_pooled_and_missing_is_a_state():
    codes = np.repeat([0, 1, 2, 3, 4, -1], [100, 50, 5, 4, 1, 20]).astype(np.int32)
    states = learnt(Names(codes, ("a", "b", "c", "d", "e")), Column("category"), 8, 64)
    assert states.names == (None, "a", "b", RARE)
    made = states.decode(states.encode(Names(codes, ("a", "b", "c", "d", "e"))), Key(0), 0)
    assert sum(v is None for v in made) == 20 and sum(v == RARE for v in made) == 10 and "e" not in made


def test_fewer_rare_rows_than_k_have_no_state_of_their_own():
    codes = np.repeat([0, 1, 2], [100, 50, 3]).astype(np.int32)
    states = learnt(Names(codes, ("a", "b", "c")), Column("category"), 8, 64)
    assert states.names == ("a", "b")


def test_tokens_and_missing_numbers():
    token = np.repeat([-1, 0, 1, 2], [100, 30, 20, 3]).astype(np.int16)
    own = Numbers(np.where(token < 0, np.arange(len(token)), np.nan).astype(float), token, ("unknown", "secret"))
    states = learnt(own, Column("integer", tokens=("unknown", "secret")), 8, 16)
    assert states.marks == ("", "unknown") and "secret" not in json.dumps(states.plain())
    made = states.decode(states.encode(own), Key(0), 0)
    assert np.isnan(made).sum() == 53 and (made[:100] == np.round(made[:100])).all()


def test_bounds_hold():
    x = np.abs(Key(4).normals(1000).astype(float))
    own = Numbers(x, np.full(1000, -1, np.int16))
    states = learnt(own, Column("number", decimals=3, low=0.5, high=1.0), 8, 64)
    made = states.decode(states.encode(own), Key(0), 0)
    assert made.min() >= 0.5 and made.max() <= 1.0


@pytest.mark.parametrize(
    "texts", [[f"AB-{i:04d}x" for i in range(0, 5000, 7)], [f"{i:012x}" for i in range(1, 10**9, 999_983)]]
)
def test_identifiers_keep_their_shape(texts):
    states = Fresh.learn(Texts(texts), 8)
    made = states.decode(np.zeros(200, int), Key(1), 0)
    assert all(len(t) == len(texts[0]) for t in made)
    assert made[0][:3] == texts[0][:3] or states.shape.count("f") > 3
    assert len(set(made)) > 150


def test_identifiers_without_a_shape_are_counted():
    states = Fresh.learn(Texts(["x", "a longer one", "7"] * 20), 8)
    assert states.decode(np.zeros(3, int), Key(1), 100).tolist() == ["101", "102", "103"]


def test_text_is_made_of_common_words():
    texts = [f"the patient came again on day {i} with Mr. Unique{i}" for i in range(200)] + [None] * 50
    states = Words.learn(Texts(texts), 8)
    made = states.decode(np.repeat([0, 1], [100, 20]), Key(1), 0)
    assert "Unique" not in " ".join(t for t in made if t) and made[100] is None and "patient" in " ".join(made[:100])
    assert "Unique" not in json.dumps(states.plain())


@pytest.mark.parametrize(
    "states",
    [
        learnt(Numbers(np.arange(100.0), np.full(100, -1, np.int16)), Column("number", decimals=1, low=3), 8, 16),
        learnt(Numbers(np.full(9, np.nan), np.zeros(9, np.int16)), Column("number"), 8, 16),
        learnt(Names(np.repeat([0, -1], 50).astype(np.int32), ("a",)), Column("category"), 8, 16),
        Fresh.learn(Texts(["A1234", None] * 50), 8),
        Words.learn(Texts(["a b", "a c"] * 20), 8),
    ],
)
def test_states_survive_json(states):
    again = restored(json.loads(json.dumps(states.plain(), allow_nan=False)))
    codes = np.arange(40) % states.count
    assert again.count == states.count and again.ordered == states.ordered and again.labels() == states.labels()
    assert repr(again.decode(codes, Key(1), 5).tolist()) == repr(states.decode(codes, Key(1), 5).tolist())
