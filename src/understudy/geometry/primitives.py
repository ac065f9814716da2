"""Closed triangle meshes of simple bodies: vertices (n, 3) m, faces (m, 3) counter-clockwise from outside, uv (n, 2).

Each stands on the plane z = 0 around the z axis. Seams have their vertices twice, so that textures do not fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Mesh:
    """vertices : (n, 3) float32; faces : (m, 3) int32; uv : (n, 2) float32; smooth : how it is meant to be shaded."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    smooth: bool = True


def sphere(radius: float, rings: int = 32, segments: int = 64) -> Mesh:
    """A sphere that touches the ground at the origin; its vertices lie on the true sphere."""
    polar = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    return _lathe(radius * np.cos(polar), radius + radius * np.sin(polar), segments)


def cylinder(radius: float, height: float, segments: int = 64) -> Mesh:
    """A closed cylinder, flat-shaded at its rims."""
    profile = _creased([(0, 0), (radius, 0), (radius, height), (0, height)])
    return _lathe(*profile, segments)


def cone(radius: float, height: float, segments: int = 64) -> Mesh:
    """A closed cone, point up."""
    return _lathe(*_creased([(0, 0), (radius, 0), (0, height)]), segments)


def lathe(profile: list[tuple[float, float]], segments: int = 64) -> Mesh:
    """A body of revolution about the z axis from its (radius, height) points, from the bottom up along the outside, its
    corners flat-shaded."""
    return _lathe(*_creased(profile), segments)


def capsule(radius: float, height: float, rings: int = 12, segments: int = 48) -> Mesh:
    """A cylinder with half spheres as ends; ``height`` is its whole height, at least twice the radius."""
    bend = np.linspace(0, np.pi / 2, rings + 1)
    r = np.concatenate([radius * np.sin(bend), radius * np.cos(bend)])
    z = np.concatenate([radius - radius * np.cos(bend), height - radius + radius * np.sin(bend)])
    return _lathe(r, z, segments)


def torus(radius: float, tube: float, segments: int = 64, sides: int = 24) -> Mesh:
    """A ring lying on the ground: ``radius`` of its centre line, ``tube`` the tube's radius."""
    around = np.linspace(-np.pi, np.pi, sides + 1)
    return _lathe(radius + tube * np.cos(around), tube + tube * np.sin(around), segments)


def box(x: float, y: float, z: float) -> Mesh:
    """A box of these edges, flat-shaded, each face with the whole texture."""
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float)
    vertices = []
    for axis in range(3):
        for side in (-1.0, 1.0):
            face = np.zeros((4, 3))
            face[:, axis] = side
            face[:, [(axis + 1) % 3, (axis + 2) % 3]] = signs if side > 0 else signs[:, ::-1]
            vertices.append(face)
    points = np.concatenate(vertices) * (x / 2, y / 2, z / 2) + (0, 0, z / 2)
    start = np.arange(6)[:, None, None] * 4
    faces = (start + np.array([(0, 1, 2), (0, 2, 3)])).reshape(-1, 3)
    uv = np.tile((signs + 1) / 2, (6, 1)).astype(np.float32)
    return Mesh(points.astype(np.float32), faces.astype(np.int32), uv, smooth=False)


def box_corners(vertices: np.ndarray) -> np.ndarray:
    """(8, 3): the corners of the axis-aligned box of ``vertices``, x slowest, z fastest."""
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    return np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])


def _creased(points: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    """A profile whose inner corners stand twice, with a zero-height step between, so that their shading breaks there."""
    r, z = zip(*[p for i, p in enumerate(points) for p in ([p] if i in (0, len(points) - 1) else [p, p])])
    return np.array(r, float), np.array(z, float)


def _lathe(radius: np.ndarray, height: np.ndarray, segments: int) -> Mesh:
    """Turn a profile, which goes from the bottom up along the outside, around the z axis."""
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    around = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    around[-1] = around[0]  # the seam closes exactly
    n, k = len(radius), segments + 1
    xy = radius[:, None, None] * around
    vertices = np.concatenate([xy, np.broadcast_to(height[:, None, None], (n, k, 1))], axis=2).reshape(-1, 3)
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(radius), np.diff(height)))])
    uv = np.stack(np.broadcast_arrays(np.linspace(0, 1, k)[None], (length / length[-1])[:, None]), axis=2).reshape(-1, 2)
    i, j = np.meshgrid(np.arange(n - 1), np.arange(segments), indexing="ij")
    a, b = i * k + j, i * k + j + 1
    c, d = a + k, b + k
    faces = np.stack([np.stack([a, b, d], -1), np.stack([a, d, c], -1)], axis=2).reshape(-1, 3)
    area = np.linalg.norm(doubled_normals(vertices[faces]), axis=1)
    faces = faces[area > 1e-12 * max(1e-12, area.max())]  # poles and creases leave triangles without area
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32), uv.astype(np.float32))


def doubled_normals(corners: np.ndarray) -> np.ndarray:
    """(m, 3) normals of triangles (m, 3 corners, 3), each twice as long as its area; counter-clockwise seen from outside."""
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
