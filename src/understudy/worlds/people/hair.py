"""Hair: which style and colour a figure has, and what the strands are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.assets.palettes import srgb_encode_fast
from understudy.assets.patterns import noise
from understudy.draws import Draws
from understudy.fields import param
from understudy.key import Key
from understudy.scene import Material, Surface, Texture
from understudy.supports import OneOf
from understudy.values import Value
from understudy.worlds.people.figure import Detail, Figure, Worn
from understudy.worlds.people.hair_shells import TILE_M, Style, grown

# linear colours of the strands, dark and light
COLOURS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "black": ((0.004, 0.004, 0.004), (0.022, 0.019, 0.018)),
    "dark brown": ((0.010, 0.006, 0.004), (0.050, 0.031, 0.020)),
    "brown": ((0.026, 0.014, 0.008), (0.110, 0.064, 0.036)),
    "light brown": ((0.060, 0.036, 0.019), (0.190, 0.118, 0.064)),
    "blond": ((0.150, 0.098, 0.046), (0.420, 0.300, 0.150)),
    "red": ((0.060, 0.018, 0.006), (0.260, 0.085, 0.028)),
    "grey": ((0.100, 0.098, 0.095), (0.340, 0.335, 0.325)),
    "white": ((0.330, 0.325, 0.310), (0.680, 0.670, 0.640)),
    "dyed": ((0.050, 0.008, 0.040), (0.280, 0.050, 0.200)),
}


_LOCK_M = 0.005  # breadth of a lock of hair


STYLES: Mapping[str, Style | None] = {
    "bald": None,
    "buzz": Style(0.005, 0.004, 0.003, rough=0.03, edge=0.05),
    "short": Style(0.026, 0.012, 0.018, rough=0.20),
    "side part": Style(0.030, 0.014, 0.024, rough=0.14, part=True),
    "bob": Style(0.026, 0.026, 0.016, fall=0.085, rough=0.12, part=True),
    "long": Style(0.022, 0.022, 0.012, fall=0.28, rough=0.12, part=True),
    "ponytail": Style(0.012, 0.010, 0.008, rough=0.06, knot="tail"),
    "bun": Style(0.013, 0.010, 0.008, rough=0.06, knot="bun"),
    "curly": Style(0.040, 0.036, 0.026, fall=0.06, rough=0.36, curl=1.0, edge=0.09),
    "afro": Style(0.075, 0.070, 0.050, rough=0.14, curl=1.0, edge=0.04),
}
_SEX_WEIGHTS = {  # style -> share among men, among women
    "bald": (0.09, 0.004), "buzz": (0.17, 0.01), "short": (0.40, 0.07), "side part": (0.24, 0.05), "bob": (0.01, 0.22),
    "long": (0.02, 0.30), "ponytail": (0.02, 0.17), "bun": (0.015, 0.10), "curly": (0.04, 0.10), "afro": (0.0, 0.0),
}


@dataclass(frozen=True)
class Hair:
    """Hair on the head."""

    style: Value = param("auto", OneOf(("auto", *STYLES)), "", "hairstyle; auto suits age, gender and ancestry")
    colour: Value = param("auto", OneOf(("auto", *COLOURS)), "", "colour; auto suits age and ancestry, a few are dyed")

    def choose(self, draws: Draws, figure: Figure) -> tuple[str, str, np.ndarray]:
        """(style, colour, linear colour of a single hair, which brows and beard share)."""
        style, colour = draws("style", self.style), draws("colour", self.colour)
        style = _style_of(draws.key("style"), figure) if style == "auto" else style
        colour = _colour_of(draws.key("colour"), figure) if colour == "auto" else colour
        draws.note("worn_style", style)
        draws.note("worn_colour", colour)
        dark, light = (np.array(c) for c in COLOURS["dark brown" if colour == "dyed" else colour])
        return style, colour, 0.6 * dark + 0.4 * light

    def surfaces(self, draws: Draws, figure: Figure, style: str, colour: str, clothes: Sequence[Surface] = ()) -> Worn:
        """The hair of ``style`` and ``colour`` (as :meth:`choose` gave them), lying over ``clothes``."""
        facts = {"hair": style, "hair_colour": "none" if style == "bald" else colour}
        shape = STYLES[style]
        if shape is None:
            return Worn((), None, facts)
        key = draws.key("shape")
        material = _material(key.child("strands"), colour, shape, figure.detail)
        return Worn(tuple(grown(key, figure, shape, material, clothes)), None, facts)


def _style_of(key: Key, figure: Figure) -> str:
    g = float(np.clip(figure.gender, 0, 1))
    weights = {s: (1 - g) * m + g * w for s, (m, w) in _SEX_WEIGHTS.items()}
    african = figure.ancestry.get("african", 0.0)
    weights["afro"] = 0.25 * african
    weights["buzz"] += 0.35 * african * (1 - g)
    weights["curly"] += 0.2 * african
    for straight in ("side part", "long", "bob"):
        weights[straight] *= 1 - 0.7 * african
    if figure.age < 16:
        weights["bald"] = 0.0
    if figure.age < 1.5:
        return "buzz" if key.child("infant").uniform() < 0.6 else "short"
    if figure.age < 5:
        for falling in ("long", "bob", "curly", "ponytail", "bun"):
            weights[falling] *= 0.25
        weights["short"] += 0.4
    if figure.age > 55:
        weights["bald"] *= 3.0
        weights["long"] *= 0.35
        weights["short"] += 0.35 * g
    names = list(weights)
    return names[key.weighted([weights[n] for n in names])]


def _colour_of(key: Key, figure: Figure) -> str:
    grey = float(np.clip((figure.age - 38) / 34, 0, 1)) ** 1.3
    if key.child("grey").uniform() < grey:
        return "white" if key.child("white").uniform() < np.clip((figure.age - 62) / 22, 0, 0.9) else "grey"
    if figure.age > 14 and key.child("dyed").uniform() < 0.03:
        return "dyed"
    light = figure.ancestry.get("caucasian", 0.0)
    names = ("black", "dark brown", "brown", "light brown", "blond", "red")
    dark = (0.75, 0.22, 0.03, 0.0, 0.0, 0.0)
    fair = (0.06, 0.27, 0.29, 0.17, 0.17, 0.04)
    return names[key.child("natural").weighted([(1 - light) * d + light * f for d, f in zip(dark, fair)])]


def _material(key: Key, colour: str, style: Style, detail: Detail) -> Material:
    n = detail.texels(TILE_M, 256)
    dark, light = (np.array(c) for c in COLOURS[colour])
    if colour == "dyed":
        hue = key.child("dye").choice(((1, 0.15, 0.6), (0.15, 0.35, 1), (0.1, 0.9, 0.5), (1, 0.12, 0.08), (0.6, 0.2, 1)))
        light, dark = 0.35 * np.array(hue) + 0.02, 0.08 * np.array(hue) + 0.005
    if style.curl:
        grain = 0.6 * noise(key.child("curls"), n, 36, 3) + 0.4 * noise(key.child("locks"), n, 14, 2)
    else:
        grain = 0.55 * noise(key.child("fine"), n, (3, min(128, n)), 1) + 0.45 * noise(key.child("locks"), n, (2, 30), 2)
    tone = np.clip((grain - 0.28) / 0.5, 0, 1)[..., None]
    linear = dark * (1 - tone) + light * tone
    srgb = srgb_encode_fast(np.clip(linear, 0, 1))
    bump = Texture((np.clip(grain, 0, 1) * 255).astype(np.uint8)) if detail.shows(_LOCK_M) else None
    return Material(Texture((srgb * 255 + 0.5).astype(np.uint8)), roughness=0.62 if style.curl else 0.42,
                    specular=0.5, bump=bump, bump_m=(0.006 if style.curl else 0.0025) if bump else 0.0)
