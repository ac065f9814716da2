"""The inside of a car around a driver: seats with headrests, doors, pillars, roof, rear bench; open ahead and at windows."""

from __future__ import annotations

import numpy as np

from understudy.geometry import primitives
from understudy.geometry.poses import apply, rotation, translation
from understudy.key import Key
from understudy.scene import PART_ID, Entity, Material, Surface
from understudy.worlds.people.framing import Spot
from understudy.worlds.people.pose import Seat
from understudy.worlds.people.props import painted

_ASIDE_M = 0.74  # from the middle of one seat to that of the other
_COVERS = ("plain", "corduroy", "herringbone")


def cabin(key: Key, seat: Seat, height_m: float, spot: Spot, number: int) -> Entity:
    """A car's inside in the frame of the figure on ``seat``, whose head reaches ``height_m``; the wheel is another thing.

    The steering is on the left or, in one car of four, on the right. Colours and roof height are drawn from ``key``.
    """
    _, y0, _, y1 = seat.rectangle_m
    top, back = seat.top_m, y1 + 0.06
    other = _ASIDE_M * (1 if key.child("right").uniform() < 0.25 else -1)  # the passenger is on the driver's right
    cover, trim = painted(key.child("cover"), _COVERS, "cloth"), Material((0.03, 0.03, 0.033), roughness=0.7)
    roof = max(top + 0.98, height_m + 0.07 + 0.06 * key.child("room").uniform())
    sill = top + 0.42
    lining = Material(tuple(float(v) for v in np.full(3, 0.12 + 0.4 * key.child("lining").uniform())), roughness=0.9)
    near, far = (0.44, _ASIDE_M + 0.44) if other > 0 else (_ASIDE_M + 0.44, 0.44)
    wide, middle, front, rear = near + far, (far - near) / 2, -0.75, 1.25
    parts: list[tuple[str, primitives.Mesh, np.ndarray, Material]] = []

    def box(name: str, size: tuple[float, float, float], at: tuple[float, float, float], material: Material, lean=0.0):
        parts.append((name, primitives.box(*size), translation(*at) @ rotation("x", lean), material))

    for x in (0.0, other):
        box("seat", (0.52, y1 - y0 + 0.1, 0.16), (x, (y0 + y1) / 2, top - 0.16), cover)
        box("back", (0.50, 0.11, 0.60), (x, back + 0.02, top - 0.04), cover, -7.0)
        box("headrest", (0.26, 0.08, 0.17), (x, back + 0.12, top + 0.61), cover, -4.0)
    box("bench", (wide - 0.1, 0.5, 0.18), (middle, rear - 0.45, top - 0.2), cover)
    box("bench back", (wide - 0.1, 0.12, 0.6), (middle, rear - 0.14, top - 0.04), cover, -7.0)
    for x in (-near, far):
        box("door", (0.06, rear - front, sill), (x, (front + rear) / 2, 0.0), trim)
        box("pillar", (0.05, 0.10, roof - sill), (x, 0.34, sill), lining)
        box("rear pillar", (0.05, 0.24, roof - sill), (x, rear - 0.12, sill), lining)
        box("rail", (0.08, rear - front, 0.07), (x, (front + rear) / 2, roof - 0.07), lining)
    box("roof", (wide, rear - front, 0.05), (middle, (front + rear) / 2, roof), lining)
    box("rear", (wide, 0.05, sill + 0.02), (middle, rear, 0.0), trim)
    return Entity(number, None, tuple(_surface(name, mesh, spot.to_world @ at, m) for name, mesh, at, m in parts))


def _surface(name: str, mesh: primitives.Mesh, to_world: np.ndarray, material: Material) -> Surface:
    return Surface(name, apply(to_world, mesh.vertices).astype(np.float32), mesh.faces, material,
                   np.full(len(mesh.faces), PART_ID["other"], np.uint8), uv=mesh.uv * np.float32(3),
                   rest=mesh.vertices.astype(np.float32), smooth=mesh.smooth)
