"""What the rows of linked tables refer to: which row of which parent, which parent is the main one, by which date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError
from understudy.tables import single
from understudy.tables.content import encoded
from understudy.tables.schema import Column, Schema

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables

_DATED = ("date", "datetime")


@dataclass(frozen=True)
class Link:
    """``column`` refers to a row of ``parent``; main : rows are made for it; when : the date that orders them
    since : the parent's date that the first one counts from; share : of rows that have this link at all
    brought : each row brings a row of ``parent`` of its own (private/family.py)
    """

    column: str
    parent: str
    main: bool
    when: str = ""
    since: str = ""
    share: float = 1.0
    brought: bool = False

    def count(self, child: str) -> str:
        """The column of the parent's model that says how many rows of ``child`` refer to it."""
        return f"#{child}.{self.column}"


@dataclass(frozen=True)
class Reference:
    """A link as found in the data. at : (n,) the parent's row, -1 where nothing is referred to."""

    link: Link
    at: np.ndarray


def order(schemas: Mapping[str, Schema]) -> list[str]:
    """Tables, parents before children. TableError: they refer to each other in a circle, or one to itself."""
    parents = {
        name: {c.parent.rpartition(".")[0] for c in schema.columns.values() if c.kind == "link"}
        for name, schema in schemas.items()
    }
    done: list[str] = []
    while len(done) < len(parents):
        free = [name for name in parents if name not in done and parents[name] <= set(done)]
        if not free:
            left = [name for name in parents if name not in done]
            raise TableError(
                "tables refer to each other in a circle",
                where=", ".join(left),
                remedy="Give one of the links another kind in the schema (identifier or category)",
            )
        done += free
    return done


def references(name: str, tables: Tables, schemas: Mapping[str, Schema]) -> list[Reference]:
    """The links of a table; the main one is that whose parent has the fewest rows for each, and so the closest."""
    found = []
    for column, spec in schemas[name].columns.items():
        if spec.kind == "link":
            parent, _, key = spec.parent.rpartition(".")
            at = rows_of(tables.tables[name][column], tables.tables[parent][key], f"{name}.{column}", spec.parent, spec)
            found.append(Reference(Link(column, parent, False, share=float((at >= 0).mean())), at))
    if not found:
        return []
    spread = [np.bincount(r.at[r.at >= 0]).max(initial=0) + (r.at < 0).mean() * 1e6 for r in found]
    first = int(np.argmin(spread))
    when, since = _timed(found[first], tables, schemas, name)
    link = replace(found[first].link, main=True, when=when, since=since)
    return [Reference(link, r.at) if i == first else r for i, r in enumerate(found)]


def _timed(main: Reference, tables: Tables, schemas: Mapping[str, Schema], name: str) -> tuple[str, str]:
    """(the date by which rows of one parent follow each other, the parent's date that the first counts from), "" for none.

    Rows are events when those of one parent lie closer together than chance would spread them over all the time there is, or
    when none comes before the parent's own date. Accounts of a town are no events of the town.
    """
    own, above = schemas[name], schemas[main.link.parent]
    when = next((c for c, s in own.columns.items() if s.kind in _DATED), "")
    if not when or (main.at >= 0).sum() < 2:
        return "", ""
    x = dates(tables.tables[name], own, when, name)
    known = (main.at >= 0) & ~np.isnan(x)
    since = next((c for c, s in above.columns.items() if s.kind == own.columns[when].kind), "")
    if since:
        start = dates(tables.tables[main.link.parent], above, since, main.link.parent)[main.at]
        if (x[known] >= np.nan_to_num(start[known], nan=-np.inf)).all():
            return when, since
    x, at = x[known], main.at[known]
    by = np.lexsort((x, at))
    x, at = x[by], at[by]
    first = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]]))
    rows = np.diff(np.append(first, len(at)))
    span = x[first + rows - 1] - x[first]
    some = rows > 1
    chance = (rows - 1) / (rows + 1) * (np.quantile(x, 0.99) - np.quantile(x, 0.01))
    return (when, "") if some.any() and span[some].sum() < 0.6 * chance[some].sum() else ("", "")


def dates(table: pa.Table, schema: Schema, column: str, name: str) -> np.ndarray:
    """A date's numbers."""
    return single.contents(table.select([column]), replace(schema, columns={column: schema.columns[column]}), name)[column].x


def rows_of(values: pa.ChunkedArray, keys: pa.ChunkedArray, where: str, parent: str, spec: Column) -> np.ndarray:
    """(n,) the row of ``keys`` that each value is, -1 for none given."""
    names, codes = encoded(keys)
    if (codes < 0).any() or len(names) < len(codes):
        row = (
            int(np.argmax(codes < 0))
            if (codes < 0).any()
            else int(np.setdiff1d(np.arange(len(codes)), np.unique(codes, return_index=True)[1])[0])
        )
        raise TableError(
            "the key is empty or comes twice", where=f"{parent}, row {row + 1}", wanted="a value of its own in each row"
        )
    place = dict(zip(names.to_pylist(), np.argsort(codes, kind="stable").tolist()))
    own, at = encoded(values)
    table = np.array([*(-1 if t in spec.missing else place.get(t, -2) for t in own.to_pylist()), -1])
    found = table[at]
    if (found == -2).any():
        raise TableError(
            f"values dangle: {parent} has no such row",
            where=f"{where}, row {int(np.argmax(found == -2)) + 1}",
            got=f"{int((found == -2).sum())} of them",
            remedy="Mend the data, or give the column another kind in the schema",
        )
    return found


def by_parent(main: Reference, table: pa.Table, schema: Schema, name: str) -> np.ndarray:
    """Rows that have a main parent, parent by parent, each parent's in order of time."""
    when = dates(table, schema, main.link.when, name) if main.link.when else np.zeros(len(main.at))
    order_ = np.lexsort((np.nan_to_num(when, nan=np.inf), main.at))
    return order_[main.at[order_] >= 0]
