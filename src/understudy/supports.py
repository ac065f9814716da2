"""What values a parameter may take: its support, stated once beside the parameter.

One statement serves as validation, JSON Schema, reference documentation and the source of bad values in tests. A support
answers three questions: does it contain a value, what does it say of itself (``Interval(0, 1)`` -> "a number in [0, 1]"),
and what is it in JSON Schema.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """Real numbers in [low, high] (closed; infinite ends are open)."""

    low: float = -math.inf
    high: float = math.inf

    def contains(self, value: object) -> bool:
        return is_number(value) and math.isfinite(value) and self.low <= value <= self.high

    def describe(self) -> str:
        return f"a number{_bounds(self.low, self.high)}"

    def schema(self) -> dict:
        return {"type": "number"} | _schema_bounds(self.low, self.high)


@dataclass(frozen=True)
class Integers:
    """Whole numbers in [low, high], both ends included."""

    low: float = -math.inf
    high: float = math.inf

    def contains(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def describe(self) -> str:
        return f"a whole number{_bounds(self.low, self.high)}"

    def schema(self) -> dict:
        return {"type": "integer"} | _schema_bounds(self.low, self.high)


@dataclass(frozen=True)
class OneOf:
    """One of a few names, in the order in which documentation shows them."""

    options: tuple[str, ...]

    def contains(self, value: object) -> bool:
        return isinstance(value, str) and value in self.options

    def describe(self) -> str:
        return "one of " + ", ".join(self.options)

    def schema(self) -> dict:
        return {"enum": list(self.options)}


@dataclass(frozen=True)
class Boolean:
    """true or false."""

    def contains(self, value: object) -> bool:
        return isinstance(value, bool)

    def describe(self) -> str:
        return "true or false"

    def schema(self) -> dict:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Text:
    """A string; ``meaning`` says of what ("a folder", "a name"). ``optional`` admits null.

    path : a file or a folder. A recipe's paths are relative to the recipe's own folder (``~`` is the home folder); the
        parser hands on an absolute one.
    """

    meaning: str = "text"
    optional: bool = False
    path: bool = False

    def contains(self, value: object) -> bool:
        return isinstance(value, str) or (self.optional and value is None)

    def describe(self) -> str:
        return self.meaning + (" or nothing" if self.optional else "")

    def schema(self) -> dict:
        return {"type": ["string", "null"]} if self.optional else {"type": "string"}


@dataclass(frozen=True)
class Vector:
    """A list of ``length`` numbers, each in [low, high] (a colour, a picture's size)."""

    length: int
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    def contains(self, value: object) -> bool:
        one = Integers(self.low, self.high) if self.whole else Interval(self.low, self.high)
        return isinstance(value, list | tuple) and len(value) == self.length and all(one.contains(v) for v in value)

    def describe(self) -> str:
        return f"a list of {self.length} {'whole ' if self.whole else ''}numbers{_bounds(self.low, self.high)}"

    def schema(self) -> dict:
        item = {"type": "integer" if self.whole else "number"} | _schema_bounds(self.low, self.high)
        return {"type": "array", "items": item, "minItems": self.length, "maxItems": self.length}


@dataclass(frozen=True)
class Many:
    """A list of names, each one of ``options``, none twice."""

    options: tuple[str, ...]

    def contains(self, value: object) -> bool:
        return (isinstance(value, list | tuple) and all(v in self.options for v in value)
                and len(set(value)) == len(value))

    def describe(self) -> str:
        return "a list of " + ", ".join(self.options)

    def schema(self) -> dict:
        return {"type": "array", "items": {"enum": list(self.options)}, "uniqueItems": True}


Support = Interval | Integers | OneOf | Boolean | Text | Vector | Many


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bounds(low: float, high: float) -> str:
    if low == -math.inf and high == math.inf:
        return ""
    if high == math.inf:
        return f" of at least {low:.12g}"
    if low == -math.inf:
        return f" of at most {high:.12g}"
    return f" in [{low:.12g}, {high:.12g}]"


def _schema_bounds(low: float, high: float) -> dict:
    return ({"minimum": low} if low != -math.inf else {}) | ({"maximum": high} if high != math.inf else {})
