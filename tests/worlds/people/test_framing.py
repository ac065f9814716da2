"""Framing: the size ordered is the size in the picture, and nobody stands in anybody."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.geometry import primitives
from understudy.geometry.cameras import project
from understudy.key import Key
from understudy.scene import Camera, Entity, Lens, Material, Surface
from understudy.surroundings import Place
from understudy.values import Fixed
from understudy.worlds.people.framing import GAP_M, SHOTS, Framing, Shape, Spot, apart, arrange, box

W, H = 640, 480
CAMERA = Camera(Lens((W, H), (700.0, 700.0), (W / 2, H / 2)), np.eye(4))


def figure(height=1.7, half=0.25):
    """A box-shaped figure."""
    corners = np.array([(x, y, z) for x in (-half, half) for y in (-0.15, 0.15) for z in (0.0, height)])
    return Shape(corners, 0.93 * height, corners[:, :2])


def framed(seed=0, place=None, count=1, **fixed):
    how = replace(Framing(), **{k: Fixed(v) for k, v in fixed.items()})
    return arrange(Draws(Key(seed)), how, CAMERA, place or Place(), [figure() for _ in range(count)])


@pytest.mark.parametrize("shot", SHOTS)
@pytest.mark.parametrize("size", [0.0, 0.5, 1.0])
def test_the_subject_has_the_share_of_the_picture_that_was_ordered(shot, size):
    camera, (spot,) = framed(shot=shot, size=size, cut_by_border=False, facing_deg=0, roll_deg=0)
    low, high = SHOTS[shot]
    wanted = low * (high / low) ** size
    got = 700.0 * 1.7 / spot.y / H  # the height that 1.7 m has at that distance, over the picture's
    assert got == pytest.approx(min(wanted, 700 * 1.7 / 0.45 / H), rel=1e-6)
    if shot in ("full", "distant"):  # seen whole, so measured in the picture too
        _, top, _, bottom = box(camera, figure(), spot)
        assert top > -2 and bottom < H + 2
        assert (bottom - top) / H == pytest.approx(wanted, rel=0.25)


def test_a_portrait_and_a_half_shot_show_the_face():
    for seed in range(12):
        for shot in ("portrait", "half"):
            for place in (Place(), Place(horizon=0.42, camera_height_m=1.5)):
                camera, (spot,) = framed(seed, place, shot=shot, cut_by_border=False)
                eye, _ = project(camera, spot.to_world[:3, :3] @ np.array([0, 0, 0.93 * 1.7]) + spot.to_world[:3, 3])
                assert 0 < eye[1] < 0.75 * H and -0.05 * W < eye[0] < 1.05 * W


def test_the_horizon_of_a_photograph_is_kept():
    for seed in range(12):
        camera, _ = framed(seed, Place(horizon=0.4, camera_height_m=1.5))
        far, _ = project(camera, np.array([0, 1e7, camera.to_world[2, 3]]))
        assert far[1] == pytest.approx(0.4 * H, abs=0.01)
        assert camera.to_world[2, 0] == pytest.approx(0, abs=1e-12), "the photograph's horizon is level"


def test_a_distant_figure_keeps_the_photographs_camera_where_it_fits():
    camera, _ = framed(0, Place(horizon=0.45, camera_height_m=1.4), shot="distant", size=0.3, cut_by_border=False)
    assert camera.to_world[2, 3] == pytest.approx(1.4)


def test_cut_and_uncut_by_the_border():
    for seed in range(20):
        camera, (spot,) = framed(seed, shot="full", cut_by_border=False)
        left, _, right, _ = box(camera, figure(), spot)
        assert left > -0.02 * W and right < 1.02 * W
        camera, (spot,) = framed(seed, shot="full", cut_by_border=True)
        left, _, right, _ = box(camera, figure(), spot)
        inside = (min(right, W) - max(left, 0)) / (right - left)
        assert 0.2 < inside < 0.85


@pytest.mark.parametrize("turn", [-25, 0, 25])
def test_a_near_sitter_is_in_the_picture_though_the_knees_are_beside_and_behind_the_camera(turn):
    trunk = figure(1.3).points
    legs = np.array([(x, -y, 0.5) for x in (-0.3, 0.18) for y in np.linspace(0, 0.7, 29)])  # one knee further out
    sitter = Shape(np.concatenate([trunk, legs]), 1.2, trunk[:, :2])
    how = replace(Framing(), **{k: Fixed(v) for k, v in dict(shot="portrait", size=1.0, cut_by_border=False, across=0.5,
                                                             facing_deg=turn, roll_deg=0).items()})
    camera, (spot,) = arrange(Draws(Key(0)), how, CAMERA, Place(), [sitter])
    knees = legs @ spot.to_world[:3, :3].T + spot.to_world[:3, 3]
    assert project(camera, knees)[1].min() < 0, "the case has points behind the camera"
    eye, _ = project(camera, spot.to_world[:3, :3] @ np.array([0, 0, 1.2]) + spot.to_world[:3, 3])
    assert 0.1 * W < eye[0] < 0.9 * W and 0 < eye[1] < H


def test_nobody_stands_in_anybody():
    placed = 0
    for seed in range(20):
        for place in (Place(), Place(floor_m=(-2.5, 0, 2.5, 6))):
            try:
                _, spots = framed(seed, place, count=5)
            except Unsatisfiable:
                continue
            placed += 1
            shapes = [figure() for _ in spots]
            for i in range(5):
                for j in range(i):
                    ground = [s.footprint @ p.to_world[:2, :2].T + p.to_world[:2, 3] for s, p in zip(shapes, spots)]
                    gap = np.linalg.norm(ground[i][:, None] - ground[j][None], axis=-1).min()
                    assert gap >= GAP_M * 0.99 and apart(shapes[i], spots[i], shapes[j], spots[j])
                    assert not _inside(ground[i].mean(0), ground[j])
            if place.floor_m:
                assert all(-2.5 <= p.x <= 2.5 and 0 <= p.y <= 6 for p in spots)
    assert placed >= 28


def _inside(point, rectangle):
    from scipy.spatial import Delaunay

    return Delaunay(rectangle).find_simplex(point) >= 0


def test_a_floor_too_small_is_refused():
    with pytest.raises(Unsatisfiable, match="floor"):
        framed(0, Place(floor_m=(-1, 0, 1, 0.5)))
    with pytest.raises(Unsatisfiable, match="no free ground"):
        framed(0, Place(floor_m=(-0.5, 0, 0.5, 1.2)), count=5)


def crate(x, y, size=0.4):
    mesh = primitives.box(size, size, size)
    vertices = mesh.vertices + np.array([x, y, 0], np.float32)
    return Entity(100_001, None, (Surface("crate", vertices, mesh.faces, Material(), np.zeros(len(mesh.faces), np.uint8)),))


def test_a_portrait_is_taken_before_the_floor_begins_where_nothing_stands():
    portrait = {"shot": "portrait", "size": 0.5, "across": 0.5, "cut_by_border": False}
    floor = (-3, 2.0, 3, 8)
    _, (wanted,) = framed(**portrait)
    _, (free,) = framed(0, Place(floor_m=floor, entities=(crate(1.5, 1.5),)), **portrait)
    _, (blocked,) = framed(0, Place(floor_m=floor, entities=(crate(wanted.x, wanted.y),)), **portrait)
    assert free.y == pytest.approx(wanted.y) and wanted.y < 1.5
    assert blocked.y >= 2.0


def test_the_third_figure_moves_neither_camera_nor_the_others():
    for seed in range(5):
        camera, spots = framed(seed, count=2)
        more, three = framed(seed, count=3)
        assert (camera.to_world == more.to_world).all() and three[:2] == spots


def test_facing_turns_to_the_figures_left():
    _, (spot,) = framed(facing_deg=0, across=0.5)
    assert np.hypot(spot.x, spot.y) * np.cos(np.radians(spot.heading_deg)) == pytest.approx(-spot.x, abs=1e-9)
    _, (turned,) = framed(facing_deg=90, across=0.5)
    ahead = turned.to_world[:3, :3] @ np.array([0, -1, 0])
    assert ahead[0] > 0.9, "facing the camera it looks along -y; a turn to its left looks along +x"


def test_more_overlap_hides_more():
    def hidden(overlap):
        out = []
        for seed in range(25):
            camera, spots = framed(seed, count=2, shot="full", overlap=overlap, facing_deg=0)
            a, b = (box(camera, figure(), s) for s in spots)
            common = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            out.append(common / min((c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)))
        return np.mean(out)

    assert hidden(0.0) < 0.12 < hidden(0.5) < hidden(0.9)


def test_a_spot_is_a_rigid_placement():
    to_world = Spot(1.0, 2.0, 30.0).to_world
    np.testing.assert_allclose(to_world[:3, :3] @ to_world[:3, :3].T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(to_world[:3, :3] @ [0, -1, 0], [np.cos(np.pi / 6), np.sin(np.pi / 6), 0], atol=1e-12)
