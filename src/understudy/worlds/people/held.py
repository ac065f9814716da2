"""Things that hands hold: cups, phones, bags, boxes, a steering wheel, a cane. Unlabelled, each an entity of its own."""

from __future__ import annotations

import numpy as np

from understudy.assets.palettes import palette
from understudy.geometry import primitives
from understudy.geometry.poses import apply
from understudy.geometry.primitives import Mesh
from understudy.key import Key
from understudy.scene import PART_ID, Entity, Material, Surface
from understudy.worlds.people.body import PosedBody
from understudy.worlds.people.grips import BOX_M, WHEEL_AHEAD_M, WHEEL_BELOW_M, WHEEL_M, WHEEL_TILT_DEG

_PALM_M = 0.016  # from the bones of the hand to its palm's skin


def held(key: Key, thing: str, body: PosedBody, side: str, number: int) -> Entity:
    """What the hand of ``side`` ("L", "R"; both hold a box and a wheel) of a posed body holds.

    thing : one of THINGS; number : the entity's id
    """
    size = body.rest.stature_m / 1.7
    parts = THINGS[thing](key, body, side, size)
    return Entity(number, None, tuple(_surface(thing, *part) for part in parts))


Part = tuple[Mesh, np.ndarray, Material]


def _surface(thing: str, mesh: Mesh, to_world: np.ndarray, material: Material) -> Surface:
    part = PART_ID["bag" if thing == "bag" else "held"]
    return Surface(thing, apply(to_world, mesh.vertices).astype(np.float32), mesh.faces, material,
                   np.full(len(mesh.faces), part, np.uint8), uv=mesh.uv, rest=mesh.vertices.astype(np.float32),
                   smooth=mesh.smooth)


def _hand(body: PosedBody, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The middle of the knuckles, and unit directions along the fingers' roots, towards the thumb, out of the palm."""
    wrist = body.head(f"wrist.{side}")
    knuckles = [body.head(f"finger{f}-1.{side}") for f in range(2, 6)]
    middle = np.mean(knuckles, axis=0)
    along = (middle - wrist) / np.linalg.norm(middle - wrist)
    thumb = knuckles[0] - knuckles[3]
    thumb = thumb - along * (thumb @ along)
    thumb /= np.linalg.norm(thumb)
    palm = np.cross(along, thumb) if side == "L" else np.cross(thumb, along)
    return middle, along, thumb, palm


def _frame(origin: np.ndarray, z: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(4, 4) that puts a mesh's origin somewhere, its z axis along ``z`` and its x axis as near as can be to ``x``."""
    z = z / np.linalg.norm(z)
    x = x - z * (x @ z)
    x = x / np.linalg.norm(x)
    out = np.eye(4)
    out[:3, :3], out[:3, 3] = np.stack([x, np.cross(z, x), z], axis=1), origin
    return out


def _paint(key: Key, kind: str = "paint", rough: float = 0.5) -> Material:
    return Material(palette(key, kind, 1)[0], roughness=rough)


def _cup(key: Key, body: PosedBody, side: str, size: float) -> list[Part]:
    middle, along, thumb, palm = _hand(body, side)
    radius, high = 0.036 * min(size, 1.0), 0.10 * min(size, 1.0)
    axis = thumb + 0.1 * along
    base = middle + (radius + _PALM_M * size) * palm - 0.01 * along - 0.5 * high * axis / np.linalg.norm(axis)
    at = _frame(base, axis, along)
    if key.child("lid").uniform() < 0.4:  # a paper cup with a lid
        lid = _frame(base + high * axis / np.linalg.norm(axis), axis, along)
        return [(primitives.cylinder(radius, high, 40), at, _paint(key.child("cup"))),
                (primitives.cylinder(radius * 1.06, 0.012, 40), lid, Material((0.75, 0.73, 0.70), roughness=0.4))]
    drink = Material((0.05, 0.025, 0.012), roughness=0.15)
    full = _frame(base + 0.88 * high * axis / np.linalg.norm(axis), axis, along)
    return [(_tube(radius, 0.9 * radius, high), at, _paint(key.child("cup"), rough=0.25)),
            (primitives.cylinder(0.89 * radius, 0.001, 40), full, drink)]


def _tube(outer: float, inner: float, high: float, segments: int = 40) -> Mesh:
    """A cup: a wall with an inside, and a bottom."""
    profile = [(0.0, 0.0), (outer, 0.0), (outer, high), (inner, high), (inner, 0.08 * high), (0.0, 0.08 * high)]
    return primitives.lathe(profile, segments)


def _phone(key: Key, body: PosedBody, side: str, size: float) -> list[Part]:
    middle, along, thumb, palm = _hand(body, side)
    wide, long, thick = 0.072, 0.150, 0.009
    centre = middle + (0.008 + _PALM_M * size) * palm - 0.015 * along - 0.01 * thumb
    at = _frame(centre - 0.5 * thick * palm, palm, thumb)
    glass = _frame(centre + 0.5 * thick * palm, palm, thumb)
    lit = key.child("lit").uniform() < 0.5
    screen = Material((0.35, 0.40, 0.45) if lit else (0.01, 0.01, 0.012), roughness=0.1, specular=0.6)
    return [(primitives.box(wide, long, thick), at, _paint(key.child("case"), rough=0.35)),
            (primitives.box(0.92 * wide, 0.95 * long, 0.001), glass, screen)]


def _bag(key: Key, body: PosedBody, side: str, size: float) -> list[Part]:
    middle, _, thumb, palm = _hand(body, side)
    u = key.child("size").uniforms(4)
    long, thick, high = (0.26 + 0.16 * u[0]) * size, (0.07 + 0.06 * u[1]) * size, (0.22 + 0.14 * u[2]) * size
    drop = (0.10 + 0.10 * u[3]) * size
    ahead = np.array([thumb[0], thumb[1], 0.0])
    ahead = ahead / max(np.linalg.norm(ahead), 1e-6)
    outwards = -np.array([palm[0], palm[1], 0.0])
    grip = middle + (_PALM_M * size + 0.012) * palm + 0.25 * thick * outwards
    up = np.array([0.0, 0.0, 1.0])
    cloth = _paint(key.child("cloth"), "cloth", 0.8)
    top = grip - drop * up
    parts = [(primitives.box(long, thick, high), _frame(top - high * up, up, ahead), cloth)]
    for lean in (-1, 1):
        for end in (-1, 1):
            foot = top + ahead * end * 0.28 * long + outwards * lean * 0.3 * thick
            parts.append((primitives.box(0.022, 0.004, float(np.linalg.norm(grip - foot))),
                          _frame(foot, grip - foot, ahead), cloth))
    return parts


def _box(key: Key, body: PosedBody, side: str, size: float) -> list[Part]:
    left, right = (_hand(body, s) for s in "LR")
    middle = (left[0] + right[0]) / 2
    across = left[0] - right[0]
    wide = float(np.linalg.norm(across)) - 2 * (_PALM_M + 0.002) * size
    u = key.child("size").uniforms(2)
    deep, high = (0.22 + 0.06 * u[0]) * size, (0.16 + 0.16 * u[1]) * size
    ahead = (left[1] + right[1]) / 2
    up = np.cross(ahead, across)
    up = up if up[2] > 0 else -up
    base = middle + 0.02 * size * ahead - 0.45 * high * up / np.linalg.norm(up)
    card = Material((0.36, 0.23, 0.12), roughness=0.9) if key.child("card").uniform() < 0.6 else _paint(key.child("paint"))
    return [(primitives.box(max(wide, 0.6 * BOX_M * size), deep, high), _frame(base, up, across), card)]


def _wheel(key: Key, body: PosedBody, side: str, size: float) -> list[Part]:
    """Where ``grips.wheel`` has it: within reach of the shoulders, square to the hips."""
    across = body.head("upperleg01.L") - body.head("upperleg01.R")
    across[2] = 0
    across /= np.linalg.norm(across)
    ahead = np.cross(across, [0, 0, 1.0])
    tilt = np.radians(WHEEL_TILT_DEG)
    up = np.cos(tilt) * np.array([0, 0, 1.0]) + np.sin(tilt) * ahead
    shoulders = (body.head("upperarm01.L") + body.head("upperarm01.R")) / 2
    centre = shoulders + (WHEEL_AHEAD_M * ahead + [0, 0, -WHEEL_BELOW_M]) * size
    out = np.cross(across, up)
    out = out if out @ ahead < 0 else -out  # towards the driver
    rim = Material((0.02, 0.02, 0.022), roughness=0.55)
    tube, radius = 0.015 * size, WHEEL_M * size
    parts = [(primitives.torus(radius, tube), _frame(centre - tube * out, out, across), rim),
             (primitives.cylinder(0.055 * size, 0.04 * size, 40), _frame(centre - 0.05 * size * out, out, across), rim)]
    for angle in (0.0, np.pi, -np.pi / 2):
        way = np.cos(angle) * across + np.sin(angle) * up
        spoke = _frame(centre - 0.02 * size * out, way, np.cross(way, out))
        parts.append((primitives.box(0.035 * size, 0.008, radius), spoke, rim))
    return parts


def _cane(key: Key, body: PosedBody, side: str, size: float) -> list[Part]:
    """A walking stick from the hand to the ground, z = 0, its handle along the fist."""
    middle, _, thumb, palm = _hand(body, side)
    ahead = np.array([thumb[0], thumb[1], 0.0])
    ahead /= max(float(np.linalg.norm(ahead)), 1e-6)
    fist = middle + (_PALM_M * size + 0.010) * palm
    foot = np.array([fist[0], fist[1], 0.0]) + (0.05 + 0.08 * key.child("lean").uniform()) * size * ahead
    shaft = fist - 0.012 * size * np.array([0, 0, 1.0])
    wood = Material(palette(key.child("wood"), "wood", 1)[0], roughness=0.4)
    rubber = Material((0.03, 0.03, 0.03), roughness=0.8)
    up = shaft - foot
    tip = foot + 0.03 * up / np.linalg.norm(up)
    return [(primitives.capsule(0.012 * size, 0.13 * size), _frame(fist - 0.06 * size * ahead, ahead, up), wood),
            (primitives.cylinder(0.0095 * size, float(np.linalg.norm(up)), 24), _frame(foot, up, ahead), wood),
            (primitives.cylinder(0.014 * size, float(np.linalg.norm(tip - foot)), 24), _frame(foot, up, ahead), rubber)]


THINGS = {"cup": _cup, "phone": _phone, "bag": _bag, "box": _box, "wheel": _wheel, "cane": _cane}
