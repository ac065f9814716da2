"""Rays through the picture, made here and not by a Mitsuba sensor: any list of pixels, any lens, exactly ours."""

from __future__ import annotations

import numpy as np

from understudy.geometry.cameras import unproject_pixels
from understudy.renderers.channels import Hits
from understudy.renderers.mitsuba.sequence import Sequence
from understudy.scene import Camera


def centre_hits(mi, scene, camera: Camera, pixels: np.ndarray) -> Hits:
    """What the centres of ``pixels`` (k,) flat indices see in a :func:`~.meshes.hit_scene`."""
    import drjit as dr

    xy = unproject_pixels(camera.lens, pixels)
    sound = ~np.isnan(xy[:, 0])
    if not sound.all():
        pixels, xy = pixels[sound], xy[sound]
    if not len(pixels):
        return Hits(pixels, np.zeros(0, np.int64), np.zeros((0, 2), np.float32))
    axes = _axes(mi, dr, camera)
    x, y = (mi.Float(xy[:, i].astype(np.float32)) for i in range(2))
    ray = mi.Ray3f(mi.Point3f(axes[3]), dr.normalize(axes[0] * x + axes[1] * y + axes[2]))
    found = scene.ray_intersect_preliminary(ray, coherent=True)
    valid = found.is_valid()
    dr.eval(valid, found.prim_index, found.prim_uv)
    hit = np.flatnonzero(np.array(valid))
    face = np.array(found.prim_index)[hit].astype(np.int64)
    weights = np.stack([np.array(found.prim_uv.x)[hit], np.array(found.prim_uv.y)[hit]], axis=1)
    return Hits(pixels[hit], face, weights)


def _axes(mi, dr, camera: Camera) -> list:
    """The camera's right, down, ahead and position in the world, as values that no kernel is compiled for."""
    return [mi.Vector3f([dr.opaque(mi.Float, float(c)) for c in camera.to_world[:3, i]]) for i in range(4)]


def sampled_rays(mi, camera: Camera, pixels: np.ndarray, samples: int, chance: Sequence):
    """``samples`` rays through each pixel of a list, over the pixel's area and the lens's opening.

    The first rays are the first samples of all pixels, then come the second ones. Places in a pixel and on the lens are
    those of ``chance``. Over a pixel the lens is taken as linear (its departure is below a thousandth of a pixel).
    """
    import drjit as dr

    lens, optics = camera.lens, camera.optics
    middle = np.nan_to_num(unproject_pixels(lens, pixels)).astype(np.float32)
    pixel = dr.arange(mi.UInt32, len(pixels) * samples) % dr.opaque(mi.UInt32, len(pixels))
    u, v = ((place - 0.5) * dr.opaque(mi.Float, 1 / focal) for place, focal in zip(chance.pair(0), lens.focal_px))
    x, y = (dr.gather(mi.Float, mi.Float(middle[:, i].copy()), pixel) for i in range(2))
    x, y = _stepped(mi, dr, lens.distortion, x, y, u, v)
    focus = dr.opaque(mi.Float, optics.focus_m)
    spot = mi.warp.square_to_uniform_disk_concentric(mi.Point2f(*chance.pair(1)))
    spot *= dr.opaque(mi.Float, optics.aperture_m / 2)
    axes = _axes(mi, dr, camera)
    start = axes[0] * spot.x + axes[1] * spot.y
    target = axes[0] * (x * focus) + axes[1] * (y * focus) + axes[2] * focus
    return mi.Ray3f(mi.Point3f(axes[3] + start), dr.normalize(target - start))


def _stepped(mi, dr, distortion: tuple[float, ...], x, y, u, v):
    """The point (x, y) on the plane z = 1 after a small step (u, v) of its distorted image."""
    k1, k2, p1, p2, k3 = (dr.opaque(mi.Float, k) for k in distortion)
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    xx = radial + slope * x * x + 2 * p1 * y + 6 * p2 * x
    cross = slope * x * y + 2 * p1 * x + 2 * p2 * y
    yy = radial + slope * y * y + 6 * p1 * y + 2 * p2 * x
    scale = 1 / (xx * yy - cross * cross)
    return x + (yy * u - cross * v) * scale, y + (xx * v - cross * u) * scale
