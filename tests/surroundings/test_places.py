"""Every kind of surroundings: well-formed, repeatable, roomy enough for people, lit."""

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.fields import fields_of, resolve
from understudy.key import Key
from understudy.scene import PART_ID, Camera, Texture
from understudy.sensors.camera import lens_of
from understudy.supports import Boolean, OneOf
from understudy.surroundings import FIRST_ENTITY_ID, SURROUNDINGS
from understudy.surroundings.furniture import FURNITURE
from understudy.surroundings.light import LUMINANCE, irradiance
from understudy.surroundings.open_air import OpenAir
from understudy.surroundings.room import Room
from understudy.surroundings.things import floating

CAMERA = Camera(lens_of((96, 64), 60), np.eye(4))
BUILT = ("room", "open_air")
SINGLE = ("photographs", *BUILT)
SEEDS = range(12)


def sample(name, seed, **fields):
    draws = Draws(Key(seed))
    return resolve(SURROUNDINGS, name)(**fields).sample(draws, CAMERA), draws.drawn


@pytest.mark.parametrize("name", SINGLE)
def test_every_field_is_declared_drawn_and_documented(name):
    declared = fields_of(resolve(SURROUNDINGS, name))
    assert all(d.doc for d in declared.values())
    drawn = sample(name, 0)[1]
    settings = {"folder", "exclude", "people", "horizon_from"}
    assert set(declared) - settings <= set(drawn)


def test_mixed_surroundings_are_the_drawn_kind_s_own():
    assert set(SURROUNDINGS) == {*SINGLE, "mixed"}
    seen = set()
    for seed in range(8):
        place, drawn = sample("mixed", seed)
        which = drawn["which"]
        seen.add(which)
        draws = Draws(Key(seed)).at(which)
        own = resolve(SURROUNDINGS, which)().sample(draws, CAMERA)
        assert drawn == {"which": which, **draws.drawn}
        assert [e.id for e in place.entities] == [e.id for e in own.entities] and place.horizon == own.horizon
    assert seen == set(SINGLE)


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_same_key_gives_the_same_place(name):
    one, drawn = sample(name, 4)
    two, again = sample(name, 4)
    assert drawn == again and len(one.entities) == len(two.entities)
    assert np.array_equal(one.environment.radiance, two.environment.radiance)
    for a, b in zip(one.entities, two.entities):
        for s, t in zip(a.surfaces, b.surfaces):
            assert np.array_equal(s.vertices, t.vertices) and np.array_equal(s.faces, t.faces)
            if isinstance(s.material.base_color, Texture):
                assert np.array_equal(s.material.base_color.pixels, t.material.base_color.pixels)


@pytest.mark.parametrize("name", SINGLE)
def test_nothing_is_constant(name):
    drawn = [sample(name, s)[1] for s in range(16)]
    for path in drawn[0]:
        if path not in ("photo", "passed_over"):
            assert len({d[path] for d in drawn}) > 1, path


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.parametrize("seed", SEEDS)
def test_entities_are_well_formed(name, seed):
    place, _ = sample(name, seed, occluders=2, distractors=3)
    ids = [e.id for e in place.entities]
    assert len(set(ids)) == len(ids) and min(ids) >= FIRST_ENTITY_ID
    for entity in place.entities:
        assert entity.category is None and entity.surfaces
        for s in entity.surfaces:
            n, m = len(s.vertices), len(s.faces)
            assert s.vertices.shape == (n, 3) and s.vertices.dtype == np.float32 and np.isfinite(s.vertices).all()
            assert s.faces.shape == (m, 3) and s.faces.dtype == np.int32 and 0 <= s.faces.min() and s.faces.max() < n
            assert s.uv.shape == (n, 2) and s.uv.dtype == np.float32
            assert s.part.shape == (m,) and s.part.dtype == np.uint8 and set(s.part) == {PART_ID["other"]}
            assert s.rest.shape == (n, 3)


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_free_floor_is_free(name, seed):
    """No vertex of anything stands over the free rectangle below 2 m; only the floor itself lies under it."""
    place, _ = sample(name, seed, occluders=2, distractors=6)
    x0, y0, x1, y1 = place.floor_m
    assert x1 - x0 > 0.8 and y1 - y0 > 0.8
    for entity in place.entities:
        for s in entity.surfaces:
            centres = s.vertices[s.faces].mean(axis=1)
            points = np.concatenate([s.vertices, centres])
            over = ((points[:, 0] > x0) & (points[:, 0] < x1) & (points[:, 1] > y0) & (points[:, 1] < y1)
                    & (points[:, 2] > 0.01) & (points[:, 2] < 2.0))
            assert not over.any(), (s.name, points[over][0])


@pytest.mark.parametrize("name", BUILT)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_in_the_cameras_face(name, seed):
    place, _ = sample(name, seed, occluders=3, distractors=6)
    for entity in place.entities:
        for s in entity.surfaces:
            off, z = np.hypot(s.vertices[:, 0], s.vertices[:, 1]), s.vertices[:, 2]
            assert not ((off < 0.55) & (z > 0.05) & (z < 2.3)).any(), s.name


@pytest.mark.parametrize("seed", SEEDS)
def test_the_room_is_closed_around_the_camera(seed):
    """Looking left, right, ahead and down one meets the shell, and its faces look at the camera."""
    place, drawn = sample("room", seed)
    shell = place.entities[0]
    triangles = np.concatenate([s.vertices[s.faces] for s in shell.surfaces]).astype(float)
    eye = np.array([0, 0, 1.5])
    for direction in ((-1, 0.01, 0), (1, 0.01, 0), (0.01, 1, 0), (0.01, 0.4, -1)):
        assert nearest_facing(triangles, eye, np.array(direction)) > 0
    assert (nearest_facing(triangles, eye, np.array((0.01, 0.3, 1.0))) is not None) == drawn["ceiling"]


def nearest_facing(triangles, origin, direction):
    """Moeller-Trumbore; how far the nearest face looks back at the ray, or None."""
    a, e1, e2 = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    p = np.cross(direction, e2)
    det = (e1 * p).sum(1)
    ok = np.abs(det) > 1e-12
    inv = np.where(ok, 1 / np.where(ok, det, 1), 0)
    t = origin - a
    u, q = (t * p).sum(1) * inv, np.cross(t, e1)
    v, d = (direction * q).sum(1) * inv, (e2 * q).sum(1) * inv
    hit = ok & (u >= 0) & (v >= 0) & (u + v <= 1) & (d > 1e-6)
    if not hit.any():
        return None
    i = np.flatnonzero(hit)[np.argmin(d[hit])]
    return -float(np.cross(e1[i], e2[i]) @ direction)


@pytest.mark.parametrize("seed", range(6))
def test_room_lamps_shine_into_the_room(seed):
    place, drawn = sample("room", seed, lamps=2, windows=2)
    assert len(place.lamps) >= 2 and drawn["lamps"] == 2
    x0, y0, x1, y1 = place.floor_m
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2, 1.2])
    for lamp in place.lamps:
        across, along, out, at = (lamp.to_world[:3, k] for k in range(4))
        assert np.allclose(np.cross(across, along) / np.linalg.norm(np.cross(across, along)), out / np.linalg.norm(out))
        assert (middle - at) @ out > 0 and min(lamp.radiance) > 0


@pytest.mark.parametrize("seed", range(8))
def test_sky_and_sun_agree(seed):
    """The sky is brightest towards the sun, the sun is where the draws say, and day's light comes from above."""
    place, drawn = sample("open_air", seed, cloud=0.0, sun_height_deg=35.0)
    h, w, _ = place.environment.radiance.shape
    _, column = np.unravel_index(np.argmax(place.environment.radiance @ LUMINANCE), (h, w))
    turn = (column + 0.5) / w * 2 * np.pi
    assert np.dot((np.cos(turn), np.sin(turn)), place.sun.direction[:2]) > 0.6 * np.cos(np.radians(35))
    heading = np.degrees(np.arctan2(-place.sun.direction[0], place.sun.direction[1])) % 360
    assert heading == pytest.approx(drawn["sun_heading_deg"], abs=1e-6)
    assert place.sun.direction[2] == pytest.approx(np.sin(np.radians(35)))
    up, down = (irradiance(place.environment, place.sun, (0, 0, z)).sum() for z in (1, -1))
    assert up > 2 * down > 0


def test_an_overcast_sky_hides_the_sun():
    assert sample("open_air", 0, cloud=1.0)[0].sun is None


@pytest.mark.parametrize("name", SINGLE)
def test_every_end_of_every_support_can_be_sampled(name):
    """What validation admits, sampling survives: each parameter at each finite end and option of its support."""
    for field, declared in fields_of(resolve(SURROUNDINGS, name)).items():
        support = declared.support
        if isinstance(support, Boolean):
            ends = (False, True)
        elif isinstance(support, OneOf):
            ends = support.options
        else:
            ends = [getattr(support, end) for end in ("low", "high") if hasattr(support, end)]
        for end in ends:
            place, drawn = sample(name, 7, **{field: end})
            assert drawn.get(field, end) == end
            assert np.isfinite(place.environment.radiance).all() and (place.environment.radiance >= 0).all()
            for lamp in place.lamps:
                assert np.isfinite(lamp.radiance).all() and np.isfinite(lamp.to_world).all()
            assert all(np.isfinite(s.vertices).all() for e in place.entities for s in e.surfaces)
            assert place.sun is None or np.isfinite((*place.sun.direction, *place.sun.irradiance)).all()


def test_empty_places():
    room, _ = sample("room", 0, furniture=0, pictures=0, windows=0, lamps=0, occluders=0, distractors=0)
    assert len(room.entities) == 1 and room.lamps == () and room.environment.radiance.max() > 0
    field, _ = sample("open_air", 0, houses=0, trees=0, posts=0, occluders=0, distractors=0)
    assert len(field.entities) == 1


def test_a_crowded_room_leaves_out_what_does_not_fit():
    place, drawn = sample("room", 1, width_m=2.0, depth_m=2.5, height_m=2.0, furniture=60, pictures=40, windows=6)
    assert drawn["furniture"] == 60 and len(place.entities) < 60


@pytest.mark.parametrize("kind", FURNITURE)
@pytest.mark.parametrize("seed", range(4))
def test_furniture_stands_on_the_floor_within_its_bounds(kind, seed):
    pieces, materials, a, b = FURNITURE[kind](Key(seed))
    points = np.concatenate([m.vertices for m, _ in pieces])
    assert abs(points[:, 2].min()) < 1e-5 and 0.2 < points[:, 2].max() < 2.4
    if kind != "plant":  # leaves may hang over
        assert np.abs(points[:, 0]).max() <= a + 0.06 and np.abs(points[:, 1]).max() <= b + 0.06
    assert {which for _, which in pieces} <= set(range(len(materials)))


def test_distractors_are_about_the_size_asked():
    for seed in range(20):
        pieces, _ = floating(Key(seed), 0.4)
        extent = np.ptp(pieces[0][0].vertices, axis=0).max()
        assert 0.3 < extent < 0.65


def test_counts_do_not_move_other_draws():
    """Adding a window or a lamp leaves the rest of the room as it was."""
    few = Room(lamps=1, furniture=3).sample(Draws(Key(5)), CAMERA)
    more = Room(lamps=3, furniture=3).sample(Draws(Key(5)), CAMERA)
    assert np.array_equal(few.lamps[0].to_world, more.lamps[0].to_world)
    assert np.array_equal(few.entities[-1].surfaces[0].vertices, more.entities[-1].surfaces[0].vertices)
    one, two = (OpenAir(trees=t, distractors=0).sample(Draws(Key(5)), CAMERA) for t in (1, 2))
    assert np.array_equal(one.environment.radiance, two.environment.radiance)
