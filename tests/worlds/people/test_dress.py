"""Clothes, shoes, hair, skin and eyes: meshes that are whole, parts that are named, and the same for the same key."""

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.key import Key
from understudy.scene import PART_ID, PARTS
from understudy.values import Fixed, Weighted
from understudy.worlds.people import body
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.clothes.canvas import canvas
from understudy.worlds.people.clothes.coordinates import skin_coordinates
from understudy.worlds.people.clothes.cut import cut, open_edges, whole
from understudy.worlds.people.clothes.fabric import CLOTHS, COLOURS, choose, colour_name
from understudy.worlds.people.clothes.garments import DRESSES, GARMENTS
from understudy.worlds.people.clothes.shoes import SHOES
from understudy.worlds.people.clothes.subdivide import catmull_clark
from understudy.worlds.people.figure import Detail
from understudy.worlds.people.hair import COLOURS as HAIR_COLOURS
from understudy.worlds.people.hair import STYLES, Hair
from understudy.worlds.people.skin import MONK_SRGB, Skin, monk_rgb


def clothes_for(name):
    """Clothes with the garment ``name`` and plain things beside it."""
    slot = "top" if GARMENTS[name].part in ("top", "dress") else GARMENTS[name].part
    rest = {"top": Fixed("t-shirt"), "bottom": Fixed("jeans"), "outerwear": Fixed("none"), "shoes": Fixed("shoes")}
    return Clothes(**(rest | {slot: Fixed(name)}))


SKIN_RGB = np.array([0.3, 0.2, 0.15])


def skinned(skin, figure, draws=None, covered=None, hair_rgb=(0.03, 0.02, 0.012)):
    """What a figure's skin is, from ``skin``'s fields alone."""
    draws = draws or Draws(Key(0))
    return skin.surfaces(draws, figure, skin.choose(draws, figure.ancestry), covered, hair_rgb=hair_rgb)


def check_surface(s):
    n, m = len(s.vertices), len(s.faces)
    assert n and m
    for array in (s.vertices, s.uv, s.rest, s.normals):
        if array is not None:
            assert array.dtype == np.float32 and np.isfinite(array).all() and len(array) == n
    assert s.faces.dtype == np.int32 and s.faces.min() >= 0 and s.faces.max() < n
    assert s.part.shape == (m,) and s.part.max() < len(PARTS) and s.part.min() > 0
    assert s.chart.shape == (m,) and s.chart.max() <= 24
    assert s.chart_uv.shape == (m, 3, 2) and s.chart_uv.min() >= 0 and s.chart_uv.max() <= 1
    assert np.isfinite(s.chart_uv).all()


@pytest.mark.parametrize("name", list(GARMENTS))
def test_every_garment_on_every_body_in_every_pose(dress_figures, name):
    for i, who in enumerate(dress_figures.BODIES):
        pose = dress_figures.POSES[i % len(dress_figures.POSES)]
        outfit = clothes_for(name).choose(Draws(Key(i)).at("clothes"), 30, 0.5)
        worn = outfit.surfaces(dress_figures.figure(who, pose))
        parts = {PARTS[p] for s in worn.surfaces for p in np.unique(s.part)}
        assert GARMENTS[name].part in parts and "shoes" in parts
        assert worn.covered.shape == (len(skin_coordinates().arm),)
        assert name in worn.facts["garments"]
        for s in worn.surfaces:
            check_surface(s)
            assert s.chart.min() > 0  # cloth has the body's charts beneath it


@pytest.mark.parametrize("name", ["t-shirt", "jeans", "dress", "hoodie"])
def test_cloth_lies_outside_the_body_it_covers(dress_figures, name):
    figure = dress_figures.figure("man")
    outfit = clothes_for(name).choose(Draws(Key(1)).at("clothes"), 30, 0.5)
    worn = outfit.surfaces(figure)
    box = figure.posed.vertices[:body.BODY_VERTICES][worn.covered[:body.BODY_VERTICES]]
    cloth = np.concatenate([s.vertices for s in worn.surfaces])
    assert (cloth.min(0) <= box.min(0) + 1e-3).all() and (cloth.max(0) >= box.max(0) - 1e-3).all()


def test_hems_are_closed_strips_of_even_depth(dress_figures):
    """Every open edge of a garment is the inner end of a facing, not the cut through the cloth."""
    outfit = clothes_for("t-shirt").choose(Draws(Key(3)).at("clothes"), 30, 0.0)
    shirt = next(s for s in outfit.surfaces(dress_figures.figure("man")).surfaces if s.name == "t-shirt")
    edges, _ = open_edges(shirt.faces, shirt.vertices.astype(float), np.ones(len(shirt.vertices), bool))
    first = {}
    for i, place in enumerate(map(bytes, np.ascontiguousarray(shirt.rest))):
        first.setdefault(place, i)
    behind = [i for i in np.unique(edges) if first[bytes(shirt.rest[i])] != i]
    assert len(behind) == len(np.unique(edges))
    depth = [np.linalg.norm(shirt.vertices[i] - shirt.vertices[first[bytes(shirt.rest[i])]]) for i in behind]
    assert 0.012 < min(depth) and max(depth) < 0.04


def test_hem_of_a_shirt_is_a_smooth_line(dress_figures):
    outfit = clothes_for("t-shirt").choose(Draws(Key(3)).at("clothes"), 30, 0.0)
    c = canvas()
    item = next(i for i in outfit.items if i.name == "t-shirt")
    z = c.at.xyz[:, 2]
    piece = cut(whole(c.faces, np.zeros(len(z), bool)), z - item.cut.bottom)
    on_line = piece.spread(z)[piece.line]
    assert np.abs(on_line - item.cut.bottom).max() < 1e-6


@pytest.mark.parametrize("kind", list(SHOES))
@pytest.mark.parametrize("who", ["man", "child", "toddler"])
def test_soles_stand_on_the_ground_that_they_promise(dress_figures, kind, who):
    outfit = Clothes(shoes=Fixed(kind)).choose(Draws(Key(2)).at("clothes"), 30, 0.0)
    stature = dress_figures.figure(who).rest.stature_m
    worn = outfit.surfaces(dress_figures.figure(who, "standing", outfit.sole_m(stature)))
    lowest = min(s.vertices[:, 2].min() for s in worn.surfaces)
    assert abs(lowest) < 0.004
    assert 0.003 < outfit.sole_m(stature) < 0.05


def test_barefoot_has_no_sole(dress_figures):
    outfit = Clothes(shoes=Fixed("barefoot")).choose(Draws(Key(2)).at("clothes"), 30, 0.0)
    assert outfit.sole_m(1.8) == 0
    worn = outfit.surfaces(dress_figures.figure())
    assert all(PART_ID["shoes"] not in s.part for s in worn.surfaces)
    feet = np.char.startswith(np.array([body.REGIONS[r] for r in body.model().region]), "foot")
    assert not worn.covered[feet & (skin_coordinates().xyz[:, 2] < -0.79)].any()


def test_the_same_key_gives_the_same_bytes(dress_figures):
    def make():
        draws = Draws(Key(9))
        figure = dress_figures.figure("heavy woman", "striding")
        worn = Clothes().choose(draws.at("clothes"), 40, 1.0).surfaces(figure)
        style, colour, rgb = Hair(style=Fixed("long")).choose(draws.at("hair"), figure)
        hair = Hair().surfaces(draws.at("hair"), figure, style, colour, SKIN_RGB, worn.surfaces)
        skin = skinned(Skin(), figure, draws.at("skin"), worn.covered, rgb)
        return [*worn.surfaces, *hair.surfaces, *skin.surfaces], draws.drawn

    (first, drawn), (second, again) = make(), make()
    assert drawn == again
    for a, b in zip(first, second):
        assert a.vertices.tobytes() == b.vertices.tobytes() and a.faces.tobytes() == b.faces.tobytes()
        if hasattr(a.material.base_color, "pixels"):
            assert a.material.base_color.pixels.tobytes() == b.material.base_color.pixels.tobytes()


def test_a_dress_leaves_no_room_for_trousers():
    outfit = Clothes(top=Fixed("dress"), bottom=Fixed("jeans")).choose(Draws(Key(0)), 30, 1.0)
    assert [i.name for i in outfit.items if GARMENTS[i.name].part in ("bottom", "dress")] == ["dress"]
    assert set(DRESSES) <= set(GARMENTS)


def test_wanted_patterns_and_colours_are_worn():
    clothes = Clothes(top=Fixed("t-shirt"), top_pattern=Fixed("stripes"), top_colour=Fixed("red"), bottom=Fixed("trousers"),
                      bottom_colour=Fixed("beige"))
    for seed in range(20):
        facts = clothes.choose(Draws(Key(seed)), 30, 0.0).facts()
        assert facts["top_pattern"] == "stripes" and facts["top_colour"] in ("red", "wine", "orange")
        assert facts["bottom_colour"] in ("beige", "pink", "orange", "white", "yellow", "brown")


@pytest.mark.parametrize("cloth", list(CLOTHS))
def test_every_cloth_in_every_pattern_is_a_material(cloth):
    for name in CLOTHS[cloth].patterns:
        material = choose(Key(1), cloth, name).material(Detail())
        assert material.base_color.pixels.dtype == np.uint8 and material.base_color.pixels.ndim == 3
        assert 0 <= material.roughness <= 1


def test_colours_name_themselves():
    assert all(colour_name(rgb) == name for name, rgb in COLOURS.items())


@pytest.mark.parametrize("style", [s for s in STYLES if s != "bald"])
def test_every_hairstyle(dress_figures, style):
    for i, (who, pose) in enumerate(zip(dress_figures.BODIES, (*dress_figures.POSES, "standing"))):
        figure = dress_figures.figure(who, pose)
        colour = list(HAIR_COLOURS)[i]
        worn = Hair().surfaces(Draws(Key(i)), figure, style, colour, SKIN_RGB)
        assert worn.facts == {"hair": style, "hair_colour": colour}
        top = figure.posed.vertices[:body.BODY_VERTICES, 2].max()
        for s in worn.surfaces:
            check_surface(s)
            assert set(np.unique(s.part)) == {PART_ID["hair"]}
        assert style == "receding" or max(s.vertices[:, 2].max() for s in worn.surfaces) > top  # it stands on the crown
        eyes = figure.posed.vertices[body.model().mesh("eye.L").base].mean(0)
        hair = np.concatenate([s.vertices for s in worn.surfaces])
        assert np.linalg.norm(hair - eyes, axis=1).min() > 0.012  # and does not cover the eyes


def test_bald_is_bare(dress_figures):
    worn = Hair().surfaces(Draws(Key(0)), dress_figures.figure(), "bald", "black", SKIN_RGB)
    assert worn.surfaces == () and worn.facts["hair_colour"] == "none"


def test_skin_is_whole_without_clothes(dress_figures):
    figure = dress_figures.figure()
    worn = skinned(Skin(), figure)
    for s in worn.surfaces:
        check_surface(s)
    faces = sum(len(s.faces) for s in worn.surfaces if s.name in ("face", "skin", "mouth"))
    assert faces == len(body.model().mesh("body").faces)
    assert {"face", "skin", "eyes"} == {PARTS[p] for s in worn.surfaces for p in np.unique(s.part)}


def test_covered_skin_is_not_shown(dress_figures):
    figure = dress_figures.figure()
    covered = np.zeros(len(figure.posed.vertices), bool)
    covered[:body.BODY_VERTICES] = figure.posed.vertices[:body.BODY_VERTICES, 2] < 1.0
    worn = skinned(Skin(), figure, covered=covered)
    assert min(s.vertices[:, 2].min() for s in worn.surfaces) > 0.85


def test_tones_can_be_ordered_exactly(dress_figures):
    figure = dress_figures.figure()
    for tone in range(1, 11):
        worn = skinned(Skin(tone=Fixed(tone)), figure, Draws(Key(tone)))
        assert worn.facts["skin_tone"] == tone
    wanted = Weighted((("2", 2, 1.0), ("9", 9, 3.0)))
    got = {skinned(Skin(tone=wanted), figure, Draws(Key(i))).facts["skin_tone"] for i in range(5)}
    assert got <= {2, 9} and 9 in got


def test_tones_darken_step_by_step_and_are_the_published_ones(dress_figures):
    light = [float(monk_rgb(t) @ [0.2126, 0.7152, 0.0722]) for t in range(1, 11)]
    assert (np.diff(light[3:]) < 0).all() and light[0] > light[3]
    assert len(MONK_SRGB) == 10 and MONK_SRGB[0] == "f6ede4" and MONK_SRGB[9] == "292420"
    figure = dress_figures.figure()
    painted = []
    for tone in (1, 4, 6, 8, 10):
        worn = skinned(Skin(tone=Fixed(tone)), figure)
        painted.append(next(s for s in worn.surfaces if s.name == "skin").material.base_color.pixels.mean())
    assert painted == sorted(painted, reverse=True)


def test_tone_follows_ancestry(dress_figures):
    def mean(name):
        figure = dress_figures.figure(name)
        return np.mean([skinned(Skin(), figure, Draws(Key(i))).facts["skin_tone"] for i in range(6)])

    assert mean("heavy woman") > mean("child") > mean("man") - 0.5


def test_children_and_women_have_no_beard(dress_figures):
    for name in ("child", "toddler", "heavy woman"):
        for i in range(3):
            assert skinned(Skin(), dress_figures.figure(name), Draws(Key(i))).facts["beard"] == "none"


def test_subdivision_keeps_planes_and_sums_to_one():
    quads = np.array([[0, 1, 4, 3], [1, 2, 5, 4], [3, 4, 7, 6], [4, 5, 8, 7]])
    grid = np.stack(np.meshgrid(np.arange(3.0), np.arange(3.0)), -1).reshape(-1, 2)
    stencil, fine, parent = catmull_clark(quads, 9)
    assert np.allclose(stencil.sum(1), 1) and len(fine) == 16 and (np.bincount(parent) == 4).all()
    flat = stencil @ grid
    assert np.allclose(flat[4], [1, 1]) and np.unique(fine).size == 25
    a, b, c = (flat[fine[:, k]] for k in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    assert (turn > 0).all()  # quads keep their orientation


def test_a_cut_keeps_exactly_one_side():
    x = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    piece = cut(whole(np.array([[0, 1, 2], [0, 2, 3]]), np.ones(4, bool)), 0.3 - x[:, 0])
    at = piece.spread(x)
    a, b, c = (at[piece.faces[:, k]] for k in range(3))
    area = 0.5 * np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum()
    assert area == pytest.approx(0.3, abs=1e-6)
    assert at[np.unique(piece.faces), 0].max() == pytest.approx(0.3, abs=1e-6)
    assert set(piece.parent) <= {0, 1}
