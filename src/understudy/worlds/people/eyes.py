"""Eyes: sclera, iris and pupil painted around the eyeball's axis, wet and glossy; lashes along the lids."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from understudy.assets.palettes import srgb_encode_fast
from understudy.assets.patterns import noise
from understudy.key import Key
from understudy.scene import PART_ID, Material, Surface, Texture
from understudy.worlds.people import body
from understudy.worlds.people.figure import Figure

# linear colours of the iris, outer and inner
IRIS = {
    "dark brown": ((0.020, 0.010, 0.006), (0.050, 0.024, 0.012)),
    "brown": ((0.060, 0.028, 0.012), (0.130, 0.062, 0.024)),
    "hazel": ((0.075, 0.060, 0.025), (0.160, 0.085, 0.030)),
    "green": ((0.060, 0.090, 0.050), (0.150, 0.150, 0.070)),
    "blue": ((0.070, 0.130, 0.210), (0.190, 0.290, 0.390)),
    "grey": ((0.130, 0.160, 0.180), (0.260, 0.300, 0.320)),
}
WET = Material((1.0, 1.0, 1.0), roughness=0.08, specular=0.4)
"""The gloss of an eye."""
_PX = 96
_SEEN_M = 0.042  # the texture's span along the eyeball
_EDGE = np.deg2rad(100)  # the texture reaches this far from the pupil
_IRIS = np.deg2rad(29.5)  # an iris of 11.7 mm on an eyeball of 24 mm


def eye_surfaces(key: Key, figure: Figure, iris: str) -> list[Surface]:
    """Both eyeballs."""
    texture = _paint(key, iris, figure.age, figure.detail.texels(_SEEN_M, _PX, 12))
    out = []
    for side in ("L", "R"):
        base, faces, uv = _eye(side)
        out.append(Surface(f"eye.{side}", figure.posed.vertices[base], faces,
                           replace(WET, base_color=texture),
                           np.full(len(faces), PART_ID["eyes"], np.uint8), uv=uv,
                           rest=figure.posed.rest_vertices[base].astype(np.float32),
                           chart=np.full(len(faces), 24 if side == "L" else 23, np.uint8),
                           chart_uv=_chart_uv(len(faces))))
    return out


def _chart_uv(count: int) -> np.ndarray:
    """An eyeball is small: all of it has the head chart's coordinates of the eye's place (u 0.1, v 0.55)."""
    return np.broadcast_to(np.array([0.1, 0.55], np.float32), (count, 3, 2)).copy()


@lru_cache(maxsize=2)
def _eye(side: str):
    """(base, faces, uv) with polar texture coordinates around the eye's axis, measured on the template."""
    model = body.model()
    mesh = model.mesh(f"eye.{side}")
    base, number = np.unique(mesh.base, return_inverse=True)
    faces = number[mesh.faces].astype(np.int32)
    p = np.array(model.arrays["template_vertices"], float)[base]
    centre = 0.5 * (p.min(0) + p.max(0))
    radius = 0.5 * (p[:, 0].max() - p[:, 0].min())
    centre[1] = p[:, 1].min() + radius * 1.04  # the cornea stands out a little
    d = p - centre
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    polar = np.arccos(np.clip(-d[:, 1], -1, 1))
    side_on = np.hypot(d[:, 0], d[:, 2])
    spread = polar / _EDGE * 0.5 / np.maximum(side_on, 1e-9)
    uv = 0.5 + np.stack([d[:, 0] * spread, d[:, 2] * spread], 1)
    return base, faces, np.clip(uv, 0, 1).astype(np.float32)


def _paint(key: Key, iris: str, age: float, n: int) -> Texture:
    y, x = (np.mgrid[:n, :n] + 0.5) / n * 2 - 1
    polar = np.hypot(x, y) * _EDGE
    angle = np.arctan2(y, x)
    outer, inner = (np.array(c) for c in IRIS[iris])
    pupil = np.deg2rad(key.child("pupil").uniform(9.5, 14.0))
    rays = noise(key.child("rays"), 128, (4, 48), 2)
    ray = rays[(np.clip(polar / _IRIS, 0, 0.99) * 127).astype(int), ((angle + np.pi) / (2 * np.pi) * 127).astype(int)]
    t = np.clip((polar - pupil) / (_IRIS - pupil), 0, 1)[..., None]
    colour = (inner * (1 - t) + outer * t) * (0.6 + 0.8 * ray[..., None])
    colour *= 1 - 0.65 * np.clip((polar / _IRIS - 0.86) / 0.14, 0, 1)[..., None]  # limbal ring
    sclera = np.array([0.46, 0.43, 0.405]) * (1 - 0.04 * np.clip((age - 30) / 50, 0, 1) * np.array([0, 1, 3]))
    pink = np.clip((polar - 0.75) / 0.7, 0, 1)[..., None]
    sclera = sclera * (1 - pink * np.array([0.10, 0.32, 0.32]))
    veins = np.clip((noise(key.child("veins"), n, (max(2, n // 16), max(2, n // 3)), 2) - 0.62) / 0.2, 0, 1)
    sclera = sclera * (1 - (veins * np.clip((polar - _IRIS) / 0.5, 0, 1))[..., None] * np.array([0.04, 0.22, 0.20]))
    soft = 0.035
    a = np.clip((_IRIS - polar) / soft + 0.5, 0, 1)[..., None]
    b = np.clip((pupil - polar) / soft + 0.5, 0, 1)[..., None]
    linear = sclera * (1 - a) + colour * a
    linear = linear * (1 - b) + 0.004 * b
    # the upper lid and its lashes shade the eye below them (y runs down the picture)
    linear = linear * (1 - 0.55 * np.clip((-y - 0.05) / 0.4, 0, 1)[..., None] ** 0.8)
    srgb = srgb_encode_fast(np.clip(linear, 0, 1))
    return Texture((srgb * 255 + 0.5).astype(np.uint8))
