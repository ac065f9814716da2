"""A scene laid out for tracing: one mesh for all triangles, its corners' data, one table of materials, one run of texels.

Everything that differs between scenes is data, nothing is code, so one compiled kernel serves every scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.renderers.mitsuba.light import Lights, lights_of
from understudy.renderers.triangles import Triangles
from understudy.scene import Material, Scene, Texture

# Columns of the table of materials, four to a gather.
COLUMNS = ("texel", "width", "height", "smooth", "roughness", "metallic", "specular", "sheen",
           "bump_texel", "bump_width", "bump_height", "bump_m")


@dataclass(frozen=True)
class Stage:
    """Device arrays. mi : the Mitsuba module; scene : the hit scene, a hit's ``prim_index`` is the face's number.

    corner : (n, 8) x y z u, nx ny nz v of each vertex; face : (m, 4) three vertices and the piece
    material : (pieces, 12) COLUMNS; texel : packed 8-bit sRGB, red lowest; bump : 8-bit heights
    """

    mi: Any
    scene: Any
    corner: Any
    face: Any
    material: Any
    texel: Any
    bump: Any
    lights: Lights
    bumpy: bool


def stage_of(mi, scene: Scene, triangles: Triangles, hit_scene) -> Stage:
    """``scene`` ready to be traced; ``hit_scene`` is that of its ``triangles``."""
    n, m = len(triangles.vertices), len(triangles.faces)
    corner = np.zeros((n, 8), np.float32)
    corner[:, :3] = triangles.vertices
    corner[:, 4:7] = triangles.vertex_normals
    uv = triangles.per_vertex(lambda s: s.uv, 2)
    corner[:, 3], corner[:, 7] = uv[:, 0], uv[:, 1]
    face = np.zeros((m, 4), np.uint32)
    face[:, :3] = triangles.faces
    face[:, 3] = triangles.piece
    material = np.zeros((len(triangles.pieces), len(COLUMNS)), np.float32)
    texels, bumps = Pages(), Pages()
    for row, piece in zip(material, triangles.pieces):
        _describe(row, piece.surface.material, piece.surface.uv is not None, piece.surface.smooth, texels, bumps)
    return Stage(mi, hit_scene, given(mi.Float, corner), given(mi.UInt32, face), given(mi.Float, material),
                 mi.UInt32(texels.laid(lay_colour)), mi.UInt32(bumps.laid(lay_height)),
                 lights_of(mi, scene), bool(material[:, COLUMNS.index("bump_m")].any()))


def given(kind, array: np.ndarray):
    """A flat Dr.Jit array of ``array``, which begins on a 64-byte border.

    Dr.Jit takes arrays as they lie and compiles one kernel for aligned ones and another for the rest.
    """
    return kind(aligned(array, least=4))  # room for one gather of four, even where there is nothing


def aligned(array: np.ndarray, least: int = 0) -> np.ndarray:
    """A flat copy of ``array`` that begins on a 64-byte border, filled with noughts to ``least`` elements."""
    flat = _nought(max(least, array.size), array.dtype)
    flat[:array.size] = array.reshape(-1)
    return flat


def _nought(count: int, dtype) -> np.ndarray:
    """(count,) noughts that begin on a 64-byte border."""
    size = count * np.dtype(dtype).itemsize
    memory = np.zeros(size + 64, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start:start + size].view(dtype)


class Pages:
    """Textures one after another; one that several surfaces share is kept once."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, np.ndarray]] = []
        self._at: dict[int, int] = {}
        self._end = 0

    def add(self, owner: object, pixels: np.ndarray) -> int:
        """Where the texels of ``pixels`` (h, w, ...), those of ``owner``, begin."""
        if id(owner) not in self._at:
            self._at[id(owner)] = self._end
            self._runs.append((self._end, pixels))
            self._end += pixels.shape[0] * pixels.shape[1]
        return self._at[id(owner)]

    def laid(self, lay) -> np.ndarray:
        """(n,) uint32, a texel each; ``lay`` writes a texture's pixels into its (h, w) part of it."""
        out = _nought(max(self._end, 4), np.uint32)
        for start, pixels in self._runs:
            h, w = pixels.shape[:2]
            lay(out[start:start + h * w].reshape(h, w), pixels)
        return out


def lay_colour(texels: np.ndarray, pixels: np.ndarray) -> None:
    """(h, w, 3) uint8 sRGB, or (h, w) uint8 linear grey, into (h, w) uint32: red lowest, the highest byte unused."""
    import cv2

    if pixels.ndim == 2:
        grey = np.arange(256) / 255
        code = np.where(grey <= 0.0031308, 12.92 * grey, 1.055 * grey ** (1 / 2.4) - 0.055)
        pixels = cv2.cvtColor((code * 255 + 0.5).astype(np.uint8)[pixels], cv2.COLOR_GRAY2RGB)
    cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2RGBA, dst=texels.view(np.uint8).reshape(*texels.shape, 4))


def lay_height(texels: np.ndarray, pixels: np.ndarray) -> None:
    """(h, w) uint8 heights, or the mean of (h, w, 3), into (h, w) uint32."""
    texels[:] = pixels if pixels.ndim == 2 else pixels.mean(axis=2)


def _describe(row: np.ndarray, material: Material, mapped: bool, smooth: bool, texels: Pages, bumps: Pages) -> None:
    base = material.base_color
    if isinstance(base, Texture):
        pixels = base.pixels if mapped else _mean(base.pixels)
        owner = base
    else:
        linear = np.clip(np.asarray(base, np.float64), 0, 1)
        srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
        pixels, owner = (srgb * 255 + 0.5).astype(np.uint8).reshape(1, 1, 3), material
    row[:3] = texels.add(owner, pixels), pixels.shape[1], pixels.shape[0]
    row[3:8] = (smooth, max(0.03, material.roughness), material.metallic, material.specular, material.sheen)
    if material.bump is not None and material.bump_m and mapped:
        heights = material.bump.pixels
        row[8:] = bumps.add(material.bump, heights), heights.shape[1], heights.shape[0], material.bump_m


def _mean(pixels: np.ndarray) -> np.ndarray:
    """(1, 1, ...) uint8: the texture's mean, for a surface without texture coordinates."""
    return (pixels.mean(axis=(0, 1), keepdims=True) + 0.5).astype(np.uint8)
