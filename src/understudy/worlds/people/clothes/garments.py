"""The garments: where each one is cut, how it sits.

A garment's shape is a list of levels over :class:`Coordinates`, each above 0 where the cloth is; its border is where one
of them is 0. The same levels, asked at the skin's own vertices, say what it hides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from understudy.key import Key
from understudy.worlds.people.clothes.coordinates import Coordinates
from understudy.worlds.people.clothes.shell import Ease

Levels = list[np.ndarray]
ANKLE, KNEE, CROTCH, WAIST = -0.735, -0.37, -0.046, 0.125  # heights on the template


@dataclass(frozen=True)
class Cut:
    """The measures of one garment, in metres on the template.

    sleeve : how far down the arm (None without sleeves); neck : "crew", "vee", "scoop", "high", "collar" or "tank"
    top, bottom : heights of the upper and the lower border; open : half the width of an open front
    """

    sleeve: float | None = None
    neck: str = "crew"
    top: float = 1.0
    bottom: float = -1.0
    open: float = 0.0


@dataclass(frozen=True)
class Garment:
    """One kind of garment.

    part : an entry of scene.PARTS; cloths : materials that it is made of, with weights; cut, ease : from a key
    skirt : the lower part falls from the hips as one piece (skirts, dresses)
    """

    part: str
    cloths: Mapping[str, float]
    cut: Callable[[Key], Cut]
    ease: Callable[[Key], Ease]
    skirt: bool = False


def levels(cut: Cut, at: Coordinates) -> Levels:
    """Levels of the garment at points."""
    x, y, z = at.xyz.T
    out = []
    if cut.top < 0.5:  # a garment for the lower body: no arms, up to the waist (a little lower in front)
        out += [cut.top - 0.06 * np.clip(-y, -0.1, 0.1) - z, np.where(at.arm > 0, -1.0, 1.0)]
    else:
        out += _neckline(cut.neck, x, y, z)
        out += [cut.sleeve - at.arm] if cut.sleeve is not None else [_armhole(x, z, at.arm)]
        out += _open_front(cut, x, y, z)
    if cut.bottom > -0.78:
        out.append(z - cut.bottom)
    return out


def collar_levels(cut: Cut, at: Coordinates) -> Levels:
    """Levels of the turned-down collar of a garment with that neck: a band around its neckline, pointed in front."""
    x, y, z = at.xyz.T
    edge, front = _neckline("collar", x, y, z)
    point = 0.020 * np.exp(-(((np.abs(x) - 0.035) / 0.03) ** 2)) * np.clip(-(y + 0.03) / 0.03, 0, 1)
    out = [edge + 0.020, 0.026 + point - edge, front + 0.004]
    return [*out, *_open_front(cut, x, y, z)]


def _open_front(cut: Cut, x, y, z) -> Levels:
    if not cut.open:
        return []
    return [np.abs(x) - cut.open * (1 + 1.2 * np.clip(0.45 - z, 0, 0.5)) + 4 * np.clip(y + 0.06, 0, None)]


def _neckline(kind: str, x, y, z) -> Levels:
    # away from the neck's axis and downwards both lead out of the opening, so the line is sharp wherever it runs
    crew = np.hypot(x, y + 0.025) - 0.082 + 0.575 + 0.34 * y - z
    if kind == "tank":
        return [crew - 0.016, 10.0 * np.abs(x) ** 2 + 0.46 + 0.9 * np.clip(y + 0.02, 0, 0.07) - z]
    if kind == "vee":
        return [crew, 1.25 * np.abs(x) + 0.445 + 1.8 * np.clip(y + 0.11, 0, 0.2) - z]
    if kind == "scoop":
        return [crew - 0.016, 8.0 * np.abs(x) ** 2 + 0.485 + 1.8 * np.clip(y + 0.11, 0, 0.2) - z]
    if kind == "collar":
        return [crew + 0.034, 1.3 * np.abs(x) + 0.525 + 2.0 * np.clip(y + 0.09, 0, 0.2) - z]
    if kind == "high":
        return [crew + 0.046]
    return [crew]


def _armhole(x, z, arm) -> np.ndarray:
    """No sleeve: the trunk between the shoulders, and all of it below the armpit."""
    strap = 0.112 + 0.25 * np.clip(0.50 - z, 0, 0.1) - np.abs(x)
    return np.maximum(strap, np.minimum(0.40 - z, 0.085 - arm))


def _in(key: Key, name: str, low: float, high: float) -> float:
    return key.child(name).uniform(low, high)


def _pick(key: Key, **weights: float) -> str:
    return list(weights)[key.weighted(list(weights.values()))]


def _upper(sleeve: tuple[float, float] | None, hem: tuple[float, float], open_m: tuple[float, float] = (0, 0),
           **necks: float):
    def make(key: Key) -> Cut:
        return Cut(None if sleeve is None else _in(key, "sleeve", *sleeve), _pick(key.child("neck"), **necks), 1.0,
                   _in(key, "hem", *hem), _in(key, "open", *open_m))

    return make


def _lower(hem: tuple[float, float], waist: tuple[float, float] = (0.085, 0.135)):
    return lambda key: Cut(top=_in(key, "waist", *waist), bottom=_in(key, "hem", *hem))


def _loose(gap: float, add: tuple[float, float], torso: tuple[float, float] = (1, 1), arm: tuple[float, float] = (1, 1),
           leg: tuple[float, float] = (1, 1), folds: tuple[float, float] = (0.004, 0.009), rounds: int = 8):
    """Ease between a close fit (first of each pair) and a loose one (second)."""

    def make(key: Key) -> Ease:
        t = key.child("fit").uniform()
        a, s, u, g, f = ((1 - t) * p[0] + t * p[1] for p in (add, torso, arm, leg, folds))
        slope = {k: v for k, v in (("torso", s), ("arm", u), ("leg", g)) if v < 1}
        return Ease(gap, a, slope, f, rounds)

    return make


TOPS: dict[str, Garment] = {
    "t-shirt": Garment("top", {"jersey": 1}, _upper((0.10, 0.21), (-0.01, 0.05), crew=6, vee=2, scoop=1),
                       _loose(0.005, (0.001, 0.011), (0.45, 0.08), (0.35, 0.02))),
    "tank top": Garment("top", {"jersey": 1}, _upper(None, (0.0, 0.05), tank=1), _loose(0.004, (0, 0.006), (0.6, 0.15))),
    "shirt": Garment("top", {"shirting": 5, "denim": 0.5}, _upper((0.40, 0.43), (-0.02, 0.03), collar=1),
                     _loose(0.006, (0.003, 0.012), (0.35, 0.05), (0.30, 0.10), folds=(0.006, 0.011))),
    "short-sleeved shirt": Garment("top", {"shirting": 1}, _upper((0.14, 0.22), (-0.02, 0.03), collar=1),
                                   _loose(0.006, (0.003, 0.012), (0.35, 0.05), (0.25, 0.0))),
    "long-sleeved top": Garment("top", {"jersey": 1}, _upper((0.38, 0.44), (0.0, 0.05), crew=4, scoop=1, vee=1, high=1),
                                _loose(0.004, (0, 0.007), (0.6, 0.15), (0.6, 0.25))),
    "jumper": Garment("top", {"knit": 3, "wool": 1}, _upper((0.41, 0.45), (0.0, 0.05), crew=4, vee=1.5, high=1.5),
                      _loose(0.010, (0.004, 0.016), (0.35, 0.08), (0.30, 0.10), folds=(0.006, 0.010), rounds=12)),
    "hoodie": Garment("top", {"fleece": 1}, _upper((0.42, 0.45), (0.0, 0.05), high=1),
                      _loose(0.012, (0.006, 0.018), (0.30, 0.05), (0.25, 0.08), folds=(0.008, 0.013), rounds=12)),
}
OUTERWEAR: dict[str, Garment] = {
    "jacket": Garment("outerwear", {"shell": 2, "denim": 1, "leather": 0.7, "wool": 0.6},
                      _upper((0.42, 0.45), (-0.02, 0.06), (0.012, 0.075), collar=1),
                      _loose(0.014, (0.008, 0.018), (0.30, 0.05), (0.25, 0.10), folds=(0.006, 0.010), rounds=12)),
    "closed jacket": Garment("outerwear", {"shell": 2, "fleece": 1}, _upper((0.42, 0.45), (-0.02, 0.04), high=1),
                             _loose(0.015, (0.010, 0.024), (0.25, 0.05), (0.22, 0.08), folds=(0.007, 0.012), rounds=14)),
    "coat": Garment("outerwear", {"wool": 3, "shell": 1, "twill": 1},
                    lambda k: Cut(_in(k, "sleeve", 0.42, 0.45), _pick(k.child("neck"), collar=3, high=1), 1.0,
                                  _in(k, "hem", -0.46, -0.16)),
                    _loose(0.014, (0.006, 0.012), (0.35, 0.12), (0.25, 0.10), folds=(0.004, 0.008), rounds=14), skirt=True),
}
BOTTOMS: dict[str, Garment] = {
    "trousers": Garment("bottom", {"twill": 3, "wool": 1}, _lower((-0.755, -0.735)),
                        _loose(0.005, (0.002, 0.009), leg=(0.22, 0.03), folds=(0.006, 0.010))),
    "jeans": Garment("bottom", {"denim": 1}, _lower((-0.755, -0.72)),
                     _loose(0.005, (0.0, 0.006), leg=(0.45, 0.08), folds=(0.006, 0.009))),
    "leggings": Garment("bottom", {"stretch": 1}, _lower((-0.73, -0.45)), _loose(0.003, (0, 0.0005), folds=(0.0008, 0.002))),
    "joggers": Garment("bottom", {"fleece": 1, "jersey": 0.5}, _lower((-0.72, -0.70)),
                       _loose(0.006, (0.003, 0.011), leg=(0.22, 0.10), folds=(0.008, 0.012))),
    "shorts": Garment("bottom", {"twill": 2, "denim": 1, "jersey": 1}, _lower((-0.36, -0.17)),
                      _loose(0.005, (0.003, 0.011), leg=(0.20, -0.03))),
    "skirt": Garment("bottom", {"twill": 1, "dress": 2, "denim": 0.6, "wool": 0.7}, _lower((-0.66, -0.20)),
                     _loose(0.005, (0, 0.004)), skirt=True),
}
DRESSES: dict[str, Garment] = {
    "dress": Garment("dress", {"dress": 4, "jersey": 1, "knit": 0.4},
                     lambda k: Cut(_pick_sleeve(k), _pick(k.child("neck"), crew=2, scoop=2, vee=2), 1.0,
                                   _in(k, "hem", -0.66, -0.22)),
                     _loose(0.004, (0, 0.005), (0.7, 0.3), (0.4, 0.05)), skirt=True),
    "sleeveless dress": Garment("dress", {"dress": 1}, lambda k: Cut(None, "tank", 1.0, _in(k, "hem", -0.66, -0.22)),
                                _loose(0.004, (0, 0.004), (0.7, 0.4)), skirt=True),
}
GARMENTS: Mapping[str, Garment] = {**TOPS, **OUTERWEAR, **BOTTOMS, **DRESSES}


def _pick_sleeve(key: Key) -> float:
    return _in(key, "long sleeve", 0.36, 0.44) if key.child("long").uniform() < 0.4 else _in(key, "sleeve", 0.06, 0.2)
