"""Hair: grown from the scalp, as fine as the picture shows it, of natural colours, and out of the face and the clothes."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from understudy.draws import Draws
from understudy.key import Key
from understudy.scene import PART_ID
from understudy.worlds.people import body
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.figure import Detail
from understudy.worlds.people.hair import COLOURS, STYLES, Hair
from understudy.worlds.people.hair_colours import colour_of, mean_rgb, strand_rgb, strands
from understudy.worlds.people.hair_strands import grown, lock_m
from understudy.worlds.people.hair_styles import style_of
from understudy.worlds.people.hair_volume import volume
from understudy.worlds.people.scalp import LAYOUTS, RIM, scalp

SKIN = np.array([0.3, 0.2, 0.15])


def worn(figure, style, px_per_m=np.inf, clothes=(), seed=0):
    figure = replace(figure, detail=Detail(px_per_m))
    return Hair().surfaces(Draws(Key(seed)), figure, style, "brown", SKIN, clothes).surfaces


def triangles(surfaces):
    return sum(len(s.faces) for s in surfaces)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_columns_lie_on_the_scalp_and_end_at_the_hairline(layout):
    grid = scalp(layout)
    assert (np.abs(grid.rim_m[:, RIM]) < 1e-6).all()
    assert np.median(grid.rim_m[:, : RIM // 2]) > (0.03 if layout == "nape knot" else 0.04)
    assert grid.bary.min() >= 0 and np.allclose(grid.bary.sum(-1), 1)
    template = np.array(body.model().arrays["template_vertices"], float)
    points = np.einsum("crk,crkd->crd", grid.bary, template[body.model().mesh("body").base_faces[grid.face]])
    assert points[:, :RIM + 1, 2].min() > 0.6 and np.abs(points[..., 0]).max() < 0.11  # on the head, not on an ear


@pytest.mark.parametrize("style", [s for s in STYLES if s != "bald"])
def test_triangles_follow_the_pixels(dress_figures, style):
    counts = [triangles(worn(dress_figures.figure(), style, px)) for px in (np.inf, 400.0, 120.0, 35.0)]
    assert counts[0] <= 40000 and counts == sorted(counts, reverse=True)
    assert counts[3] <= 1800  # a person 60 pixels tall


def test_the_silhouette_is_the_same_from_near_and_far(dress_figures):
    """Extents of the hair in three axes, strands or no strands."""
    for style in ("short", "bob", "afro", "ponytail"):
        near, far = (np.concatenate([s.vertices for s in worn(dress_figures.figure(), style, px)]) for px in (np.inf, 35.0))
        apart = np.percentile(near, (0.5, 99.5), axis=0) - np.percentile(far, (0, 100), axis=0)  # without flyaways
        assert np.abs(apart).max() < 0.04, style


def test_strands_start_at_the_scalp_and_do_not_go_into_the_head(dress_figures):
    figure = dress_figures.figure()
    for style in ("short", "side part", "long", "ponytail"):
        shape = STYLES[style]
        room = volume(Key(1), figure, shape, ())
        strands_ = grown(Key(2), shape, room, lock_m(shape, Detail()))
        skin = figure.posed.vertices[:body.BODY_VERTICES]
        tree = cKDTree(skin)
        assert tree.query(strands_.paths[:, 0])[0].max() < 0.025
        near = tree.query(strands_.paths.reshape(-1, 3))[1]
        depth = ((strands_.paths.reshape(-1, 3) - skin[near]) * figure.posed.normals[near]).sum(1)
        assert (depth < -0.004).mean() < 0.02, style  # 4 mm below the skin: a few strands at a hairline at most


def test_strands_taper_and_shine_round(dress_figures):
    shape = STYLES["short"]
    hair = next(s for s in worn(dress_figures.figure(), "short") if s.name == "hair")
    assert np.allclose(np.linalg.norm(hair.normals, axis=1), 1, atol=1e-3)
    room = volume(Key(1), dress_figures.figure(), shape, ())
    ribbons = grown(Key(2), shape, room, 0.004)
    assert (ribbons.width[:, -1] < 0.2 * ribbons.width.max(axis=1)).all()


def test_long_hair_lies_over_the_clothes(dress_figures):
    figure = dress_figures.figure("heavy woman")
    clothes = Clothes().choose(Draws(Key(4)).at("clothes"), 40, 1.0).surfaces(figure).surfaces
    tops = [s for s in clothes if s.part[0] in (PART_ID["top"], PART_ID["dress"], PART_ID["outerwear"])]
    cloth, normal = (np.concatenate([getattr(s, n) for s in tops]) for n in ("vertices", "normals"))
    for surface in worn(figure, "long", clothes=clothes):
        distance, near = cKDTree(cloth).query(surface.vertices)
        depth = ((surface.vertices - cloth[near]) * normal[near]).sum(1)[distance < 0.05]
        assert depth.size == 0 or (depth < -0.006).mean() < 0.06, surface.name


def test_more_pigment_is_darker_and_red_is_red():
    light = [mean_rgb(name) @ [0.2126, 0.7152, 0.0722] for name in ("black", "dark brown", "brown", "light brown", "blond")]
    assert light == sorted(light) and mean_rgb("white").mean() > mean_rgb("grey").mean() > mean_rgb("brown").mean()
    red, brown = mean_rgb("red"), mean_rgb("brown")
    assert red[0] / red[1] > 1.1 * brown[0] / brown[1]
    for pigment in COLOURS.values():
        if pigment is not None:
            rgb = strand_rgb(np.array([pigment.eumelanin, pigment.pheomelanin, 0.0]))
            assert (0 < rgb).all() and (rgb < 1).all()


def test_grey_is_a_mixture_and_white_strands_are_in_no_brown_hair():
    def bright(colour):
        image = strands(Key(3), colour, across=4096).mean((0, 2))
        return (image > 0.3).mean()

    assert 0.5 < bright("grey") < 0.7 and bright("white") > 0.85 and bright("brown") == 0 and bright("black") == 0


def test_strands_lighten_to_the_tip_and_no_two_locks_are_alike():
    image = strands(Key(5), "brown")
    assert image[:8].mean() > 1.1 * image[-8:].mean()
    assert image.mean((0, 2)).std() > 0.1 * image.mean()


def test_dyes_differ_by_the_key():
    hues = {tuple(np.argsort(strands(Key(i), "dyed").mean((0, 1)))) for i in range(12)}
    assert len(hues) >= 3


def test_auto_never_makes_a_child_bald_nor_gives_grey_hair_to_the_young(dress_figures):
    child = dress_figures.figure("child")
    assert {style_of(Key(i), child) for i in range(200)}.isdisjoint({"bald", "receding"})
    assert {colour_of(Key(i), 8.0, 0.5) for i in range(200)}.isdisjoint({"grey", "white", "dyed"})
    old = [colour_of(Key(i), 80.0, 0.5) for i in range(200)]
    assert sum(c in ("grey", "white") for c in old) > 180
