"""The rasteriser against a ray by ray search, with triangles everywhere: near, behind, huge, beyond the lens's fold."""

import numpy as np
import pytest

from understudy.geometry.cameras import unproject
from understudy.key import Key
from understudy.renderers.raster import View, covered, fragments, nearest
from understudy.scene import Lens

LENSES = {
    "straight": Lens((40, 30), (30.0, 30.0), (20.0, 15.0)),
    "barrel": Lens((40, 30), (30.0, 30.0), (20.0, 15.0), (-0.25, 0.05, 0.003, -0.002, 0.0)),
    "pincushion": Lens((40, 30), (30.0, 30.0), (19.0, 16.0), (0.2, 0.05, 0.0, 0.002, 0.0)),
    "folded": Lens((40, 30), (20.0, 20.0), (20.0, 15.0), (-0.5, 0.0, 0.0, 0.0, 0.0)),
}


def soup(seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Forty triangles around the camera."""
    middles = (Key(seed).uniforms(40, 1, 3) * 2 - 1) * (2, 2, 3) + (0, 0, 1.5)
    points = (middles + (Key(seed).child("corners").uniforms(40, 3, 3) * 2 - 1) * spread).reshape(-1, 3)
    return points, np.arange(120).reshape(40, 3)


def searched(points: np.ndarray, faces: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """(triangles, samples) depth by the Möller-Trumbore test, inf for none."""
    d = np.concatenate([xy, np.ones((len(xy), 1))], axis=1)
    out = np.full((len(faces), len(xy)), np.inf)
    for i, (a, b, c) in enumerate(points[faces]):
        e1, e2 = b - a, c - a
        p = np.cross(d, e2)
        det = p @ e1
        with np.errstate(divide="ignore", invalid="ignore"):
            u = -(p @ a) / det
            q = np.cross(-a, e1)
            v = (d @ q) / det
            t = (e2 @ q) / det
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 1e-3)
        out[i, hit] = t[hit]
    return out


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("spread", [0.1, 1.0, 8.0])
@pytest.mark.parametrize("view", [dict(), dict(origin_px=(-40.0, -30.0), step_px=2.0, shape_hw=(45, 60))])
def test_every_fragment_is_found(lens, spread, view):
    view = View(LENSES[lens], **view)
    points, faces = soup(int(spread * 10), spread)
    xy = view.xy.reshape(-1, 2)
    depth = searched(points, faces, np.nan_to_num(xy, nan=1e9))
    depth[:, np.isnan(xy[:, 0])] = np.inf
    wanted = {(f, s) for f, s in zip(*np.nonzero(np.isfinite(depth)))}
    got, found = set(), []
    for pixel, face, z, weights in fragments(points, faces, view):
        got |= set(zip(face.tolist(), pixel.tolist()))
        found.append(np.abs(z - depth[face, pixel]).max(initial=0) if len(z) else 0)
        assert (weights >= -1e-9).all() and (weights.sum(axis=1) <= 1 + 1e-9).all()
    assert len(wanted ^ got) <= 1  # one at most on the knife's edge of rounding
    assert max(found, default=0) < 1e-6


@pytest.mark.parametrize("lens", LENSES)
def test_the_nearest_wins_and_coverage_is_its_union(lens):
    view = View(LENSES[lens])
    points, faces = soup(3, 1.0)
    depth = searched(points, faces, np.nan_to_num(view.xy.reshape(-1, 2), nan=1e9))
    pixel, face, _ = nearest(points, faces, view)
    assert np.array_equal(face, depth[:, pixel].argmin(axis=0))
    mask = covered(points, faces, view).ravel()
    assert np.array_equal(np.flatnonzero(mask), pixel)
    among = np.zeros(view.hw, bool)
    among[5:20, 3:33] = True
    assert np.array_equal(covered(points, faces, view, among), covered(points, faces, view) & among)


def test_many_triangles_at_the_lens_cost_little():
    """Triangles that reach behind the camera are boxed, not spread over the picture: few pairs are looked at."""
    view = View(Lens((640, 480), (500.0, 500.0), (320.0, 240.0)))
    small = (Key(1).uniforms(3000, 3, 3) - 0.5) * 0.02 + np.array([2.0, 0.5, 0.0])  # beside the camera, across its plane
    boxes = view.boxes(small.reshape(-1, 3), np.arange(9000).reshape(-1, 3))
    assert ((boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])).sum() == 0


def test_the_plane_of_one_is_seen_where_it_should():
    lens = LENSES["straight"]
    px = np.stack(np.meshgrid(np.arange(40) + 0.5, np.arange(30) + 0.5), axis=-1)
    assert View(lens).xy == pytest.approx(unproject(lens, px))


def test_what_lies_far_to_the_side_costs_nothing():
    """Its image through this lens is some million pixels long, and so was the bound on how its edges bow: every triangle
    was tried against every sample, for minutes."""
    lens = Lens((256, 192), (200.0, 200.0), (128.0, 96.0), (-0.059, 0.005, 0.0, 0.001, 0.0))
    corners = np.array([(14.0, 0.0, 0.4), (14.0, 0.1, 0.4), (13.9, 0.0, 0.5)])
    seen = np.array([(0.1, 0.0, 3.0), (0.1, 0.1, 3.0), (0.2, 0.0, 3.0)])
    boxes = View(lens).boxes(np.concatenate([corners, seen]), np.array([(0, 1, 2), (3, 4, 5)]))
    area = (boxes[:, 1] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 2])
    assert area[0] == 0 and 10 < area[1] < 200
