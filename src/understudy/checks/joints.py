"""Rules on named points: where they lie, whether they can be seen, which side is left, and whether the camera agrees."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from understudy.checks.exhibit import Exhibit, Rule, said, short
from understudy.checks.finding import Finding
from understudy.geometry.cameras import project_camera
from understudy.record import Instance, PointSet
from understudy.scene import Lens

# A seen point lies below its skin by a limb's thickness and some clothing; its surface is nearer by that much at most.
_NEAR_PX = 3  # a seen point has some of its body this near (labels/keypoints.py)
_BEHIND_M, _DEEPEST_M = 0.1, 0.45  # ... no further behind it than that (the same), nor before it
_TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")


def each(x: Exhibit) -> Iterator[tuple[Instance, PointSet]]:
    """Every set of points that is well formed."""
    for i in x.record.instances:
        for points in i.points:
            if not _malformed(points):
                yield i, points


def points_shape(x: Exhibit) -> Iterator[Finding]:
    for i in x.record.instances:
        for points in i.points:
            why = _malformed(points)
            if why:
                yield said(x, "points-shape", i, f"{points.convention}: {why[0]}", why[1], why[2])


def points_inside(x: Exhibit) -> Iterator[Finding]:
    w, h = x.record.picture.size_wh
    for i, points in each(x):
        for name, (px, py, v) in zip(points.names, points.xyv):
            inside = 0 <= px <= w and 0 <= py <= h
            if v > 0 and not inside:
                yield said(x, "points-inside", i, f"{name} is labelled but lies outside the picture", f"inside {w}x{h}",
                           short((px, py)))
            elif v == 0 and inside and (px, py) != (0, 0):
                yield said(x, "points-inside", i, f"{name} lies in the picture but is not labelled", "visibility 1 or 2",
                           f"0 at {short((px, py))}")


def bodies(x: Exhibit) -> Iterator[tuple[Instance, PointSet]]:
    """Every set of a body's joints, which lie in it. The corners of a box around a thing do not."""
    return ((i, points) for i, points in each(x) if set(_TRUNK) <= set(points.names))


def points_on_body(x: Exhibit) -> Iterator[Finding]:
    """Seen points on the seen mask, hidden ones on the whole silhouette, both grown by a little of the body's size."""
    w, h = x.record.picture.size_wh
    for i, points in bodies(x):
        x0, y0, x1, y1 = i.amodal_xyxy_px or i.xyxy_px
        reach = math.ceil(2 + 0.03 * math.hypot(x1 - x0, y1 - y0) + 3 * (x.tolerance.box_px > 1))
        for name, (px, py, v) in zip(points.names, points.xyv):
            masks, what = (x.masks, "what is seen of the body") if v == 2 else (x.amodal, "the whole silhouette")
            if v == 0 or i.id not in masks or not (0 <= px <= w and 0 <= py <= h):
                continue
            column, row = min(int(px), w - 1), min(int(py), h - 1)
            around = masks[i.id][max(row - reach, 0):row + reach + 1, max(column - reach, 0):column + reach + 1]
            if not around.any():
                yield said(x, "points-on-body", i, f"{name} ({'seen' if v == 2 else 'hidden'}) lies on no part of {what}",
                           f"within {reach} pixels of it", short((px, py)))


def points_left_right(x: Exhibit) -> Iterator[Finding]:
    for i, points in each(x):
        why = mirrored_3d(points) if points.xyz_m is not None else mirrored_2d(points)
        if why:
            yield said(x, "points-left-right", i, why, "left on the body's left", "left and right exchanged",
                       "error" if points.xyz_m is not None else "warning")


def points_depth(x: Exhibit) -> Iterator[Finding]:
    """A seen joint's z against the depth map: metres, the camera's frame, the same picture."""
    depth = x.record.maps.get("depth")
    if depth is None:
        return
    h, w = depth.shape
    for i, points in bodies(x):
        if points.xyz_m is None or i.id not in x.masks:
            continue
        for name, (px, py, v), z in zip(points.names, points.xyv, points.xyz_m[:, 2]):
            if v != 2 or not np.isfinite(z) or not (0 <= px < w and 0 <= py < h):
                continue
            rows, columns = (slice(max(int(at) - _NEAR_PX, 0), int(at) + _NEAR_PX + 1) for at in (py, px))
            own = depth[rows, columns][x.masks[i.id][rows, columns]]
            own = own[np.isfinite(own)]
            if own.size and not (own.min() - _BEHIND_M <= z <= own.max() + _DEEPEST_M):
                yield said(x, "points-depth", i, f"{name} is seen, but its surface lies elsewhere",
                           f"z from {own.min():.3f} to {own.max() + _DEEPEST_M:.3f} m", f"{z:.3f} m")
                break


def points_camera(x: Exhibit) -> Iterator[Finding]:
    lens = lens_of(x)
    if lens is None:
        return
    for i, points in each(x):
        if points.xyz_m is None:
            continue
        labelled = (points.xyv[:, 2] > 0) & np.isfinite(points.xyz_m).all(1)
        off = np.abs(project_camera(lens, points.xyz_m) - points.xyv[:, :2]).max(1)
        wrong = labelled & ~(off <= x.tolerance.point_px)
        if wrong.any():
            k = int(np.flatnonzero(wrong)[0])
            yield said(x, "points-camera", i, f"{points.names[k]}: the camera puts the 3D point elsewhere"
                       + (f" ({int(wrong.sum())} points are off)" if wrong.sum() > 1 else ""),
                       short(project_camera(lens, points.xyz_m[k])), short(points.xyv[k, :2]))


def camera(x: Exhibit) -> Iterator[Finding]:
    facts = x.record.camera
    if facts is None:
        return
    why = _camera_wrong(facts)
    if why:
        yield said(x, "camera", None, *why)


def lens_of(x: Exhibit) -> Lens | None:
    """The record's lens; None if it holds none, or a malformed one."""
    facts = x.record.camera
    if facts is None or "matrix" not in facts or _camera_wrong(facts):
        return None
    k = np.asarray(facts["matrix"], float)
    return Lens(x.record.picture.size_wh, (k[0, 0], k[1, 1]), (k[0, 2], k[1, 2]),
                tuple(float(d) for d in facts.get("distortion", [0.0] * 5)))


def mirrored_3d(points: PointSet) -> str | None:
    """Why a body's joints in space cannot be a body's: handedness of shoulders, hips, face and feet.

    Forward is left x up (all frames here are right-handed). Limits are far beyond what a joint can do, so that no living
    pose is called wrong.
    """
    at = {n: p for n, p in zip(points.names, np.asarray(points.xyz_m, float)) if np.isfinite(p).all()}
    if not all(n in at for n in _TRUNK):
        return None
    trunk = [at[n] for n in _TRUNK]
    shoulders, hips = trunk[0] - trunk[1], trunk[2] - trunk[3]
    up = (trunk[0] + trunk[1] - trunk[2] - trunk[3]) / 2
    if _cos(shoulders, hips) < -0.5:
        return "shoulders and hips face opposite ways"
    forward = np.cross(_unit(shoulders) + _unit(hips), up)
    if all(n in at for n in ("nose", "left_ear", "right_ear")):
        ears = at["left_ear"] - at["right_ear"]
        if _cos(np.cross(ears, up), at["nose"] - (at["left_ear"] + at["right_ear"]) / 2) < -0.5:
            return "the nose lies behind the ears"
        if all(n in at for n in ("left_eye", "right_eye")) and _cos(ears, at["left_eye"] - at["right_eye"]) < -0.5:
            return "eyes and ears face opposite ways"
        if _cos(ears, shoulders) < -0.8:
            return "the head faces backwards"
    soles = [at[f"{s}_big_toe"] - at[f"{s}_heel"] for s in ("left", "right")
             if f"{s}_big_toe" in at and f"{s}_heel" in at]
    if len(soles) == 2 and all(_cos(sole, forward) < -0.7 for sole in soles):
        return "both feet point backwards"
    return None


def mirrored_2d(points: PointSet) -> str | None:
    """The same from pixels alone: a face that looks at us has its left eye on our right, and so the left shoulder."""
    at = {n: p for n, p in zip(points.names, np.asarray(points.xyv, float))}
    face = ("nose", "left_eye", "right_eye")
    if not all(n in at and at[n][2] == 2 for n in face) or not all(n in at and at[n][2] > 0 for n in _TRUNK[:2]):
        return None
    up = (at["left_eye"] + at["right_eye"] - at["left_shoulder"] - at["right_shoulder"])[:2] / 2
    turns = [_turn(at[f"left_{what}"][:2] - at[f"right_{what}"][:2], up) for what in ("eye", "shoulder")]
    if all(t > 0.1 for t in turns):
        return "a face that looks at us has its left side on our left"
    return None


def _malformed(points: PointSet) -> tuple[str, object, object] | None:
    xyv = np.asarray(points.xyv)
    if xyv.shape != (len(points.names), 3):
        return "points and names differ in number", (len(points.names), 3), xyv.shape
    if len(set(points.names)) != len(points.names):
        return "two points have one name", "each name once", None
    if not np.isfinite(xyv).all():
        return "a point is not finite", "finite pixels", None
    if not np.isin(xyv[:, 2], (0, 1, 2)).all():
        return "visibility is 0, 1 or 2", "0, 1 or 2", short(np.setdiff1d(xyv[:, 2], (0, 1, 2)))
    if points.xyz_m is not None and np.shape(points.xyz_m) != (len(points.names), 3):
        return "points in space and names differ in number", (len(points.names), 3), np.shape(points.xyz_m)
    return None


def _camera_wrong(facts) -> tuple[str, object, object] | None:
    k = np.asarray(facts.get("matrix", np.eye(3)), float)
    pose = np.asarray(facts.get("to_world", np.eye(4)), float)
    distortion = np.asarray(facts.get("distortion", [0.0] * 5), float)
    if k.shape != (3, 3) or not np.isfinite(k).all() or k[0, 0] <= 0 or k[1, 1] <= 0 or k[2].tolist() != [0, 0, 1]:
        return "the camera matrix is none", "3x3, focal lengths above 0, last row 0 0 1", k.tolist()
    if distortion.shape != (5,) or not np.isfinite(distortion).all():
        return "the lens's distortion is none", "k1 k2 p1 p2 k3", distortion.tolist()
    if pose.shape != (4, 4) or not np.isfinite(pose).all() or not np.allclose(pose[3], (0, 0, 0, 1)):
        return "the camera's pose is none", "4x4, last row 0 0 0 1", pose.tolist()
    turn = pose[:3, :3]
    if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-4) or np.linalg.det(turn) < 0:
        return "the camera's pose is no rotation", "orthonormal, right-handed", np.round(turn, 4).tolist()
    return None


def _unit(v: np.ndarray) -> np.ndarray:
    return v / max(float(np.linalg.norm(v)), 1e-9)


def _cos(a: np.ndarray, b: np.ndarray) -> float:
    return float(_unit(a) @ _unit(b))


def _turn(a: np.ndarray, b: np.ndarray) -> float:
    """Sine of the angle from a to b in the picture (y down: positive is clockwise to the eye)."""
    return float(np.cross(np.append(_unit(a), 0), np.append(_unit(b), 0))[2])


RULES = (
    Rule("points-shape", "set of points has a name, a pixel and a visibility (0, 1, 2) for each", points_shape),
    Rule("points-inside", "labelled point lies in the picture, and every point in the picture is labelled", points_inside),
    Rule("points-on-body", "seen joint lies on the seen mask, every hidden one on the whole silhouette", points_on_body),
    Rule("points-left-right", "body has its left on its left", points_left_right),
    Rule("points-depth", "seen joint lies just below the surface that the depth map shows", points_depth),
    Rule("points-camera", "3D point projects onto its pixel", points_camera),
    Rule("camera", "camera has a matrix, a lens and a rigid pose", camera),
)
