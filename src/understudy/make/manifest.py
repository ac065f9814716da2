"""The manifest: one row a record, one typed column a drawn path, as Parquet.

Each shard keeps its own rows (``ledger/00007.jsonl``: its row count, then one line a column); the whole
``manifest.parquet`` is made of them a group of rows at a time, so memory does not grow with the count, and what stands of an
earlier one is taken over a group at a time too (:class:`Standing`). Columns: ``index``, ``file_name``, ``attempts``, then
every path that any record drew, in natural order (``count[2]`` before ``count[10]``); a path that a record did not draw is
null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

FIXED = ("index", "file_name", "attempts")
# Rows are gathered into groups of at least this many, whole shards each, before they are written: few enough to hold, enough
# to compress. Where a group ends depends on the shards alone, so a grown manifest has the bytes of one made in one go.
GROUP_ROWS = 4096

Kinds = Mapping[str, str | None]
"""Columns and what they hold: int, float, bool, text, or None where every value is null."""


@dataclass(frozen=True)
class Standing:
    """An earlier manifest: its first ``rows`` rows are exactly those of the first ``parts`` parts."""

    path: Path
    rows: int
    parts: int


def write_part(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One shard's rows, each ``{"index", "file_name", "attempts", "drawn": {path: scalar}}``."""
    paths = sorted({path for row in rows for path in row["drawn"]}, key=natural)
    columns = {name: [row[name] for row in rows] for name in FIXED}
    columns |= {path: [_scalar(row["drawn"].get(path)) for row in rows] for path in paths}
    lines = [len(rows), *([name, values] for name, values in columns.items())]
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines), encoding="utf-8")


def read_part(path: Path) -> tuple[int, dict[str, list]]:
    """A shard's number of rows, and its columns, a value a row."""
    count, *columns = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return count, dict(columns)


def kinds_in(path: Path) -> dict[str, str | None]:
    """The columns of a part and their kinds."""
    return {name: _FIXED_KINDS.get(name) or joined(map(_kind, values)) for name, values in read_part(path)[1].items()}


def joined(kinds: Iterable[str | None]) -> str | None:
    """The narrowest kind that holds them all: a path that is a whole number in one record and a real one in another is
    real in the whole; text beside numbers makes text."""
    met = {k for k in kinds if k is not None}
    if len(met) <= 1:
        return next(iter(met), None)
    return "float" if met == {"int", "float"} else "text"


def merge(parts: Sequence[Path], kinds: Kinds, target: Path, standing: Standing | None = None) -> dict[str, str]:
    """Write ``target`` from the parts, in their order; its columns and their kinds (int, float, bool, text).

    kinds : those of all parts (:func:`kinds_in`), joined; standing : what of an earlier manifest may be taken over. It is,
    unless a column's kind has changed since, so the bytes are the same with and without it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = (*FIXED, *sorted(kinds.keys() - set(FIXED), key=natural))
    known = {name: _FIXED_KINDS.get(name) or kinds[name] or "text" for name in order}
    schema = pa.schema([(name, _arrow(kind)) for name, kind in known.items()])
    done = standing.parts if standing is not None and _fits(standing.path, known) else 0
    with target.open("wb") as whole, pq.ParquetWriter(whole, schema, compression="zstd", store_schema=False) as writer:
        held: list[pa.Table] = []

        def write() -> None:  # in one piece: how the rows came must not show in the bytes
            if held:
                writer.write_table(pa.concat_tables(held).combine_chunks(), row_group_size=1 << 30)
                held.clear()

        for table in _standing_groups(standing, schema) if done else ():
            held.append(table)
            if table.num_rows >= GROUP_ROWS:
                write()
        waiting: list[tuple[int, dict[str, list]]] = []
        rows = sum(table.num_rows for table in held)
        for part in parts[done:]:
            waiting.append(read_part(part))
            rows += waiting[-1][0]
            if rows >= GROUP_ROWS:
                held.append(_table(waiting, known, schema))
                write()
                waiting, rows = [], 0
        if waiting:
            held.append(_table(waiting, known, schema))
        write()
    return known


def natural(path: str) -> list[tuple[int, int | str]]:
    """A sort key under which numbers inside names count as numbers."""
    return [(0, int(p)) if p.isdigit() else (1, p) for p in re.split(r"(\d+)", path) if p]


def _table(parts: Sequence[tuple[int, dict[str, list]]], known: Mapping[str, str], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    arrays = []
    for name, kind in known.items():
        values = [v for rows, columns in parts for v in columns.get(name) or [None] * rows]
        arrays.append(pa.array([_cast(v, kind) for v in values] if kind in ("float", "text") else values, _arrow(kind)))
    return pa.table(arrays, schema=schema)


def _fits(path: Path, known: Mapping[str, str]) -> bool:
    """Do the columns of this manifest hold what those of the new one would? (Whole numbers pass for real ones; text keeps
    the spelling of what it was made from, which only the parts know.)"""
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        there = {field.name: _kind_of(field.type) for field in pq.read_schema(file)}
    return all((kind, known.get(name)) in {(known.get(name),) * 2, ("int", "float")} for name, kind in there.items())


def _standing_groups(standing: Standing, schema: pa.Schema) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    left = standing.rows
    with standing.path.open("rb") as opened:
        file = pq.ParquetFile(opened)
        for i in range(file.num_row_groups):
            if left <= 0:
                return
            table = file.read_row_group(i).slice(0, left)
            left -= table.num_rows
            columns = [table.column(field.name).cast(field.type, safe=False) if field.name in table.column_names
                       else pa.nulls(table.num_rows, field.type) for field in schema]
            yield pa.table(columns, schema=schema)


_FIXED_KINDS = {"index": "int", "file_name": "text", "attempts": "int"}


def _scalar(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _kind(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else "text"
    return "float" if isinstance(value, float) else "text"


def _cast(value: object, kind: str) -> object:
    if value is None:
        return None
    return str(value) if kind == "text" else float(value)


def _arrow(kind: str) -> pa.DataType:
    import pyarrow as pa

    return {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "text": pa.string()}[kind]


def _kind_of(type_: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_boolean(type_):
        return "bool"
    if pa.types.is_integer(type_):
        return "int"
    return "float" if pa.types.is_floating(type_) else "text"
