"""What a semantic network should answer for a batch: shares of each class in each cell, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.learn.augment import framed_labels
from understudy.learn.mixture import Sample


@dataclass(frozen=True)
class Regions:
    """share : (b, 1 + classes, h, w) float32, each cell's share of each class, background first, summing to 1 where
    anything is labelled; weight : (b, h, w) float32, the share of the cell that is labelled."""

    share: np.ndarray
    weight: np.ndarray


def regions(samples: Sequence[Sample], classes: int, side: int, stride: int) -> Regions:
    """Shares of each class in each cell of ``stride`` pixels. What the frame shows beyond the picture is background."""
    maps = np.stack([s.part.table[framed_labels(s.part.store.regions[s.row], s.seen, side)] for s in samples])
    share = np.stack([_counted(maps == c, stride) for c in range(classes + 1)], 1) * np.float32(1 / stride**2)
    weight = share.sum(1)
    return Regions(share / np.maximum(weight, 1e-6)[:, None], weight)


def _counted(covered: np.ndarray, stride: int) -> np.ndarray:
    """(b, h, w) bool -> (b, h / stride, w / stride) uint8: how many pixels of each cell are covered. Rows are added first,
    whole and as bytes, then columns: a reduction over two short axes would take five times as long."""
    b, h, w = covered.shape
    rows = covered.reshape(b, h // stride, stride, w).view(np.uint8).sum(2, dtype=np.uint8)
    return sum(rows[:, :, i::stride] for i in range(1, stride)) + rows[:, :, ::stride]
