"""Made values as an Arrow table, in the types and formats of the source; written as a stream to Parquet or CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import UsageError
from understudy.tables.content import INFINITE
from understudy.tables.schema import NUMERIC, Schema
from understudy.tables.states.numbers import NumberStates
from understudy.whole import written_whole

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.schema import Column
    from understudy.tables.states import States


def table(
    values: Mapping[str, np.ndarray], states: Mapping[str, np.ndarray], codecs: Mapping[str, States], schema: Schema
) -> pa.Table:
    """Columns in the schema's order. values : (n,) float64 (nan: not there) or object; states : to tell marks apart."""
    import pyarrow as pa

    columns = {}
    for name, column in schema.columns.items():
        codec = codecs.get(name)
        marks = codec.marks if isinstance(codec, NumberStates) else ()
        columns[name] = _column(values[name], states.get(name), marks, column)
    return pa.table(columns)


def typed(real: pa.Table, schema: Schema, name: str) -> pa.Table:
    """Real rows in the types in which rows are made: a CSV file's numbers are texts when read, made ones are numbers.
    Columns of numbers with texts among them stay as they are, here and there."""
    from understudy.tables.constraints import plain_values
    from understudy.tables.single import contents

    none = np.full(real.num_rows, None, dtype=object)
    read = {c: plain_values(v) for c, v in contents(real, schema, name).items()}
    made = table({c: read.get(c, none) for c in schema.columns}, {}, {}, schema)
    for at, (c, spec) in enumerate(schema.columns.items()):
        if c not in read or spec.tokens:
            made = made.set_column(at, c, real[c])
    return made


def _column(values: np.ndarray, states: np.ndarray | None, marks: tuple[str, ...], column: Column) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    text = column.stored in ("string", "large_string", "string_view") or column.stored.startswith("dictionary")
    if column.kind == "empty":
        return pa.nulls(len(values), pa.string() if text else pa.null())
    if column.kind not in NUMERIC:
        made = pa.array([None if v is None else str(v) for v in values], pa.string())
        if not text:  # "(rare)" is no bool or number: what cannot be cast stays away
            with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
                return pc.cast(made, pa.type_for_alias(column.stored))
        return made
    coded = bool(column.format) and column.stored.startswith(("int", "uint", "float", "double", "decimal"))  # 20240131
    number = _number(values, column, text or coded)
    if coded:
        number = pc.cast(pc.cast(number, pa.int64()), _numeric(column.stored))
    named = [m for m in marks if m]
    if not named or states is None:
        return number
    if set(named) <= set(INFINITE) and column.kind in ("number", "integer"):
        for n, mark in enumerate(marks):
            if mark:
                values = np.where(states == n, INFINITE[mark], values)
        return pa.array(values, pa.float64(), from_pandas=True)
    shown = pc.cast(number, pa.string()).to_pylist()
    return pa.array([marks[s] if s < len(marks) and marks[s] else v for s, v in zip(states, shown)], pa.string())


def _numeric(stored: str) -> pa.DataType:
    import pyarrow as pa

    return pa.int64() if stored.startswith("decimal") else pa.type_for_alias(stored)


def _number(values: np.ndarray, column: Column, text: bool) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    absent = np.isnan(values)
    filled = np.where(absent, 0, values)
    if column.kind == "number" or column.kind in ("latitude", "longitude"):
        made = pa.array(filled, pa.float64(), mask=absent)
        return pc.replace_substring(pc.cast(made, pa.string()), ".", ",") if column.comma else made
    whole = pa.array(np.round(filled).astype(np.int64), pa.int64(), mask=absent)
    if column.kind == "integer":
        if not text and not column.stored.startswith(("int64", "decimal")):
            with suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError):
                return pc.cast(whole, pa.type_for_alias(column.stored))
        return whole
    if column.kind == "date":
        days = pc.cast(pc.cast(whole, pa.int32()), pa.date32())
        if column.stored.startswith("timestamp"):
            return pc.cast(days, _instants(column))
        return pc.strftime(pc.cast(days, pa.timestamp("s")), format=column.format.split("|")[0]) if text else days
    if column.kind == "datetime":
        moments = pc.cast(whole, pa.timestamp("s"))
        if text:
            return pc.strftime(moments, format=column.format.split("|")[0])
        return pc.cast(moments, _instants(column))
    clock = pc.cast(pc.cast(whole, pa.int32()), pa.time32("s"))
    if text:
        return pc.strftime(pc.cast(whole, pa.timestamp("s")), format=column.format.split("|")[0])
    return clock


def _instants(column: Column) -> pa.DataType:
    import pyarrow as pa

    return pa.timestamp(column.stored.partition("[")[2][:2].rstrip("],") or "us")


def write(tables: Iterable[pa.Table], path: Path) -> int:
    """Write a stream of tables of one schema to ``path`` (.parquet or .csv); the rows written. Cut short: no file."""
    ending = checked(path)
    rows, writer = 0, None
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, "table") as rough:
        try:
            for one in tables:
                writer = writer or _writer(rough, ending, one.schema)
                writer.write_table(one.cast(writer.schema) if ending == ".parquet" else one)
                rows += one.num_rows
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise UsageError("no row was to be made", where=path, wanted="-n of at least 1")
    return rows


def checked(path: Path) -> str:
    """The ending of a file that made rows can be written to. UsageError: they cannot."""
    ending = path.suffix.lower()
    if ending not in (".parquet", ".csv"):
        raise UsageError(
            "made rows are written as Parquet or CSV", where=path, wanted=".parquet or .csv", got=ending or "no ending"
        )
    return ending


def _writer(path: Path, ending: str, schema: pa.Schema):
    if ending == ".csv":
        import pyarrow.csv as pc

        return pc.CSVWriter(str(path), schema, write_options=pc.WriteOptions(quoting_style="needed"))
    import pyarrow.parquet as pq

    return pq.ParquetWriter(str(path), schema, compression="zstd")
