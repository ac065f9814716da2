"""Which triangles cover which pixel centres, exactly, in NumPy.

Two-dimensional homogeneous rasterisation (Olano & Greer, *Triangle scan conversion using 2D homogeneous coordinates*,
Graphics Hardware 1997): with corners a, b, c in the camera's frame, the ray (x, y, 1) meets the triangle where its three
products with b×c, c×a and a×b have the sign of det(a, b, c). No clipping is needed at the camera's plane, and a distorted
lens only changes which (x, y) a pixel has, so distortion is exact: straight edges stay straight on the plane z = 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from understudy.geometry.cameras import NEAR_M, distort, fold_radius, project_camera, unproject, unproject_pixels
from understudy.scene import Lens

_PAIRS = 400_000  # (triangle, pixel) pairs looked at together: a few tens of megabytes


@dataclass(frozen=True)
class View:
    """A grid of sample points over a lens's picture plane, which may reach beyond the picture.

    origin_px : picture coordinates of the first sample's cell's corner; step_px : distance between samples
    shape_hw : rows and columns of samples. The picture itself is ``View(lens)``.
    """

    lens: Lens
    origin_px: tuple[float, float] = (0.0, 0.0)
    step_px: float = 1.0
    shape_hw: tuple[int, int] | None = None

    @cached_property
    def hw(self) -> tuple[int, int]:
        return self.shape_hw or (self.lens.size_wh[1], self.lens.size_wh[0])

    @cached_property
    def xy(self) -> np.ndarray:
        """(h, w, 2) float64: the point on the plane z = 1 that each sample sees, nan where the lens folds."""
        h, w = self.hw
        return self.seen_by(np.arange(h * w)).reshape(h, w, 2)

    def seen_by(self, samples: np.ndarray) -> np.ndarray:
        """(k, 2) float64: the same for ``samples`` (k,) given by flat index."""
        row, col = np.divmod(samples, self.hw[1])
        left, top = self.origin_px
        if self.step_px == 1 and self._in_picture:
            return unproject_pixels(self.lens, (row + int(top)) * self.lens.size_wh[0] + col + int(left))
        px = np.stack([left + (col + 0.5) * self.step_px, top + (row + 0.5) * self.step_px], axis=-1)
        return unproject(self.lens, px)

    @property
    def _in_picture(self) -> bool:
        """Whether every sample, a pixel apart, is a pixel's centre."""
        (left, top), (h, w), size = self.origin_px, self.hw, self.lens.size_wh
        return left == int(left) >= 0 and top == int(top) >= 0 and left + w <= size[0] and top + h <= size[1]

    def part(self, rows: slice, columns: slice) -> View:
        """The same samples in some rows and columns alone."""
        origin = tuple(o + at.start * self.step_px for o, at in zip(self.origin_px, (columns, rows)))
        return View(self.lens, origin, self.step_px, (rows.stop - rows.start, columns.stop - columns.start))

    def boxes(self, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """(m, 4) int64: columns and rows [c0, c1) [r0, r1) of samples that each triangle can cover.

        ``points`` (n, 3) in the camera's frame.
        """
        out = np.zeros((len(faces), 4), np.int64)
        near = np.flatnonzero(~self._missed(points, faces))
        out[near] = self._boxes(points, faces[near])
        return out

    def _boxes(self, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
        h, w = self.hw
        used = np.zeros(len(points), bool)
        used[faces.ravel()] = True
        used = np.flatnonzero(used)
        columns = np.full((2, len(points)), np.nan)
        columns[:, used] = ((project_camera(self.lens, points[used]) - self.origin_px) / self.step_px).T
        a, b, c = faces.T
        ends = []
        for along in columns:
            pa, pb, pc = along[a], along[b], along[c]
            ends += [np.minimum(np.minimum(pa, pb), pc), np.maximum(np.maximum(pa, pb), pc)]
        torn = np.flatnonzero(np.isnan(ends[0]))  # part of it has no image
        if any(self.lens.distortion):  # an edge's image bows out of its corners' box
            span = np.maximum(ends[1] - ends[0], ends[3] - ends[2])
            bow = self._bend * span * span * self.step_px / min(self.lens.focal_px) + 0.01
        else:
            bow = np.zeros(len(faces))
        if len(torn):
            for end, values in zip(ends, self._torn(points[faces[torn]])):
                end[torn] = values
            bow[torn] = 1.0
        out = np.zeros((len(faces), 4), np.int64)
        for column, size in ((0, w), (2, h)):
            low = np.ceil(ends[column] - bow - (0.5 + 1e-6))
            high = np.floor(ends[column + 1] + bow - (0.5 - 1e-6)) + 1
            out[:, column], out[:, column + 1] = np.clip(low, 0, size), np.clip(high, 0, size)
        return out

    def _missed(self, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """(m,) bool: triangles in front of the camera, all of which lies to one side of what the view's samples see.

        Sutherland and Cohen's codes: a bit for each side that a corner lies beyond; where all corners share a bit, the
        triangle is missed. A corner that is not in front of the camera has none.
        """
        z = points[:, 2]
        ahead = z > NEAR_M
        (x0, y0), (x1, y1) = self._seen_extent
        code = np.zeros(len(points), np.uint8)
        for axis, low, high in ((0, x0, x1), (1, y0, y1)):
            along = points[:, axis]
            code |= (ahead & (along < low * z)).astype(np.uint8) << (2 * axis)
            code |= (ahead & (along > high * z)).astype(np.uint8) << (2 * axis + 1)
        return code[faces[:, 0]] & code[faces[:, 1]] & code[faces[:, 2]] != 0

    def _torn(self, corners: np.ndarray) -> list[np.ndarray]:
        """Ends (x0, x1, y0, y1), in samples, of triangles (t, 3, 3) that reach behind the camera or beyond the lens's fold.

        What lies behind is cut off; the rest is boxed on the plane z = 1, cut to what the view can see, and the box's
        rim goes through the lens.
        """
        z = corners[:, :, 2]
        nxt = np.roll(corners, -1, axis=1)
        crossing = (z > NEAR_M) != (nxt[:, :, 2] > NEAR_M)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (NEAR_M - z) / (nxt[:, :, 2] - z)
            cut = (corners + share[..., None] * (nxt - corners))[..., :2] / NEAR_M
            ahead = corners[..., :2] / z[..., None]
        found = np.concatenate([np.where((z > NEAR_M)[..., None], ahead, np.nan),
                                np.where(crossing[..., None], cut, np.nan)], axis=1)
        some = ~np.isnan(found[..., 0]).all(axis=1)
        low = np.where(np.isnan(found), np.inf, found).min(axis=1)
        high = np.where(np.isnan(found), -np.inf, found).max(axis=1)
        reach = self._seen_extent
        low, high = np.maximum(low, reach[0]), np.minimum(high, reach[1])
        some &= (low <= high).all(axis=1)
        out = np.zeros((4, len(corners)))
        out[[1, 3]] = -9.0  # what is not seen covers nothing
        out[:, some] = self._imaged(low[some], high[some])
        return list(out)

    def _imaged(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """(4, t): ends x0, x1, y0, y1, in samples, of the images of boxes low, high (t, 2) on the plane z = 1."""
        t = np.linspace(0, 1, 17)
        rim = np.concatenate([np.stack([t, 0 * t], 1), np.stack([t, 0 * t + 1], 1), np.stack([0 * t, t], 1),
                              np.stack([0 * t + 1, t], 1)])
        on_plane = low[:, None] + rim * (high - low)[:, None]
        if any(self.lens.distortion):
            radius = np.linalg.norm(on_plane, axis=-1, keepdims=True)
            on_plane = on_plane * np.minimum(1, 0.9999 * fold_radius(self.lens.distortion) / np.maximum(radius, 1e-9))
        px = distort(on_plane, self.lens.distortion) * self.lens.focal_px + np.asarray(self.lens.centre_px)
        grid = (px - self.origin_px) / self.step_px
        pad = 0.01 * np.ptp(grid, axis=1) if any(self.lens.distortion) else 0.0  # between the rim's points
        low, high = grid.min(axis=1) - pad, grid.max(axis=1) + pad
        return np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]])

    @cached_property
    def _seen_extent(self) -> tuple[np.ndarray, np.ndarray]:
        """The corners (2,), (2,) of a box on the plane z = 1 that holds all the view's samples."""
        h, w = self.hw
        x = self.origin_px[0] + np.linspace(0, w, 33) * self.step_px
        y = self.origin_px[1] + np.linspace(0, h, 33) * self.step_px
        rim = np.concatenate([np.stack([x, np.full(33, v)], 1) for v in y[[0, -1]]]
                             + [np.stack([np.full(33, v), y], 1) for v in x[[0, -1]]])
        seen = unproject(self.lens, rim)
        if np.isnan(seen).any():
            fold = np.full(2, fold_radius(self.lens.distortion))
            return -fold, fold
        pad = 0.02 * np.ptp(seen, axis=0)
        return seen.min(axis=0) - pad, seen.max(axis=0) + pad

    @cached_property
    def _bend(self) -> float:
        """A bound on how far an edge bows, as a share of its squared length over the focal length."""
        k1, k2, p1, p2, k3 = (abs(k) for k in self.lens.distortion)
        h, w = self.hw
        far = np.array([self.origin_px, (self.origin_px[0] + w * self.step_px, self.origin_px[1] + h * self.step_px)])
        r = np.abs((far - self.lens.centre_px) / self.lens.focal_px).max() * 1.5
        return 0.5 * (6 * k1 * r + 20 * k2 * r**3 + 42 * k3 * r**5 + 6 * (p1 + p2))


def fragments(points: np.ndarray, faces: np.ndarray, view: View, among: np.ndarray | None = None,
              ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Every sample that a triangle covers, both its sides, in blocks.

    points : (n, 3) float64, m, camera frame; faces : (m, 3); among : (h, w) bool, samples that matter
    yields pixel (k,) flat index, face (k,), depth z (k,) m, weights (k, 2) of the second and third corner, face ascending
    """
    points = np.asarray(points, np.float64)
    boxes = view.boxes(points, faces)
    areas = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
    if among is not None:
        total = np.zeros((among.shape[0] + 1, among.shape[1] + 1), np.int64)
        total[1:, 1:] = among.cumsum(0, dtype=np.int64).cumsum(1)
        c0, c1, r0, r1 = boxes.T
        areas = np.where(total[r1, c1] - total[r0, c1] - total[r1, c0] + total[r0, c0] > 0, areas, 0)
    live = np.flatnonzero(areas)
    if not len(live):
        return
    columns = np.ascontiguousarray(points.T)
    a, b, c = (columns[:, faces[live, i]] for i in range(3))
    normals = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)])
    det = (a * normals[0]).sum(axis=0)
    flat = np.abs(det) < 1e-30  # edge-on: covers nothing
    normals = np.where(flat, 0.0, normals / np.where(flat, 1.0, det))
    boxes, areas = boxes[live], areas[live]
    width = view.hw[1]
    if among is None and len(live) < 64:  # a lamp or two: their own samples are enough
        among = np.zeros(view.hw, bool)
        for c0, c1, r0, r1 in boxes:
            among[r0:r1, c0:c1] = True
    if among is None:
        xy = view.xy.reshape(-1, 2)
    else:
        matter = np.flatnonzero(among)
        xy = np.zeros((among.size, 2))
        xy[matter] = view.seen_by(matter)
    ends = np.cumsum(areas)
    start = 0
    while start < len(live):
        base = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, base + _PAIRS, side="right")))
        for face, pixel in _pairs(boxes, start, stop, width):
            if among is not None:
                kept = among.ravel()[pixel]
                face, pixel = face[kept], pixel[kept]
            x, y = xy[pixel].T
            u = [nx[face] * x + ny[face] * y + nz[face] for nx, ny, nz in normals]
            total = u[0] + u[1] + u[2]
            with np.errstate(invalid="ignore"):
                hit = (u[0] >= 0) & (u[1] >= 0) & (u[2] >= 0) & (total > 0)
            z = 1 / total[hit]
            near = z > NEAR_M
            hit = np.flatnonzero(hit)[near]
            z = z[near]
            yield pixel[hit], live[face[hit]], z, np.stack([u[1][hit] * z, u[2][hit] * z], axis=1)
        start = stop


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(3, k) x (3, k) -> (3, k)."""
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def _pairs(boxes: np.ndarray, start: int, stop: int, width: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The (triangle, pixel) pairs of triangles start..stop; one triangle larger than a block comes in strips of rows."""
    c0, c1, r0, r1 = boxes[start:stop].T
    if stop - start == 1 and (c1[0] - c0[0]) * (r1[0] - r0[0]) > _PAIRS:
        rows = max(1, _PAIRS // int(c1[0] - c0[0]))
        strips = [(r, min(r + rows, int(r1[0]))) for r in range(int(r0[0]), int(r1[0]), rows)]
    else:
        strips = [(None, None)]
    for low, high in strips:
        top, bottom = (r0, r1) if low is None else (np.array([low]), np.array([high]))
        wide = c1 - c0
        counts = wide * (bottom - top)
        local = np.repeat(np.arange(len(counts)), counts)
        k = np.arange(len(local)) - np.repeat(np.cumsum(counts) - counts, counts)
        row, col = np.divmod(k, wide[local])
        yield local + start, (row + top[local]) * width + col + c0[local]


def nearest(points: np.ndarray, faces: np.ndarray, view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The nearest triangle at each sample: pixel (k,) ascending, face (k,) and weights (k, 2) float32.

    At equal depth the lower face wins.
    """
    n = view.hw[0] * view.hw[1]
    depth, seen, weights = np.full(n, np.inf), np.full(n, -1, np.int64), np.zeros((n, 2), np.float32)
    for pixel, face, z, w in fragments(points, faces, view):
        order = np.lexsort((face, z, pixel))
        first = order[np.flatnonzero(np.diff(pixel[order], prepend=-1))]
        first = first[z[first] < depth[pixel[first]]]
        at = pixel[first]
        depth[at], seen[at], weights[at] = z[first], face[first], w[first]
    pixel = np.flatnonzero(seen >= 0)
    return pixel, seen[pixel], weights[pixel]


def covered(points: np.ndarray, faces: np.ndarray, view: View, among: np.ndarray | None = None) -> np.ndarray:
    """(h, w) bool: the samples (of ``among``) that any triangle covers."""
    out = np.zeros(view.hw, bool)
    part = out
    if among is not None:  # triangles beside what matters are told from the rest at once
        ends = [np.flatnonzero(among.any(axis=axis))[[0, -1]] for axis in (1, 0)] if among.any() else [(0, -1)] * 2
        box = tuple(slice(int(first), int(last) + 1) for first, last in ends)
        part, among, view = out[box], np.ascontiguousarray(among[box]), view.part(*box)
    found = np.zeros(part.size, bool)
    for pixel, _, _, _ in fragments(points, faces, view, among):
        found[pixel] = True
    part |= found.reshape(part.shape)
    return out
