"""The second opinion's own arithmetic; the models themselves run in an environment of their own, never here."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def opinion(bench):
    return bench("second_opinion")


@pytest.fixture(scope="module")
def asked(bench):
    return bench("second_opinion_people")


def test_wilson_s_interval_against_published_values(opinion):
    assert opinion.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-3)  # Agresti and Coull 1998
    assert opinion.wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-3)
    assert opinion.wilson(0, 0) == (0.0, 1.0)


def test_overlap_of_boxes(asked):
    assert asked.overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert asked.overlap((0, 0, 1, 1), (5, 5, 6, 6)) == 0


def test_maps_name_each_point_once_and_mirror(asked):
    assert len(asked.IBUG) == 68 and len(asked.COCO) == 17
    assert len(set(asked.IBUG)) == 68 and max(asked.IBUG) < 468


def person(asked, shift=0.0, found=True):
    marks = np.random.default_rng(0).uniform(0, 100, (68, 2))
    coco = np.random.default_rng(1).uniform(0, 100, (17, 2))
    aside = np.array([shift, 0.0])
    theirs = (marks + aside, coco + aside) if found else (None, None)
    group = {"skin tone": "1-3", "age": "31-60", "gender": "man", "hair": "bald"}
    return asked.Person(0, group, [0, 0, 9, 9], [0, 0, 9, 9], marks, coco, np.ones(17, bool), found, *theirs)


def test_errors_are_scaled_by_the_face_and_the_body(asked):
    one = person(asked, 5.0)
    assert one.face_error == pytest.approx(5 / np.linalg.norm(one.marks[36] - one.marks[45]))
    assert one.body_error == pytest.approx(5 / asked.trunk_px(one.coco))
    assert person(asked, found=False).face_error is None


def test_a_convention_that_is_shifted_is_named(asked, bench):
    one = person(asked, 0.0)
    scale = np.linalg.norm(one.marks[45] - one.marks[36])
    axis = (one.marks[45] - one.marks[36]) / scale
    moved = asked.Person(**{**vars(one), "face_marks": one.marks + 0.1 * scale * axis})
    for x, y, left in bench("second_opinion_shifts").shifts([moved, moved]).values():
        assert (x, y, left) == pytest.approx((0.1, 0.0, 0.0), abs=1e-9)


def test_groups_are_counted_apart(opinion, asked):
    rows = opinion.report([person(asked), person(asked, found=False)])
    assert rows["all"]["face_detected"]["hits"] == 1 and rows["all"]["face_detected"]["of"] == 2
    assert rows["skin tone 1-3"]["faces"] == 2 and "age 31-60" in rows


def test_a_hand_is_asked_about_where_enough_of_it_is_seen(asked):
    points = np.zeros((21, 3))
    points[:, 0], points[:, 1], points[:, 2] = 50 + np.arange(21) * 2, 60, 2
    hand = asked.asked_hand("left", points, (200, 200))
    assert hand.size == 40 and hand.error is None and hand.box == [50, 60, 90, 60]
    assert asked.asked_hand("left", points, (80, 200)) is None, "beyond the border"
    outside = points.copy()
    outside[3] = 0
    assert asked.asked_hand("left", outside, (200, 200)) is None, "a point outside the picture has no place"
    points[:6, 2] = 1
    assert asked.asked_hand("left", points, (200, 200)) is None, "6 of 21 hidden"


def test_hands_have_their_own_error_and_shift(asked, opinion, bench):
    marks = np.random.default_rng(3).uniform(0, 80, (21, 2))
    out = marks[9] - marks[0]
    out /= np.linalg.norm(out)
    hand = asked.Hand("left", marks)
    found = asked.Hand("left", marks, marks + 0.1 * hand.size * out)
    assert found.error == pytest.approx(0.1)
    one = asked.Person(**{**vars(person(asked)), "hands": (found, hand)})
    assert opinion.figures([one])["hand"]["hits"] == 1 and opinion.figures([one])["hands"] == 2
    for x, y, left in bench("second_opinion_shifts").finger_shifts([one]).values():
        assert (x, y, left) == pytest.approx((0.1, 0.0, 0.0), abs=1e-9)


def test_joints_that_are_shifted_are_named(asked, bench):
    one = person(asked)
    coco = np.zeros((17, 2))
    coco[5], coco[6], coco[11], coco[12] = (60, 10), (20, 10), (55, 90), (25, 90)  # seen from the front
    theirs = coco.copy()
    theirs[5], theirs[6] = (68, 18), (12, 18)  # a tenth of the trunk outwards, a tenth down
    moved = asked.Person(**{**vars(one), "coco": coco, "body_marks": theirs})
    assert bench("second_opinion_shifts").joint_shifts([moved])["shoulders"] == pytest.approx((0.1, 0.1, 0.0))
