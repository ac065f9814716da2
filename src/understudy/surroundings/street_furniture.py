"""What stands in streets and squares: benches, bins, bollards, planters, signs, barriers, bicycles, crates; and cars.

Makers as in :mod:`~understudy.surroundings.furniture`: a key gives pieces, materials, half the width and half the depth in
metres; the thing stands on z = 0 around the origin. Sizes are those of things on sale, a car's those of a small hatchback to
an estate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from understudy.geometry import primitives
from understudy.geometry.poses import apply, rotation
from understudy.geometry.primitives import Mesh
from understudy.key import Key
from understudy.scene import Material
from understudy.surroundings.furniture import FURNITURE, Thing
from understudy.surroundings.things import Piece, crown, painted, patterned, slab, turned

_RUBBER = Material((0.015, 0.015, 0.016), roughness=0.9)
_GLASS = Material((0.02, 0.025, 0.03), roughness=0.06, specular=0.8)
_STEEL = Material((0.45, 0.46, 0.48), roughness=0.35, metallic=1.0)
_BLOCK = np.array([(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7), (3, 2, 1, 0)])  # faces of a block


def block(foot: tuple[float, float, float, float, float], head: tuple[float, float, float, float, float]) -> Mesh:
    """A six-sided body between two level rectangles (x0, x1, y0, y1, z), metres; texture coordinates in metres."""
    corners = np.array([(x[i], y[j], z) for *x, y0, y1, z in (foot, head) for y in [(y0, y1)]
                        for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))])
    at = corners[_BLOCK].reshape(-1, 3)
    faces = (4 * np.arange(6)[:, None] + (0, 1, 2, 0, 2, 3)).reshape(-1, 3).astype(np.int32)
    return Mesh(at.astype(np.float32), faces, (at[:, :2] + at[:, 2:]).astype(np.float32), smooth=False)


def rod(a: tuple[float, float, float], b: tuple[float, float, float], radius: float) -> Mesh:
    """A round bar from one point to another."""
    a, b = np.array(a, float), np.array(b, float)
    along = (b - a) / np.linalg.norm(b - a)
    aside = np.cross(along, (0, 0, 1) if abs(along[2]) < 0.9 else (1, 0, 0))
    aside /= np.linalg.norm(aside)
    turn = np.eye(4)
    turn[:3, :3], turn[:3, 3] = np.stack([aside, np.cross(along, aside), along], 1), a
    return _moved(primitives.cylinder(radius, float(np.linalg.norm(b - a)), 10), turn)


def _moved(mesh: Mesh, pose: np.ndarray) -> Mesh:
    return Mesh(apply(pose, mesh.vertices).astype(np.float32), mesh.faces, mesh.uv, mesh.smooth)


def _wheel(mesh: Mesh, x: float, y: float, z: float) -> Mesh:
    """A body about the z axis, laid on its side so that it rolls along x."""
    pose = rotation("x", 90)
    pose[:3, 3] = x, y, z
    return _moved(mesh, pose)


def _bench(key: Key) -> Thing:
    u = key.uniforms(3)
    wide, seat, back = 1.2 + 0.8 * u[0], 0.42 + 0.05 * u[1], 0.35 + 0.1 * u[2]
    a = wide / 2
    pieces: list[Piece] = [(slab((-a, a), (y, y + 0.09), (seat, seat + 0.03)), 0) for y in (-0.24, -0.13, -0.02, 0.09)]
    if u[1] < 0.7:
        pieces += [(slab((-a, a), (0.2, 0.23), (seat + z, seat + z + 0.09)), 0) for z in (back - 0.22, back - 0.1)]
    for x in (-a + 0.12, a - 0.17):
        post = x, x + 0.05
        pieces += [(slab(post, (-0.22, -0.17), (0, seat)), 1), (slab(post, (0.17, 0.22), (0, seat + back)), 1),
                   (slab(post, (-0.22, 0.22), (seat - 0.05, seat)), 1)]
    return pieces, [patterned(key.child("slats"), "wood"), painted(key.child("frame"))], a, 0.25


def _bin(key: Key) -> Thing:
    u = key.uniforms(3)
    radius, high = 0.2 + 0.08 * u[0], 0.7 + 0.3 * u[1]
    if u[2] < 0.5:
        pieces: list[Piece] = [(turned(primitives.cylinder(radius, high, 28), 0, 0, 0), 0),
                               (turned(primitives.cylinder(radius * 1.06, 0.07, 28), 0, 0, high), 1)]
    else:  # on wheels, for a house
        pieces = [(block((-0.22, 0.22, -0.24, 0.22, 0.06), (-0.28, 0.28, -0.3, 0.3, high + 0.15)), 0),
                  (slab((-0.3, 0.3), (-0.33, 0.32), (high + 0.15, high + 0.21)), 1),
                  *[(_wheel(primitives.cylinder(0.1, 0.05, 20), 0.2 * s, 0.26, 0.1), 1) for s in (-1, 1)]]
    return pieces, [painted(key.child("body")), painted(key.child("lid"))], 0.33, 0.33


def _bollard(key: Key) -> Thing:
    u = key.uniforms(2)
    radius, high = 0.05 + 0.08 * u[0], 0.6 + 0.5 * u[1]
    pieces: list[Piece] = [(turned(primitives.cylinder(radius, high, 20), 0, 0, 0), 0),
                           (turned(primitives.cylinder(radius * 1.03, 0.09, 20), 0, 0, high * 0.8), 1),
                           (turned(primitives.sphere(radius, 10, 20), 0, 0, high - radius), 0)]
    return pieces, [painted(key.child("post")), painted(key.child("ring"), "wall")], radius, radius


def _planter(key: Key) -> Thing:
    u = key.uniforms(3)
    a, b, high = 0.3 + 0.4 * u[0], 0.25 + 0.15 * u[1], 0.35 + 0.25 * u[2]
    pieces: list[Piece] = [(block((-a * 0.9, a * 0.9, -b * 0.9, b * 0.9, 0), (-a, a, -b, b, high)), 0)]
    for i in range(1 + int(3 * u[0])):
        v = key.child("bush", i).uniforms(2)
        radius = b * (0.8 + 0.5 * v[0])
        x = (2 * v[1] - 1) * max(a - radius, 0)
        pieces.append((turned(crown(key.child("crown", i), radius, high + 0.4 * radius), float(x), 0, 0), 1))
    return pieces, [patterned(key.child("box"), "concrete", 64), patterned(key.child("leaf"), "grass", 128, "foliage")], a, b


def _sign(key: Key) -> Thing:
    u = key.uniforms(3)
    high, size = 2.0 + 0.5 * u[0], 0.25 + 0.15 * u[1]
    face: Mesh = (_wheel(primitives.cylinder(size, 0.01, 32), 0, -0.03, high) if u[2] < 0.5 else
                  slab((-size, size), (-0.04, -0.03), (high - size, high + size)))
    inner = (_wheel(primitives.cylinder(size * 0.75, 0.01, 32), 0, -0.035, high) if u[2] < 0.5 else
             slab((-size * 0.8, size * 0.8), (-0.045, -0.04), (high - size * 0.8, high + size * 0.8)))
    pieces: list[Piece] = [(turned(primitives.cylinder(0.03, high + 0.2, 14), 0, 0, 0), 0), (face, 1), (inner, 2)]
    return pieces, [_STEEL, painted(key.child("rim")), painted(key.child("face"), "wall")], size, 0.06


def _barrier(key: Key) -> Thing:
    wide = 1.0 + 0.8 * key.uniform()
    a = wide / 2
    pieces: list[Piece] = [(slab((-a, a), (-0.02, 0.02), (z, z + 0.2), 0.4), 0) for z in (0.35, 0.78)]
    pieces += [(slab((x, x + 0.05), (-0.03, 0.03), (0, 1.02)), 1) for x in (-a + 0.1, a - 0.15)]
    pieces += [(slab((x - 0.02, x + 0.07), (-0.28, 0.28), (0, 0.05)), 1) for x in (-a + 0.1, a - 0.15)]
    return pieces, [patterned(key.child("board"), "stripes", 64, "paint"), painted(key.child("feet"))], a, 0.28


def _bicycle(key: Key) -> Thing:
    """Two wheels, a diamond of tubes, handlebars and a saddle; it stands along x."""
    u = key.uniforms(2)
    r, base = 0.31 + 0.03 * u[0], 0.5 + 0.03 * u[1]
    hub_b, hub_f, pedals, seat, head = (-base, r + 0.018), (base, r + 0.018), (-0.08, r - 0.05), (-0.25, 0.85), (0.36, 0.88)
    pieces: list[Piece] = []
    for x, z in (hub_b, hub_f):
        pieces.append((_wheel(turned(primitives.torus(r, 0.018, 40, 8), 0, 0, -0.018), x, 0, z), 1))
        pieces += [(rod((x - r * c, 0, z - r * s), (x + r * c, 0, z + r * s), 0.003), 2)
                   for c, s in zip(np.cos(np.arange(6) * np.pi / 6), np.sin(np.arange(6) * np.pi / 6))]
    for (x0, z0), (x1, z1) in ((hub_b, pedals), (pedals, seat), (hub_b, (seat[0] + 0.03, seat[1] - 0.12)), (pedals, head),
                               ((seat[0] + 0.03, seat[1] - 0.12), head), (head, hub_f)):
        pieces.append((rod((x0, 0, z0), (x1, 0, z1), 0.016), 0))
    bar = head[1] + 0.12
    pieces += [(rod((head[0], 0, head[1]), (head[0] - 0.03, 0, bar), 0.014), 2),
               (rod((head[0] - 0.03, -0.27, bar), (head[0] - 0.03, 0.27, bar), 0.012), 1),
               (block((seat[0] - 0.14, seat[0] + 0.12, -0.05, 0.05, seat[1]), (seat[0] - 0.13, seat[0] + 0.1, -0.06, 0.06,
                                                                             seat[1] + 0.05)), 1),
               (rod((pedals[0], -0.12, pedals[1] - 0.14), (pedals[0], 0.12, pedals[1] + 0.14), 0.012), 2)]
    return pieces, [painted(key.child("frame")), _RUBBER, _STEEL], base + r, 0.28


def car(key: Key) -> Thing:
    """A parked car, 3.6 to 4.8 m long; it stands along x, its nose at +x."""
    u = key.uniforms(6)
    long, wide, high = 3.6 + 1.2 * u[0], 1.64 + 0.2 * u[1], 1.4 + 0.25 * u[2]
    a, b, belt, sill, r = long / 2, wide / 2, 0.86 + 0.1 * u[3], 0.24, 0.3 + 0.03 * u[3]
    bonnet, tail = 0.42 * a, -(0.62 + 0.36 * u[4]) * a  # where the cabin's foot begins and ends
    cabin_foot = (tail, bonnet, -b + 0.04, b - 0.04, belt)
    cabin_head = (tail + 0.35 - 0.2 * u[4], bonnet - 0.75, -b + 0.21, b - 0.21, high - 0.05)
    x0, x1, y0, y1 = cabin_head[:4]
    shoulder = (-b + 0.04, b - 0.04, belt - 0.05)
    pieces: list[Piece] = [
        (block((-a + 0.04, a - 0.04, -b + 0.03, b - 0.03, sill), (-a, a, -b, b, 0.55)), 0),
        (block((-a, a, -b, b, 0.55), (-a + 0.06, a - 0.14, *shoulder)), 0),
        (block((-a + 0.06, bonnet + 0.05, *shoulder), cabin_foot), 0),
        (block((bonnet - 0.05, a - 0.14, *shoulder), (bonnet - 0.05, a - 0.35, -b + 0.1, b - 0.1, belt)), 0),
        (block(cabin_foot, cabin_head), 1),
        (block((x0, x1, y0, y1, high - 0.07), (x0 + 0.06, x1 - 0.06, y0 + 0.05, y1 - 0.05, high)), 0)]
    for x in (0.0, 1.0, 0.52):  # the pillars between the panes
        for side in (2, 3):
            foot = (1 - x) * cabin_foot[0] + x * cabin_foot[1], cabin_foot[side], belt
            head = (1 - x) * cabin_head[0] + x * cabin_head[1], cabin_head[side], high - 0.06
            pieces.append((rod(foot, head, 0.035), 0))
    for side in (-1, 1):
        for x in (-0.6 * a, 0.62 * a):
            pieces += [(_wheel(primitives.cylinder(r, 0.2, 28), x, side * (b - 0.09) + 0.1, r), 2),
                       (_wheel(primitives.cylinder(0.62 * r, 0.21, 20), x, side * (b - 0.085) + 0.105, r), 3),
                       (_wheel(primitives.cylinder(1.12 * r, 0.012, 28), x, side * (b - 0.004) + 0.006, r + 0.03), 2)]
        light, rear, mirror = (side * (b - inset) for inset in (0.28, 0.22, -0.06))
        pieces += [(slab((a - 0.1, a - 0.02), (light - 0.14, light + 0.14), (0.6, 0.72)), 4),
                   (slab((-a, -a + 0.06), (rear - 0.1, rear + 0.1), (0.58, 0.78)), 5),
                   (slab((0.25 * a, 0.25 * a + 0.12), (mirror - 0.08, mirror + 0.08), (belt, belt + 0.12)), 0)]
    pieces += [(slab(ends, (-0.26, 0.26), (0.42, 0.53)), 4) for ends in ((a - 0.03, a + 0.02), (-a - 0.02, -a + 0.03))]
    paint = key.child("paint").choice(("white", "grey", "black", "any", "any"))
    shade = {"white": 0.75, "grey": 0.1 + 0.3 * u[5], "black": 0.012}.get(paint)
    colour = painted(key.child("colour")).base_color if shade is None else (shade, shade, shade)
    return pieces, [Material(colour, roughness=0.25, specular=0.6), _GLASS, _RUBBER, _STEEL,
                    Material((0.8, 0.8, 0.78), roughness=0.2), Material((0.35, 0.01, 0.01), roughness=0.2)], a, b


STREET_FURNITURE: dict[str, Callable[[Key], Thing]] = {
    "bench": _bench, "bin": _bin, "bollard": _bollard, "planter": _planter, "sign": _sign, "barrier": _barrier,
    "bicycle": _bicycle, "crates": FURNITURE["boxes"],
}

ANYWHERE = FURNITURE | STREET_FURNITURE
"""For a photograph, which does not say what it shows."""
