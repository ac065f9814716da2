"""States: what a model may say about a column. Each column's content becomes small whole numbers, and back.

A state always stands for at least ``k`` owners (rows): rare names are pooled, quantities are cut into cells, tails are
clipped. Whatever is learnt afterwards is learnt of states, so nothing that fewer than k rows share can come out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from understudy.tables.content import Names, Numbers, Texts

if TYPE_CHECKING:
    import numpy as np

    from understudy.key import Key
    from understudy.tables.content import Content
    from understudy.tables.schema import Column


class States(Protocol):
    """count : how many states; ordered : neighbouring numbers are alike"""

    count: int
    ordered: bool

    def encode(self, content: Content) -> np.ndarray:
        """(n,) int32 states of a column's content."""

    def decode(self, states: np.ndarray, key: Key, first: int) -> np.ndarray:
        """Made values of ``states``: (n,) float64 or object; ``first`` is the number of the first row."""

    def labels(self) -> list[str]:
        """A name for each state, for messages and charts."""

    def plain(self) -> dict[str, Any]:
        """Everything, as JSON."""


def learnt(content: Content, column: Column, k: int, cells: int) -> States:
    """The states of a column: at least ``k`` owners each, at most about ``cells`` of them."""
    from understudy.tables.states.blanks import Fresh, Words
    from understudy.tables.states.names import NameStates
    from understudy.tables.states.numbers import NumberStates

    if isinstance(content, Numbers):
        return NumberStates.learn(content, column, k, cells)
    if isinstance(content, Names):
        return NameStates.learn(content, k, column.kind == "ordered", column.names)
    if column.kind == "text":
        return Words.learn(content, k)
    return Fresh.learn(content, k, column.entity)


def restored(plain: dict[str, Any]) -> States:
    """States from what ``plain`` gave."""
    from understudy.tables.states.blanks import Fresh, Words
    from understudy.tables.states.names import NameStates
    from understudy.tables.states.numbers import NumberStates

    own = dict(plain)
    return {"numbers": NumberStates, "names": NameStates, "words": Words, "fresh": Fresh}[own.pop("states")].restore(own)


__all__ = ["States", "Texts", "learnt", "restored"]
