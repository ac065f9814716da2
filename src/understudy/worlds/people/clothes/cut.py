"""Cutting a mesh along the zero line of a field, so that hems and cuffs are smooth lines and no saw-teeth."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Piece:
    """A part of a mesh: faces over its vertices followed by new ones on cut edges.

    faces : (m, 3); parent : (m,) the face of the whole mesh that each came from
    new : for each cut, the (a, b, t) of its new vertices: at (1 - t) · a + t · b of what was there before
    line : (n,) bool over all vertices, true on a cut and on the whole mesh's border
    """

    faces: np.ndarray
    parent: np.ndarray
    line: np.ndarray
    new: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...] = field(default=())

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values at the whole mesh's vertices (n, ...) -> at this piece's vertices."""
        for a, b, t in self.new:
            part = t.reshape(-1, *(1,) * (values.ndim - 1)).astype(values.dtype)
            values = np.concatenate([values, (1 - part) * values[a] + part * values[b]])
        return values


def whole(faces: np.ndarray, border: np.ndarray) -> Piece:
    """The uncut mesh. border : (n,) bool, its vertices that lie on its border."""
    return Piece(faces, np.arange(len(faces)), border)


def cut(piece: Piece, level: np.ndarray) -> Piece:
    """Keep the part where ``level`` (at the whole mesh's vertices) is above 0, cutting faces across the line."""
    value = piece.spread(level)
    value = np.where(np.abs(value) < 1e-7, 1e-7, value)  # no vertex lies on the line itself
    inside = value > 0
    one = inside.astype(np.int8)
    count = one[piece.faces[:, 0]] + one[piece.faces[:, 1]] + one[piece.faces[:, 2]]
    kept, parent = [piece.faces[count == 3]], [piece.parent[count == 3]]
    ends: list[np.ndarray] = []
    start = len(value)
    # turn each cut face so that its odd corner comes first
    for inner in (1, 2):
        rows = np.flatnonzero(count == inner)
        faces = piece.faces[rows]
        odd = np.argmax(inside[faces] == (inner == 1), 1)
        a, b, c = (np.take_along_axis(faces, ((odd + k) % 3)[:, None], 1)[:, 0] for k in range(3))
        ends.append(np.concatenate([np.stack([a, b], 1), np.stack([a, c], 1)]))
        ab = start + np.arange(len(rows))
        ac = ab + len(rows)
        start += 2 * len(rows)
        if inner == 1:
            kept.append(np.stack([a, ab, ac], 1))
            parent.append(piece.parent[rows])
        else:
            kept += [np.stack([ab, b, c], 1), np.stack([ab, c, ac], 1)]
            parent += [piece.parent[rows]] * 2
    edges = np.concatenate(ends).astype(np.int64)
    unique, number = np.unique(edges.min(1) * start + edges.max(1), return_inverse=True)
    a, b = np.divmod(unique, start)
    t = value[a] / (value[a] - value[b])
    faces = np.concatenate(kept)
    old = len(value)
    faces = np.where(faces < old, faces, old + number.ravel()[np.maximum(faces - old, 0)]) if len(edges) else faces
    line = np.concatenate([piece.line, np.ones(len(unique), bool)])
    return Piece(faces, np.concatenate(parent), line, (*piece.new, (a, b, t)))


def open_edges(faces: np.ndarray, positions: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edges of faces that have no neighbour: (k, 2) directed, and (k,) the face of each.

    positions : (n, 3); an edge along a seam, where two vertices lie at one place, is not open
    line : (n,) bool, the vertices among which to look (a Piece's)
    """
    first, second, third = (line[faces[:, k]] for k in range(3))
    sides = [np.flatnonzero(first & second), np.flatnonzero(second & third), np.flatnonzero(third & first)]
    owner = np.concatenate(sides)
    ends = np.concatenate([faces[rows][:, [k, (k + 1) % 3]] for k, rows in enumerate(sides)]).astype(np.int64)
    loose = _single(ends.min(1) * len(positions) + ends.max(1))
    if not loose.size:
        return ends[:0], owner[:0]
    vertices, place = np.unique(ends[loose], return_inverse=True)
    place = weld(positions[vertices])[place.reshape(-1, 2)]
    loose = loose[_single(place.min(1) * len(vertices) + place.max(1))]
    return ends[loose], owner[loose]


def _single(key: np.ndarray) -> np.ndarray:
    """Rows whose key occurs once."""
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    new = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    return np.sort(order[new[1:] & new[:-1]])


def weld(positions: np.ndarray, grain_m: float = 1e-6) -> np.ndarray:
    """(n,) int64: one number for all vertices at the same place."""
    cells = np.round(positions / grain_m).astype(np.int64)
    key = (cells[:, 0] * 73856093) ^ (cells[:, 1] * 19349663) ^ (cells[:, 2] * 83492791)
    return np.unique(key, return_inverse=True)[1]
