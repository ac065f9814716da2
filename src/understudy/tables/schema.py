"""What each column holds, stated once and open to correction: ``schema.yaml``.

::

    tables:
      people:
        target: income                       # optional: the column that models will be trained to predict
        rows: 48000                          # optional, and only if it is public knowledge
        public: true                         # optional: a table of towns, say, whose rows are given out as they are
        unit: true                           # optional: of linked tables, whose rows differential privacy protects
        constraints: ["start <= end", "total == net + tax", "city -> country"]
        columns:
          age: {kind: integer, low: 0}       # a stated bound is public knowledge and holds in every made row
          workclass: {kind: category, missing: ["?"]}
          since: {kind: date, format: "%d.%m.%Y"}
          size: {kind: ordered, order: [S, M, L]}
          sex: {kind: category, names: [Female, Male]}   # optional, and only if they are public knowledge: all may come out
          owner: {kind: link, parent: owners.id, most: 3}    # most: rows that one owner has, public, for --epsilon

Nothing of the data itself stands in a schema but texts shared by many rows (``missing``, ``tokens``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.errors import Problem, RecipeError, TableError

KINDS = {
    "number": "a quantity with decimals",
    "integer": "a whole quantity",
    "latitude": "degrees north",
    "longitude": "degrees east",
    "date": "a day",
    "datetime": "an instant",
    "time": "a time of day",
    "category": "one of a few names",
    "ordered": "one of a few names with an order",
    "text": "free text: only its length and its common words are learnt",
    "identifier": "a number or code of its own for each row: nothing is learnt, fresh ones are made",
    "key": "the table's primary key: fresh ones are made, links follow them",
    "link": "a foreign key: refers to the row of another table",
    "empty": "never filled: stays so",
}
NUMERIC = ("number", "integer", "latitude", "longitude", "date", "datetime", "time")
NAMED = ("category", "ordered")
MOST = 100  # rows of a link's own that one row may have under differential privacy


@dataclass(frozen=True)
class Column:
    """One column.

    kind : one of KINDS; missing : texts that mean "not there", besides an empty field
    tokens : texts in a numeric column that are states of their own ("unknown"); stray : other texts in it are missing
    format : strptime pattern of dates kept as text; decimals : digits after the point; comma : the decimal mark is a comma
    low, high : bounds that every made value keeps; order : the names of an ordered column, least first
    names : of a category, when all of them are public knowledge: those that few rows have are then made too, evenly
    parent : ``table.column`` of a link; most : rows that refer to one row of it: only for differential privacy, which leaves
    further ones out; entity : of an identifier: whose fakes are made (entities.KINDS)
    stored : Arrow type that the source keeps it in
    """

    kind: str
    missing: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    stray: bool = False
    format: str = ""
    decimals: int = 0
    comma: bool = False
    low: float | None = None
    high: float | None = None
    order: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    parent: str = ""
    most: int = 0
    entity: str = ""
    stored: str = "string"

    def plain(self) -> dict[str, Any]:
        """What differs from the defaults, for YAML and JSON."""
        own = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if f.name == "kind" or getattr(self, f.name) != f.default
        }
        return {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}


@dataclass(frozen=True)
class Schema:
    """One table: its columns in order, what must hold of them, and the column that is to be predicted, if any.

    rows : how many the table has, when that is public knowledge (used under differential privacy); 0: it is not
    public : the rows themselves are public knowledge and are given out as they are (public.py)
    unit : its rows are persons, whom differential privacy protects with all that hangs on them (private/family.py)
    """

    columns: Mapping[str, Column]
    constraints: tuple[str, ...] = ()
    target: str = ""
    rows: int = 0
    public: bool = False
    unit: bool = False

    def plain(self) -> dict[str, Any]:
        more: dict[str, Any] = {"target": self.target} if self.target else {}
        more |= {"rows": self.rows} if self.rows else {}
        more |= {"public": True} if self.public else {}
        more |= {"unit": True} if self.unit else {}
        more |= {"constraints": list(self.constraints)} if self.constraints else {}
        return more | {"columns": {name: column.plain() for name, column in self.columns.items()}}

    @property
    def key(self) -> str | None:
        """The primary key's name."""
        return next((name for name, column in self.columns.items() if column.kind == "key"), None)


def to_yaml(schemas: Mapping[str, Schema]) -> str:
    """The schemas as a file to correct."""
    import yaml

    lines = ["# What each column holds. Correct it, then: understudy table fit DATA --schema THIS -o MODEL", "#"]
    lines += [f"#   {kind:10}  {meaning}" for kind, meaning in KINDS.items()]

    class Flow(dict):
        pass

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(Flow, lambda d, data: d.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True))
    plain = {name: schema.plain() for name, schema in schemas.items()}
    for table in plain.values():
        table["columns"] = {name: Flow(column) for name, column in table["columns"].items()}
    text = yaml.dump({"tables": plain}, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    return "\n".join(lines) + "\n" + text


def from_yaml(path: Path) -> dict[str, Schema]:
    """Read a schema file; RecipeError holds everything that is wrong with it, by line."""
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        plain = yaml.safe_load(text)
    except FileNotFoundError:
        remedy = "Make one with `understudy table inspect DATA -o schema.yaml`"
        raise TableError("there is no such schema", where=path, remedy=remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise TableError("the schema cannot be read", where=path, got=type(error).__name__) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        raise TableError("the schema is no YAML", where=where, got=getattr(error, "problem", None)) from None
    lines: dict[str, int] = {}
    if node is not None:
        _lines(node, "", lines)
    return _Reader(str(path), lines).schemas(plain)


def from_plain(plain: Mapping[str, Any], where: str = "schema") -> dict[str, Schema]:
    """Schemas from the mapping that ``plain`` gives (``{"tables": {...}}``)."""
    return _Reader(where, {}).schemas(plain)


def _lines(node: Any, path: str, lines: dict[str, int]) -> None:
    lines[path] = node.start_mark.line + 1
    if node.id == "mapping":
        for key, value in node.value:
            below = f"{path}.{key.value}" if path else str(key.value)
            _lines(value, below, lines)
            lines[below] = key.start_mark.line + 1


class _Reader:
    """One reading of a schema; problems are collected and raised together."""

    def __init__(self, where: str, lines: Mapping[str, int]) -> None:
        self.where, self.lines, self.problems = where, lines, []

    def wrong(self, path: str, message: str, wanted: object = None, got: object = None, remedy: str | None = None) -> None:
        line = self.lines.get(path)
        self.problems.append(
            Problem(
                f"{self.where}:{line}" if line else self.where,
                path,
                message,
                None if wanted is None else str(wanted),
                None if got is None else str(got)[:60],
                remedy,
            )
        )

    def schemas(self, plain: Any) -> dict[str, Schema]:
        found = {}
        tables = self.mapping(plain, "", {"tables"}).get("tables")
        for name, table in self.mapping(tables, "tables").items():
            found[str(name)] = self.table(table, f"tables.{name}")
        if not found and not self.problems:
            self.wrong("tables", "no table is described", "tables: {NAME: {columns: ...}}")
        for name, schema in found.items():
            self.across(name, schema, found)
        if self.problems:
            raise RecipeError(
                sorted(
                    self.problems,
                    key=lambda p: int(p.where.rpartition(":")[2]) if p.where.rpartition(":")[2].isdigit() else 0,
                )
            )
        return found

    def mapping(self, plain: Any, path: str, known: set[str] | None = None) -> dict[str, Any]:
        if not isinstance(plain, Mapping):
            self.wrong(path, "this is no mapping", "name: value", type(plain).__name__)
            return {}
        for key in plain:
            if known is not None and key not in known:
                self.wrong(
                    f"{path}.{key}" if path else str(key),
                    "nothing has this name",
                    ", ".join(sorted(known)),
                    remedy=_nearest(str(key), known),
                )
        return dict(plain)

    def table(self, plain: Any, path: str) -> Schema:
        own = self.mapping(plain, path, {"columns", "constraints", "target", "rows", "public", "unit"})
        columns = {
            str(name): self.column(column, f"{path}.columns.{name}")
            for name, column in self.mapping(own.get("columns"), f"{path}.columns").items()
        }
        if sum(column.kind == "key" for column in columns.values()) > 1:
            self.wrong(f"{path}.columns", "a table has one key", "one column of kind key")
        target = own.get("target", "") or ""
        if target and target not in columns:
            self.wrong(f"{path}.target", "no column has this name", ", ".join(columns), target)
        constraints = self.texts(own.get("constraints", []), f"{path}.constraints")
        rows = own.get("rows", 0)
        if not isinstance(rows, int) or isinstance(rows, bool) or rows < 0:
            self.wrong(f"{path}.rows", "rows are counted", "a whole number", rows)
            rows = 0
        for name, message in (("public", "a table is public or not"), ("unit", "the rows of a table are persons or not")):
            if not isinstance(own.get(name, False), bool):
                self.wrong(f"{path}.{name}", message, "true or false", own[name])
        return Schema(columns, constraints, str(target), rows, own.get("public") is True, own.get("unit") is True)

    def column(self, plain: Any, path: str) -> Column:
        own = self.mapping(plain, path, {f.name for f in dataclasses.fields(Column)})
        kind = own.get("kind")
        if kind not in KINDS:
            self.wrong(f"{path}.kind", "nothing has this kind", ", ".join(KINDS), kind, _nearest(str(kind), KINDS))
            return Column("empty")
        values: dict[str, Any] = {"kind": kind}
        for name in ("missing", "tokens", "order", "names"):
            if name in own:
                values[name] = self.texts(own[name], f"{path}.{name}")
        for name in ("format", "parent", "stored", "entity"):
            if name in own:
                values[name] = str(own[name])
        for name in ("low", "high"):
            if own.get(name) is not None:
                if isinstance(own[name], int | float) and not isinstance(own[name], bool) and own[name] == own[name]:
                    values[name] = float(own[name])
                else:
                    self.wrong(f"{path}.{name}", "a bound is a number", "a number", own[name])
        if "decimals" in own:
            if isinstance(own["decimals"], int) and 0 <= own["decimals"] <= 15:
                values["decimals"] = own["decimals"]
            else:
                self.wrong(f"{path}.decimals", "digits after the point are counted", "0 to 15", own["decimals"])
        if "most" in own:
            most = own["most"]
            if kind == "link" and isinstance(most, int) and not isinstance(most, bool) and 1 <= most <= MOST:
                values["most"] = most
            else:
                self.wrong(f"{path}.most", "rows that refer to one row are counted, of a link", f"1 to {MOST}", most)
        for name in ("comma", "stray"):
            if name in own:
                values[name] = bool(own[name])
        if kind == "ordered" and not values.get("order"):
            self.wrong(path, "an ordered column lists its names, least first", "order: [...]")
        if values.get("low") is not None and values.get("high") is not None and values["low"] > values["high"]:
            self.wrong(
                path, "the lower bound lies above the upper one", "low <= high", f"{values['low']:g}, {values['high']:g}"
            )
        if values.get("entity"):
            from understudy.tables.entities import KINDS as ENTITIES

            if values["entity"] not in ENTITIES or kind != "identifier":
                self.wrong(
                    f"{path}.entity",
                    "no fakes are made of this",
                    f"kind identifier and {', '.join(ENTITIES)}",
                    values["entity"],
                )
        if kind == "link" and values.get("parent", "").count(".") < 1:
            self.wrong(path, "a link names what it refers to", "parent: TABLE.COLUMN")
        return Column(**values)

    def texts(self, plain: Any, path: str) -> tuple[str, ...]:
        if isinstance(plain, str) or not isinstance(plain, list | tuple):
            self.wrong(path, "this is a list", "[...]", type(plain).__name__)
            return ()
        return tuple(str(text) for text in plain)

    def across(self, name: str, schema: Schema, found: Mapping[str, Schema]) -> None:
        for column_name, column in schema.columns.items():
            if column.kind == "link" and column.parent:
                parent, _, key = column.parent.rpartition(".")
                if parent not in found or found[parent].columns.get(key, Column("empty")).kind != "key":
                    self.wrong(
                        f"tables.{name}.columns.{column_name}",
                        "the link leads nowhere",
                        "the TABLE.COLUMN of a column of kind key",
                        column.parent,
                    )


def _nearest(word: str, known: Any) -> str | None:
    import difflib

    near = difflib.get_close_matches(word, list(known), 1)
    return f"Did you mean {near[0]}?" if near else None
