"""The adversarial network under differential privacy: what it may see, what it spends, that it learns at all."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.errors import UsageError
from understudy.key import Key
from understudy.tables.private.ledger import Budget
from understudy.tables.schema import Column, Schema

pytest.importorskip("torch")
pytest.importorskip("opacus")
pytestmark = pytest.mark.filterwarnings("ignore:Optimal order is the largest alpha", "ignore:Secure RNG turned off")

SCHEMA = Schema({"x": Column("integer", low=0, high=9), "y": Column("category", names=("a", "b"))})


@pytest.fixture(scope="module")
def given():
    y = Key(1).uniforms(2000) < 0.1
    return {"x": np.where(y, 9.0, 1.0), "y": np.where(y, "b", "a").astype(object)}


def test_it_learns_within_its_budget(given):
    from understudy.tables.peers.dpgan import Training, make

    made, cost = make(given, SCHEMA, 1000, Budget(8.0, 1e-5), training=Training(batch=100, steps=600, wide=32, noise=8))
    assert cost["epsilon"] <= 8.0 and cost["noise"] > 0
    assert set(made["y"]) <= {"a", "b", None} and np.nanmin(made["x"]) >= 0 and np.nanmax(made["x"]) <= 9
    assert (made["y"] == "a").mean() > 0.4 and (made["x"] == 1).mean() > 0.3  # by chance: a third, a tenth


def test_less_epsilon_is_more_noise_and_nothing_global_moves(given):
    import torch

    from understudy.tables.peers.dpgan import Training, make

    before = torch.random.get_rng_state()
    runs = [make(given, SCHEMA, 50, Budget(e, 1e-5), training=Training(batch=50, steps=3, wide=8)) for e in (0.5, 0.5, 8.0)]
    assert torch.equal(before, torch.random.get_rng_state())
    assert runs[0][1]["noise"] > 2 * runs[2][1]["noise"]
    assert any((a != b).any() for a, b in zip(runs[0][0].values(), runs[1][0].values()))  # noise has no seed


@pytest.mark.parametrize("column", [Column("integer", low=0), Column("category"), Column("date")])
def test_what_is_not_public_is_refused(given, column):
    from understudy.tables.peers.dpgan import make

    with pytest.raises(UsageError, match="needs public"):
        make({"x": given["x"]}, Schema({"x": column}), 10, Budget(1.0))
