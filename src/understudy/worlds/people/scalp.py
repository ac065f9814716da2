"""The scalp as a grid: columns from the crown to the hairline, bound to the head's skin.

A strand of short hair runs down one column, so texture coordinates along and across the hair come for free. The grid is
found once a process by rays from the middle of the template's head; each point is then a place on a face of the skin, and
follows any head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from understudy.worlds.people import body

COLUMNS, ROWS = 96, 22
_CENTRE = np.array([0.0, -0.035, 0.742])
_CROWN_DEG = 24.0  # how far behind the vertical the whorl lies
# The hairline's elevation over the head's middle, by azimuth from the front (degrees): forehead, temple, sideburn, over the
# ear, behind it, nape.
_AZIMUTH = (0, 30, 44, 52, 57, 61, 65, 76, 84, 90, 100, 112, 122, 130, 145, 160, 180)
_ELEVATION = (25, 26, 28, 26, 19, 7, -5, -8, -2, 8, 13, 9, -12, -28, -40, -46, -48)


@dataclass(frozen=True)
class Scalp:
    """Grid points (COLUMNS, ROWS): column 0 in front, then to the subject's left; row 0 at the crown, the last a little
    beyond the hairline.

    face : (C, R) faces of the body mesh; bary : (C, R, 3); azimuth : (C,) radians; down : (C, R) 0 at the crown to 1 at the
    hairline (1.25 in the last row); up : (C, R) elevation over the head's middle, -1 to 1; weights : (C, R, bones)
    """

    face: np.ndarray
    bary: np.ndarray
    azimuth: np.ndarray
    down: np.ndarray
    up: np.ndarray
    weights: np.ndarray


@lru_cache(maxsize=1)
def scalp() -> Scalp:
    model = body.model()
    template = np.array(model.arrays["template_vertices"], float)
    faces = model.mesh("body").base_faces
    near = np.flatnonzero((template[faces][:, :, 2].min(1) > 0.58) & ((template[faces].mean(1)[:, 1] > -0.09)
                                                                     | (template[faces].mean(1)[:, 2] > 0.74)))
    azimuth = np.arange(COLUMNS) * (2 * np.pi / COLUMNS)
    degrees = np.rad2deg(np.abs((azimuth + np.pi) % (2 * np.pi) - np.pi))
    elevation = np.deg2rad(np.interp(degrees, _AZIMUTH, _ELEVATION))
    tilt = np.deg2rad(_CROWN_DEG)
    pole = np.array([0, np.sin(tilt), np.cos(tilt)])
    end = np.stack([np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)], 1)
    down = np.linspace(0, 1.25, ROWS)
    arc = np.arccos(np.clip(end @ pole, -1, 1))[:, None]
    part = np.broadcast_to(down, (COLUMNS, ROWS))
    from_pole, to_end = np.sin((1 - part) * arc) / np.sin(arc), np.sin(part * arc) / np.sin(arc)
    direction = from_pole[..., None] * pole + to_end[..., None] * end[:, None]
    face, bary = _hit(_CENTRE, direction.reshape(-1, 3), template[faces[near]])
    weights = np.einsum("nk,nkb->nb", bary, model.weights[faces[near[face]]]).reshape(COLUMNS, ROWS, -1)
    return Scalp(near[face].reshape(COLUMNS, ROWS), bary.reshape(COLUMNS, ROWS, 3), azimuth, part.copy(), direction[..., 2],
                 weights)


def _hit(origin: np.ndarray, directions: np.ndarray, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest triangle along each ray (Möller and Trumbore 1997): index (r,) and barycentric coordinates (r, 3)."""
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    s = origin - a
    q = np.cross(s, ab)
    found, bary = [], []
    for chunk in np.array_split(directions, max(1, len(directions) // 128)):
        p = np.cross(chunk[:, None], ac[None])
        det = (p * ab).sum(-1)
        det = np.where(np.abs(det) < 1e-14, 1e-14, det)
        u = (p * s).sum(-1) / det
        v = (chunk[:, None] * q[None]).sum(-1) / det
        t = (ac * q).sum(-1) / det
        slack = np.maximum(np.maximum(-u, -v), u + v - 1)  # 0 or less inside
        cost = np.where(t > 0.02, t + 10 * np.maximum(slack, 0), np.inf)
        best = cost.argmin(1)
        row = np.arange(len(chunk))
        ub, vb = np.clip(u[row, best], 0, 1), np.clip(v[row, best], 0, 1)
        found.append(best)
        bary.append(np.stack([1 - ub - vb, ub, vb], 1))
    return np.concatenate(found), np.concatenate(bary)
