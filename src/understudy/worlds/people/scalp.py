"""The scalp as a grid of columns along which hair lies, bound to the head's skin.

A column is the way of the hair over the head: from the whorl or the parting down to the hairline, or from the knot of tied
hair to it. Each layout of columns is found once a process by rays from the middle of the template's head; each point is
then a place on a face of the skin, and follows any head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from understudy.worlds.people import body

COLUMNS = 64
RIM = 12  # the row at the hairline
BEYOND = 3  # rows over forehead, temples and nape
ROWS = RIM + 1 + BEYOND
HEAD_M = 0.095  # from the head's middle to the scalp, on the template
LAYOUTS = ("whorl", "left part", "middle part", "high knot", "knot", "low knot", "nape knot")
_NEAR = 40  # triangles that a ray from the head's middle may meet
_CENTRE = np.array([0.0, -0.035, 0.742])
_CROWN_DEG = 24.0  # how far behind the vertical the whorl lies
_KNOT_DEG = {"high knot": 62.0, "knot": 22.0, "low knot": -18.0, "nape knot": -38.0}  # elevation at the back of the head
_PART_DEG = {"left part": 26.0, "middle part": 1.0}  # azimuth of the parting at the forehead
# The hairline's elevation over the head's middle, by azimuth from the front (degrees): forehead, temple, sideburn, over the
# ear, behind it, nape.
_AZIMUTH = (0, 30, 44, 52, 57, 61, 65, 76, 84, 90, 100, 112, 122, 130, 145, 160, 180)
_ELEVATION = (25, 26, 28, 26, 19, 7, -5, -8, -2, 8, 13, 9, -12, -28, -40, -46, -48)


@dataclass(frozen=True)
class Scalp:
    """Grid points (C, R): column 0 in front, then to the subject's left; row 0 where hair parts (or is tied), row RIM at the
    hairline.

    closed : the last column lies beside the first
    face : (C, R) faces of the body mesh; bary : (C, R, 3)
    azimuth : (C, R) radians from the front to the subject's left; up : (C, R) sine of the elevation over the head's middle
    rim_m : (C, R) metres above the hairline on the template's head, below 0 outside it
    end : (C,) azimuth of each column's end
    """

    closed: bool
    face: np.ndarray
    bary: np.ndarray
    azimuth: np.ndarray
    up: np.ndarray
    rim_m: np.ndarray
    end: np.ndarray


@lru_cache(maxsize=len(LAYOUTS))
def scalp(layout: str) -> Scalp:
    model = body.model()
    template = np.array(model.arrays["template_vertices"], float)
    faces = model.mesh("body").base_faces
    near = np.flatnonzero((template[faces][:, :, 2].min(1) > 0.58) & ((template[faces].mean(1)[:, 1] > -0.09)
                                                                     | (template[faces].mean(1)[:, 2] > 0.74)))
    start, azimuth = _columns(layout)
    end = _towards(azimuth, np.deg2rad(_hairline_deg(azimuth)))
    down = np.arange(ROWS) / RIM
    arc = np.arccos(np.clip((start * end).sum(1), -1, 1))[:, None]
    from_start, to_end = np.sin((1 - down) * arc) / np.sin(arc), np.sin(down * arc) / np.sin(arc)
    if layout == "nape knot":  # forehead and nape are opposite: the way leads over the crown, not below the chin
        over = 1.3 * down * (1 - down) * (1 + np.cos(azimuth))[:, None]
        direction = ((1 - down)[:, None] * start[:, None] + down[:, None] * end[:, None]) + over[..., None] * [0.0, 0.0, 1.0]
    else:
        direction = from_start[..., None] * start[:, None] + to_end[..., None] * end[:, None]
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    face, bary = _hit(_CENTRE, direction.reshape(-1, 3), template[faces[near]])
    way = np.arctan2(direction[..., 0], -direction[..., 1])
    elevation = np.arcsin(np.clip(direction[..., 2], -1, 1))
    rim = (elevation - np.deg2rad(_hairline_deg(way))) * HEAD_M
    return Scalp("part" not in layout, near[face].reshape(COLUMNS, ROWS), bary.reshape(COLUMNS, ROWS, 3), way,
                 direction[..., 2], rim, azimuth)


def _columns(layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Where each column begins, (C, 3) unit, and the azimuth of its end (C,)."""
    crown = np.array([0, np.sin(np.deg2rad(_CROWN_DEG)), np.cos(np.deg2rad(_CROWN_DEG))])
    around = np.arange(COLUMNS) * (2 * np.pi / COLUMNS)
    if layout == "whorl":
        return np.broadcast_to(crown, (COLUMNS, 3)), around
    if layout in _KNOT_DEG:
        knot = _towards(np.array([np.pi]), np.deg2rad(_KNOT_DEG[layout]))
        return np.broadcast_to(knot, (COLUMNS, 3)), around
    # a parting: columns begin along it, on both sides, and end from the temples backwards
    first = np.deg2rad(49)
    part = np.linspace(0, 1, COLUMNS)
    end = first + part * (2 * np.pi - 2 * first)
    along = np.clip(2.3 * np.minimum(part, 1 - part), 0, 1)[:, None]
    front = _towards(np.deg2rad(np.array([_PART_DEG[layout]])), np.deg2rad(25.5))
    arc = np.arccos(float((front @ crown)[0]))
    return (np.sin((1 - along) * arc) * front + np.sin(along * arc) * crown) / np.sin(arc), end


def _hairline_deg(azimuth: np.ndarray) -> np.ndarray:
    degrees = np.rad2deg(np.abs((azimuth + np.pi) % (2 * np.pi) - np.pi))
    return np.interp(degrees, _AZIMUTH, _ELEVATION)


def _towards(azimuth: np.ndarray, elevation) -> np.ndarray:
    """(n, 3) unit directions."""
    level = np.cos(elevation)
    return np.stack([np.sin(azimuth) * level, -np.cos(azimuth) * level, np.sin(elevation) * np.ones_like(azimuth)], 1)


def _hit(origin: np.ndarray, directions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest triangle along each ray (Möller and Trumbore 1997), among the ``_NEAR`` whose middles lie nearest to it seen
    from ``origin``: index (r,) and barycentric coordinates (r, 3)."""
    from scipy.spatial import cKDTree

    ways = triangles.mean(1) - origin
    near = cKDTree(ways / np.linalg.norm(ways, axis=1, keepdims=True)).query(directions, min(_NEAR, len(triangles)))[1]
    near = np.sort(near, axis=1)
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    s = origin - a
    q = np.cross(s, ab)
    p = np.cross(directions[:, None], ac[near])
    det = (p * ab[near]).sum(-1)
    det = np.where(np.abs(det) < 1e-14, 1e-14, det)
    u = (p * s[near]).sum(-1) / det
    v = (directions[:, None] * q[near]).sum(-1) / det
    t = (ac * q).sum(-1)[near] / det
    slack = np.maximum(np.maximum(-u, -v), u + v - 1)  # 0 or less inside
    best = np.where(t > 0.02, t + 10 * np.maximum(slack, 0), np.inf).argmin(1)
    row = np.arange(len(directions))
    ub, vb = np.clip(u[row, best], 0, 1), np.clip(v[row, best], 0, 1)
    inside = np.maximum(np.stack([1 - ub - vb, ub, vb], 1), 0)
    return near[row, best], inside / inside.sum(1, keepdims=True)
