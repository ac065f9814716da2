"""A backpack on the clothes of a figure: a soft bag against the back and two straps that lie on what is worn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.assets.palettes import palette
from understudy.assets.patterns import pattern
from understudy.geometry.primitives import Mesh, doubled_normals
from understudy.key import Key
from understudy.scene import PART_ID, Entity, Material, Surface
from understudy.worlds.people.body import PosedBody

WORN_IN = ("standing", "walking", "running")  # families of poses in which nothing is in its way
_OVER = tuple(PART_ID[name] for name in ("top", "dress", "outerwear"))
_OFF_M = 0.006  # straps over the cloth
_STRAP_M = 0.042
_STEPS = 44


def backpack(key: Key, clothes: Sequence[Surface], body: PosedBody, number: int) -> Entity | None:
    """A backpack over the outermost ``clothes`` of a posed body, unlabelled as what hands hold; None where no garment is on
    the trunk to lie on."""
    layers = [s for s in clothes if np.isin(s.part[:1], _OVER).any()  # far off a cap of hair may be thinned to nothing
              and s.normals is not None and s.rest is not None]
    if not layers:
        return None
    rest, posed, normals = (np.concatenate([getattr(s, name) for s in layers]).astype(float)
                            for name in ("rest", "vertices", "normals"))
    size = body.rest.stature_m / 1.7
    heads = body.rest.heads
    shoulders = [heads[_bone(f"upperarm01.{side}")] for side in "LR"]
    half, top = 0.72 * abs(shoulders[0][0] - shoulders[1][0]) / 2, (shoulders[0][2] + shoulders[1][2]) / 2
    trunk = (np.abs(rest[:, 0]) < 1.25 * half) & (rest[:, 2] > top - 0.5 * size) & (rest[:, 2] < top + 0.12 * size)
    rest, posed, normals = rest[trunk], posed[trunk], normals[trunk]
    u = key.child("size").uniforms(3)
    wide, high, deep = (0.26 + 0.05 * u[0]) * size, (0.38 + 0.10 * u[1]) * size, (0.13 + 0.07 * u[2]) * size
    behind = (np.abs(rest[:, 0]) < 0.4 * wide) & (rest[:, 1] > np.median(rest[:, 1])) & (rest[:, 2] < top)
    if behind.sum() < 12:
        return None
    turn, shift = _moved(rest[behind], posed[behind])
    back = float(np.percentile(rest[behind][:, 1], 85))
    base = np.array([0.0, back + 0.47 * deep, top + 0.02 * size - high])
    cloth = _cloth(key)
    parts = [("backpack", _soft(wide, deep, high, 0.45), base, cloth),
             ("pocket", _soft(0.78 * wide, 0.5 * deep, 0.42 * high, 0.5),
              base + np.array([0, 0.42 * deep, 0.06 * high]), cloth)]
    out = [_surface(name, mesh, (mesh.vertices + at) @ turn.T + shift, material) for name, mesh, at, material in parts]
    strap = Material(tuple(0.6 * c for c in palette(key.child("strap"), "cloth", 1)[0]), roughness=0.85)
    for side in (1, -1):
        way = _way(side, half, top, back, high, size, rest)
        out.append(_strap(way, rest, posed, normals, size, strap))
    return Entity(number, None, tuple(out))


def _bone(name: str) -> int:
    from understudy.worlds.people.body import model

    return model().bone(name)


def _cloth(key: Key) -> Material:
    colours = palette(key.child("colour"), "cloth", 2)
    dark = tuple(0.75 * c for c in colours[0])
    return Material(pattern("plain", key.child("weave"), 64, (colours[0], dark)), roughness=0.75, sheen=0.2)


def _moved(rest: np.ndarray, posed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rigid motion (rotation, shift) nearest to what took ``rest`` to ``posed`` (Kabsch 1976)."""
    a, b = rest.mean(0), posed.mean(0)
    u, _, vt = np.linalg.svd((rest - a).T @ (posed - b))
    turn = vt.T @ np.diag([1, 1, np.sign(np.linalg.det(vt.T @ u.T))]) @ u.T
    return turn, b - turn @ a


def _soft(wide: float, deep: float, high: float, square: float) -> Mesh:
    """A filled bag standing on z = 0: a superellipsoid (Barr 1981), rounder at its top."""
    lat, lon = np.linspace(-np.pi / 2, np.pi / 2, 17), np.linspace(-np.pi, np.pi, 33)
    lat, lon = np.meshgrid(lat, lon, indexing="ij")

    def power(x: np.ndarray, p: float) -> np.ndarray:
        return np.sign(x) * np.abs(x) ** p

    level = power(np.cos(lat), square)
    x, y, z = level * power(np.cos(lon), square), level * power(np.sin(lon), square), power(np.sin(lat), square)
    narrow = 1 - 0.16 * np.clip(z, 0, 1)
    points = np.stack([0.5 * wide * narrow * x, 0.5 * deep * narrow * y, 0.5 * high * (z + 1)], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(16), np.arange(32), indexing="ij")
    a = (i * 33 + j).ravel()
    faces = np.concatenate([np.stack([a, a + 1, a + 34], 1), np.stack([a, a + 34, a + 33], 1)])
    area = np.linalg.norm(doubled_normals(points[faces]), axis=1)
    uv = np.stack([lon.ravel() / np.pi * 3, lat.ravel() / np.pi * 3], 1)
    return Mesh(points.astype(np.float32), faces[area > 1e-10].astype(np.int32), uv.astype(np.float32))


def _way(side: int, half: float, top: float, back: float, high: float, size: float, rest: np.ndarray) -> np.ndarray:
    """Where a strap goes at rest, (_STEPS, 3): from the bag's top over the shoulder, down the chest, below the arm, to the
    bag's lower end."""
    front = float(rest[np.abs(rest[:, 2] - (top - 0.1 * size)) < 0.05 * size][:, 1].min())
    x, flank = side * 0.62 * half, side * 1.05 * half
    low = top + 0.02 * size - 0.8 * high
    corners = np.array([[0.55 * x, back, top - 0.01 * size], [0.9 * x, 0.6 * back, top + 0.06 * size],
                        [x, 0.3 * back + 0.7 * front, top + 0.06 * size], [x, front, top - 0.05 * size],
                        [1.05 * x, front, top - 0.15 * size], [flank, 0.55 * front + 0.45 * back, top - 0.26 * size],
                        [flank, back, low]])
    run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    return np.stack([np.interp(np.linspace(0, run[-1], _STEPS), run, corners[:, k]) for k in range(3)], 1)


def _strap(way: np.ndarray, rest: np.ndarray, posed: np.ndarray, normals: np.ndarray, size: float,
           material: Material) -> Surface:
    """A band along ``way`` (at rest), laid onto the cloth as it is posed."""
    from scipy.spatial import cKDTree

    near = cKDTree(rest).query(way)[1]
    path = posed[near] + _OFF_M * size * normals[near]
    tree = cKDTree(posed)
    for _ in range(4):  # taut, and outside the cloth
        path[1:-1] = 0.25 * path[:-2] + 0.5 * path[1:-1] + 0.25 * path[2:]
        close = tree.query(path)[1]
        depth = np.einsum("ij,ij->i", path - posed[close], normals[close])
        path += np.clip(_OFF_M * size - depth, 0, None)[:, None] * normals[close]
    out = normals[tree.query(path)[1]]
    for _ in range(3):
        out[1:-1] = 0.25 * out[:-2] + 0.5 * out[1:-1] + 0.25 * out[2:]
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side = np.cross(along, out)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    broad = 0.5 * _STRAP_M * size * np.interp(np.linspace(0, 1, _STEPS), (0, 0.1, 0.6, 0.7, 1), (0.8, 1.2, 1.2, 0.6, 0.6))
    thick = 0.004 * size * np.cross(side, along)
    edges = [path - side * broad[:, None], path + side * broad[:, None]]
    points = np.concatenate([np.stack([e + t for e in edges], 1).reshape(-1, 3) for t in (thick, -thick)])
    n = _STEPS
    k = np.arange(n - 1) * 2
    upper = np.concatenate([np.stack([k, k + 2, k + 1], 1), np.stack([k + 1, k + 2, k + 3], 1)])
    lower = upper[:, ::-1] + 2 * n
    left = np.concatenate([np.stack([k, k + 2 * n, k + 2], 1), np.stack([k + 2, k + 2 * n, k + 2 + 2 * n], 1)])
    right = np.concatenate([np.stack([k + 1, k + 3, k + 1 + 2 * n], 1), np.stack([k + 3, k + 3 + 2 * n, k + 1 + 2 * n], 1)])
    faces = np.concatenate([upper, lower, left, right]).astype(np.int32)
    uv = np.tile(np.stack([np.tile([0.0, 1.0], n), np.repeat(np.linspace(0, 12, n), 2)], 1), (2, 1))
    mesh = Mesh(points.astype(np.float32), faces, uv.astype(np.float32), smooth=False)
    return _surface("strap", mesh, points, material)


def _surface(name: str, mesh: Mesh, points: np.ndarray, material: Material) -> Surface:
    return Surface(name, np.ascontiguousarray(points, np.float32), mesh.faces, material,
                   np.full(len(mesh.faces), PART_ID["bag"], np.uint8), uv=mesh.uv, rest=mesh.vertices, smooth=mesh.smooth)
