"""States of named columns: each name with at least k owners, the rest pooled, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.tables.content import Names

if TYPE_CHECKING:
    from understudy.key import Key

RARE = "(rare)"


@dataclass(frozen=True)
class NameStates:
    """names : in state order; None: missing; RARE: names with fewer than k owners, taken together
    spare : public names that are no states of their own: what RARE is made as, evenly
    """

    names: tuple[str | None, ...]
    ordered: bool
    spare: tuple[str, ...] = ()

    @classmethod
    def learn(cls, content: Names, k: int, ordered: bool, public: tuple[str, ...] = ()) -> NameStates:
        owners = np.bincount(content.codes + 1, minlength=len(content.labels) + 1)
        kept: list[str | None] = [label for label, count in zip(content.labels, owners[1:]) if count >= k]
        pooled = int(owners[1:][owners[1:] < k].sum())
        missing = int(owners[0])
        if missing >= k or (missing and not kept):
            kept.insert(0, None)
        if pooled >= k or not kept:
            kept.append(RARE)
        return cls(tuple(kept), ordered, tuple(name for name in public if name not in kept))

    @property
    def count(self) -> int:
        return len(self.names)

    def encode(self, content: Names) -> np.ndarray:
        """States. What no state stands for is RARE; without such a state, the first one that is a name."""
        place = {name: n for n, name in enumerate(self.names)}
        other = place.get(RARE, min(1, len(self.names) - 1) if self.names[0] is None else 0)
        table = np.array([*(place.get(label, other) for label in content.labels), place.get(None, other)], np.int32)
        return table[content.codes]

    def strays(self, content: Names) -> np.ndarray:
        """(n,) bool: rows that no state stands for, not even RARE: fewer than k of them."""
        if RARE in self.names:
            return np.zeros(len(content.codes), bool)
        known = set(self.names)
        return np.array([*(label not in known for label in content.labels), None not in known])[content.codes]

    def decode(self, states: np.ndarray, key: Key, first: int) -> np.ndarray:
        made = np.array(self.names, dtype=object)[states]
        rare = np.flatnonzero(made == RARE) if self.spare else ()
        if len(rare):
            at = (key.child("spare").uniforms(len(states))[rare] * len(self.spare)).astype(int)
            made[rare] = np.array(self.spare, dtype=object)[at]
        return made

    def labels(self) -> list[str]:
        return ["(missing)" if name is None else name for name in self.names]

    def plain(self) -> dict[str, Any]:
        own = {"states": "names", "names": list(self.names), "ordered": self.ordered}
        return own | {"spare": list(self.spare)} if self.spare else own

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> NameStates:
        return cls(tuple(plain["names"]), plain["ordered"], tuple(plain.get("spare", ())))
