"""Rays through the picture, made here and not by a Mitsuba sensor: any list of pixels, any lens, exactly ours."""

from __future__ import annotations

import numpy as np

from understudy.geometry.cameras import bent, far_from_fold, first_guess, unproject, unproject_pixels
from understudy.renderers.channels import Hits
from understudy.renderers.mitsuba.sequence import Sequence
from understudy.scene import Camera, Lens

_STEPS = 4  # of Newton's method: an error of a tenth is then below what float64 can tell


def centre_hits(mi, scene, camera: Camera, pixels: np.ndarray) -> Hits:
    """What the centres of ``pixels`` (k,) flat indices see in a :func:`~.meshes.hit_scene`."""
    import drjit as dr

    if not len(pixels):
        return Hits(pixels, np.zeros(0, np.int64), np.zeros((0, 2), np.float32))
    axes = _axes(mi, dr, camera)
    x, y = seen_by(mi, dr, camera.lens, pixels)
    ray = mi.Ray3f(mi.Point3f(axes[3]), dr.normalize(axes[0] * x + axes[1] * y + axes[2]))
    found = scene.ray_intersect_preliminary(ray, coherent=True)
    valid = found.is_valid() & dr.isfinite(x)  # where the lens folds there is no ray
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
    middle = seen_by(mi, dr, lens, pixels)
    pixel = dr.arange(mi.UInt32, len(pixels) * samples) % dr.opaque(mi.UInt32, len(pixels))
    u, v = ((place - 0.5) * dr.opaque(mi.Float, 1 / focal) for place, focal in zip(chance.pair(0), lens.focal_px))
    dr.eval(middle)
    x, y = (dr.gather(mi.Float, dr.select(dr.isfinite(along), along, 0), pixel) for along in middle)
    x, y = _stepped(mi, dr, lens.distortion, x, y, u, v)
    focus = dr.opaque(mi.Float, optics.focus_m)
    spot = mi.warp.square_to_uniform_disk_concentric(mi.Point2f(*chance.pair(1)))
    spot *= dr.opaque(mi.Float, optics.aperture_m / 2)
    axes = _axes(mi, dr, camera)
    start = axes[0] * spot.x + axes[1] * spot.y
    target = axes[0] * (x * focus) + axes[1] * (y * focus) + axes[2] * focus
    return mi.Ray3f(mi.Point3f(axes[3] + start), dr.normalize(target - start))


def seen_by(mi, dr, lens: Lens, cells: np.ndarray, step: int = 1):
    """The points on the camera's plane z = 1 that the centres of ``cells`` see, nan where the lens folds: flat indices of
    squares of ``step`` pixels. As :func:`~understudy.geometry.cameras.unproject`, compiled where Newton's method needs no
    watching."""
    columns = -(-lens.size_wh[0] // step)
    if not far_from_fold(lens):
        seen = unproject_pixels(lens, cells) if step == 1 else unproject(lens, cell_centres(cells, columns, step))
        return tuple(mi.Float(along) for along in np.ascontiguousarray(seen.T.astype(np.float32)))
    wide = dr.float64_array_t(mi.Float)
    at = mi.UInt32(cells.astype(np.uint32))
    row = at // dr.opaque(mi.UInt32, columns)
    column = at - row * dr.opaque(mi.UInt32, columns)
    u, v = (((wide(n) + 0.5) * dr.opaque(wide, step) - dr.opaque(wide, centre)) * dr.opaque(wide, 1 / focal)
            for n, centre, focal in zip((column, row), lens.centre_px, lens.focal_px))
    distortion = [dr.opaque(wide, k) for k in lens.distortion]
    scale = first_guess(u, v, distortion)
    x, y = u * scale, v * scale
    for _ in range(_STEPS):
        there_x, there_y, xx, cross, yy = bent(x, y, distortion)
        ex, ey, share = there_x - u, there_y - v, 1 / (xx * yy - cross * cross)
        x, y = x - (yy * ex - cross * ey) * share, y - (xx * ey - cross * ex) * share
    return mi.Float(x), mi.Float(y)


def cell_centres(cells: np.ndarray, columns: int, step: int) -> np.ndarray:
    """(k, 2) pixel coordinates of the centres of squares of ``step`` pixels, ``columns`` to a row."""
    row, column = np.divmod(cells, columns)
    return np.stack([column + 0.5, row + 0.5], axis=1) * step


def _stepped(mi, dr, distortion: tuple[float, ...], x, y, u, v):
    """The point (x, y) on the plane z = 1 after a small step (u, v) of its distorted image."""
    _, _, xx, cross, yy = bent(x, y, [dr.opaque(mi.Float, k) for k in distortion])
    scale = 1 / (xx * yy - cross * cross)
    return x + (yy * u - cross * v) * scale, y + (xx * v - cross * u) * scale
