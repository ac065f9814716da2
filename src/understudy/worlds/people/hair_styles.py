"""Hairstyles: how hair lies, how long and thick it is, how it curls, and who wears what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from understudy.key import Key
from understudy.worlds.people.figure import Figure


@dataclass(frozen=True)
class Style:
    """A hairstyle, lengths in metres on an adult head.

    layout : how the hair lies (scalp.LAYOUTS)
    top, side, front : thickness over the crown, over the ears and at the forehead's hairline
    length, side_length : of strands on top and at the sides; fall : how far they hang below the hairline (0: they do not)
    fringe : how far strands reach over the forehead
    lock : breadth of a ribbon of strands; rise : distance over which strands lift from the scalp to their layer
    curl, coil : radius and pitch of a curl (0: straight); clump : 0-1, how much tips gather; stray : 0-1 unruliness
    core : 0-1, how much of the thickness is filled beneath the strands
    cover : layers of ribbons over one another; knot : "", "tail", "bun" or "plait"; braids : how many hang loose
    balding : 0-1, bareness of forehead and crown; shaved : bristles on a shadow of hair
    """

    layout: str = "whorl"
    top: float = 0.02
    side: float = 0.01
    front: float = 0.015
    length: float = 0.04
    side_length: float = 0.02
    fall: float = 0.0
    fringe: float = 0.0
    lock: float = 0.0042
    rise: float = 0.012
    curl: float = 0.0
    coil: float = 0.03
    clump: float = 0.35
    stray: float = 0.2
    core: float = 0.45
    cover: float = 2.2
    knot: str = ""
    braids: int = 0
    balding: float = 0.0
    shaved: bool = False

    @property
    def parted(self) -> bool:
        """Whether a parting is seen: curls hide it."""
        return "part" in self.layout and self.curl < 0.008


STYLES: Mapping[str, Style | None] = {
    "bald": None,
    "receding": Style(top=0.006, side=0.009, front=0.004, length=0.02, side_length=0.016, balding=1.0, rise=0.006),
    "buzz": Style(top=0.004, side=0.003, front=0.003, length=0.004, side_length=0.003, rise=0.002, lock=0.0011, cover=0.5,
                  clump=0.0, stray=0.3, shaved=True),
    "short": Style(top=0.022, side=0.008, front=0.017, length=0.036, side_length=0.014, fringe=0.006, stray=0.35,
                   rise=0.010),
    "side part": Style("left part", top=0.024, side=0.011, front=0.022, length=0.085, side_length=0.02, rise=0.010,
                       clump=0.3),
    "swept back": Style("knot", top=0.016, side=0.008, front=0.016, length=0.11, side_length=0.05, rise=0.008, clump=0.4,
                        stray=0.12),
    "fringe": Style(top=0.018, side=0.014, front=0.012, length=0.12, side_length=0.05, fringe=0.035, clump=0.35, rise=0.02),
    "bob": Style("left part", top=0.018, side=0.016, front=0.014, length=0.30, side_length=0.20, fall=0.09, rise=0.014,
                 lock=0.005, cover=2.8),
    "medium": Style("middle part", top=0.020, side=0.018, front=0.014, length=0.36, side_length=0.26, fall=0.17, rise=0.014,
                    lock=0.005, curl=0.006, coil=0.085, clump=0.5, stray=0.3, cover=2.8),
    "long": Style("middle part", top=0.016, side=0.014, front=0.012, length=0.6, side_length=0.45, fall=0.31, rise=0.014,
                  lock=0.0055, clump=0.3, cover=3.0),
    "curly": Style("middle part", top=0.030, side=0.034, front=0.022, length=0.30, side_length=0.22, fall=0.10, rise=0.009,
                   lock=0.0050, curl=0.0090, coil=0.036, clump=0.55, stray=0.4, core=0.3, cover=2.6),
    "afro": Style(top=0.075, side=0.066, front=0.055, length=0.075, side_length=0.066, lock=0.0042, rise=0.0, curl=0.0060,
                  coil=0.019, clump=0.2, stray=0.25, core=0.70, cover=6.0),
    "ponytail": Style("knot", top=0.010, side=0.007, front=0.008, length=0.5, side_length=0.5, rise=0.007, clump=0.15,
                      stray=0.12, knot="tail", cover=2.4),
    "low ponytail": Style("nape knot", top=0.010, side=0.007, front=0.008, length=0.5, side_length=0.5, rise=0.007,
                          clump=0.15, stray=0.12, knot="tail", cover=2.4),
    "bun": Style("high knot", top=0.010, side=0.007, front=0.008, length=0.5, side_length=0.5, rise=0.007, clump=0.15,
                 stray=0.12, knot="bun", cover=2.4),
    "plait": Style("low knot", top=0.010, side=0.008, front=0.008, length=0.5, side_length=0.5, rise=0.008, clump=0.15,
                   stray=0.15, knot="plait", cover=2.4),
    "braids": Style("middle part", top=0.012, side=0.012, front=0.010, length=0.6, side_length=0.5, fall=0.26, rise=0.006,
                    lock=0.0105, braids=84, stray=0.1, clump=0.0),
}
_SEX_WEIGHTS = {  # style -> share among men, among women
    "bald": (0.06, 0.004), "receding": (0.05, 0.0), "buzz": (0.15, 0.01), "short": (0.33, 0.06), "side part": (0.20, 0.03),
    "swept back": (0.09, 0.01), "fringe": (0.05, 0.05), "bob": (0.01, 0.17), "medium": (0.03, 0.15), "long": (0.02, 0.20),
    "ponytail": (0.02, 0.10), "low ponytail": (0.01, 0.03), "bun": (0.015, 0.08), "plait": (0.0, 0.05),
    "curly": (0.04, 0.10), "afro": (0.0, 0.0), "braids": (0.0, 0.0),
}
_LONG = ("bob", "medium", "long", "curly", "ponytail", "low ponytail", "bun", "plait", "braids")


def style_of(key: Key, figure: Figure) -> str:
    """A style that suits age, gender and ancestry."""
    g = float(np.clip(figure.gender, 0, 1))
    weights = {s: (1 - g) * m + g * w for s, (m, w) in _SEX_WEIGHTS.items()}
    african = figure.ancestry.get("african", 0.0)
    weights["afro"] = 0.22 * african
    weights["braids"] = african * (0.06 + 0.22 * g)
    weights["buzz"] += 0.35 * african * (1 - g)
    weights["curly"] += 0.15 * african
    for straight in ("side part", "swept back", "fringe", "long", "bob", "medium"):
        weights[straight] *= 1 - 0.75 * african
    if figure.age < 22:
        weights["bald"] = weights["receding"] = 0.0
    if figure.age < 1.5:
        return "buzz" if key.child("infant").uniform() < 0.4 else "short"
    if figure.age < 12:
        weights["fringe"] += 0.2
        weights["swept back"] = 0.0
    if figure.age < 5:
        for name in _LONG:
            weights[name] *= 0.25
        weights["short"] += 0.35
    if figure.age > 50:
        weights["bald"] *= 2.5
        weights["receding"] *= 5.0
        weights["long"] *= 0.3
        weights["medium"] *= 0.6
        weights["short"] += 0.35 * g
    names = list(weights)
    return names[key.weighted([weights[n] for n in names])]
