"""Where a point falls in a picture, and which ray a pixel looks along.

Camera frame: OpenCV (x right, y down, z forward), metres. Picture frame: pixels, x right, y down, the centre of the first
pixel is (0.5, 0.5). The lens is Brown-Conrady (Brown, *Close-range camera calibration*, 1971) with OpenCV's order
k1 k2 p1 p2 k3: a point (x, y, 1) on the plane one metre ahead moves to ::

    r² = x² + y²,  radial = 1 + k1 r² + k2 r⁴ + k3 r⁶
    x' = x radial + 2 p1 x y + p2 (r² + 2 x²)
    y' = y radial + p1 (r² + 2 y²) + 2 p2 x y

The model folds back on itself beyond the radius where r · radial(r) stops growing. Nothing outside that radius has an
image here: its projection is nan, and a pixel that no ray inside it reaches has no direction (nan). Points and pixels
thus go through one and the same lens, one the exact inverse of the other.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from understudy.geometry.poses import apply, inverse, rotate

if TYPE_CHECKING:
    from understudy.scene import Camera, Lens

_INSIDE = 0.25  # share of the fold's squared radius within which a lens is nearly linear
NEAR_M = 1e-3  # a point nearer to the camera's plane than this has no projection


def look_at(position: tuple[float, float, float], target: tuple[float, float, float], roll_deg: float = 0.0) -> np.ndarray:
    """(4, 4) camera-to-world: a camera at ``position`` whose optical axis goes through ``target``, upright.

    ``roll_deg`` turns the camera clockwise about its axis. Looking straight up or down, the picture's top is +y.
    """
    at = np.asarray(position, float)
    forward = np.asarray(target, float) - at
    length = np.linalg.norm(forward)
    if length == 0:
        raise ValueError(f"a camera cannot look at its own position {tuple(at)}")
    forward = forward / length
    right = np.cross(forward, (0.0, 0.0, 1.0))
    if np.linalg.norm(right) < 1e-9:
        right = np.cross((0.0, -1.0, 0.0), forward)
    right = right / np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = math.cos(math.radians(roll_deg)), math.sin(math.radians(roll_deg))
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1] = c * right + s * down, c * down - s * right
    pose[:3, 2], pose[:3, 3] = forward, at
    return pose


def level(position: tuple[float, float, float], heading_deg: float = 0.0, pitch_deg: float = 0.0,
          roll_deg: float = 0.0) -> np.ndarray:
    """(4, 4) camera-to-world: heading 0 looks along +y and grows counter-clockwise seen from above; pitch is upwards."""
    h, p = math.radians(heading_deg), math.radians(pitch_deg)
    ahead = np.array([-math.sin(h) * math.cos(p), math.cos(h) * math.cos(p), math.sin(p)])
    return look_at(position, tuple(np.asarray(position, float) + ahead), roll_deg)


def pitch_to_horizon(lens: Lens, horizon: float) -> float:
    """Pitch in degrees (up is positive) that puts the horizon at ``horizon`` of the picture's height from its top."""
    return math.degrees(math.atan((horizon * lens.size_wh[1] - lens.centre_px[1]) / lens.focal_px[1]))


def distort(xy: np.ndarray, distortion: tuple[float, ...]) -> np.ndarray:
    """The lens's formula: (..., 2) on the plane z = 1 -> (..., 2), no fold guard."""
    return np.stack(_distorted(xy[..., 0], xy[..., 1], distortion), axis=-1)


def bent(x, y, distortion):
    """The lens's formula and its slopes at (x, y) of any kind of array: x', y', dx'/dx, dx'/dy (which is dy'/dx), dy'/dy."""
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    slope = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))
    return (*_distorted(x, y, distortion),
            radial + slope * x * x + 2 * p1 * y + 6 * p2 * x, slope * x * y + 2 * p1 * x + 2 * p2 * y,
            radial + slope * y * y + 6 * p1 * y + 2 * p2 * x)


def first_guess(u, v, distortion):
    """A factor that brings (u, v), of any kind of array, near to what :func:`distort` takes there: one step of the fixed
    point."""
    k1, k2, *_ = distortion
    r2 = u * u + v * v
    return 1 / (1 + r2 * (k1 + r2 * (k2 - 2 * k1 * k1)))


def far_from_fold(lens: Lens) -> bool:
    """Whether all of the picture lies so well inside the fold that Newton's method from :func:`first_guess` squares its
    error at each step."""
    w, h = lens.size_wh
    rim = np.concatenate([np.stack(np.broadcast_arrays(x, y), axis=-1) for x, y in
                          ((np.linspace(0, w, 17), 0), (np.linspace(0, w, 17), h),
                           (0, np.linspace(0, h, 17)), (w, np.linspace(0, h, 17)))])
    seen = unproject(lens, rim)
    return bool((np.square(seen).sum(axis=1) < _INSIDE * fold_radius(lens.distortion) ** 2).all())


def _distorted(x, y, distortion):
    k1, k2, p1, p2, k3 = distortion
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return (x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y)


@lru_cache(maxsize=64)
def fold_radius(distortion: tuple[float, ...]) -> float:
    """The radius on the plane z = 1 where r · radial(r) stops growing; inf if it always grows."""
    k1, k2, _, _, k3 = (k if abs(k) > 1e-9 else 0.0 for k in distortion)  # less bends nothing within a hemisphere's view
    roots = np.roots([7 * k3, 5 * k2, 3 * k1, 1.0]) if any((k1, k2, k3)) else np.zeros(0)
    squares = [r.real for r in roots if abs(r.imag) < 1e-9 * max(1.0, abs(r)) and r.real > 0]
    return math.sqrt(min(squares)) if squares else math.inf


def undistort(xy: np.ndarray, distortion: tuple[float, ...]) -> np.ndarray:
    """The inverse of :func:`distort` inside the fold radius: (..., 2) -> (..., 2) float64, nan where there is none.

    Newton's method, until each point's image is within 1e-10 of what was asked (a ten-millionth of a pixel) or the step just
    taken has brought it there. Each point's result is a function of that point alone.
    """
    wanted = np.asarray(xy, np.float64)
    if not any(distortion):
        return wanted.copy()
    shape = wanted.shape
    wanted = wanted.reshape(-1, 2)
    out = np.zeros_like(wanted)
    limit2 = fold_radius(distortion) ** 2
    for start in range(0, len(wanted), 16384):  # blocks that stay in the processor's cache
        u, v = wanted[start:start + 16384].T
        x, y = u.copy(), v.copy()
        r2 = x * x + y * y
        with np.errstate(divide="ignore"):
            scale = first_guess(x, y, distortion)
        if float(r2.max()) >= _INSIDE * limit2:  # near the fold, start inside it
            scale = np.where(r2 < _INSIDE * limit2, scale, np.sqrt(np.minimum(1.0, 0.98 * limit2 / np.maximum(r2, 1e-30))))
        x *= scale
        y *= scale
        exact = np.zeros(len(x), bool)
        for _ in range(40):
            there_x, there_y, xx, cross, yy = bent(x, y, distortion)
            ex, ey = there_x - u, there_y - v
            error = np.maximum(np.abs(ex), np.abs(ey))
            exact |= error < 1e-10
            ex[exact] = ey[exact] = 0  # a point's steps are its own: what it is asked together with changes no bit
            exact |= (error < 1e-6) & (x * x + y * y < _INSIDE * limit2)  # there a step squares the error
            det = xx * yy - cross * cross
            det = np.where(np.abs(det) < 1e-9, 1e-9, det)
            x -= np.clip((yy * ex - cross * ey) / det, -0.5, 0.5)
            y -= np.clip((xx * ey - cross * ex) / det, -0.5, 0.5)
            if exact.all():
                break
        bad = ~(exact & (x * x + y * y < limit2))
        x[bad] = y[bad] = np.nan
        out[start:start + 16384, 0], out[start:start + 16384, 1] = x, y
    return out.reshape(shape)


def project_camera(lens: Lens, xyz_m: np.ndarray) -> np.ndarray:
    """Camera-frame points (..., 3) m -> pixels (..., 2) float64; nan behind the camera and beyond the lens's fold."""
    x, y, z = np.ascontiguousarray(np.moveaxis(np.asarray(xyz_m, np.float64), -1, 0))  # arithmetic along runs is quick
    ahead = z > NEAR_M
    scale = np.where(ahead, z, 1.0)
    x, y = x / scale, y / scale
    if any(lens.distortion):
        ahead = ahead & (x * x + y * y < fold_radius(lens.distortion) ** 2)
        x, y = _distorted(np.where(ahead, x, 0.0), np.where(ahead, y, 0.0), lens.distortion)
    x, y = (np.where(ahead, v * focal + centre, np.nan) for v, focal, centre in zip((x, y), lens.focal_px, lens.centre_px))
    return np.stack([x, y], axis=-1)


def project(camera: Camera, xyz_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World points (..., 3) m -> pixels (..., 2) and depth z (...,) m, float64.

    A point behind the camera, or beyond the lens's fold, has depth but no pixel (nan). A pixel outside the picture is
    given as it is.
    """
    local = to_camera(camera, xyz_m)
    return project_camera(camera.lens, local), local[..., 2]


def to_camera(camera: Camera, xyz_m: np.ndarray) -> np.ndarray:
    """World points (..., 3) -> the camera's frame, float64."""
    return apply(inverse(camera.to_world), xyz_m)


def unproject(lens: Lens, xy_px: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) -> the points (..., 2) on the camera's plane z = 1 that they see; nan where the lens folds."""
    xy = (np.asarray(xy_px, np.float64) - lens.centre_px) / lens.focal_px
    return undistort(xy, lens.distortion)


def unproject_pixels(lens: Lens, pixels: np.ndarray) -> np.ndarray:
    """:func:`unproject` of the centres of pixels (k,) given by flat index, row by row: (k, 2) float64."""
    return _inverted(lens).of(pixels)


class _Inverted:
    """One lens's pixels undone so far: whoever asks for a pixel again does not pay for it again."""

    def __init__(self, lens: Lens) -> None:
        w, h = lens.size_wh
        self._lens = lens
        self._seen = np.zeros((w * h, 2))
        self._known = np.zeros(w * h, bool)

    def of(self, pixels: np.ndarray) -> np.ndarray:
        if len(pixels) == len(self._known) and (pixels[1:] > pixels[:-1]).all():  # all of them, in order
            if not self._known.all():
                self._seen = unproject(self._lens, pixel_centres(self._lens.size_wh).reshape(-1, 2))
                self._known[:] = True
            return self._seen.copy()
        new = pixels[~self._known[pixels]]
        if len(new):
            row, column = np.divmod(new, self._lens.size_wh[0])
            self._seen[new] = unproject(self._lens, np.stack([column + 0.5, row + 0.5], axis=1))
            self._known[new] = True
        return self._seen[pixels]


@lru_cache(maxsize=1)
def _inverted(lens: Lens) -> _Inverted:
    return _Inverted(lens)


def confusion_px(camera: Camera, depth_m: np.ndarray) -> np.ndarray:
    """Radius in pixels of the disc that the lens makes of a point at a depth: |1/z - 1/focus| · aperture/2 · focal length
    (thin lens, depth much larger than the focal length); a uniform disc's standard deviation along an axis is half of it."""
    optics = camera.optics
    return np.abs(1 / depth_m - 1 / optics.focus_m) * optics.aperture_m / 2 * max(camera.lens.focal_px)


def pixel_centres(size_wh: tuple[int, int]) -> np.ndarray:
    """(h, w, 2) float64: x, y of every pixel's centre."""
    w, h = size_wh
    x, y = np.meshgrid(np.arange(w) + 0.5, np.arange(h) + 0.5)
    return np.stack([x, y], axis=-1)


def pixel_rays(camera: Camera, xy_px: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The world's rays through pixels (..., 2): origin (3,) and directions (..., 3).

    A direction has length 1 along the camera's axis: origin + z · direction is the point at depth z. nan where the lens
    folds.
    """
    xy = unproject(camera.lens, xy_px)
    ahead = np.concatenate([xy, np.ones((*xy.shape[:-1], 1))], axis=-1)
    return camera.to_world[:3, 3].copy(), rotate(camera.to_world, ahead)
