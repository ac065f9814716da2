"""The canvas that clothes are cut from: a smooth, fine skin over the body's helper geometry, and its coordinates.

MakeHuman's base mesh carries helper geometry that follows every shape and pose of the body but bridges what cloth bridges
(toes, breasts, the crease between the buttocks): "tights" around trunk, arms, legs and feet, and a "skirt" around the
hips. One step of subdivision of the tights is the canvas; for figures that the picture shows small there is a coarse one,
the fine one's vertices at the corners of the tights. Their topology never changes, so everything that depends on it alone
is worked out once a process: where on the body a vertex is (coordinates in which garments are cut), which way is up along
its limb, what lies next to it, which face of the body lies beneath.

All constant lengths are metres on the template (the model's neutral body, 1.67 m tall, origin at the pelvis, z up, facing
-y); a figure's own measures follow from its own vertices.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from understudy.worlds.people import body
from understudy.worlds.people.clothes.coordinates import LIMBS, Coordinates, limb_shares, locate, on_limb
from understudy.worlds.people.clothes.neighbours import neighbour_average, on_border
from understudy.worlds.people.clothes.seams import limb_of_vertices, sewn
from understudy.worlds.people.clothes.subdivide import catmull_clark

STEP_M = 0.03  # how far up the limb a vertex looks when cloth hangs
_RINGS = 28  # stations along a limb at which its centre is measured


@dataclass(frozen=True)
class Canvas:
    """A constant mesh over the base mesh's vertices; everything in float32, which halves the time of dressing.

    stencil : (n, base) sparse, canvas vertices from base vertices; weights : (n, bones) sparse skinning weights
    faces : (m, 3) triangles over n; border : (n,) bool, vertices on the mesh's border; at : coordinates of the vertices
    seam : (n,) 1 where two limbs meet, 0 where one rules; sunk : (n,) metres on the template that a vertex lies beneath the
    surface, since on its way to a seam it moved along a chord; smooth : (n, n) sparse neighbour average
    up : (n, n) sparse, the point STEP_M further up the limb
    centres, stations : (n, r) and (r, n) sparse; ``centres @ (stations @ x)`` is the limb's centre beside each vertex
    corner_vertex, corner_uv : the mesh cut open along seams for texture coordinates: (c,) canvas vertex and (c, 2) metres;
    corner_faces : (m, 3) over c
    body_face : (m,) face of the body beneath; body_bary : (m, 3, 3) where on it each corner lies
    fine : whether it is the fine one, whose vertices lie half as far apart
    """

    stencil: Any
    weights: Any
    faces: np.ndarray
    border: np.ndarray
    at: Coordinates
    seam: np.ndarray
    sunk: np.ndarray
    smooth: Any
    up: Any
    centres: Any
    stations: Any
    corner_vertex: np.ndarray
    corner_uv: np.ndarray
    corner_faces: np.ndarray
    body_face: np.ndarray
    body_bary: np.ndarray
    fine: bool = True

    def rounds(self, wanted: int) -> int:
        """As many rounds of averaging over neighbours as reach as far as ``wanted`` do on the fine canvas."""
        return wanted if self.fine else -(-wanted // 4)


def refined(mesh: str, fine: bool = True):
    """One of the body model's helper meshes, subdivided once (Catmull-Clark); or not ``fine``, the same surface with its
    vertices at the corners of the helper mesh alone.

    Returns the stencil (n, V) sparse that takes base vertices to its n vertices, its triangles (m, 3) int, its vertices on
    the template (n, 3) m, and the template's base vertices (V, 3) m.
    """
    model = body.model()
    template = np.array(model.arrays["template_vertices"], float)
    halves = model.mesh(mesh).base_faces
    half = len(halves) // 2
    quads = np.concatenate([halves[:half], halves[half:, 2:]], 1)
    stencil, divided, _ = catmull_clark(quads, len(template))  # its first rows are the moved corners
    quads = divided if fine else quads
    used = np.unique(quads)
    number = np.full(stencil.shape[0], -1)
    number[used] = np.arange(len(used))
    stencil, quads = stencil[used].tocsr(), number[quads]
    return stencil, np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]), stencil @ template, template


@cache
def canvas(fine: bool = True) -> Canvas:
    """The canvas over the body model's tights, made once per process."""
    model = body.model()
    stencil, faces, xyz, template = refined("tights", fine)
    limb, share, moved = sewn(faces, limb_shares(stencil @ model.weights), xyz, 12 if fine else 3)
    stencil = moved @ stencil
    xyz, weights = stencil @ template, stencil @ model.weights
    at = locate(xyz, weights, limb_of_vertices(faces, limb, len(xyz)))
    stations, centres = _rings(at)
    corner_vertex, corner_uv, corner_faces = _unwrap(faces, limb, at)
    body_face, body_bary = beneath(xyz[faces], template, model.mesh("body").base_faces)
    stencil, smooth, up, centres, stations = (
        x.astype(np.float32) for x in (stencil, neighbour_average(faces, len(xyz), xyz), _upward(at), centres, stations))
    first, second = np.sort(share, 1)[:, :-3:-1].T
    seam = (1 - (first - second)).astype(np.float32)
    return Canvas(stencil, sparse(weights), faces, on_border(faces, len(xyz)), at.single(), seam,
                  _sunk(xyz).astype(np.float32), smooth, up, centres, stations, corner_vertex, corner_uv, corner_faces,
                  body_face, body_bary, fine)


def beneath(corners: np.ndarray, template: np.ndarray, body_faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The body's face beneath each of (m, 3, 3) faces, and the barycentric places of its corners on it: (m,), (m, 3, 3)."""
    from scipy.spatial import cKDTree

    triangles = template[body_faces]
    _, nearest = cKDTree(triangles.mean(1)).query(corners.mean(1))
    a, b, c = (triangles[nearest][:, None, k] for k in range(3))
    ab, ac, p = b - a, c - a, corners - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (p * ab).sum(-1), (p * ac).sum(-1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-14)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    return nearest, np.stack([1 - v - w, v, w], -1)


def sparse(weights: np.ndarray):
    """Skinning weights as a sparse matrix."""
    from scipy.sparse import csr_matrix

    return csr_matrix(np.where(weights > 1e-5, weights, 0), dtype=np.float32)


def _sunk(xyz: np.ndarray) -> np.ndarray:
    """(n,) metres that places on the template lie beneath the smooth surface of the helper mesh."""
    from scipy.spatial import cKDTree

    _, faces, surface, _ = refined("tights")
    _, near = cKDTree(surface).query(xyz)
    return np.maximum(((surface[near] - xyz) * body.vertex_normals(surface, faces)[near]).sum(1), 0)


def _rings(at: Coordinates):
    from scipy.sparse import coo_matrix

    n = len(at.limb)
    low = np.array([at.along[at.limb == k].min() for k in range(len(LIMBS))])
    high = np.array([at.along[at.limb == k].max() for k in range(len(LIMBS))])
    place = (at.along - low[at.limb]) / (high - low)[at.limb] * (_RINGS - 1)
    below = np.clip(place.astype(int), 0, _RINGS - 2)
    part = np.clip(place - below, 0, 1)
    columns = np.concatenate([at.limb * _RINGS + below, at.limb * _RINGS + below + 1])
    values = np.concatenate([1 - part, part])
    rows = np.concatenate([np.arange(n)] * 2)
    centres = coo_matrix((values, (rows, columns)), (n, len(LIMBS) * _RINGS)).tocsr()
    # a ring's centre is the middle of its extent, not the mean of its vertices (which lie denser on one side)
    sectors = 12
    sector = np.clip(((at.around + np.pi) / (2 * np.pi) * sectors).astype(int), 0, sectors - 1)
    ring = at.limb * _RINGS + np.clip(np.rint(place).astype(int), 0, _RINGS - 1)
    in_sector = np.bincount(ring * sectors + sector, minlength=len(LIMBS) * _RINGS * sectors).reshape(-1, sectors)
    filled = np.maximum((in_sector > 0).sum(1), 1)
    weight = 1.0 / (in_sector[ring, sector] * filled[ring])
    stations = coo_matrix((weight, (ring, np.arange(n))), (len(LIMBS) * _RINGS, n)).tocsr()
    empty = np.flatnonzero(in_sector.sum(1) == 0)
    if empty.size:  # a station between two rings of a coarse stretch takes its neighbour's centre
        full = np.flatnonzero(in_sector.sum(1) > 0)
        take = full[np.abs(full[None] - empty[:, None]).argmin(1)]
        stations = stations.tolil()
        stations[empty] = stations[take]
        stations = stations.tocsr()
    return stations, centres


def _upward(at: Coordinates):
    """The point STEP_M nearer the limb's root, at the same angle: an average of the four nearest vertices there."""
    from scipy.sparse import coo_matrix
    from scipy.spatial import cKDTree

    n = len(at.limb)
    rows, columns, values = [], [], []
    for k in range(len(LIMBS)):
        mine = np.flatnonzero(at.limb == k)
        radius = 0.12 if k == 0 else 0.06
        plane = np.stack([np.cos(at.around[mine]) * radius, np.sin(at.around[mine]) * radius, at.along[mine]], 1)
        wanted = plane - [0, 0, STEP_M]
        distance, near = cKDTree(plane).query(wanted, k=4)
        weight = 1 / (distance + 1e-3) ** 2
        rows.append(np.repeat(mine, 4))
        columns.append(mine[near].ravel())
        values.append((weight / weight.sum(1, keepdims=True)).ravel())
    return coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), (n, n)).tocsr()


def _unwrap(faces: np.ndarray, limb: np.ndarray, at: Coordinates):
    """Metric texture coordinates: each limb a cylinder whose circumference is a whole number of 0.1 m, seam at the back of
    the trunk and on the inner side of the limbs; on the shoulders v goes on towards the neck."""
    corner_limb = np.repeat(limb[:, None], 3, 1)
    round_m = np.array([0.9, 0.3, 0.3, 0.5, 0.5])  # circumferences on the template
    xyz = at.xyz[faces].astype(float)
    along, around = np.zeros(faces.shape), np.zeros(faces.shape)
    for k in range(len(LIMBS)):
        mine = limb == k
        along[mine], around[mine] = (x.reshape(-1, 3) for x in on_limb(k, xyz[mine].reshape(-1, 3)))
    turn = np.where(corner_limb == 0, 0.0, np.where(corner_limb % 2 == 1, -np.pi / 2, np.pi / 2))
    angle = np.mod(around + turn + np.pi, 2 * np.pi)
    wide = np.ptp(angle, axis=1) > np.pi
    angle = np.where(wide[:, None] & (angle < np.pi), angle + 2 * np.pi, angle)
    u = angle / (2 * np.pi) * round_m[corner_limb]
    radius = np.hypot(xyz[..., 0], xyz[..., 1] + 0.035)
    shoulder = np.where(corner_limb == 0, np.clip(0.14 - radius, 0, None) * np.clip((xyz[..., 2] - 0.44) / 0.08, 0, 1), 0)
    v = -along + 0.8 * shoulder
    key = np.round(np.stack([faces, u * 1e5, v * 1e5], -1)).astype(np.int64).reshape(-1, 3)
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    uv = np.stack([u, v], -1).reshape(-1, 2)
    return faces.ravel()[first], uv[first].astype(np.float32), inverse.reshape(-1, 3).astype(np.int32)
