"""Rows by other engines, to be measured beside ours with ``table audit``: none of their claims is taken over.

::

    mostlyai     mostlyai-engine (Apache-2.0), in a process and an environment of its own (apart.py, worker.py)
    dpgan        a generative adversarial network whose critic learns by DP-SGD (dpgan.py)

Each learns and makes rows in one go; nothing that it learnt is kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError
from understudy.tables import output
from understudy.tables.constraints import plain_values
from understudy.tables.schema import NAMED, NUMERIC, Schema
from understudy.tables.single import contents

if TYPE_CHECKING:
    import pyarrow as pa

Values = dict[str, np.ndarray]


def compared(schema: Schema) -> Schema:
    """``schema`` with the columns that can be compared: quantities, dates and names. Others are given to no other engine."""
    columns = {c: s for c, s in schema.columns.items() if s.kind in (*NUMERIC, *NAMED)}
    if not columns:
        raise TableError("no column can be learnt", where="peer", wanted="a quantity, a date or a name")
    return dataclasses.replace(schema, columns=columns)


def rows(table: pa.Table, schema: Schema, name: str, engine: Callable[[Values], Mapping[str, np.ndarray]]) -> pa.Table:
    """What ``engine`` makes of a table, in the types and formats of the schema.

    engine : gets and gives column -> (n,) float64 (dates: days; instants, times: seconds; nan: missing) or texts (None:
    missing)
    """
    own = contents(table, schema, name)
    schema = compared(schema)
    made = engine({c: plain_values(own[c]) for c in schema.columns})
    held = {}
    for column, spec in schema.columns.items():
        if column not in made:
            raise TableError("the other engine left a column out", where=name, wanted=column, got=", ".join(list(made)[:12]))
        held[column] = _numbers(made[column], f"{name}.{column}") if spec.kind in NUMERIC else made[column]
    return output.table(held, {}, {}, schema)


def _numbers(values: np.ndarray, where: str) -> np.ndarray:
    try:
        x = np.array([np.nan if v is None else v for v in values], float)
    except (TypeError, ValueError):
        raise TableError("the other engine made something else than numbers", where=where, wanted="numbers") from None
    return np.where(np.isfinite(x), x, np.nan)
