"""Mask facts against closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from understudy.geometry import masks

small = arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def test_the_box_of_one_pixel_is_half_open():
    mask = np.zeros((10, 20), bool)
    mask[5, 3] = True
    assert masks.tight_box(mask) == (3, 5, 4, 6)
    assert masks.area(mask) == 1


def test_the_box_of_a_full_picture_is_the_picture():
    assert masks.tight_box(np.ones((4, 7), bool)) == (0, 0, 7, 4)
    assert masks.touches_border(np.ones((4, 7), bool)) == (True,) * 4


def test_an_empty_mask_has_no_box():
    assert masks.tight_box(np.zeros((4, 7), bool)) is None
    assert masks.area(np.zeros((4, 7), bool)) == 0


def test_each_border_is_told_apart():
    for side, at in enumerate([(2, 0), (0, 2), (2, 4), (4, 2)]):
        mask = np.zeros((5, 5), bool)
        mask[at] = True
        assert masks.touches_border(mask) == tuple(k == side for k in range(4))


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


@settings(max_examples=60, deadline=None)
@given(small)
def test_the_box_is_tight_and_holds_everything(mask):
    box = masks.tight_box(mask)
    if box is None:
        assert not mask.any()
        return
    x0, y0, x1, y1 = box
    inside = mask[y0:y1, x0:x1]
    assert inside.sum() == mask.sum() == masks.area(mask)
    assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()
