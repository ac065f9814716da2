"""A column's content as arrays to learn from, given what its :class:`~understudy.tables.schema.Column` says it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError
from understudy.tables.schema import NAMED, NUMERIC, Column

if TYPE_CHECKING:
    import pyarrow as pa

PLAIN_NUMBER = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?\s*$"
COMMA_NUMBER = r"^\s*[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?\s*$"
INFINITE = {"inf": np.inf, "+inf": np.inf, "-inf": -np.inf, "infinity": np.inf, "-infinity": -np.inf}
DAY_S = 86400.0
_YEAR_1000 = -30_610_224_000.0  # 1000-01-01 in seconds since 1970


@dataclass(frozen=True)
class Numbers:
    """x : (n,) float64, nan where there is no number (dates: days; instants and times: seconds)

    token : (n,) int16: -1 where there is a number, 0 where nothing, t where the text ``tokens[t - 1]`` stands
    """

    x: np.ndarray
    token: np.ndarray
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class Names:
    """codes : (n,) int32 into ``labels``, -1 where nothing is there."""

    codes: np.ndarray
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Texts:
    """Free text, and codes of which nothing is learnt: None where nothing is there."""

    texts: list[str | None]


Content = Numbers | Names | Texts


def content(values: pa.ChunkedArray, column: Column, where: str) -> Content:
    """The column's content. TableError names the first row (from 1, below the header) that contradicts ``column``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.kind in NUMERIC:
        if column.kind in ("date", "datetime", "time") and _counted(values.type):  # 1998, 20240131
            if not column.format:
                raise TableError(
                    f"numbers are no {column.kind} by themselves",
                    where=where,
                    wanted="format: of the text that each number is, as %Y or %Y%m%d",
                    remedy="Say `format:` in the schema, or give the column another kind",
                )
            values = pc.cast(values, pa.string(), safe=False)
        return _typed_numbers(values, column) if not _is_text(values.type) else _text_numbers(values, column, where)
    text = values if _is_text(values.type) else pc.cast(values, pa.string(), safe=False)
    if column.kind in NAMED:
        return _names(text, column, where)
    texts = [None if t is None or t in column.missing else t for t in text.to_pylist()]
    return Texts(texts)


def _counted(kind: pa.DataType) -> bool:
    import pyarrow.types as pt

    return pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow.types as pt

    return (
        pt.is_string(kind)
        or pt.is_large_string(kind)
        or pt.is_string_view(kind)
        or (pt.is_dictionary(kind) and _is_text(kind.value_type))
    )


def encoded(values: pa.ChunkedArray) -> tuple[pa.StringArray, np.ndarray]:
    """Distinct texts, and (n,) int32 codes into them (-1: null)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    one = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(one.type):
        one = pc.cast(one, pa.string())
    d = pc.dictionary_encode(pc.cast(one, pa.string()))
    return d.dictionary, pc.fill_null(d.indices, -1).to_numpy(zero_copy_only=False).astype(np.int32)


def _typed_numbers(values: pa.ChunkedArray, column: Column) -> Numbers:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_date(kind):
        values = pc.cast(pc.cast(values, pa.date32()), pa.int32())
        scale = 1.0
    elif pa.types.is_timestamp(kind):
        values = pc.cast(pc.cast(values, pa.timestamp("us"), safe=False), pa.int64())
        scale = 1e6 * (DAY_S if column.kind == "date" else 1)
    elif pa.types.is_time(kind):
        values = pc.cast(pc.cast(values, pa.time64("us")), pa.int64())
        scale = 1e6
    else:
        scale = 1.0
    x = np.array(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=float) / scale
    token = np.where(np.isnan(x), 0, -1).astype(np.int16)
    for number, name in enumerate(column.tokens, 1):
        token[x == INFINITE.get(name, np.nan)] = number
    token[np.isinf(x) & (token < 0)] = 0
    return Numbers(np.where(token < 0, x, np.nan), token, column.tokens)


def _text_numbers(values: pa.ChunkedArray, column: Column, where: str) -> Numbers:
    distinct, codes = encoded(values)
    x = parse(distinct, column)
    names = [t.strip() for t in distinct.to_pylist()]
    token = np.full(len(names) + 1, -1, np.int16)  # the last one stands for null
    token[-1] = 0
    known = {name: n for n, name in enumerate(column.tokens, 1)} | {name: 0 for name in (*column.missing, "")}
    for at, name in enumerate(names):
        if name in known:
            token[at] = known[name]
    strange = np.append(np.isnan(x), False) & (token < 0)
    if column.stray:
        token[strange] = 0
    elif strange.any():
        rows = np.flatnonzero(strange[codes])
        raise TableError(
            f"{len(rows)} values are no {column.kind}",
            where=f"{where}, row {rows[0] + 1}",
            wanted=f"kind {column.kind}" + (f" of format {column.format}" if column.format else ""),
            remedy="List these texts under `missing` or `tokens`, say `stray: true`, or give the column another kind",
        )
    token = token[codes]
    return Numbers(np.where(token < 0, np.append(x, np.nan)[codes], np.nan), token, column.tokens)


def parse(distinct: pa.StringArray, column: Column) -> np.ndarray:
    """Texts as numbers of the column's kind: (m,) float64, nan where a text is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.kind in ("date", "datetime", "time"):
        return dates(distinct, column.format.split("|"), column.kind)
    pattern = COMMA_NUMBER if column.comma else PLAIN_NUMBER
    fits = pc.match_substring_regex(distinct, pattern)
    if column.comma:
        distinct = pc.replace_substring(pc.replace_substring(distinct, ".", ""), ",", ".")
    text = pc.ascii_ltrim(pc.ascii_trim_whitespace(distinct), "+")
    x = pc.cast(pc.if_else(fits, text, pa.scalar(None, pa.string())), pa.float64())
    return np.array(x.to_numpy(zero_copy_only=False), dtype=float)


def dates(distinct: pa.StringArray, formats: list[str], kind: str) -> np.ndarray:
    """Texts as days (``date``) or seconds since 1970 (``datetime``) or midnight (``time``) by the first format that fits.

    A year of the format's ``%Y`` has four digits: neither an age of 38 nor the 12 of 10.5.12 is one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.ascii_trim_whitespace(distinct)
    x = np.full(len(distinct), np.nan)
    for one in formats:
        moments = pc.cast(pc.strptime(text, one, unit="s", error_is_null=True), pa.int64()).to_numpy(zero_copy_only=False)
        read = np.array(moments, dtype=float)
        if "%Y" in one:
            read[read < _YEAR_1000] = np.nan
        x = np.where(np.isnan(x), read, x)
    if kind == "time":
        return x % DAY_S
    return np.floor(x / DAY_S) if kind == "date" else x


def _names(text: pa.ChunkedArray, column: Column, where: str) -> Names:
    distinct, codes = encoded(text)
    labels = [t for t in distinct.to_pylist()]
    order = column.order if column.kind == "ordered" else tuple(sorted(set(labels) - set(column.missing)))
    place = {label: n for n, label in enumerate(order)} | {label: -1 for label in column.missing}
    strange = np.array([label not in place for label in labels] + [False])
    if strange.any():
        row = int(np.flatnonzero(strange[codes])[0])
        raise TableError(
            "a name is not in the column's order",
            where=f"{where}, row {row + 1}",
            wanted=", ".join(order),
            remedy="Add it to `order`, or to `missing`",
        )
    table = np.array([place[label] for label in labels] + [-1], np.int32)
    return Names(table[codes], order)
