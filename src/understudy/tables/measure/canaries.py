"""Canaries: rare rows planted among the real ones, of which nothing may come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from understudy.key import Key
from understudy.tables.schema import NAMED, NUMERIC, Schema

if TYPE_CHECKING:
    import pyarrow as pa

COUNT = 20


def planted(table: pa.Table, schema: Schema, key: Key, count: int = COUNT) -> tuple[pa.Table, dict[str, set]]:
    """The table with ``count`` more rows, each a copy of a real one with a name of its own in every named or text column and
    a quantity far beyond the others in every numeric one; and those marks by column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = table.take(pa.array(key.child("rows").permutation(table.num_rows)[:count]))
    marks: dict[str, set] = {}
    for at, (name, column) in enumerate(schema.columns.items()):
        kind = table.schema.field(name).type
        if column.kind in (*NAMED, "text", "identifier") and pa.types.is_string(kind):
            own = [f"canary-{word:016x}" for word in key.child("name", at).words(len(rows)).tolist()]
        elif column.kind in ("number", "integer") and not column.comma:
            x = pc.cast(table[name], pa.float64(), safe=False) if not pa.types.is_string(kind) else None
            top = 1e6 if x is None or pc.max(x).as_py() is None else abs(pc.max(x).as_py()) * 2 + 10
            own = [int(top) + 10_007 * (i + 1) ** 2 for i in range(len(rows))]  # none is met by chance
        else:
            continue
        try:
            made = pa.array([str(v) for v in own] if pa.types.is_string(kind) else own, kind)
        except (pa.ArrowInvalid, OverflowError):
            continue  # a narrow type has no room beyond its values
        if column.kind in NUMERIC and (column.high is not None or column.low is not None):
            continue
        rows = rows.set_column(rows.column_names.index(name), name, made)
        marks[name] = set(made.to_pylist())
    return pa.concat_tables([table, rows.cast(table.schema)]), marks


def came_out(made: pa.Table, marks: dict[str, set]) -> int:
    """How many made rows hold a mark: a planted name or quantity."""
    hit = np.zeros(made.num_rows, bool)
    for name, own in marks.items():
        texts = {str(v) for v in own} | {f"{float(v)}" for v in own if str(v).isdigit()}
        hit |= np.array([v is not None and str(v) in texts for v in made[name].to_pylist()], bool)
    return int(hit.sum())
