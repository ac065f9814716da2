"""Skirts: cloth that falls from the hips as one round piece, over the base mesh's skirt helper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from understudy.key import Key
from understudy.worlds.people import body
from understudy.worlds.people.clothes.canvas import beneath, canvas, refined, sparse
from understudy.worlds.people.clothes.neighbours import neighbour_average, on_border
from understudy.worlds.people.clothes.shell import Measures, move
from understudy.worlds.people.figure import Figure


@dataclass(frozen=True)
class SkirtMesh:
    """The helper skirt, subdivided as the canvas is.

    xyz : (n, 3) on the template; around : (n,) angle, 0 in front; near, share : (n, 3) canvas vertices behind each vertex
    and their shares; everything else as on the canvas
    """

    stencil: Any
    weights: Any
    faces: np.ndarray
    border: np.ndarray
    xyz: np.ndarray
    around: np.ndarray
    smooth: Any
    near: np.ndarray
    share: np.ndarray
    corner_vertex: np.ndarray
    corner_uv: np.ndarray
    corner_faces: np.ndarray
    body_face: np.ndarray
    body_bary: np.ndarray


@cache
def skirt_mesh(fine: bool = True) -> SkirtMesh:
    """The skirt that goes with ``canvas(fine)``, made once per process."""
    from scipy.spatial import cKDTree

    model = body.model()
    stencil, faces, xyz, template = refined("skirt", fine)
    around = np.arctan2(xyz[:, 0], -(xyz[:, 1] + 0.02))
    angle = np.mod(around[faces] + np.pi, 2 * np.pi)
    wide = np.ptp(angle, axis=1) > np.pi
    angle = np.where(wide[:, None] & (angle < np.pi), angle + 2 * np.pi, angle)
    u, v = angle / (2 * np.pi) * 1.2, xyz[faces][..., 2]
    key = np.round(np.stack([faces, u * 1e5], -1)).astype(np.int64).reshape(-1, 2)
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    uv = np.stack([u, v], -1).reshape(-1, 2)[first].astype(np.float32)
    c = canvas(fine)
    hips = np.flatnonzero((np.abs(c.at.xyz[:, 0]) < 0.26) & (c.at.arm < 0) & (c.at.xyz[:, 2] < 0.24))
    distance, near = cKDTree(c.at.xyz[hips]).query(xyz, k=3)
    share = 1 / (distance + 1e-3)
    body_face, body_bary = beneath(xyz[faces], template, model.mesh("body").base_faces)
    return SkirtMesh(stencil.astype(np.float32), sparse(stencil @ model.weights), faces, on_border(faces, len(xyz)), xyz,
                     around, neighbour_average(faces, len(xyz)).astype(np.float32), hips[near],
                     share / share.sum(1, keepdims=True), faces.ravel()[first], uv,
                     inverse.reshape(-1, 3).astype(np.int32), body_face, body_bary)


def hang(key: Key, figure: Figure, m: Measures, under: np.ndarray, waist: float) -> np.ndarray:
    """The skirt at rest, (n, 3), outside ``under`` (canvas vertices at rest) around hips and waist."""
    s = skirt_mesh(m.canvas.fine)
    cloth = s.stencil @ figure.posed.rest_vertices
    depth = np.clip(waist - s.xyz[:, 2], 0, None)
    flare = key.child("flare").uniform(-0.10, 0.28)
    centre = cloth.mean(0)
    radial = cloth - centre
    radial[:, 2] = 0
    length = np.maximum(np.linalg.norm(radial, axis=1, keepdims=True), 1e-6)
    pleats = key.child("pleats").integer(9, 22)
    wave = np.cos(pleats * s.around + 2 * np.pi * key.child("phase").uniform() + 0.8 * np.sin(3 * s.around))
    deep = key.child("deep").uniform(0.004, 0.018) * np.clip(depth / 0.4, 0, 1) ** 1.2
    cloth = cloth + radial / length * ((flare * depth) + deep * wave)[:, None] * m.size
    for _ in range(2):
        cloth = 0.5 * cloth + 0.5 * (s.smooth @ cloth)
    return outside(m, cloth, under, 0.006)


def outside(m: Measures, cloth: np.ndarray, under: np.ndarray, gap_m: float) -> np.ndarray:
    """Skirt vertices pushed outside the canvas's cloth behind them."""
    s = skirt_mesh(m.canvas.fine)
    base = np.einsum("nk,nkd->nd", s.share, under[s.near])
    normal = np.einsum("nk,nkd->nd", s.share, m.normals[s.near])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    short = gap_m * m.size - np.einsum("ij,ij->i", cloth - base, normal)
    short = np.where(s.xyz[:, 2] > -0.12, np.maximum(short, 0), 0)
    return cloth + short[:, None] * normal


def settle(m: Measures, moved: np.ndarray, cloth: np.ndarray, waist: float, gap_m: float = 0.010) -> np.ndarray:
    """The posed skirt, (n, 3): sunk onto the thighs where a pose lays it flat, pushed out of hips and legs where it drives
    them through, and smoothed over the push. moved : (n, 3, 4) rest to world; cloth : (n, 3) at rest."""
    from scipy.spatial import cKDTree

    s, c = skirt_mesh(m.canvas.fine), m.canvas
    posed = move(moved, cloth)
    flat = 1 - np.clip(np.abs(moved[:, 2, 2]), 0, 1)
    posed[:, 2] -= 0.08 * m.size * flat * np.clip((waist - s.xyz[:, 2]) / 0.25, 0, 1)
    rows = np.flatnonzero((c.at.arm < 0) & (c.at.xyz[:, 2] < 0.2) & (c.at.xyz[:, 2] > -0.74))
    legs = move(m.moves[rows], m.rest[rows])
    normals = np.einsum("nij,nj->ni", m.moves[rows, :, :3], m.normals[rows])
    tree = cKDTree(legs, balanced_tree=False, compact_nodes=False)  # quick to build
    for turn in range(4):
        near = tree.query(posed)[1]
        depth = ((posed - legs[near]) * normals[near]).sum(1)
        short = np.clip(gap_m * m.size - depth, 0, 0.06)
        if not short.any():
            break
        push = short[:, None] * normals[near]
        if turn < 3:
            for _ in range(2):
                push = np.where(short[:, None] > 0, push, s.smooth @ push)
        posed = posed + push
    return posed


def moves(figure: Figure, fine: bool) -> np.ndarray:
    """(n, 3, 4) rest to world of the skirt's vertices."""
    transforms = figure.posed.transforms[:, :3, :].reshape(-1, 12).astype(np.float32)
    return (skirt_mesh(fine).weights @ transforms).reshape(-1, 3, 4)


__all__ = ["SkirtMesh", "hang", "move", "moves", "outside", "skirt_mesh"]
