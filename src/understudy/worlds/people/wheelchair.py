"""A wheelchair under a sitting figure: big wheels with rims for the hands, casters, a sling seat and back, armrests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.assets.palettes import palette
from understudy.geometry import primitives
from understudy.geometry.poses import apply, rotation, translation
from understudy.key import Key
from understudy.scene import PART_ID, Entity, Material, Surface
from understudy.worlds.people.framing import Spot
from understudy.worlds.people.pose import Seat

BESIDE_M = 0.09  # how far wheels stand out beyond the seat on either side
_TYRE_M, _SPOKES = 0.014, 9


def wheelchair(key: Key, seat: Seat, spot: Spot, number: int) -> Entity:
    """A wheelchair whose seat is at the figure's, in the frame of the figure at ``spot``. Colours are drawn from ``key``."""
    x0, y0, x1, y1 = seat.rectangle_m
    wide, deep, top, middle = x1 - x0, y1 - y0, max(seat.top_m, 0.16), (x0 + x1) / 2
    scale = top / 0.48
    radius = 0.60 * top
    frame = Material(palette(key.child("frame"), "paint", 1)[0], roughness=0.35)
    sling = Material((0.018, 0.018, 0.021), roughness=0.8)
    rubber, steel = Material((0.02, 0.02, 0.02), roughness=0.75), Material((0.55, 0.55, 0.57), roughness=0.3, metallic=0.8)
    parts: list[tuple[str, primitives.Mesh, np.ndarray, Material]] = []

    def bar(name: str, start: Sequence[float], end: Sequence[float], thick: float, material: Material):
        a, b = np.array(start, float), np.array(end, float)
        parts.append((name, primitives.cylinder(thick, float(np.linalg.norm(b - a)), 16), _upright(a, b), material))

    sitting = 0.012
    parts.append(("seat", primitives.box(wide, deep, 0.03), translation(middle, (y0 + y1) / 2, top - 0.03), sling))
    back, high = y1 + 0.05, top + 0.40 * scale
    parts.append(("back", primitives.box(wide, 0.015, 0.36 * scale),
                  translation(middle, back, top + 0.04 * scale) @ rotation("x", -6.0), sling))
    for side in (-1, 1):
        x = middle + side * (wide / 2 + 0.015)
        wheel = np.array([middle + side * (wide / 2 + 0.055), back - 0.10 * scale, radius])
        turned = translation(*wheel) @ rotation("y", 90.0)
        parts.append(("tyre", primitives.torus(radius - _TYRE_M, _TYRE_M), turned @ translation(0, 0, -_TYRE_M), rubber))
        hoop = primitives.torus(0.87 * radius, 0.008)
        parts.append(("rim", hoop, turned @ translation(0, 0, 0.025 * side - 0.008), steel))
        parts.append(("hub", primitives.cylinder(0.03, 0.05, 24), turned @ translation(0, 0, -0.025), steel))
        for k in range(_SPOKES):
            angle = 2 * np.pi * (k + key.child("spokes").uniform()) / _SPOKES
            out = wheel + (radius - _TYRE_M) * np.array([0, np.cos(angle), np.sin(angle)])
            bar("spoke", tuple(wheel), tuple(out), 0.0015, steel)
        bar("post", (x, back, 0.3 * top), (x, back + 0.03, high), sitting, frame)
        bar("handle", (x, back + 0.03, high), (x, back + 0.13, high), 0.015, rubber)
        bar("arm post", (x, y0 + 0.10, 0.35 * top), (x, y0 + 0.10, top + 0.20 * scale), sitting, frame)
        bar("rail", (x, back, 0.35 * top), (x, y0 + 0.05, 0.35 * top), sitting, frame)
        bar("seat rail", (x, back, top - 0.02), (x, y0 + 0.02, top - 0.02), sitting, frame)
        bar("hanger", (x, y0 + 0.02, top - 0.02), (x, y0 - 0.12 * scale, 0.25 * top), sitting, frame)
        parts.append(("armrest", primitives.box(0.05, 0.30 * scale, 0.03),
                      translation(x, y0 + 0.22 * scale, top + 0.20 * scale), sling))
        caster = translation(x, y0 + 0.03, 0.07 * scale) @ rotation("y", 90.0)
        parts.append(("caster", primitives.torus(0.055 * scale, 0.015 * scale, 32),
                      caster @ translation(0, 0, -0.015 * scale), rubber))
        bar("fork", (x, y0 + 0.03, 0.07 * scale), (x, y0 + 0.06, 0.35 * top), 0.010, frame)
    return Entity(number, None, tuple(_surface(name, mesh, spot.to_world @ at, m) for name, mesh, at, m in parts))


def _upright(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(4, 4) that takes the z axis onto the way from ``a`` to ``b``."""
    z = (b - a) / np.linalg.norm(b - a)
    x = np.cross(z, [0.0, 0.0, 1.0] if abs(z[2]) < 0.9 else [0.0, 1.0, 0.0])
    x /= np.linalg.norm(x)
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = np.stack([x, np.cross(z, x), z], axis=1), a
    return out


def _surface(name: str, mesh: primitives.Mesh, to_world: np.ndarray, material: Material) -> Surface:
    return Surface(name, apply(to_world, mesh.vertices).astype(np.float32), mesh.faces, material,
                   np.full(len(mesh.faces), PART_ID["other"], np.uint8), uv=mesh.uv, rest=mesh.vertices.astype(np.float32),
                   smooth=mesh.smooth)
