"""A table learnt under differential privacy: the same kind of model, through another door."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError
from understudy.tables import constraints
from understudy.tables.private import domains, moments
from understudy.tables.private.learn import grouped, learn
from understudy.tables.private.ledger import NAMES_SHARE, Budget, Ledger
from understudy.tables.schema import NAMED, NUMERIC, Column, Schema
from understudy.tables.single import TableModel, contents, not_too_wide
from understudy.tables.states.blanks import Fresh

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.chain import Chain
    from understudy.tables.states import States

ROWS = 0.01  # of the budget, for the number of rows
ONE_WAY = 0.35  # for columns alone; pairs get the rest


def fit(table: pa.Table, schema: Schema, name: str, budget: Budget, ledger: Ledger | None = None) -> TableModel:
    """Learn one table. ``schema`` is public knowledge: all of it stands in the model as it is.

    Values that contradict the schema are read as missing: an error about them would tell of rows. What is drawn on the way
    comes from OpenDP, not from a seed. TableError: no column to learn, too many, or other columns than the schema's.
    """
    not_too_wide(table, name)
    looked_for = sum(domains.open_names(s) for s in schema.columns.values())
    ledger = ledger or Ledger(budget, names_share=NAMES_SHARE if looked_for else 0.0)
    done, schema, computed = constraints.declared(schema)
    own = contents(table, dataclasses.replace(schema, columns={c: lenient(s) for c, s in schema.columns.items()}), name)
    wanted = [c for c, s in schema.columns.items() if s.kind in (*NUMERIC, *NAMED) and c not in computed]
    if not wanted:
        raise TableError("no column can be learnt", where=name, wanted="a quantity, a date or a name")
    total = float(schema.rows)
    if not total:
        noisy, _ = ledger.counts("rows", np.array([table.num_rows]), ROWS * ledger.rho)
        total = max(float(noisy[0]), 1.0)
    alone = (ONE_WAY if len(wanted) > 1 else 1 - ROWS - 1e-9) * ledger.rho
    weights = {c: domains.weight(schema.columns[c]) for c in wanted}
    each = {c: alone * w / sum(weights.values()) for c, w in weights.items()}
    delta = ledger.names_share * budget.delta / max(looked_for, 1)
    found = {c: domains.found(c, own[c], schema.columns[c], ledger, each[c], delta, total) for c in wanted}
    several = sum(bool(grouped(f, total).max()) for f in found.values()) >= moments.LEAST_COLUMNS
    spared = moments.SHARE * ledger.rho if several else 0.0
    learnt = learn(found, total, ledger, schema.target, spared=spared)
    chain = moments.tilted(learnt, found, total, ledger) if several else learnt.chain
    codecs, chain = with_blanks({c: f.states for c, f in found.items()}, chain, schema)
    return TableModel(name, schema, codecs, chain, done, max(round(total), 1), private=ledger.plain())


def blanks(schema: Schema) -> dict[str, Fresh]:
    """Codecs of the columns of which nothing is learnt."""
    return {c: Fresh(False, "", s.entity) for c, s in schema.columns.items() if s.kind in ("identifier", "key")}


def with_blanks(codecs: Mapping[str, States], chain: Chain, schema: Schema) -> tuple[dict[str, States], Chain]:
    """Codecs and chain with identifiers and keys added, which are made afresh."""
    blank = blanks(schema)
    whole = dataclasses.replace(chain, order=(*chain.order, *blank), trees={**chain.trees, **{c: _always() for c in blank}})
    return {**codecs, **blank}, whole


def lenient(column: Column) -> Column:
    """The column read so that nothing in the data is an error."""
    if column.kind in NUMERIC:
        return dataclasses.replace(column, stray=True)
    return dataclasses.replace(column, kind="category") if column.kind == "ordered" else column


def _always():
    """The conditional of a column with one state."""
    from understudy.tables.trees import root

    return root(np.ones(1))
