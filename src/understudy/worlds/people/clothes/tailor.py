"""A cut piece of draped cloth becomes a surface: seams, hems with depth, charts of the body beneath, the pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from understudy.scene import PART_ID, Material, Surface
from understudy.worlds.people import body
from understudy.worlds.people.charts import charts
from understudy.worlds.people.clothes.cut import Piece, cut, open_edges, weld, whole

_MARGIN_M = 0.08  # longer than the longest edge of what is cut


class Cuttable(Protocol):
    """What a mesh must have to be cut: see Canvas and SkirtMesh."""

    faces: np.ndarray
    border: np.ndarray
    corner_vertex: np.ndarray
    corner_uv: np.ndarray
    corner_faces: np.ndarray


@dataclass(frozen=True)
class Length:
    """The faces of a mesh from which a piece is cut, over vertices and corners of their own.

    vertices : (n,) of the mesh; faces : (m, 3) over them; parent : (m,) faces of the mesh
    corner_vertex : (c,) over ``vertices``; corner_uv : (c, 2); corner_faces : (m, 3) over the corners
    piece : what is cut out
    """

    vertices: np.ndarray
    faces: np.ndarray
    parent: np.ndarray
    corner_vertex: np.ndarray
    corner_uv: np.ndarray
    corner_faces: np.ndarray
    piece: Piece


def cut_out(mesh: Cuttable, levels: Sequence[np.ndarray]) -> Length:
    """The part of a mesh where every level (at its vertices) is above 0."""
    keep = np.logical_and.reduce([level > -_MARGIN_M for level in levels])  # faces far outside need no cutting
    first, second, third = (keep[mesh.faces[:, k]] for k in range(3))
    near = np.flatnonzero(first | second | third)
    vertices, faces = _compact(mesh.faces[near], len(keep))
    corners, corner_faces = _compact(mesh.corner_faces[near], len(mesh.corner_vertex))
    whose = mesh.corner_vertex[corners]
    piece = whole(corner_faces, mesh.border[whose])
    for level in levels:
        piece = cut(piece, level[whose])
    return Length(vertices, faces, near, np.searchsorted(vertices, whose), mesh.corner_uv[corners], corner_faces, piece)


def sew(name: str, part: str, length: Length, *, posed: np.ndarray, rest: np.ndarray, per_m: float, chart: np.ndarray,
        chart_uv: np.ndarray, material: Material, hem_m: float = 0.003, facing_m: float = 0.018) -> Surface:
    """One surface with hems.

    posed, rest : (n, 3) at the length's vertices; per_m : tiles of the texture to a metre; chart : (m,), chart_uv :
    (m, 3, 2) of the whole mesh's faces; hem_m : thickness of the cloth at its edges; facing_m : how far the inner side is
    seen at an opening
    """
    piece, at = length.piece, length.corner_vertex
    normals = body.vertex_normals(posed, length.faces)
    all_of_it = np.concatenate([posed[at], normals[at], rest[at], length.corner_uv * np.float32(per_m)], axis=1)
    vertices, normal, rest, uv = np.split(piece.spread(all_of_it), (3, 6, 9), axis=1)
    normal = normal / np.maximum(np.sqrt(np.einsum("ij,ij->i", normal, normal)), 1e-12)[:, None]
    faces = piece.faces
    face_chart = chart[length.parent[piece.parent]]
    corner_uv = _corners(piece, length.corner_faces, chart_uv[length.parent])
    faces, parent, vertices, normal, rest, uv = _hem(faces, vertices, normal, rest, uv, piece.line, hem_m, facing_m)
    face_chart, corner_uv = face_chart[parent], corner_uv[parent]
    used, faces = _compact(faces, len(vertices))
    return Surface(name, vertices[used].astype(np.float32), faces.astype(np.int32), material,
                   np.full(len(faces), PART_ID[part], np.uint8), uv=uv[used].astype(np.float32),
                   rest=rest[used].astype(np.float32), chart=face_chart, chart_uv=corner_uv.astype(np.float32),
                   normals=normal[used].astype(np.float32))


@lru_cache(maxsize=1)
def body_charts() -> tuple[np.ndarray, np.ndarray]:
    """DensePose chart (m,) and chart coordinates (m, 3, 2) of the body mesh's faces."""
    model = body.model()
    return charts(np.array(model.arrays["template_vertices"], float), model.mesh("body").base_faces, list(model.bones),
                  np.array(model.arrays["template_heads"], float), model.weights)


def carried(body_face: np.ndarray, body_bary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Charts of faces that lie over ``body_face`` with corners at ``body_bary``."""
    chart, chart_uv = body_charts()
    return chart[body_face], np.clip(np.einsum("mij,mjk->mik", body_bary, chart_uv[body_face]), 0, 1).astype(np.float32)


def _corners(piece: Piece, corner_faces: np.ndarray, chart_uv: np.ndarray) -> np.ndarray:
    """(faces, 3, 2) chart coordinates of cut faces, from those of the whole faces that they came from."""
    out = chart_uv[piece.parent]
    base = len(piece.line) - sum(len(a) for a, _, _ in piece.new)
    new = piece.faces >= base
    rows = np.flatnonzero(new[:, 0] | new[:, 1] | new[:, 2])
    if rows.size:  # follow each vertex back to shares of its parent face's corners
        parents = corner_faces[piece.parent[rows]]
        share = _shares(piece, piece.faces[rows].ravel(), np.repeat(parents, 3, axis=0)).reshape(-1, 3, 3)
        out[rows] = share @ chart_uv[piece.parent[rows]]
    return out


def _shares(piece: Piece, vertex: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """(k, 3) shares of ``vertex`` (k,) in the corners of ``parents`` (k, 3)."""
    sizes = [len(a) for a, _, _ in piece.new]
    base = len(piece.line) - sum(sizes)
    share = (vertex[:, None] == parents).astype(float)
    start = base + sum(sizes)
    for (a, b, t), size in zip(reversed(piece.new), reversed(sizes)):
        start -= size
        mine = np.flatnonzero((vertex >= start) & (vertex < start + size))
        if mine.size:
            k = vertex[mine] - start
            part = t[k][:, None]
            share[mine] = (1 - part) * _shares(piece, a[k], parents[mine]) + part * _shares(piece, b[k], parents[mine])
    return share


def _hem(faces, vertices, normal, rest, uv, line, hem_m, facing_m):
    """Strips that fold inward at every open edge."""
    parent = np.arange(len(faces))
    edges, owner = open_edges(faces, rest, line)
    if len(edges) == 0:
        return faces, parent, vertices, normal, rest, uv
    ring = np.unique(edges)
    same = np.zeros(len(vertices), np.int64)
    same[ring] = weld(rest[ring])
    along = vertices[edges[:, 1]] - vertices[edges[:, 0]]
    length = np.linalg.norm(along, axis=1, keepdims=True)
    points = same[edges]
    count = len(ring)
    mid = normal[edges].mean(1)
    inward = np.cross(mid, along / np.maximum(length, 1e-9)) * length
    pull, out = np.zeros((count, 3)), np.zeros((count, 3))
    for k in (0, 1):
        for axis in range(3):
            pull[:, axis] += np.bincount(points[:, k], inward[:, axis], count)
            out[:, axis] += np.bincount(points[:, k], normal[edges[:, k], axis], count)
    pull /= np.maximum(np.linalg.norm(pull, axis=1, keepdims=True), 1e-9)
    out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
    number = np.zeros(len(vertices), np.int64)
    number[ring] = np.arange(len(ring))
    n, p = out[same[ring]], pull[same[ring]]
    k = len(ring)
    strips = [(vertices[ring], n - p), (vertices[ring] - hem_m * n, -n - p),
              (vertices[ring] - 1.5 * hem_m * n + facing_m * p, -n)]
    a, b = number[edges[:, 0]], number[edges[:, 1]]
    base = len(vertices)
    new = []
    for level in (0, 1):
        upper, lower = base + level * k, base + (level + 1) * k
        new += [np.stack([upper + b, upper + a, lower + a], 1), np.stack([upper + b, lower + a, lower + b], 1)]
    faces = np.concatenate([faces, *new])
    parent = np.concatenate([parent, np.tile(owner, 4)])
    vertices = np.concatenate([vertices, *(v for v, _ in strips)])
    turned = [x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9) for _, x in strips]
    return (faces, parent, vertices, np.concatenate([normal, *turned]), np.concatenate([rest, *[rest[ring]] * 3]),
            np.concatenate([uv, *[uv[ring]] * 3]))


def _compact(faces: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    used = np.zeros(count, bool)
    used[faces.ravel()] = True
    number = np.cumsum(used) - 1
    return np.flatnonzero(used), number[faces]
