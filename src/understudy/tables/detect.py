"""What a column holds, guessed from its name and content, to be shown and corrected in ``schema.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from understudy.tables.content import COMMA_NUMBER, INFINITE, PLAIN_NUMBER, dates, encoded
from understudy.tables.entities import entity
from understudy.tables.entities.find import LOOK
from understudy.tables.schema import Column, Schema

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables

MISSING = ("", "na", "n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "#n/a", "<na>", "nat", "missing")
_SURE = ("", "na", "n/a", "nan", "null", "#n/a", "<na>", "nat")  # missing in a column of names too
DATES = (
    *("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d"),
    *("%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d-%b-%Y", "%d. %B %Y"),  # %b reads long names too
)
SHORT_DATES = ("%d.%m.%y", "%m/%d/%y", "%d/%m/%y")  # years of two digits: 69 is 1969, 68 is 2068
_HEAD = 20_000  # rows that tell whether a column holds people
_SHORT = 12  # bytes, with the space around it, of a text that may mean missing there
CLOCKS = ("%H:%M:%S", "%H:%M")
_THIS_YEAR = 20_454  # 2026-01-01 in days since 1970: dates beyond it are worth a note
_NUMERIC_SHARE = 0.9  # of rows: numbers with a few texts among them are a numeric column with tokens
_ID_NAME = re.compile(r"(^|[_\W])(id|key|uuid|guid|nr|no|number|num|code|ref)$|Id$|ID$", re.ASCII)


def detect(tables: Tables, k: int = 8) -> tuple[dict[str, Schema], tuple[str, ...]]:
    """A schema for every table, keys and links included, and notes on what was odd. ``k``: texts with fewer owners stay
    unnamed."""
    notes: list[str] = []
    schemas = {}
    for name, table in tables.tables.items():
        columns = {}
        for column in table.column_names:
            columns[column] = column_kind(table[column], column, f"{name}.{column}", k, notes)
        schemas[name] = Schema(columns)
    from understudy.tables.links import with_links

    return with_links(tables, schemas, notes), tuple(notes)


def column_kind(values: pa.ChunkedArray, name: str, where: str, k: int, notes: list[str]) -> Column:
    """The guess for one column; notes are added to ``notes``."""
    import pyarrow.compute as pc
    import pyarrow.types as pt

    kind = values.type
    if values.null_count == len(values):
        return Column("empty", stored=str(kind))
    if pt.is_boolean(kind):
        return Column("category", stored="bool")
    if pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind):
        return _typed(values, name, where, notes)
    if pt.is_date(kind):
        return Column("date", stored=str(kind))
    if pt.is_timestamp(kind):
        days = pc.all(pc.equal(values, pc.floor_temporal(values, unit="day"))).as_py()
        return Column("date" if days else "datetime", stored=str(kind))
    if pt.is_time(kind):
        return Column("time", stored=str(kind))
    if pt.is_nested(kind) or pt.is_binary(kind) or pt.is_duration(kind):
        notes.append(f"{where}: a column of {kind} is left empty in what is made")
        return Column("empty", stored=str(kind))
    return _textual(values, name, where, k, notes)


def _typed(values: pa.ChunkedArray, name: str, where: str, notes: list[str]) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    stored = str(values.type)
    x = np.array(pc.cast(values, pa.float64(), safe=False).to_numpy(), dtype=float)
    tokens = tuple(t for t, v in (("inf", np.inf), ("-inf", -np.inf)) if (x == v).any())
    if tokens:
        notes.append(f"{where}: infinite values are a state of their own")
    found = _number(x[np.isfinite(x)], name, tokens)
    if pt.is_integer(values.type) and np.nanmax(np.abs(x)) > 2**53:  # beyond what a float tells apart: codes
        distinct = pc.count_distinct(values).as_py()
        return Column("identifier" if distinct > len(x) / 2 else "category", stored=stored)
    return Column(found.kind, tokens=tokens, decimals=found.decimals, stored=stored)


def _number(x: np.ndarray, name: str, tokens: tuple[str, ...] = ()) -> Column:
    """Number, integer, identifier, latitude or longitude, by name and values."""
    if not len(x):
        return Column("number", tokens=tokens)
    whole = bool((x == np.round(x)).all())
    low, high = float(x.min()), float(x.max())
    lowered = name.lower()
    if re.search(r"(^|[_\W])lat(itude)?$", lowered) and -90 <= low <= high <= 90 and not whole:
        return Column("latitude", decimals=_decimals(x))
    if re.search(r"(^|[_\W])(lon|lng|long|longitude)$", lowered) and -180 <= low <= high <= 180 and not whole:
        return Column("longitude", decimals=_decimals(x))
    if not whole:
        return Column("number", tokens=tokens, decimals=_decimals(x))
    distinct = len(np.unique(x))
    if distinct == len(x) > 20 and low >= 0:
        steady = high - low == len(x) - 1  # a running number, in whatever order
        if steady or _ID_NAME.search(name) or high > 2**53:
            return Column("identifier")
    return Column("integer", tokens=tokens)


def _decimals(x: np.ndarray) -> int:
    """Digits after the point that all values need, at most 12."""
    for digits in range(13):
        if np.allclose(x, np.round(x, digits), rtol=1e-15, atol=0):
            return digits
    return 12


def _textual(values: pa.ChunkedArray, name: str, where: str, k: int, notes: list[str]) -> Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    if found := _entity(values, name):
        return found
    distinct, codes = encoded(values)
    owners = np.bincount(codes[codes >= 0], minlength=len(distinct))
    trimmed = pc.utf8_trim_whitespace(distinct)
    lowered = pc.utf8_lower(trimmed)
    likely, sure, infinite = (_among(lowered, known) for known in (MISSING, _SURE, INFINITE))
    if owners[~sure].sum() == 0:
        return Column("empty")
    texts = trimmed.to_pylist()
    comma = False
    plain = np.array(pc.match_substring_regex(distinct, PLAIN_NUMBER).to_numpy(zero_copy_only=False), bool)
    if not (plain & ~likely).any() or owners[plain].sum() < _NUMERIC_SHARE * owners[~likely].sum():
        with_comma = np.array(pc.match_substring_regex(distinct, COMMA_NUMBER).to_numpy(zero_copy_only=False), bool)
        if owners[with_comma].sum() >= _NUMERIC_SHARE * owners[~likely].sum() and with_comma.any():
            plain, comma = with_comma, True
    rest = ~plain & ~likely & ~infinite
    when = None
    if owners[plain].sum() < _NUMERIC_SHARE * owners[~likely & ~infinite].sum() or _looks_dated(texts, plain):
        when = _dated(distinct, owners, likely, name, where, codes, notes)
    if when:
        return when
    if plain.any() and owners[plain].sum() >= _NUMERIC_SHARE * max(owners[plain | rest].sum(), 1):
        numbers = trimmed.filter(pa.array(plain))
        padded = pc.any(pc.match_substring_regex(numbers, r"^0\d+$")).as_py()
        if not padded and not pc.any(pc.match_substring_regex(numbers, r"^[+-]*\d{16,}$")).as_py():
            return _text_number(distinct, texts, owners, plain, likely, rest | infinite, comma, name, where, codes, k, notes)
        what = "leading zeros" if padded else "more than 15 digits"
        notes.append(f"{where}: numbers with {what} are codes, not quantities")
    if (
        owners[plain].any()
        and rest.any()
        and owners[rest].any()
        and 0.05 < owners[plain].sum() / owners.sum() < _NUMERIC_SHARE
    ):
        notes.append(
            f"{where}: {int(owners[plain].sum())} values are numbers and {int(owners[rest].sum())} are texts; "
            "all are read as texts"
        )
    return _named(texts, owners, sure, name, pa.array(codes))


def _entity(values: pa.ChunkedArray, name: str) -> Column | None:
    """A column of people or their numbers, as its first texts tell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = pc.drop_null(_text(values))
    head = pc.unique(pc.utf8_trim_whitespace(values.slice(0, _HEAD)))
    what = entity(head.filter(pa.array(~_among(pc.utf8_lower(head), _SURE))).slice(0, LOOK).to_pylist(), name)
    if not what:
        return None
    short = pc.unique(values.filter(pc.less_equal(pc.binary_length(values), _SHORT)))
    trimmed = pc.utf8_trim_whitespace(short)
    absent = trimmed.filter(pa.array(_among(pc.utf8_lower(trimmed), _SURE))).to_pylist()
    return Column("identifier", missing=tuple(sorted({t for t in absent if t})), entity=what)


def _among(texts: pa.Array, known: Iterable[str]) -> np.ndarray:
    """(n,) bool"""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(texts, value_set=pa.array(list(known))).to_numpy(zero_copy_only=False)


def _looks_dated(texts: list[str], plain: np.ndarray) -> bool:
    """20240131: eight digits that are all days of years around ours are dates."""
    some = [t for t, p in zip(texts, plain) if p][:200]
    return len(some) > 2 and all(re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])", t) for t in some)


def _text_number(distinct, texts, owners, plain, likely, rest, comma, name, where, codes, k, notes) -> Column:
    from understudy.tables.content import parse

    x = parse(distinct, Column("number", comma=comma))
    given = plain & ~np.isnan(x)
    each = np.repeat(x[given], owners[given])
    found = _number(each, name)
    tokens = [texts[i] for i in np.flatnonzero(rest) if owners[i] >= k]
    rare = [i for i in np.flatnonzero(rest) if owners[i] < k]
    missing = sorted({texts[i] for i in np.flatnonzero(likely) if texts[i]})
    if rare:
        first = int(np.flatnonzero(np.isin(codes, rare))[0]) + 1
        notes.append(
            f"{where}: {int(owners[rare].sum())} values among numbers are texts with fewer than {k} owners "
            f"(first: row {first}); they are read as missing"
        )
    if tokens:
        notes.append(f"{where}: {len(tokens)} texts among the numbers are states of their own")
    return Column(
        found.kind,
        missing=tuple(missing),
        tokens=tuple(sorted(tokens)),
        stray=bool(rare),
        decimals=found.decimals,
        comma=comma,
    )


def _dated(distinct, owners, likely, name, where, codes, notes) -> Column | None:
    """A column of dates, instants or times, if nearly all texts fit at most three formats."""
    import pyarrow as pa

    some = distinct.take(pa.array(np.flatnonzero(~likely)[:400]))
    if not len(some):
        return None
    whole = (*DATES, *SHORT_DATES)
    candidates = [*whole, *(f"{d}{gap}{c}" for d in whole for gap in (" ", "T") for c in CLOCKS), *CLOCKS]
    fits = {f: ~np.isnan(dates(some, [f], "datetime")) for f in candidates}
    formats: list[str] = []
    left = np.ones(len(some), bool)
    while left.any() and len(formats) < 3:
        best = max(candidates, key=lambda f: int((fits[f] & left).sum()))
        if (fits[best] & left).sum() < max(1, 0.01 * len(some)):
            break
        formats.append(best)
        left &= ~fits[best]
    if formats and 0.02 < left.mean() < 0.5:
        notes.append(f"{where}: {1 - left.mean():.0%} of its texts are dates, the others are none; all are read as texts")
    if not formats or left.mean() > 0.02:
        return None
    kinds = {"time" if f in CLOCKS else "date" if f in whole else "datetime" for f in formats}
    if len(kinds) > 1 and "time" in kinds:
        return None
    kind = kinds.pop() if len(kinds) == 1 else "datetime"
    texts = [t.strip() for t in distinct.to_pylist()]
    x = dates(distinct, formats, kind)
    odd = np.isnan(x) & ~likely
    if owners[odd].sum() > 0.02 * owners.sum():
        return None
    year = formats[0][-2:]
    day, month = f"%d/%m/{year}", f"%m/%d/{year}"
    if formats[0] in (day, month) and (fits[day] == fits[month]).all() and len(some) > 3:
        notes.append(f"{where}: days and months cannot be told apart; read as {formats[0]} (say `format:` in the schema)")
    if formats[0] in SHORT_DATES and any(dates(some, [formats[0]], "date") > _THIS_YEAR):
        notes.append(f"{where}: years of two digits below 69 are read as 20..; give the column four digits if they are not")
    if len(formats) > 1:
        rows = []
        for f in formats:
            own = np.flatnonzero(~np.isnan(dates(distinct, [f], kind)))
            rows.append(f"{f} (first: row {int(np.flatnonzero(np.isin(codes, own))[0]) + 1})")
        notes.append(f"{where}: dates in {len(formats)} formats: {', '.join(rows)}; made in the first")
    missing = [texts[i] for i in np.flatnonzero(likely & np.isnan(x)) if texts[i]]
    if odd.any():
        notes.append(
            f"{where}: {int(owners[odd].sum())} values are no dates and are read as missing "
            f"(first: row {int(np.flatnonzero(np.isin(codes, np.flatnonzero(odd)))[0]) + 1})"
        )
    return Column(kind, format="|".join(formats), missing=tuple(sorted(set(missing))), stray=bool(odd.any()))


def _named(texts: list[str], owners: np.ndarray, sure: np.ndarray, name: str, codes: pa.Array) -> Column:
    """Category, identifier or text."""
    missing = tuple(sorted({texts[i] for i in np.flatnonzero(sure) if texts[i]}))
    real = owners[~sure]
    rows, distinct = int(real.sum()), int((real > 0).sum())
    words = np.mean([len(t.split()) for t, s in zip(texts[:1000], sure) if not s])
    if distinct <= max(20, 0.1 * rows) and not (distinct == rows and rows > 20):
        return Column("category", missing=missing)
    long = np.mean([len(t) for t, s in zip(texts[:1000], sure) if not s])
    if words > 3 or long > 60:
        return Column("text", missing=missing)
    if distinct > 0.9 * rows:
        return Column("identifier", missing=missing)
    return Column("category", missing=missing)


def described(schemas: Mapping[str, Schema], tables: Tables, notes: tuple[str, ...]) -> str:
    """The guess as lines for the screen: kind, share missing, distinct values. No value is shown."""
    lines = []
    for name, schema in schemas.items():
        table = tables.tables[name]
        lines.append(f"{name}: {table.num_rows:,} rows, {table.num_columns} columns")
        wide = max(len(c) for c in schema.columns)
        for column, spec in schema.columns.items():
            distinct, codes = encoded(_text(table[column]))
            absent = np.array([t.strip() in (*spec.missing, "") for t in distinct.to_pylist()] + [True])[codes].mean()
            more = f" -> {spec.parent}" if spec.parent else f" {spec.entity}" if spec.entity else ""
            more += f" {spec.format}" if spec.format else ""
            lines.append(f"  {column:{wide}}  {spec.kind:10} {len(distinct):>8,} distinct {absent:7.1%} missing{more}")
    return "\n".join([*lines, *(f"note: {note}" for note in notes)])


def _text(values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return pc.cast(values, pa.string(), safe=False)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.chunked_array([pa.nulls(len(values), pa.string())])
