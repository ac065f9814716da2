"""Furniture of boxes and turned bodies: nine kinds, each of endless sizes and materials.

A maker takes a key and gives pieces (mesh, number of its material), materials, half the width and half the depth in metres.
The thing stands on z = 0 around the origin, its back at +y.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from understudy.geometry import primitives
from understudy.geometry.primitives import Mesh
from understudy.key import Key
from understudy.scene import Material
from understudy.surroundings.things import Piece, painted, patterned, slab, turned

Thing = tuple[list[Piece], list[Material], float, float]


def _wooden(key: Key) -> Material:
    u = key.child("what").uniform()
    return patterned(key, "wood") if u < 0.55 else painted(key.child("paint"), "paint" if u < 0.8 else "wall")


def _upholstered(key: Key) -> Material:
    names = ("plain", "plaid", "knit", "floral", "corduroy", "herringbone", "stripes")
    return patterned(key, key.child("cloth").choice(names))


def _legs(wide: float, deep: float, high: float, thick: float) -> list[Piece]:
    a, b = wide / 2 - thick, deep / 2 - thick
    return [(slab((x, x + thick), (y, y + thick), (0, high)), 0) for x in (-a - thick, a) for y in (-b - thick, b)]


def _table(key: Key) -> Thing:
    u = key.uniforms(4)
    wide, deep, high = 0.7 + 1.1 * u[0], 0.6 + 0.4 * u[1], 0.68 + 0.1 * u[2]
    top = slab((-wide / 2, wide / 2), (-deep / 2, deep / 2), (high - 0.04, high))
    pieces = [*_legs(wide, deep, high - 0.04, 0.05), (top, 0)]
    for i in range(key.child("on").integer(0, 4)):  # what lies on it
        v = key.child("on", i).uniforms(5)
        x, y, s = (v[0] - 0.5) * (wide - 0.3), (v[1] - 0.5) * (deep - 0.3), 0.05 + 0.1 * v[2]
        if v[3] < 0.5:
            pieces.append((slab((x - s, x + s), (y - s * 0.7, y + s * 0.7), (high, high + 0.02 + 0.25 * v[4])), 1))
        else:
            pieces.append((turned(primitives.cylinder(s * 0.6, 0.08 + 0.2 * v[4], 20), x, y, high), 1))
    return pieces, [_wooden(key), painted(key.child("ware"))], wide / 2, deep / 2


def _chair(key: Key) -> Thing:
    u = key.uniforms(3)
    wide, deep, seat, back = 0.42 + 0.1 * u[0], 0.42 + 0.1 * u[0], 0.44 + 0.04 * u[1], 0.35 + 0.25 * u[2]
    a, b = wide / 2, deep / 2
    pieces = [*_legs(wide, deep, seat, 0.035), (slab((-a, a), (-b, b), (seat, seat + 0.05)), 1),
              (slab((-a, a), (b - 0.04, b), (seat + back * 0.35, seat + back)), 1),
              *[(slab((x, x + 0.035), (b - 0.04, b), (seat, seat + back)), 0) for x in (-a, a - 0.035)]]
    return pieces, [_wooden(key), _upholstered(key.child("seat"))], a, b


def _shelf(key: Key) -> Thing:
    u = key.uniforms(3)
    wide, deep, high = 0.6 + 0.8 * u[0], 0.26 + 0.1 * u[1], 1.0 + 1.1 * u[2]
    a, b = wide / 2, deep / 2
    pieces: list[Piece] = [(slab((x, x + 0.03), (-b, b), (0, high)), 0) for x in (-a, a - 0.03)]
    pieces.append((slab((-a, a), (b - 0.015, b), (0, high)), 0))
    boards = max(3, round(high / 0.36))
    for i in range(boards):
        z = 0.05 + (high - 0.08) * i / (boards - 1)
        pieces.append((slab((-a, a), (-b, b), (z, z + 0.025)), 0))
        x = -a + 0.05
        for j, v in enumerate(key.child("books", i).uniforms(24, 3)):  # books and gaps between them
            thick = 0.015 + 0.04 * v[0]
            if i == boards - 1 or x + thick > a - 0.05:
                break
            if v[2] > 0.2:
                top = z + 0.025 + (0.16 + 0.12 * v[1])
                pieces.append((slab((x, x + thick), (-b + 0.03, b - 0.03), (z + 0.025, top)), 1 + j % 3))
            x += thick + (0.002 if v[2] > 0.2 else 0.08)
    return pieces, [_wooden(key), *(painted(key.child("book", i)) for i in range(3))], a, b


def _cabinet(key: Key) -> Thing:
    u = key.uniforms(3)
    wide, deep, high = 0.5 + 1.0 * u[0], 0.4 + 0.2 * u[1], 0.5 + 1.5 * u[2] ** 2
    a, b = wide / 2, deep / 2
    pieces: list[Piece] = [(slab((-a, a), (-b, b), (0.06, high), 0.8), 0),
                           (slab((-a + 0.03, a - 0.03), (-b + 0.04, b), (0, 0.06)), 1)]
    doors, rows = max(1, round(wide / 0.45)), 1 if high > 1.1 else key.child("rows").integer(1, 3)
    for i in range(doors):
        for j in range(rows):
            x0, x1 = -a + wide * i / doors + 0.012, -a + wide * (i + 1) / doors - 0.012
            z0, z1 = 0.06 + (high - 0.06) * j / rows + 0.012, 0.06 + (high - 0.06) * (j + 1) / rows - 0.012
            pieces.append((slab((x0, x1), (-b - 0.018, -b), (z0, z1), 0.8), 0))
            grip = (z0 + z1) / 2
            pieces.append((slab((x1 - 0.07, x1 - 0.05), (-b - 0.04, -b - 0.018), (grip - 0.05, grip + 0.05)), 1))
    return pieces, [_wooden(key), painted(key.child("handles"))], a, b


def _sofa(key: Key) -> Thing:
    u = key.uniforms(3)
    wide, deep, seat = 0.8 + 1.3 * u[0], 0.85, 0.42
    a, b = wide / 2, deep / 2
    tile = 0.6
    pieces: list[Piece] = [(slab((-a, a), (-b, b), (0.1, seat - 0.1), tile), 0),
                           (slab((-a, a), (b - 0.22, b), (0.1, 0.75 + 0.2 * u[1]), tile), 0),
                           *[(slab((x, x + 0.16), (-b, b), (0.1, 0.6), tile), 0) for x in (-a, a - 0.16)],
                           *[(slab((x, x + 0.05), (y, y + 0.05), (0, 0.1)), 1)
                             for x in (-a + 0.03, a - 0.08) for y in (-b + 0.03, b - 0.08)]]
    places = max(1, round((wide - 0.3) / 0.6))
    for i in range(places):
        x0, x1 = -a + 0.17 + (wide - 0.34) * i / places, -a + 0.17 + (wide - 0.34) * (i + 1) / places
        pieces.append((slab((x0 + 0.008, x1 - 0.008), (-b - 0.02, b - 0.22), (seat - 0.1, seat + 0.06), tile), 2))
    cloth = _upholstered(key.child("cloth"))
    other = _upholstered(key.child("cushions")) if u[2] < 0.35 else cloth
    return pieces, [cloth, painted(key.child("feet"), "wood"), other], a, b


def _bed(key: Key) -> Thing:
    u = key.uniforms(2)
    wide, deep = 0.9 + 0.8 * u[0], 2.0
    a, b = wide / 2, deep / 2
    pieces: list[Piece] = [*_legs(wide, deep, 0.12, 0.08), (slab((-a, a), (-b, b), (0.12, 0.3)), 0),
                           (slab((-a, a), (b - 0.05, b), (0, 0.7 + 0.4 * u[1])), 0),
                           (slab((-a + 0.02, a - 0.02), (-b + 0.02, b - 0.06), (0.3, 0.5), 0.6), 1),
                           (slab((-a + 0.15, a - 0.15), (b - 0.55, b - 0.1), (0.5, 0.62), 0.6), 2)]
    return pieces, [_wooden(key), _upholstered(key.child("blanket")), painted(key.child("pillow"), "wall")], a, b


def _plant(key: Key) -> Thing:
    """A pot with long bent leaves."""
    u = key.uniforms(3)
    pot, high = 0.13 + 0.1 * u[0], 0.5 + 0.9 * u[1]
    pieces: list[Piece] = [(turned(primitives.cylinder(pot, pot * 1.8, 24), 0, 0, 0), 0),
                           (turned(primitives.cylinder(pot * 0.9, 0.01, 24), 0, 0, pot * 1.8), 2)]
    for v in key.child("leaves").uniforms(10 + int(14 * u[2]), 4):
        pieces.append((_leaf(6.283 * v[0], high * (0.6 + 0.5 * v[1]), 0.15 + 0.5 * v[2], 0.03 + 0.05 * v[3], pot * 1.8), 1))
    return pieces, [painted(key.child("pot"), "stone"), painted(key.child("leaf"), "foliage"),
                    painted(key.child("soil"), "earth")], pot * 1.6, pot * 1.6


def _leaf(angle: float, length: float, lean: float, wide: float, foot: float) -> Mesh:
    """A leaf that rises and bends outward, both its sides seen."""
    t = np.linspace(0, 1, 5)
    out, up = length * lean * t**1.6, length * (t - 0.45 * lean * t**2.5)
    half = wide * np.sin(np.pi * np.clip(0.12 + 0.86 * t, 0, 1))
    across = np.array([-np.sin(angle), np.cos(angle), 0])
    spine = np.stack([out * np.cos(angle), out * np.sin(angle), foot + up], axis=1)
    points = np.concatenate([spine - across * half[:, None], spine + across * half[:, None]]).astype(np.float32)
    i = np.arange(4)
    faces = np.concatenate([np.stack([i, i + 5, i + 6], 1), np.stack([i, i + 6, i + 1], 1)])
    faces = np.concatenate([faces, faces[:, ::-1] + 10]).astype(np.int32)
    return Mesh(np.concatenate([points, points]), faces, np.tile(np.stack([np.tile(t, 2), np.repeat((0, 1), 5)], 1), (2, 1)))


def _floor_lamp(key: Key) -> Thing:
    u = key.uniforms(3)
    high, shade = 1.3 + 0.5 * u[0], 0.16 + 0.1 * u[1]
    pieces: list[Piece] = [(turned(primitives.cylinder(0.15, 0.025, 32), 0, 0, 0), 0),
                           (turned(primitives.cylinder(0.013, high, 12), 0, 0, 0), 0),
                           (turned(primitives.cylinder(shade, 0.24 + 0.1 * u[2], 32), 0, 0, high - 0.1), 1)]
    return pieces, [painted(key.child("foot")), painted(key.child("shade"), "wall")], 0.2, 0.2


def _boxes(key: Key) -> Thing:
    """A stack of cardboard boxes."""
    pieces: list[Piece] = []
    z = 0.0
    for i, v in enumerate(key.uniforms(key.child("count").integer(1, 4), 4)):
        a, b, h = 0.15 + 0.2 * v[0], 0.12 + 0.15 * v[1], 0.15 + 0.3 * v[2]
        shift = 0.06 * (v[3] - 0.5)
        pieces += [(slab((-a + shift, a + shift), (-b, b), (z, z + h), 0.8), 0),
                   (slab((-a + shift, a + shift), (-0.025, 0.025), (z + h, z + h + 0.002)), 1)]
        z += h + 0.002 * (i + 1)
    return pieces, [patterned(key.child("card"), "clouds", 64, "earth"), painted(key.child("tape"), "earth")], 0.36, 0.28


FURNITURE: dict[str, Callable[[Key], Thing]] = {
    "table": _table, "chair": _chair, "shelf": _shelf, "cabinet": _cabinet, "sofa": _sofa, "bed": _bed, "plant": _plant,
    "lamp": _floor_lamp, "boxes": _boxes,
}
