"""What a detector should answer for a batch: bumps at centres, boxes, masks and key points, as plain arrays.

Centres as bumps on a heat map are CenterNet's (Zhou et al., *Objects as Points*, 2019); several cells around a centre answer
for its box, as in TTFNet (Liu et al., AAAI 2020). Lengths are in cells of the network's output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from understudy.learn.augment import framed_labels
from understudy.learn.mixture import Sample

_SEEN_SHARE = 0.3  # of a box's area: what the frame cuts further is neither asked for nor punished
_REACH = (1, 3)  # cells to each side of a centre that answer for its box, too: least and most


@dataclass(frozen=True)
class Things:
    """Targets of a batch of b pictures with n boxes.

    heat : (b, classes, h, w) float32, a bump of height 1 at each centre; weight : (b, h, w), 0 where nothing is asked
    picture, y, x, owner : (p,) the cells that answer, and the number of the box that each answers for
    box : (n, 4) float32 xyxy
    masks : (n, h, w) float32, each cell's covered share; masked : (n,) whether there is any (None unless asked for)
    points : (n, k, 3) x, y, visibility; joints : (b, k, h, w) a bump at each labelled point (None unless asked for)
    """

    heat: np.ndarray
    weight: np.ndarray
    picture: np.ndarray
    y: np.ndarray
    x: np.ndarray
    owner: np.ndarray
    box: np.ndarray
    masks: np.ndarray | None = None
    masked: np.ndarray | None = None
    points: np.ndarray | None = None
    joints: np.ndarray | None = None


@dataclass
class _Gathered:
    cells: list[tuple[int, int, int, int]] = field(default_factory=list)  # picture, y, x, owner
    boxes: list[np.ndarray] = field(default_factory=list)
    masks: list[np.ndarray] = field(default_factory=list)
    points: list[np.ndarray] = field(default_factory=list)


def things(samples: Sequence[Sample], classes: int, side: int, stride: int, *, masks: bool = False,
           twins: Sequence[int] | None = None) -> Things:
    """Targets of the detector; with ``masks`` those of its masks, with ``twins`` (each point's mirror) of key points."""
    b, cells = len(samples), side // stride
    heat, weight = np.zeros((b, classes, cells, cells), np.float32), np.ones((b, cells, cells), np.float32)
    joints = None if twins is None else np.zeros((b, len(twins), cells, cells), np.float32)
    got = _Gathered()
    for i, sample in enumerate(samples):
        store, own = sample.part.store, sample.part.store.labels_of(sample.row)
        cut, number, asked = in_frame(sample)
        cut = cut * cells
        left = (cut[:, 2:] - cut[:, :2]).clip(0).prod(1)
        numbers = framed_labels(store.things[sample.row], sample.seen, side) if masks else None
        for x0, y0, x1, y1 in cut[(number > 0) & ~asked & (left > 0)]:
            weight[i, int(y0):int(np.ceil(y1)), int(x0):int(np.ceil(x1))] = 0
        answering: dict[tuple[int, int], int] = {}
        for j in sorted(np.flatnonzero(asked), key=lambda j: -left[j]):  # small boxes last: they win what several claim
            answering |= dict.fromkeys(_mark(heat[i, number[j] - 1], weight[i], cut[j]), len(got.boxes))
            got.boxes.append(cut[j])
            if numbers is not None:
                covered = (numbers == j + 1).reshape(cells, stride, cells, stride)
                got.masks.append(covered.mean((1, 3), dtype=np.float32))
            if twins is not None:
                points = points_in_frame(store.points[own][j], sample, twins) * (cells, cells, 1)
                got.points.append(points)
                for k in np.flatnonzero(points[:, 2]):
                    size = max(cut[j][2] - cut[j][0], cut[j][3] - cut[j][1])
                    _bump(joints[i, k], points[k, :2], 0.3 * size, 0.3 * size)
        got.cells += [(i, y, x, n) for (y, x), n in answering.items()]
    where = np.array(got.cells, np.int64).reshape(-1, 4)
    n = len(got.boxes)
    covers = np.array(got.masks, np.float32).reshape(n, cells, cells) if masks else None
    return Things(heat, weight, where[:, 0], where[:, 1], where[:, 2], where[:, 3],
                  np.array(got.boxes, np.float32).reshape(-1, 4), covers, None if covers is None else covers.any((1, 2)),
                  None if twins is None else np.array(got.points, np.float32).reshape(n, len(twins), 3), joints)


def in_frame(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture's boxes as the frame cuts them, xyxy in shares of its side (n, 4); their class numbers, 0 none (n,); and
    whether each is asked for (n,): of a class, not to be ignored, and enough of it in the frame."""
    store, own = sample.part.store, sample.part.store.labels_of(sample.row)
    boxes = sample.seen.boxes(store.boxes[own])
    cut = boxes.clip(0, 1)
    area, left = (boxes[:, 2:] - boxes[:, :2]).prod(1), (cut[:, 2:] - cut[:, :2]).clip(0).prod(1)
    number = np.array(sample.part.number)[store.category[own] - 1]
    return cut, number, (number > 0) & ~store.ignored[own] & (left >= _SEEN_SHARE * area) & (left > 0)


def _mark(heat: np.ndarray, weight: np.ndarray, box: np.ndarray) -> list[tuple[int, int]]:
    """Draw the box's bump on ``heat``; the cells (y, x) that answer for it: its centre's and those around it inside."""
    x0, y0, x1, y1 = box.tolist()
    h, w = heat.shape
    cx, cy = int(min((x0 + x1) / 2, w - 1)), int(min((y0 + y1) / 2, h - 1))
    _bump(heat, (cx + 0.5, cy + 0.5), x1 - x0, y1 - y0)
    weight[cy, cx] = 1
    rx, ry = (int(np.clip(0.12 * size, *_REACH)) for size in (x1 - x0, y1 - y0))
    around = [(y, x) for y in range(max(cy - ry, 0), min(cy + ry, h - 1) + 1)
              for x in range(max(cx - rx, 0), min(cx + rx, w - 1) + 1)
              if x0 < x + 0.5 < x1 and y0 < y + 0.5 < y1]
    return [*around, (cy, cx)]


def _bump(heat: np.ndarray, centre: tuple[float, float] | np.ndarray, wide: float, high: float) -> None:
    """Raise ``heat`` (h, w) to a Gaussian around ``centre`` (x, y), a tenth of the size wide, height 1 at its own cell."""
    h, w = heat.shape
    cx, cy = int(min(max(centre[0], 0), w - 1)), int(min(max(centre[1], 0), h - 1))
    sx, sy = max(0.1 * wide, 0.55), max(0.1 * high, 0.55)
    rx, ry = int(3 * sx) + 1, int(3 * sy) + 1
    x = np.arange(max(cx - rx, 0), min(cx + rx + 1, w))
    y = np.arange(max(cy - ry, 0), min(cy + ry + 1, h))
    bump = np.exp(-((y[:, None] - cy) ** 2 / (2 * sy**2) + (x[None] - cx) ** 2 / (2 * sx**2))).astype(np.float32)
    part = heat[y[0]:y[-1] + 1, x[0]:x[-1] + 1]
    np.maximum(part, bump, out=part)


def points_in_frame(points: np.ndarray, sample: Sample, twins: Sequence[int]) -> np.ndarray:
    """(k, 3) in shares of the picture -> of the frame; left and right exchanged in a flipped one; none labelled outside."""
    xy = sample.seen.points(points[:, :2])
    seen = np.where(((xy >= 0) & (xy < 1)).all(1), points[:, 2], 0)
    moved = np.column_stack([xy, seen]).astype(np.float32)
    return moved[list(twins)] if sample.seen.flipped else moved
