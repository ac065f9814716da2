"""All pairs in one look: what it costs, and that weak dependence of pairs that nobody measured comes out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from understudy.key import Key
from understudy.tables.private import fit as private
from understudy.tables.private.domains import Found
from understudy.tables.private.ledger import Budget, Ledger
from understudy.tables.private.moments import UNIT, scored
from understudy.tables.schema import Column, Schema
from understudy.tables.single import rows
from understudy.tables.states.names import NameStates
from understudy.tables.tilt import Scores

pytest.importorskip("opendp")


def test_products_are_told_with_the_noise_of_their_reach():
    """Noise of reach / sqrt(2 rho) but for its discreteness, around the exact sums."""
    ledger = Ledger(Budget(1.0))
    n, columns = 500, tuple("abcdefgh")
    states = {c: (Key(1).child(c).uniforms(n) * 4).astype(np.int32) for c in columns}
    tables = tuple((Key(2).child(c).uniforms(4, 3) * 20 - 10).astype(np.int64) for c in columns)
    scores = Scores(columns, tables, 300)
    told, sigma = ledger.products("p", scores, states, ledger.rho / 2)
    assert sigma == pytest.approx(scores.reach / np.sqrt(ledger.rho), rel=1e-4)
    own = scores.rows(states)
    off = told - np.array([(own[:, a] * own[:, b]).sum() for a, b in zip(*scores.pairs())])
    assert off.std() == pytest.approx(sigma, rel=5 / np.sqrt(2 * len(off)))
    assert ledger.left == pytest.approx(ledger.rho / 2)
    ledger.counts("rest", np.zeros(3, int), ledger.left * (1 - 1e-9))
    plain = ledger.plain()
    assert plain["epsilon spent"] <= 1.0
    assert plain["epsilon spent, second accountant"] == pytest.approx(plain["epsilon spent"], rel=0.002)


def test_scores_of_names_follow_what_they_depend_on():
    """Four names of which two and two behave alike to another column: the first score tells just these apart."""
    n = 8000
    a = (Key(3).child("a").uniforms(n) * 4).astype(np.int32)
    b = np.where(Key(3).child("b").uniforms(n) < 0.8, a // 2, 1 - a // 2).astype(np.int32)
    names = [NameStates(tuple("wxyz"[:k]), False) for k in (4, 2)]
    found = {c: Found(s, x, np.bincount(x).astype(float), 1.0) for c, s, x in zip("ab", names, (a, b))}
    scores = scored(found, {"a": np.arange(4), "b": np.arange(2)}, {"a": a, "b": b}, float(n))
    first = scores.tables[0][:, 0]
    assert np.abs(first[0] - first[1]) <= 1 and np.abs(first[2] - first[3]) <= 1
    assert np.abs(first[0] - first[2]) == pytest.approx(2 * UNIT, abs=2)  # one standard deviation to either side
    assert np.abs(scores.tables[1][:, 0]).tolist() == pytest.approx([UNIT, UNIT], abs=1)


def test_weak_dependence_of_all_pairs_comes_out():
    """Twelve digits that all lean on one hidden number, at an epsilon that leaves the rounds few of the 66 pairs: without
    the look at all pairs a fortieth of it is made, with it two fifths."""
    n, d = 6000, 12
    hidden = Key(4).child("hidden").normals(n)
    digits = {}
    for i in range(d):
        x = 0.45 * hidden + Key(4).child(i).normals(n)
        digits[f"c{i}"] = (np.argsort(np.argsort(x)) * 10 // n).astype(np.int64)
    schema = Schema({c: Column("integer", low=0, high=9) for c in digits}, rows=n)

    def correlation(table: pa.Table) -> float:
        x = np.array([table[c].to_numpy() for c in digits], float)
        x = x[:, ~np.isnan(x).any(0)]  # noise may make a missing one
        return float(np.corrcoef(x)[np.triu_indices(d, 1)].mean())

    model = private.fit(pa.table(digits), schema, "digits", Budget(0.7))
    made = pa.concat_tables(rows(model, n, Key(5)))
    assert correlation(made) > 0.25 * correlation(pa.table(digits))
