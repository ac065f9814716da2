"""Denoising at a half or a third of the resolution: a fraction of the work, where coverage keeps edges sharp.

The light over the surface's own colour is smooth where the surface is, so it is denoised small and laid back over the full
picture's colours and edges by joint bilateral upsampling (Kopf et al., SIGGRAPH 2007).
"""

from __future__ import annotations

import numpy as np

from understudy.renderers.mitsuba.denoise import denoised

_DARKEST = np.float32(0.03)  # added to the surface's colour before dividing by it: what is black still reflects a little
_COLOUR, _TURN = np.float32(0.15), np.float32(0.35)  # differences of colour and of normal that count as another surface
_FAINT = np.float32(1e-3)


def small_denoised(light: np.ndarray, cover: np.ndarray, albedo: np.ndarray, normal: np.ndarray, quality: str,
                   block: int = 2) -> np.ndarray:
    """``light`` (h, w, 3) with its noise removed over blocks of ``block`` by ``block`` pixels; all maps are float32 and
    premultiplied by ``cover`` (h, w)."""
    import cv2

    h, w = cover.shape
    more = (0, -h % block, 0, -w % block)
    even = [cv2.copyMakeBorder(v, *more, cv2.BORDER_REPLICATE) for v in (light, albedo, normal, cover)]
    size = (even[3].shape[1] // block, even[3].shape[0] // block)
    small_cover = cv2.resize(even[3], size, interpolation=cv2.INTER_AREA)
    known = small_cover > 0
    share = 1 / np.maximum(small_cover, np.float32(1e-4))[..., None]
    small = [filled(cv2.resize(v, size, interpolation=cv2.INTER_AREA) * share, known, 2) for v in even[:3]]
    clean = denoised(*small, quality)
    falling = clean / (small[1] + _DARKEST)  # close to the light that falls on the surface
    own = np.float32(1) / np.maximum(even[3], np.float32(1e-4))
    colour = even[1] * own[..., None]
    spread = _laid_back(falling, known, _planes(small[1] / _COLOUR, small[2] / _TURN),
                        _planes(colour / _COLOUR, even[2] * (own / _TURN)[..., None]), block)
    return (spread * (colour + _DARKEST) * even[3][..., None])[:h, :w]


def _planes(*maps: np.ndarray) -> np.ndarray:
    """(c, h, w) contiguous of maps (h, w, c')."""
    return np.ascontiguousarray(np.concatenate(maps, axis=2).transpose(2, 0, 1))


def _laid_back(values: np.ndarray, known: np.ndarray, guide: np.ndarray, wanted: np.ndarray, side: int) -> np.ndarray:
    """(side h, side w, 3) of ``values`` (h, w, 3): each pixel the mean of the nearest, by distance and by how alike the
    guides are, ``guide`` (c, h, w) and ``wanted`` (c, side h, side w)."""
    h, w = known.shape
    rim = ((0, 0), (1, 1), (1, 1))
    values = np.pad(values.transpose(2, 0, 1), rim, mode="edge")
    guide = np.pad(guide, rim, mode="edge")
    sure = np.pad(known.astype(np.float32), 1, mode="edge") + np.float32(1e-4)
    out = np.zeros((side * h, side * w, 3), np.float32)
    for below in range(side):
        for right in range(side):
            mine = np.ascontiguousarray(wanted[:, below::side, right::side])
            total, weights = np.zeros((3, h, w), np.float32), np.zeros((h, w), np.float32)
            for row, by_row in _nearest(below, side):
                for col, by_col in _nearest(right, side):
                    at = np.s_[row:row + h, col:col + w]
                    apart = guide[:, at[0], at[1]] - mine
                    apart *= apart
                    weight = (np.exp(-apart.sum(axis=0)) + _FAINT) * sure[at]
                    weight *= np.float32(by_row * by_col)
                    total += weight * values[:, at[0], at[1]]
                    weights += weight
            out[below::side, right::side] = (total / weights).transpose(1, 2, 0)
    return out


def _nearest(place: int, side: int) -> list[tuple[int, float]]:
    """Of the blocks before (0), at (1) and after (2) it, those nearest to a block's ``place``-th pixel, and their linear
    shares."""
    off = (place + 0.5) / side - 0.5
    return [(1, 1 - abs(off)), *([(2 if off > 0 else 0, abs(off))] if off else [])]


def filled(values: np.ndarray, known: np.ndarray, within: int = 1) -> np.ndarray:
    """(h, w, c) with unknown pixels set to the mean of the known ones within so many rows and columns, else nought."""
    import cv2

    window = (2 * within + 1, 2 * within + 1)
    weight = known.astype(np.float32)
    total = cv2.boxFilter(values * weight[..., None], -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
    count = cv2.boxFilter(weight, -1, window, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.where(known[..., None], values, total / np.maximum(count, 1)[..., None]).astype(np.float32)
