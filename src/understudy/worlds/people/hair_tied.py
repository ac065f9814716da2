"""Tied hair: tails, plaits and buns at a knot, and braids that hang loose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.key import Key
from understudy.scene import Surface
from understudy.worlds.people.figure import Figure
from understudy.worlds.people.hair_strands import Ribbons
from understudy.worlds.people.hair_styles import Style
from understudy.worlds.people.hair_volume import Cushion, Volume
from understudy.worlds.people.scalp import COLUMNS, RIM


def knot(key: Key, figure: Figure, style: Style, room: Volume, clothes: Sequence[Surface], breadth: float) -> Ribbons:
    """The tail, plait or bun where the columns meet."""
    root = room.inner[:, 0].mean(0)
    out = room.out[:, 0].mean(0)
    out /= np.linalg.norm(out)
    root = root + out * 0.8 * style.top * room.size
    if style.knot == "bun":
        paths, normals, width = _bun(key, root, out, room.size, breadth)
    else:
        spine = _spine(key, figure, root, out, room.size, clothes, style.knot == "plait")
        make = _plait if style.knot == "plait" else _tail
        paths, normals, width = make(key, spine, room.size, breadth)
    n, k = paths.shape[:2]
    tip = np.tile(np.linspace(0.35, 0.98, k), (n, 1))
    return Ribbons(paths, normals, width, key.child("u").uniforms(n), 8 / 256, tip,
                   np.full((n, k), room.grid.face[0, 0]))


def braids(key: Key, style: Style, room: Volume, breadth: float) -> Ribbons:
    """Thin braids along the columns, each as strips around a cord that swells and narrows."""
    count = style.braids
    rows = room.run.shape[1]
    at = (np.arange(count) + key.child("at").uniforms(count) * 0.5) / count * (COLUMNS - 1)
    first = np.where(np.arange(count) % 2 == 0, 0.3, 3.5 + 4 * key.child("first").uniforms(count))
    end = (rows - 1) - 2.5 * key.child("end").uniforms(count)
    k = int(np.clip(round(float(np.median(room.run[:, -1])) / (0.0085 if breadth < 0.012 else 0.02)), 8, 60))
    sides = 3 if breadth < 0.012 else 2
    t = np.linspace(0, 1, k)
    row = first[:, None] + (end - first)[:, None] * t
    sway = (key.child("sway").uniforms(count) - 0.5)[:, None] * 1.6 * t**2
    inner, out = room.at(at[:, None] + sway, row)
    layer = np.where(np.arange(count) % 3 == 0, 0.95, 0.55)[:, None] + 0.2 * key.child("layer").uniforms(count)[:, None]
    spine = inner + out * (layer * np.clip(8 * t, 0.4, 1))[..., None]
    tangent = np.gradient(spine, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-9)
    normal = out / np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-9)
    side = np.cross(tangent, normal)
    phase = 2 * np.pi * (room.run[0, -1] * t / 0.016 + key.child("phase").uniforms(count)[:, None])
    radius = 0.5 * style.lock * room.size * np.clip((1.02 - t) * 12, 0.3, 1) * (1 + 0.22 * np.cos(phase))
    paths, normals = [], []
    for turn in np.arange(sides) * 2 * np.pi / 3:
        round_it = np.cos(turn) * normal + np.sin(turn) * side
        winding = 0.22 * (radius * np.sin(phase + turn))[..., None] * side
        paths.append(spine + round_it * (0.62 * radius)[..., None] + winding)
        normals.append(round_it)
    width = np.tile(1.9 * radius, (sides, 1))
    n = sides * count
    c = np.clip(np.round(np.tile(at, sides)).astype(int), 0, COLUMNS - 1)
    over = room.grid.face[c[:, None], np.clip(np.tile(row, (sides, 1)), 0, RIM).astype(int)]
    return Ribbons(np.concatenate(paths), np.concatenate(normals), width, key.child("u").uniforms(n), 8 / 256,
                   np.tile(0.2 + 0.75 * ((t * k / 3) % 1.0), (n, 1)), over)


def _spine(key, figure, root, out, size, clothes, near: bool) -> np.ndarray:
    """(k, 3): from the knot outwards, then down, over neck and back."""
    length = key.child("length").uniform(0.16, 0.34) * size + (0.08 * size if near else 0)
    below = Cushion(figure, clothes, size)
    steps = 14
    here, way = root, out * (0.35 if near else 1.0)
    points = [here]
    for k in range(steps):
        way = way + np.array([0, 0, -1.0]) * (0.10 + 0.05 * k)
        way /= np.linalg.norm(way)
        here = below.pushed((here + way * length / steps)[None], 0.022 * size)[0]
        points.append(here)
    return np.array(points)


def _frame(spine: np.ndarray):
    tangent = np.gradient(spine, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    level = np.cross(tangent, [0.0, 0.0, 1.0])
    first = np.linalg.norm(level, axis=1).argmax()
    side = np.where(np.linalg.norm(level, axis=1, keepdims=True) > 0.15, level, level[first])
    side = side - tangent * (side * tangent).sum(1, keepdims=True)
    side /= np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-9)
    for k in range(1, len(side)):  # no half turns
        if side[k] @ side[k - 1] < 0:
            side[k] = -side[k]
    return side, np.cross(tangent, side)


def _resampled(spine: np.ndarray, count: int) -> np.ndarray:
    run = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(spine, axis=0), axis=1))])
    return np.stack([np.interp(np.linspace(0, run[-1], count), run, spine[:, i]) for i in range(3)], 1)


def _tail(key, spine, size, breadth):
    side, other = _frame(spine)
    s = np.linspace(0, 1, len(spine))
    n = int(np.clip(420 * (0.0035 / breadth) ** 2, 40, 420))
    angle = 2 * np.pi * key.child("angle").uniforms(n)[:, None]
    radius = np.sqrt(0.25 + 0.75 * key.child("radius").uniforms(n))[:, None]
    bulge = size * (0.009 + 0.017 * np.sin(np.clip(s * 1.1, 0, 1) * np.pi) ** 0.6)
    wide = radius * bulge
    ends = 0.72 + 0.28 * key.child("ends").uniforms(n)[:, None]  # strands end one after another
    t = s * ends
    at = [np.interp(t, s, spine[:, i]) for i in range(3)]
    angle = angle + 0.5 * (key.child("twist").uniforms(n)[:, None] - 0.5) * s
    ring = np.cos(angle)[..., None] * side + np.sin(angle)[..., None] * other
    paths = np.stack(at, -1) + ring * wide[..., None]
    width = np.maximum(breadth, 0.004) * np.clip(1.03 - s**4, 0.06, 1)[None] * np.ones((n, 1))
    return paths, ring, width


def _plait(key, spine, size, breadth):
    """Three strands over one another, each a bundle of ribbons around its own middle."""
    k = 56 if breadth < 0.006 else 28
    spine = _resampled(spine, k)
    side, other = _frame(spine)
    s = np.linspace(0, 1, k)
    run = np.linalg.norm(np.diff(spine, axis=0), axis=1).sum()
    wide = size * 0.013 * np.clip((1.06 - s) * 5, 0.25, 1) * (1 - 0.3 * s)
    around = 8
    paths, normals = [], []
    for strand in range(3):
        phase = 2 * np.pi * (s * run / (0.075 * size) + strand / 3)
        middle = spine + (wide * np.sin(phase))[:, None] * side + (0.45 * wide * np.sin(2 * phase))[:, None] * other
        for j in range(around):
            turn = 2 * np.pi * j / around + 0.4 * np.cos(phase)
            ring = np.cos(turn)[:, None] * side + np.sin(turn)[:, None] * other
            paths.append(middle + ring * (0.55 * wide)[:, None])
            normals.append(ring)
    width = np.tile(0.55 * wide, (3 * around, 1))
    return np.array(paths), np.array(normals), width


def _bun(key, root, out, size, breadth):
    """A coil: ribbons wound around a thick ring on the head."""
    n = int(np.clip(150 * (0.0042 / breadth) ** 1.5, 50, 150))
    k = 16
    big = key.child("radius").uniform(0.018, 0.026) * size
    thick = big * 0.85
    a = np.cross(out, [1.0, 0.1, 0.0])
    a /= np.linalg.norm(a)
    b = np.cross(out, a)
    s = np.linspace(0, 1, k)
    around = 2 * np.pi * (key.child("around").uniforms(n)[:, None] + s * 0.75)
    across = 2 * np.pi * (key.child("across").uniforms(n)[:, None] + 0.30 * s)
    fat = thick * (0.9 + 0.16 * key.child("fat").uniforms(n)[:, None])
    ring = np.cos(around)[..., None] * a + np.sin(around)[..., None] * b
    normal = np.cos(across)[..., None] * ring + np.sin(across)[..., None] * out
    paths = root + out * (0.55 * thick) + ring * big + normal * fat[..., None]
    width = np.tile(np.maximum(breadth, 0.0065) * (0.6 + 0.4 * np.sin(np.pi * s)), (n, 1))
    return paths, normal, width


__all__ = ["braids", "knot"]
