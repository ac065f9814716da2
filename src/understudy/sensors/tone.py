"""A camera's tone curve: more contrast than light itself has, darks darker and brights brighter, as its JPEGs show them.

The curve is the sRGB value moved towards its smoothstep, x + amount · x(1 - x)(2x - 1): black, middle and white stay, and it
rises everywhere for amounts below 1.
"""

from __future__ import annotations

import numpy as np


def contrasted(srgb: np.ndarray, amount: float) -> np.ndarray:
    """``srgb`` in [0, 1] through the curve; ``amount`` in [0, 1)."""
    return srgb + np.float32(amount) * (srgb * (1 - srgb) * (2 * srgb - 1)) if amount else srgb


def uncontrasted(srgb: np.ndarray, amount: float) -> np.ndarray:
    """The inverse: what a picture's sRGB values (0 to 1) were before a camera of that contrast."""
    if not amount:
        return srgb
    before = np.linspace(0, 1, 4097)
    return np.interp(srgb, contrasted(before, amount), before).astype(np.float32)
