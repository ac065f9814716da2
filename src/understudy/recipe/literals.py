"""One value of a recipe against its support: a literal of the right kind, or a problem that says what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

from understudy import supports
from understudy.fields import Param, Setting
from understudy.recipe.marks import Reading, clipped, did_you_mean, listed, nearest, quoted
from understudy.recipe.scalars import OLD_BOOLEAN
from understudy.recipe.tree import Items, Node, Scalar, shown
from understudy.recipe.units import convert, quantity


class _Wrong(Enum):
    WRONG = "wrong"


# What a reader gives when it has noted a problem (None is a value of optional texts).
WRONG = _Wrong.WRONG


class Located(str):
    """A path as worlds use it: absolute. ``said`` is how the recipe put it, which is what is written down again."""

    said: str

    def __new__(cls, path: str, said: str) -> Located:
        text = super().__new__(cls, path)
        text.said = said
        return text

    def __getnewargs__(self) -> tuple[str, str]:
        return str(self), self.said

    @property
    def start(self) -> Path | None:
        """The folder that ``said`` is relative to, or None where it stands on its own."""
        said = Path(self.said).expanduser()
        if said.is_absolute():
            return None
        return Path(self).parents[len(said.parts) - 1] if said.parts else Path(self)


def wanted(field: Param | Setting) -> str:
    """``a number in [0, 90], in years``."""
    return field.support.describe() + (f", in {field.unit}" if field.unit else "")


def read_literal(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    """The node's value in the support's own type (a number is a float, a list a tuple), or WRONG."""
    value = _READERS[type(field.support)](reading, node, field, path)
    if value is WRONG or field.support.contains(value):
        return value
    reading.wrong(node.mark, path, "lies outside what is allowed", wanted=wanted(field), got=shown(node))
    return WRONG


def read_number(node: Node, unit: str, wrong: Callable[..., None]) -> float | int | object:
    """A number, or a quantity in a unit that converts to ``unit``; else ``wrong(got=, remedy=)`` is called."""
    value = node.value if isinstance(node, Scalar) else None
    if supports.is_number(value):
        return value
    remedy = None
    if isinstance(value, str):
        split = quantity(value)
        if split is not None:
            converted = convert(*split, unit)
            if converted is not None:
                return converted
            remedy = f"{split[1]} is not {_a_unit(unit)}. Write the number {'in ' + unit if unit else 'without a unit'}"
        elif _is_number_text(value):
            remedy = f"Write {clipped(value.strip())} without quotes"
        elif "," in value and _is_number_text(value.replace(",", ".", 1)):
            remedy = f"Write {clipped(value.replace(',', '.', 1))}: a point stands before the decimals"
    elif isinstance(node, Scalar) and value is None:
        remedy = "Write a value, or leave the key out to keep the default"
    wrong(got=shown(node), remedy=remedy)
    return WRONG


def _a_unit(unit: str) -> str:
    return f"a unit that converts to {unit}" if unit else "wanted here: this number has no unit"


def _is_number_text(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _wrong_kind(reading: Reading, node: Node, field: Param | Setting, path: str, *, got: str | None = None,
                remedy: str | None = None) -> object:
    reading.wrong(node.mark, path, "is not what is wanted here", wanted=wanted(field), got=got or shown(node),
                  remedy=remedy)
    return WRONG


def _interval(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    if isinstance(node, Items):
        return _wrong_kind(reading, node, field, path, remedy=_range_remedy(node, field))
    value = read_number(node, field.unit, partial(_wrong_kind, reading, node, field, path))
    return value if value is WRONG else as_float(value)


def as_float(value: float | int) -> float:
    """As a float; a whole number too large for one becomes infinite, which no support holds."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _whole(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    if isinstance(node, Items):
        return _wrong_kind(reading, node, field, path, remedy=_range_remedy(node, field))
    value = read_number(node, field.unit, partial(_wrong_kind, reading, node, field, path))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _range_remedy(node: Items, field: Param | Setting) -> str | None:
    """``[20, 30]`` where one number is wanted: the distributions that may have been meant."""
    values = [n.value for n in node.nodes if isinstance(n, Scalar) and supports.is_number(n.value)]
    if isinstance(field, Setting) or not values or len(values) != len(node.nodes):
        return None
    form = "integers" if isinstance(field.support, supports.Integers) else "uniform"
    text = shown(node)
    between = f"{{{form}: {text}}} for anything between, or " if len(values) == 2 else ""
    return f"Write {between}{{choice: {text}}} for one of them"


def _one_of(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    options = field.support.options
    if isinstance(node, Scalar) and isinstance(node.value, str):
        if node.value in options:
            return str(node.value)
        return _wrong_kind(reading, node, field, path, remedy=did_you_mean(node.value, options))
    remedy = None
    if isinstance(node, Items) and isinstance(field, Param):
        remedy = f"Write {{choice: {shown(node)}}} for one of them"
    elif isinstance(node, Scalar) and node.text in options:
        remedy = f'Write "{node.text}" in quotes'
    return _wrong_kind(reading, node, field, path, remedy=remedy)


def _boolean(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    word = node.value.lower() if isinstance(node, Scalar) and isinstance(node.value, str) else None
    meant = OLD_BOOLEAN.get(word, {"true": True, "false": False}.get(word)) if word else None
    if isinstance(node, Scalar) and node.value in (0, 1):
        meant = bool(node.value)
    return _wrong_kind(reading, node, field, path,
                       remedy=None if meant is None else f"Write {'true' if meant else 'false'}")


def _text(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    support = field.support
    if isinstance(node, Scalar) and (isinstance(node.value, str) or (node.value is None and support.optional)):
        if isinstance(node.value, str) and not node.value.strip():
            return _wrong_kind(reading, node, field, path,
                               remedy="Leave the key out to keep the default" if support.optional else None)
        return _located(reading, node, field, path) if support.path and node.value is not None else node.value
    quotable = isinstance(node, Scalar) and node.value is not None
    return _wrong_kind(reading, node, field, path, remedy=f'Write "{clipped(node.text)}" in quotes' if quotable else None)


def _located(reading: Reading, node: Scalar, field: Param | Setting, path: str) -> Any:
    if isinstance(node.value, Located):
        return node.value
    said = str(node.value)
    if node.mark.typed and not said.startswith("~"):  # it must mean the same folder when the text is read elsewhere
        said = str(Path.cwd() / said)
    try:
        return Located(str(reading.folder / Path(said).expanduser()), said)
    except RuntimeError:  # ~ of somebody who has no home here
        return _wrong_kind(reading, node, field, path, remedy="Write the whole path in place of ~")


def _vector(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    support = field.support
    if not isinstance(node, Items) or len(node.nodes) != support.length:
        return _wrong_kind(reading, node, field, path, remedy=f"Write {support.length} numbers between [ and ]")
    one = supports.Integers(support.low, support.high) if support.whole else supports.Interval(support.low, support.high)
    read = _whole if support.whole else _interval
    items = [read(reading, n, Setting(one, field.unit, ""), f"{path}[{i}]") for i, n in enumerate(node.nodes)]
    return WRONG if WRONG in items else tuple(items)


def _many(reading: Reading, node: Node, field: Param | Setting, path: str) -> Any:
    options = field.support.options
    if not isinstance(node, Items):
        remedy = f"Write [{node.value}]" if isinstance(node, Scalar) and node.value in options else None
        return _wrong_kind(reading, node, field, path, remedy=remedy)
    names: list[str] = []
    good = True
    for i, item in enumerate(node.nodes):
        name = item.value if isinstance(item, Scalar) else None
        if not isinstance(name, str) or name not in options:
            near = nearest(name, options) if isinstance(name, str) else None
            reading.wrong(item.mark, f"{path}[{i}]", f"there is no {shown(item)}", wanted=f"one of {listed(options)}",
                          remedy=near and f'Did you mean "{near}"?')
        elif name in names:
            reading.wrong(item.mark, f"{path}[{i}]", f"{quoted(name)} stands in the list twice")
        else:
            names.append(str(name))
            continue
        good = False
    return tuple(names) if good else WRONG


_READERS: dict[type, Callable[[Reading, Node, Param | Setting, str], Any]] = {
    supports.Interval: _interval,
    supports.Integers: _whole,
    supports.OneOf: _one_of,
    supports.Boolean: _boolean,
    supports.Text: _text,
    supports.Vector: _vector,
    supports.Many: _many,
}
