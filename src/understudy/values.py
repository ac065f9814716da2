"""Values that may vary: what a recipe says where a number or a name is wanted.

===============  =======================================  ==========================================================
value            in a recipe                              draws
===============  =======================================  ==========================================================
Fixed            ``3``                                    always 3
Uniform          ``{uniform: [a, b]}``                    a real number in [a, b)
LogUniform       ``{log_uniform: [a, b]}``                a real number whose logarithm is uniform, 0 < a < b
Normal           ``{normal: [mean, std, low, high]}``     a normal number, truncated to [low, high]
Integers         ``{integers: [a, b]}``                   a whole number in [a, b], both ends included
Choice           ``{choice: [x, y, z]}``                  one of the options, equally likely
Weighted         ``{weighted: {x: 3, y: 1}}``             one of the options by weight; an option may be a range
                                                          (``"0-12"``, ``"61+"`` up to the support's end); options
                                                          that no label can say: ``{weighted: [[x, 3], [y, 1]]}``
Tuned            ``{tune: {uniform: [a, b]}}``            what it marks draws; ``understudy search`` may move it
===============  =======================================  ==========================================================

``draw(key)`` is a function of the key alone. ``reach()`` gives every value's bounds or every option, so that a recipe can
be checked against a parameter's support before anything is drawn. ``plain()`` gives back what a recipe would say.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Protocol

from understudy.key import Key

# A label of Weighted that stands for numbers between two ends: "0-12", "-5-5", "61+".
RANGE_LABEL = re.compile(r"(?P<low>-?\d+(?:\.\d+)?)(?:-(?P<high>-?\d+(?:\.\d+)?)|\+)")

TUNE = "tune"
"""What a recipe writes around a distribution that a search may move."""


class Value(Protocol):
    """Something that can be drawn."""

    def draw(self, key: Key) -> Any: ...

    def reach(self) -> tuple[Any, ...]:
        """Values that bound what ``draw`` can give: the ends of an interval, or every option."""
        ...

    def plain(self) -> Any: ...


@dataclass(frozen=True)
class Fixed:
    """Always the same value (a literal in a recipe)."""

    value: Any

    def draw(self, key: Key) -> Any:
        return self.value

    def reach(self) -> tuple[Any, ...]:
        return (self.value,)

    def plain(self) -> Any:
        return list(self.value) if isinstance(self.value, tuple) else self.value


@dataclass(frozen=True)
class Uniform:
    """A real number in [low, high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)

    def draw(self, key: Key) -> float:
        return key.uniform(self.low, self.high)

    def reach(self) -> tuple[float, float]:
        return (self.low, self.high)

    def plain(self) -> dict:
        return {"uniform": [self.low, self.high]}


@dataclass(frozen=True)
class LogUniform:
    """A real number whose logarithm is uniform in [log low, log high)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)
        if self.low <= 0:
            raise ValueError(f"log_uniform wants two positive numbers, got {self.low:g}")

    def draw(self, key: Key) -> float:
        drawn = math.exp(key.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)

    def reach(self) -> tuple[float, float]:
        return (self.low, self.high)

    def plain(self) -> dict:
        return {"log_uniform": [self.low, self.high]}


@dataclass(frozen=True)
class Normal:
    """A normal number truncated to [low, high] (drawn through the inverse of the distribution function)."""

    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)
        if self.std <= 0:
            raise ValueError(f"normal wants a standard deviation above 0, got {self.std:g}")

    def draw(self, key: Key) -> float:
        from scipy.special import ndtr, ndtri

        a, b = ((end - self.mean) / self.std for end in (self.low, self.high))
        if a > 0:  # in the upper tail the distribution function rounds to 1: use the lower one, mirrored
            drawn = self.mean - self.std * float(ndtri(key.uniform(ndtr(-b), ndtr(-a))))
        else:
            drawn = self.mean + self.std * float(ndtri(key.uniform(ndtr(a), ndtr(b))))
        return min(max(drawn, self.low), self.high)

    def reach(self) -> tuple[float, float]:
        return (self.low, self.high)

    def plain(self) -> dict:
        ends = [] if self.low == -math.inf and self.high == math.inf else [self.low, self.high]
        return {"normal": [self.mean, self.std, *ends]}


@dataclass(frozen=True)
class Integers:
    """A whole number in [low, high], both ends included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        _ordered(self.low, self.high)

    def draw(self, key: Key) -> int:
        return key.integer(self.low, self.high)

    def reach(self) -> tuple[int, int]:
        return (self.low, self.high)

    def plain(self) -> dict:
        return {"integers": [self.low, self.high]}


@dataclass(frozen=True)
class Choice:
    """One of ``options`` (values or plain literals), all equally likely."""

    options: tuple[Any, ...]

    def __post_init__(self) -> None:
        if not self.options:
            raise ValueError("choice wants at least one option, got none")

    def draw(self, key: Key) -> Any:
        return as_value(self.pick(key)).draw(key.child("value"))

    def pick(self, key: Key) -> Any:
        """The option that ``draw`` draws from."""
        return key.child("which").choice(self.options)

    def reach(self) -> tuple[Any, ...]:
        return tuple(r for option in self.options for r in as_value(option).reach())

    def plain(self) -> dict:
        return {"choice": [as_value(o).plain() for o in self.options]}


@dataclass(frozen=True)
class Weighted:
    """One of ``options`` with probability proportional to its weight.

    ``options`` holds (label, value, weight): the label is what the recipe says ("0-12", "plain"), the value what is
    drawn (a distribution or a literal).
    """

    options: tuple[tuple[str, Any, float], ...]

    def __post_init__(self) -> None:
        if not self.options or any(w < 0 or not math.isfinite(w) for _, _, w in self.options):
            raise ValueError("weighted wants weights of at least 0")
        if sum(w for _, _, w in self.options) <= 0:
            raise ValueError("weighted wants at least one weight above 0")

    def draw(self, key: Key) -> Any:
        return as_value(self.pick(key)).draw(key.child("value"))

    def pick(self, key: Key) -> Any:
        """The option that ``draw`` draws from."""
        return self.options[key.child("which").weighted([w for _, _, w in self.options])][1]

    def reach(self) -> tuple[Any, ...]:
        return tuple(r for _, value, _ in self.options for r in as_value(value).reach())

    def plain(self) -> dict:
        labels = [label_of(value) for _, value, _ in self.options]
        whole = any(isinstance(value, Integers) for _, value, _ in self.options)  # a range means real numbers, mostly
        if whole or None in labels or len(set(labels)) < len(labels):
            return {"weighted": [[as_value(value).plain(), weight] for _, value, weight in self.options]}
        return {"weighted": {label: weight for label, (_, _, weight) in zip(labels, self.options)}}


@dataclass(frozen=True)
class Tuned:
    """A value that a search may move. It draws exactly what the value that it marks draws."""

    value: Any

    def __post_init__(self) -> None:
        if isinstance(self.value, Fixed | Tuned) or not hasattr(self.value, "draw"):
            raise ValueError("tune marks something that varies")

    def draw(self, key: Key) -> Any:
        return self.value.draw(key)

    def reach(self) -> tuple[Any, ...]:
        return self.value.reach()

    def plain(self) -> dict:
        return {TUNE: self.value.plain()}


def as_value(thing: Any) -> Value:
    """``thing`` itself if it can be drawn, else a constant. The one place where a literal becomes a value."""
    return thing if hasattr(thing, "draw") else Fixed(thing)


def label_of(value: Any) -> str | None:
    """The label that says ``value`` in few words (text, a number, a range such as "0-12"); None if there is none."""
    if isinstance(value, Fixed):
        value = value.value
    if isinstance(value, Uniform | Integers):
        low, high = label_of(value.low), label_of(value.high)
        label = f"{low}-{high}"
        return label if RANGE_LABEL.fullmatch(label) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e15 else repr(value)
    return value if isinstance(value, str) else None


def _ordered(low: float, high: float) -> None:
    if not low <= high:
        raise ValueError(f"the low end must not be above the high end, got [{low:g}, {high:g}]")
