"""Colours for looking at labels: stable by id, distinct from their neighbours, even in lightness.

Instance colours walk the hue circle by the golden angle in OKLCH (B. Ottosson, "A perceptual color space for image
processing", 2020), so that ids that follow each other lie far apart and no colour shouts louder than another.
"""

from __future__ import annotations

import numpy as np

Rgb = tuple[int, int, int]

LEFT: Rgb = (255, 159, 67)
RIGHT: Rgb = (72, 199, 255)
MIDDLE: Rgb = (245, 246, 250)
NOTHING: Rgb = (24, 27, 33)


def colour(number: int) -> Rgb:
    """The colour of instance (or category, part, chart) ``number``; 0 is :data:`NOTHING`."""
    if number <= 0:
        return NOTHING
    return _oklch(0.76, 0.155, 2 * np.pi * ((number - 1) * 0.3819660113 + 0.55))


def table(n: int) -> np.ndarray:
    """(n, 3) uint8: the colours of 0 to n - 1, for indexing with a map of small ids."""
    return np.array([colour(i) for i in range(n)], np.uint8)


def _oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    lms = np.array([lightness + 0.3963377774 * a + 0.2158037573 * b,
                    lightness - 0.1055613458 * a - 0.0638541728 * b,
                    lightness - 0.0894841775 * a - 1.2914855480 * b]) ** 3
    linear = np.array([[4.0767416621, -3.3077115913, 0.2309699292],
                       [-1.2684380046, 2.6097574011, -0.3413193965],
                       [-0.0041960863, -0.7034186147, 1.7076147010]]) @ lms
    linear = np.clip(linear, 0.0, 1.0)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    r, g, b = (round(255 * float(c)) for c in srgb)
    return r, g, b
