"""Colours that things have: natural palettes, and the two encodings of colour.

Colours are drawn in OKLCh (Ottosson, *A perceptual color space for image processing*, 2020), where lightness and chroma
mean what the eye sees: most cloth, paint and stone is of low chroma, a few things are loud. Results are linear Rec. 709.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from understudy.key import Key

Colour = tuple[float, float, float]

# kind -> (share, lightness range, chroma range, hue range in degrees), each row one family of colours
_FAMILIES: dict[str, tuple[tuple[float, tuple[float, float], tuple[float, float], tuple[float, float]], ...]] = {
    "cloth": (
        (0.24, (0.16, 0.36), (0.00, 0.02), (0, 360)),      # black, charcoal
        (0.11, (0.45, 0.75), (0.00, 0.015), (0, 360)),     # grey
        (0.13, (0.86, 0.97), (0.00, 0.02), (60, 110)),     # white, cream
        (0.20, (0.26, 0.52), (0.02, 0.09), (245, 275)),    # navy to denim
        (0.11, (0.45, 0.80), (0.02, 0.06), (55, 95)),      # beige, khaki, brown
        (0.06, (0.35, 0.55), (0.03, 0.08), (110, 160)),    # olive, green
        (0.06, (0.35, 0.55), (0.09, 0.17), (10, 35)),      # wine, red
        (0.09, (0.45, 0.85), (0.05, 0.17), (0, 360)),      # anything
    ),
    "wall": (
        (0.55, (0.82, 0.96), (0.00, 0.025), (50, 110)),    # off-white
        (0.25, (0.65, 0.88), (0.01, 0.05), (0, 360)),      # pastel
        (0.12, (0.40, 0.70), (0.02, 0.09), (0, 360)),      # painted
        (0.08, (0.30, 0.55), (0.04, 0.08), (30, 60)),      # brick, clay
    ),
    "wood": ((1.0, (0.35, 0.78), (0.04, 0.09), (48, 78)),),
    "stone": (
        (0.75, (0.40, 0.85), (0.00, 0.02), (40, 110)),
        (0.25, (0.35, 0.70), (0.02, 0.05), (30, 80)),
    ),
    "foliage": ((0.8, (0.32, 0.58), (0.05, 0.12), (110, 140)), (0.2, (0.45, 0.70), (0.06, 0.11), (70, 110))),
    "earth": ((1.0, (0.35, 0.66), (0.02, 0.06), (50, 95)),),
    "paint": (
        (0.5, (0.25, 0.90), (0.00, 0.03), (0, 360)),
        (0.5, (0.35, 0.80), (0.08, 0.20), (0, 360)),
    ),
}
KINDS = tuple(_FAMILIES)


def palette(key: Key, kind: str, count: int = 3) -> tuple[Colour, ...]:
    """``count`` linear colours that go together, of a ``kind`` in KINDS.

    The first colour is drawn from the kind; the others keep near its family: a darker or lighter shade of the same hue,
    or (in one case of three) a second family.
    """
    first = _draw(key.child("first"), kind)
    darkest, lightest = min(f[1][0] for f in _FAMILIES[kind]) - 0.08, max(f[1][1] for f in _FAMILIES[kind]) + 0.06
    colours = [first]
    for i in range(1, count):
        at = key.child("more", i)
        if at.uniform() < 0.34:
            colours.append(_draw(at.child("other"), kind))
        else:
            lightness, chroma, hue = first
            step = at.child("step").uniform(0.12, 0.35) * (-1 if lightness > 0.55 else 1)
            colours.append((min(max(lightness + step, darkest), lightest), chroma * at.child("chroma").uniform(0.5, 1.2),
                            hue + at.child("hue").uniform(-15, 15)))
    return tuple(oklch(*c) for c in colours)


def _draw(key: Key, kind: str) -> tuple[float, float, float]:
    families = _FAMILIES[kind]
    _, (l0, l1), (c0, c1), (h0, h1) = families[key.child("family").weighted([f[0] for f in families])]
    u = key.child("colour").uniforms(3).tolist()
    return l0 + (l1 - l0) * u[0], c0 + (c1 - c0) * u[1], h0 + (h1 - h0) * u[2]


def oklch(lightness: float, chroma: float, hue_deg: float) -> Colour:
    """Linear Rec. 709 of an OKLCh colour; chroma gives way where the gamut ends, so hue and lightness stay."""
    lightness = min(max(float(lightness), 0.0), 1.0)
    for reduced in np.linspace(chroma, 0.0, 9).tolist():  # plain floats: a NumPy scalar's arithmetic takes ten times as long
        a, b = reduced * math.cos(math.radians(hue_deg)), reduced * math.sin(math.radians(hue_deg))
        long, medium, short = (
            (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3,
            (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3,
            (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3,
        )
        rgb = (4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
               -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
               -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short)
        if all(-1e-4 <= c <= 1 + 1e-4 for c in rgb):
            break
    return tuple(float(min(max(c, 0.0), 1.0)) for c in rgb)


def srgb_encode(linear: np.ndarray) -> np.ndarray:
    """Linear Rec. 709 in [0, 1] -> sRGB in [0, 1] (IEC 61966-2-1); values outside are clipped."""
    x = np.clip(np.asarray(linear, np.float32), 0.0, 1.0)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-9), 1 / 2.4) - 0.055).astype(np.float32)


def srgb_encode_fast(linear: np.ndarray) -> np.ndarray:
    """:func:`srgb_encode` of a whole picture through a table of 4,096 linear steps: off by at most 0.8 of 255."""
    steps = np.clip(np.asarray(linear, np.float32) * np.float32(4095) + np.float32(0.5), 0, 4095).astype(np.uint16)
    return _encoded_steps()[steps]


@lru_cache(maxsize=1)
def _encoded_steps() -> np.ndarray:
    table = srgb_encode(np.arange(4096) / 4095)
    table.flags.writeable = False
    return table


def srgb_decode(srgb: np.ndarray) -> np.ndarray:
    """sRGB -> linear Rec. 709 (IEC 61966-2-1): uint8 through a table, floats in [0, 1] by the formula. float32."""
    if srgb.dtype == np.uint8:
        import cv2

        table = srgb_decode(np.arange(256, dtype=np.float32) / 255)
        return cv2.LUT(np.ascontiguousarray(srgb).reshape(-1), table).reshape(srgb.shape)
    x = np.asarray(srgb, np.float32)
    return np.where(x <= 0.04045, x / 12.92, np.power((np.maximum(x, 0.0) + 0.055) / 1.055, 2.4)).astype(np.float32)
