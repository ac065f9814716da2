"""Creases: the shallow folds of worn cloth, too many to be vertices. They are relief, and darker in the hollows.

Without them cloth is as smooth as plastic, and a network that has learned from smooth people does not know creased ones
(docs/learning.md has the figures).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from understudy.assets.patterns import noise
from understudy.key import Key
from understudy.scene import Texture
from understudy.worlds.people.figure import Detail

TILE_M = 0.9
"""Side of a creased tile, m: once around the trunk on the template, so that it has no seam there."""
_PX = 192
_LAYS = 24
_DARK_PER_M = 20.0  # share of light that the deepest hollow loses, for each metre that it is deep


def creased(key: Key, colour: Texture, times: int, crease_m: float, weave: Texture | None, weave_m: float,
            detail: Detail) -> tuple[Texture, Texture, float]:
    """Colour, relief and the relief's height (m) of a tile of cloth, ``TILE_M`` square.

    colour : (n, n, 3) uint8, a pattern, laid out ``times`` by ``times``; weave : (k, k) uint8, its own relief, or None
    crease_m, weave_m : heights of creases and weave
    """
    import cv2

    pixels = np.tile(colour.pixels, (times, times, 1))
    size = len(pixels), len(pixels)
    height = _creases(key, min(len(pixels), detail.texels(TILE_M, _PX)))
    shade = 1 - np.float32(min(_DARK_PER_M * crease_m, 1)) * (1 - height)
    shade = cv2.cvtColor((shade * (128 / shade.mean())).astype(np.uint8), cv2.COLOR_GRAY2RGB)  # darker here, lighter there
    pixels = cv2.multiply(pixels, cv2.resize(shade, size, interpolation=cv2.INTER_LINEAR), scale=1 / 128)
    deep = (height * 255 + 0.5).astype(np.uint8)
    if weave is None:
        return Texture(pixels), Texture(deep), crease_m
    own = np.tile(weave.pixels, (times, times))
    deep = cv2.resize(deep, own.shape, interpolation=cv2.INTER_LINEAR)
    whole = crease_m + weave_m
    return Texture(pixels), Texture(cv2.addWeighted(deep, crease_m / whole, own, weave_m / whole, 0)), whole


def _creases(key: Key, n: int) -> np.ndarray:
    """Their height, (n, n) float32 in [0, 1], tileable: one of a few lays of cloth, moved and turned over."""
    which, u = key.child("lay").integer(0, _LAYS - 1), key.child("moved").uniforms(3)
    return np.roll(_lay(which, n)[:, :: 1 if u[2] < 0.5 else -1], (int(u[0] * n), int(u[1] * n)), (0, 1))


@lru_cache(maxsize=2 * _LAYS)
def _lay(which: int, n: int) -> np.ndarray:
    """One lay: here creases hang, there they run across, elsewhere they slant. Made once a process; read-only."""
    key, place = Key(which).child("creases"), np.arange(n)
    slanting = noise(key.child("slanting"), n, (5, 13), 3)[place[:, None], (place + place[:, None]) % n]
    hanging, across = noise(key.child("hanging"), n, (4, 13), 3), noise(key.child("across"), n, (17, 6), 3)
    where = noise(key.child("where"), n, 4)
    first, last = np.clip(3 * (where - 0.45), 0, 1), np.clip(3 * (0.55 - where), 0, 1)
    height = first * hanging + last * across + (1 - first - last) * slanting
    height = np.clip(0.55 + 2.6 * (height - 0.5), 0, 1, dtype=np.float32)
    height.flags.writeable = False
    return height
