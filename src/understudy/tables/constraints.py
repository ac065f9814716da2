"""What must hold of every made row: by construction where that is possible, by drawing again where it is not.

    a statement             is held by
    age >= 18               the column's own bound
    total == net + tax      computing the total
    start <= end            learning the gap and adding it (when neither is ever missing)
    city -> country         learning which country each city has
    anything else, and all  drawing rows that break it again; what cannot be drawn is an error, never a row

Every statement is tested on the made rows at last, whatever held it before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from understudy.errors import TableError, UsageError
from understudy.tables import distinct
from understudy.tables.content import Content, Names, Numbers
from understudy.tables.expressions import Compare, Follows, Linear, Matches, Named, Statement, Unique, parse
from understudy.tables.schema import NAMED, Column, Schema

_SLOPPY = 0.01  # share of rows that may break a statement in the data before it is called a contradiction


@dataclass(frozen=True)
class Plan:
    """sums : column -> what it equals; gaps : column -> (the column that it is at least, least gap)
    laws : column -> (source, {source's text: value}); checks : every statement
    """

    checks: tuple[Statement, ...] = ()
    sums: Mapping[str, Linear] = field(default_factory=dict)
    gaps: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    laws: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)

    def finish(self, values: dict[str, np.ndarray]) -> None:
        """Fill in what is computed: gaps become columns again, then sums, then what follows from names."""
        for name, (base, _) in self.gaps.items():  # bases come first: plan() puts them so
            values[name] = values[base] + values[name]
        for name, total in self.sums.items():
            values[name] = total.of(values)
        for name, (source, table) in self.laws.items():
            values[name] = np.array([table.get(v) for v in values[source]], dtype=object)
            if table and all(isinstance(v, float) for v in table.values()):
                values[name] = np.array([np.nan if v is None else v for v in values[name]], float)

    def broken(self, values: Mapping[str, np.ndarray]) -> tuple[np.ndarray, str]:
        """(n,) bool rows that break a statement (uniqueness is the stream's business), and one that is broken."""
        n = len(next(iter(values.values())))
        bad, culprit = np.zeros(n, bool), ""
        for check in self.checks:
            if isinstance(check, Compare | Named | Matches):
                held = check.holds(values)
                if not held.all():
                    culprit = check.text
                bad |= ~held
        return bad, culprit

    @property
    def unique(self) -> tuple[Unique, ...]:
        return tuple(c for c in self.checks if isinstance(c, Unique))


def plan(
    schema: Schema, contents: Mapping[str, Content], where: str
) -> tuple[Plan, Schema, dict[str, Content], np.ndarray, list[str]]:
    """How the schema's statements will hold: (plan, schema with bounds, contents to learn, (n,) bool rows to learn from,
    notes). TableError: a statement that more than a hundredth of the rows contradicts."""
    statements = [parse(text, schema) for text in schema.constraints]
    values = {name: plain_values(c) for name, c in contents.items()}
    keep, notes = _against_the_data(statements, values, where)
    columns, own = dict(schema.columns), dict(contents)
    sums: dict[str, Linear] = {}
    gaps: dict[str, tuple[str, float]] = {}
    laws: dict[str, tuple[str, Mapping[str, Any]]] = {}
    taken: set[str] = set()  # columns that something is held by already, or builds on
    for s in statements:
        if isinstance(s, Compare):
            if bound := _bound(s):
                columns[bound[0]] = _within(columns[bound[0]], bound)
            elif s.op == "==" and len(s.left.terms) == 1 and s.left.constant == 0 and s.left.terms[0][1] not in taken:
                name = s.left.terms[0][1]
                if name not in s.right_columns():
                    sums[name] = s.right
                    taken |= {name}
                    own.pop(name, None)
            elif s.op in ("<", "<=", ">", ">=") and (pair := _pair(s)):
                base, name = pair
                if name in taken or name in gaps or base in sums or _reaches(gaps, base, name):
                    continue
                a, b = contents[base], contents[name]
                if (a.token >= 0).any() or (b.token >= 0).any():
                    continue
                least = 0.0 if "=" in s.op else 10.0 ** -columns[name].decimals if columns[name].kind == "number" else 1.0
                gaps[name] = (base, least)
                own[name] = Numbers(b.x - a.x, b.token)
                columns[name] = dataclasses.replace(columns[name])
        elif isinstance(s, Follows) and s.column not in taken and columns[s.source].kind in NAMED:
            laws[s.column] = (s.source, {})
            taken.add(s.column)
            own.pop(s.column, None)
    ordered = dict(sorted(gaps.items(), key=lambda item: _depth(gaps, item[0])))
    for name, (source, table) in laws.items():
        table |= _law(contents[source], contents[name], keep)
    return Plan(tuple(statements), sums, ordered, laws), dataclasses.replace(schema, columns=columns), own, keep, notes


def plain_values(content: Content) -> np.ndarray:
    """Numbers as (n,) float64 (nan: missing), names and texts as (n,) object (None: missing)."""
    if isinstance(content, Numbers):
        return content.x
    if isinstance(content, Names):
        return np.array([*content.labels, None], dtype=object)[content.codes]
    return np.array(content.texts, dtype=object)


def _against_the_data(
    statements: Sequence[Statement], values: Mapping[str, np.ndarray], where: str
) -> tuple[np.ndarray, list[str]]:
    n = len(next(iter(values.values()))) if values else 0
    keep, notes = np.ones(n, bool), []
    for s in statements:
        if isinstance(s, Unique):
            if not set(s.columns) <= set(values):  # keys and links: linked tables have looked at them (distinct.py)
                continue
            held = distinct.first([s], values, n)
        elif isinstance(s, Follows):
            held = _follows(values[s.source], values[s.column])
        else:
            held = s.holds(values)
        broken = int((~held).sum())
        if broken > _SLOPPY * n or (broken and isinstance(s, Unique)):
            raise TableError(
                f"the schema contradicts the data: {s.text}",
                where=f"{where}, row {int(np.argmin(held)) + 1}",
                wanted="every row to hold it",
                got=f"{broken} of {n} rows that do not",
                remedy="Mend the data, or take the constraint away",
            )
        if broken:
            notes.append(
                f"{where}: {broken} rows break {s.text!r} (first: row {int(np.argmin(held)) + 1}); nothing is learnt of them"
            )
        keep &= held
    return keep, notes


def _follows(source: np.ndarray, column: np.ndarray) -> np.ndarray:
    """(n,) bool: rows that agree with the commonest value of their source."""
    a = np.unique([str(v) for v in source], return_inverse=True)[1]
    b = np.unique([str(v) for v in column], return_inverse=True)[1]
    pairs, counts = np.unique(np.stack([a, b]), axis=1, return_counts=True)
    best = {}
    for (x, y), n in zip(pairs.T.tolist(), counts.tolist()):
        if n > best.get(x, (0, 0))[0]:
            best[x] = (n, y)
    return np.array([best[x][1] for x in range(max(best) + 1)])[a] == b


def declared(schema: Schema) -> tuple[Plan, Schema, set[str]]:
    """The same without a look at the data: (plan, schema with bounds, columns that are computed). Only bounds and sums hold
    by construction; UsageError: a dependency, which would have to be learnt row by row."""
    statements = [parse(text, schema) for text in schema.constraints]
    columns = dict(schema.columns)
    sums: dict[str, Linear] = {}
    for s in statements:
        if isinstance(s, Follows):
            raise UsageError(
                "a dependency is learnt from single rows, which differential privacy forbids",
                where=s.text,
                remedy="Take the constraint away, or leave out one of the two columns and look it up afterwards",
            )
        if isinstance(s, Compare) and (bound := _bound(s)):
            columns[bound[0]] = _within(columns[bound[0]], bound)
        elif isinstance(s, Compare) and s.op == "==" and len(s.left.terms) == 1 and s.left.constant == 0:
            sign, name = s.left.terms[0]
            if sign == 1 and name not in sums and name not in s.right_columns() and not set(s.right_columns()) & set(sums):
                sums[name] = s.right
    return Plan(tuple(statements), sums), dataclasses.replace(schema, columns=columns), set(sums)


def _within(column: Column, bound: tuple[str, float, float, bool]) -> Column:
    """The column with a statement's bounds (of :func:`_bound`) on top of its own."""
    _, low, high, strict = bound
    step = (10.0**-column.decimals if column.kind == "number" else 1.0) * strict
    return dataclasses.replace(
        column,
        low=max(x for x in (column.low, low + step) if x is not None) if low > -np.inf else column.low,
        high=min(x for x in (column.high, high - step) if x is not None) if high < np.inf else column.high,
    )


def _bound(s: Compare) -> tuple[str, float, float, bool] | None:
    """(column, low, high, strict) of a column against a constant."""
    for side, other, turned in ((s.left, s.right, False), (s.right, s.left, True)):
        if len(side.terms) == 1 and side.terms[0][0] == 1 and not other.terms and s.op not in ("==", "!="):
            constant = other.constant - side.constant
            less = (s.op in ("<", "<=")) != turned
            return side.terms[0][1], -np.inf if less else constant, constant if less else np.inf, "=" not in s.op
    return None


def _pair(s: Compare) -> tuple[str, str] | None:
    """(the lesser column, the greater one) of two bare columns."""
    bare = all(len(side.terms) == 1 and side.terms[0][0] == 1 and side.constant == 0 for side in (s.left, s.right))
    if not bare:
        return None
    a, b = s.left.terms[0][1], s.right.terms[0][1]
    return (a, b) if s.op in ("<", "<=") else (b, a)


def _reaches(gaps: Mapping[str, tuple[str, float]], start: str, end: str) -> bool:
    while start in gaps:
        start = gaps[start][0]
        if start == end:
            return True
    return start == end


def _depth(gaps: Mapping[str, tuple[str, float]], name: str) -> int:
    return 1 + _depth(gaps, gaps[name][0]) if name in gaps else 0


def _law(source: Content, column: Content, keep: np.ndarray) -> dict[str, Any]:
    """{source's text: its value}, of the rows kept; the owners of the source's state own the value too."""
    a, b = plain_values(source)[keep], plain_values(column)[keep]
    return {x: y for x, y in zip(a.tolist(), b.tolist()) if x is not None and y is not None}
