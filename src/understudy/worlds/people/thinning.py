"""The skin with fewer triangles, for figures that the picture shows small.

Vertex clustering (Rossignac and Borrel, *Multi-resolution 3D approximations for rendering complex scenes*, 1993) on the
template: all vertices within one cell of a grid become the one of them that lies nearest their middle, and triangles that
lose a corner are left out. Every vertex that stays is a vertex of the body, so shape, pose and labels follow as they do for
the whole mesh; the texture's seams stay closed because places are chosen without regard to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from understudy.worlds.people.body import BODY_VERTICES, REGIONS, model
from understudy.worlds.people.figure import Detail

CELLS_M = (0.006, 0.012, 0.024)  # sides of the grids' cells
SEEN_PX = 2.4  # a cell of at most so many pixels is not missed
_TEXTURE_CELL = 1 / 24  # parts of the texture further apart than this are not joined
_FINGERS = 4  # hands are thinned on a grid so many times finer: a finger thinner than a cell would be lost, its label not
_EYES_M = 0.035  # around the eyes nothing is thinned but on the coarsest grid: lids frame the eyeball to a millimetre


@dataclass(frozen=True)
class Thinned:
    """What is left of a mesh.

    rows : (k,) the faces that are left; faces : (k, 3) int32 over n vertices; base : (n,) base vertices; uv : (n, 2)
    """

    rows: np.ndarray
    faces: np.ndarray
    base: np.ndarray
    uv: np.ndarray


def cell_m(detail: Detail) -> float:
    """The side of the largest cells that the picture does not show; 0 where it shows them all."""
    return max((cell for cell in CELLS_M if cell * detail.px_per_m <= SEEN_PX), default=0.0)


def thinned(faces: np.ndarray, base: np.ndarray, uv: np.ndarray, cell: float) -> Thinned:
    """A mesh over base vertices (``base`` (n,), ``faces`` (m, 3) over n, ``uv`` (n, 2)) on a grid of ``cell`` metres."""
    if not cell:
        return Thinned(np.arange(len(faces)), faces, base, uv)
    place = representatives(cell)[base]
    # corners of one place share a vertex where their texture coordinates are near each other
    near = np.round(uv / _TEXTURE_CELL).astype(np.int64)
    key = (place.astype(np.int64) * 4096 + near[:, 0]) * 4096 + near[:, 1]
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    own = np.flatnonzero(base == place)  # a vertex that stays keeps its own texture coordinates
    first[number.ravel()[own]] = own
    corners = place[faces]
    whole = np.flatnonzero((corners[:, 0] != corners[:, 1]) & (corners[:, 1] != corners[:, 2])
                           & (corners[:, 2] != corners[:, 0]))
    return Thinned(whole, number.ravel()[faces[whole]].astype(np.int32), place[first].astype(np.int32), uv[first])


@cache
def representatives(cell: float) -> np.ndarray:
    """(V,) int64: for each base vertex the one that stands for it on a grid of ``cell`` metres; helpers (teeth, tongue)
    stand for themselves, never for skin."""
    m = model()
    template = np.array(m.arrays["template_vertices"], float)
    xyz = template[:BODY_VERTICES]
    hand = np.isin(m.region[:BODY_VERTICES], [REGIONS.index(f"hand.{side}") for side in "LR"])
    grid = np.floor(xyz / np.where(hand, cell / _FINGERS, cell)[:, None]).astype(np.int64)
    key = np.concatenate([grid, _member(m)[:, None]], axis=1)
    _, number = np.unique(key, axis=0, return_inverse=True)
    number = number.ravel()
    count = np.bincount(number)
    middle = np.stack([np.bincount(number, xyz[:, k]) / count for k in range(3)], axis=1)
    away = np.linalg.norm(xyz - middle[number], axis=1)
    order = np.lexsort((away, number))
    out = order[np.searchsorted(number[order], np.arange(len(count)))][number]
    if cell < CELLS_M[-1]:
        eyes = [template[np.unique(m.mesh(f"eye.{side}").base)].mean(axis=0) for side in "LR"]
        kept = np.min([np.linalg.norm(xyz - eye, axis=1) for eye in eyes], axis=0) < _EYES_M
        out[kept] = np.flatnonzero(kept)
    return np.concatenate([out, np.arange(BODY_VERTICES, len(template))])


def _member(m) -> np.ndarray:
    """(BODY_VERTICES,) int64: a number for each part of the skin whose vertices are not joined with another's: each region
    and each finger."""
    finger = [bone.partition("-")[0] + bone[-2:] if bone.startswith("finger") else "" for bone in m.bones]
    names = sorted(set(finger))
    of_bone = np.array([names.index(name) for name in finger])
    return m.region[:BODY_VERTICES].astype(np.int64) * 64 + of_bone[m.main_bone[:BODY_VERTICES]]
