"""Whom differential privacy protects in linked tables, and how many rows each has: from the schema alone.

One table is the *unit*: its rows are persons. A person is protected with all rows that hang on them, over any number of
links, each of which says how many rows at most (``most:``) refer to one row. A further parent that hangs on nobody (the
client of a disposition whose unit is the account) is read as columns of the row that refers to it: each such row *brings*
one, and who is referred to twice is made twice. So every row that is learnt belongs to one person, and no person has more
than so many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from understudy.errors import UsageError
from understudy.tables.references import Link
from understudy.tables.schema import Schema


@dataclass(frozen=True)
class Hanging:
    """``column`` refers to a row of ``parent``, to which at most ``most`` rows refer."""

    column: str
    parent: str
    most: int

    def count(self, child: str) -> str:
        """The column of the parent's model that says how many rows of ``child`` refer to it."""
        return Link(self.column, self.parent, True).count(child)


@dataclass(frozen=True)
class Family:
    """unit : the table of persons; hangs : every other table of theirs, parents first
    brings : table -> {its column: the table of which each row brings a row}
    """

    unit: str
    hangs: Mapping[str, Hanging]
    brings: Mapping[str, Mapping[str, str]]

    def rows(self, table: str) -> int:
        """Rows of ``table`` that one person has at most."""
        return 1 if table == self.unit else self.hangs[table].most * self.rows(self.hangs[table].parent)


def family(schemas: Mapping[str, Schema]) -> Family:
    """The family of tables. UsageError, with the remedy: it is not clear, or not bounded, what one person has."""
    links = {
        name: {c: s.parent.rpartition(".")[0] for c, s in schema.columns.items() if s.kind == "link"}
        for name, schema in schemas.items()
    }
    unit = _unit(schemas, links)
    hangs: dict[str, Hanging] = {}
    for _ in schemas:
        for name in schemas:
            if name in (unit, *hangs) or not (own := [c for c, parent in links[name].items() if parent in (unit, *hangs)]):
                continue
            spec = schemas[name].columns[own[0]]
            if not spec.most:
                raise _no(
                    "how many rows one has must be public under differential privacy: it decides how much noise hides them",
                    f"{name}.{own[0]}",
                    "most: N in the schema, rows that refer to one row",
                    "A small number is less noise; rows beyond it are left out. Are rows of "
                    f"{links[name][own[0]]} no secret, say `public: true` there",
                )
            hangs[name] = Hanging(own[0], links[name][own[0]], spec.most)
    brings: dict[str, dict[str, str]] = {}
    for name in (unit, *hangs):
        for column, other in links[name].items():
            if name in hangs and column == hangs[name].column:
                continue
            users = [n for n, own in links.items() for parent in own.values() if parent == other]
            if other in (unit, *hangs) or links[other] or len(users) > 1 or schemas[other].constraints:
                raise _no(
                    "a second parent is learnt under differential privacy only if its table hangs on nothing, has no "
                    "constraints, and nothing else refers to it",
                    f"{name}.{column}",
                    "one link into the tables of one person",
                    "Give one of the links `kind: identifier` or `category` in the schema, or join the tables first",
                )
            brings.setdefault(name, {})[column] = other
    reached = {unit, *hangs, *(other for own in brings.values() for other in own.values())}
    if left := [name for name in schemas if name not in reached]:
        raise _no(
            "a table does not hang on the one whose rows are protected",
            ", ".join(left),
            f"a link that leads to {unit}",
            "Learn it by itself, in a model of its own (epsilons add up), or say `public: true` if its rows are no secret",
        )
    return Family(unit, hangs, brings)


def _unit(schemas: Mapping[str, Schema], links: Mapping[str, Mapping[str, str]]) -> str:
    named = [name for name, schema in schemas.items() if schema.unit]
    free = [name for name in schemas if not links[name]]
    if len(named) > 1 or (not named and len(free) != 1):
        raise _no(
            "whom differential privacy protects in linked tables is not clear",
            ", ".join(named or free) or "schema",
            "`unit: true` in the schema of one table: that whose rows are persons",
            "A person is protected with all rows that hang on theirs",
        )
    unit = named[0] if named else free[0]
    if links[unit]:
        raise _no(
            "the table of persons hangs on another",
            f"{unit}.{next(iter(links[unit]))}",
            "a unit without links, or with links to public tables",
            "Say `public: true` of the other table, or make that one the unit",
        )
    return unit


def _no(message: str, where: str, wanted: str, remedy: str) -> UsageError:
    return UsageError(message, where=where, wanted=wanted, remedy=remedy)
