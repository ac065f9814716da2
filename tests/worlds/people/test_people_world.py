"""The people world: scenes that are whole, the same each time, and named throughout."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.fields import Group, Param, fields_of
from understudy.key import Key
from understudy.scene import Camera, Environment, Lens
from understudy.surroundings import FIRST_ENTITY_ID, Place
from understudy.values import Fixed
from understudy.worlds.people import People
from understudy.worlds.people.anatomy import WHOLE_BODY
from understudy.worlds.people.pose import Posing
from understudy.worlds.people.props import OCCLUDERS, Occluders
from understudy.worlds.people.things import Things

CAMERA = Camera(Lens((320, 240), (330.0, 330.0), (160.0, 120.0)), np.eye(4))


@dataclass(frozen=True)
class Nowhere:
    """Surroundings of these tests: a grey sky over a plane."""

    def sample(self, draws, camera):
        return Place(Environment(np.full((4, 8, 3), 0.5, np.float32)))


def sampled(seed, **fields):
    world = replace(People(), surroundings=Nowhere(), **fields)
    for attempt in range(8):
        draws = Draws(Key(seed) / attempt)
        try:
            return world.sample(draws, CAMERA), draws.drawn
        except Unsatisfiable:
            continue
    raise AssertionError("no attempt could be made true")


@pytest.fixture(scope="module")
def three():
    return sampled(1, count=Fixed(3))


def test_people_have_ids_from_one_and_everything_else_comes_later(three):
    scene, _ = three
    assert [e.id for e in scene.labelled] == [1, 2, 3]
    assert {e.category for e in scene.labelled} == {"person"} and scene.categories == ("person",)
    others = [e for e in scene.entities if e.category is None]
    assert all(e.id >= FIRST_ENTITY_ID for e in others)
    assert len({e.id for e in scene.entities}) == len(scene.entities)


def test_surfaces_are_sound(three):
    for entity in three[0].entities:
        for s in entity.surfaces:
            assert s.vertices.dtype == np.float32 and np.isfinite(s.vertices).all(), s.name
            assert s.faces.min() >= 0 and s.faces.max() < len(s.vertices), s.name
            assert len(s.part) == len(s.faces) and s.part.dtype == np.uint8, s.name
            for array, length in ((s.uv, len(s.vertices)), (s.rest, len(s.vertices)), (s.normals, len(s.vertices)),
                                  (s.chart, len(s.faces)), (s.chart_uv, len(s.faces))):
                assert array is None or (len(array) == length and np.isfinite(array).all()), s.name


def test_figures_stand_on_the_ground(three):
    for entity in three[0].labelled:
        lowest = min(float(s.vertices[:, 2].min()) for s in entity.surfaces)
        assert abs(lowest) < 0.012


def test_a_figures_points_and_facts_are_its_own(three):
    for entity in three[0].labelled:
        points = {p.convention: p for p in entity.keypoints}
        assert set(points) == {"coco_17", "coco_wholebody_133"}
        assert len(points["coco_wholebody_133"].xyz_m) == len(WHOLE_BODY)
        skin = np.concatenate([s.vertices for s in entity.surfaces])
        xyz = points["coco_17"].xyz_m
        assert (xyz >= skin.min(axis=0) - 0.05).all() and (xyz <= skin.max(axis=0) + 0.05).all()
        for fact in ("age", "gender", "height_m", "bmi", "skin_tone", "garments", "hair", "pose", "distance_m"):
            assert isinstance(entity.attributes[fact], str | int | float | bool), fact


def test_the_subjects_left_is_its_left():
    scene, drawn = sampled(3, count=Fixed(1), pose=replace(Posing(), family=Fixed("standing"), arms=Fixed("hanging")))
    points = scene.labelled[0].keypoints[0]
    at = dict(zip(points.names, points.xyz_m))
    heading = np.radians(drawn["framing.facing_deg[0]"])
    eye, other = at["left_eye"], at["right_eye"]
    nose_way = at["nose"] - (at["left_ear"] + at["right_ear"]) / 2
    left_way = np.cross([0, 0, 1], nose_way)
    assert (eye - other) @ left_way > 0
    assert np.isfinite(heading)


def test_every_parameter_is_drawn_by_its_name(three):
    drawn = {path.split("[")[0] for path in three[1]}
    for name, path in _parameters(People):
        if name == "surroundings" or path.startswith(("occluders.", "things.")):
            continue
        assert path in drawn, path


def _parameters(cls, prefix=""):
    for name, field in fields_of(cls).items():
        if isinstance(field, Param):
            if not (name in ("depth", "overlap") and prefix == "framing."):  # of the figures after the first
                yield name, prefix + name
        elif isinstance(field, Group):
            yield from _parameters(field.cls, f"{prefix}{name}.")


def test_the_same_draws_make_the_same_scene(three):
    again, drawn = sampled(1, count=Fixed(3))
    assert drawn == three[1]
    for a, b in zip(three[0].entities, again.entities):
        assert a.attributes == b.attributes and a.id == b.id
        for s, t in zip(a.surfaces, b.surfaces):
            assert s.vertices.tobytes() == t.vertices.tobytes() and s.faces.tobytes() == t.faces.tobytes()


def test_without_the_third_figure_the_first_two_stay_as_they_are(three):
    fewer, drawn = sampled(1, count=Fixed(2))
    for path, value in drawn.items():
        if "[" in path and "occluders" not in path:
            assert three[1][path] == value, path
    for a, b in zip(fewer.labelled, three[0].labelled):
        for s, t in zip(a.surfaces, b.surfaces):
            assert s.vertices.tobytes() == t.vertices.tobytes()


def test_who_sits_has_a_seat_below():
    scene, _ = sampled(5, count=Fixed(1), pose=replace(Posing(), family=Fixed("sitting")))
    seats = [e for e in scene.entities if e.category is None]
    assert len(seats) == 1 and seats[0].surfaces[0].name == "seat"
    points = dict(zip(scene.labelled[0].keypoints[0].names, scene.labelled[0].keypoints[0].xyz_m))
    hips = (points["left_hip"] + points["right_hip"]) / 2
    top = max(s.vertices[:, 2].max() for s in seats[0].surfaces if s.name == "seat")
    low, high = seats[0].surfaces[0].vertices.min(axis=0), seats[0].surfaces[0].vertices.max(axis=0)
    assert low[0] < hips[0] < high[0] and low[1] < hips[1] < high[1] and 0.03 < hips[2] - top < 0.25


@pytest.mark.parametrize("kind", OCCLUDERS)
def test_occluders_stand_between_camera_and_subject(kind):
    seen = 0
    for seed in range(6, 12):
        scenes = [sampled(seed, count=Fixed(1), things=replace(Things(), count=Fixed(0)),
                          occluders=replace(Occluders(), count=Fixed(count), kind=Fixed(kind)))[0] for count in (0, 2)]
        bare = {e.id for e in scenes[0].entities}
        things = [e for e in scenes[1].entities if e.id not in bare]
        assert len(things) == 2
        subject = np.concatenate([s.vertices for s in scenes[1].labelled[0].surfaces])[:, 1]
        for thing in things:
            points = np.concatenate([s.vertices for s in thing.surfaces])
            made = thing.surfaces[0].name if kind != "furniture" else "furniture"
            assert thing.category is None and made in (kind, "box")
            assert points[:, 2].min() == pytest.approx(0, abs=1e-5)
            assert points[:, 1].min() > 0 and points[:, 1].mean() < subject.max()
            seen += kind != "furniture" or thing.surfaces[0].name not in OCCLUDERS
    assert seen  # there was room for furniture now and then


def test_nobody_is_a_scene_too():
    scene, _ = sampled(7, count=Fixed(0))
    assert scene.labelled == ()
