"""The room that hair fills: from the scalp outwards, and from the hairline down over neck, shoulders and clothes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from understudy.key import Key
from understudy.scene import PART_ID, Surface
from understudy.worlds.people import body
from understudy.worlds.people.clothes.headwear import inside
from understudy.worlds.people.figure import Figure
from understudy.worlds.people.hair_styles import Style
from understudy.worlds.people.scalp import BEYOND, COLUMNS, RIM, ROWS, Scalp, scalp

_OVER = tuple(PART_ID[name] for name in ("top", "dress", "outerwear"))
_PRESSED_M = 0.0045  # how thick hair is under a hat
_HIDDEN_M = 0.045  # this far inside a hat's edge no strand has its root
_STEP_M = 0.022  # hanging hair is followed in steps of this length


@dataclass(frozen=True)
class Volume:
    """A sheet of columns with a thickness, in the world frame.

    grid : where its columns lie on the scalp; size : of the head over the template's
    inner, out : (C, S, 3) the innermost strands, and from them to the outermost; run : (C, S) m along each column
    rim_m : (C, ROWS) m above this head's hairline; density : (C, ROWS) 0-1, how much hair grows
    hangs : (C,) 1 where hair goes on below the hairline
    """

    grid: Scalp
    size: float
    inner: np.ndarray
    out: np.ndarray
    run: np.ndarray
    rim_m: np.ndarray
    density: np.ndarray
    hangs: np.ndarray

    def at(self, column: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``inner`` and ``out`` at fractional columns and rows (any shape), each (..., 3); columns wrap in a closed grid."""
        count, rows = self.run.shape
        column = column % count if self.grid.closed else np.clip(column, 0, count - 1)
        row = np.clip(row, 0, rows - 1)
        c, r = np.minimum(column.astype(np.int32), count - 1), np.minimum(row.astype(np.int32), rows - 2)
        a, b = (column - c).astype(np.float32)[..., None], (row - r).astype(np.float32)[..., None]
        first, second = c * rows + r, ((c + 1) % count if self.grid.closed else np.minimum(c + 1, count - 1)) * rows + r
        both = np.concatenate([self.inner, self.out], -1).reshape(-1, 6).astype(np.float32)
        value = (1 - a) * ((1 - b) * both[first] + b * both[first + 1]) + a * ((1 - b) * both[second] + b * both[second + 1])
        return value[..., :3], value[..., 3:]


def volume(key: Key, figure: Figure, style: Style, clothes: Sequence[Surface], hat: str | None = None) -> Volume:
    """The room of a style on a figure's head, over ``clothes`` and under a ``hat`` (one of HEADWEAR)."""
    grid = scalp(style.layout)
    corners = body.model().mesh("body").base_faces[grid.face]
    posed = figure.posed.vertices
    inner = np.einsum("crk,crkd->crd", grid.bary, posed[corners])
    out = np.einsum("crk,crkd->crd", grid.bary, figure.posed.normals[corners])
    out /= np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-6)
    size = _head_size(figure)
    rim = grid.rim_m + _hairline(key.child("hairline"), figure, grid)
    depth, density = _thickness(key, figure, style, grid, rim, size)
    if hat is not None:  # pressed down beneath it, and no wider just below its edge
        within = _within(hat, style.layout)
        depth = np.minimum(depth, (_PRESSED_M + np.clip(-within, 0, None)) * size)
        density = density * np.clip(1 - within / _HIDDEN_M, 0, 1)
    out = out * depth[..., None]
    hangs = _hanging(style, grid)
    if hangs.any():
        inner, out = _fall(key, figure, style, inner, out, hangs, size, clothes)
    run = np.concatenate([np.zeros((COLUMNS, 1)), np.cumsum(np.linalg.norm(np.diff(inner + out, axis=1), axis=-1), 1)], 1)
    return Volume(grid, size, inner, out, run, rim, density, hangs)


@cache
def _within(hat: str, layout: str) -> np.ndarray:
    """(C, R) how far the scalp lies inside a hat's edge, m on the template."""
    grid, model = scalp(layout), body.model()
    corners = np.array(model.arrays["template_vertices"], float)[model.mesh("body").base_faces[grid.face]]
    return inside(hat, np.einsum("crk,crkd->crd", grid.bary, corners))


def _head_size(figure: Figure) -> float:
    """Breadth and depth of the skull over the template's."""
    model = body.model()
    template, rest = model.arrays["template_vertices"], figure.rest.vertices
    skull = np.flatnonzero(model.region[:body.BODY_VERTICES] == body.REGIONS.index("head"))
    return float(np.ptp(rest[skull][:, :2], axis=0).sum() / np.ptp(template[skull][:, :2], axis=0).sum())


def _hairline(key: Key, figure: Figure, grid: Scalp) -> np.ndarray:
    """(C, R) metres by which this head's hairline lies lower than the template's."""
    wave = np.interp((grid.azimuth / (2 * np.pi)) % 1, np.linspace(0, 1, 38), _ring(key.child("waves"), 37)) * 0.0022
    fore = np.exp(-((grid.azimuth / 0.9) ** 2))
    masculine = 1 - float(np.clip(figure.gender, 0, 1))
    aged = float(np.clip((figure.age - 16) / 45, 0, 1)) * masculine
    high = 0.004 + 0.016 * aged * key.child("temple").uniform(0.3, 1.3)
    temples = np.exp(-(((np.abs(grid.azimuth) - 0.60) / 0.24) ** 2)) * high
    peak = 0.004 * key.child("peak").uniform() * np.exp(-((grid.azimuth / 0.12) ** 2))
    return wave + fore * key.child("height").uniform(-0.006, 0.004) - temples + peak


def _ring(key: Key, count: int) -> np.ndarray:
    values = key.uniforms(count) * 2 - 1
    return np.append(values, values[0])


def _thickness(key: Key, figure: Figure, style: Style, grid: Scalp, rim: np.ndarray, size: float):
    """Thickness (C, R) in metres and density (C, R) of the hair above the scalp."""
    upper = np.clip((grid.up + 0.1) / 0.9, 0, 1)
    upper = upper * upper * (3 - 2 * upper)
    fore = np.clip(np.cos(grid.azimuth), 0, 1) ** 2 * np.clip(1 - rim / 0.06, 0, 1)
    depth = style.side + (style.top - style.side) * upper
    depth = depth * (1 - fore) + style.front * fore
    bump = _ring(key.child("bumps"), 15)
    swell = np.interp((grid.azimuth / (2 * np.pi) + 0.21 * grid.up) % 1, np.linspace(0, 1, 16), bump)
    depth = depth * (1 + (0.06 + 0.16 * style.stray) * swell)
    down = np.arange(ROWS) / RIM
    density = np.ones_like(rim)
    if style.parted:
        depth = depth * (0.22 + 0.78 * np.clip(down / 0.22, 0, 1) ** 0.6)
    if style.knot:
        depth = depth * (0.75 + 0.25 * np.clip(down / 0.3, 0, 1))
    if style.balding:
        ring = np.clip((0.52 - grid.up + 0.12 * np.cos(grid.azimuth - np.pi)) / 0.16, 0, 1)
        sides = 1 - np.clip((np.cos(grid.azimuth) - 0.25) / 0.4, 0, 1)
        density = density * (1 - style.balding * (1 - ring * sides))
    thin = float(np.interp(figure.age, (0.2, 1.5, 3.5, 60, 85), (0.45, 0.7, 1.0, 1.0, 0.85)))
    depth = depth * (0.3 + 0.7 * density) * (0.4 + 0.6 * thin) * (0.35 + 0.65 * np.clip(rim / 0.014 + 0.5, 0, 1) ** 0.5)
    return (0.0008 + depth) * size, density * (0.35 + 0.65 * thin)


def _hanging(style: Style, grid: Scalp) -> np.ndarray:
    """(C,) 1 for columns that go on below the hairline (sides and back), 0 over the forehead."""
    if not style.fall:
        return np.zeros(COLUMNS)
    away = np.abs((grid.end + np.pi) % (2 * np.pi) - np.pi)
    return np.clip((away - np.deg2rad(46)) / np.deg2rad(8), 0, 1)


def _fall(key, figure, style, inner, out, hangs, size, clothes):
    """Columns go on below the hairline, (C, RIM + 1 + steps, 3): they hang straight down and lie over what is below.

    What starts behind the ears gathers behind the shoulders, what starts before them falls in front.
    """
    model = body.model()
    steps = max(BEYOND, round(style.fall / _STEP_M))
    skin = figure.posed.vertices[:body.BODY_VERTICES]
    region = model.region[:body.BODY_VERTICES]
    neck = skin[region == body.REGIONS.index("neck")]
    middle = 0.5 * (neck.min(0) + neck.max(0))
    turn = np.deg2rad(figure.heading_deg + 90)
    left, back = np.array([np.cos(turn), np.sin(turn), 0]), np.array([-np.sin(turn), np.cos(turn), 0])
    below = Cushion(figure, clothes, size)
    start = inner[:, RIM] + out[:, RIM] * 0.3
    uneven = 1 + 0.06 * np.interp(np.arange(COLUMNS) / COLUMNS, np.linspace(0, 1, 25), _ring(key.child("length"), 24))
    drop = (style.fall * size * hangs * uneven / steps)[:, None] * np.array([0, 0, -1.0])
    azimuth = np.abs((scalp(style.layout).end + np.pi) % (2 * np.pi) - np.pi)
    behind = azimuth > np.deg2rad(98)
    here = start.copy()
    line = []
    for k in range(steps):
        off = here - middle
        side, depth = off @ left, off @ back
        reach = np.where(behind, 0.075, 0.085) * size
        pull_side = np.clip(np.abs(side) - reach, 0, None) * -np.sign(side)
        pull_back = np.where(behind, np.clip(0.055 * size - depth, 0, None), np.clip(-0.045 * size - depth, None, 0))
        ease = min(1.0, (k + 1) / 4) * 0.25
        moved = here + drop + ease * (pull_side[:, None] * left + pull_back[:, None] * back) * (hangs > 0)[:, None]
        here = below.pushed(below.pushed(moved, 0.012 * size), 0.012 * size)
        line.append(here)
    rows = np.stack(line, 1)
    free = (hangs > 0.99)[:, None, None]
    for _ in range(2):  # neighbours hang together
        side = 0.5 * (np.roll(rows, 1, 0) + np.roll(rows, -1, 0))
        close = np.linalg.norm(side - rows, axis=-1, keepdims=True) < 0.03
        rows = np.where(free & close, 0.5 * rows + 0.5 * side, rows)
    # the outside: as thick as at the hairline and then as the style has it, or hanging down from where the head is widest
    axis = inner[:, :RIM + 1].mean((0, 1))
    outer = inner + out
    for r in range(RIM // 2, RIM + 1):
        above, mine = outer[:, r - 1] - axis, outer[:, r] - axis
        far, here = np.hypot(above[:, 0], above[:, 1]), np.hypot(mine[:, 0], mine[:, 1])
        wide = np.where((hangs > 0) & (mine[:, 2] < above[:, 2]), np.maximum(here, 0.985 * far) / np.maximum(here, 1e-6), 1)
        outer[:, r, :2] = axis[:2] + mine[:, :2] * np.minimum(wide, 2.2)[:, None]
    out = outer - inner
    level = rows - middle
    level -= np.array([0, 0, 1.0]) * level[..., 2:]
    level /= np.maximum(np.linalg.norm(level, axis=-1, keepdims=True), 1e-6)
    share = np.linspace(0, 1, steps)[None, :, None]
    brim = np.hypot(*(outer[:, RIM] - axis)[:, :2].T)
    reached = np.hypot(*np.moveaxis((rows - axis)[..., :2], -1, 0))
    hanging = brim[:, None] * 0.985 ** np.arange(1, steps + 1) - reached
    thick = np.maximum(0.9 * style.side * size, np.minimum(hanging, 0.07 * size))[..., None]
    thick = np.linalg.norm(out[:, RIM], axis=-1)[:, None, None] * (1 - share) ** 4 + thick * (1 - (1 - share) ** 4)
    keep = (hangs > 0)[:, None, None]
    beyond = np.repeat(inner[:, -1:], steps, 1)
    beyond[:, :BEYOND] = inner[:, RIM + 1:]
    beyond_out = np.repeat(out[:, -1:], steps, 1)
    beyond_out[:, :BEYOND] = out[:, RIM + 1:]
    return (np.concatenate([inner[:, :RIM + 1], np.where(keep, rows, beyond)], 1),
            np.concatenate([out[:, :RIM + 1], np.where(keep, level * thick, beyond_out)], 1))


class Cushion:
    """The skin and clothes around neck and shoulders, which hair lies on."""

    def __init__(self, figure: Figure, clothes: Sequence[Surface], size: float) -> None:
        from scipy.spatial import cKDTree

        model = body.model()
        skin = figure.posed.vertices[:body.BODY_VERTICES]
        region = model.region[:body.BODY_VERTICES]
        trunk, neck, head = (body.REGIONS.index(name) for name in ("torso", "neck", "head"))
        top = float(skin[region == head][:, 2].max())
        near = np.flatnonzero(np.isin(region, (trunk, neck, head)) & (skin[:, 2] > top - 0.8 * size))
        points, normals = [skin[near]], [figure.posed.normals[near]]
        for worn in clothes:
            if worn.normals is not None and worn.part[0] in _OVER:
                mine = np.flatnonzero(worn.vertices[:, 2] > top - 0.8 * size)
                place = np.ascontiguousarray(worn.rest[mine]).view(np.dtype((np.void, worn.rest.itemsize * 3))).ravel()
                mine = mine[np.unique(place, return_index=True)[1]]  # the inner sides of hems repeat the outer ones' places
                points.append(worn.vertices[mine])
                normals.append(worn.normals[mine])
        self._points, self._normals = np.concatenate(points), np.concatenate(normals)
        self._out = self._normals * [1, 1, 0.15]  # outwards, not upwards, or strands would bunch up on a collar
        self._out /= np.maximum(np.linalg.norm(self._out, axis=1, keepdims=True), 1e-6)
        self._tree = cKDTree(self._points, balanced_tree=False, compact_nodes=False)  # quick to build
        self._reach = 0.09 * size

    def pushed(self, points: np.ndarray, gap_m: float) -> np.ndarray:
        """``points`` (n, 3), those below or too near to the surface moved out of it."""
        distance, near = self._tree.query(points)
        depth = ((points - self._points[near]) * self._normals[near]).sum(1)
        facing = np.maximum((self._out[near] * self._normals[near]).sum(1), 0.35)
        push = np.where(distance < self._reach, np.clip((gap_m - depth) / facing, 0, 0.05), 0)
        return points + push[:, None] * self._out[near]


__all__ = ["Cushion", "Volume", "volume"]
