"""No skin pokes through cloth: looked at from around the figure with the rasteriser."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.key import Key
from understudy.values import Fixed
from understudy.worlds.people.clothes import Clothes, headwear
from understudy.worlds.people.figure import Detail


@pytest.fixture(scope="module")
def measure():
    """The measure of bench/figures_dressed.py."""
    sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))
    return importlib.import_module("figures_dressed")


@pytest.mark.parametrize("detail", [Detail(), Detail(190.0)], ids=["fine", "coarse"])
@pytest.mark.parametrize("pose", ["standing", "sitting"])
@pytest.mark.parametrize("name", ["man", "heavy woman"])
def test_no_skin_through_cloth(measure, dress_figures, name, pose, detail):
    outfit = Clothes(top=Fixed("t-shirt"), bottom=Fixed("jeans"), shoes=Fixed("sneakers")).choose(
        Draws(Key(5)).at(name), 35, float(name != "man"))
    seen = measure.poke(replace(dress_figures.figure(name, pose), detail=detail), outfit)
    assert seen.cloth.total() > 3000
    assert seen.share < 0.002


def test_the_measure_sees_skin_that_comes_through(measure, dress_figures):
    figure = dress_figures.figure("man")
    outfit = Clothes(top=Fixed("t-shirt"), bottom=Fixed("jeans"), shoes=Fixed("sneakers")).choose(Draws(Key(5)), 35, 0.0)
    pack = type(outfit)

    class Thin(pack):  # cloth sunk 2 cm into the body, and nothing hidden
        def surfaces(self, figure):
            worn = pack.surfaces(self, figure)
            sunk = tuple(replace(s, vertices=(s.vertices - 0.02 * s.normals).astype(np.float32)) for s in worn.surfaces)
            return replace(worn, surfaces=sunk, covered=np.zeros_like(worn.covered))

    assert measure.poke(figure, Thin(outfit.items, outfit.shoes, outfit.tucked, outfit.key)).share > 0.3


@pytest.mark.parametrize("kind", headwear.HEADWEAR)
def test_no_skin_and_no_hair_through_a_hat(measure, dress_figures, kind):
    from understudy.scene import PART_ID
    from understudy.worlds.people.hair import Hair

    figure = dress_figures.figure("heavy woman")
    outfit = replace(Clothes().choose(Draws(Key(5)), 45, 1.0), headwear=headwear.chosen(Key(8), kind))
    style = headwear.hair_under(kind, "curly")
    hair = Hair().surfaces(Draws(Key(6)), figure, style, "black", np.full(3, 0.2), outfit.surfaces(figure).surfaces, kind)
    seen = measure.poke(figure, outfit, hair.surfaces, px=400)
    hat = PART_ID["hat"]
    assert seen.cloth[hat] > 1000
    assert seen.skin[hat] <= 0.002 * seen.cloth[hat] and seen.hair[hat] <= 0.1 * seen.cloth[hat]
    # (what hangs down beside the ears lies over the lower edge)
    if kind == "cap":  # the measure sees hair that no hat presses down
        loose = Hair().surfaces(Draws(Key(6)), figure, style, "black", np.full(3, 0.2), outfit.surfaces(figure).surfaces)
        assert measure.poke(figure, outfit, loose.surfaces, px=400).hair[hat] > 0.3 * seen.cloth[hat]


@pytest.mark.slow
def test_no_skin_through_cloth_on_random_figures(measure):
    seen = [measure.poke(*measure.dressed(Key(77) / i, measure.detail(i))[:3], views=3, px=240) for i in range(24)]
    assert sum(s.skin.total() for s in seen) < 0.002 * sum(s.cloth.total() for s in seen)
