"""Skin, hair and clothes together: everything that is seen of a posed figure."""

from __future__ import annotations

from understudy.draws import Draws
from understudy.worlds.people.clothes import Outfit
from understudy.worlds.people.figure import Figure, Worn
from understudy.worlds.people.hair import Hair
from understudy.worlds.people.skin import Skin


def dressed(draws: Draws, figure: Figure, outfit: Outfit, hair: Hair, skin: Skin) -> Worn:
    """All surfaces of a figure and its facts.

    ``outfit`` was chosen with ``Clothes.choose(draws.at("clothes"), age, gender)`` before the figure was posed, so that
    ``outfit.sole_m(stature_m)`` could lift its bare soles off the ground. Hair draws at ``hair``, skin at ``skin``.
    """
    worn = outfit.surfaces(figure)
    style, colour, hair_rgb = hair.choose(draws.at("hair"), figure)
    grown = hair.surfaces(draws.at("hair"), figure, style, colour)
    seen = skin.surfaces(draws.at("skin"), figure, worn.covered, hair_rgb=hair_rgb)
    return Worn((*seen.surfaces, *worn.surfaces, *grown.surfaces), worn.covered,
                {**seen.facts, **grown.facts, **worn.facts})
