"""What places are made of: materials, boxes, panels and turned bodies, put together to unlabelled entities.

A thing is built around the origin: it stands on z = 0, its back at +y, and is then placed. Texture coordinates are in
metres over the texture's tile, so a brick is a brick on a wall and on a chimney.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from understudy.assets.palettes import palette
from understudy.assets.patterns import noise, pattern
from understudy.geometry import primitives
from understudy.geometry.poses import apply, rotation, translation
from understudy.geometry.primitives import Mesh
from understudy.key import Key
from understudy.scene import PART_ID, Entity, Material, Surface

Piece = tuple[Mesh, int]  # a mesh and the number of its material

# pattern -> (palette, tile in metres, roughness range)
_STUFF: dict[str, tuple[str, float, tuple[float, float]]] = {
    "planks": ("wood", 1.6, (0.25, 0.7)), "wood": ("wood", 0.8, (0.25, 0.7)), "tiles": ("stone", 1.6, (0.15, 0.6)),
    "carpet": ("cloth", 1.2, (0.9, 1.0)), "concrete": ("stone", 2.5, (0.6, 0.95)), "marble": ("stone", 1.8, (0.1, 0.4)),
    "terrazzo": ("stone", 0.5, (0.2, 0.5)), "checks": ("stone", 2.4, (0.2, 0.6)), "plaster": ("wall", 2.5, (0.7, 1.0)),
    "brick": ("wall", 1.1, (0.7, 1.0)), "stripes": ("wall", 1.2, (0.6, 1.0)), "clouds": ("wall", 2.5, (0.5, 1.0)),
    "grass": ("foliage", 2.5, (0.9, 1.0)), "asphalt": ("stone", 2.5, (0.8, 1.0)), "plaid": ("cloth", 0.6, (0.8, 1.0)),
    "knit": ("cloth", 0.5, (0.9, 1.0)), "floral": ("cloth", 0.8, (0.7, 1.0)), "dots": ("cloth", 0.5, (0.6, 1.0)),
    "plain": ("cloth", 0.8, (0.7, 1.0)), "corduroy": ("cloth", 0.4, (0.9, 1.0)), "herringbone": ("cloth", 0.5, (0.8, 1.0)),
    "gingham": ("cloth", 0.8, (0.8, 1.0)), "gradient": ("paint", 1.5, (0.4, 1.0)),
    "camouflage": ("foliage", 1.2, (0.8, 1.0)),
}


def tile_of(name: str) -> float:
    """The side in metres that one repeat of a pattern covers on surroundings."""
    return _STUFF[name][1]


def patterned(key: Key, name: str, size: int = 128, kind: str | None = None) -> Material:
    """A material of one pattern, in colours that such a thing has (or of the palette ``kind``)."""
    own, _, (low, high) = _STUFF[name]
    colours = palette(key.child("colours"), kind or own, 3)
    return Material(pattern(name, key.child("pattern"), size, colours), roughness=key.child("rough").uniform(low, high))


def painted(key: Key, kind: str = "paint") -> Material:
    """A material of one colour."""
    return Material(palette(key, kind, 1)[0], roughness=key.child("rough").uniform(0.25, 0.9),
                    metallic=1.0 if key.child("metal").uniform() < 0.06 else 0.0)


def slab(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float], tile_m: float = 1.0) -> Mesh:
    """An upright box between these ends, with texture coordinates in metres over ``tile_m``: u level, v up."""
    sides = np.array([x[1] - x[0], y[1] - y[0], z[1] - z[0]])
    mesh = primitives.box(*sides)
    vertices = mesh.vertices + np.array([(x[0] + x[1]) / 2, (y[0] + y[1]) / 2, z[0]], np.float32)
    axes = ((1, 2), (0, 2), (0, 1))
    uv = np.concatenate([vertices[8 * a:8 * a + 8, list(axes[a])] for a in range(3)]) / tile_m
    return replace(mesh, vertices=vertices, uv=uv.astype(np.float32))


def turned(mesh: Mesh, x: float, y: float, z: float, repeat: tuple[float, float] = (1, 1)) -> Mesh:
    """A body of revolution moved to (x, y, z), its texture repeated (around, up)."""
    return replace(mesh, vertices=(mesh.vertices + np.array([x, y, z], np.float32)).astype(np.float32),
                   uv=(mesh.uv * np.array(repeat, np.float32)).astype(np.float32))


def entity(number: int, name: str, pieces: Sequence[Piece], materials: Sequence[Material], x: float, y: float,
           turn_deg: float = 0.0, z: float = 0.0) -> Entity:
    """The pieces of a thing, placed, as an unlabelled entity with one surface a material and shading."""
    pose = translation(x, y, z) @ rotation("z", turn_deg)
    surfaces = []
    for number_of, material in enumerate(materials):
        for smooth in (False, True):
            meshes = [m for m, which in pieces if which == number_of and m.smooth == smooth]
            if meshes:
                surfaces.append(_joined(f"{name}{len(surfaces)}", meshes, material, pose, smooth))
    return Entity(number, None, tuple(surfaces))


def _joined(name: str, meshes: Sequence[Mesh], material: Material, pose: np.ndarray, smooth: bool) -> Surface:
    starts = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    rest = np.concatenate([m.vertices for m in meshes]).astype(np.float32)
    faces = np.concatenate([m.faces + s for m, s in zip(meshes, starts)]).astype(np.int32)
    part = np.full(len(faces), PART_ID["other"], np.uint8)
    return Surface(name, apply(pose, rest).astype(np.float32), faces, material, part,
                   uv=np.concatenate([m.uv for m in meshes]).astype(np.float32), rest=rest, smooth=smooth)


def reach_of(pieces: Sequence[Piece]) -> float:
    """How far a thing reaches from its vertical axis, in metres."""
    return float(max(np.hypot(m.vertices[:, 0], m.vertices[:, 1]).max() for m, _ in pieces))


def panel(corners: np.ndarray, tile_m: float = 1.0) -> Mesh:
    """A flat rectangle (4, 3), counter-clockwise from the side that is seen; u runs along its first edge."""
    corners = np.asarray(corners, np.float32)
    u, v = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    uv = np.array([(0, 0), (u, 0), (u, v), (0, v)], np.float32) / np.float32(tile_m)
    return Mesh(corners, np.array([(0, 1, 2), (0, 2, 3)], np.int32), uv, smooth=False)


def crown(key: Key, radius: float, middle: float) -> Mesh:
    """A ball of leaves: a sphere whose surface a tileable noise pushes in and out."""
    mesh = primitives.sphere(radius, 24, 48)
    lumps = noise(key, 64, 8, 3)
    column = (mesh.uv[:, 0] * 64).astype(int) % 64
    row = (mesh.uv[:, 1] * 63.99).astype(int)
    calm = np.sin(np.pi * mesh.uv[:, 1])  # the poles stay whole
    bump = 0.95 + 0.85 * (lumps[row, column] - 0.5) * calm
    out = (mesh.vertices - (0, 0, radius)) * bump[:, None] + (0, 0, middle)
    return Mesh(out.astype(np.float32), mesh.faces, (mesh.uv * (4, 2)).astype(np.float32), smooth=False)


def floating(key: Key, size_m: float) -> tuple[list[Piece], list[Material]]:
    """A distractor: a simple body in any colour and pattern, to hang in the air."""
    u = key.uniforms(3)
    name = key.child("pattern").choice(("checks", "stripes", "dots", "plaid", "marble", "gradient", "wood", "floral"))
    material = patterned(key, name, 64, "paint") if u[0] < 0.6 else painted(key.child("paint"))
    s = size_m / 2
    mesh = (slab((-s, s), (-s * 0.7, s * 0.7), (-s * 0.8, s * 0.8), 0.4),
            turned(primitives.sphere(s, 12, 24), 0, 0, -s, (3, 2)),
            turned(primitives.cone(s, 2 * s, 24), 0, 0, -s),
            turned(primitives.torus(s * 0.7, s * 0.28, 24, 12), 0, 0, 0, (4, 1)),
            turned(primitives.cylinder(s * 0.6, 2 * s, 24), 0, 0, -s, (2, 1)))[int(u[1] * 5)]
    return [(mesh, 0)], [material]
