"""Batches from one or several stores: ``real/train=0.15`` means that 15 % of the pictures shown are from there.

A batch is a function of (key, number): which pictures, how they are varied. Within a store every picture is shown once
before any is shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from understudy.key import Key
from understudy.learn.augment import DRAWS, Strength, Window, framed, recoloured, window
from understudy.learn.cache import Store

_NOISE = 1 << 20
_STYLE = DRAWS - 2  # the number that chooses a style; the last one chooses the part


@dataclass(frozen=True)
class Part:
    """One store of a mixture. share : of the pictures shown; number : class number (0 none) by category id, from 1."""

    store: Store
    share: float
    number: tuple[int, ...]

    @property
    def table(self) -> np.ndarray:
        """(256,) uint8: category id -> class number; 0 (background) and 255 (ignored) stay."""
        table = np.zeros(256, np.uint8)
        table[1:len(self.number) + 1] = self.number
        table[255] = 255
        return table


@dataclass(frozen=True)
class Sample:
    """One augmented picture: where it comes from and how it is seen."""

    part: Part
    row: int
    seen: Window


@dataclass
class Mixture:
    """An endless row of batches. restyle(picture, uniform number) : what is done to pictures of the first part, and of
    made ones, before their light and colour are varied; real ones that are mixed in stay as they are."""

    parts: Sequence[Part]
    key: Key
    side: int
    strength: Strength
    restyle: Callable[[np.ndarray, float], np.ndarray] | None = None
    _orders: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    _shown: list[int] = field(default_factory=list)
    _pool: np.ndarray | None = None

    def __post_init__(self) -> None:
        self._shown = [0] * len(self.parts)

    def batch(self, number: int, size: int) -> tuple[np.ndarray, list[Sample]]:
        """Batch ``number`` (to be asked for in order): (size, side, side, 3) uint8 and its samples."""
        if self._pool is None:
            self._pool = self.key.child("noise").normals(_NOISE)
        u = self.key.child("batch", number).uniforms(size, DRAWS)
        edges = np.cumsum([part.share for part in self.parts])
        which = np.searchsorted(edges / edges[-1], u[:, -1], side="right").clip(max=len(self.parts) - 1)
        images = np.zeros((size, self.side, self.side, 3), np.uint8)
        samples = []
        for i, part_number in enumerate(which.tolist()):
            part = self.parts[part_number]
            row = self._next(part_number)
            seen = window(u[i], self.strength)
            image = framed(part.store.images[row], seen, self.side)
            if self.restyle is not None and (part_number == 0 or part.store.made):
                image = self.restyle(image, float(u[i, _STYLE]))
            images[i] = recoloured(image, u[i], self.strength, self._pool)
            samples.append(Sample(part, row, seen))
        return images, samples

    def _next(self, part: int) -> int:
        """The next picture of a part: the rows in a random order, another one each time round."""
        store = self.parts[part].store
        turn, place = divmod(self._shown[part], len(store))
        self._shown[part] += 1
        if (part, turn) not in self._orders:
            self._orders.pop((part, turn - 1), None)
            self._orders[part, turn] = self.key.child("order", part, turn).permutation(len(store))
        return int(store.rows[self._orders[part, turn][place]])
