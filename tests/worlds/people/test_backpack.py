"""Backpacks lie on the back and on what is worn, and wheelchairs under who sits in them."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from understudy.draws import Draws
from understudy.key import Key
from understudy.scene import PART_ID
from understudy.values import Fixed
from understudy.worlds.people.backpack import backpack
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.framing import Shape, Spot
from understudy.worlds.people.pose import Seat
from understudy.worlds.people.props import seat_under, seated


@pytest.mark.parametrize("pose", ["standing", "striding"])
@pytest.mark.parametrize("name", ["man", "heavy woman", "child"])
def test_a_backpack_is_behind_and_its_straps_lie_on_the_cloth(dress_figures, name, pose):
    figure = dress_figures.figure(name, pose)
    worn = Clothes(top=Fixed("t-shirt"), bottom=Fixed("jeans")).choose(Draws(Key(5)), 30, 0.0).surfaces(figure)
    bag = backpack(Key(3), worn.surfaces, figure.posed, 90)
    assert bag.id == 90 and bag.category is None
    assert {int(p) for s in bag.surfaces for p in s.part} == {PART_ID["bag"]}
    cloth = next(s for s in worn.surfaces if s.name == "t-shirt")
    sack = next(s for s in bag.surfaces if s.name == "backpack")
    assert sack.vertices[:, 1].mean() > np.percentile(cloth.vertices[:, 1], 90)  # figures face -y
    shoulders = figure.posed.head("upperarm01.L")[2]
    assert abs(sack.vertices[:, 2].max() - shoulders) < 0.1 * figure.rest.stature_m
    tree = cKDTree(cloth.vertices)
    for strap in (s for s in bag.surfaces if s.name == "strap"):
        distance, near = tree.query(strap.vertices)
        inside = ((strap.vertices - cloth.vertices[near]) * cloth.normals[near]).sum(1) < -0.006
        assert (inside & (distance < 0.05)).mean() < 0.1
        assert (distance < 0.06).mean() > 0.6
        assert strap.vertices[:, 1].min() < cloth.vertices[:, 1].mean()  # it comes to the front


def test_without_cloth_on_the_trunk_there_is_nothing_to_lie_on(dress_figures):
    assert backpack(Key(3), (), dress_figures.figure().posed, 90) is None


def test_babies_have_none_and_what_is_ordered_is_drawn():
    assert Clothes(backpack=Fixed(1.0)).choose(Draws(Key(1)), 30, 0.0).backpack
    assert not Clothes(backpack=Fixed(1.0)).choose(Draws(Key(1)), 2, 0.0).backpack
    assert not Clothes(backpack=Fixed(0.0)).choose(Draws(Key(1)), 30, 0.0).backpack


def test_a_wheelchair_carries_its_seat_on_wheels_that_touch_the_ground():
    seat = Seat((-0.22, -0.25, 0.22, 0.2), 0.47, "wheelchair")
    chair = seat_under(Key(4), seat, Spot(0.0, 0.0, -90.0), 60)
    names = [s.name for s in chair.surfaces]
    assert names.count("tyre") == 2 and names.count("caster") == 2
    tops = next(s for s in chair.surfaces if s.name == "seat").vertices[:, 2]
    assert tops.max() == pytest.approx(seat.top_m, abs=1e-5)
    for s in chair.surfaces:
        if s.name in ("tyre", "caster"):
            assert s.vertices[:, 2].min() == pytest.approx(0.0, abs=0.006)
        assert s.vertices[:, 2].min() > -0.006
    tyres = np.concatenate([s.vertices for s in chair.surfaces if s.name == "tyre"])
    assert np.abs(tyres[:, 0]).min() > 0.22, "beside the thighs"
    shape = Shape(np.zeros((1, 3)), 1.0, np.zeros((1, 2)))
    assert np.ptp(seated(shape, seat).footprint[:, 0]) > np.ptp(seated(shape, replace(seat, kind="chair")).footprint[:, 0])
