"""Things among the figures: unlabelled, on the ground, clear of everybody, and absent rather than in somebody."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.geometry import primitives
from understudy.key import Key
from understudy.scene import Camera, Entity, Lens, Material, Surface
from understudy.surroundings import FIRST_ENTITY_ID, Place
from understudy.values import Fixed
from understudy.worlds.people.framing import Shape, Spot
from understudy.worlds.people.things import Things

CAMERA = Camera(Lens((640, 480), (700.0, 700.0), (320.0, 240.0)), np.eye(4))
CORNERS = np.array([(x, y, z) for x in (-0.25, 0.25) for y in (-0.15, 0.15) for z in (0.0, 1.7)])
FIGURE = Shape(CORNERS, 1.6, CORNERS[:, :2])


AHEAD = (Spot(0.0, 4.0, -90.0),)


def put(seed, place=None, spots=AHEAD, **fixed):
    how = replace(Things(), **{k: Fixed(v) for k, v in fixed.items()})
    draws = Draws(Key(seed))
    return how.sample(draws, CAMERA, place or Place(), [FIGURE] * len(spots), spots, FIRST_ENTITY_ID), draws.drawn


def ends(entity):
    points = np.concatenate([s.vertices for s in entity.surfaces])
    return points.min(axis=0), points.max(axis=0)


@pytest.mark.parametrize("kind", ["furniture", "solid"])
@pytest.mark.parametrize("seed", range(6))
def test_they_stand_on_the_ground_clear_of_the_figures_and_of_one_another(kind, seed):
    things, drawn = put(seed, kind=kind, count=4, depth=1.0, size_m=0.5)
    assert drawn["placed"] == len(things) > 0
    assert [t.id for t in things] == list(range(FIRST_ENTITY_ID, FIRST_ENTITY_ID + len(things)))
    figure = (np.array([-0.25, 3.85, 0.0]), np.array([0.25, 4.15, 1.7]))
    solid = [figure, *(ends(t) for t in things)]
    for thing in things:
        assert thing.category is None
        assert abs(ends(thing)[0][2]) < 0.02
    for i, (low, high) in enumerate(solid):
        for other_low, other_high in solid[i + 1:]:
            assert (high[:2] <= other_low[:2]).any() or (other_high[:2] <= low[:2]).any()


def test_where_there_is_no_room_nothing_is_put_and_the_manifest_says_so():
    mesh = primitives.box(1.9, 60.0, 1.0)  # no wider than a thing of the place that figures would have to avoid
    walls = [Entity(FIRST_ENTITY_ID + k, None, (Surface(
        "wall", (mesh.vertices + np.array([x, 30, 0], np.float32)).astype(np.float32), mesh.faces, Material((0.5,) * 3),
        np.full(len(mesh.faces), 15, np.uint8)),)) for k, x in enumerate(np.arange(-20, 21, 1.9))]
    things, drawn = put(1, Place(entities=tuple(walls)), spots=(), count=3)
    assert things == () and drawn["placed"] == 0 and drawn["count"] == 3


def test_inside_a_floor_they_keep_to_it():
    for seed in range(8):
        things, _ = put(seed, Place(floor_m=(-1.5, 0.5, 1.5, 6.0)), count=5, kind="solid", size_m=0.4)
        for thing in things:
            low, high = ends(thing)
            assert (low[:2] >= (-1.5, 0.5)).all() and (high[:2] <= (1.5, 6.0)).all()


def test_none_ordered_none_made():
    assert put(0, count=0) == ((), {"count": 0, "placed": 0})
