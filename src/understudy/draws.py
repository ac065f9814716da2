"""Drawing by name: the path of a value is its random stream, its manifest column and its name in a recipe.

A world receives one :class:`Draws`, asks it for each value by name, and every answer is remembered under its full path::

    person = draws.at("people", 0)              # a place: people.0
    age = person("age", self.age)               # draws at key/people/0/age, remembers "people.0.age"
    person.note("height_m", 1.74)               # a derived fact, remembered too, not drawn
    grain = person.key("freckles")              # a stream for bulk randomness that is no parameter
"""

from __future__ import annotations

from typing import Any

from understudy.key import Key
from understudy.values import as_value

Scalar = str | int | float | bool | None


class Draws:
    """A place in the tree of a record's draws. Places made by :meth:`at` share one memory."""

    __slots__ = ("_key", "_memory", "_path")

    def __init__(self, key: Key, _path: tuple[str, ...] = (), _memory: dict[str, Scalar] | None = None) -> None:
        self._key, self._path = key, _path
        self._memory: dict[str, Scalar] = {} if _memory is None else _memory

    def at(self, *names: str | int) -> Draws:
        """The place below this one; whole numbers number the members of a list."""
        return Draws(self._key.child(*names), (*self._path, *map(str, names)), self._memory)

    def __call__(self, name: str, value: Any) -> Any:
        """Draw ``value`` (a Value or a literal) at ``name`` and remember it."""
        drawn = as_value(value).draw(self._key.child(name))
        self._remember(name, drawn)
        return drawn

    def note(self, name: str, fact: Scalar) -> None:
        """Remember a derived fact under ``name``."""
        self._remember(name, fact)

    def key(self, *names: str | int) -> Key:
        """A stream of its own below this place, for bulk randomness that is not a parameter."""
        return self._key.child("stream", *names)

    @property
    def drawn(self) -> dict[str, Scalar]:
        """Everything remembered so far, in the order drawn: dotted path -> plain scalar."""
        return dict(self._memory)

    def _remember(self, name: str, value: Any) -> None:
        path = ".".join((*self._path, name))
        parts = {f"{path}.{i}": v for i, v in enumerate(value)} if isinstance(value, list | tuple) else {path: value}
        for part, scalar in parts.items():
            if part in self._memory:
                raise ValueError(f"{part} is drawn twice")
            self._memory[part] = _scalar(scalar)


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "item"):  # a NumPy scalar
        return value.item()
    raise TypeError(f"a drawn value is a plain scalar, not {type(value).__name__}")
