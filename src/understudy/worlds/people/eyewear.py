"""Glasses and sunglasses: rims before the eyes, a bridge over the nose, temples to the ears.

Made in the rest frame on the figure's own face, and carried by its head. Clear lenses are left out (they reflect a few per
cent); dark ones are there and hide the eyes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from understudy.draws import Draws
from understudy.fields import param
from understudy.key import Key
from understudy.scene import Material, Surface
from understudy.supports import OneOf
from understudy.values import Value
from understudy.worlds.people import body
from understudy.worlds.people.anatomy import FACE_VERTICES
from understudy.worlds.people.face_map import face_map
from understudy.worlds.people.figure import Figure, Worn
from understudy.worlds.people.hair_strands import carried


@dataclass(frozen=True)
class Frame:
    """Lengths in metres on an adult's face.

    half_width, half_height : of a lens; square : exponent of its outline (2 is an ellipse); drop : how much its outer lower
    part hangs down; wire : radius of the rim; dark : has dark lenses
    """

    half_width: float
    half_height: float
    square: float
    drop: float
    wire: float
    dark: bool = False


FRAMES = {
    "round": Frame(0.0225, 0.0215, 2.0, 0.0, 0.0009),
    "rectangular": Frame(0.0265, 0.0165, 4.0, 0.0, 0.0014),
    "thick": Frame(0.0265, 0.0205, 3.2, 0.10, 0.0023),
    "sunglasses": Frame(0.0275, 0.0215, 2.8, 0.22, 0.0014, dark=True),
}
_SPAN_M = 0.088  # between the outer corners of the eyes of the face that frames are made for
_AROUND, _SIDES = 28, 6
_COLOURS = ((0.010, 0.010, 0.011), (0.05, 0.022, 0.012), (0.30, 0.24, 0.14), (0.35, 0.35, 0.36), (0.16, 0.02, 0.025),
            (0.02, 0.04, 0.10))


@dataclass(frozen=True)
class Eyewear:
    """What is worn before the eyes."""

    glasses: Value = param("auto", OneOf(("auto", "none", *FRAMES)), "",
                           "glasses; auto gives them to a share that grows with age")

    def surfaces(self, draws: Draws, figure: Figure) -> Worn:
        """The glasses of a figure, where its picture can show them."""
        name = draws("glasses", self.glasses)
        name = _auto(draws.key("glasses"), figure.age) if name == "auto" else name
        draws.note("worn_glasses", name)
        facts = {"glasses": name}
        if name == "none" or not figure.detail.shows(0.004):
            return Worn((), None, facts)
        return Worn(tuple(_made(draws.key("frame"), figure, FRAMES[name])), None, facts)


def _auto(key: Key, age: float) -> str:
    share = float(np.interp(age, (3, 10, 20, 45, 65), (0.0, 0.12, 0.25, 0.40, 0.65)))
    if key.child("any").uniform() >= share:
        return "none"
    dark = 0.14 if age > 14 else 0.03
    return list(FRAMES)[key.child("kind").weighted(((1 - dark) * 0.3, (1 - dark) * 0.45, (1 - dark) * 0.25, dark))]


@lru_cache(maxsize=1)
def _ear_tops() -> tuple[int, int]:
    """Base vertices at the top of the left and of the right ear, where temples lie."""
    template = np.array(body.model().arrays["template_vertices"], float)[:body.BODY_VERTICES]
    out = []
    for sign in (1, -1):
        near = np.flatnonzero(np.abs(template[:, 2] - 0.715) < 0.05)
        beside = sign * template[near, 0]
        ear = near[beside > 0.9 * beside.max()]
        out.append(int(ear[template[ear, 2].argmax()]))
    return out[0], out[1]


def _made(key: Key, figure: Figure, frame: Frame) -> list[Surface]:
    rest = figure.posed.rest_vertices.astype(float)
    at = rest[list(FACE_VERTICES)]
    eyes = [rest[body.model().mesh(f"eye.{side}").base] for side in ("L", "R")]
    size = float(np.linalg.norm(at[45] - at[36])) / _SPAN_M
    ears = rest[list(_ear_tops())]
    middle = 0.5 * (at[39, 0] + at[42, 0])
    # the plane of the lenses: before brows, bridge and eyes
    before = min(at[17:27, 1].min() - 0.002, at[27, 1] - 0.003, min(e[:, 1].min() for e in eyes) - 0.010) - frame.wire
    level = 0.5 * (eyes[0][:, 2].mean() + eyes[1][:, 2].mean()) - 0.003 * size
    across = 0.5 * (eyes[0][:, 0].mean() - eyes[1][:, 0].mean()) + 0.0015 * size

    def bent(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Onto the frame's curved front."""
        return np.stack([middle + x, before + 2.6 * x**2, level + z], -1)

    turn = np.arange(_AROUND) * 2 * np.pi / _AROUND
    power = 2 / frame.square
    x = frame.half_width * size * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** power
    z = frame.half_height * size * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** power
    outer = np.clip(x / (frame.half_width * size), 0, 1)
    z = np.where(z < 0, z * (1 + frame.drop * (1 - 0.6 * outer)), z)
    wire = frame.wire * max(size, 0.8)
    tubes, lenses = [], []
    for sign in (1, -1):
        rim = bent(sign * (across + x), z)
        tubes.append((rim, wire, True))
        lenses.append(rim)
        hinge = bent(np.array([sign * (across + 1.02 * frame.half_width * size)]),
                     np.array([0.35 * frame.half_height * size]))[0]
        ear = ears[0 if sign > 0 else 1] + [-0.006 * sign, -0.006, -0.002]
        wide = np.array([ear[0], hinge[1] + 0.012, hinge[2]])  # temples go out to the ears' breadth, then back
        behind = ear + np.array([-0.002 * sign, 0.016, -0.010])
        end = ear + np.array([-0.004 * sign, 0.026, -0.032])
        tubes.append((_through(np.stack([hinge, wide, 0.5 * (wide + ear), ear, behind, end])), 1.1 * wire, False))
    inner = across - frame.half_width * size
    s = np.linspace(-1, 1, 9)
    tubes.append((bent(inner * s, frame.half_height * size * (0.30 + 0.18 * (1 - s**2))), wire, False))
    colour = key.child("colour").choice(_COLOURS)
    metal = frame.wire < 0.0012
    look = Material(colour, roughness=0.25 if metal else 0.35, metallic=0.8 if metal else 0.0, specular=0.5)
    out = [_surface("glasses", figure, *_joined([_tube(*t) for t in tubes]), look)]
    if frame.dark:
        out.append(_surface("lenses", figure, *_joined([_lens(rim) for rim in lenses]),
                            Material((0.012, 0.012, 0.013), roughness=0.06, specular=0.5)))
    return out


def _through(knots: np.ndarray, each: int = 5) -> np.ndarray:
    """A smooth line (n, 3) through knots (Catmull and Rom 1974)."""
    p = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, each, endpoint=False)[:, None]
    parts = [0.5 * (2 * p[i] + (p[i + 1] - p[i - 1]) * t + (2 * p[i - 1] - 5 * p[i] + 4 * p[i + 1] - p[i + 2]) * t**2
                    + (3 * p[i] - p[i - 1] - 3 * p[i + 1] + p[i + 2]) * t**3) for i in range(1, len(p) - 2)]
    return np.concatenate([*parts, knots[-1:]])


def _tube(line: np.ndarray, radius: float, closed: bool):
    """(vertices, faces, normals) of a round tube along a line."""
    n = len(line)
    tangent = (np.roll(line, -1, 0) - np.roll(line, 1, 0)) if closed else np.gradient(line, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-12)
    up = np.where(np.abs(tangent[:, 1:2]) > 0.8, [[0.0, 0, 1]], [[0.0, 1, 0]])
    side = np.cross(tangent, up)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(tangent, side)
    steps, one = np.zeros(n), 2 * math.pi / _SIDES  # keep the ring from jumping where ``up`` changes
    beside = ((a[:-1] * b[1:]).sum(axis=1).tolist() for a in (side, other) for b in (side, other))
    for k, (aa, ab, ba, bb) in enumerate(zip(*beside), start=1):
        c, s = math.cos(one * steps[k - 1]), math.sin(one * steps[k - 1])
        steps[k] = round(math.atan2(c * ab + s * bb, c * aa + s * ba) / one)
    c, s = np.cos(one * steps)[:, None], np.sin(one * steps)[:, None]
    side, other = c * side + s * other, c * other - s * side
    angle = np.arange(_SIDES) * 2 * np.pi / _SIDES
    normals = np.cos(angle)[None, :, None] * side[:, None] + np.sin(angle)[None, :, None] * other[:, None]
    index = np.arange(n * _SIDES).reshape(n, _SIDES)
    a, b = (index, np.roll(index, -1, 0)) if closed else (index[:-1], index[1:])
    quads = np.stack([a, np.roll(a, -1, 1), np.roll(b, -1, 1), b], -1).reshape(-1, 4)
    return ((line[:, None] + radius * normals).reshape(-1, 3), np.concatenate([quads[:, :3], quads[:, [0, 2, 3]]]),
            normals.reshape(-1, 3))


def _lens(rim: np.ndarray):
    """(vertices, faces, normals) of a disc that bulges a little, seen from in front (along -y)."""
    middle = rim.mean(0) + np.array([0, -0.003, 0])
    half = 0.5 * (rim + middle) + np.array([0, -0.001, 0])
    n = len(rim)
    i = np.arange(n)
    j = (i + 1) % n
    faces = np.concatenate([np.stack([i, j, n + j], 1), np.stack([i, n + j, n + i], 1),
                            np.stack([n + i, n + j, np.full(n, 2 * n)], 1)])
    vertices = np.concatenate([rim, half, middle[None]])
    normals = body.vertex_normals(vertices, faces)
    if normals[-1, 1] > 0:  # the other eye's rim runs the other way round
        faces, normals = faces[:, [0, 2, 1]], -normals
    return vertices, faces, normals


def _joined(parts):
    start = np.cumsum([0, *(len(v) for v, _, _ in parts)])
    return (np.concatenate([v for v, _, _ in parts]), np.concatenate([f + s for (_, f, _), s in zip(parts, start)]),
            np.concatenate([n for _, _, n in parts]))


def _surface(name: str, figure: Figure, vertices, faces, normals, material: Material) -> Surface:
    move = figure.posed.transforms[body.model().bone("head")]
    over = np.full(len(faces), np.flatnonzero(face_map().is_face)[0])
    return carried(name, figure, vertices @ move[:3, :3].T + move[:3, 3], faces, normals @ move[:3, :3].T,
                   np.zeros((len(vertices), 2)), over, material, "glasses")


__all__ = ["FRAMES", "Eyewear"]
