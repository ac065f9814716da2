"""Statements about a row: ``age > 60``, ``start <= end``, ``total == net + tax``, ``city -> country``, ``unique(id)``,
``code ~ [A-Z]{2}``. Names may be put in backquotes.

A number may be a day or an instant (``since >= 2020-01-31``) where the column holds such.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.errors import UsageError
from understudy.tables.schema import NUMERIC, Schema

_COMPARE = ("<=", ">=", "==", "!=", "<", ">")
_SLACK = 1e-9  # relative: sums of decimals are compared up to rounding


@dataclass(frozen=True)
class Linear:
    """A constant plus columns with signs."""

    constant: float
    terms: tuple[tuple[float, str], ...]

    def of(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        total = self.constant
        for sign, name in self.terms:
            total = total + sign * values[name]
        return np.asarray(total, float)


@dataclass(frozen=True)
class Compare:
    """left OP right, both linear; rows in which a column is missing are let pass (a condition: are not)."""

    text: str
    left: Linear
    op: str
    right: Linear

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for _, name in (*self.left.terms, *self.right.terms)))

    def right_columns(self) -> tuple[str, ...]:
        return tuple(name for _, name in self.right.terms)

    def holds(self, values: Mapping[str, np.ndarray], missing: bool = True) -> np.ndarray:
        a, b = np.broadcast_arrays(self.left.of(values), self.right.of(values))
        near = np.abs(a - b) <= _SLACK * np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
        done = {
            "<": (a < b) & ~near,
            "<=": (a < b) | near,
            ">": (a > b) & ~near,
            ">=": (a > b) | near,
            "==": near,
            "!=": ~near,
        }[self.op]
        return np.where(np.isnan(a) | np.isnan(b), missing, done)


@dataclass(frozen=True)
class Named:
    """column == "text" or column != "text"."""

    text: str
    column: str
    op: str
    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def holds(self, values: Mapping[str, np.ndarray], missing: bool = True) -> np.ndarray:
        same = values[self.column] == self.name
        return np.asarray(same if self.op == "==" else ~np.asarray(same, bool), bool)


@dataclass(frozen=True)
class Matches:
    """column ~ pattern, from beginning to end."""

    text: str
    column: str
    pattern: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def holds(self, values: Mapping[str, np.ndarray], missing: bool = True) -> np.ndarray:
        fits = re.compile(self.pattern).fullmatch
        return np.array([missing if v is None or v != v else bool(fits(_shown(v))) for v in values[self.column]], bool)


@dataclass(frozen=True)
class Follows:
    """source -> column: equal sources have equal values."""

    text: str
    source: str
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.source, self.column)


@dataclass(frozen=True)
class Unique:
    """No two rows have the same values in these columns."""

    text: str
    columns: tuple[str, ...]


Statement = Compare | Named | Matches | Follows | Unique


def parse(text: str, schema: Schema) -> Statement:
    """The statement, or a UsageError that says what is wrong with it."""
    names = sorted(schema.columns, key=len, reverse=True)
    text = text.strip()
    if found := re.fullmatch(r"unique\((.*)\)", text):
        return Unique(text, tuple(_name(part, names, text) for part in found[1].split(",")))
    if " -> " in text:
        source, _, column = text.partition(" -> ")
        return Follows(text, _name(source, names, text), _name(column, names, text))
    if " ~ " in text:
        column, _, pattern = text.partition(" ~ ")
        try:
            re.compile(pattern.strip())
        except re.error as error:
            raise UsageError(f"the pattern is wrong: {error}", where=text) from None
        return Matches(text, _name(column, names, text), pattern.strip())
    cut = re.search("|".join(_COMPARE), re.sub("`[^`]*`", lambda m: "x" * len(m[0]), text))
    if not cut:
        raise UsageError("this compares nothing", where=text, wanted="a <= b, a == b + c, a -> b, a ~ PATTERN, unique(a)")
    left, op, right = text[: cut.start()].strip(), cut[0], text[cut.end() :].strip()
    if not left or not right:
        raise UsageError("the statement is cut short", where=text, wanted=f"something on both sides of {op}")
    column = _known(left, names)
    if column and schema.columns[column].kind not in NUMERIC:
        if op not in ("==", "!="):
            raise UsageError("only quantities and dates are less or more", where=text, wanted="== or !=", got=op)
        return Named(text, column, op, right.strip("\"'"))
    statement = Compare(text, _linear(left, names, text), op, _linear(right, names, text))
    if not statement.columns:
        raise UsageError("no column is named", where=text, wanted=f"one of {', '.join(schema.columns)}")
    for name in statement.columns:
        if schema.columns[name].kind not in NUMERIC:
            raise UsageError(f"{name} is no quantity", where=text, wanted=f"a column of kind {', '.join(NUMERIC)}")
    return statement


def _linear(text: str, names: Sequence[str], where: str) -> Linear:
    constant, terms, sign = 0.0, [], 1.0
    for part in re.split(r"\s([+-])\s", text):
        part = part.strip()
        if part in ("+", "-"):
            sign = 1.0 if part == "+" else -1.0
            continue
        column = _known(part, names)
        if column:
            terms.append((sign, column))
        else:
            constant += sign * _constant(part, names, where)
    return Linear(constant, tuple(terms))


def _constant(text: str, names: Sequence[str], where: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    for pattern, unit in (("D", "day"), ("s", "second")):
        if re.fullmatch(r"\d{4}-\d\d-\d\d" if unit == "day" else r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?", text):
            try:
                return float(np.datetime64(text.replace(" ", "T"), pattern).astype(np.int64))
            except ValueError:
                break
    return float(_name(text, names, where) and 0)


def _known(text: str, names: Sequence[str]) -> str | None:
    bare = text.strip().strip("`")
    return bare if bare in names else None


def _name(text: str, names: Sequence[str], where: str) -> str:
    import difflib

    if found := _known(text, names):
        return found
    near = difflib.get_close_matches(text.strip(), names, 1)
    raise UsageError(
        "no column has this name",
        where=where,
        wanted=", ".join(sorted(names)[:12]),
        got=text.strip(),
        remedy=f"Did you mean {near[0]}?" if near else None,
    )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
