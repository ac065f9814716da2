"""What lies under the strands: a cap on the scalp that fades out at the hairline, and a curtain below it.

Where a figure is too small in the picture for strands, cap and curtain are all of its hair.
"""

from __future__ import annotations

import numpy as np

from understudy.assets.patterns import noise
from understudy.geometry.primitives import doubled_normals
from understudy.key import Key
from understudy.scene import Material, Surface
from understudy.worlds.people import body
from understudy.worlds.people.figure import Detail, Figure
from understudy.worlds.people.hair_colours import texture
from understudy.worlds.people.hair_strands import carried
from understudy.worlds.people.hair_styles import Style
from understudy.worlds.people.hair_volume import Volume
from understudy.worlds.people.scalp import RIM, ROWS

_SPAN_M = 0.6  # around the head
_PX = 256


def cap(key: Key, figure: Figure, style: Style, room: Volume, strands: np.ndarray, skin: np.ndarray, alone: bool) -> Surface:
    """The cap. strands : (h, w, 3) linear colours; skin : (3,) linear, where hair is thin; ``alone``: no strands over it."""
    grid, size = room.grid, room.size
    thickness = np.linalg.norm(room.out[:, :ROWS], axis=-1)
    over_rim = np.clip(room.rim_m / (0.030 if alone else 0.045), 0, 1)
    share = (0.85 if alone else style.core) * np.sqrt(over_rim) * room.density
    if style.shaved:
        share = np.zeros_like(share)
    # its edge dives under the skin, so that it throws no shadow
    height = 0.0007 * size * np.clip(1 + room.rim_m / 0.004, -0.6, 1) + share * thickness
    direction = room.out[:, :ROWS] / np.maximum(thickness[..., None], 1e-6)
    rows = ROWS if not room.hangs.all() else RIM + 2
    points = room.inner[:, :rows] + direction[:, :rows] * height[:, :rows, None]
    if room.hangs.any() and rows > RIM + 1:  # below the rim the curtain goes on
        points[room.hangs > 0.5, RIM + 1:] = points[room.hangs > 0.5, RIM:RIM + 1]
    density = np.clip(room.rim_m / _fade_m(style) + 0.35, 0, 1) * room.density
    full = room.density
    if style.parted and not alone:  # the parting shows skin
        run = room.run[:, :ROWS]
        full = full * (1 - 0.75 * np.exp(-((run / 0.0028) ** 2)))
    pixels = _painted(key, figure.detail, style, full, room.rim_m, strands, skin)
    step = _every(figure.detail, rows)
    points, density = points[::step, _picked(rows, step)], density[:, :rows][::step, _picked(rows, step)]
    over = grid.face[:, :rows][::step, _picked(rows, step)]
    material = Material(texture(pixels), roughness=0.5, specular=0.4)
    v = 1 - (np.arange(rows)[_picked(rows, step)] + 0.5) / ROWS
    return _sheet("hair cap", figure, points, v, density, over, material, grid.closed, reach=1.0,
                  least=0.3 if step > 1 else 0.1)


def curtain(figure: Figure, style: Style, room: Volume, material: Material, alone: bool) -> Surface:
    """Hair below the hairline as one sheet, shorter than the strands over it."""
    share = 0.75 if alone else 0.35
    total = room.run[:, -1:] - room.run[:, RIM:RIM + 1]
    rows = np.arange(RIM - 3, room.run.shape[1])
    points = room.inner[:, rows] + room.out[:, rows] * share
    step = _every(figure.detail, len(rows))
    picked = _picked(len(rows), step)
    keep = np.repeat(room.hangs[:, None], len(picked), 1)
    if not alone:
        keep = keep * ((room.run[:, rows][:, picked] - room.run[:, RIM:RIM + 1]) < (0.5 if style.curl else 0.84) * total)
    v = np.linspace(0.3, 0.98, len(rows))[picked]
    over = np.repeat(room.grid.face[:, RIM:RIM + 1], len(picked), 1)
    return _sheet("hair curtain", figure, points[::step][:, picked], v, keep[::step], over[::step], material,
                  room.grid.closed, reach=4.0, least=0.4)


def _fade_m(style: Style) -> float:
    return 0.011 if style.shaved else 0.006


def _every(detail: Detail, rows: int) -> int:
    """Every how many columns and rows are kept: those a pixel and a half apart or more."""
    return 1 if detail.shows(0.006) else 2 if detail.shows(0.015) else 4


def _picked(rows: int, step: int) -> np.ndarray:
    return np.unique(np.append(np.arange(0, rows, step), rows - 1))


def _painted(key: Key, detail: Detail, style: Style, density: np.ndarray, rim_m: np.ndarray, strands: np.ndarray,
             skin: np.ndarray) -> np.ndarray:
    """(n, n, 3) linear: hair where there is some, skin where not, follicle by follicle between."""
    import cv2

    n = detail.texels(_SPAN_M, _PX, 32)
    many, rim = (cv2.resize(np.concatenate([a, a[:1]]).astype(np.float32).T, (n, n), interpolation=cv2.INTER_LINEAR)
                 for a in (density, rim_m))  # columns meet where the picture ends
    much = many * np.clip(rim / _fade_m(style) + 0.35, 0, 1)
    grain = noise(key.child("follicles"), n, (min(n, 40 if not style.shaved else 128), min(n, 128)), 1)
    full = 0.80 if style.shaved else 1.0
    amount = np.clip((much * full * 1.35 + (grain - 0.5) * 1.5 * (1.15 - much * full) - 0.17), 0, 1)[..., None]
    if style.shaved:
        return skin * (1 - amount) + amount * strands.mean((0, 1)) * (0.55 + 0.5 * grain[..., None])
    if not style.rise:  # coils, no strands
        frizz = noise(key.child("frizz"), n, max(4, n // 3), 2)[..., None]
        return skin * (1 - amount) + amount * strands.mean((0, 1)) * (0.15 + 1.4 * frizz**1.5)
    lines = cv2.resize(strands.astype(np.float32)[::-1], (n, n), interpolation=cv2.INTER_AREA)
    return skin * (1 - amount) + amount * lines * 0.8


def _sheet(name: str, figure: Figure, points: np.ndarray, v: np.ndarray, keep: np.ndarray, over: np.ndarray,
           material: Material, closed: bool, reach: float, least: float) -> Surface:
    """Columns (C, R) as one mesh; ``keep`` (C, R) 0-1: quads with more than ``least`` on average are wanted; ``reach``: how
    often the texture repeats."""
    if closed:
        points, keep, over = (np.concatenate([a, a[:1]]) for a in (points, keep, over))
    count, rows = points.shape[:2]
    index = np.arange(count * rows).reshape(count, rows)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1)
    wanted = 0.25 * (keep[:-1, :-1] + keep[1:, :-1] + keep[1:, 1:] + keep[:-1, 1:]) > least
    quads, over = quads[wanted], over[:-1, :-1][wanted]
    faces = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
    over = np.concatenate([over, over])
    flat = points.reshape(-1, 3)
    area = np.linalg.norm(doubled_normals(flat[faces]), axis=1)
    faces, over = faces[area > 1e-9], over[area > 1e-9]
    normals = body.vertex_normals(flat, faces)
    if closed:  # both sides of the seam
        seam = normals[:rows] + normals[-rows:]
        seam /= np.maximum(np.linalg.norm(seam, axis=1, keepdims=True), 1e-9)
        normals[:rows] = normals[-rows:] = seam
    u = np.broadcast_to((np.arange(count) / max(count - 1, 1) * reach)[:, None], (count, rows))
    uv = np.stack([u, np.broadcast_to(v, (count, rows))], -1).reshape(-1, 2)
    used, faces = np.unique(faces, return_inverse=True)
    return carried(name, figure, flat[used], faces.reshape(-1, 3), normals[used], uv[used], over, material)


__all__ = ["cap", "curtain"]
