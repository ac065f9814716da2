"""Seams between the limbs of the canvas: where sleeves and trouser legs are sewn on. Textures end there, and a stepped seam
shows; so vertices are moved until the seams run evenly through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from understudy.geometry.primitives import doubled_normals
from understudy.worlds.people.clothes.coordinates import LIMBS
from understudy.worlds.people.clothes.neighbours import edges_of, neighbour_average, pair_average

_EVENING_ROUNDS = 3  # of averaging beside it


def sewn(faces: np.ndarray, share: np.ndarray, xyz: np.ndarray, rounds: int):
    """Which limb each face belongs to, (m,) index of LIMBS, the averaged shares, and (n, n) sparse: vertices moved so that
    the seams between limbs run evenly through them.

    share : (n, limbs) of each vertex, averaged over neighbours ``rounds`` times (and the seam over two thirds as many). The
    seam is where two limbs' shares are equal: of every edge that it crosses, one end moves along the edge onto it, so that
    no face lies on both sides.
    """
    n = len(xyz)
    around = neighbour_average(faces, n)
    for _ in range(rounds):
        share = 0.5 * (share + around @ share)
    onto, way = _ways_to_seam(faces, share, xyz)
    say = np.where(way > 0, 1e-6, 1.0)  # a vertex on the seam has none in where its faces belong, unless all three are on it
    limb = (say[faces][..., None] * share[faces]).sum(1).argmax(1)
    seam = _between(faces, limb)
    snapped = _unturned(faces, xyz, way, lambda way: _towards(onto, way))
    on, beside = np.zeros(n), np.zeros(n)
    on[seam.ravel()] = 0.5
    beside[faces[(on > 0)[faces].any(1)].ravel()] = 0.5
    loop = pair_average(np.concatenate([seam, seam[:, ::-1]]), n)
    moved = _unturned(faces, xyz, on, lambda on: _repeated(_partly(on, loop), -(-2 * rounds // 3)) @ snapped)
    return limb, share, _repeated(_partly(np.where(on > 0, 0, beside), around), _EVENING_ROUNDS) @ moved


def _ways_to_seam(faces: np.ndarray, share: np.ndarray, xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each vertex the neighbour towards which it moves onto a seam, (n,), and how much of the way, (n,); 0 stays.

    The shortest ways go first; an edge that has an end on the seam by then needs no other.
    """
    limb = share.argmax(1)
    edges = edges_of(faces)[0]
    edges = edges[limb[edges[:, 0]] != limb[edges[:, 1]]]
    lead = share[edges, limb[edges[:, :1]]] - share[edges, limb[edges[:, 1:]]]  # of the first end's limb over the other's
    place = lead[:, 0] / (lead[:, 0] - lead[:, 1])
    near, far = np.where((place < 0.5)[:, None], edges, edges[:, ::-1]).T
    part = np.minimum(place, 1 - place)
    onto, way = np.arange(len(xyz)), np.zeros(len(xyz))
    for k in np.argsort(part * np.linalg.norm(xyz[far] - xyz[near], axis=1), kind="stable").tolist():
        if way[near[k]] == way[far[k]] == 0:
            onto[near[k]], way[near[k]] = far[k], max(part[k], 1e-9)
    return onto, way


def limb_of_vertices(faces: np.ndarray, limb: np.ndarray, n: int) -> np.ndarray:
    """(n,) index of LIMBS: that of a vertex's faces; on a seam the first, so that both sides of it end alike."""
    first = np.full(n, len(LIMBS))
    np.minimum.at(first, faces.ravel(), np.repeat(limb, 3))
    return first


def _between(faces: np.ndarray, limb: np.ndarray) -> np.ndarray:
    """(k, 2) edges whose two faces belong to different limbs."""
    ends = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    order = np.lexsort((ends[:, 1], ends[:, 0]))
    ends, own = ends[order], np.tile(limb, 3)[order]
    return ends[1:][(ends[1:] == ends[:-1]).all(1) & (own[1:] != own[:-1])]


def _unturned(faces: np.ndarray, xyz: np.ndarray, amount: np.ndarray, moved_by: Callable[[np.ndarray], Any]):
    """``moved_by(amount)``, (n, n) sparse, with as much of (n,) ``amount`` at each vertex as turns no face over."""
    before, amount = doubled_normals(xyz[faces]), amount.copy()
    while True:
        moved = moved_by(amount)
        after = doubled_normals((moved @ xyz)[faces])
        turned = np.unique(faces[(before * after).sum(1) < 0.05 * (before * before).sum(1)])
        if not amount[turned].any():
            return moved
        amount[turned] = np.where(amount[turned] > 0.05, 0.7 * amount[turned], 0)


def _towards(onto: np.ndarray, way: np.ndarray):
    """(n, n) sparse: each vertex moved ``way`` towards the vertex ``onto``."""
    from scipy.sparse import csr_matrix

    n = len(way)
    return _partly(way, csr_matrix((np.ones(n), (np.arange(n), onto)), (n, n)))


def _partly(share: np.ndarray, mean: Any):
    """(n, n) sparse: each vertex moved ``share`` of the way to where ``mean`` puts it."""
    from scipy.sparse import diags

    return (diags(share) @ mean + diags(1 - share)).tocsr()


def _repeated(step: Any, times: int):
    """(n, n) sparse: ``step`` so many times over."""
    out = step
    for _ in range(times - 1):
        out = step @ out
    return out
