"""Faces: expressions are anny's 52 actions by name, and they move what they say."""

import numpy as np
import pytest

from understudy.worlds.people import body
from understudy.worlds.people.anatomy import FACE_VERTICES
from understudy.worlds.people.face import EXPRESSIONS, actions


@pytest.fixture(scope="module")
def rest():
    return body.build(body.BodyShape())


def face(rest, **given):
    """iBUG's 68 points of a face, (68, 3), in the rest frame: x to the subject's left, z up."""
    drawn = {"expression": "neutral", "strength": 1.0, "blink": 0.0, "gaze_turn": 0.0, "gaze_nod": 0.0} | given
    turns = np.tile(np.eye(3), (len(body.model().bones), 1, 1))
    return body.pose(rest, body.Pose(turns, actions(**drawn))).rest_vertices[list(FACE_VERTICES)].astype(float)


def open_mm(points, upper, lower):
    return 1000 * float(points[upper, 2].mean() - points[lower, 2].mean())


def test_every_action_is_one_of_the_52_and_most_of_them_are_used():
    known, used = set(body.model().facts["facial_actions"]), set()
    for name in EXPRESSIONS:
        for turn, nod in ((20, 10), (-20, -10)):
            got = actions(name, 1.0, 1.0, turn, nod)
            assert set(got) <= known and all(0 < v <= 1 for v in got.values()), name
            used |= set(got)
    assert len(known) == 52 and known - used == set()


def test_strength_scales_and_nothing_is_neutral():
    assert actions("neutral", 1.0, 0.0, 0.0, 0.0) == {}
    half, full = actions("smile", 0.5, 0.0, 0.0, 0.0), actions("smile", 1.0, 0.0, 0.0, 0.0)
    assert half == {name: pytest.approx(v / 2) for name, v in full.items()}


@pytest.mark.parametrize(("name", "least_mm"), [("yawn", 12), ("shout", 8), ("laugh", 3), ("surprise", 4)])
def test_mouths_open(rest, name, least_mm):
    closed, wide = face(rest), face(rest, expression=name)
    inside = ([61, 62, 63], [65, 66, 67])
    assert open_mm(wide, *inside) - open_mm(closed, *inside) > least_mm


def test_corners_of_the_mouth_rise_and_fall(rest):
    plain = face(rest)[[48, 54], 2].mean()
    assert face(rest, expression="smile")[[48, 54], 2].mean() > plain + 0.002
    assert face(rest, expression="sadness")[[48, 54], 2].mean() < plain - 0.002


def test_a_wink_closes_the_right_eye_alone_and_a_blink_both(rest):
    def open_eyes(points):
        return open_mm(points, [37, 38], [40, 41]), open_mm(points, [43, 44], [46, 47])

    right, left = open_eyes(face(rest))
    winking_right, winking_left = open_eyes(face(rest, expression="wink"))
    assert winking_right < 0.35 * right and winking_left > 0.8 * left
    assert max(open_eyes(face(rest, blink=1.0))) < 0.35 * min(right, left)


def test_a_kiss_is_narrow_and_aside_is_to_the_left(rest):
    width = np.ptp(face(rest)[[48, 54], 0])
    assert np.ptp(face(rest, expression="kiss")[[48, 54], 0]) < 0.85 * width
    assert face(rest, expression="aside")[48:60, 0].mean() > 0.002
