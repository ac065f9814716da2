"""Drawing by name: the path of a value in the recipe is its random stream, its manifest column and its name for ``--set``.

A world receives one :class:`Draws`, asks it for each value by the field's name, and every answer is remembered::

    count = draws("count", self.count)           # "world.people.count"
    for i in range(count):
        figure = draws.each(i)                   # the same places, once for each figure
        body = figure.at("body")
        age = body("age", self.body.age)         # "world.people.body.age[0]"
        body.note("height_m", 1.74)              # a derived fact, remembered too, not drawn
        freckles = body.key("freckles")          # a stream for bulk randomness that is no parameter

``lasting`` is the key of a record's first attempt; see :meth:`Draws.ordered`.

So the recipe's ``world.people.body.age`` is one axis, however many figures draw from it: a column's name is the path and
the members' numbers in brackets. Removing the third figure moves no other draw.
"""

from __future__ import annotations

from typing import Any

from understudy.key import Key
from understudy.values import as_value

Scalar = str | int | float | bool | None


class Draws:
    """A place in the tree of a record's draws. Places made from one another share one memory."""

    __slots__ = ("_key", "_lasting", "_members", "_memory", "_path")

    def __init__(self, key: Key, _path: tuple[str, ...] = (), _members: tuple[int, ...] = (),
                 _memory: dict[str, Scalar] | None = None, lasting: Key | None = None) -> None:
        self._key, self._path, self._members = key, _path, _members
        self._lasting = key if lasting is None else lasting
        self._memory: dict[str, Scalar] = {} if _memory is None else _memory

    def at(self, *names: str) -> Draws:
        """The place below this one."""
        return Draws(self._key.child(*names), (*self._path, *names), self._members, self._memory,
                     self._lasting.child(*names))

    def each(self, member: int) -> Draws:
        """This place for the ``member``-th of several alike (figure 0, figure 1 ...)."""
        return Draws(self._key, self._path, (*self._members, member), self._memory, self._lasting)

    def __call__(self, name: str, value: Any) -> Any:
        """Draw ``value`` (a Value or a literal) at ``name`` and remember it."""
        drawn = as_value(value).draw(self._key.child(name, *self._members))
        self._remember(name, drawn)
        return drawn

    def ordered(self, name: str, value: Any) -> Any:
        """Draw like a call, but where ``value`` is a choice of options, its option is the same in every attempt at a record.

        So a draw that is refused and drawn again does not shift the shares of what was ordered: a population's mix.
        """
        value = as_value(value)
        if not hasattr(value, "pick"):
            return self(name, value)
        drawn = as_value(value.pick(self._lasting.child(name, *self._members))).draw(
            self._key.child(name, *self._members, "value"))
        self._remember(name, drawn)
        return drawn

    def note(self, name: str, fact: Any) -> None:
        """Remember a derived fact (a scalar or a short list of them) under ``name``."""
        self._remember(name, fact)

    def key(self, *names: str | int) -> Key:
        """A stream of its own at this place, for bulk randomness that is not a parameter."""
        return self._key.child("stream", *self._members, *names)

    @property
    def drawn(self) -> dict[str, Scalar]:
        """Everything remembered so far, in the order drawn: path -> plain scalar."""
        return dict(self._memory)

    def _remember(self, name: str, value: Any) -> None:
        path = ".".join((*self._path, name))
        tail = "".join(f"[{m}]" for m in self._members)
        parts = {f"{path}.{i}": v for i, v in enumerate(value)} if isinstance(value, list | tuple) else {path: value}
        for part, scalar in parts.items():
            if part + tail in self._memory:
                raise ValueError(f"{part + tail} is drawn twice")
            self._memory[part + tail] = _scalar(scalar)


def _scalar(value: Any) -> Scalar:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "item"):  # a NumPy scalar
        return value.item()
    raise TypeError(f"a drawn value is a plain scalar, not {type(value).__name__}")
