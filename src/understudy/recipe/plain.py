"""A recipe as plain data and as YAML text: defaults filled, one form, read back to an equal recipe."""

from __future__ import annotations

import dataclasses
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from understudy.errors import Problem, RecipeError
from understudy.fields import Group, Param, Slot
from understudy.recipe.literals import Located
from understudy.recipe.marks import listed, number
from understudy.recipe.parts import Declared, Tables, declared, entry_name
from understudy.recipe.scalars import is_plain
from understudy.values import TUNE, as_value


def plain_fields(thing: Any, tables: Tables, path: str) -> dict[str, Any]:
    """A dataclass of fields as a mapping, every field named."""
    return {name: plain_field(getattr(thing, name), field, tables, f"{path}.{name}")
            for name, field in declared(type(thing), tables).items()}


def plain_field(value: Any, field: Declared, tables: Tables, path: str) -> Any:
    """One field's value as a recipe would say it."""
    if isinstance(field, Group):
        return _nested(value, tables, path)
    if isinstance(field, Slot):
        return plain_slot(value, field, tables, path)
    return _tidy(as_value(value).plain() if isinstance(field, Param) else value)


def plain_slot(thing: Any, slot: Slot, tables: Tables, path: str) -> Any:
    """``{name: {fields}}``; RecipeError if the table does not list the thing's class."""
    if thing is None:
        return None
    name = entry_name(slot.table, thing)
    if name is None:
        raise RecipeError([Problem("recipe", path, f"no table lists {type(thing).__name__}", listed(slot.table), None,
                                   "Give tables=Tables(...) with an entry for it")])
    return {name: _nested(thing, tables, f"{path}.{name}")}


def _nested(thing: Any, tables: Tables, path: str) -> dict[str, Any]:
    if not dataclasses.is_dataclass(thing) or isinstance(thing, type):
        raise RecipeError([Problem("recipe", path, "is not what is wanted here", "a dataclass of fields",
                                   type(thing).__name__)])
    return plain_fields(thing, tables, path)


def _tidy(value: Any) -> Any:
    """Lists for tuples, and whole floats as whole numbers, so that one value has one text."""
    if isinstance(value, Mapping):
        return {k: _tidy(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_tidy(v) for v in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def said(plain: Any) -> Any:
    """Plain data with its paths as the recipe put them."""
    if isinstance(plain, Mapping):
        return {k: said(v) for k, v in plain.items()}
    if isinstance(plain, list):
        return [said(v) for v in plain]
    return plain.said if isinstance(plain, Located) else plain


def paths(thing: Any) -> list[Located]:
    """Every path that a recipe, or a part of one, names."""
    if isinstance(thing, Located):
        return [thing]
    if dataclasses.is_dataclass(thing):
        return [p for f in dataclasses.fields(thing) for p in paths(getattr(thing, f.name))]
    return [p for item in thing for p in paths(item)] if isinstance(thing, tuple) else []


def to_yaml(plain: Mapping[str, Any]) -> str:
    """YAML 1.2 text of plain data: mappings of fields as blocks, distributions and lists on one line."""
    return "\n".join(_block(plain, 0)) + "\n"


def _block(mapping: Mapping[str, Any], indent: int) -> list[str]:
    lines = []
    for key, value in mapping.items():
        head = " " * indent + _word(str(key)) + ":"
        if isinstance(value, Mapping) and value and not _is_distribution(value):
            lines += [head, *_block(value, indent + 2)]
        else:
            lines.append(f"{head} {flow(value)}")
    return lines


def _is_distribution(mapping: Mapping[str, Any]) -> bool:
    from understudy.recipe.distributions import NAMES

    return len(mapping) == 1 and next(iter(mapping)) in (*NAMES, TUNE)


def marks(plain: Any, path: str = "") -> list[str]:
    """The paths of everything in plain data that is marked with ``tune``."""
    if not isinstance(plain, Mapping):
        return []
    if list(plain) == [TUNE]:
        return [path]
    return [found for key, value in plain.items() for found in marks(value, f"{path}.{key}" if path else str(key))]


def unmarked(plain: Any) -> Any:
    """Plain data without the marks of ``tune``."""
    if isinstance(plain, Mapping):
        return unmarked(plain[TUNE]) if list(plain) == [TUNE] else {k: unmarked(v) for k, v in plain.items()}
    return [unmarked(v) for v in plain] if isinstance(plain, list) else plain


def flow(value: Any) -> str:
    """Plain data on one line of YAML."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(k))}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, int | float) else _word(str(value))


def _key(text: str) -> str:
    """A mapping's key; a number or a range needs no quotes, because a key is taken as it is written."""
    return text if _LABEL.fullmatch(text) else _word(text)


def _word(text: str) -> str:
    """Text without quotes where every reader of YAML takes it for the same text, else in double quotes."""
    if is_plain(text):
        return text
    escaped = "".join(_ESCAPES.get(c) or (c if _is_writable(c) else f"\\U{ord(c):08X}") for c in text)
    return f'"{escaped}"'


_NUMBER = r"-?(0|[1-9][0-9]*)(\.[0-9]+)?"
_LABEL = re.compile(rf"{_NUMBER}(-{_NUMBER})?")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def _is_writable(character: str) -> bool:
    return character == " " or (character.isprintable() and unicodedata.category(character) not in ("Zl", "Zp"))
