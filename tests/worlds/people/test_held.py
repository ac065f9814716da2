"""Things in hands: in the hand that was drawn, of a true size, and bodies that do not run into themselves."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.key import Key
from understudy.scene import PART_ID
from understudy.values import Fixed
from understudy.worlds.people import pose
from understudy.worlds.people.arms import PATTERNS
from understudy.worlds.people.body import BodyShape, build, place
from understudy.worlds.people.grips import HELD, mouth
from understudy.worlds.people.held import THINGS, held
from understudy.worlds.people.penetration import self_depth
from understudy.worlds.people.pose import Posing
from understudy.worlds.people.skeleton import posture, skeleton


@pytest.fixture(scope="module")
def rest():
    return build(BodyShape())


def stance(rest, arms, seed=1, **more):
    family = "sitting" if arms == "steering" else "standing"
    how = {"family": family, "arms": arms, "arms_free": 1.0, **more}
    return pose.sample(Draws(Key(seed)), rest, replace(Posing(), **{k: Fixed(v) for k, v in how.items()}), age=60.0)


def over(surface, steps=12):
    """Points all over a surface's triangles."""
    a, b = (x.ravel() for x in np.meshgrid(*[np.linspace(0, 1, steps)] * 2))
    a, b = a[a + b <= 1], b[a + b <= 1]
    corners = surface.vertices[surface.faces]
    shares = np.stack([1 - a - b, a, b])
    return np.einsum("kp,mkj->mpj", shares, corners).reshape(-1, 3)


def test_every_pattern_that_holds_is_a_pattern_and_every_thing_can_be_made():
    assert set(HELD) <= set(PATTERNS) and set(HELD.values()) == set(THINGS)


@pytest.mark.parametrize("arms", HELD)
def test_what_is_held_is_in_the_hand_that_was_drawn(rest, arms):
    for side, letter, other in (("left", "L", "R"), ("right", "R", "L")):
        posed = stance(rest, arms, side=side)
        assert posed.held == (HELD[arms], letter)
        thing = held(Key(3), *((posed.held[0], posed.body, letter)), 77)
        assert thing.category is None and thing.id == 77
        points = np.concatenate([over(s) for s in thing.surfaces])
        near, far = (np.linalg.norm(points - posed.body.head(f"finger3-1.{s}"), axis=1).min() for s in (letter, other))
        assert near < 0.09
        if posed.held[0] in ("box", "wheel"):
            assert far < 0.09, "both hands hold it"
        else:
            assert far > 0.12
        assert 0.1 < np.ptp(points, axis=0).max() < (1.1 if arms == "cane" else 0.75)
        assert {int(p) for s in thing.surfaces for p in s.part} <= {PART_ID["held"], PART_ID["bag"]}


def test_a_cup_that_is_drunk_from_is_at_the_mouth(rest):
    posed = stance(rest, "drinking")
    cup = np.concatenate([s.vertices for s in held(Key(3), "cup", posed.body, posed.held[1], 5).surfaces])
    lips = mouth(posed.posture) - posed.posture.joints[0] + posed.body.heads[0]
    assert np.linalg.norm(cup - lips, axis=1).min() < 0.05


def test_a_cane_stands_on_the_ground_and_only_who_is_fifty_has_one(rest):
    posed = stance(rest, "cane")
    points = np.concatenate([s.vertices for s in held(Key(3), "cane", posed.body, posed.held[1], 5).surfaces])
    assert abs(points[:, 2].min()) < 0.01
    how = replace(Posing(), family=Fixed("standing"), arms=Fixed("cane"))
    young = pose.sample(Draws(Key(1)), rest, how, age=20.0)
    assert young.held is None and young.arms == "hanging"
    small = pose.sample(Draws(Key(1)), rest, replace(how, arms=Fixed("texting")), age=3.0)
    assert small.held is None and small.arms == "hanging"


def test_a_thing_moves_with_its_figure(rest):
    posed = stance(rest, "carrying")
    away = np.eye(4)
    away[:3, 3] = 2, 5, 0
    here, there = (held(Key(3), "bag", b, posed.held[1], 5) for b in (posed.body, place(posed.body, away)))
    for a, b in zip(here.surfaces, there.surfaces):
        np.testing.assert_allclose(a.vertices + np.array([2, 5, 0]), b.vertices, atol=1e-4)


def test_nothing_is_held_where_the_recipe_says_so(rest):
    assert stance(rest, "drinking", holds=False).held is None
    assert stance(rest, "hanging").held is None


def test_the_measure_sees_a_leg_inside_a_leg(rest):
    skel = skeleton(rest)
    from understudy.worlds.people.body import pose as pose_body

    arms = {"shoulder.elevation.L": 45, "shoulder.elevation.R": 45}
    apart = pose_body(rest, posture(skel, arms).pose())
    crossed = pose_body(rest, posture(skel, arms | {"hip.abduction.L": -20, "hip.abduction.R": -20}).pose())
    assert self_depth(apart)[0] < 0.005
    depth, where = self_depth(crossed)
    assert depth > 0.03 and "leg" in where
