"""The solids world: true placements, everything drawn, nothing constant."""

import dataclasses
import math

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.geometry.cameras import project
from understudy.key import Key
from understudy.scene import Texture
from understudy.sensors.camera import CameraSensor
from understudy.surroundings import FIRST_ENTITY_ID
from understudy.worlds.solids import PATTERNS, SHAPES, Light, Solids, painted


def sampled(index: int, world: Solids | None = None):
    draws = Draws(Key(2) / index)
    camera = CameraSensor(size=(160, 120)).sample(draws.at("sensor"))
    return (world or Solids()).sample(draws.at("world"), camera), draws


@pytest.mark.parametrize("index", range(12))
def test_solids_stand_on_the_ground_apart(index):
    scene, _ = sampled(index)
    bodies = [e.surfaces[0].vertices.astype(float) for e in scene.entities]
    for vertices in bodies:
        assert vertices[:, 2].min() == pytest.approx(0, abs=1e-6)
    rings = [(v[:, :2].min(axis=0) + v[:, :2].max(axis=0)) / 2 for v in bodies]
    for i, a in enumerate(bodies):
        for j in range(i):
            b = bodies[j]
            reach = sum(np.linalg.norm(v[:, :2] - c, axis=1).max() for v, c in ((a, rings[i]), (b, rings[j])))
            apart = np.linalg.norm(rings[i] - rings[j])
            gap = np.linalg.norm(a[::7, None, :2] - b[None, ::7, :2], axis=2).min()
            assert apart > reach - 0.05 or gap > 0


@pytest.mark.parametrize("index", range(6))
def test_ids_categories_and_facts(index):
    scene, draws = sampled(index)
    assert scene.categories == SHAPES
    assert [e.id for e in scene.labelled] == list(range(1, len(scene.labelled) + 1))
    assert all(e.id >= FIRST_ENTITY_ID for e in scene.entities if e.category is None)
    assert len(scene.labelled) == draws.drawn["world.count"]
    for i, entity in enumerate(scene.labelled):
        vertices = entity.surfaces[0].vertices
        assert entity.category == draws.drawn[f"world.shape[{i}]"]
        extent = np.ptp(entity.surfaces[0].rest, axis=0).max()
        assert extent == pytest.approx(draws.drawn[f"world.size_m[{i}]"], rel=0.01)
        corners = entity.keypoints[0].xyz_m
        assert (vertices.min(axis=0) >= corners.min(axis=0) - 1e-5).all()
        assert (vertices.max(axis=0) <= corners.max(axis=0) + 1e-5).all()
        assert entity.attributes["distance_m"] > 0


def test_the_drawn_side_is_where_it_appears():
    world = dataclasses.replace(Solids(), count=_fixed(1), side=_fixed(0.5), distractors=_fixed(0), roll_deg=_fixed(0.0),
                                shape=_fixed("sphere"))
    scene, _ = sampled(0, world)
    px, _ = project(scene.camera, scene.entities[0].surfaces[0].vertices.mean(axis=0)[None].astype(float))
    assert 80 + 20 < px[0, 0] < 160


def test_the_same_key_gives_the_same_scene_and_another_another():
    one, again, other = sampled(0)[0], sampled(0)[0], sampled(1)[0]
    assert all(np.array_equal(a.surfaces[0].vertices, b.surfaces[0].vertices) for a, b in zip(one.entities, again.entities))
    assert np.array_equal(one.camera.to_world, again.camera.to_world)
    assert not np.array_equal(one.camera.to_world, other.camera.to_world)


def test_nothing_is_constant():
    table = [sampled(i)[1].drawn for i in range(16)]
    constant = [k for k in table[0] if "[" not in k and all(row.get(k) == table[0][k] for row in table)]
    assert set(constant) <= {"sensor.distortion.k3"}  # fixed at nought by default


def test_removing_the_last_solid_moves_no_other():
    more, _ = sampled(0, dataclasses.replace(Solids(), count=_fixed(4), distractors=_fixed(0)))
    less, _ = sampled(0, dataclasses.replace(Solids(), count=_fixed(3), distractors=_fixed(0)))
    for a, b in zip(less.entities, more.entities):
        assert np.array_equal(a.surfaces[0].vertices, b.surfaces[0].vertices)


def test_a_crowd_that_does_not_fit_is_refused():
    crowded = dataclasses.replace(Solids(), count=_fixed(60), size_m=_fixed(5.0), distance_m=_fixed(2.0))
    with pytest.raises(Unsatisfiable, match="no free place"):
        sampled(0, crowded)


def test_the_sun_stands_where_it_is_drawn():
    ahead = dataclasses.replace(Light(), sun=_fixed(2.0), sun_height_deg=_fixed(30.0), sun_heading_deg=_fixed(0.0))
    left = dataclasses.replace(ahead, sun_heading_deg=_fixed(90.0))
    cosine = math.cos(math.radians(30))
    assert ahead.sample(Draws(Key(0)))[1].direction == pytest.approx((0, cosine, 0.5), abs=1e-12)
    assert left.sample(Draws(Key(0)))[1].direction == pytest.approx((-cosine, 0, 0.5), abs=1e-12)
    assert dataclasses.replace(ahead, sun=_fixed(0.0)).sample(Draws(Key(0)))[1] is None


@pytest.mark.parametrize("pattern", PATTERNS[1:])
def test_patterns_show_two_colours(pattern):
    pixels = painted(pattern, 3, np.array([1.0, 0.0, 0.0]), Key(4))
    assert pixels.shape == (128, 128, 3) and len(np.unique(pixels.reshape(-1, 3), axis=0)) >= 2
    Texture(pixels)


def test_no_solids_is_a_scene():
    scene, _ = sampled(0, dataclasses.replace(Solids(), count=_fixed(0), distractors=_fixed(0)))
    assert scene.entities == () and scene.ground is not None


def _fixed(value):
    from understudy.values import Fixed

    return Fixed(value)
