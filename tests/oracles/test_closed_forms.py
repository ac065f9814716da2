"""Spheres, boxes and cubes whose silhouettes, depths and shares are known by formula. Bounds are stated in each test."""

import dataclasses

import numpy as np
import pytest

from understudy.geometry import primitives
from understudy.geometry.cameras import pixel_centres, project, project_camera, unproject
from understudy.scene import Lamp

BARREL = (-0.22, 0.06, 0.002, -0.0015, -0.01)
PINCUSHION = (0.18, 0.04, -0.001, 0.002, 0.0)


def rays(camera):
    """(h, w, 3): the camera-frame direction of every pixel's centre, z = 1."""
    xy = unproject(camera.lens, pixel_centres(camera.lens.size_wh))
    return np.concatenate([xy, np.ones((*xy.shape[:2], 1))], axis=-1)


@pytest.mark.parametrize("distortion", [(0.0,) * 5, BARREL, PINCUSHION])
@pytest.mark.parametrize("at", [(0.0, 3.0, 0.0), (0.7, 2.5, -0.4)])
def test_a_spheres_silhouette_depth_and_normal(make, labelled, distortion, at):
    radius = 0.5
    camera = make.camera(distortion)
    signals = labelled(make.scene(camera, make.body(1, primitives.sphere(radius, 128, 256), at)))
    centre = np.array([at[0], -at[2], at[1]])  # camera frame: x right, y down, z ahead
    d = rays(camera)
    # the ray meets the sphere where (d.c)² - |d|²(|c|² - r²) >= 0; the quantity over its gradient is a distance in pixels
    discriminant = (d @ centre) ** 2 - (d * d).sum(-1) * (centre @ centre - radius**2)
    gradient = np.hypot(*np.gradient(discriminant))
    inside, clear = discriminant > 0, np.abs(discriminant) > 0.05 * gradient
    seen = signals["instance"] == 1
    assert np.array_equal(seen[clear], inside[clear])  # exact beyond 0.05 px of the true outline
    z = (d @ centre - np.sqrt(np.maximum(discriminant, 0))) / (d * d).sum(-1)
    well = seen & (discriminant > 3 * gradient)
    assert np.abs(signals["depth"] - z)[well].max() < 3e-4  # 0.3 mm: the mesh's facets lie 0.1 mm inside the sphere
    normal = (d * z[..., None] - centre) / radius
    assert np.abs(signals["normal"] - normal)[well].max() < 0.01
    assert np.isinf(signals["depth"][~seen]).all() and not signals["normal"][~seen].any()
    lone = signals["silhouettes"][0]
    assert np.array_equal(lone, seen)


def test_a_cube_at_two_metres(make, labelled):
    """The front of a 0.5 m cube 2 m ahead spans exactly 80 px of 320 px focal length; its depth is 2 m."""
    cube = make.body(1, primitives.box(0.5, 0.5, 0.5), (0, 2.25, 0))
    signals = labelled(make.scene(make.camera(focal=320.0), cube))
    rows, cols = np.nonzero(signals["instance"])
    assert (cols.min(), cols.max() + 1, rows.min(), rows.max() + 1) == (120, 200, 80, 160)
    front = signals["depth"][rows, cols]
    assert np.abs(front - 2.0).max() < 1e-5  # 0.01 mm
    assert np.abs(signals["normal"][rows, cols] - (0, 0, -1)).max() < 1e-5
    # the object channel is the point in the cube's own frame: it stands on z = 0 there
    own = signals["object"][rows, cols]
    assert np.abs(own[:, 1] + 0.25).max() < 1e-5
    assert own[:, 2].max() == pytest.approx(0.5, abs=0.5 / 80) and own[:, 2].min() == pytest.approx(0, abs=0.5 / 80)


def test_right_is_right_and_up_is_up(make, labelled):
    ball = primitives.sphere(0.2)
    signals = labelled(make.scene(make.camera(), make.body(1, ball, (0.6, 3, 0)), make.body(2, ball, (0, 3, 0.6))))
    rows, cols = np.nonzero(signals["instance"] == 1)
    assert cols.mean() + 0.5 == pytest.approx(160 + 300 * 0.6 / 3, abs=0.6)
    assert rows.mean() + 0.5 == pytest.approx(120, abs=0.1)
    rows, cols = np.nonzero(signals["instance"] == 2)
    assert rows.mean() + 0.5 == pytest.approx(120 - 300 * 0.6 / 3, abs=0.6)
    assert cols.mean() + 0.5 == pytest.approx(160, abs=0.1)


def test_half_an_occlusion(make, labelled):
    """A near box covers the left half of a far one: 50 % of it is seen, all of it is in its silhouette."""
    far = make.body(1, primitives.box(1.0, 0.2, 1.0), (0, 4.1, 0))  # 80 px square
    near = make.body(2, primitives.box(1.0, 0.2, 2.0), (-0.5, 2.1, 0))  # its right edge at the middle of the picture
    signals = labelled(make.scene(make.camera(focal=320.0), far, near))
    whole = signals["silhouettes"][0]
    seen = signals["instance"] == 1
    assert whole.sum() == 80 * 80
    assert seen.sum() == 40 * 80
    assert (whole & (signals["instance"] == 2)).sum() == whole.sum() - seen.sum()
    assert np.array_equal(signals["silhouettes"][1], signals["instance"] == 2)
    assert signals["wide_area"][0] == whole.sum()


@pytest.mark.parametrize("distortion", [BARREL, PINCUSHION])
def test_corners_of_a_box_go_through_the_lens(make, labelled, distortion):
    """The projected corners of a turned box and its mask's box agree within a pixel; straight edges bend as the formula."""
    camera = make.camera(distortion)
    box = make.body(1, primitives.box(1.2, 0.8, 0.9), (0.5, 3.0, 0.3), turn_deg=33)
    signals = labelled(make.scene(camera, box))
    rows, cols = np.nonzero(signals["instance"])
    outline = box.surfaces[0].vertices[box.surfaces[0].faces]
    along = np.linspace(0, 1, 200)[:, None, None, None]
    edges = outline[:, [0, 1, 2]] * (1 - along) + outline[:, [1, 2, 0]] * along
    px = project(camera, edges.reshape(-1, 3))[0]
    assert (cols.min(), rows.min()) == pytest.approx(tuple(px.min(axis=0)), abs=1.0)
    assert (cols.max() + 1, rows.max() + 1) == pytest.approx(tuple(px.max(axis=0)), abs=1.0)


@pytest.mark.parametrize("distortion", [BARREL, PINCUSHION])
def test_a_straight_edge_bends_by_the_formula(make, labelled, distortion):
    """The rim of a wall that fills the picture below it: every column's first wall row is where the formula says."""
    camera = make.camera(distortion)
    wall = make.body(1, primitives.box(30, 0.1, 4.0), (0, 3.05, -1.4))  # its top edge is 0.6 m above the axis, 3 m ahead
    seen = labelled(make.scene(camera, wall))["instance"] == 1
    x = np.linspace(-4, 4, 20001)
    rim = project_camera(camera.lens, np.stack([x, np.full_like(x, -0.6), np.full_like(x, 3.0)], axis=-1))
    rim = rim[np.isfinite(rim[:, 0])]
    order = np.argsort(rim[:, 0])
    wanted = np.interp(np.arange(320) + 0.5, rim[order, 0], rim[order, 1])
    first = seen.argmax(axis=0)
    inside = (wanted > 0) & (wanted < 240)
    assert inside.sum() > 200
    assert (np.abs(first + 0.0 - wanted)[inside] <= 0.5 + 1e-3).all()
    assert np.ptp(wanted[inside]) > 2  # it does bend


def test_truncation(make, labelled):
    """A square board half outside the picture: the picture holds half its area, the extended picture all of it."""
    board = make.body(1, primitives.box(1.0, 0.01, 1.0), (160 / 100, 3.005, 0))  # its middle on the right border
    signals = labelled(make.scene(make.camera(), board))
    inside = signals["silhouettes"][0].sum()
    assert inside == pytest.approx(5000, abs=100)
    assert signals["wide_area"][0] == pytest.approx(10000, abs=200)


def test_what_lies_behind_the_camera_is_not_seen(make, labelled):
    around = make.body(1, primitives.box(0.5, 8.0, 0.1), (0, 0, -1.0))  # a board below, from behind to ahead
    behind = make.body(2, primitives.sphere(0.5), (0, -3, 0))
    signals = labelled(make.scene(make.camera(), around, behind))
    assert not (signals["instance"] == 2).any() and signals["wide_area"][1] == 0
    rows = np.nonzero(signals["instance"] == 1)[0]
    assert rows.min() == pytest.approx(120 + 300 * 0.95 / 4.0, abs=1.0)  # its far end
    assert rows.max() == 239


def test_an_unlabelled_thing_occludes(make, labelled):
    far = make.body(1, primitives.box(1.0, 0.2, 1.0), (0, 4.1, 0))
    near = make.body(7, primitives.box(1.0, 0.2, 2.0), (-0.5, 2.1, 0), category=None)
    signals = labelled(make.scene(make.camera(), far, near))
    assert len(signals["silhouettes"]) == 1
    assert not (signals["category"] == 1)[signals["instance"] == 7].any()
    assert (signals["instance"] == 1).sum() < signals["silhouettes"][0].sum()


def test_an_empty_scene_has_empty_channels(make, labelled):
    signals = labelled(make.scene(make.camera()))
    assert not signals["instance"].any() and np.isinf(signals["depth"]).all()
    assert signals["silhouettes"].shape == (0, 240, 320) and signals["wide_area"].shape == (0,)


def test_a_lamp_hides_what_lies_behind_it_but_not_its_own_body(make, labelled):
    """A lamp that covers the left half of a far box: that half is not labelled; a panel just behind a lamp is."""
    far = make.body(1, primitives.box(1.0, 0.2, 1.0), (0, 4.1, 0))
    facing = np.array([(1, 0, 0, -1.0), (0, 0, 1, 2.0), (0, 1, 0, 0), (0, 0, 0, 1)], float)  # x -2 to 0 at y = 2
    scene = make.scene(make.camera(focal=320.0), far)
    hidden = labelled(dataclasses.replace(scene, lamps=(Lamp(facing, (1.0, 1.0, 1.0)),)))
    assert (hidden["instance"] == 1).sum() == 40 * 80
    assert hidden["silhouettes"][0].sum() == 80 * 80
    near = facing.copy()
    near[1, 3] = 3.99  # 1 cm in front of the box
    assert (labelled(dataclasses.replace(scene, lamps=(Lamp(near, (1.0, 1.0, 1.0)),)))["instance"] == 1).sum() == 80 * 80


def test_one_triangle(make, labelled):
    """The smallest mesh: a triangle of 80 by 80 px covers half of its box, to a pixel a row."""
    one = primitives.Mesh(np.array([(0, 0, 0), (0.5, 0, 0), (0, 0, 0.5)], np.float32), np.array([(0, 1, 2)], np.int32),
                          np.zeros((3, 2), np.float32), smooth=False)
    seen = labelled(make.scene(make.camera(focal=320.0), make.body(1, one, (0, 2, 0))))["instance"] == 1
    assert seen.sum() == pytest.approx(80 * 80 / 2, abs=80)
    rows, cols = np.nonzero(seen)
    assert cols.min() == 120 and rows.max() == 159
