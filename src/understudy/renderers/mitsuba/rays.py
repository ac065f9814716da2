"""Rays through the picture, made here and not by a Mitsuba sensor: any list of pixels, any lens, exactly ours."""

from __future__ import annotations

import numpy as np

from understudy.geometry.cameras import pixel_steps, unproject
from understudy.renderers.channels import Hits
from understudy.scene import Camera


def centre_hits(mi, scene, camera: Camera, pixels: np.ndarray) -> Hits:
    """What the centres of ``pixels`` (k,) flat indices see in a :func:`~.meshes.hit_scene`."""
    import drjit as dr

    xy = unproject(camera.lens, centres(camera, pixels))
    sound = ~np.isnan(xy[:, 0])
    pixels, xy = pixels[sound], xy[sound]
    if not len(pixels):
        return Hits(pixels, np.zeros(0, np.int64), np.zeros((0, 2), np.float32))
    ahead = np.concatenate([xy, np.ones((len(xy), 1))], axis=1)
    direction = (ahead / np.linalg.norm(ahead, axis=1, keepdims=True)) @ camera.to_world[:3, :3].T
    if mi.variant().startswith("scalar"):
        return _scalar_hits(mi, scene, camera, pixels, direction)
    origin = [float(v) for v in camera.to_world[:3, 3]]
    ray = mi.Ray3f(mi.Point3f([dr.opaque(mi.Float, v) for v in origin]), mi.Vector3f(*direction.astype(np.float32).T))
    found = scene.ray_intersect_preliminary(ray, coherent=True)
    hit = np.array(found.is_valid())
    face = np.array(found.prim_index).astype(np.int64)[hit]
    weights = np.stack([np.array(found.prim_uv.x), np.array(found.prim_uv.y)], axis=1)[hit]
    return Hits(pixels[hit], face, weights)


def _scalar_hits(mi, scene, camera: Camera, pixels: np.ndarray, direction: np.ndarray) -> Hits:
    origin = mi.Point3f(*(float(v) for v in camera.to_world[:3, 3]))
    rows = []
    for pixel, d in zip(pixels.tolist(), direction.tolist()):
        found = scene.ray_intersect_preliminary(mi.Ray3f(origin, mi.Vector3f(*d)))
        if found.is_valid():
            rows.append((pixel, found.prim_index, found.prim_uv.x, found.prim_uv.y))
    table = np.array(rows, np.float64).reshape(-1, 4)
    return Hits(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:].astype(np.float32))


def centres(camera: Camera, pixels: np.ndarray) -> np.ndarray:
    """(k, 2) float64: the centres of pixels given by flat index."""
    row, col = np.divmod(pixels, camera.lens.size_wh[0])
    return np.stack([col + 0.5, row + 0.5], axis=1)


def sampled_rays(mi, camera: Camera, pixels: np.ndarray, samples: int, rng):
    """``samples`` rays through each pixel of a list, consecutive: over the pixel's area and the lens's opening.

    Over a pixel the lens is taken as linear (its departure is below a thousandth of a pixel). Places in the pixel are
    stratified; chance comes from ``rng``, one stream a ray.
    """
    import drjit as dr

    lens, optics = camera.lens, camera.optics
    at = centres(camera, pixels)
    middle = unproject(lens, at)
    fx, fy = lens.focal_px
    steps = pixel_steps(lens, middle) if any(lens.distortion) else None
    n = len(pixels) * samples
    index = dr.arange(mi.UInt32, n)
    pixel, which = index // samples, index % samples
    jitter = mi.Point2f(rng.next_float32(), rng.next_float32())
    # the k-th sample of a pixel lies in the k-th stripe of its width, stripes of its height taken in a mixed order
    u = (mi.Float(which) + jitter.x) / samples - 0.5
    v = (mi.Float((which * _mixing(samples) + samples // 2) % samples) + jitter.y) / samples - 0.5

    def given(values: np.ndarray):
        return dr.gather(mi.Float, mi.Float(np.nan_to_num(values).astype(np.float32)), pixel)

    x, y = given(middle[:, 0]), given(middle[:, 1])
    if steps is None:
        x += u * dr.opaque(mi.Float, 1 / fx)
        y += v * dr.opaque(mi.Float, 1 / fy)
    else:
        x += u * given(steps[:, 0, 0]) + v * given(steps[:, 1, 0])
        y += u * given(steps[:, 0, 1]) + v * given(steps[:, 1, 1])
    radius = dr.opaque(mi.Float, optics.aperture_m / 2)
    focus = dr.opaque(mi.Float, optics.focus_m)
    spot = mi.warp.square_to_uniform_disk_concentric(mi.Point2f(rng.next_float32(), rng.next_float32())) * radius
    axes = [mi.Vector3f([dr.opaque(mi.Float, float(c)) for c in camera.to_world[:3, i]]) for i in range(4)]
    start = axes[0] * spot.x + axes[1] * spot.y
    target = axes[0] * (x * focus) + axes[1] * (y * focus) + axes[2] * focus
    return mi.Ray3f(mi.Point3f(axes[3] + start), dr.normalize(target - start))


def _mixing(samples: int) -> int:
    """A step through 0..samples-1 that visits each once and keeps neighbours apart (near the golden section)."""
    import math

    step = max(1, round(samples * 0.618))
    while math.gcd(step, samples) != 1:
        step += 1
    return step
