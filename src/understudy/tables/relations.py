"""Linked tables: how many children a row has, what they look like, one after another, and whom else they belong to.

Each table with links has one *main* parent, whose rows its rows are made for: as many as the parent's made count says, each
from the parent's columns and the row before it (rows of one parent come in the order of their first date, learnt as the gap
since the one before). Any further link is made by matching: the row says what kind of parent it wants, and is given a
made parent that comes near and has room. All keys are fresh, every link leads to a made row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import TableError
from understudy.key import Key
from understudy.tables import distinct, output, single, states
from understudy.tables.content import Names, Numbers, encoded
from understudy.tables.expressions import Unique, parse
from understudy.tables.matching import POSITIONS, matched, slots
from understudy.tables.schema import Column, Schema
from understudy.tables.settings import Settings
from understudy.tables.single import Around, TableModel
from understudy.tables.states.blanks import Fresh
from understudy.tables.states.names import NameStates

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables

_WANTED = 12  # columns of a further parent that a row may want
_DATED = ("date", "datetime")


@dataclass(frozen=True)
class Link:
    """``column`` refers to a row of ``parent``; main : rows are made for it; when : the date that orders them
    since : the parent's date that the first one counts from; share : of rows that have this link at all
    """

    column: str
    parent: str
    main: bool
    when: str = ""
    since: str = ""
    share: float = 1.0

    def count(self, child: str) -> str:
        """The column of the parent's model that says how many rows of ``child`` refer to it."""
        return f"#{child}.{self.column}"


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


@dataclass(frozen=True)
class _Read:
    """A link as found in the data. at : (n,) the parent's row, -1 where nothing is referred to."""

    link: Link
    at: np.ndarray


def fit(
    tables: Tables, schemas: Mapping[str, Schema], settings: Settings, key: Key
) -> tuple[dict[str, TableModel], dict[str, list[Link]], list[str]]:
    """Learn linked tables: models, parents first; links of each; notes. TableError: a key that dangles or comes twice."""
    found = {name: _links(name, tables, schemas) for name in schemas}
    models: dict[str, TableModel] = {}
    notes: list[str] = []
    codes: dict[str, dict[str, np.ndarray]] = {}
    for name in order(schemas):
        table, schema = tables.tables[name], schemas[name]
        statements = (parse(text, schema) for text in schema.constraints)
        distinct.hold_in([s for s in statements if isinstance(s, Unique)], table, name)
        more = _counts(name, table.num_rows, found, settings)
        main = next((r for r in found[name] if r.link.main), None)
        around = Around(more=more)
        if main is not None:
            rows = _by_parent(main, table, schema, name)
            if len(rows) < len(main.at):
                notes.append(
                    f"{name}: {len(main.at) - len(rows)} rows refer to no {main.link.parent}; nothing is learnt of them"
                )
            table = table.take(rows)
            at = main.at[rows]
            more = {c: (s[rows], codec) for c, (s, codec) in more.items()}
            more |= _wanted(found[name], rows, models, codes)
            around = _around(
                main.link,
                at,
                table,
                schema,
                name,
                more,
                models[main.link.parent],
                codes[main.link.parent],
                tables.tables[main.link.parent],
                schemas[main.link.parent],
            )
        done = single.fit(table, schema, name, settings, key, around)
        notes += done.notes
        models[name] = done.model
        codes[name] = (
            done.model.encode(tables.tables[name])
            if not around.bases
            else _plain_codes(done.model, tables.tables[name], around, main)
        )
        codes[name] |= {c: s for c, (s, _) in _counts(name, tables.tables[name].num_rows, found, settings).items()}
    return models, {name: [r.link for r in own] for name, own in found.items()}, notes


def make(models: Mapping[str, TableModel], links: Mapping[str, list[Link]], scale: float, key: Key) -> dict[str, pa.Table]:
    """Made tables, ``scale`` times as large as the learnt ones. Every link leads to a made row."""
    tables: dict[str, Any] = {}
    values: dict[str, dict[str, np.ndarray]] = {}
    codes: dict[str, dict[str, np.ndarray]] = {}
    for name, model in models.items():
        main = next((link for link in links[name] if link.main), None)
        if main is None:
            n = max(round(model.rows * scale), 1)
            values[name], codes[name] = _root(model, n, key / name)
            at: dict[str, np.ndarray] = {}
        else:
            owner, values[name], codes[name] = _children(
                name, model, main, values[main.parent], codes[main.parent], model.rows * scale, key / name
            )
            at = {main.column: owner}
        n = len(next(iter(codes[name].values()))) if codes[name] else len(next(iter(at.values())))
        for link in links[name]:
            if not link.main:
                at[link.column] = matched(
                    name, link, model, codes[name], values[link.parent], codes[link.parent], n, key / name / link.column
                )
        if main is not None and model.plan.unique:  # rows that repeat are left out: their parents have that much fewer
            keep = distinct.first(model.plan.unique, {**values[name], **at}, n)
            own = (at, values[name], codes[name])
            at, values[name], codes[name] = ({c: v[keep] for c, v in part.items()} for part in own)
            n = int(keep.sum())
        shown = dict(values[name])
        for column, spec in model.schema.columns.items():
            if spec.kind == "key":
                shown[column] = np.arange(1, n + 1).astype(str).astype(object)
            elif spec.kind == "link":
                keys = np.array(
                    [*np.arange(1, len_of(codes, values, spec.parent.rpartition(".")[0]) + 1).astype(str), None],
                    dtype=object,
                )
                shown[column] = keys[at[column]]
            elif column in model.codecs and isinstance(model.codecs[column], Fresh) and not model.codecs[column].entity:
                shown[column] = model.codecs[column].decode(codes[name][column], key.child(name, column, "fresh"), 0)
        tables[name] = output.table(shown, codes[name], model.codecs, model.schema)
    return tables


def _root(model: TableModel, n: int, key: Key) -> distinct.Rows:
    """Rows of a table that hangs on no other, all different where that is asked."""
    if not model.plan.unique:
        return model.values(0, n, key)
    return distinct.filled(model.plan.unique, n, lambda attempt: model.values(0, n, key / "unique" / attempt), model.name)


def len_of(codes: Mapping[str, dict[str, np.ndarray]], values: Mapping[str, dict[str, np.ndarray]], name: str) -> int:
    """Rows of a made table."""
    return len(next(iter((codes[name] or values[name]).values())))


def _links(name: str, tables: Tables, schemas: Mapping[str, Schema]) -> list[_Read]:
    """The links of a table; the main one is that whose parent has the fewest rows for each, and so the closest."""
    found = []
    for column, spec in schemas[name].columns.items():
        if spec.kind == "link":
            parent, _, key = spec.parent.rpartition(".")
            at = rows_of(tables.tables[name][column], tables.tables[parent][key], f"{name}.{column}", spec.parent, spec)
            found.append(_Read(Link(column, parent, False, share=float((at >= 0).mean())), at))
    if not found:
        return []
    spread = [np.bincount(r.at[r.at >= 0]).max(initial=0) + (r.at < 0).mean() * 1e6 for r in found]
    first = int(np.argmin(spread))
    when, since = _timed(found[first], tables, schemas, name)
    link = replace(found[first].link, main=True, when=when, since=since)
    return [_Read(link, r.at) if i == first else r for i, r in enumerate(found)]


def _timed(main: _Read, tables: Tables, schemas: Mapping[str, Schema], name: str) -> tuple[str, str]:
    """(the date by which rows of one parent follow each other, the parent's date that the first counts from), "" for none.

    Rows are events when those of one parent lie closer together than chance would spread them over all the time there is, or
    when none comes before the parent's own date. Accounts of a town are no events of the town.
    """
    own, above = schemas[name], schemas[main.link.parent]
    when = next((c for c, s in own.columns.items() if s.kind in _DATED), "")
    if not when or (main.at >= 0).sum() < 2:
        return "", ""
    x = _column(tables.tables[name], own, when, name)
    known = (main.at >= 0) & ~np.isnan(x)
    since = next((c for c, s in above.columns.items() if s.kind == own.columns[when].kind), "")
    if since:
        start = _column(tables.tables[main.link.parent], above, since, main.link.parent)[main.at]
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


def _column(table: pa.Table, schema: Schema, column: str, name: str) -> np.ndarray:
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


def _counts(name: str, n: int, found: Mapping[str, list[_Read]], settings: Settings) -> dict[str, tuple[np.ndarray, Any]]:
    """Counts of children as columns of the parent: states and codec."""
    more = {}
    for child, own in found.items():
        for read in own:
            if read.link.parent == name:
                count = np.bincount(read.at[read.at >= 0], minlength=n).astype(float)
                content = Numbers(count, np.full(n, -1, np.int16))
                codec = states.learnt(content, Column("integer", low=0), settings.owners, settings.cells)
                more[read.link.count(child)] = (codec.encode(content), codec)
    return more


def _by_parent(main: _Read, table: pa.Table, schema: Schema, name: str) -> np.ndarray:
    """Rows that have a main parent, parent by parent, each parent's in order of time."""
    when = _column(table, schema, main.link.when, name) if main.link.when else np.zeros(len(main.at))
    order_ = np.lexsort((np.nan_to_num(when, nan=np.inf), main.at))
    return order_[main.at[order_] >= 0]


def _around(
    link: Link,
    at: np.ndarray,
    table: pa.Table,
    schema: Schema,
    name: str,
    more: Mapping,
    parent: TableModel,
    above: Mapping[str, np.ndarray],
    parent_table: pa.Table,
    parent_schema: Schema,
) -> Around:
    first = np.concatenate([[True], at[1:] != at[:-1]])
    position = np.arange(len(at)) - np.maximum.accumulate(np.where(first, np.arange(len(at)), 0))
    context = {
        f"{link.parent}.{c}": (above[c][at], codec.count, codec.ordered)
        for c, codec in parent.codecs.items()
        if codec.count > 1 and c in above
    }
    context["position"] = (np.minimum(position, POSITIONS - 1).astype(np.int32), POSITIONS, True)
    bases = {}
    if link.when:
        own = _column(table, schema, link.when, name)
        start = _column(parent_table, parent_schema, link.since, link.parent)[at] if link.since else np.zeros(len(at))
        bases[link.when] = np.where(first, start, np.concatenate([[0.0], own[:-1]]))
        bases[link.when] = np.nan_to_num(bases[link.when])
    return Around(context, more, np.where(first, -1, np.arange(len(at)) - 1), at, bases)


def _plain_codes(model: TableModel, table: pa.Table, around: Around, main: _Read) -> dict[str, np.ndarray]:
    """States of all rows of a table whose date counts from another row: as the children of this table will see them."""
    own = single.contents(table, model.schema, model.name)
    when = main.link.when
    codes = {c: codec.encode(own[c]) for c, codec in model.codecs.items() if c in own and c != when}
    return codes


def _wanted(
    found: list[_Read],
    rows: np.ndarray,
    models: Mapping[str, TableModel],
    codes: Mapping[str, Mapping[str, np.ndarray]],
) -> dict[str, tuple[np.ndarray, Any]]:
    """Columns of further parents, learnt beside a table's own, and the row's place among that parent's rows."""
    more: dict[str, tuple[np.ndarray, Any]] = {}
    for read in found:
        if read.link.main:
            continue
        at = read.at[rows]
        slot = np.minimum(slots(at), POSITIONS - 1)
        content = Numbers(slot.astype(float), np.where(at < 0, 0, -1).astype(np.int16))
        more[f"{read.link.column}>slot"] = _more(content)
        parent = models[read.link.parent]
        some = [
            c
            for c, codec in parent.codecs.items()
            if codec.count > 1 and c in codes[read.link.parent] and not c.startswith("#")
        ]
        for column in some[:_WANTED]:
            names = tuple(str(i) for i in range(parent.codecs[column].count))
            own = Names(np.where(at < 0, -1, codes[read.link.parent][column][at]).astype(np.int32), names)
            more[f"{read.link.column}>{column}"] = _more(own, parent.codecs[column].ordered)
    return more


def _more(content: Any, ordered: bool = True) -> tuple[np.ndarray, Any]:
    codec = (
        NameStates.learn(content, 1, ordered)
        if isinstance(content, Names)
        else states.learnt(content, Column("integer"), 1, POSITIONS + 1)
    )
    return codec.encode(content), codec


def _children(
    name: str,
    model: TableModel,
    link: Link,
    values: Mapping[str, np.ndarray],
    codes: Mapping[str, np.ndarray],
    wanted: float,
    key: Key,
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(each row's parent, values, states): all parents' first rows, then all second rows, and so on."""
    counts = _whole(np.maximum(np.nan_to_num(values[link.count(name)]), 0), wanted, key / "counts")
    owner = np.repeat(np.arange(len(counts)), counts)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    done_values: dict[str, np.ndarray] = {}
    done_codes: dict[str, np.ndarray] = {}
    columns = [c for c in model.context if c.startswith("previous.")]
    for step in range(int(counts.max(initial=0))):
        rows = np.flatnonzero(position == step)
        given = {c: codes[c[len(link.parent) + 1 :]][owner[rows]] for c in model.context if c.startswith(f"{link.parent}.")}
        given["position"] = np.full(len(rows), min(step, POSITIONS - 1))
        for c in columns:
            own = c[len("previous.") :]
            given[c] = done_codes[own][rows - 1] if step else np.full(len(rows), model.codecs[own].count)
        bases = {}
        if link.when:
            start = values[link.since][owner[rows]] if link.since else np.zeros(len(rows))
            bases[link.when] = np.nan_to_num(done_values[link.when][rows - 1] if step else start)
        new, own_codes = model.values(
            0, len(rows), key / step, None, {c: g.astype(np.int64) for c, g in given.items()}, bases
        )
        for done, part in ((done_values, new), (done_codes, own_codes)):
            for c, v in part.items():
                if c not in done:
                    done[c] = np.zeros(len(owner), v.dtype)
                done[c][rows] = v
    return owner, done_values, done_codes


def _whole(counts: np.ndarray, wanted: float, key: Key) -> np.ndarray:
    """Counts as whole numbers. Clipping takes rows from a few large parents (a capital among 77 towns); where parents have
    five and more rows on average, all counts are stretched until the table has the ``wanted`` number of rows again."""
    if counts.mean() >= 5 and counts.sum():
        counts = np.floor(counts * (wanted / counts.sum()) + key.uniforms(len(counts)))
    return counts.astype(int)
