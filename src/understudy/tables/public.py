"""Tables whose rows are public knowledge (towns, currencies, products): given out as they are, and referred to by name.

A table that the schema calls ``public: true`` is not learnt. What refers to it is learnt as a category whose names are its
keys: which town an account belongs to, not what towns look like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError
from understudy.tables.content import encoded
from understudy.tables.references import rows_of
from understudy.tables.schema import Column, Schema
from understudy.tables.source import Tables

if TYPE_CHECKING:
    import pyarrow as pa


def set_apart(
    tables: Tables, schemas: Mapping[str, Schema], secret: bool = False
) -> tuple[Tables, dict[str, Schema], dict[str, pa.Table]]:
    """Tables and schemas without public ones, and those. TableError: a public table refers to one that is not, nothing else
    is left, or a link to it dangles (``secret``: that would tell of a row, and is read as missing)."""
    public = {name: tables.tables[name] for name, schema in schemas.items() if schema.public}
    if not public:
        return tables, dict(schemas), {}
    if len(public) == len(schemas):
        raise TableError("every table is called public: nothing is left to learn", where=", ".join(public))
    left = {}
    for name, schema in schemas.items():
        columns = dict(schema.columns)
        for column, spec in schema.columns.items():
            if spec.kind != "link":
                continue
            parent, _, key = spec.parent.rpartition(".")
            if parent in public:
                if not secret:
                    rows_of(tables.tables[name][column], public[parent][key], f"{name}.{column}", spec.parent, spec)
                names = tuple(encoded(public[parent][key])[0].to_pylist())
                columns[column] = Column("category", names=names, missing=spec.missing, stored=spec.stored)
            elif name in public:
                raise TableError(
                    "a public table refers to one that is not public",
                    where=f"{name}.{column}",
                    wanted="a link to a public table",
                    got=spec.parent,
                    remedy="What belongs to somebody is not public: take `public: true` away",
                )
        if name not in public:
            left[name] = replace(schema, columns=columns)
    kept = Tables({name: t for name, t in tables.tables.items() if name in left}, tables.notes)
    return kept, left, public


def packed(table: pa.Table) -> np.ndarray:
    """The table as bytes, for the model's file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return np.frombuffer(sink.getvalue(), np.uint8)


def unpacked(data: np.ndarray) -> pa.Table:
    """What ``packed`` gave."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    return pq.read_table(pa.BufferReader(data.tobytes()))
