"""Skins of a pack on bodies: which suits a figure, and whether a picture is laid out as skins are.

A skin is one picture for the whole body, in the atlas of MakeHuman's mesh. No figure wears one that is more than a step of
the Monk scale away from the skin tone that was drawn, so that an ordered mix stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from understudy.assets import packs
from understudy.assets.packs import Pack, Piece
from understudy.assets.palettes import srgb_decode
from understudy.errors import AssetError
from understudy.worlds.people import body

_NEAR_STEPS = 1
_ALIKE = 0.1  # least correlation of what lies at mirrored places of the body
_GRID = 64
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, eq=False)
class PackSkin:
    """A skin that was read. pixels : (n, n, 3) uint8 sRGB; light : its mean luminance on the body, linear"""

    pack: str
    piece: Piece
    pixels: np.ndarray
    light: float

    def suits(self, tone: int, light_of: np.ndarray) -> bool:
        """Whether it is about as light as step ``tone`` of the Monk scale. light_of : (10,) luminances of the steps"""
        nearest = int(np.abs(np.log(light_of) - np.log(max(self.light, 1e-3))).argmin()) + 1
        return abs(nearest - tone) <= _NEAR_STEPS


@lru_cache(maxsize=16)
def skin_of(pack: Pack, piece: Piece) -> PackSkin:
    """A skin of a pack. Raises AssetError for a damaged one and for a picture that is no skin of this mesh."""
    pixels = packs.arrays(pack, piece).get("texture")
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise AssetError("a piece of the pack is damaged", where=f"{pack.name}/{piece.file}", remedy="Add the pack again")
    here, there = _mirrored()
    light = srgb_decode(pixels.astype(np.float32) / 255) @ _LUMINANCE
    small = _averaged(light)
    one, other = (small[rows, columns] for rows, columns in (here, there))
    if min(one.std(), other.std()) > 0.004 and np.corrcoef(one, other)[0, 1] < _ALIKE:
        raise AssetError("the picture has not the layout of a MakeHuman skin", where=f"{pack.name}/{piece.name}",
                         wanted="left and right of the body alike", got="a picture of something else",
                         remedy="Skins are painted for the base mesh hm08; leave others out of the pack")
    return PackSkin(pack.name, piece, pixels, float(one.mean()))


def _averaged(light: np.ndarray) -> np.ndarray:
    """(_GRID, _GRID) means of a square picture."""
    import cv2

    return cv2.resize(light.astype(np.float32), (_GRID, _GRID), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=1)
def _mirrored():
    """Rows and columns of the atlas, coarse, of the body's vertices on its left, and of those opposite them."""
    from scipy.spatial import cKDTree

    model = body.model()
    mesh = model.mesh("body")
    corner = np.full(len(model.arrays["template_vertices"]), -1)
    corner[mesh.base[::-1]] = np.arange(len(mesh.base))[::-1]  # the first corner of each vertex
    template = np.array(model.arrays["template_vertices"], float)
    used = np.flatnonzero(corner >= 0)
    left = used[template[used, 0] > 0.01]
    distance, near = cKDTree(template[used]).query(template[left] * [-1, 1, 1])
    left, right = left[distance < 1e-3], used[near[distance < 1e-3]]

    def cell(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        uv = mesh.uv[corner[vertices]]
        return (np.clip(((1 - uv[:, 1]) * _GRID).astype(int), 0, _GRID - 1),
                np.clip((uv[:, 0] * _GRID).astype(int), 0, _GRID - 1))

    return cell(left), cell(right)
