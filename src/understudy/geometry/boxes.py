"""Boxes: xyxy in continuous pixels, half-open, so that a full 640x480 picture is (0, 0, 640, 480)."""

from __future__ import annotations

import numpy as np


def box_of_mask(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """The tight box of a mask's pixels: mask (h, w) bool -> (x0, y0, x1, y1), or None for an empty mask.

    A single pixel at column 3, row 5 gives (3, 5, 4, 6).
    """
    columns = np.flatnonzero(mask.any(0))
    if not columns.size:
        return None
    rows = np.flatnonzero(mask.any(1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def box_iou(a_xyxy: np.ndarray, b_xyxy: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair: (n, 4), (m, 4) -> (n, m) float64. Empty boxes give 0."""
    a, b = np.asarray(a_xyxy, float).reshape(-1, 4)[:, None], np.asarray(b_xyxy, float).reshape(-1, 4)[None]
    overlap = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None).prod(-1)
    areas = [np.clip(box[..., 2:] - box[..., :2], 0, None).prod(-1) for box in (a, b)]
    union = areas[0] + areas[1] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
