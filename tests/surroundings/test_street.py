"""Streets: the camera and the free ground lie between the houses, the road is whole, cars stand at the kerbs."""

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.key import Key
from understudy.scene import Camera
from understudy.sensors.camera import lens_of
from understudy.surroundings.open_air import OpenAir
from understudy.surroundings.street import laid
from understudy.surroundings.street_furniture import STREET_FURNITURE, block, car, rod

CAMERA = Camera(lens_of((96, 64), 60), np.eye(4))


def _placed(which, seed, **fields):
    return OpenAir(street=which, distractors=0, occluders=0, **fields).sample(Draws(Key(seed)), CAMERA)


def _points(entity):
    return np.concatenate([s.vertices for s in entity.surfaces])


def _across(street, points):
    turn = np.deg2rad(street.turn_deg)
    return -np.sin(turn) * points[:, 0] + np.cos(turn) * points[:, 1] - street.middle_m


@pytest.mark.parametrize("which", ["along", "across"])
@pytest.mark.parametrize("seed", range(8))
def test_houses_leave_the_camera_the_pavements_and_the_free_ground(which, seed):
    street = laid(Draws(Key(seed)).key("street"), which)
    place = _placed(which, seed, houses=12, trees=0, posts=0, cars=0)
    houses = [_points(e) for e in place.entities[1:]]
    assert len(houses) == 12
    x0, y0, x1, y1 = place.floor_m
    assert x1 - x0 > 3 and y1 - y0 > 2
    own = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (0.0, 0.0)])
    for points in houses:
        side = _across(street, points)
        clear = street.half_m + street.pavement_m
        assert side.min() > clear - 0.5 or side.max() < -clear + 0.5  # eaves and sills stand out from the front
        here = _across(street, own)
        assert (here < side.min()).all() if side.min() > 0 else (here > side.max()).all()


def test_without_houses_behind_the_camera_there_are_none_before_it_on_its_own_side():
    for seed in range(10):
        street = laid(Key(seed), "across")
        assert street.fronts()[0] <= -1.0


@pytest.mark.parametrize("which", ["along", "across"])
def test_the_ground_is_level_and_the_road_as_wide_as_said(which):
    place = _placed(which, 3, houses=0, trees=0, posts=0, cars=0)
    street = laid(Draws(Key(3)).key("street"), which)
    ground, = place.entities
    assert not _points(ground)[:, 2].any()
    area = 0.0
    for s in ground.surfaces:
        a, b, c = (s.vertices[s.faces[:, k], :2].astype(float) for k in range(3))
        (ux, uy), (vx, vy) = (b - a).T, (c - a).T
        area += 0.5 * np.abs(ux * vy - uy * vx).sum()
    assert area == pytest.approx(800.0**2 - (800 - 120) * 2 * (street.half_m + 0.15), rel=1e-4)  # the road ends at 60 m
    road = ground.surfaces[3]
    assert np.ptp(_across(street, road.vertices)) == pytest.approx(2 * street.half_m, abs=1e-3)


def test_cars_stand_on_the_road_apart_from_each_other():
    for seed in range(6):
        street = laid(Draws(Key(seed)).key("street"), "along")
        cars = [_points(e) for e in _placed("along", seed, houses=0, trees=0, posts=0, cars=12).entities[1:]]
        assert len(cars) >= 2
        middles = [c[:, :2].mean(0) for c in cars]
        for k, points in enumerate(cars):
            assert abs(points[:, 2].min()) < 0.02
            assert np.abs(_across(street, points)).max() < street.half_m + 0.15
            assert all(np.linalg.norm(middles[k] - other) > 3.5 for other in middles[:k])


@pytest.mark.parametrize("kind", STREET_FURNITURE)
@pytest.mark.parametrize("seed", range(3))
def test_street_furniture_stands_on_the_ground_within_its_bounds(kind, seed):
    pieces, materials, a, b = STREET_FURNITURE[kind](Key(seed))
    points = np.concatenate([m.vertices for m, _ in pieces])
    assert abs(points[:, 2].min()) < 0.01 and 0.3 < points[:, 2].max() < 3.0
    if kind != "planter":  # leaves may hang over
        assert np.abs(points[:, 0]).max() <= a + 0.06 and np.abs(points[:, 1]).max() <= b + 0.06
    assert {which for _, which in pieces} == set(range(len(materials)))


@pytest.mark.parametrize("seed", range(6))
def test_a_car_is_as_large_as_cars_are(seed):
    pieces, materials, _, _ = car(Key(seed))
    size = np.ptp(np.concatenate([m.vertices for m, _ in pieces]), axis=0)
    assert 3.5 < size[0] < 4.95 and 1.6 < size[1] < 2.2 and 1.35 < size[2] < 1.75
    assert {which for _, which in pieces} == set(range(len(materials)))


def test_a_block_looks_outward_and_a_rod_runs_between_its_ends():
    mesh = block((0, 2, 0, 1, 0), (0.5, 1.5, 0.2, 0.8, 3))
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    assert (np.einsum("ij,ij->i", np.cross(b - a, c - a), (a + b + c) / 3 - (1, 0.5, 1.5)) > 0).all()
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6 == pytest.approx(3 / 6 * (2 + 0.6 + 4 * 1.5 * 0.8), rel=1e-6)
    bar = rod((0, 0, 1), (1, 2, 3), 0.05).vertices
    along = bar @ (np.array([1, 2, 2]) / 3)
    assert along.min() == pytest.approx(2 / 3, abs=1e-5) and along.max() == pytest.approx(2 / 3 + 3, abs=1e-5)
