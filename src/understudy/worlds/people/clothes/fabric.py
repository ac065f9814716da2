"""What clothes are made of: colour, pattern, weave and how light meets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from understudy.assets.palettes import palette, srgb_encode_fast
from understudy.assets.patterns import pattern, pattern_with_relief, relief
from understudy.key import Key
from understudy.scene import Material, Texture
from understudy.worlds.people.clothes.creases import TILE_M, creased
from understudy.worlds.people.figure import Detail

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Cloth:
    """A kind of cloth: patterns with weights, the side of a pattern's tile (a whole part of a creased tile), the look of its
    surface, the height of its weave and that of the creases it falls into; lengths in metres."""

    patterns: Mapping[str, float]
    tile_m: float
    roughness: float = 0.85
    sheen: float = 0.3
    bump_m: float = 0.0008
    crease_m: float = 0.030


_PRINTS = {"plain": 5.0, "stripes": 1.4, "dots": 0.3, "floral": 0.4, "camouflage": 0.15, "gradient": 0.15}
CLOTHS: Mapping[str, Cloth] = {
    "jersey": Cloth({**_PRINTS, "print": 1.6}, 0.30),
    "shirting": Cloth({"plain": 3.2, "stripes": 1.2, "pinstripes": 0.8, "gingham": 1.0, "plaid": 1.8, "floral": 0.5}, 0.30,
                      0.8),
    "knit": Cloth({"knit": 4.0, "stripes": 1.0}, 0.15, 0.95, 0.5, 0.002, 0.018),
    "fleece": Cloth({"plain": 4.0, "print": 0.8}, 0.30, 0.95, 0.5),
    "denim": Cloth({"denim": 1.0}, 0.10, 0.9, 0.2),
    "twill": Cloth({"plain": 5.0, "herringbone": 0.5, "pinstripes": 0.4, "plaid": 0.2, "corduroy": 0.5}, 0.30, 0.85),
    "stretch": Cloth({"plain": 5.0, "camouflage": 0.3, "gradient": 0.3}, 0.30, 0.55, 0.1, 0.0003,
                      0.008),
    "wool": Cloth({"plain": 4.0, "herringbone": 1.0, "plaid": 0.6}, 0.30, 0.95, 0.6, 0.001),
    "dress": Cloth({"plain": 3.0, "floral": 1.6, "dots": 0.8, "stripes": 0.7, "gingham": 0.3, "gradient": 0.4}, 0.30, 0.75),
    "shell": Cloth({"plain": 5.0, "camouflage": 0.3}, 0.30, 0.5, 0.1, 0.0006),
    "leather": Cloth({"plain": 1.0}, 0.10, 0.45, 0.0, 0.0004, 0.018),
    "cotton": Cloth({"plain": 3.0, "stripes": 1.0}, 0.10, 0.9),
}
_PX = 768  # of a creased tile, at most
_DENIM = ((0.035, 0.060, 0.115), (0.100, 0.155, 0.250))
_BLACK_DENIM = ((0.010, 0.011, 0.013), (0.040, 0.042, 0.046))


@dataclass(frozen=True)
class Choice:
    """Cloth as chosen: its pattern, main colour and where its texture comes from."""

    cloth: str
    pattern: str
    colours: tuple[Colour, ...]
    key: Key

    def material(self, detail: Detail) -> Material:
        """Its texture, TILE_M square, as finely as ``detail`` shows it."""
        kind = CLOTHS[self.cloth]
        times = 1 if self.pattern == "print" else round(TILE_M / kind.tile_m)
        size = detail.texels(TILE_M / times, _PX // times)
        if self.pattern == "print":
            colour = _print(self.key.child("print"), self.colours)
            weave = relief("plain", self.key, 128) if detail.shows(TILE_M / 64) else None
        elif detail.shows(kind.tile_m / 32):
            colour, weave = pattern_with_relief(self.pattern, self.key.child("weave"), size, self.colours)
        else:
            colour, weave = pattern(self.pattern, self.key.child("weave"), size, self.colours), None
        colour, bump, bump_m = creased(self.key.child("creases"), colour, times, kind.crease_m, weave, kind.bump_m, detail)
        return Material(colour, roughness=kind.roughness, specular=0.25 if kind.roughness > 0.6 else 0.5, sheen=kind.sheen,
                        bump=bump, bump_m=bump_m)


def choose(key: Key, cloth: str, wanted: str = "auto", colour: str = "auto", printed: bool = True) -> Choice:
    """Cloth of a kind, with a pattern (one of PATTERNS, or auto) and a colour family (a name of COLOURS, or auto).

    ``printed`` : whether a graphic may be printed on the chest
    """
    kinds = {name: weight for name, weight in CLOTHS[cloth].patterns.items() if printed or name != "print"}
    names = list(kinds)
    name = names[key.child("pattern").weighted([kinds[n] for n in names])] if wanted == "auto" else wanted
    if cloth == "denim" and colour == "auto":
        wash = key.child("wash").uniform(0.3, 1.7)
        base = _BLACK_DENIM if key.child("black").uniform() < 0.2 else _DENIM
        colours = tuple(tuple(float(c * wash) for c in tone) for tone in base)
    elif colour == "auto":
        colours = palette(key.child("colour"), "cloth", 3)
    else:
        main = np.array(COLOURS[colour]) * key.child("shade").uniform(0.7, 1.3)
        colours = (tuple(float(c) for c in np.clip(main, 0.01, 0.9)), *palette(key.child("colour"), "cloth", 2))
    if name in ("plain", "corduroy", "herringbone", "denim", "knit") and cloth != "denim":
        first = np.array(colours[0])  # one colour, woven a little unevenly
        colours = (colours[0], tuple(float(c) for c in np.clip(first * 0.82, 0.004, 0.95)))
    return Choice(cloth, name, colours, key)


COLOURS: Mapping[str, Colour] = {
    "black": (0.012, 0.012, 0.013), "white": (0.80, 0.79, 0.76), "grey": (0.20, 0.20, 0.21), "navy": (0.014, 0.022, 0.065),
    "blue": (0.05, 0.13, 0.42), "red": (0.42, 0.025, 0.03), "green": (0.035, 0.17, 0.06), "yellow": (0.66, 0.46, 0.05),
    "orange": (0.62, 0.17, 0.02), "pink": (0.60, 0.20, 0.27), "purple": (0.13, 0.035, 0.20), "brown": (0.11, 0.055, 0.028),
    "beige": (0.48, 0.37, 0.25), "olive": (0.10, 0.105, 0.035), "teal": (0.02, 0.18, 0.19), "wine": (0.13, 0.012, 0.028),
}


def colour_name(rgb: Colour) -> str:
    """The nearest name of COLOURS, compared in cube-root (lightness-like) terms."""
    c = np.cbrt(np.array(rgb))
    return min(COLOURS, key=lambda n: float(((np.cbrt(np.array(COLOURS[n])) - c) ** 2).sum()))


def _print(key: Key, colours: tuple[Colour, ...]) -> Texture:
    """A plain cloth with one graphic on the chest, TILE_M square (u 0.5 is the middle of the front, v runs downwards from
    the neck)."""
    import cv2

    n = 512
    ground, *inks = colours
    linear = np.full((n, n, 3), ground, np.float32)
    canvas = np.zeros((n, n), np.uint8)
    kind = key.child("kind").integer(0, 4)
    x, y = n // 2, int(n * 0.28)
    r = int(n * key.child("size").uniform(0.045, 0.075))
    if kind == 0:
        cv2.circle(canvas, (x, y), r, 255, -1, cv2.LINE_AA)
        cv2.circle(canvas, (x, y), r // 2, 128, -1, cv2.LINE_AA)
    elif kind == 1:  # a few lines of lettering-like strokes
        at = key.child("letters").uniforms(3, 8)
        for row in range(2):
            for col in range(6):
                left, top = x - 2 * r + int(col * r * 0.68), y + int((row - 0.5) * r)
                a, b = at[row, col], at[2, col]
                cv2.line(canvas, (left, top), (left, top + int(r * 0.6)), 255, 4, cv2.LINE_AA)
                ends = (left, top + int(r * 0.6 * a)), (left + int(r * 0.4), top + int(r * 0.6 * b))
                cv2.line(canvas, *ends, 255, 4, cv2.LINE_AA)
    elif kind == 2:
        points = key.child("star").integer(3, 8)
        angle = np.arange(2 * points) * np.pi / points - np.pi / 2
        radius = np.where(np.arange(2 * points) % 2 == 0, r, 0.45 * r)
        star = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], 1).astype(np.int32)
        cv2.fillPoly(canvas, [star], 255, cv2.LINE_AA)
    elif kind == 3:
        for k in range(3):
            cv2.rectangle(canvas, (x - 2 * r, y - r + k * r), (x + 2 * r, y - r + k * r + r // 2), 255 - 60 * k, -1)
    else:
        cv2.rectangle(canvas, (x - r, y - r), (x + r, y + int(1.2 * r)), 255, -1)
        cv2.circle(canvas, (x + r // 4, y), r // 2, 110, -1, cv2.LINE_AA)
    a = (canvas.astype(np.float32) / 255)[..., None]
    two = np.array(inks[-1] if len(inks) > 1 else (0.7, 0.7, 0.7), np.float32)
    one = np.array(inks[0] if inks else (0.8, 0.8, 0.8), np.float32)
    if float(np.abs(np.cbrt(one) - np.cbrt(np.array(ground))).max()) < 0.25:  # ink that shows
        one = np.array((0.8, 0.78, 0.74) if sum(ground) < 0.9 else (0.02, 0.02, 0.03), np.float32)
    ink, laid = np.where(a > 0.75, one, np.where(a > 0.2, two, linear)), np.clip(a * 2, 0, 1)
    linear = ink * laid + linear * (1 - laid)
    srgb = srgb_encode_fast(np.clip(linear, 0, 1))
    return Texture((srgb * 255 + 0.5).astype(np.uint8))
