"""Which rows of linked tables a private fit looks at: at most so many of each person, whatever others have.

Rows of one parent are taken in order of their first date, then of the file, and those beyond ``most`` are left out. Which
of a person's rows are kept depends on that person's rows alone, so that with a person, exactly their kept rows come and
go: at most :meth:`Family.rows` of each table. Keys are taken to be what the schema calls them, different in each row: the
promise is for databases that keep this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from understudy.tables.content import encoded
from understudy.tables.private.family import Family
from understudy.tables.references import dates
from understudy.tables.schema import Column, Schema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Kept:
    """rows : (n,) numbers of the rows of a table that are looked at; owner : (n,) which of its parent's kept rows each
    belongs to; position : (n,) how many of the same owner come before it
    """

    rows: np.ndarray
    owner: np.ndarray
    position: np.ndarray


def bounded(tables: Mapping[str, pa.Table], schemas: Mapping[str, Schema], family: Family) -> dict[str, Kept]:
    """The kept rows of the unit (all) and of every table that hangs on it. Links that lead nowhere are no links."""
    every = np.arange(tables[family.unit].num_rows)
    kept = {family.unit: Kept(every, every, np.zeros(len(every), int))}
    for name, hanging in family.hangs.items():
        table, schema, above = tables[name], schemas[name], schemas[hanging.parent]
        keys = tables[hanging.parent][above.key].take(_array(kept[hanging.parent].rows))
        owner = found(table[hanging.column], keys, schema.columns[hanging.column])
        when = next((c for c, s in schema.columns.items() if s.kind in ("date", "datetime")), None)
        time = np.zeros(len(owner))
        if when:
            lenient = replace(schema, columns={when: replace(schema.columns[when], stray=True)})
            time = np.nan_to_num(dates(table, lenient, when, name), nan=np.inf)
        order = np.lexsort((time, owner))
        order = order[owner[order] >= 0]
        own = owner[order]
        first = np.concatenate([[True], own[1:] != own[:-1]])[: len(own)]
        position = np.arange(len(own)) - np.maximum.accumulate(np.where(first, np.arange(len(own)), 0))
        within = position < hanging.most
        kept[name] = Kept(order[within], own[within], position[within])
    return kept


def found(values: pa.ChunkedArray, keys: pa.ChunkedArray, spec: Column) -> np.ndarray:
    """(n,) the row of ``keys`` that each value is, -1 for none: nothing that is wrong with a row is an error."""
    names, codes = encoded(keys)
    place: dict[str, int] = {}
    texts = names.to_pylist()
    for row, code in enumerate(codes.tolist()):
        if code >= 0:
            place.setdefault(texts[code], row)
    own, at = encoded(values)
    return np.array([*(-1 if t in spec.missing else place.get(t, -1) for t in own.to_pylist()), -1])[at]


def _array(rows: np.ndarray) -> pa.Array:
    import pyarrow as pa

    return pa.array(rows)
