"""A figure that the picture shows small has fewer triangles, and nothing to see of it."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.geometry.cameras import look_at, to_camera
from understudy.key import Key
from understudy.renderers.raster import View, covered
from understudy.scene import Camera, Lens
from understudy.worlds.people import body
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.clothes.canvas import canvas
from understudy.worlds.people.figure import Detail
from understudy.worlds.people.skin import Skin
from understudy.worlds.people.thinning import CELLS_M, SEEN_PX, cell_m, representatives, thinned


def seen(vertices, faces, px_per_m, turn):
    """(h, w) bool: the pixels that a mesh covers from eight metres away."""
    away = np.array([np.cos(turn), np.sin(turn), 0.1])
    middle = 0.5 * (vertices.min(0) + vertices.max(0))
    pose = look_at(tuple(middle + 8 * away / np.linalg.norm(away)), tuple(middle))
    side = int(2.4 * px_per_m)
    camera = Camera(Lens((side, side), (8 * px_per_m,) * 2, (side / 2,) * 2), pose)
    return covered(to_camera(camera, vertices), faces, View(camera.lens))


def all_of(surfaces):
    vertices = np.concatenate([s.vertices for s in surfaces])
    starts = np.cumsum([0, *(len(s.vertices) for s in surfaces)])
    return vertices, np.concatenate([s.faces + start for s, start in zip(surfaces, starts)])


def test_cells_are_the_largest_that_the_picture_does_not_show():
    assert cell_m(Detail()) == 0
    for cell in CELLS_M:
        assert cell_m(Detail(SEEN_PX / cell)) == cell
    assert cell_m(Detail(1.01 * SEEN_PX / CELLS_M[0])) == 0


@pytest.mark.parametrize("cell", CELLS_M)
def test_what_stands_for_a_vertex_stands_for_itself_and_is_near(cell):
    standing = representatives(cell)
    assert (standing[standing] == standing).all()
    xyz = body.model().arrays["template_vertices"][:body.BODY_VERTICES]
    assert standing[:body.BODY_VERTICES].max() < body.BODY_VERTICES  # no helper stands for skin
    standing = standing[:body.BODY_VERTICES]
    assert np.linalg.norm(xyz - xyz[standing], axis=1).max() <= cell * 3**0.5 + 1e-6
    assert (body.model().region[standing] == body.model().region[:body.BODY_VERTICES]).all()


@pytest.mark.parametrize(("cell", "least"), [(0.006, 1.15), (0.012, 1.4), (0.024, 3)])
def test_a_thinned_body_has_fewer_triangles_the_same_outline_and_no_hole(dress_figures, cell, least):
    mesh = body.model().mesh("body")
    small = thinned(mesh.faces, mesh.base, mesh.uv, cell)
    assert len(small.faces) * least < len(mesh.faces)
    assert len(small.rows) == len(small.faces) and len(small.base) == len(small.uv)
    assert np.abs(small.uv[small.faces].mean(1) - mesh.uv[mesh.faces[small.rows]].mean(1)).max() < 0.12
    for who, pose in (("man", "striding"), ("child", "sitting")):
        vertices = dress_figures.figure(who, pose).posed.vertices.astype(float)
        for turn in (0.3, 2.0, 4.4):
            full = seen(vertices, mesh.base[mesh.faces], SEEN_PX / cell, turn)
            rough = seen(vertices, small.base[small.faces], SEEN_PX / cell, turn)
            assert (full & rough).sum() / (full | rough).sum() > 0.93
            inside = full & ~np.pad(~full, 3)[tuple(slice(3, -3) for _ in "xy")]
            for down in range(-3, 4):
                for aside in range(-3, 4):
                    inside &= np.roll(full, (down, aside), (0, 1))
            assert rough[inside].all()


@pytest.mark.parametrize("px_per_m", [60.0, 190.0])
def test_a_small_dressed_figure_looks_like_the_whole_one_with_a_fraction_of_its_triangles(dress_figures, px_per_m):
    for i, (who, pose) in enumerate((("man", "striding"), ("heavy woman", "sitting"), ("child", "standing"))):
        figures = [replace(dress_figures.figure(who, pose), detail=detail) for detail in (Detail(), Detail(px_per_m))]
        meshes = []
        for figure in figures:
            draws = Draws(Key(i))
            worn = Clothes().choose(draws.at("clothes"), figure.age, figure.gender).surfaces(figure)
            at = draws.at("skin")
            skin = Skin().surfaces(at, figure, Skin().choose(at, figure.ancestry), worn.covered).surfaces
            assert all(np.abs(np.linalg.norm(s.normals, axis=1) - 1).max() < 1e-4 for s in skin if s.normals is not None)
            meshes.append(all_of([*worn.surfaces, *skin]))
        (_, whole), (_, few) = meshes
        assert len(few) * 1.8 < len(whole)
        full, small = (seen(vertices.astype(float), faces, px_per_m, 1.2) for vertices, faces in meshes)
        assert (full & small).sum() / (full | small).sum() > 0.95


def test_no_finger_is_lost():
    """On the coarsest grid every finger's tip still has a volume."""
    m = body.model()
    mesh = m.mesh("body")
    small = thinned(mesh.faces, mesh.base, mesh.uv, CELLS_M[-1])
    left = np.unique(small.base[small.faces])
    for bone in (b for b in m.bones if b.startswith("finger") and "-3" in b):
        mine = left[m.main_bone[left] == m.bone(bone)]
        places = m.arrays["template_vertices"][mine].astype(float)
        assert len(mine) >= 6 and np.linalg.svd(places - places.mean(0), compute_uv=False)[-1] > 0.004


def test_the_coarse_canvas_is_every_fourth_vertex_of_the_fine_one():
    fine, coarse = canvas(), canvas(False)
    assert len(coarse.faces) * 4 == len(fine.faces)
    places = {bytes(p) for p in np.round(fine.at.xyz, 5)}
    own = [bytes(p) not in places for p in np.round(coarse.at.xyz, 5)]  # moved onto seams and beside them
    assert sum(own) < 0.2 * len(own)
    assert fine.rounds(10) == 10 and coarse.rounds(10) == 3
