"""Headwear: beanies, caps and headscarves, cut from the skin of head and neck and raised off it.

Cut lines are metres on the template, as those of the other garments are; cloth spans the ears and the hollow below the chin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from understudy.key import Key
from understudy.scene import PART_ID, Material, Surface
from understudy.worlds.people import body
from understudy.worlds.people.clothes.canvas import sparse
from understudy.worlds.people.clothes.creases import TILE_M
from understudy.worlds.people.clothes.fabric import Choice, choose
from understudy.worlds.people.clothes.neighbours import neighbour_average
from understudy.worlds.people.clothes.shell import move, size_of
from understudy.worlds.people.clothes.tailor import body_charts, cut_out, sew
from understudy.worlds.people.figure import Figure

HEADWEAR = ("cap", "beanie", "headscarf")
CLOTH = {"cap": "twill", "beanie": "knit", "headscarf": "jersey"}
_TIED = ("ponytail", "bun", "plait")  # where a hat sits, nothing is tied: it is at the nape
_LIFT = {"cap": 0.010, "beanie": 0.010, "headscarf": 0.009}  # off the skin, m
_BRIM_M, _BRIM_DEG, _BRIM_COLUMNS, _BRIM_ROWS = 0.068, 62.0, 25, 7


@dataclass(frozen=True)
class Headwear:
    """What is worn on the head: one of HEADWEAR, its cloth, and the key of its shape."""

    kind: str
    cloth: Choice
    key: Key

    def surfaces(self, figure: Figure, material: Material) -> tuple[list[Surface], np.ndarray]:
        """The meshes on a posed figure, and (V,) bool base vertices of the skin that they hide."""
        h = _head()
        size = size_of(figure.rest.stature_m)
        rest = figure.posed.rest_vertices[h.base]
        normals = body.vertex_normals(figure.posed.rest_vertices, body.model().mesh("body").base_faces)[h.base]
        level = _levels(self.kind, h.xyz)
        inside = np.min(level, axis=0)
        lift = _LIFT[self.kind] * size
        cloth = rest + lift * normals
        loose = h.ear if self.kind != "headscarf" else h.ear | h.under_chin
        for _ in range(26):
            cloth = 0.45 * cloth + 0.55 * (h.smooth @ cloth)
            short = lift - np.einsum("ij,ij->i", cloth - rest, normals)
            cloth = cloth + np.where(loose, 0, np.clip(short, 0, None))[:, None] * normals
        if self.kind == "beanie":
            slouch = self.key.child("slouch").uniform(0.0, 0.035) * size
            cloth = cloth + (slouch * np.clip(inside / 0.09, 0, 1) ** 1.5)[:, None] * np.array([0, 0.35, 1.0])
        transforms = figure.posed.transforms[:, :3, :].reshape(-1, 12).astype(np.float32)
        moves = (h.weights @ transforms).reshape(-1, 3, 4)
        length = cut_out(h, level)
        chart, chart_uv = body_charts()
        out = [sew(self.kind, "hat", length, posed=move(moves[length.vertices], cloth[length.vertices]),
                   rest=cloth[length.vertices], per_m=1 / TILE_M, chart=chart[h.face], chart_uv=chart_uv[h.face],
                   material=material, hem_m=0.003 * size, facing_m=0.012 * size)]
        if self.kind == "cap":
            out.append(_brim(h, cloth, moves, size, material))
        covered = np.zeros(len(figure.posed.rest_vertices), bool)
        covered[h.base[inside > 0.012]] = True
        return out, covered


@dataclass(frozen=True, eq=False)
class _Head:
    """The skin of head, neck and shoulders as a mesh of its own (what ``cut_out`` wants), with its base vertices."""

    base: np.ndarray
    face: np.ndarray
    xyz: np.ndarray
    faces: np.ndarray
    border: np.ndarray
    corner_vertex: np.ndarray
    corner_uv: np.ndarray
    corner_faces: np.ndarray
    weights: object
    smooth: object
    ear: np.ndarray
    under_chin: np.ndarray


@lru_cache(maxsize=1)
def _head() -> _Head:
    model = body.model()
    template = np.array(model.arrays["template_vertices"], float)
    mesh = model.mesh("body")
    whole = mesh.base_faces
    middle = template[whole].mean(axis=1)
    inside = (middle[:, 2] > 0.45) & (np.hypot(middle[:, 0], middle[:, 1] + 0.03) < 0.22)
    outer = ~((np.abs(middle[:, 0]) < 0.05) & (middle[:, 1] > -0.125) & (middle[:, 1] < -0.03) & (middle[:, 2] > 0.63)
              & (middle[:, 2] < 0.76))  # neither mouth nor eye sockets, which lie inside
    face = np.flatnonzero(inside & outer)
    base, faces = np.unique(whole[face], return_inverse=True)
    faces = faces.reshape(-1, 3)
    xyz = template[base]
    corner, corner_faces = np.unique(mesh.faces[face], return_inverse=True)
    number = np.full(len(template), -1)
    number[base] = np.arange(len(base))
    around = np.arctan2(xyz[:, 0], -(xyz[:, 1] + 0.04))
    whose = number[mesh.base[corner]]
    uv = np.stack([0.1 * around[whose], xyz[whose, 2]], axis=1)
    ear = (np.abs(xyz[:, 0]) > 0.066) & (xyz[:, 2] > 0.63) & (xyz[:, 2] < 0.79) & (xyz[:, 1] > -0.085) & (xyz[:, 1] < 0.02)
    under = (xyz[:, 2] > 0.54) & (xyz[:, 2] < 0.63) & (xyz[:, 1] < -0.03)
    return _Head(base, face, xyz, faces.astype(np.int32), np.zeros(len(base), bool), whose, uv.astype(np.float32),
                 corner_faces.reshape(-1, 3).astype(np.int32), sparse(model.weights[base]),
                 neighbour_average(faces, len(base)).astype(np.float32), ear, under)


def inside(kind: str, xyz: np.ndarray) -> np.ndarray:
    """How far points (..., 3) on the template's head lie inside the cloth's border, in metres, negative outside."""
    return np.min(_levels(kind, xyz.reshape(-1, 3)), axis=0).reshape(xyz.shape[:-1])


def hair_under(kind: str, style: str) -> str:
    """What a hairstyle is under something on the head: scarves hide all of it."""
    if kind == "headscarf" or style == "bald":
        return "bald"
    return "low ponytail" if style in _TIED else style


def chosen(key: Key, kind: str) -> Headwear | None:
    """Something on the head, or nothing where ``kind`` is "none"."""
    if kind == "none":
        return None
    return Headwear(kind, choose(key.child("fabric"), CLOTH[kind], printed=False), key.child("shape"))


def _levels(kind: str, xyz: np.ndarray) -> list[np.ndarray]:
    """Above 0 where the cloth is, metres on the template."""
    x, y, z = xyz.T
    if kind == "headscarf":
        opening = 0.061 * (np.hypot(x / 0.061, (z - 0.708) / 0.090) - 1)
        face = np.where(y < -0.072, opening, 0.1)
        below = np.clip((0.63 - z) / 0.03, 0, 1)
        return [face, 0.115 + 0.02 * np.clip((0.60 - z) / 0.1, 0, 1) - np.hypot(x, y + 0.02) * below]
    front = 0.786 if kind == "cap" else 0.777
    return [z - front + 0.47 * (y + 0.15)]


def _brim(h: _Head, cloth: np.ndarray, moves: np.ndarray, size: float, material: Material) -> Surface:
    """A curved peak from the cap's front edge."""
    edge = _levels("cap", h.xyz)[0]
    ring = np.flatnonzero((np.abs(edge) < 0.010) & (h.xyz[:, 1] < -0.02))
    around = np.arctan2(h.xyz[ring, 0], -(h.xyz[ring, 1] + 0.05))
    order = np.argsort(around)
    ring, around = ring[order], around[order]
    angle = np.radians(np.linspace(-_BRIM_DEG, _BRIM_DEG, _BRIM_COLUMNS))
    inner = np.stack([np.interp(angle, around, np.convolve(np.pad(cloth[ring, k], 4, mode="edge"), np.ones(9) / 9, "valid"))
                      for k in range(3)], axis=1)
    reach = _BRIM_M * size * np.sqrt(np.clip(np.cos(angle * 90 / (_BRIM_DEG + 3)), 0, 1))
    t = np.linspace(0, 1, _BRIM_ROWS)[:, None, None]
    way = np.stack([0.12 * np.sin(angle), np.full_like(angle, -0.95), -0.22 - 0.25 * (angle / 1.08) ** 2], axis=1)
    top = inner[None] + t * reach[None, :, None] * way[None]
    points = np.concatenate([top, top - [0, 0, 0.004 * size]]).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(_BRIM_ROWS - 1), np.arange(_BRIM_COLUMNS - 1), indexing="ij")
    a = (i * _BRIM_COLUMNS + j).ravel()
    b, c, d = a + 1, a + _BRIM_COLUMNS, a + _BRIM_COLUMNS + 1
    upper = np.concatenate([np.stack([a, c, b], 1), np.stack([b, c, d], 1)])
    count = _BRIM_ROWS * _BRIM_COLUMNS
    lower = upper[:, ::-1] + count
    rim = np.arange((_BRIM_ROWS - 1) * _BRIM_COLUMNS, count)
    near, far = rim[:-1], rim[1:]
    side = np.concatenate([np.stack([near, near + count, far], 1), np.stack([far, near + count, far + count], 1)])
    faces = np.concatenate([upper, lower, side]).astype(np.int32)
    head = moves[ring[len(ring) // 2]]
    posed = points @ head[:, :3].T + head[:, 3]
    uv = np.stack([points[:, 0], points[:, 1]], axis=1) / 0.1
    return Surface("brim", posed.astype(np.float32), faces, material, np.full(len(faces), PART_ID["hat"], np.uint8),
                   uv=uv.astype(np.float32), rest=points.astype(np.float32), smooth=False)
