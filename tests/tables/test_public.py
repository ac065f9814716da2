"""Public tables (towns): given out as they are; what refers to them keeps its shares and never dangles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import TableError, UsageError
from understudy.key import Key
from understudy.tables import fit, load
from understudy.tables.detect import detect
from understudy.tables.private.ledger import Budget
from understudy.tables.source import Tables

_I = np.arange(12)
TOWNS = pa.table({"town_id": _I + 1, "name": [f"town {i}" for i in _I], "people": 10**4 + _I})


@pytest.fixture(scope="module")
def bank():
    """Half of the accounts are in town 1, three in town 12; rich accounts in odd towns; two orders each."""
    n = 600
    town = np.where(np.arange(n) < 300, 1, 2 + np.arange(n) % 10)
    town[:3] = 12
    money = np.where(town % 2 == 1, 100, 10) + Key(1).uniforms(n).round(2)
    accounts = pa.table({"account_id": np.arange(n) + 1, "town_id": town, "money": money})
    m = np.arange(2 * n)
    orders = pa.table({"order_id": m + 1, "account_id": m % n + 1, "sum": m % 7})
    tables = Tables({"town": TOWNS, "account": accounts, "order": orders})
    schemas, _ = detect(tables)
    assert schemas["account"].columns["town_id"].parent == "town.town_id"
    return tables, schemas | {"town": replace(schemas["town"], public=True)}


def test_public_rows_are_given_out_and_links_keep_their_shares(bank, tmp_path):
    tables, schemas = bank
    model = fit(tables, schema=schemas)
    model.save(tmp_path / "m")
    made = load(tmp_path / "m").sample(seed=1)
    assert made["town"].equals(TOWNS) and list(made) == ["town", "account", "order"]
    town, money = np.array(made["account"]["town_id"].to_pylist()), made["account"]["money"].to_numpy()
    assert set(town.tolist()) <= set(range(1, 13)) and made["account"]["town_id"].type == pa.int64()
    assert abs((town == 1).mean() - 297 / 600) < 0.06
    assert ((money > 50) == (town % 2 == 1)).mean() > 0.9
    assert set(made["order"]["account_id"].to_pylist()) <= set(made["account"]["account_id"].to_pylist())


def test_a_town_of_few_is_made_only_as_any_public_name(bank):
    """Towns 12 (three accounts) and 13 (none) are below k: no figure of theirs is learnt, both come out alike."""
    tables, schemas = bank
    more = pa.concat_tables([TOWNS, pa.table({"town_id": [13], "name": ["town 12"], "people": [1]})])
    few = tables.tables["account"].to_pydict()
    few["town_id"] = [12 if i < 12 else t for i, t in enumerate(few["town_id"])]
    own = Tables({"town": more, "account": pa.table(few)})
    model = fit(own, schema={n: schemas[n] for n in ("town", "account")}, owners=13)
    town = model.sample(20_000, seed=2)["account"]["town_id"].to_numpy()
    assert 12 not in map(int, filter(str.isdigit, map(str, model.only.codecs["town_id"].names[:-1])))
    share = [(town == t).mean() for t in (12, 13)]
    assert sum(share) == pytest.approx(12 / 600, abs=0.01) or sum(share) == 0


def test_one_table_beside_public_ones_can_be_learnt_privately(bank):
    pytest.importorskip("opendp")
    tables, schemas = bank
    columns = dict(schemas["account"].columns)
    columns["money"] = replace(columns["money"], kind="integer", low=0, high=200)
    account = replace(schemas["account"], columns=columns)
    own = Tables({n: tables.tables[n] for n in ("town", "account")})
    model = fit(own, schema={"town": schemas["town"], "account": account}, budget=Budget(4.0))
    made = model.sample(500)
    assert made["town"].equals(TOWNS) and model.only.private["epsilon"] == 4.0
    assert set(made["account"]["town_id"].drop_null().to_pylist()) <= set(range(1, 13))
    with pytest.raises(UsageError, match=r"order.account_id: how many rows one has must be public"):
        fit(tables, schema=schemas, budget=Budget(1.0))


def test_what_cannot_be_public(bank):
    tables, schemas = bank
    with pytest.raises(TableError, match="refers to one that is not public"):
        fit(tables, schema=schemas | {"order": replace(schemas["order"], public=True)})
    with pytest.raises(TableError, match="nothing is left to learn"):
        fit(tables, schema={n: replace(s, public=True) for n, s in schemas.items()})
    cut = Tables(dict(tables.tables) | {"town": TOWNS.slice(0, 5)})
    with pytest.raises(TableError, match=r"account\.town_id, row 1.*dangle|dangle"):
        fit(cut, schema=schemas)
