"""Hair of the face as single hairs: brows, lashes and beards, grown from the skin and carried by the expression.

Follicles are places on faces of the skin, found once a process; what grows where comes from the masks that the skin is
painted with, so painted shadow and hairs lie over one another. Where a figure is too small for hairs, the paint is all.
Hair of the face counts as face, as in CelebAMask-HQ (Lee et al., 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from understudy.geometry.primitives import doubled_normals
from understudy.key import Key
from understudy.scene import Material, Surface
from understudy.worlds.people import body
from understudy.worlds.people.anatomy import FACE_VERTICES
from understudy.worlds.people.face_map import FACE_PX, face_map, face_masks
from understudy.worlds.people.figure import Figure
from understudy.worlds.people.hair_colours import strands, texture
from understudy.worlds.people.hair_strands import Ribbons, surface

_FOLLICLES = 60000
_NEAR_PX_PER_M = 550.0  # brows and lashes are hairs from here on
_BEARD_PX_PER_M = 160.0
_LENGTH_M = {"stubble": 0.0022, "moustache": 0.011, "goatee": 0.016, "full": 0.024}
_UPPER = ((36, 37, 38, 39), (45, 44, 43, 42))  # lids from the outer corner to the inner, right eye first
_LOWER = ((36, 41, 40, 39), (45, 46, 47, 42))


@dataclass(frozen=True)
class _Follicles:
    """face (n,), bary (n, 3), uv (n, 2), in a random order that never changes."""

    face: np.ndarray
    bary: np.ndarray
    uv: np.ndarray


def grown(key: Key, figure: Figure, beard: str, colour: str, hair_rgb: np.ndarray) -> list[Surface]:
    """Brows, lashes and beard of a figure, as far as the picture can show them."""
    px = figure.detail.px_per_m
    size = _size(figure)
    look = Material(texture(_toned(strands(key.child("colours"), colour), hair_rgb)), roughness=0.5, specular=0.35)
    out = []
    if px >= _NEAR_PX_PER_M:
        out.append(surface("brows", figure, _brows(key.child("brows"), figure, size, px), look, "face"))
        dark = Material((0.012, 0.009, 0.008), roughness=0.5, specular=0.3)
        out.append(surface("lashes", figure, _lashes(key.child("lashes"), figure, size, px), dark, "face"))
    if beard in _LENGTH_M and px >= (_NEAR_PX_PER_M if beard == "stubble" else _BEARD_PX_PER_M):
        out.append(surface("beard", figure, _beard(key.child("beard"), figure, beard, size, px), look, "face"))
    return out


def _toned(image: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Strands brought to the mean colour ``rgb``, which an old brow or a dyed head of hair does not have."""
    return image * (np.asarray(rgb) / np.maximum(image.mean((0, 1)), 1e-4))


def _size(figure: Figure) -> float:
    """Of the face over the template's."""
    corners = [FACE_VERTICES[36], FACE_VERTICES[45]]
    template, rest = body.model().arrays["template_vertices"][corners], figure.rest.vertices[corners]
    return float(np.linalg.norm(rest[0] - rest[1]) / np.linalg.norm(template[0] - template[1]))


@lru_cache(maxsize=1)
def _follicles() -> _Follicles:
    fm = face_map()
    template = np.array(body.model().arrays["template_vertices"], float)
    rows = np.flatnonzero(fm.in_map)
    corners = template[fm.faces[rows]]
    area = np.linalg.norm(doubled_normals(corners), axis=1)
    u = Key(20261121).child("follicles").uniforms(_FOLLICLES, 3)
    face = rows[np.minimum(np.searchsorted(np.cumsum(area) / area.sum(), u[:, 0]), len(rows) - 1)]
    root = np.sqrt(u[:, 1])
    bary = np.stack([1 - root, root * (1 - u[:, 2]), root * u[:, 2]], 1)
    return _Follicles(face, bary, np.einsum("nk,nkc->nc", bary, fm.uv[fm.faces[face]].astype(float)))


@lru_cache(maxsize=8)
def _where(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Follicles at which a mask is above 0, and its value there."""
    masks = face_masks(FACE_PX)
    mask = {"stubble": masks.beard, "full": np.maximum(masks.beard, 0.8 * masks.moustache), "brows": masks.brows,
            "moustache": masks.moustache, "goatee": np.maximum(masks.moustache, masks.chin)}[name]
    uv = _follicles().uv
    x = np.clip((uv[:, 0] * FACE_PX).astype(int), 0, FACE_PX - 1)
    y = np.clip(((1 - uv[:, 1]) * FACE_PX).astype(int), 0, FACE_PX - 1)
    value = mask[y, x]
    found = np.flatnonzero(value > 0.12)
    return found, value[found]


def _chosen(key: Key, name: str, count: int) -> np.ndarray:
    """About ``count`` follicles of a mask, more where it is strong."""
    found, value = _where(name)
    dice = key.uniforms(len(found)) / np.maximum(value, 1e-3)
    return found[np.argsort(dice, kind="stable")[:count]]


def _ground(figure: Figure, chosen: np.ndarray):
    """Place, normal and the directions of growing u (to the subject's left) and of growing v (up), unit: each (n, 3)."""
    fm, follicles = face_map(), _follicles()
    corner = fm.faces[follicles.face[chosen]]
    bary = follicles.bary[chosen]
    p = figure.posed.vertices[corner].astype(float)
    place = np.einsum("nk,nkd->nd", bary, p)
    normal = np.einsum("nk,nkd->nd", bary, figure.posed.normals[corner])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    uv = fm.uv[corner].astype(float)
    du, dv = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    det = du[:, 0] * dv[:, 1] - du[:, 1] * dv[:, 0]
    det = np.where(np.abs(det) < 1e-12, 1e-12, det)[:, None]
    first, second = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    left = (first * dv[:, 1:] - second * du[:, 1:]) / det
    up = (second * du[:, :1] - first * dv[:, :1]) / det
    return place, normal, _unit(left), _unit(up)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)


def _hairs(key: Key, place, normal, way, length, width, over, lift: float, droop: np.ndarray | float = 0.0,
           k: int = 4) -> Ribbons:
    """Hairs that leave the skin along ``way`` and ``normal`` and lie down; ``lift`` 0 flat to 1 upright."""
    n = len(place)
    t = np.linspace(0, 1, k)[None, :, None]
    length = np.broadcast_to(length, (n,))[:, None, None]
    away = way[:, None] * (t - 0.5 * lift * t**2) + normal[:, None] * lift * (t - 0.55 * t**2)
    paths = place[:, None] + length * away + np.array([0, 0, -1.0]) * length * np.asarray(droop) * t**2
    paths -= normal[:, None] * 0.0003
    taper = np.clip(1.05 - t[..., 0] ** 2.2, 0.12, 1)
    roll = (key.child("roll").uniforms(n) - 0.5)[:, None, None]
    side = np.cross(way, normal)
    normals = _unit(np.broadcast_to(normal[:, None] + roll * side[:, None], paths.shape))
    return Ribbons(paths, normals, np.broadcast_to(width, (n,))[:, None] * taper, key.child("u").uniforms(n), 3 / 256,
                   np.broadcast_to(0.3 + 0.65 * t[..., 0], (n, k)), np.broadcast_to(over[:, None], (n, k)))


def _brows(key: Key, figure: Figure, size: float, px: float) -> Ribbons:
    masculine = float(figure.gender < 0.5)
    thick = float(np.interp(figure.age, (0, 3, 16), (0.35, 0.5, 1.0))) * key.child("thick").uniform(0.75, 1.25)
    chosen = _chosen(key.child("where"), "brows", int((210 + 90 * masculine) * thick))
    place, normal, left, up = _ground(figure, chosen)
    u = _follicles().uv[chosen, 0]
    outward = np.where(u > 0.5, 1.0, -1.0)[:, None]
    far = np.clip((np.abs(u - 0.5) - 0.055) / 0.13, 0, 1)[:, None]  # from the inner end to the tail
    turn = (key.child("turn").uniforms(len(u)) - 0.5)[:, None] * 0.7
    way = _unit(outward * left * (0.35 + 1.1 * far) + up * (0.80 - 1.05 * far + 0.7 * turn))
    longest = size * (0.8 + 0.25 * masculine) * min(1.0, 0.5 + 0.5 * thick)
    length = longest * (0.0044 + 0.0028 * key.child("length").uniforms(len(u)))
    return _hairs(key, place, normal, way, length, max(0.00042, 0.55 / px), _follicles().face[chosen], 0.28)


def _lashes(key: Key, figure: Figure, size: float, px: float) -> Ribbons:
    vertices, normals = figure.posed.vertices, figure.posed.normals
    feminine = float(figure.gender > 0.5)
    parts = []
    for e, (upper, lower) in enumerate(zip(_UPPER, _LOWER)):
        side = "RL"[e]
        centre = vertices[body.model().mesh(f"eye.{side}").base].mean(0)
        for lid, count, length, rise in ((upper, 46, 0.0056 + 0.0018 * feminine, 0.42), (lower, 24, 0.0032, -0.35)):
            knots = [FACE_VERTICES[i] for i in lid]
            t = (np.arange(count) + key.child(side, lid[1]).uniforms(count)) / count
            shares = _cubic(t)
            place = shares @ vertices[knots].astype(float)
            normal = _unit(shares @ normals[knots].astype(float))
            along = _unit(np.gradient(place, axis=0))
            forward = _unit(place - centre)
            up = np.cross(forward, along)
            up = up * np.sign(up[:, 2:])
            fan = (1 - 2 * t)[:, None] * -along * 0.5  # towards the nearer corner
            way = _unit(forward + 0.25 * normal + fan)
            reach = size * length * (0.55 + 0.45 * np.sin(np.pi * np.clip(t * 0.9, 0, 1))) \
                * (0.8 + 0.4 * key.child("length", side, lid[1]).uniforms(count))
            s = np.linspace(0, 1, 4)[None, :, None]
            paths = place[:, None] + reach[:, None, None] * (way[:, None] * s + rise * up[:, None] * s**1.8)
            parts.append((paths, np.broadcast_to(_unit(up + 0.3 * way)[:, None], paths.shape)))
    paths, facing = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
    n = len(paths)
    taper = np.array([1.0, 0.85, 0.6, 0.2])
    over = np.full((n, 4), np.flatnonzero(face_map().is_face)[0])
    return Ribbons(paths, facing, max(0.00026, 0.45 / px) * np.broadcast_to(taper, (n, 4)), np.zeros(n), 1 / 256,
                   np.full((n, 4), 0.5), over)


def _cubic(t: np.ndarray) -> np.ndarray:
    """(n, 4) Lagrange weights through four points at 0, 1/3, 2/3, 1."""
    knots = np.array([0, 1 / 3, 2 / 3, 1])
    out = np.ones((len(t), 4))
    for i in range(4):
        for j in range(4):
            if i != j:
                out[:, i] *= (t - knots[j]) / (knots[i] - knots[j])
    return out


def _beard(key: Key, figure: Figure, style: str, size: float, px: float) -> Ribbons:
    width = max({"stubble": 0.0004}.get(style, 0.0011), 1.0 / px)
    full = {"stubble": 1500, "full": 1500, "moustache": 320, "goatee": 650}[style]
    chosen = _chosen(key.child("where"), style, int(full * min(1.0, (0.0022 / width) ** 1.2)))
    place, normal, left, up = _ground(figure, chosen)
    uv = _follicles().uv[chosen]
    aside = np.clip((uv[:, 0] - 0.5) / 0.12, -1, 1)[:, None]
    lip = uv[:, 1:] > _lip_v()
    turn = (key.child("turn").uniforms(len(uv), 2) - 0.5) * 0.7
    # a moustache parts in the middle, the rest hangs and leans outwards a little
    way = _unit(left * (np.where(lip, 1.1 * np.sign(aside) * (0.3 + np.abs(aside)), 0.35 * aside) + turn[:, :1])
                - up * (np.where(lip, 0.75, 1.0) + 0.4 * turn[:, 1:]))
    length = _LENGTH_M[style] * size * (0.55 + 0.6 * key.child("length").uniforms(len(uv)))
    if style in ("full", "goatee"):
        length = length * key.child("grown").uniform(0.5, 1.5) * np.where(lip[:, 0], 0.55, 1.0)
    lift = 0.6 if style == "stubble" else 0.45
    return _hairs(key, place, normal, way, length, width, _follicles().face[chosen], lift,
                  0.0 if style == "stubble" else 0.25, 2 if style == "stubble" else 4)


@lru_cache(maxsize=1)
def _lip_v() -> float:
    """Height of the mouth's corners in the face's texture: above it grows the moustache."""
    return float(face_map().uv[FACE_VERTICES[48], 1])


__all__ = ["grown"]
