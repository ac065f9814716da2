"""Drawing: what is drawn lies where the label says, and nothing else is touched."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from understudy.record import PointSet
from understudy.viewer import draw, palette, skeleton


def test_no_layer_is_the_picture(ball_people):
    record = ball_people()
    drawn = np.asarray(draw.annotate(record, record.picture.size_wh[0] * 2, ()))
    plain = np.asarray(draw.view(record, "picture", record.picture.size_wh[0] * 2))
    assert drawn.shape == plain.shape
    assert np.abs(drawn.astype(int) - plain).mean() < 2


def test_a_mask_tints_its_pixels_and_no_others(ball_people):
    record = ball_people(figures=1)
    w = record.picture.size_wh[0]
    plain, drawn = (np.asarray(draw.annotate(record, w, layers)).astype(int) for layers in ((), ("masks",)))
    changed = np.abs(drawn - plain).max(-1) > 3
    mask = record.instances[0].mask.decode()
    assert changed[mask].mean() > 0.9
    grown = mask.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            grown |= np.roll(grown, step, axis)
    assert not changed[~grown].any()


def test_a_box_is_drawn_on_its_border(ball_people):
    record = ball_people(figures=1)
    w = record.picture.size_wh[0]
    plain, drawn = (np.asarray(draw.annotate(record, w, layers)).astype(int) for layers in ((), ("boxes",)))
    ys, xs = np.nonzero(np.abs(drawn - plain).max(-1) > 8)
    x0, y0, x1, y1 = record.instances[0].xyxy_px
    assert abs(xs.min() - x0) <= 1 and abs(xs.max() + 1 - x1) <= 1
    assert abs(ys.min() - y0) <= 1 and abs(ys.max() + 1 - y1) <= 1


def test_hidden_points_are_hollow_and_seen_ones_filled(ball_people):
    record = ball_people(figures=1)
    instance = record.instances[0]
    xyv = np.array([[40.0, 30.0, 2.0], [120.0, 30.0, 1.0], [80.0, 100.0, 0.0]], np.float32)
    points = PointSet("three", ("a", "b", "c"), xyv)
    # a set of few points that is no body is drawn small: give the dots the size of a body's by a very tall box
    record = dataclasses.replace(record, instances=(dataclasses.replace(
        instance, points=(points,), xyxy_px=(0.0, 0.0, 160.0, 120.0)),))
    plain, drawn = (np.asarray(draw.annotate(record, 1280, layers)).astype(int) for layers in ((), ("points",)))
    changed = np.abs(drawn - plain).max(-1) > 8
    assert changed[240, 320]
    assert changed[236:245, 956:965].any()
    assert not changed[780:820, 620:660].any()


def test_colours_are_stable_and_apart():
    colours = palette.table(13)[1:].astype(int)
    gaps = np.abs(colours[:, None] - colours[None]).sum(-1) + 1000 * np.eye(12, dtype=int)
    assert gaps.min() > 25
    assert palette.colour(3) == palette.colour(3) and palette.colour(0) == palette.NOTHING


def test_sides_have_their_colours():
    assert skeleton.side_colour("left_knee", "left_hip") == palette.LEFT
    assert skeleton.side_colour("right_eye") == palette.RIGHT
    assert skeleton.side_colour("left_hip", "right_hip") == skeleton.side_colour("nose") == palette.MIDDLE


def test_dashes_cover_the_line_in_equal_pieces():
    line = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]])
    pieces = draw.dashes(line, 3.0, 2.0)
    lengths = [np.hypot(*np.diff(p, axis=0).T).sum() for p in pieces]
    assert len(pieces) == 4 and np.allclose(lengths, 3.0)


def test_depth_is_dark_where_there_is_nothing():
    depth = np.full((4, 6), np.inf, np.float32)
    assert (draw.depth_colours(depth) == palette.NOTHING).all()
    depth[1, 2:5] = [1.0, 2.0, 4.0]
    colours = draw.depth_colours(depth)
    assert (colours[0] == palette.NOTHING).all()
    assert colours[1, 2, 0] > colours[1, 4, 0] and colours[1, 4, 2] > colours[1, 2, 2]  # near red, far blue


def test_normals_towards_the_camera_are_blue():
    normal = np.zeros((2, 2, 3), np.float32)
    normal[0, 0] = (0, 0, -1)
    assert draw.normal_colours(normal)[0, 0].tolist() == [127, 127, 255]


@pytest.mark.parametrize("name", draw.VIEWS)
def test_every_view_has_the_size_asked(ball_people, name):
    record = ball_people()
    assert draw.view(record, name, 200).size == (200, 150)


def test_a_view_that_is_not_held_is_none(ball_people):
    bare = dataclasses.replace(ball_people(), maps={}, instances=())
    assert draw.view(bare, "depth", 64) is None and draw.view(bare, "densepose", 64) is None
    assert draw.view(bare, "instances", 64) is None


def test_captions_fit_their_room():
    face = draw.font(12)
    assert face.getlength(draw.fit_text("a very long caption indeed", face, 60)) <= 60
    assert draw.fit_text("short", face, 500) == "short"


def test_one_pixel_and_empty_records_draw(ball_people):
    record = ball_people(figures=1)
    mask = np.zeros((120, 160), bool)
    mask[119, 159] = True
    tiny = dataclasses.replace(record.instances[0], xyxy_px=(159.0, 119.0, 160.0, 120.0),
                               mask=type(record.instances[0].mask).encode(mask), points=(), densepose=None)
    for instances in ((tiny,), ()):
        assert draw.annotate(dataclasses.replace(record, instances=instances), 320).size == (320, 240)
