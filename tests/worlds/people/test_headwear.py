"""Headwear and coats: on the head, off the face, over what is worn below."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.key import Key
from understudy.scene import PART_ID
from understudy.values import Fixed
from understudy.worlds.people import pose as posing
from understudy.worlds.people.body import BodyShape, build, model
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.clothes.headwear import HEADWEAR
from understudy.worlds.people.figure import Figure
from understudy.worlds.people.pose import Posing


def figure(shape=None, family="standing", **turn):
    rest = build(shape or BodyShape())
    how = replace(Posing(), family=Fixed(family), **{k: Fixed(v) for k, v in turn.items()})
    stance = posing.sample(Draws(Key(3)), rest, how)
    return Figure(rest, stance.body, 30, 0.5, 24, rest.stature_m, 0.5, {"asian": 1.0}, family=family)


def outfit(seed=1, **worn):
    return Clothes(**{k: Fixed(v) for k, v in worn.items()}).choose(Draws(Key(seed)), 30, 0.9)


def hat_of(who, kind):
    worn = outfit(headwear=kind, outerwear="none").surfaces(who)
    parts = [s for s in worn.surfaces if (s.part == PART_ID["hat"]).all()]
    return worn, np.concatenate([s.vertices for s in parts])


@pytest.mark.parametrize("kind", HEADWEAR)
@pytest.mark.parametrize("shape", [BodyShape(), BodyShape(age=0.33), BodyShape(weight=1.2)])
def test_it_sits_on_the_head_and_leaves_the_face_free(kind, shape):
    who = figure(shape, head_turn=40.0)
    worn, points = hat_of(who, kind)
    skin = who.posed.vertices[:13380][model().region[:13380] == 1]
    size = who.rest.stature_m / 1.67
    assert 0.003 < points[:, 2].max() - skin[:, 2].max() < 0.08 * max(size, 0.6)
    eyes = [who.posed.head(f"eye.{s}") for s in "LR"]
    ahead = who.posed.transforms[model().bone("head")][:3, :3] @ np.array([0, -1.0, 0])
    for eye in eyes:  # nothing right before the eyes
        way = points - eye
        along = way @ ahead
        beside = np.linalg.norm(way - along[:, None] * ahead, axis=1)
        assert not ((along > 0.012) & (beside < 0.012)).any()
    assert worn.facts["headwear"] == kind
    eye_skin = np.linalg.norm(who.posed.vertices[:13380] - eyes[0], axis=1) < 0.02
    assert not worn.covered[:13380][eye_skin].any()


def test_only_a_headscarf_hides_the_ears():
    who = figure()
    m = model()
    template = m.arrays["template_vertices"][:13380]
    ears = (np.abs(template[:, 0]) > 0.077) & (m.region[:13380] == 1) & (template[:, 2] < 0.70)
    assert ears.sum() >= 8
    hidden = {kind: hat_of(who, kind)[0].covered[:13380][ears].mean() for kind in HEADWEAR}
    assert hidden["headscarf"] > 0.9 and hidden["cap"] == 0


def test_what_is_drawn_is_worn_and_a_coat_never_hangs_over_a_skirt():
    for seed in range(4):
        draws = Draws(Key(seed))
        worn = Clothes(outerwear=Fixed("coat"), bottom=Fixed("skirt"), top=Fixed("shirt")).choose(draws, 30, 1.0)
        assert "coat" not in worn.facts()["garments"] and draws.drawn["worn_outerwear"] == "jacket"
    assert "coat" in outfit(outerwear="coat", top="shirt", bottom="jeans").facts()["garments"]


@pytest.mark.parametrize("family", ["standing", "walking", "sitting"])
def test_a_coat_lies_outside_the_trousers(family):
    from scipy.spatial import cKDTree

    who = figure(family=family)
    worn = outfit(outerwear="coat", top="t-shirt", bottom="trousers").surfaces(who)
    hem = next(s for s in worn.surfaces if s.name == "skirt")
    trousers = next(s for s in worn.surfaces if s.name == "trousers")
    distance, near = cKDTree(trousers.vertices).query(hem.vertices)
    under = ((hem.vertices - trousers.vertices[near]) * trousers.normals[near]).sum(axis=1) < -0.004
    assert (under & (distance < 0.03)).mean() < 0.02
