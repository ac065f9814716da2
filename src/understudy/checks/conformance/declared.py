"""Walking an entry's declared fields, and fixing them to values."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

from understudy.fields import Group, Param, Setting, Slot, fields_of

_MEMBERS = re.compile(r"\[\d+\]")


def walk(entry: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Param | Setting | Group | Slot, Any]]:
    """(path, declaration, value) of every declared field of ``entry``, nested ones after what holds them."""
    for name, declared in fields_of(type(entry)).items():
        value = getattr(entry, name)
        yield (*path, name), declared, value
        if isinstance(declared, Group) or (isinstance(declared, Slot) and value is not None):
            yield from walk(value, (*path, name))


def axis(column: str) -> str:
    """The path that a drawn column belongs to: without the members' numbers in brackets."""
    return _MEMBERS.sub("", column)


def of_axis(drawn: Mapping[str, Any], path: tuple[str, ...], slots: Mapping[str, str]) -> dict[str, Any]:
    """The drawn columns of a declared parameter: its path, each element of a list, each member.

    slots : path of a slot -> name of the entry that stands there; a world may name it in the path, or not
    """
    return {column: value for column, value in drawn.items()
            if re.fullmatch(re.escape(".".join(path)) + r"(\.\d+)?", _without(axis(column), slots))}


def entries(entry: Any) -> dict[str, str]:
    """Every slot that holds something: its dotted path -> the name that the table has for it."""
    from understudy.fields import resolve

    found = {}
    for path, declared, value in walk(entry):
        if isinstance(declared, Slot) and value is not None:
            for name in declared.table:
                try:
                    if resolve(declared.table, name) is type(value):
                        found[".".join(path)] = name
                except ImportError:
                    continue
    return found


def fixed(entry: Any, values: Mapping[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Any:
    """``entry`` with the parameters of ``values`` (path -> value) fixed."""
    changes = {}
    for name, declared in fields_of(type(entry)).items():
        here, value = (*path, name), getattr(entry, name)
        if here in values:
            changes[name] = values[here]
        elif isinstance(declared, Group) or (isinstance(declared, Slot) and value is not None):
            changes[name] = fixed(value, values, here)
    return dataclasses.replace(entry, **changes)


def _without(column: str, slots: Mapping[str, str]) -> str:
    for path, name in slots.items():
        if column.startswith(f"{path}.{name}."):
            column = path + column[len(path) + 1 + len(name):]
    return column
