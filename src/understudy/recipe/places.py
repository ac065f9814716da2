"""Every place of a recipe that can be written to: what ``--set`` may name, and where a lost key belongs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from understudy.fields import Group, Slot, resolve
from understudy.recipe.parts import Declared, Tables, declared
from understudy.recipe.tree import Entries, Node, Scalar


@dataclass(frozen=True)
class Place:
    """One declared place. ``names`` is its full path; ``chosen`` marks the names of a slot's entry ("people"), which a
    shorter path may leave out."""

    names: tuple[str, ...]
    chosen: frozenset[int]
    field: Declared

    @property
    def path(self) -> str:
        return ".".join(self.names)

    def answers(self, asked: tuple[str, ...]) -> bool:
        """Is ``asked`` the end of this path, names of entries left out at will?"""
        left = list(asked)
        for at in range(len(self.names) - 1, -1, -1):
            if left and left[-1] == self.names[at]:
                left.pop()
            elif left and at not in self.chosen:
                return False
            if not left:
                return True
        return False


def places(tree: Node | None, parts: dict[str, Declared], tables: Tables) -> Iterator[Place]:
    """All places below ``parts``, each slot with the entry that ``tree`` chooses (its default where it says nothing)."""
    yield from _below(tree, parts, tables, (), frozenset())


def _below(node: Node | None, fields: dict[str, Declared], tables: Tables, names: tuple[str, ...],
           chosen: frozenset[int]) -> Iterator[Place]:
    for name, field in fields.items():
        here = (*names, name)
        inner = node.get(name) if isinstance(node, Entries) else None
        yield Place(here, chosen, field)
        if isinstance(field, Group):
            yield from _below(inner, declared(field.cls, tables), tables, here, chosen)
        elif isinstance(field, Slot):
            entry, content = choice(inner, field)
            if entry is None:
                continue
            try:
                cls = resolve(field.table, entry)
            except (ImportError, AttributeError):  # noted where the entry itself is read
                continue
            yield from _below(content, declared(cls, tables), tables, (*here, entry), chosen | {len(here)})


def choice(node: Node | None, slot: Slot) -> tuple[str | None, Node | None]:
    """The entry that a slot's node names, and what stands below it; (None, None) if it names none."""
    if node is None:
        return slot.default, None
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value in slot.table:
        return node.value, None
    if isinstance(node, Entries) and len(node.pairs) == 1 and node.pairs[0][0].text in slot.table:
        return node.pairs[0][0].text, node.pairs[0][1]
    return None, None
