"""Looking a surface's colour up in NumPy."""

from __future__ import annotations

import numpy as np

from understudy.renderers.triangles import Triangles
from understudy.scene import Texture


def base_colour(triangles: Triangles, piece: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """(k, 3) float32 linear: the base colour at hits on pieces (k,) with texture coordinates (k, 2)."""
    colour = np.zeros((len(piece), 3), np.float32)
    for number, p in enumerate(triangles.pieces):
        at = np.flatnonzero(piece == number)
        if len(at):
            base = p.surface.material.base_color
            colour[at] = texel(base, uv[at]) if isinstance(base, Texture) else np.asarray(base, np.float32)
    return colour


def texel(texture: Texture, uv: np.ndarray) -> np.ndarray:
    """(k, 3) float32 linear: the nearest texel at (k, 2) texture coordinates (u right, v up, repeating)."""
    pixels = texture.pixels
    h, w = pixels.shape[:2]
    col = np.floor((uv[:, 0] % 1) * w).astype(np.int64) % w
    row = (h - 1 - np.floor((uv[:, 1] % 1) * h).astype(np.int64)) % h
    value = pixels[row, col]
    if pixels.ndim == 2:
        return np.repeat(value[:, None].astype(np.float32) / 255, 3, axis=1)
    return _LINEAR[value]


_CODES = np.arange(256) / 255
_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(np.float32)
