"""Light sources for tracing: everything far away as one environment map, lamps as shining rectangles.

The sun is painted into the environment at its true irradiance, so that one importance sampler chooses between sky and sun.
Directions are drawn beforehand, as likely as the light they bring; a path then picks one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.key import Key
from understudy.scene import Environment, Scene, Sun

POOL = 16384  # directions drawn beforehand
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_SUN_ROWS = 256  # rows of an environment that a sun is painted into: 0.7 degrees each


@dataclass(frozen=True)
class Lights:
    """Device arrays. sky : (h, w, 4) radiance and the density (per steradian) of its being drawn

    rows, columns : the sky's size as opaque device integers
    pool : (POOL, 8) direction, 0, radiance over density, density
    lamp : (lamps, 16) centre and area, two half edges, radiance (four floats each); lamps : their number, opaque
    has_sky, has_lamps : what there is
    """

    sky: Any
    rows: Any
    columns: Any
    pool: Any
    lamp: Any
    lamps: Any
    has_sky: bool
    has_lamps: bool


def lights_of(mi, scene: Scene) -> Lights:
    """The scene's lights. The pool of directions is the same for the same sky: paths choose from it by their own stream."""
    import drjit as dr

    from understudy.renderers.mitsuba.stage import given

    radiance = far_radiance(scene.environment, scene.sun)
    has_sky = radiance is not None and bool((radiance > 0).any())
    if not has_sky:
        radiance = np.zeros((1, 1, 3), np.float32)
    sky, pool = _drawn(radiance) if has_sky else (np.zeros((1, 1, 4), np.float32), np.zeros((4, 8), np.float32))
    lamps = np.zeros((max(1, len(scene.lamps)), 16), np.float32)
    for row, lamp in zip(lamps, scene.lamps):
        across, along = np.asarray(lamp.to_world)[:3, 0], np.asarray(lamp.to_world)[:3, 1]
        normal = np.cross(across, along)
        row[:3], row[3] = np.asarray(lamp.to_world)[:3, 3], 4 * np.linalg.norm(normal)
        row[4:7], row[8:11], row[12:15] = across, along, lamp.radiance
    return Lights(given(mi.Float, sky), dr.opaque(mi.UInt32, sky.shape[0]), dr.opaque(mi.UInt32, sky.shape[1]),
                  given(mi.Float, pool), given(mi.Float, lamps), dr.opaque(mi.UInt32, len(scene.lamps)),
                  has_sky, bool(scene.lamps))


def _drawn(radiance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sky with its density (h, w, 4) and POOL directions of it (POOL, 8), in the order of the sky's pixels."""
    h, w = radiance.shape[:2]
    edges = np.cos(np.arange(h + 1) / h * np.pi)
    solid_angle = (edges[:-1] - edges[1:]) * (2 * np.pi / w)  # of one pixel, by row
    light = np.maximum(radiance.astype(np.float64) @ LUMINANCE, 0)
    light += 0.02 * light.mean()  # no direction is quite without hope
    chance = light * solid_angle[:, None]
    chance /= chance.sum()
    density = chance / solid_angle[:, None]
    key = Key(0) / "sky"
    at = np.searchsorted(np.cumsum(chance.ravel()), (np.arange(POOL) + key.uniforms(POOL)) / POOL, side="right")
    row, col = np.divmod(np.minimum(at, h * w - 1), w)
    jitter = key.child("jitter").uniforms(POOL, 2)
    cosine = edges[row] + (edges[row + 1] - edges[row]) * jitter[:, 0]
    sine, around = np.sqrt(np.maximum(0, 1 - cosine**2)), (col + jitter[:, 1]) / w * 2 * np.pi
    pool = np.zeros((POOL, 8), np.float32)
    pool[:, 0], pool[:, 1], pool[:, 2] = sine * np.cos(around), sine * np.sin(around), cosine
    pool[:, 4:7] = radiance[row, col] / density[row, col, None]
    pool[:, 7] = density[row, col]
    return np.concatenate([radiance, density[..., None]], axis=2).astype(np.float32), pool


def far_radiance(environment: Environment | None, sun: Sun | None) -> np.ndarray | None:
    """(h, w, 3) float32 in the layout of :class:`~understudy.scene.Environment`, the sun in it; None for neither."""
    if sun is None:
        return None if environment is None else np.asarray(environment.radiance, np.float32)
    import cv2

    base = np.zeros((_SUN_ROWS, 2 * _SUN_ROWS, 3), np.float32) if environment is None else environment.radiance
    if base.shape[0] < _SUN_ROWS:  # bilinear, going round the horizon
        wide = np.concatenate([base[:, -2:], base, base[:, :2]], axis=1).astype(np.float32)
        scale = -(-_SUN_ROWS // base.shape[0])
        wide = cv2.resize(wide, (wide.shape[1] * scale, wide.shape[0] * scale), interpolation=cv2.INTER_LINEAR)
        base = wide[:, 2 * scale:-2 * scale]
    out = np.array(base, np.float32)
    h, w = out.shape[:2]
    disc, solid_angle = _disc(np.asarray(sun.direction, float), math.radians(max(sun.angle_deg, 0.1)) / 2, h, w)
    rows, cols = np.nonzero(disc)
    share = disc[rows, cols]
    out[rows, cols] += (share / (share * solid_angle[rows]).sum())[:, None] * np.asarray(sun.irradiance, np.float32)
    return out


def _disc(direction: np.ndarray, radius: float, h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's share of a disc in the sky, blurred over a pixel (h, w), and the pixels' solid angle by row (h,)."""
    direction = direction / np.linalg.norm(direction)
    polar, around = (np.arange(h) + 0.5) / h * np.pi, (np.arange(w) + 0.5) / w * 2 * np.pi
    sine = np.sin(polar)[:, None]
    cosine = (sine * np.cos(around) * direction[0] + sine * np.sin(around) * direction[1]
              + np.cos(polar)[:, None] * direction[2])
    pixel = np.pi / h
    share = np.zeros((h, w))
    near = cosine > math.cos(min(radius + pixel, math.pi))
    share[near] = np.minimum((radius + pixel - np.arccos(np.minimum(cosine[near], 1))) / pixel, 1)
    return share, sine[:, 0] * (np.pi / h) * (2 * np.pi / w)
