"""Whole-body key points and DensePose charts on the neutral body, where left is +x, up is +z and the face looks to -y."""

import numpy as np
import pytest

from understudy.worlds.people import anatomy, charts
from understudy.worlds.people.body import BodyShape, Pose, build, model, pose

REST = Pose(np.tile(np.eye(3), (104, 1, 1)))


@pytest.fixture(scope="module")
def neutral():
    return pose(build(BodyShape()), REST)


@pytest.fixture(scope="module")
def at(neutral):
    coco, whole = anatomy.keypoints(neutral)
    assert coco.names == anatomy.COCO_17
    assert np.array_equal(coco.xyz_m, whole.xyz_m[:17])
    return dict(zip(whole.names, whole.xyz_m))


def test_there_are_133_points_each_with_a_name_of_its_own():
    assert len(anatomy.WHOLE_BODY) == len(set(anatomy.WHOLE_BODY)) == 133
    assert anatomy.WHOLE_BODY[17:23] == anatomy.FEET
    assert anatomy.WHOLE_BODY[91] == "left_hand_root"
    assert anatomy.WHOLE_BODY[112] == "right_hand_root"


def test_weights_of_each_point_add_up_to_one():
    regressor = anatomy.regressor()
    sums = np.add.reduceat(regressor.weight, regressor.start[:-1])
    assert np.allclose(sums, 1, atol=1e-9)


def test_points_move_with_the_body(neutral):
    regressor = anatomy.regressor()
    shift = np.array([1.0, -2.0, 3.0], np.float32)
    assert np.allclose(regressor.points(neutral.vertices + shift), regressor.points(neutral.vertices) + shift, atol=1e-4)


@pytest.mark.parametrize("name", [n for n in anatomy.WHOLE_BODY if n.startswith("left_")])
def test_left_is_the_subjects_left_and_mirrors_the_right(at, name):
    left, right = at[name], at["right_" + name.removeprefix("left_")]
    assert left[0] > 0
    assert np.allclose(left * (-1, 1, 1), right, atol=0.004)


def test_from_head_to_heel_in_order(at):
    order = ["left_eye", "nose", "left_shoulder", "left_hip", "left_knee", "left_ankle", "left_heel"]
    heights = [at[name][2] for name in order]
    assert heights == sorted(heights, reverse=True)
    assert at["nose"][1] < at["left_ear"][1]
    assert at["left_big_toe"][1] < at["left_heel"][1]
    assert abs(at["left_big_toe"][0]) < abs(at["left_small_toe"][0])


def test_the_face_is_ibugs():
    mirrored = {0: 16, 8: 8, 17: 26, 21: 22, 27: 27, 30: 30, 31: 35, 36: 45, 39: 42, 48: 54, 60: 64}
    body = pose(build(BodyShape()), REST)
    face = anatomy.regressor().points(body.vertices)[23:91]
    for a, b in mirrored.items():
        assert np.allclose(face[a] * (-1, 1, 1), face[b], atol=0.004), (a, b)
    assert face[36, 0] < face[39, 0] < 0 < face[42, 0] < face[45, 0]  # the subject's right eye comes first
    assert face[8, 2] == face[:, 2].min()  # the chin
    assert face[30, 1] == face[27:36, 1].min()  # the nose's tip
    assert face[51, 2] > face[62, 2] > face[66, 2] > face[57, 2]  # lips: outer, inner, inner, outer


@pytest.mark.parametrize("finger", ["forefinger", "middle_finger", "ring_finger", "pinky_finger"])
def test_fingers_run_from_knuckle_to_tip(at, finger):
    root = at["left_hand_root"]
    reach = [np.linalg.norm(at[f"left_{finger}{j}"] - root) for j in (1, 2, 3, 4)]
    assert reach == sorted(reach)
    assert 0.1 < reach[-1] < 0.25


def test_tolerances_scale_with_the_figure(neutral):
    points = anatomy.regressor().points(neutral.vertices)
    assert np.allclose(anatomy.tolerances(points * 0.5), anatomy.tolerances(points) * 0.5, rtol=1e-5)
    adult = dict(zip(anatomy.WHOLE_BODY, anatomy.tolerances(points)))
    assert 0.08 < adult["left_shoulder"] < 0.16
    assert 0.02 < adult["face_30"] < 0.05


def test_every_chart_is_used_and_reaches_its_corners():
    chart, uv = charts.body_charts()
    assert set(np.unique(chart)) == set(range(1, 25))
    assert uv.min() >= 0
    assert uv.max() <= 1
    # v runs along a whole limb, so its two halves share the ends; u crosses each half
    for numbers in ((1, 2), (3,), (4,), (5,), (6,), (7, 9), (8, 10), (11, 13), (12, 14), (15, 17), (16, 18), (19, 21),
                    (20, 22), (23, 24)):
        v = uv[np.isin(chart, numbers), :, 1]
        assert (v.min(), v.max()) == (0, 1), numbers
        for number in numbers:
            u = uv[chart == number, :, 0]
            assert u.min() < 0.06, number
            assert u.max() > 0.94, number


def test_charts_lie_where_densepose_has_them():
    mesh = model().mesh("body")
    corners = build(BodyShape()).vertices[mesh.base_faces].mean(1)
    chart, _ = charts.body_charts()
    middle = {n: corners[chart == n].mean(0) for n in range(1, 25)}
    left, right = (4, 5, 8, 10, 12, 14, 15, 17, 19, 21, 24), (3, 6, 7, 9, 11, 13, 16, 18, 20, 22, 23)
    assert all(middle[n][0] > 0 for n in left)
    assert all(middle[n][0] < 0 for n in right)
    for back, front in ((1, 2), (7, 9), (8, 10), (11, 13), (12, 14), (17, 15), (18, 16), (21, 19), (22, 20)):
        assert middle[back][1] > middle[front][1], (back, front)
    assert middle[23][2] > middle[2][2] > middle[9][2] > middle[13][2] > middle[6][2]


def test_faces_do_not_span_a_seam_of_their_chart():
    chart, uv = charts.body_charts()
    spread = np.ptp(uv, axis=1)
    assert (spread[:, 0] > 0.5).mean() < 0.002  # only around the ends of a tube's axis: fingertips, toes, crown
    assert spread[:, 1].max() < 0.5
    assert not chart.flags.writeable
