"""Exact outlines of binary masks, and back.

Coordinates are continuous pixels: the pixel in column c, row r is the square [c, c+1] x [r, r+1], its centre at +0.5. An
outline runs along the cracks *between* pixels, so its corners are whole numbers from 0 to the picture's width and height,
it is closed at the picture's border like anywhere else, and its shoelace area is the number of pixels.

pycocotools samples a polygon at pixel centres in the same frame, so these outlines rasterise to the very mask that they
came from (tests/geometry/test_polygons.py proves it on random masks).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def outlines(mask: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Every closed outline of an (h, w) bool mask by crack following: outer rings and holes.

    Each ring is (n, 2) int32 x, y corners (n >= 4, first not repeated, horizontal and vertical sides in turn), with the
    mask to the right of its direction: outer rings run clockwise as seen on the screen, holes counter-clockwise. Pixels
    that touch only at a corner belong to different rings, which meet there; the background joins at corners. Rings come
    in raster order of their topmost, then leftmost corner.
    """
    mask = np.asarray(mask, dtype=bool)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return [], []
    top, left = int(rows[0]), int(columns[0])
    crop = np.pad(mask[top:rows[-1] + 1, left:columns[-1] + 1], 1).astype(np.int8)
    start, end, heading, across = _runs(crop)
    following = _following(start, end, heading, across, crop.shape[0] * crop.shape[1])
    outer, holes = [], []
    for ring in _cycles(following):
        corners = start[ring]
        points = np.stack([corners % crop.shape[1] + left - 1, corners // crop.shape[1] + top - 1], axis=1).astype(np.int32)
        points = np.roll(points, -int(np.lexsort((points[:, 0], points[:, 1]))[0]), axis=0)
        (outer if signed_area(points) > 0 else holes).append(points)
    for rings in (outer, holes):
        rings.sort(key=lambda ring: (int(ring[0, 1]), int(ring[0, 0])))
    return outer, holes


def signed_area(ring: np.ndarray) -> float:
    """Shoelace area of an (n, 2) ring, px²: positive when it runs clockwise as seen on the screen (y down)."""
    x, y = np.asarray(ring, dtype=np.float64).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def rasterise(rings: Sequence[np.ndarray], size_hw: tuple[int, int]) -> np.ndarray:
    """The union of polygons as an (h, w) bool mask, each filled by pycocotools' rule (even-odd at pixel centres).

    rings : (n, 2) float x, y; a ring with fewer than three corners fills nothing
    """
    from pycocotools import mask as coco

    flat = [np.asarray(ring, dtype=np.float64).ravel().tolist() for ring in rings if len(ring) >= 3]
    if not flat:
        return np.zeros(size_hw, bool)
    return coco.decode(coco.merge(coco.frPyObjects(flat, *size_hw))).astype(bool)


def join(outer: Sequence[np.ndarray], holes: Sequence[np.ndarray] = ()) -> np.ndarray:
    """One closed ring that fills like all of them: each ring is spliced in by a bridge walked there and back.

    A bridge has no width, so the even-odd fill of the result is the same mask: parts stay apart and holes stay open
    (what a format that allows a single polygon can be given). Each ring is joined at the pair of corners nearest to each
    other. (n, 2) int32.
    """
    rings = [np.asarray(ring) for ring in (*outer, *holes)]
    if not rings:
        return np.zeros((0, 2), np.int32)
    joined = rings[0]
    for ring in rings[1:]:
        at, corner = _nearest(joined, ring)
        joined = np.concatenate([joined[:at + 1], ring[corner:], ring[:corner + 1], joined[at:]])
    return joined.astype(np.int32)


def _nearest(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """The corner of ``a`` and the corner of ``b`` that lie nearest to each other (the first such pair)."""
    from scipy.spatial import cKDTree

    distance, which = cKDTree(a).query(b)
    corner = int(np.argmin(distance))
    return int(which[corner]), corner


def _runs(crop: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Straight runs of cracks of a padded (h, w) int8 mask, each from corner to corner with the mask on its right.

    start, end : (n,) vertex numbers (y * w + x is the top left corner of pixel y, x)
    heading : (n,) +1 towards greater x or y, -1 towards smaller; across : (n,) True for horizontal runs
    """
    width = crop.shape[1]
    # A horizontal crack heads east with the mask below it; a vertical one heads north with the mask to its right (east).
    y, x0, x1, sign = _constant_runs(np.diff(crop, axis=0))
    low, high = (y + 1) * width + x0, (y + 1) * width + x1
    east = sign > 0
    x, y0, y1, mask_right = _constant_runs(np.diff(crop, axis=1).T)
    upper, lower = y0 * width + x + 1, y1 * width + x + 1
    south = mask_right < 0
    return (np.concatenate([np.where(east, low, high), np.where(south, upper, lower)]),
            np.concatenate([np.where(east, high, low), np.where(south, lower, upper)]),
            np.concatenate([np.where(east, 1, -1), np.where(south, 1, -1)]),
            np.concatenate([np.ones(len(east), bool), np.zeros(len(south), bool)]))


def _constant_runs(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Maximal runs of equal non-zero values along the rows: row, first, one past the last, value."""
    edge = np.pad(steps, ((0, 0), (1, 1)))
    changes = edge[:, 1:] != edge[:, :-1]
    row, first = np.nonzero(changes & (edge[:, 1:] != 0))
    last = np.nonzero(changes & (edge[:, :-1] != 0))[1]
    return row, first, last, steps[row, first]


def _following(start: np.ndarray, end: np.ndarray, heading: np.ndarray, across: np.ndarray, vertices: int) -> list[int]:
    """For each run the number of the run after it: the one that starts where it ends, turning right where two do."""
    leaving = np.full((2, vertices), -1)  # at a corner either horizontal or vertical runs leave, never both
    leaving[(heading > 0).astype(int), start] = np.arange(len(start))
    right = np.where(across, heading, -heading) > 0  # east turns south, south turns west
    turned, other = leaving[right.astype(int), end], leaving[(~right).astype(int), end]
    return np.where(turned >= 0, turned, other).tolist()


def _cycles(following: list[int]) -> list[list[int]]:
    cycles, seen = [], [False] * len(following)
    for first in range(len(following)):
        if seen[first]:
            continue
        cycle, at = [], first
        while not seen[at]:
            seen[at] = True
            cycle.append(at)
            at = following[at]
        cycles.append(cycle)
    return cycles
