"""Outlines are exact: pycocotools fills them to the mask that they came from."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco

from understudy.geometry import masks, polygons
from understudy.geometry.boxes import box_of_mask

any_mask = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def drawn(*rows: str) -> np.ndarray:
    return np.array([[c == "#" for c in row] for row in rows])


def filled(outer, holes, size_hw):
    """Outer rings less holes, by pycocotools alone; an island in a hole is there again."""
    depth = np.zeros(size_hw, int)
    for rings, sign in ((outer, 1), (holes, -1)):
        for ring in rings:
            depth += sign * coco.decode(coco.frPyObjects([ring.ravel().tolist()], *size_hw))[..., 0].astype(int)
    assert set(np.unique(depth)) <= {0, 1}
    return depth == 1


@settings(max_examples=300, deadline=None)
@given(any_mask)
@example(np.zeros((3, 3), bool))
@example(np.ones((3, 5), bool))
@example(np.eye(4, dtype=bool))
@example(np.eye(4, dtype=bool)[::-1])
@example(drawn("#####", "##.##", "#.#.#", "##.##", "#####"))  # an island in a hole whose pixels join at corners
def test_rings_fill_to_the_mask(mask):
    outer, holes = polygons.outlines(mask)
    assert np.array_equal(filled(outer, holes, mask.shape), mask)
    assert sum(map(polygons.signed_area, outer)) + sum(map(polygons.signed_area, holes)) == mask.sum()
    assert len(outer) == masks.count_components(mask, 4)
    assert len(holes) == masks.count_holes(mask)


@settings(max_examples=200, deadline=None)
@given(any_mask)
def test_one_joined_ring_fills_to_the_mask(mask):
    """Parts stay apart and holes stay open even where a format allows a single polygon."""
    ring = polygons.join(*polygons.outlines(mask))
    assert np.array_equal(polygons.rasterise([ring], mask.shape), mask)
    if mask.any():
        assert polygons.signed_area(ring) == mask.sum()


@settings(max_examples=100, deadline=None)
@given(any_mask)
def test_rings_keep_the_box(mask):
    outer, _ = polygons.outlines(mask)
    if outer:
        points = np.concatenate(outer)
        assert (*points.min(axis=0), *points.max(axis=0)) == box_of_mask(mask)


@pytest.mark.parametrize("at", [(0, 0), (0, 6), (4, 0), (4, 6), (2, 3)])
def test_one_pixel_is_its_square(at):
    mask = np.zeros((5, 7), bool)
    mask[at] = True
    (ring,), holes = polygons.outlines(mask)
    y, x = at
    assert ring.tolist() == [[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]]
    assert holes == []


@pytest.mark.parametrize("side", ["left", "top", "right", "bottom"])
def test_an_outline_is_closed_at_the_border(side):
    """A peer's contours end where the object leaves the picture, which opens the polygon."""
    mask = np.zeros((40, 60), bool)
    mask[10:30, 15:45] = True
    band = {"left": np.s_[10:30, :45], "top": np.s_[:30, 15:45], "right": np.s_[10:30, 15:], "bottom": np.s_[10:, 15:45]}
    mask[band[side]] = True
    outer, _ = polygons.outlines(mask)
    assert len(outer) == 1 and len(outer[0]) == 4
    assert np.array_equal(polygons.rasterise(outer, mask.shape), mask)


def test_no_shift_by_a_pixel():
    """A disc far from the origin: the same pixels and the same centroid (a peer's converter was one pixel off)."""
    y, x = np.mgrid[:480, :640]
    mask = (x + 0.5 - 411.3) ** 2 + (y + 0.5 - 222.7) ** 2 < 57.2**2
    outer, _ = polygons.outlines(mask)
    back = polygons.rasterise(outer, mask.shape)
    assert np.array_equal(back, mask)
    shift = np.argwhere(back).mean(axis=0) - np.argwhere(mask).mean(axis=0)
    assert np.abs(shift).max() == 0


def test_a_split_object_keeps_its_parts():
    """An occluder in front: two rings, not their hull."""
    mask = np.zeros((20, 40), bool)
    mask[5:15, 5:35] = True
    mask[:, 18:24] = False
    outer, holes = polygons.outlines(mask)
    assert len(outer) == 2 and not holes
    assert polygons.rasterise(outer, mask.shape).sum() == mask.sum() == 240


def test_a_hole_is_a_ring_of_its_own():
    outer, holes = polygons.outlines(drawn("#####", "#...#", "#.#.#", "#...#", "#####"))
    assert len(outer) == 2 and len(holes) == 1
    assert polygons.signed_area(holes[0]) == -9


def test_pixels_that_touch_at_a_corner_are_two_rings_through_one_point():
    outer, holes = polygons.outlines(drawn("#.", ".#"))
    assert [r.tolist() for r in outer] == [[[0, 0], [1, 0], [1, 1], [0, 1]], [[1, 1], [2, 1], [2, 2], [1, 2]]]
    assert holes == []


@pytest.mark.parametrize("mask", [np.ones((1, 50), bool), np.ones((50, 1), bool), np.eye(50, dtype=bool)])
def test_thin_lines_survive(mask):
    mask = np.pad(mask, 3)
    outer, _ = polygons.outlines(mask)
    assert np.array_equal(polygons.rasterise(outer, mask.shape), mask)


def test_ten_thousand_specks_in_one_go():
    mask = np.zeros((200, 200), bool)
    mask[::2, ::2] = True
    outer, _ = polygons.outlines(mask)
    assert len(outer) == 10_000
    assert np.array_equal(polygons.rasterise(outer, mask.shape), mask)


def test_nothing_gives_nothing():
    assert polygons.outlines(np.zeros((4, 4), bool)) == ([], [])
    assert polygons.join([]).shape == (0, 2)
    assert not polygons.rasterise([], (4, 4)).any()
    assert not polygons.rasterise([np.array([[0, 0], [2, 2]])], (4, 4)).any()
