"""From a tree of nodes to the recipe's parts: every name looked up, every value checked against its field."""

from __future__ import annotations

from typing import Any

from understudy.errors import UnderstudyError
from understudy.fields import Group, Param, Slot, resolve
from understudy.recipe.distributions import NAMES, read_value
from understudy.recipe.literals import WRONG, read_literal, wanted
from understudy.recipe.marks import Reading, listed, nearest, quoted
from understudy.recipe.parts import Declared, LabelSettings, Table, Tables, declared
from understudy.recipe.places import Place, places
from understudy.recipe.tree import Entries, Node, Scalar, shown
from understudy.values import TUNE


class Builder:
    """Reads one tree. Every method gives the thing read, or WRONG after noting the problem in ``reading``."""

    def __init__(self, reading: Reading, tables: Tables, tree: Node, parts: dict[str, Declared]) -> None:
        self.reading, self.tables, self.tree, self.parts = reading, tables, tree, parts

    def build(self) -> dict[str, Any]:
        """Every part that is written or has a default of fields, by name; a slot gives (name in its table, thing)."""
        if not isinstance(self.tree, Entries):
            self.reading.wrong(self.tree.mark, "", "is not a recipe", wanted=f"a mapping with {listed(self.parts)}",
                               got=shown(self.tree))
            return {}
        self.unknown(self.tree, self.parts, "")
        return {name: self.field(node, field, name)
                for name, field in self.parts.items() if (node := _given(self.tree, name, field)) is not None}

    def field(self, node: Node, field: Declared, path: str) -> Any:
        if isinstance(field, Group):
            return self.made(node, field.cls, path)
        if isinstance(field, Slot):
            return self.slot(node, field, path)
        if isinstance(field, Param):
            return read_value(self.reading, node, field, path)
        if isinstance(node, Entries) and len(node.pairs) == 1 and node.pairs[0][0].text in (*NAMES, TUNE):
            self.reading.wrong(node.mark, path, "is the same for the whole data set, so it cannot vary",
                               wanted=wanted(field), got=shown(node), remedy="Write one value")
            return WRONG
        return read_literal(self.reading, node, field, path)

    def made(self, node: Node, cls: type, path: str) -> Any:
        """An instance of a dataclass of fields."""
        fields = declared(cls, self.tables)
        if isinstance(node, Scalar) and node.value is None:  # a key with nothing behind it: all defaults
            node = Entries((), node.mark)
        if not isinstance(node, Entries):
            self.reading.wrong(node.mark, path, "is not what is wanted here", wanted=f"a mapping with {listed(fields)}",
                               got=shown(node))
            return WRONG
        good = self.unknown(node, fields, path)
        values: dict[str, Any] = {}
        for name, field in fields.items():
            inner = _given(node, name, field)
            if inner is not None:
                value = self.field(inner, field, f"{path}.{name}")
                values[name] = value[1] if isinstance(field, Slot) and value is not WRONG else value
        if not good or WRONG in values.values():
            return WRONG
        if cls is LabelSettings:
            values.setdefault("keep", tuple(self.tables.labels))
        try:
            return cls(**values)
        except (ValueError, UnderstudyError) as error:  # what the class itself checks: one field against another
            message = getattr(error, "message", None) or str(error)
            facts = {n: getattr(error, n, None) for n in ("wanted", "got", "remedy")}
            self.reading.wrong(node.mark, path, message, **facts)
            return WRONG

    def slot(self, node: Node, slot: Slot, path: str) -> Any:
        """(name, instance) of an entry of the slot's table; (None, None) where nothing may stand and does."""
        wrong = self.reading.wrong
        if isinstance(node, Scalar) and node.value is None:
            if slot.optional:
                return None, None
            wrong(node.mark, path, "cannot be nothing", wanted=f"one of {listed(slot.table)}",
                  remedy="Leave the key out to keep the default" if slot.default else None)
            return WRONG
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return self.entry(node, Scalar(None, node.mark), slot.table, path)
        fields = isinstance(node, Entries) and not any(nearest(k.text, slot.table) for k, _ in node.pairs)
        if isinstance(node, Entries) and len(node.pairs) == 1 and not fields:
            return self.entry(*node.pairs[0], slot.table, path)
        remedy = None
        if fields and node.pairs:
            name = slot.default or next(iter(slot.table), None)
            remedy = name and f"Put these keys below the name, as in {path.rpartition('.')[2]}: {{{name}: {{...}}}}"
        wrong(node.mark, path, "is not one name of its table", wanted=f"one of {listed(slot.table)}", got=shown(node),
              remedy=remedy)
        return WRONG

    def entry(self, key: Scalar, node: Node, table: Table, path: str) -> Any:
        name = key.text
        if name not in table:
            near = nearest(name, table)
            self.reading.wrong(key.mark, path, f"there is no {quoted(name)}", wanted=f"one of {listed(table)}",
                               remedy=near and f'Did you mean "{near}"?')
            return WRONG
        try:
            cls = resolve(table, name)
        except (ImportError, AttributeError) as error:
            self.reading.wrong(key.mark, path, f"{quoted(name)} cannot be loaded: {error}",
                               remedy='See what is missing with "understudy doctor"')
            return WRONG
        thing = self.made(node, cls, f"{path}.{name}")
        return WRONG if thing is WRONG else (name, thing)

    def unknown(self, node: Entries, known: dict[str, Declared], path: str) -> bool:
        """Note every key that is not declared; True if there is none."""
        odd = [key for key, _ in node.pairs if key.text not in known]
        for key in odd:
            near = nearest(key.text, [k for k in known if node.get(k) is None]) or nearest(key.text, known)
            remedy = f'Did you mean "{near}"?' if near else self.elsewhere(key.text)
            message = f"there is no {quoted(key.text)} here"
            self.reading.wrong(key.mark, path, message, wanted=f"one of {listed(known)}", remedy=remedy)
        return not odd

    def elsewhere(self, name: str) -> str | None:
        """Where the key belongs, if the recipe has exactly one place of that name."""
        found = [place for place in self.places if place.names[-1] == name]
        return f"It belongs at {found[0].path}" if len(found) == 1 else None

    @property
    def places(self) -> list[Place]:
        return list(places(self.tree, self.parts, self.tables))


def _given(node: Entries, name: str, field: Declared) -> Node | None:
    """What is written for a field, or the node of its default where that is looked up in tables."""
    given = node.get(name)
    if given is None and isinstance(field, Group):
        return Scalar(None, node.mark)
    if given is None and isinstance(field, Slot) and field.default is not None:
        return Scalar(field.default, node.mark, field.default)
    return given
