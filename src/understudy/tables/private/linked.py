"""Linked tables learnt under differential privacy: persons first, then what hangs on them, each given its parent's rows.

How many rows of each kind a person has is a column of theirs; a child's columns are learnt in pairs with each other and with
its parent's columns, under noise for as many rows as one person may have (:class:`~.family.Family`). How the parent's
columns hang together is not asked again: it is seen in made parents, which tell nothing more. The budget is shared out by
the number of columns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError
from understudy.key import Key
from understudy.tables import constraints
from understudy.tables.content import Content, Names, Numbers
from understudy.tables.matching import POSITIONS
from understudy.tables.private import domains
from understudy.tables.private.bounded import Kept, bounded, found
from understudy.tables.private.domains import Found
from understudy.tables.private.family import Family, Hanging, family
from understudy.tables.private.fit import ONE_WAY, ROWS, blanks, lenient, with_blanks
from understudy.tables.private.learn import Given, Learnt, learn
from understudy.tables.private.ledger import Budget, Ledger, Part
from understudy.tables.references import Link
from understudy.tables.schema import NAMED, NUMERIC, Column, Schema
from understudy.tables.single import MOST_COLUMNS, TableModel, contents, fitting

if TYPE_CHECKING:
    from understudy.tables.chain import Chain
    from understudy.tables.source import Tables
    from understudy.tables.states import States

_MADE = 20_000  # made persons, to see how a parent's columns hang together


@dataclass(frozen=True)
class Asked:
    """What is to be learnt of one table: column -> its kept values, still secret, and what the schema says of it."""

    content: Mapping[str, Content]
    columns: Mapping[str, Column]


def fit(
    tables: Tables, schemas: Mapping[str, Schema], budget: Budget, ledger: Ledger | None = None
) -> tuple[dict[str, TableModel], dict[str, list[Link]]]:
    """Learn linked tables: models, parents first, and the links of each. ``schemas`` is public knowledge.

    UsageError: whom the tables are of is not clear (:func:`~.family.family`). TableError: a table has other columns than its
    schema, or too many.
    """
    whose = family(schemas)
    for name, schema in schemas.items():
        fitting(tables.tables[name], schema, name)
    ledger = ledger or Ledger(budget)
    ledger.neighbours = f"databases of which one has a row of {whose.unit} more, with all rows that hang on it"
    kept = bounded(tables.tables, schemas, whose)
    plans = {name: constraints.declared(schema) for name, schema in schemas.items()}
    asked = {name: _asked(name, tables, schemas, whose, kept, plans[name][2]) for name in kept}
    columns = sum(len(a.columns) for a in asked.values())
    persons = float(schemas[whose.unit].rows)
    if not persons:
        persons = max(float(ledger.counts("rows", np.array([len(kept[whose.unit].rows)]), ROWS * ledger.rho)[0][0]), 1.0)
    looked_for = sum(domains.open_names(s) for a in asked.values() for s in a.columns.values())
    delta = ledger.names_share * budget.delta / max(looked_for, 1)
    rest = ledger.left * (1 - 1e-9)
    models: dict[str, TableModel] = {}
    learnt: dict[str, Learnt] = {}
    codes: dict[str, dict[str, np.ndarray]] = {}
    made: dict[str, dict[str, np.ndarray]] = {}
    many = _MADE  # made rows of the table in hand
    for name, own in kept.items():
        part = Part(ledger, rest * len(asked[name].columns) / max(columns, 1), whose.rows(name))
        context, total = {}, persons
        if name != whose.unit:
            hanging = whose.hangs[name]
            owner, position = _owners(made[hanging.parent], models[hanging.parent], hanging.count(name))
            many, total = len(owner), persons * len(owner) / _MADE
            states = codes[hanging.parent], made[hanging.parent], learnt[hanging.parent].parts
            context = _context(hanging, *states, own, owner, position)
        every = _found(name, asked[name], part, delta, total)
        codes[name] = {c: f.codes for c, f in every.items()}
        if every:
            learnt[name] = learn(every, _total(every, total), part, schemas[name].target, context)
        chain = learnt[name].chain if every else _nothing()
        seen = {c: context[c].made.astype(np.int64) for c in chain.context}
        made[name] = chain.draw(many, Key(0) / "made" / name, seen)[0]
        made[name] = {c: s for c, s in made[name].items() if c in every}
        models[name] = _model(name, plans[name], {c: f.states for c, f in every.items()}, chain, total, schemas[name])
        for column, other in whose.brings.get(name, {}).items():
            codecs = {c: every[f"{column}>{c}"].states for c in schemas[other].columns if f"{column}>{c}" in every} | blanks(
                schemas[other]
            )
            models[other] = TableModel(other, plans[other][1], codecs, _nothing(), plans[other][0], max(round(total), 1))
    told = ledger.plain()
    links = {name: _links(name, whose) for name in models}
    return {name: dataclasses.replace(model, private=told) for name, model in models.items()}, links


def _context(
    hanging: Hanging,
    codes: Mapping[str, np.ndarray],
    made: Mapping[str, np.ndarray],
    parts: Mapping[str, np.ndarray],
    own: Kept,
    owner: np.ndarray,
    position: np.ndarray,
) -> dict[str, Given]:
    """The parent's columns, and a row's place among its siblings. codes, made, parts : of the parent's rows
    owner, position : of made rows
    """
    context = {f"{hanging.parent}.{c}": Given(parts[c], codes[c][own.owner], made[c][owner]) for c in codes}
    place = np.minimum(np.arange(POSITIONS), hanging.most - 1)
    context["position"] = Given(place, np.minimum(own.position, POSITIONS - 1), position)
    return {c: given for c, given in context.items() if given.part.max() > 0}


def _asked(
    name: str, tables: Tables, schemas: Mapping[str, Schema], whose: Family, kept: Mapping[str, Kept], computed: set[str]
) -> Asked:
    """A table's own columns, those of the rows that its rows bring, and how many rows of each kind hang on each."""
    content = dict(_read(name, tables, schemas[name], kept[name].rows))
    columns = {c: s for c, s in schemas[name].columns.items() if c not in computed}
    for column, other in whose.brings.get(name, {}).items():
        values = tables.tables[name][column].take(_indices(kept[name].rows))
        at = found(values, tables.tables[other][schemas[other].key], schemas[name].columns[column])
        for c, one in _read(other, tables, schemas[other], at).items():
            content[f"{column}>{c}"], columns[f"{column}>{c}"] = one, schemas[other].columns[c]
    for child, hanging in whose.hangs.items():
        if hanging.parent == name:
            count = np.bincount(kept[child].owner, minlength=len(kept[name].rows)).astype(float)
            column = hanging.count(child)
            content[column] = Numbers(count, np.full(len(count), -1, np.int16))
            columns[column] = Column("integer", low=0, high=hanging.most)
    chosen = {c: s for c, s in columns.items() if s.kind in (*NUMERIC, *NAMED)}
    if len(chosen) > MOST_COLUMNS:
        raise TableError("too many columns to learn", where=name, wanted=f"at most {MOST_COLUMNS}", got=len(chosen))
    return Asked({c: content[c] for c in chosen}, chosen)


def _read(name: str, tables: Tables, schema: Schema, rows: np.ndarray) -> dict[str, Content]:
    """Contents of some rows (-1: everything is missing), read so that nothing in them is an error."""
    table = tables.tables[name].take(_indices(rows))
    known = dataclasses.replace(schema, columns={c: lenient(s) for c, s in schema.columns.items()})
    read = contents(table, known, name)
    for c, one in read.items():
        if isinstance(one, Names):
            read[c] = dataclasses.replace(one, codes=np.where(rows < 0, -1, one.codes))
        elif isinstance(one, Numbers):
            x, token = np.where(rows < 0, np.nan, one.x), np.where(rows < 0, 0, one.token).astype(np.int16)
            read[c] = dataclasses.replace(one, x=x, token=token)
    return read


def _indices(rows: np.ndarray):
    import pyarrow as pa

    return pa.array(rows, pa.int64(), mask=rows < 0)


def _found(name: str, asked: Asked, part: Part, delta: float, total: float) -> dict[str, Found]:
    """Each column alone."""
    share = ONE_WAY if len(asked.columns) > 1 else 0.7
    weights = {c: domains.weight(s) for c, s in asked.columns.items()}
    alone = share * part.rho / max(sum(weights.values()), 1e-9)
    return {
        c: domains.found(f"{name}.{c}", asked.content[c], spec, part, alone * weights[c], delta, total)
        for c, spec in asked.columns.items()
    }


def _total(every: Mapping[str, Found], guess: float) -> float:
    """Rows in all: the mean of what columns' noisy counts add up to, weighted by their noise; ``guess`` if all are open."""
    sums = [(f.counts.sum(), len(f.counts) * f.sigma**2) for f in every.values() if not f.open]
    if not sums:
        return max(guess, 1.0)
    return max(float(np.average([s for s, _ in sums], weights=[1 / v for _, v in sums])), 1.0)


def _owners(made: Mapping[str, np.ndarray], model: TableModel, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows that made parents have: (whose, position). If none has any: one each."""
    counts = model.codecs[column].decode(made[column], Key(0) / "counts", 0)
    counts = np.nan_to_num(counts).astype(int)
    counts = counts if counts.any() else np.ones(len(counts), int)
    owner = np.repeat(np.arange(len(counts)), counts)
    position = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return owner, np.minimum(position, POSITIONS - 1)


def _model(name: str, plan, codecs: Mapping[str, States], chain: Chain, total: float, whole: Schema) -> TableModel:
    done, schema, _ = plan
    codecs, chain = with_blanks(codecs, chain, whole)
    return TableModel(name, schema, codecs, chain, done, max(round(total), 1), chain.context)


def _links(name: str, whose: Family) -> list[Link]:
    own = [Link(whose.hangs[name].column, whose.hangs[name].parent, True)] if name in whose.hangs else []
    return own + [Link(column, other, False, brought=True) for column, other in whose.brings.get(name, {}).items()]


def _nothing() -> Chain:
    from understudy.tables.chain import Chain

    return Chain((), {}, {})
