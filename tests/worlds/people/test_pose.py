"""Poses: joint angles there and back, limits, contact with the ground, nothing inside anything."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.key import Key
from understudy.values import Fixed
from understudy.worlds.people import gait, pose
from understudy.worlds.people.arms import PATTERNS
from understudy.worlds.people.body import BODY_VERTICES, REGIONS, BodyShape, build, model
from understudy.worlds.people.body import pose as pose_body
from understudy.worlds.people.contact import Foot, arm_depth, centre_of_mass, plant, skin, soles
from understudy.worlds.people.penetration import self_depth
from understudy.worlds.people.population import Body
from understudy.worlds.people.population import sample as sample_person
from understudy.worlds.people.pose import Posing
from understudy.worlds.people.skeleton import LIMITS, angles_of, posture, rotation, skeleton, within_limits

GROUND_M, DEPTH_M = 0.01, 0.02


@pytest.fixture(scope="module")
def skel():
    return skeleton(build(BodyShape()))


def stances(count, seed, **fixed):
    """(person, stance) of random figures; a draw that cannot be made true is tried again with the next attempt."""
    how = replace(Posing(), **{k: Fixed(v) for k, v in fixed.items()})
    for i in range(count):
        for attempt in range(6):
            draws = Draws(Key(seed) / i / attempt)
            try:
                person = sample_person(draws.at("body"), Body())
                yield person, pose.sample(draws.at("pose"), person.rest, how, person.age)
                break
            except Unsatisfiable:
                continue
        else:
            raise AssertionError(f"figure {i} could not be posed in six attempts")


def test_the_neutral_pose_hangs_straight_with_palms_to_the_thighs(skel):
    still = posture(skel, {})
    for side, s in (("L", 1), ("R", -1)):
        for upper, lower in (("upperarm01", "lowerarm01"), ("lowerarm01", "wrist"), ("upperleg01", "lowerleg01"),
                             ("lowerleg01", "foot")):
            along = still.at(f"{lower}.{side}") - still.at(f"{upper}.{side}")
            np.testing.assert_allclose(along / np.linalg.norm(along), [0, 0, -1], atol=0.03)
        index, little = still.at(f"finger2-1.{side}"), still.at(f"finger5-1.{side}")
        assert index[1] < little[1] - 0.03, "the index finger is in front of the little one"
        thumb, hand = still.at(f"finger1-3.{side}"), still.at(f"finger3-1.{side}")
        assert s * (hand[0] - thumb[0]) > 0, "the thumb is on the thigh's side of the hand"


@pytest.mark.parametrize(("name", "degrees"), [
    ("elbow.flexion.L", 70), ("knee.flexion.R", 60), ("hip.flexion.L", 45), ("hip.abduction.R", 20), ("hip.rotation.L", -15),
    ("shoulder.elevation.L", 60), ("shoulder.rotation.R", 30), ("spine.flexion", 25), ("spine.turn", -20), ("neck.bend", 12),
    ("neck.turn", 50), ("ankle.flexion.L", -20), ("clavicle.elevation.R", 12),
])
def test_an_angle_put_on_is_the_angle_read_off(skel, name, degrees):
    assert angles_of(posture(skel, {name: degrees}))[name] == pytest.approx(degrees, abs=0.6)


def test_positive_angles_go_where_their_names_say(skel):
    still = posture(skel, {})

    def moved(bone, **angles):
        return posture(skel, {k.replace("__", "."): v for k, v in angles.items()}).at(bone) - still.at(bone)

    assert moved("lowerleg01.L", hip__flexion__L=40)[1] < -0.1
    assert moved("foot.L", knee__flexion__L=40)[1] > 0.1
    assert moved("lowerleg01.L", hip__abduction__L=20)[0] > 0.1 and moved("lowerleg01.R", hip__abduction__R=20)[0] < -0.1
    assert moved("wrist.L", elbow__flexion__L=60)[1] < -0.1
    forward = posture(skel, {"shoulder.elevation.L": 60, "shoulder.plane.L": 90}).at("wrist.L") - still.at("wrist.L")
    assert forward[1] < -0.3 and abs(forward[0]) < 0.05
    assert moved("head", spine__flexion=30)[1] < -0.1 and moved("head", spine__bend=20)[0] > 0.05
    look = posture(skel, {"neck.turn": 60}).of("head") @ np.array([0, -1, 0])
    assert look[0] > 0.7, "a turn of the head is to the subject's left, which is +x"
    toes = posture(skel, {"hip.rotation.L": 30}).of("foot.L") @ np.array([0, -1, 0])
    assert toes[0] > 0.4


def test_a_posture_and_the_body_posed_by_it_have_the_same_joints_and_skin(skel):
    posed = posture(skel, {"elbow.flexion.L": 80, "shoulder.elevation.L": 50, "hip.flexion.R": 40, "knee.flexion.R": 60,
                           "spine.turn": 20, "neck.turn": -30, "forearm.pronation.L": 40}, rotation(z=15))
    body = pose_body(skel.rest, posed.pose())
    shift = posed.joints[0]
    np.testing.assert_allclose(body.heads + shift, posed.joints, atol=1e-9)
    some = np.arange(0, BODY_VERTICES, 37)
    np.testing.assert_allclose(body.vertices[some] + shift, skin(posed, some), atol=2e-6)


def test_planted_feet_stand_where_they_were_put(skel):
    feet = {"L": Foot(0.15, -0.1, 10), "R": Foot(-0.12, 0.12, 5)}
    posed, root = plant(skel, {}, np.eye(3), np.array([0, 0, 5.0]), feet)
    shift = root - posed.joints[0]
    for side, foot in feet.items():
        ankle = posed.at(f"foot.{side}") + shift
        np.testing.assert_allclose(ankle[:2], [foot.x, foot.y], atol=0.004)
        assert abs(skin(posed, soles(side))[:, 2].min() + shift[2]) < 0.003
        pointing = posed.of(f"foot.{side}") @ np.array([0, -1, 0])
        assert np.degrees(np.arctan2(pointing[0] * (1 if side == "L" else -1), -pointing[1])) == pytest.approx(foot.outwards)
    assert not within_limits(posed)


def test_an_unknown_motion_is_refused(skel):
    with pytest.raises(KeyError, match=r"knee\.twist\.L"):
        posture(skel, {"knee.twist.L": 10})


def check(person, stance):
    skin_points = stance.body.vertices[:BODY_VERTICES]
    assert not within_limits(stance.posture, slack=4.5)
    if stance.family != "running" or stance.planted:
        assert abs(skin_points[:, 2].min()) <= GROUND_M
    for side in stance.planted:
        assert abs(stance.body.vertices[soles(side), 2].min()) <= GROUND_M, f"foot {side} floats or sinks"
    for side in "LR":
        assert arm_depth(stance.posture, side) <= DEPTH_M
    depth, where = self_depth(stance.body)
    assert depth <= DEPTH_M, f"{where} ({stance.family}, {stance.arms})"
    if stance.family == "standing":
        over = centre_of_mass(stance.posture) - stance.posture.joints[0] + stance.body.heads[0]
        ground = np.concatenate([stance.body.vertices[soles(side)] for side in "LR"])[:, :2]
        assert (ground.min(axis=0) - 0.02 <= over[:2]).all() and (over[:2] <= ground.max(axis=0) + 0.02).all()
    if stance.family == "sitting":
        x0, y0, x1, y1 = stance.seat.rectangle_m
        region = model().region[:BODY_VERTICES]
        above = skin_points[np.isin(region, [REGIONS.index(n) for n in ("torso", "upper_leg.L", "upper_leg.R")])]
        on = above[(above[:, 0] > x0) & (above[:, 0] < x1) & (above[:, 1] > y0) & (above[:, 1] < y1)]
        assert -0.03 <= on[:, 2].min() - stance.seat.top_m <= 0.01, "who sits rests on the seat"
        assert stance.seat.top_m < 0.5 * person.rest.stature_m


def test_random_figures_touch_the_ground_keep_to_their_joints_and_do_not_run_into_themselves():
    families = set()
    for person, stance in stances(40, seed=21):
        check(person, stance)
        families.add(stance.family)
    assert {"standing", "walking", "sitting"} <= families


@pytest.mark.parametrize("family", ["running", "sitting", "crouching"])
def test_rarer_families_too(family):
    for person, stance in stances(10, seed=22, family=family):
        check(person, stance)


@pytest.mark.slow
def test_five_hundred_figures():
    for person, stance in stances(500, seed=23):
        check(person, stance)


@pytest.mark.parametrize("arms", [name for name in PATTERNS if name != "hands_on_thighs"])
def test_every_pattern_of_arms_can_be_stood_in(arms):
    for person, stance in stances(3, seed=24, family="standing", arms=arms):
        check(person, stance)
        assert stance.arms == arms or person.age < (50 if arms == "cane" else 6)


def test_a_gesture_is_made_with_the_side_that_was_drawn():
    for side, up, down in (("left", "L", "R"), ("right", "R", "L")):
        (_, stance), = stances(1, seed=25, family="standing", arms="waving", side=side)
        assert stance.body.head(f"wrist.{up}")[2] > stance.body.head(f"wrist.{down}")[2] + 0.2


def test_walking_carries_with_the_foot_that_the_phase_says():
    assert gait.feet_down(0.3, gait.WALK_STANCE) == ("L",)
    assert gait.feet_down(0.8, gait.WALK_STANCE) == ("R",)
    assert gait.feet_down(0.05, gait.WALK_STANCE) == ("L", "R")
    early, late = gait.walk(0.0, 1.0, 1.0), gait.walk(0.5, 1.0, 1.0)
    assert early["hip.flexion.L"] == pytest.approx(late["hip.flexion.R"])
    assert early["shoulder.plane.R"] > 0 > early["shoulder.plane.L"], "the arm swings with the other side's leg"


def test_a_baby_sits():
    draws = Draws(Key(4))
    person = sample_person(draws.at("body"), replace(Body(), age=Fixed(0.6)))
    stance = pose.sample(draws.at("pose"), person.rest, replace(Posing(), family=Fixed("walking")), person.age)
    assert stance.family == "sitting" and draws.drawn["pose.family"] == "walking"
    assert draws.drawn["pose.family_used"] == "sitting"


def test_the_same_draws_give_the_same_pose_and_every_field_is_drawn_by_name():
    one, two = (list(stances(2, seed=26))[1][1] for _ in range(2))
    assert one.body.vertices.tobytes() == two.body.vertices.tobytes()
    draws = Draws(Key(27))
    pose.sample(draws, build(BodyShape()), replace(Posing(), arms=Fixed("hanging")))
    assert set(Posing.__dataclass_fields__) - {"motions"} <= set(draws.drawn)


def test_limits_cover_every_angle_that_is_read_off(skel):
    for name in angles_of(posture(skel, {})):
        low, high = LIMITS[".".join(name.split(".")[:2])]
        assert low < high
