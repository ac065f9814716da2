"""Made rare cases: copies are no news, rows of the same kind are as new as held out ones, and a page shows it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from understudy.key import Key
from understudy.tables.detect import detect
from understudy.tables.measure.lens import Lens
from understudy.tables.measure.rare import FEWEST, rare, rare_class
from understudy.tables.report.page import _rare
from understudy.tables.source import Tables


def world(seed: int, n: int = 1500, share: float = 0.1, spread: float = 0.15) -> pa.Table:
    """Fraud is where x and y are both large."""
    key = Key(seed)
    fraud = key.child("f").uniforms(n) < share
    x, y = (np.where(fraud, 0.8, 0.5) + spread * key.child(c).normals(n) for c in "xy")
    return pa.table({"x": x, "y": y, "fraud": np.where(fraud, "yes", "no")})


@pytest.fixture(scope="module")
def lens():
    train = world(1)
    return Lens.on(train, detect(Tables({"t": train}))[0]["t"])


def test_copies_are_no_news_and_others_are_as_new_as_held_out_rows(lens):
    train, holdout = world(1), world(2)
    copied, fresh = (rare(lens, train, holdout, made, "fraud") for made in (train, world(3)))
    assert copied["novelty"]["made"][0] == 0
    share, low, high = fresh["novelty"]["made"]
    assert 0 < low < share < high < 1 and abs(share - fresh["novelty"]["holdout"][0]) < 0.15
    assert fresh["rows"]["made"] == world(3)["fraud"].to_pylist().count("yes")


def test_more_cases_of_the_same_kind_help_a_learner_with_few(lens):
    few = rare(lens, world(1, share=0.02), world(2), world(3, n=6000, share=0.5), "fraud")
    lies = world(3, n=6000, share=0.5)
    lies = lies.set_column(2, "fraud", pa.array([{"yes": "no", "no": "yes"}[v] for v in lies["fraud"].to_pylist()]))
    worse = rare(lens, world(1, share=0.02), world(2), lies, "fraud")
    assert few["found"]["with made"] > few["found"]["real"] > worse["found"]["with made"]


def test_nothing_is_said_of_too_few_or_of_no_rare_class(lens):
    train = world(1)
    assert rare_class(lens, train, "fraud") == "yes" and rare_class(lens, train, "x") is None
    assert rare_class(lens, world(1, share=0.5), "fraud") is None
    assert rare(lens, train, world(2), world(3, n=5 * FEWEST, share=0.05), "fraud") is None
    assert _rare({"rare": None}) == "" and "Rare cases" in _rare({"rare": rare(lens, train, world(2), world(3), "fraud")})
