"""Key points with visibility decided by occlusion.

COCO's visibility: 2 visible, 1 labelled but hidden, 0 outside the picture (or behind the camera; then x = y = 0). A joint
lies *inside* the body, so the surface in front of it is no occluder by itself: a point counts as seen where the first
surface lies no more than its ``radius_m`` (body-scaled, stated by the world) nearer than the point, and where something
of its own entity is seen around it. One sample at the point would flip at every silhouette edge; the decision is a
majority over a small disc of pixel centres.
"""

from __future__ import annotations

import numpy as np

from understudy.geometry.cameras import project_camera, to_camera
from understudy.labels import Answers, answers
from understudy.record import PointSet
from understudy.scene import Keypoints, Scene
from understudy.signals import DEPTH, INSTANCE, Signals

# The disc of samples covers this share of the point's own tolerance, and at most this many pixels.
_DISC_OF_RADIUS = 0.35
_DISC_MOST_PX = 6.0
# Something of the entity must be seen this near: a finger may be thinner than a pixel, but not alone in the picture.
_OWN_WITHIN_PX = 3


@answers(INSTANCE, DEPTH)
def keypoints(scene: Scene, signals: Signals) -> Answers:
    """``points`` of each entity, one PointSet for each convention that the world names."""
    return Answers({
        e.id: {"points": tuple(_point_set(scene, signals, e.id, k) for k in e.keypoints)}
        for e in scene.labelled if e.keypoints
    })


def _point_set(scene: Scene, signals: Signals, entity_id: int, named: Keypoints) -> PointSet:
    lens = scene.camera.lens
    w, h = lens.size_wh
    xyz = to_camera(scene.camera, named.xyz_m)
    xy = project_camera(lens, xyz)  # nan behind the camera, which no comparison holds for
    inside = (xy >= 0).all(1) & (xy < (w, h)).all(1)
    xyv = np.zeros((len(xyz), 3), np.float32)
    for k in np.flatnonzero(inside):
        radius_px = named.radius_m[k] * lens.focal_px[0] / xyz[k, 2]
        seen = _is_seen(signals, entity_id, xy[k], float(xyz[k, 2]), float(named.radius_m[k]), float(radius_px))
        xyv[k] = (*xy[k], 2 if seen else 1)
    return PointSet(named.convention, named.names, xyv, xyz.astype(np.float32))


def _is_seen(signals: Signals, entity_id: int, xy: np.ndarray, z: float, tolerance_m: float, radius_px: float) -> bool:
    """Does at least half of a disc around the point see the point's surroundings, and is the entity seen there at all?"""
    h, w = signals[DEPTH].shape
    reach = max(int(min(_DISC_OF_RADIUS * radius_px, _DISC_MOST_PX)), _OWN_WITHIN_PX)
    column, row = int(xy[0]), int(xy[1])
    around = signals[INSTANCE][max(row - reach, 0):row + reach + 1, max(column - reach, 0):column + reach + 1]
    if not (around == entity_id).any():
        return False
    disc = min(max(_DISC_OF_RADIUS * radius_px, 0.75), _DISC_MOST_PX)
    columns = np.arange(max(int(xy[0] - disc), 0), min(int(xy[0] + disc), w - 1) + 1)
    rows = np.arange(max(int(xy[1] - disc), 0), min(int(xy[1] + disc), h - 1) + 1)
    near = np.hypot(columns[None] + 0.5 - xy[0], rows[:, None] + 0.5 - xy[1]) <= disc
    if not near.any():  # the disc is smaller than a pixel: take the pixel that holds the point
        columns, rows, near = np.array([int(xy[0])]), np.array([int(xy[1])]), np.ones((1, 1), bool)
    window = np.ix_(rows, columns)
    depth, instance = signals[DEPTH][window][near], signals[INSTANCE][window][near]
    own = instance == entity_id
    # Another thing's surface hides the point as soon as it is in front; the body's own only beyond the tolerance.
    hidden = np.where(own, depth < z - tolerance_m, depth < z - 0.25 * tolerance_m)
    return bool(hidden.mean() < 0.5)
