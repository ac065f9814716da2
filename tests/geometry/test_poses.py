"""Placements as matrices."""

import numpy as np
import pytest

from understudy.geometry import poses


def test_rotations_are_right_handed():
    x, y, z = np.eye(3)
    assert poses.rotate(poses.rotation("z", 90), x) == pytest.approx(y)
    assert poses.rotate(poses.rotation("x", 90), y) == pytest.approx(z)
    assert poses.rotate(poses.rotation("y", 90), z) == pytest.approx(x)


def test_the_inverse_undoes_a_rigid_placement():
    pose = poses.translation(1, -2, 3) @ poses.rotation("z", 33) @ poses.rotation("x", -71)
    points = np.array([(0.1, 0.2, 0.3), (4, 5, 6)])
    assert poses.apply(poses.inverse(pose), poses.apply(pose, points)) == pytest.approx(points)


def test_directions_do_not_shift():
    pose = poses.translation(5, 5, 5) @ poses.scaling(2, 1, 1)
    assert poses.rotate(pose, np.array([1.0, 0, 0])) == pytest.approx((2, 0, 0))
    assert poses.apply(pose, np.array([1.0, 0, 0])) == pytest.approx((7, 5, 5))
