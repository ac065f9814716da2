"""Strands of hair as ribbons: narrow strips that taper to their tips, each showing a few strands side by side.

A ribbon's shading normals open like a half cylinder's, so that light runs across the strands and not along them, as on hair
(Marschner et al., *Light scattering from human hair fibers*, SIGGRAPH 2003, in the coarsest way).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.key import Key
from understudy.scene import PART_ID, Material, Surface
from understudy.worlds.people import body
from understudy.worlds.people.clothes import tailor
from understudy.worlds.people.figure import Detail, Figure
from understudy.worlds.people.hair_styles import Style
from understudy.worlds.people.hair_volume import Volume
from understudy.worlds.people.scalp import COLUMNS, RIM

_MOST = 2300  # ribbons on a head
_COARSEST_M = 0.014  # where ribbons would have to be broader to be seen, there are none
_ROUND = 0.75  # how far a ribbon's normals open to its edges


@dataclass(frozen=True)
class Ribbons:
    """n ribbons of k points each.

    paths : (n, k, 3) m, from the root; normals : (n, k, 3) unit, outwards; width : (n, k) m
    u : (n,) and window : place and breadth of each ribbon's strands in the texture; tip : (n, k) 0 at the root to 1
    over : (n, k) int, the face of the body whose chart it has
    """

    paths: np.ndarray
    normals: np.ndarray
    width: np.ndarray
    u: np.ndarray
    window: float
    tip: np.ndarray
    over: np.ndarray


def lock_m(style: Style, detail: Detail) -> float | None:
    """Breadth of the ribbons, at least a pixel and a half; None where that is too coarse for any."""
    breadth = max(style.lock, (3.0 if style.braids else 1.5) / detail.px_per_m)
    return breadth if breadth <= max(_COARSEST_M, style.lock) else None


def grown(key: Key, style: Style, room: Volume, breadth: float) -> Ribbons:
    """Ribbons of ``breadth`` metres through a volume of hair."""
    size = room.size
    count = _count(style, room, breadth)
    column, row, top = _roots(key.child("roots"), style, room, count)
    count = len(column)
    length = (style.side_length + (style.length - style.side_length) * top) * size
    length = length * (0.72 + 0.4 * key.child("length").uniforms(count))
    steps = _steps(style, float(np.median(length)), breadth)
    t = np.linspace(0, 1, steps)
    if style.knot or style.layout == "knot":  # from the hairline to the knot
        along = _backwards(room, column, row, length, t)
    else:
        along = _forwards(key, style, room, column, row, length, t)
    if style.rise == 0:
        along = row[:, None] + 0.35 * (along[0] - row[:, None]), 0.55 * along[1]
    went = along[1] * t  # metres from the root, (n, k)
    clump = style.clump * (key.child("clump").uniforms(count) * 0.6 + 0.4)[:, None] * t**1.5
    spacing = 2.2 + 2.0 * key.child("spacing").uniforms(count)
    centre = np.round(column / spacing) * spacing
    sway = (key.child("sway").uniforms(count) - 0.5) * 2.4 * (style.stray + 0.15)
    across = column[:, None] + (centre - column)[:, None] * clump + sway[:, None] * t**1.3
    inner, out = room.at(across, along[0])
    layer = 0.25 + 0.75 * key.child("layer").uniforms(count) ** 0.7
    stray = 1 + style.stray * 0.9 * np.maximum(key.child("stray").uniforms(count) - 0.6, 0)[:, None] * t
    rise = 1 - np.exp(-went / style.rise) if style.rise else t
    if style.rise == 0:  # what stands off the scalp is seen where it leaves the core
        rise = 0.9 * style.core + (1 - 0.9 * style.core) * t
        layer = 0.82 + 0.18 * layer
    lift = layer[:, None] * rise * stray
    paths = inner + out * lift[..., None].astype(np.float32)
    thick = np.linalg.norm(out, axis=-1, keepdims=True)
    normal = out / np.maximum(thick, 1e-6)
    if style.rise == 0:  # frizz: every coil leans its own way
        lean = np.clip(key.child("lean").normals(count, 1, 3), -2, 2).astype(np.float32)
        lean = lean - normal * (lean * normal).sum(-1, keepdims=True)
        paths = paths + lean * (np.minimum(0.011 * size, 0.5 * thick) * t[None, :, None])
    if style.curl:  # no wider than the room, which a hat may press down
        loose = np.minimum(thick / (2 * style.curl * size), 1).astype(np.float32)
        paths = paths + loose * _curls(key, style, paths, normal, went, size)
    width = breadth * (0.75 + 0.5 * key.child("width").uniforms(count))[:, None] * _taper(t, style)[None]
    normal = _turned(key, paths, normal)
    c = np.round(across).astype(int)
    c = c % COLUMNS if room.grid.closed else np.clip(c, 0, COLUMNS - 1)
    over = room.grid.face[c, np.clip(along[0], 0, RIM).astype(int)]
    return Ribbons(paths, normal, width, key.child("u").uniforms(count), min(0.12, 6 / 256 * breadth / 0.004),
                   np.tile(t, (count, 1)), over)


def _count(style: Style, room: Volume, breadth: float) -> int:
    fall = style.fall * room.size
    area = (0.062 + 0.42 * style.fall) * room.size**2
    if style.rise == 0:
        area += 0.03
    longest = 0.12 + style.fall
    mean = (0.45 * min(style.length, longest) + 0.55 * min(style.side_length, longest)) * room.size + 0.2 * fall
    return int(np.clip(style.cover * area / (breadth * max(mean, breadth) * 0.62), 90, _MOST))


def _roots(key: Key, style: Style, room: Volume, count: int):
    """Column, row (fractional) and height on the head (0 sides to 1 top) of the roots, evenly over the scalp."""
    rows = RIM + 1
    inner = room.inner[:, :rows]
    beside = np.roll(inner, -1, 0) if room.grid.closed else np.concatenate([inner[1:], inner[-1:]])
    span = np.linalg.norm(beside - inner, axis=-1)
    step = np.diff(room.run[:, :rows + 1], axis=1)
    grows = np.clip(room.rim_m[:, :rows] / 0.004 + 0.7, 0, 1) * room.density[:, :rows]
    if style.knot or style.layout == "knot":  # what shows grows near the hairline
        grows = grows * (0.35 + np.exp(-room.rim_m[:, :rows] / 0.02))
    if style.layout == "whorl":  # nothing lies over the middle of a whorl but what grows there
        grows = grows * (1 + 2 * np.exp(-room.run[:, :rows] / 0.02))
    if style.rise == 0:
        grows = grows * (1 + 1.5 * np.exp(-room.rim_m[:, :rows] / 0.02))
    if style.fall:
        grows = grows * (0.6 + 0.4 * np.linspace(0, 1, rows))
    weight = np.cumsum((span * step * grows).ravel())
    at = (np.arange(count) + key.child("at").uniforms(count)) / count * weight[-1]
    cell = np.minimum(np.searchsorted(weight, at), weight.size - 1)
    jitter = key.child("jitter").uniforms(count, 2)
    column, row = cell // rows + jitter[:, 0] - 0.5, cell % rows + jitter[:, 1] - 0.5
    up = room.grid.up[:, :rows].ravel()[cell]
    upper = np.clip((up - 0.15) / 0.5, 0, 1)
    return column, np.clip(row, 0, rows - 1), upper


def _forwards(key, style, room, column, row, length, t):
    """Rows (n, k) along the columns away from the parting, and each strand's length (n, 1)."""
    c = np.clip(np.round(column).astype(int) % COLUMNS, 0, COLUMNS - 1)
    run = room.run
    total = run[:, -1] + 1e-6
    base = np.concatenate([[0], np.cumsum(total + 1.0)[:-1]])  # one long row of all columns for a single interpolation
    flat_run = (run + 1e-7 * np.arange(run.shape[1]) + base[:, None]).ravel()
    flat_row = np.tile(np.arange(run.shape[1]), COLUMNS).astype(float)
    number = np.arange(run.size, dtype=float)
    begin = np.interp(c * run.shape[1] + row, number, flat_run)
    slack = style.fringe * room.size * (0.6 + 0.5 * key.child("fringe").uniforms(len(c))) + 0.004
    end = np.where(room.hangs[c] > 0.5, run[c, -1], run[c, RIM] + slack)
    end = np.minimum(end, run[c, -1])
    room_left = np.maximum(base[c] + end - begin, 0.35 * np.minimum(length, 0.02))
    length = np.minimum(length, room_left)[:, None]
    where = begin[:, None] + length * t
    return np.interp(np.minimum(where, (base + total)[c][:, None]), flat_run, flat_row), length


def _backwards(room, column, row, length, t):
    """Rows (n, k) from each root up to the knot, or as far as the strands reach, and their lengths (n, 1)."""
    c = np.clip(np.round(column).astype(int) % COLUMNS, 0, COLUMNS - 1)
    way = np.maximum(room.run[c, RIM] * row / RIM, 1e-4)
    part = np.minimum(length / way, 1.0)
    return row[:, None] * (1 - part[:, None] * t), (way * part)[:, None]


def _steps(style: Style, length: float, breadth: float) -> int:
    """Points along a ribbon: enough to bend with head and curl."""
    bend = max(0.016, 1.2 * breadth)
    if style.rise == 0:
        return 6
    if style.knot:
        bend = 0.03
    if style.curl:
        bend = min(bend, max(style.coil / 6, 0.6 * breadth))
    return int(np.clip(round(length / bend) + 2, 3, 34 if style.curl else 20))


def _taper(t: np.ndarray, style: Style) -> np.ndarray:
    root = 0.7 + 0.3 * np.clip(t * 6, 0, 1)
    if style.knot:
        return root
    return root * np.clip(1.02 - t ** (3 if style.fall else 2.2), 0.05, 1)


def _curls(key, style, paths, normal, went, size):
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-9)
    side = np.cross(tangent, normal)
    count = len(paths)
    pitch = style.coil * (0.75 + 0.5 * key.child("pitch").uniforms(count))[:, None]
    phase = 2 * np.pi * (went / pitch + key.child("phase").uniforms(count)[:, None])
    radius = style.curl * size * (0.6 + 0.8 * key.child("radius").uniforms(count))[:, None]
    radius = (radius * np.clip(went / (0.5 * style.coil), 0.3, 1))[..., None]
    return (radius * (np.cos(phase)[..., None] * side + 0.8 * np.sin(phase)[..., None] * normal)).astype(np.float32)


def _turned(key, paths, normal):
    """Normals rolled about the strands a little, so that no two ribbons shine alike."""
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-9)
    side = np.cross(tangent, normal)
    roll = ((key.child("roll").uniforms(len(paths)) - 0.5) * 1.3)[:, None, None]
    return normal * np.cos(roll) + side * np.sin(roll)


def surface(name: str, figure: Figure, ribbons: Ribbons, material: Material, part: str = "hair") -> Surface:
    """Ribbons as one mesh, carried by the head."""
    paths, width = ribbons.paths.astype(np.float32), ribbons.width.astype(np.float32)
    n, k = paths.shape[:2]
    tangent = np.gradient(paths, axis=1)
    tangent /= np.maximum(np.sqrt(np.einsum("nkd,nkd->nk", tangent, tangent)), 1e-9)[..., None]
    side = np.cross(tangent, ribbons.normals.astype(np.float32))
    side /= np.maximum(np.sqrt(np.einsum("nkd,nkd->nk", side, side)), 1e-9)[..., None]
    out = np.cross(side, tangent)
    half = side * (0.5 * width)[..., None]
    points = np.stack([paths - half, paths + half], 2).reshape(-1, 3)
    normals = np.stack([out - _ROUND * side, out + _ROUND * side], 2) * np.float32(1 / np.sqrt(1 + _ROUND**2))
    index = np.arange(n * k * 2, dtype=np.int32).reshape(n, k, 2)
    a, b, c, d = index[:, :-1, 0], index[:, :-1, 1], index[:, 1:, 1], index[:, 1:, 0]
    faces = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], 2).reshape(-1, 3)
    u = np.broadcast_to((ribbons.u[:, None] + np.array([0.0, ribbons.window]))[:, None], (n, k, 2))
    v = np.broadcast_to((0.02 + 0.96 * ribbons.tip)[..., None], (n, k, 2))
    return carried(name, figure, points, faces, normals.reshape(-1, 3), np.stack([u, v], -1).reshape(-1, 2),
                   np.repeat(ribbons.over[:, :-1].ravel(), 2), material, part)


def carried(name: str, figure: Figure, points: np.ndarray, faces: np.ndarray, normals: np.ndarray, uv: np.ndarray,
            over: np.ndarray, material: Material, part: str = "hair") -> Surface:
    """A mesh in the world that moves with the head, as a surface; ``over`` (m,) are the body's faces whose DensePose chart
    its faces have."""
    turn = figure.posed.transforms[body.model().bone("head")]
    rest = (points - turn[:3, 3]) @ turn[:3, :3]  # of a rotation the inverse is the transpose
    chart, chart_uv = tailor.carried(over, np.full((len(over), 3, 3), 1 / 3))
    return Surface(name, np.ascontiguousarray(points, np.float32), np.ascontiguousarray(faces, np.int32), material,
                   np.full(len(faces), PART_ID[part], np.uint8), uv=np.ascontiguousarray(uv, np.float32),
                   rest=rest.astype(np.float32), chart=chart, chart_uv=chart_uv,
                   normals=np.ascontiguousarray(normals, np.float32))


__all__ = ["Ribbons", "carried", "grown", "lock_m", "surface"]
