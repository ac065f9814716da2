"""Mask facts against closed forms."""

import numpy as np
import pytest

from understudy.geometry import masks


def test_corner_contact_joins_under_8_and_not_under_4():
    mask = np.eye(3, dtype=bool)
    assert masks.count_components(mask) == 1
    assert masks.count_components(mask, 4) == 3
    with pytest.raises(ValueError, match="4 or 8"):
        masks.components(mask, 6)


def test_a_ring_has_one_hole_and_a_diagonal_ring_none():
    ring = np.ones((3, 3), bool)
    ring[1, 1] = False
    assert masks.count_holes(ring) == 1
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)  # shut only at corners: the background leaks out
    assert masks.count_holes(diamond) == 0
