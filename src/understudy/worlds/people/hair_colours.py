"""The colour of hair from its pigments, and the texture of its strands.

A strand's colour comes from how much eumelanin (black to brown) and pheomelanin (red) it holds; absorption per unit of
either after d'Eon et al., *An energy-conserving hair reflectance model*, EGSR 2011. Grey hair is a mixture of pigmented and
white strands, as on a head. Dyed hair has one absorbing dye in place of the pigments.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from understudy.assets.palettes import srgb_encode_fast
from understudy.key import Key
from understudy.scene import Texture

_EUMELANIN = np.array([0.419, 0.697, 1.37])
_PHEOMELANIN = np.array([0.187, 0.4, 1.05])
_DEPTH = 2.2  # of the light's way through a head of hair, in units of the absorption's root
_WHITE = 0.72  # reflectance of hair without pigment
_GLINT = np.array([0.007, 0.0068, 0.0066])  # what the surface of the strands sends back whatever their colour


@dataclass(frozen=True)
class Pigment:
    """eumelanin, pheomelanin : amounts; white : share of strands without pigment."""

    eumelanin: float
    pheomelanin: float = 0.0
    white: float = 0.0


COLOURS: Mapping[str, Pigment | None] = {
    "black": Pigment(7.0, 0.2),
    "dark brown": Pigment(3.2, 0.2),
    "brown": Pigment(1.7, 0.25),
    "light brown": Pigment(0.85, 0.25),
    "blond": Pigment(0.28, 0.18),
    "red": Pigment(0.15, 2.4),
    "grey": Pigment(2.4, 0.2, 0.6),
    "white": Pigment(0.5, 0.1, 0.93),
    "dyed": None,
}
_DYES = ((0.05, 2.2, 0.5), (2.4, 1.0, 0.05), (1.8, 0.1, 0.9), (0.05, 3.0, 3.2), (0.7, 2.2, 0.08), (0.1, 0.7, 3.0))


def colour_of(key: Key, age: float, caucasian: float) -> str:
    """A colour that suits age (years) and ancestry (share of Caucasian)."""
    grey = float(np.clip((age - 38) / 34, 0, 1)) ** 1.3
    if key.child("grey").uniform() < grey:
        return "white" if key.child("white").uniform() < np.clip((age - 62) / 22, 0, 0.9) else "grey"
    if age > 14 and key.child("dyed").uniform() < 0.03:
        return "dyed"
    names = ("black", "dark brown", "brown", "light brown", "blond", "red")
    dark = (0.75, 0.22, 0.03, 0.0, 0.0, 0.0)
    fair = (0.06, 0.27, 0.29, 0.17, 0.17, 0.04)
    return names[key.child("natural").weighted([(1 - caucasian) * d + caucasian * f for d, f in zip(dark, fair)])]


def strand_rgb(absorption: np.ndarray) -> np.ndarray:
    """Linear colour (..., 3) of a mass of strands that absorb as much."""
    return _GLINT + _WHITE * np.exp(-_DEPTH * np.sqrt(np.maximum(absorption, 0)))


def mean_rgb(colour: str) -> np.ndarray:
    """(3,) linear colour of hair, which brows and beard share; under a dye it is dark brown."""
    pigment = COLOURS[colour] or COLOURS["dark brown"]
    bare = strand_rgb(pigment.eumelanin * _EUMELANIN + pigment.pheomelanin * _PHEOMELANIN)
    return (1 - pigment.white) * bare + pigment.white * strand_rgb(0.02 * _EUMELANIN)


def strands(key: Key, colour: str, across: int = 256, along: int = 64) -> np.ndarray:
    """Linear colours (along, across, 3) of strands side by side, tip first: every column is one strand, locks of them alike.

    Strands differ in pigment, lighten from root to tip as they age, and are darker at the root where others shade them.
    """
    lock = np.interp(np.arange(across) / across, np.linspace(0, 1, 25),
                     (lambda v: np.append(v, v[0]))(key.child("locks").normals(24).astype(float)))
    vary = np.exp(0.26 * key.child("strands").normals(across) + 0.22 * lock)
    pigment = COLOURS[colour]
    if pigment is None:
        dye = np.array(key.child("dye").choice(_DYES))
        absorption = vary[:, None] * (dye + 0.06 * _EUMELANIN)
    else:
        absorption = vary[:, None] * (pigment.eumelanin * _EUMELANIN + pigment.pheomelanin * _PHEOMELANIN)
        white = key.child("white").uniforms(across) < pigment.white * (1 + 0.2 * lock)
        absorption[white] = vary[white, None] * 0.03 * _EUMELANIN
    age = np.linspace(1, 0, along)[:, None]  # 1 at the tip, in the first row
    wave = key.child("wave").normals(along // 4, across // 4).astype(float)
    wave = np.repeat(np.repeat(wave, 4, 0), 4, 1)
    image = strand_rgb(absorption[None] * (1.12 - 0.30 * age)[..., None] * np.exp(0.10 * wave)[..., None])
    root = 0.62 + 0.38 * np.clip(6 * age, 0, 1)  # the last sixth lies deep
    return image * root[..., None]


def texture(linear: np.ndarray) -> Texture:
    return Texture((srgb_encode_fast(np.clip(linear, 0, 1)) * 255 + 0.5).astype(np.uint8))
