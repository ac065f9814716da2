"""Light sources: everything far away as one environment map, lamps as shining rectangles.

The sun is painted into the environment at its true irradiance, so that one importance sampler chooses between sky and sun
and every scene compiles to the same kernels.
"""

from __future__ import annotations

import math

import numpy as np

from understudy.scene import Environment, Lamp, Sun

_SUN_ROWS = 256  # rows of an environment that a sun is painted into: 0.7 degrees each


def emitters(mi, environment: Environment | None, sun: Sun | None, lamps: tuple[Lamp, ...]) -> dict:
    """The entries of a Mitsuba scene dictionary."""
    out: dict = {}
    radiance = far_radiance(environment, sun)
    if radiance is not None:
        # Mitsuba's map runs clockwise seen from above, with y up and the first column at -z: mirror it, turn y to z.
        to_world = np.array([(0, 0, -1, 0), (-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1)], float)
        out["environment"] = {"type": "envmap", "bitmap": mi.Bitmap(np.ascontiguousarray(radiance[:, ::-1])),
                              "to_world": mi.ScalarTransform4f(to_world)}
    for i, lamp in enumerate(lamps):
        shine = {"type": "rgb", "value": [float(c) for c in lamp.radiance]}
        out[f"lamp{i}"] = {"type": "rectangle", "to_world": mi.ScalarTransform4f(np.asarray(lamp.to_world, float)),
                           "bsdf": {"type": "diffuse", "reflectance": {"type": "rgb", "value": [0.0, 0.0, 0.0]}},
                           "emitter": {"type": "area", "radiance": shine}}
    return out


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
    angle = np.arccos(np.clip(cosine, -1, 1))
    pixel = np.pi / h
    share = np.clip((radius + pixel - angle) / pixel, 0, 1)
    return share, sine[:, 0] * (np.pi / h) * (2 * np.pi / w)
