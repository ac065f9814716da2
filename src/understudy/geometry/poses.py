"""Rigid and similar placements as 4x4 matrices: ``world = matrix @ (x, y, z, 1)``. Angles are degrees, right-handed."""

from __future__ import annotations

import math

import numpy as np


def translation(x: float, y: float, z: float) -> np.ndarray:
    """(4, 4): a shift by (x, y, z) metres."""
    matrix = np.eye(4)
    matrix[:3, 3] = (x, y, z)
    return matrix


def scaling(x: float, y: float, z: float) -> np.ndarray:
    """(4, 4): a stretch along each axis."""
    return np.diag((x, y, z, 1.0)).astype(float)


def rotation(axis: str, angle_deg: float) -> np.ndarray:
    """(4, 4): a turn about ``axis`` ("x", "y" or "z"), counter-clockwise when the axis points at the viewer."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(4)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """``points`` (..., 3) moved by ``matrix`` (4, 4), in float64."""
    return np.asarray(points, np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def rotate(matrix: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """``directions`` (..., 3) turned by the linear part of ``matrix`` (4, 4), in float64."""
    return np.asarray(directions, np.float64) @ matrix[:3, :3].T


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The vector product of two single vectors (3,); np.cross, made for many, takes thirty times as long."""
    (ax, ay, az), (bx, by, bz) = a, b
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def inverse(matrix: np.ndarray) -> np.ndarray:
    """(4, 4): the inverse of a rigid placement (rotation and translation only)."""
    back = np.eye(4)
    back[:3, :3] = matrix[:3, :3].T
    back[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return back
