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
# ... and no further behind it: the trunk behind a hand shows nothing of a finger that no pixel holds.
_OWN_BEHIND_M = 0.1
_MOST = int(_DISC_MOST_PX)


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
    at = np.flatnonzero(inside)
    if len(at):
        seen = _are_seen(signals, entity_id, xy[at], xyz[at, 2], named.radius_m[at], lens.focal_px[0],
                         np.inf if named.apart else _OWN_BEHIND_M)
        xyv[at] = np.column_stack([xy[at], np.where(seen, 2, 1)])
    return PointSet(named.convention, named.names, xyv, xyz.astype(np.float32))


def _are_seen(signals: Signals, entity_id: int, xy: np.ndarray, z: np.ndarray, tolerance_m: np.ndarray,
              focal_px: float, behind_m: float) -> np.ndarray:
    """(k,) bool: does at least half of a disc around each point see the point's surroundings, and is the entity seen there?

    xy : (k, 2) px, inside the picture; z, tolerance_m : (k,) m; behind_m : how far behind the point the entity may be seen
    """
    h, w = signals[DEPTH].shape
    disc = _DISC_OF_RADIUS * tolerance_m * focal_px / z
    reach = np.maximum(np.minimum(disc, _DISC_MOST_PX).astype(int), _OWN_WITHIN_PX)[:, None]
    disc = np.clip(disc, 0.75, _DISC_MOST_PX)[:, None]
    by_row, by_column = (o.ravel() for o in np.mgrid[-_MOST:_MOST + 1, -_MOST:_MOST + 1])
    column, row = xy.astype(int).T
    columns, rows = column[:, None] + by_column, row[:, None] + by_row  # (k, samples)
    inside = (columns >= 0) & (columns < w) & (rows >= 0) & (rows < h)
    pixel = np.where(inside, rows * w + columns, 0)
    own = signals[INSTANCE].ravel()[pixel] == entity_id
    depth = signals[DEPTH].ravel()[pixel]
    around = inside & (np.abs(by_row) <= reach) & (np.abs(by_column) <= reach)
    present = (own & around & (depth <= z[:, None] + behind_m)).any(axis=1)
    near = inside & (np.hypot(columns + 0.5 - xy[:, :1], rows + 0.5 - xy[:, 1:]) <= disc)
    near[:, len(by_row) // 2] |= ~near.any(axis=1)  # a disc smaller than a pixel: the pixel that holds the point
    # Another thing's surface hides the point as soon as it is in front; the body's own only beyond the tolerance.
    hidden = depth < z[:, None] - np.where(own, 1.0, 0.25) * tolerance_m[:, None]
    return present & ((hidden & near).sum(axis=1) < 0.5 * near.sum(axis=1))
