"""No skin pokes through cloth: looked at from around the figure with the rasteriser."""

from dataclasses import replace

import numpy as np
import pytest

from understudy import signals
from understudy.draws import Draws
from understudy.key import Key
from understudy.renderers.flat import Flat
from understudy.scene import PART_ID, Camera, Entity, Lens, Material, Scene, Surface
from understudy.values import Fixed
from understudy.worlds.people import body
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.clothes.canvas import skin_coordinates
from understudy.worlds.people.clothes.garments import GARMENTS, WAIST, levels
from understudy.worlds.people.clothes.shoes import levels as shoe_levels
from understudy.worlds.people.figure import Detail

INSIDE_M = 0.010  # skin this far inside a garment's border belongs beneath it
THROUGH_M = 0.03  # cloth this close behind such skin means that the skin came through it


def beneath(outfit):
    """(V,) bool: base vertices that the outfit's cloth lies over."""
    at = skin_coordinates()
    under = np.zeros(len(at.arm), bool)
    for item in outfit.items:
        if GARMENTS[item.name].skirt:
            z = at.xyz[:, 2]
            top = item.cut.top if item.cut.top < 0.5 else WAIST
            under |= (z < top - INSIDE_M) & (z > max(item.cut.bottom, -0.30) + 0.04) & (at.arm < 0)
            if item.cut.top < 0.5:
                continue
            inside = np.min(levels(replace(item.cut, bottom=WAIST - 0.05), at), 0)
        else:
            inside = np.min(levels(item.cut, at), 0)
        under |= inside > INSIDE_M
    if outfit.shoes:
        under |= np.min(shoe_levels(outfit.shoes.last, at), 0) > INSIDE_M
    return under


def poke(figure, outfit, views=4, px=320):
    """(pixels where skin came through cloth, pixels of cloth) over ``views`` around the figure."""
    worn = outfit.surfaces(figure)
    faces = body.model().mesh("body").base_faces
    shown = ~worn.covered[faces].all(1)
    under = beneath(outfit)[faces].all(1) & shown
    v = figure.posed.vertices[:body.BODY_VERTICES]
    skin = [Surface(name, v, faces[rows].astype(np.int32), Material(), np.full(rows.sum(), PART_ID[part], np.uint8))
            for name, rows, part in (("skin", shown & ~under, "skin"), ("under", under, "other")) if rows.any()]
    middle, height = 0.5 * (v.min(0) + v.max(0)), np.ptp(v, 0).max()
    through = cloth = 0
    for k in range(views):
        turn = 2 * np.pi * (k + 0.3) / views
        away = np.array([np.cos(turn), np.sin(turn), 0.15])
        forward = -away / np.linalg.norm(away)
        right = np.cross(forward, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        to_world = np.eye(4)
        to_world[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
        to_world[:3, 3] = middle - forward * 4 * height
        camera = Camera(Lens((px, px), (3.6 * px, 3.6 * px), (px / 2, px / 2)), to_world)
        seen, only = (look(camera, surfaces) for surfaces in ((*skin, *worn.surfaces), worn.surfaces))
        gap = np.where(only["part"] > 0, only["depth"], 0) - np.where(only["part"] > 0, seen["depth"], 0)
        through += int(((seen["part"] == PART_ID["other"]) & (only["part"] > 0) & (gap < THROUGH_M * height)).sum())
        cloth += int((only["part"] > 0).sum())
    return through, cloth


def look(camera, surfaces):
    scene = Scene(("person",), camera, (Entity(1, "person", tuple(surfaces)),))
    return Flat().render(scene, (signals.PART, signals.DEPTH), Key(0))


@pytest.mark.parametrize("detail", [Detail(), Detail(190.0)], ids=["fine", "coarse"])
@pytest.mark.parametrize("pose", ["standing", "sitting"])
@pytest.mark.parametrize("name", ["man", "heavy woman"])
def test_no_skin_through_cloth(dress_figures, name, pose, detail):
    outfit = Clothes(top=Fixed("t-shirt"), bottom=Fixed("jeans"), shoes=Fixed("sneakers")).choose(
        Draws(Key(5)).at(name), 35, float(name != "man"))
    through, cloth = poke(replace(dress_figures.figure(name, pose), detail=detail), outfit)
    assert cloth > 3000
    assert through < 0.002 * cloth


def test_the_measure_sees_skin_that_comes_through(dress_figures):
    figure = dress_figures.figure("man")
    outfit = Clothes(top=Fixed("t-shirt"), bottom=Fixed("jeans"), shoes=Fixed("sneakers")).choose(Draws(Key(5)), 35, 0.0)
    pack = type(outfit)

    class Thin(pack):  # cloth sunk 2 cm into the body, and nothing hidden
        def surfaces(self, figure):
            worn = pack.surfaces(self, figure)
            sunk = tuple(replace(s, vertices=(s.vertices - 0.02 * s.normals).astype(np.float32)) for s in worn.surfaces)
            return replace(worn, surfaces=sunk, covered=np.zeros_like(worn.covered))

    through, cloth = poke(figure, Thin(outfit.items, outfit.shoes, outfit.tucked, outfit.key))
    assert through > 0.3 * cloth


@pytest.mark.slow
def test_no_skin_through_cloth_on_random_figures():
    from understudy.errors import Unsatisfiable
    from understudy.worlds.people import pose
    from understudy.worlds.people.population import Body
    from understudy.worlds.people.population import sample as sample_person
    from understudy.worlds.people.pose import Posing

    through = cloth = dressed = 0
    for i in range(30):
        draws = Draws(Key(77) / i)
        try:
            person = sample_person(draws.at("body"), Body())
            stance = pose.sample(draws.at("pose"), person.rest, Posing(), person.age)
        except Unsatisfiable:
            continue
        outfit = Clothes().choose(draws.at("clothes"), person.age, person.gender)
        figure = _figure(person, stance)
        a, b = poke(figure, outfit, views=3, px=240)
        through, cloth, dressed = through + a, cloth + b, dressed + 1
    assert dressed >= 20
    assert through < 0.002 * cloth


def _figure(person, stance):
    from understudy.worlds.people.figure import Figure

    return Figure(person.rest, stance.body, person.age, person.gender, 22.0, person.rest.stature_m, person.muscle,
                  person.ancestry, -90.0, stance.family)
