"""The manifest: one row a record, one typed column a drawn path, as Parquet.

Each shard keeps its own rows (``ledger/00007.parquet``); the whole ``manifest.parquet`` is merged from them in two
streaming passes, so memory does not grow with the count. Columns: ``index``, ``file_name``, ``attempts``, then every path
that any record drew, in natural order (``count[2]`` before ``count[10]``); a path that a record did not draw is null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

FIXED = ("index", "file_name", "attempts")
# Rows are gathered into groups of this many before they are written: few enough to hold, enough to compress.
GROUP_ROWS = 4096


def write_part(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One shard's rows, each ``{"index", "file_name", "attempts", "drawn": {path: scalar}}``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = sorted({path for row in rows for path in row["drawn"]}, key=natural)
    columns = {name: [row[name] for row in rows] for name in FIXED}
    columns |= {path: [row["drawn"].get(path) for row in rows] for path in paths}
    arrays = {}
    for name, values in columns.items():
        type_ = _FIXED_TYPES.get(name) or _joined(_kind(v) for v in values)
        arrays[name] = pa.array([_cast(v, type_) for v in values], _arrow(type_))
    with path.open("wb") as file:  # Arrow itself opens only names that are UTF-8
        pq.write_table(pa.table(arrays), file, compression="zstd", store_schema=False)


def merge(parts: Iterable[Path], target: Path) -> dict[str, str]:
    """Write ``target`` from the parts, in their order; the columns and their kinds (int, float, bool, text).

    A path that is a whole number in one shard and a real one in another is real in the whole; text beside numbers makes
    text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = list(parts)
    kinds: dict[str, str | None] = dict(_FIXED_TYPES)
    for part in parts:
        with part.open("rb") as file:
            for field in pq.read_schema(file):
                kinds[field.name] = _joined((kinds.get(field.name), _kind_of(field.type)))
    order = (*FIXED, *sorted(kinds.keys() - set(FIXED), key=natural))
    known = {name: kinds[name] or "text" for name in order}
    schema = pa.schema([(name, _arrow(kind)) for name, kind in known.items()])
    held: list[pa.Table] = []
    with target.open("wb") as whole, pq.ParquetWriter(whole, schema, compression="zstd", store_schema=False) as writer:
        for part in parts:
            with part.open("rb") as file:
                held.append(_conformed(pq.read_table(file, partitioning=None), schema))
            if sum(table.num_rows for table in held) >= GROUP_ROWS:
                writer.write_table(pa.concat_tables(held), row_group_size=1 << 30)
                held = []
        if held:
            writer.write_table(pa.concat_tables(held), row_group_size=1 << 30)
    return known


def natural(path: str) -> list[tuple[int, int | str]]:
    """A sort key under which numbers inside names count as numbers."""
    return [(0, int(p)) if p.isdigit() else (1, p) for p in re.split(r"(\d+)", path) if p]


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
        elif pa.types.is_string(field.type) and not pa.types.is_string(table.schema.field(field.name).type):
            values = table.column(field.name).to_pylist()  # Python's own spelling, as within a part
            columns.append(pa.array([_cast(v, "text") for v in values], pa.string()))
        else:
            columns.append(table.column(field.name).cast(field.type, safe=False))
    return pa.table(columns, schema=schema)


_FIXED_TYPES = {"index": "int", "file_name": "text", "attempts": "int"}


def _kind(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else "text"
    return "float" if isinstance(value, float) else "text"


def _joined(kinds: Iterable[str | None]) -> str | None:
    """The narrowest kind that holds them all."""
    met = {k for k in kinds if k is not None}
    if len(met) <= 1:
        return next(iter(met), None)
    return "float" if met == {"int", "float"} else "text"


def _cast(value: object, kind: str | None) -> object:
    if value is None or kind is None:
        return None
    return str(value) if kind == "text" else float(value) if kind == "float" else value


def _arrow(kind: str | None) -> pa.DataType:
    import pyarrow as pa

    types = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "text": pa.string(), None: pa.null()}
    return types[kind]


def _kind_of(type_: pa.DataType) -> str | None:
    import pyarrow as pa

    if pa.types.is_null(type_):
        return None
    if pa.types.is_boolean(type_):
        return "bool"
    if pa.types.is_integer(type_):
        return "int"
    return "float" if pa.types.is_floating(type_) else "text"
