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
    cells = side // stride
    blocks = maps.reshape(len(samples), cells, stride, cells, stride)
    share = np.stack([(blocks == c).mean((2, 4), dtype=np.float32) for c in range(classes + 1)], 1)
    weight = share.sum(1)
    return Regions(share / np.maximum(weight, 1e-6)[:, None], weight)
