"""Shadow on the photograph's ground, by differential rendering (Debevec, *Rendering synthetic objects into real scenes*,
SIGGRAPH 1998): the light that reaches the plane z = 0 with the figures there, over the light without them.

Directions are drawn once from the environment in proportion to the light that they bring to the ground, and every ground
point asks a stratified choice of them whether a figure stands in the way. Where nothing does, the ratio is exactly 1: the
photograph stays as it is.
"""

from __future__ import annotations

import numpy as np

from understudy.geometry.cameras import unproject
from understudy.key import Key
from understudy.renderers.mitsuba.light import far_radiance
from understudy.renderers.mitsuba.rays import cell_centres, seen_by
from understudy.renderers.mitsuba.sequence import curve
from understudy.scene import Lens, Scene

COARSE, FINE = 8, 2  # pixels between ground points, first to find the shadow, then to draw it
BOUNCE = 0.12  # light that a figure in the way sends on itself, over what it takes away
_POOL = 4096
_LEAST = 0.012  # a loss of light that is worth drawing
_FAINT = 1e-3  # a loss that eight bits do not show: the photograph is left as it is
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_TURNS = np.array([(0, 8, 2, 10), (12, 4, 14, 6), (3, 11, 1, 9), (15, 7, 13, 5)])  # Bayer's: each 2x2 is spread evenly


def shadow_ratio(mi, bare, scene: Scene, samples: int, key: Key) -> np.ndarray | None:
    """(h, w, 3) float32 in [0, 1]: the share of light that is left on the ground at each pixel; None where all is.

    ``bare`` is a :func:`~.meshes.hit_scene` of the figures; ``samples`` the rays of each ground point.
    """
    radiance = far_radiance(scene.environment, scene.sun)
    if radiance is None or not samples:
        return None
    pool = _directions(radiance, key.child("directions"))
    if pool is None:
        return None
    import cv2

    w, h = scene.camera.lens.size_wh
    coarse = _grid(mi, bare, scene, COARSE, None, pool, max(8, samples // 2), key.child("coarse"))
    dark = (coarse.min(axis=2) < 1 - _LEAST).astype(np.uint8)
    if not dark.any():
        return None
    region = cv2.dilate(dark, np.ones((5, 5), np.uint8)).astype(bool)
    fine_shape = (-(-h // FINE), -(-w // FINE))
    step = COARSE // FINE
    region = np.repeat(np.repeat(region, step, axis=0), step, axis=1)[:fine_shape[0], :fine_shape[1]]
    loss = 1 - _grid(mi, bare, scene, FINE, region, pool, samples, key.child("fine"))  # nought stays nought when blurred
    loss = cv2.GaussianBlur(loss, (0, 0), 1.1, borderType=cv2.BORDER_REPLICATE)
    loss = cv2.resize(loss, (fine_shape[1] * FINE, fine_shape[0] * FINE), interpolation=cv2.INTER_LINEAR)
    return 1 - np.where(loss > _FAINT, loss, 0)[:h, :w]


def _directions(radiance: np.ndarray, key: Key) -> tuple[np.ndarray, np.ndarray] | None:
    """Unit directions (_POOL, 3) above the ground, as likely as the light they bring, near ones near each other;
    and their colours (_POOL, 3) at equal luminance. None for a black sky."""
    h, w = radiance.shape[:2]
    polar = (np.arange(h) + 0.5) / h * np.pi
    weight = np.maximum(np.cos(polar), 0) * np.sin(polar)
    light = np.maximum(radiance @ _LUMINANCE, 0) * weight[:, None]
    order = curve(h, w)
    total = np.cumsum(light.ravel()[order])
    if total[-1] <= 0:
        return None
    at = np.searchsorted(total, (np.arange(_POOL) + key.uniforms(_POOL)) / _POOL * total[-1], side="right")
    at = order[np.minimum(at, h * w - 1)]
    row, col = np.divmod(at, w)
    jitter = key.child("jitter").uniforms(_POOL, 2)
    polar, around = (row + jitter[:, 0]) / h * np.pi, (col + jitter[:, 1]) / w * 2 * np.pi
    sine, cosine = np.sin(polar), np.maximum(np.cos(polar), 0.01)
    colour = radiance.reshape(-1, 3)[at] / np.maximum(radiance.reshape(-1, 3)[at] @ _LUMINANCE, 1e-9)[:, None]
    return (np.stack([sine * np.cos(around), sine * np.sin(around), cosine], axis=1).astype(np.float32),
            colour.astype(np.float32))


def _grid(mi, bare, scene: Scene, step: int, region: np.ndarray | None, pool, samples: int, key: Key) -> np.ndarray:
    """(rows, cols, 3) float32: the ratio at a grid of ground points ``step`` pixels apart; 1 outside ``region``."""
    w, h = scene.camera.lens.size_wh
    rows, cols = -(-h // step), -(-w // step)
    out = np.ones((rows, cols, 3), np.float32)
    flat = np.arange(rows * cols) if region is None else np.flatnonzero(region)
    xy = _seen_by(mi, scene.camera.lens, flat, step)
    to_world = scene.camera.to_world
    ahead = np.concatenate([xy, np.ones((len(xy), 1))], axis=1) @ to_world[:3, :3].T
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = -to_world[2, 3] / ahead[:, 2]
        ground = (ahead[:, 2] < 0) & (depth > 0) & (depth < scene.ground.half_size_m * 2 if scene.ground else 1e3)
    flat, points = flat[ground], to_world[:3, 3] + ahead[ground] * depth[ground, None]
    if not len(flat):
        return out
    directions, colours = pool
    stratum = len(directions) // samples
    turn = _TURNS[flat // cols % 4, flat % cols % 4] + key.uniforms(len(flat))  # what one leaves out its neighbours ask
    pick = (turn * (stratum / 16)).astype(np.int32)[:, None] + np.arange(samples, dtype=np.int32) * stratum
    free = _free(mi, bare, points.astype(np.float32), directions, pick)
    dark = np.flatnonzero(~free.all(axis=1))  # elsewhere the ratio is exactly 1
    light = colours[pick[dark]]
    left = np.where(free[dark], np.float32(1), np.float32(BOUNCE))
    out.reshape(-1, 3)[flat[dark]] = np.einsum("ksc,ks->kc", light, left) / np.maximum(light.sum(axis=1), 1e-9)
    return out


def _seen_by(mi, lens: Lens, cells: np.ndarray, step: int) -> np.ndarray:
    """(k, 2): what the centres of cells of ``step`` pixels see on the camera's plane z = 1."""
    if mi.variant().startswith("scalar"):
        return unproject(lens, cell_centres(cells, -(-lens.size_wh[0] // step), step))
    import drjit as dr

    return np.stack([np.array(along) for along in seen_by(mi, dr, lens, cells, step)], axis=1)


def _free(mi, bare, points: np.ndarray, directions: np.ndarray, pick: np.ndarray) -> np.ndarray:
    """(k, s) bool: nothing lies on the rays from ``points`` (k, 3) along ``directions[pick]`` (k, s)."""
    k, s = pick.shape
    if mi.variant().startswith("scalar"):
        return np.array([[not bare.ray_test(mi.Ray3f(mi.Point3f(x, y, z + 1e-3), mi.Vector3f(*directions[i].tolist())))
                          for i in row] for (x, y, z), row in zip(points.tolist(), pick)]).reshape(k, s)
    import drjit as dr

    index = dr.arange(mi.UInt32, k * s) // dr.opaque(mi.UInt32, s)
    origin = mi.Point3f(*(dr.gather(mi.Float, mi.Float(points[:, i].copy()), index) for i in range(3)))
    origin.z += 1e-3
    chosen = mi.UInt32(pick.ravel().astype(np.uint32))
    towards = mi.Vector3f(*(dr.gather(mi.Float, mi.Float(directions[:, i].copy()), chosen) for i in range(3)))
    return ~np.array(bare.ray_test(mi.Ray3f(origin, towards))).reshape(k, s)
