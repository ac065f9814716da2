"""Which named points belong together in a drawing. Edges go by name, so that every convention that has the names shares
them (COCO's 17 key points and the first 17 of COCO-WholeBody's 133)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from understudy.record import Instance, PointSet
from understudy.viewer.palette import LEFT, MIDDLE, RIGHT, Rgb

EDGES = (
    ("left_ankle", "left_knee"), ("left_knee", "left_hip"), ("right_ankle", "right_knee"), ("right_knee", "right_hip"),
    ("left_hip", "right_hip"), ("left_shoulder", "left_hip"), ("right_shoulder", "right_hip"),
    ("left_shoulder", "right_shoulder"), ("left_shoulder", "left_elbow"), ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"), ("right_elbow", "right_wrist"), ("left_eye", "right_eye"), ("nose", "left_eye"),
    ("nose", "right_eye"), ("left_eye", "left_ear"), ("right_eye", "right_ear"),
)
BODY = frozenset(name for edge in EDGES for name in edge)


def side_colour(*names: str) -> Rgb:
    """Left of the body, right of it, or its middle (an edge between both sides)."""
    left = any(n.startswith("left") for n in names)
    right = any(n.startswith("right") for n in names)
    return MIDDLE if left == right else LEFT if left else RIGHT


def body_points(instance: Instance) -> PointSet | None:
    """The instance's smallest set that holds a body's points, or None."""
    bodies = [p for p in instance.points if BODY <= set(p.names)]
    return min(bodies, key=lambda p: len(p.names), default=None)


def bones(points: PointSet) -> Iterator[tuple[np.ndarray, np.ndarray, bool, Rgb]]:
    """(from, to) in pixels, whether both ends are seen, and the colour; only bones with both ends labelled."""
    at = {name: xyv for name, xyv in zip(points.names, points.xyv)}
    for a, b in EDGES:
        if at[a][2] > 0 and at[b][2] > 0:
            yield at[a][:2], at[b][:2], bool(at[a][2] == 2 and at[b][2] == 2), side_colour(a, b)


def dots(instance: Instance) -> Iterator[tuple[np.ndarray, bool, bool, Rgb]]:
    """Every labelled point once: (xy, seen, is one of the body's, colour). Small points come first, to lie below."""
    body = body_points(instance)
    drawn = set() if body is None else set(body.names)
    for points in instance.points:
        if points is body:
            continue
        for name, (x, y, v) in zip(points.names, points.xyv):
            if v > 0 and name not in drawn:
                yield np.array([x, y]), bool(v == 2), False, side_colour(name)
    if body is not None:
        for name, (x, y, v) in zip(body.names, body.xyv):
            if v > 0:
                yield np.array([x, y]), bool(v == 2), True, side_colour(name)
