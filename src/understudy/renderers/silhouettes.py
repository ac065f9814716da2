"""Amodal silhouettes: what each labelled entity would cover were it alone.

Where an entity is seen, its silhouette is what is seen. Elsewhere it can only hide behind something nearer than its own
farthest point, so only those pixels are looked at, against its triangles alone. A lone figure costs nothing.
"""

from __future__ import annotations

import math

import numpy as np

from understudy.geometry.cameras import NEAR_M
from understudy.renderers.raster import View, covered
from understudy.renderers.triangles import Triangles
from understudy.scene import Scene

MARGIN = 1.0  # the extended picture reaches this many pictures beyond each border
_SAMPLES = 20_000  # samples taken of the part of a silhouette that lies beyond the picture


def amodal(scene: Scene, triangles: Triangles, instance: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """(n, h, w) bool, in the order of ``scene.labelled``. instance, depth : the channels"""
    out = np.zeros((len(scene.labelled), *instance.shape), bool)
    view, points = View(scene.camera.lens), triangles.points
    for i, entity in enumerate(scene.labelled):
        seen = instance == entity.id
        part, faces = triangles.part_of(entity)
        box = reach(triangles, part) if len(faces) else None
        if box is not None:
            behind = np.zeros(seen.shape, bool)
            behind[box] = ~seen[box] & (depth[box] < points[part, 2].max())
            if behind.any():
                seen |= covered(points[part], faces, view, behind)
        out[i] = seen
    return out


def wide_areas(scene: Scene, triangles: Triangles, shapes: np.ndarray) -> np.ndarray:
    """(n,) float64 px: each silhouette's area in the picture extended by one picture on every side.

    What lies beyond is sampled on a regular grid of about twenty thousand points, one a pixel where that is enough.
    """
    lens = scene.camera.lens
    w, h = lens.size_wh
    out = shapes.sum(axis=(1, 2)).astype(np.float64)
    canvas = np.array([-MARGIN * w, -MARGIN * h, (1 + MARGIN) * w, (1 + MARGIN) * h])
    for i, entity in enumerate(scene.labelled):
        part, faces = triangles.part_of(entity)
        box = _bounds(triangles, part, canvas) if len(faces) else None
        if box is None or (box[0] >= 0 and box[1] >= 0 and box[2] <= w and box[3] <= h):
            continue
        inside = np.array([max(box[0], 0), max(box[1], 0), min(box[2], w), min(box[3], h)])
        beyond = _area(box) - _area(inside)
        step = max(1, math.ceil(math.sqrt(beyond / _SAMPLES)))
        shape = (max(1, math.ceil((box[3] - box[1]) / step)), max(1, math.ceil((box[2] - box[0]) / step)))
        view = View(lens, (float(box[0]), float(box[1])), float(step), shape)
        x = box[0] + (np.arange(shape[1]) + 0.5) * step
        y = box[1] + (np.arange(shape[0]) + 0.5) * step
        outside = ((x < 0) | (x >= w))[None, :] | ((y < 0) | (y >= h))[:, None]
        faces = _reaching_out(triangles, part, faces)
        out[i] += np.count_nonzero(covered(triangles.points[part], faces, view, outside)) * step**2
    return out


def _reaching_out(triangles: Triangles, part: slice, faces: np.ndarray) -> np.ndarray:
    """Those of ``faces`` (over ``part``) that may cover anything beyond the picture."""
    w, h = triangles.camera.lens.size_wh
    x, y = triangles.image[:, part]
    pad = _bow_px(triangles, part)
    within = (x >= pad) & (x <= w - pad) & (y >= pad) & (y <= h - pad)
    a, b, c = (within[faces[:, k]] for k in range(3))
    return faces[~(a & b & c)]


def reach(triangles: Triangles, part: slice) -> tuple[slice, slice] | None:
    """Rows and columns of the pixels that can see any of these vertices; None if there are none."""
    w, h = triangles.camera.lens.size_wh
    box = _bounds(triangles, part, np.array([0.0, 0.0, w, h]))
    return None if box is None else (slice(int(box[1]), int(box[3])), slice(int(box[0]), int(box[2])))


def _bounds(triangles: Triangles, part: slice, canvas: np.ndarray) -> np.ndarray | None:
    """Whole-pixel xyxy that holds the image of these vertices within ``canvas``; None if there is none, all of it if
    unsure."""
    if (triangles.points[part, 2] <= NEAR_M).all():
        return None
    image, pad = triangles.image[:, part], _bow_px(triangles, part)
    first, last = image.min(axis=1), image.max(axis=1)
    if np.isnan(first).any():  # partly behind the camera or beyond the lens's fold
        return canvas.copy()
    low, high = np.floor(first - pad), np.ceil(last + pad)
    box = np.concatenate([np.maximum(low, canvas[:2]), np.minimum(high, canvas[2:])])
    return box if box[0] < box[2] and box[1] < box[3] else None


def _bow_px(triangles: Triangles, part: slice) -> float:
    """How far edges between these vertices may bow out of their corners' box in the picture."""
    if not any(triangles.camera.lens.distortion):
        return 0.0
    return 2.0 + 0.02 * float(np.nan_to_num(np.ptp(triangles.image[:, part], axis=1)).max())


def _area(box: np.ndarray) -> float:
    return float(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]))
