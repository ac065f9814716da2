"""Linked tables: how many children a row has, what they look like, one after another, and whom else they belong to.

Each table with links has one *main* parent, whose rows its rows are made for: as many as the parent's made count says, each
from the parent's columns and the row before it (rows of one parent come in the order of their first date, learnt as the gap
since the one before). Any further link is made by matching: the row says what kind of parent it wants, and is given a
made parent that comes near and has room. All keys are fresh, every link leads to a made row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.key import Key
from understudy.tables import distinct, output, single, states
from understudy.tables.content import Names, Numbers
from understudy.tables.expressions import Unique, parse
from understudy.tables.matching import POSITIONS, brought, matched, slots
from understudy.tables.references import Link, Reference, by_parent, dates, order, references
from understudy.tables.schema import Column, Schema
from understudy.tables.settings import Settings
from understudy.tables.single import Around, TableModel
from understudy.tables.states.blanks import Fresh
from understudy.tables.states.names import NameStates

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables

_WANTED = 12  # columns of a further parent that a row may want


def fit(
    tables: Tables, schemas: Mapping[str, Schema], settings: Settings, key: Key
) -> tuple[dict[str, TableModel], dict[str, list[Link]], list[str]]:
    """Learn linked tables: models, parents first; links of each; notes. TableError: a key that dangles or comes twice."""
    found = {name: references(name, tables, schemas) for name in schemas}
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
            rows = by_parent(main, table, schema, name)
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
        if name in values:  # brought by the rows of another table
            at: dict[str, np.ndarray] = {}
        elif main is None:
            n = max(round(model.rows * scale), 1)
            values[name], codes[name] = _root(model, n, key / name)
            at = {}
        else:
            owner, values[name], codes[name] = _children(
                name, model, main, values[main.parent], codes[main.parent], model.rows * scale, key / name
            )
            at = {main.column: owner}
        n = len(next(iter(codes[name].values()))) if codes[name] else len(next(iter(at.values())))
        for link in links[name]:
            if link.brought:
                at[link.column] = np.arange(n)
            elif not link.main:
                at[link.column] = matched(
                    name, link, model, codes[name], values[link.parent], codes[link.parent], n, key / name / link.column
                )
        if main is not None and model.plan.unique:  # rows that repeat are left out: their parents have that much fewer
            keep = distinct.first(model.plan.unique, {**values[name], **at}, n)
            own = (at, values[name], codes[name])
            at, values[name], codes[name] = ({c: v[keep] for c, v in part.items()} for part in own)
            n = int(keep.sum())
        for link in links[name]:
            if link.brought:
                own = brought(models[link.parent], f"{link.column}>", values[name], codes[name], n, key / link.parent)
                values[link.parent], codes[link.parent] = own
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


def _counts(
    name: str, n: int, found: Mapping[str, list[Reference]], settings: Settings
) -> dict[str, tuple[np.ndarray, Any]]:
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
        own = dates(table, schema, link.when, name)
        start = dates(parent_table, parent_schema, link.since, link.parent)[at] if link.since else np.zeros(len(at))
        bases[link.when] = np.where(first, start, np.concatenate([[0.0], own[:-1]]))
        bases[link.when] = np.nan_to_num(bases[link.when])
    return Around(context, more, np.where(first, -1, np.arange(len(at)) - 1), at, bases)


def _plain_codes(model: TableModel, table: pa.Table, around: Around, main: Reference) -> dict[str, np.ndarray]:
    """States of all rows of a table whose date counts from another row: as the children of this table will see them."""
    own = single.contents(table, model.schema, model.name)
    when = main.link.when
    codes = {c: codec.encode(own[c]) for c, codec in model.codecs.items() if c in own and c != when}
    return codes


def _wanted(
    found: list[Reference],
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
