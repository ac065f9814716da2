"""Hair: which style and colour a figure has, put together from a cap, strands and what is tied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from understudy.draws import Draws
from understudy.fields import param
from understudy.scene import Material, Surface
from understudy.supports import OneOf
from understudy.values import Value
from understudy.worlds.people import hair_caps, hair_strands, hair_tied
from understudy.worlds.people.figure import Figure, Worn
from understudy.worlds.people.hair_colours import COLOURS, colour_of, mean_rgb, strands, texture
from understudy.worlds.people.hair_styles import STYLES, style_of
from understudy.worlds.people.hair_volume import volume


@dataclass(frozen=True)
class Hair:
    """Hair on the head."""

    style: Value = param("auto", OneOf(("auto", *STYLES)), "", "hairstyle; auto suits age, gender and ancestry")
    colour: Value = param("auto", OneOf(("auto", *COLOURS)), "", "colour; auto suits age and ancestry, a few are dyed")

    def choose(self, draws: Draws, figure: Figure) -> tuple[str, str, np.ndarray]:
        """(style, colour, linear colour of a single hair, which brows and beard share)."""
        style, colour = draws("style", self.style), draws("colour", self.colour)
        style = style_of(draws.key("style"), figure) if style == "auto" else style
        if colour == "auto":
            colour = colour_of(draws.key("colour"), figure.age, figure.ancestry.get("caucasian", 0.0))
        draws.note("worn_style", style)
        draws.note("worn_colour", colour)
        return style, colour, mean_rgb(colour)

    def surfaces(self, draws: Draws, figure: Figure, style: str, colour: str, skin_rgb: np.ndarray,
                 clothes: Sequence[Surface] = (), hat: str | None = None) -> Worn:
        """The hair of ``style`` and ``colour`` (as :meth:`choose` gave them), over ``clothes`` and under a ``hat`` (one of
        HEADWEAR); ``skin_rgb``: linear colour of the skin that shows through."""
        facts = {"hair": style, "hair_colour": "none" if style == "bald" else colour}
        shape = STYLES[style]
        if shape is None:
            return Worn((), None, facts)
        key = draws.key("shape")
        room = volume(key, figure, shape, clothes, hat)
        fine = 0.6 if figure.age < 2.5 else 1.0  # an infant's
        breadth = hair_strands.lock_m(replace(shape, lock=fine * shape.lock), figure.detail)
        painted = strands(key.child("colours"), colour)
        look = Material(texture(painted), roughness=0.55 if shape.curl else 0.42, specular=0.4)
        found = [hair_caps.cap(key, figure, shape, room, painted, skin_rgb, alone=breadth is None)]
        if room.hangs.any():
            found.append(hair_caps.curtain(figure, shape, room, look, alone=breadth is None))
        if breadth is not None and not shape.braids:
            found.append(hair_strands.surface("hair", figure, hair_strands.grown(key, shape, room, breadth), look))
        if breadth is not None and shape.braids:
            plaited = hair_tied.braids(key.child("braids"), shape, room, breadth)
            found.append(hair_strands.surface("hair", figure, plaited, look))
        if shape.knot:
            tied = hair_tied.knot(key.child("knot"), figure, shape, room, clothes, breadth or 0.012)
            found.append(hair_strands.surface("hair knot", figure, tied, look))
        return Worn(tuple(found), None, facts)


__all__ = ["COLOURS", "STYLES", "Hair"]
