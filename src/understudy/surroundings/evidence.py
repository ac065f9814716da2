"""What a photograph tells of the camera that took it: its noise, its blur, where its horizon may lie.

All work on brightness as it is stored, (h, w) float32 sRGB-encoded in [0, 1].
"""

from __future__ import annotations

import math

import numpy as np


def brightness(srgb: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 sRGB -> (h, w) float32 luma in [0, 1] (Rec. 601 weights)."""
    return srgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)


def noise_sigma(luma: np.ndarray) -> float:
    """Standard deviation of the noise, 0-1.

    Immerkaer, *Fast noise variance estimation* (CVIU 1996): the mean response to a mask that is blind to planes and
    edges' slopes, here taken over blocks of 16 pixels; the calmest fifth of the unclipped blocks counts, so that texture is
    not taken for noise (it reads a few per cent low on pure noise).
    """
    import cv2

    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(luma, -1, mask, borderType=cv2.BORDER_REFLECT_101))[1:-1, 1:-1]
    h, w = (n // 16 * 16 for n in response.shape)
    if min(h, w) == 0:
        return 0.0
    blocks = response[:h, :w].reshape(h // 16, 16, w // 16, 16).mean(axis=(1, 3))
    levels = luma[1:h + 1, 1:w + 1].reshape(h // 16, 16, w // 16, 16).mean(axis=(1, 3))
    usable = blocks[(levels > 0.04) & (levels < 0.96)]
    if usable.size == 0:
        return 0.0
    return float(np.percentile(usable, 20)) * math.sqrt(math.pi / 2) / 6


def blur_sigma(luma: np.ndarray) -> float:
    """Standard deviation in pixels of the Gaussian blur on the photograph's sharper edges; 0 to 4.

    The photograph is blurred twice more, by known amounts: an edge's slope falls from the one to the other by a factor
    that tells the blur it had (Zhuo and Sim, *Defocus map estimation from a single image*, Pattern Recognition 2011). Of the
    strong edges the sharper half counts, which lies near the plane in focus. Without edges the answer is 0.
    """
    import cv2

    h, w = luma.shape  # the middle of a large picture is enough
    luma = luma[max(h - 360, 0) // 2:, max(w - 480, 0) // 2:][:360, :480]
    slopes, along = [], []
    for extra in (_LIGHT, _HEAVY):
        soft = cv2.GaussianBlur(luma, (0, 0), extra, borderType=cv2.BORDER_REFLECT_101)
        along = along or [cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=1)]
        slopes.append(cv2.magnitude(cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=1)))
    first, second = slopes
    crest = (first >= cv2.dilate(first, np.ones((3, 3), np.uint8)) - 1e-7) & (first > max(0.03, 2.5 * noise_sigma(luma)))
    crest[:8], crest[-8:], crest[:, :8], crest[:, -8:] = False, False, False, False
    steps = _sigma(first, second, crest & (_alone(along[0], (1, 11)) | _alone(along[1], (11, 1))))
    return min(steps, _sigma(first, second, crest) + 1.15)  # a line, taken for a step, reads at most so much too sharp


def _sigma(first: np.ndarray, second: np.ndarray, crest: np.ndarray) -> float:
    """The blur that the crests' slopes tell, if all were steps; 0 without enough of them."""
    if crest.sum() < 12:
        return 0.0
    strong = crest & (first >= np.percentile(first[crest], 50))
    ratio = np.maximum(first[strong] / np.maximum(second[strong], 1e-6), 1.0001) ** 2
    light, heavy = _LIGHT**2 + 1 / 3, _HEAVY**2 + 1 / 3  # the central difference adds the variance of a box of width 2
    squared = (heavy - ratio * light) / (ratio - 1)
    return math.sqrt(min(max(float(np.percentile(squared, 45)), 0.0), 16.0))


def _alone(slope: np.ndarray, window_hw: tuple[int, int]) -> np.ndarray:
    """Where an edge across the window has no opposite edge beside it: a step, not a line (a line fades faster)."""
    import cv2

    window = np.ones(window_hw, np.uint8)
    size = np.abs(slope)
    opposite = np.where(slope > 0, -cv2.erode(slope, window), cv2.dilate(slope, window))
    across = size >= 0.9 * cv2.dilate(size, window)
    return across & (opposite < 0.15 * size)


_LIGHT, _HEAVY = 0.8, 1.8


def horizon_row(luma: np.ndarray) -> float | None:
    """Where the sky ends, as a fraction of the height from the top, or None where there is no sky to see.

    The split of the rows that best divides a bright, calm upper part from a darker, busier lower one (Otsu's criterion on
    rows). A skyline is a little above the true horizon: trees and houses stand on it.
    """
    import cv2

    small = cv2.resize(luma, (64, 48), interpolation=cv2.INTER_AREA)
    busy = np.abs(np.diff(small, axis=1)).mean(axis=1)
    level = np.median(small, axis=1)
    score = (level - level.mean()) / 0.12 - (busy - busy.mean()) / 0.03
    best, split = 0.0, None
    for row in range(8, 38):
        up, down = score[:row], score[row:]
        gain = row * (48 - row) / 48**2 * max(up.mean() - down.mean(), 0.0) ** 2
        if gain > best:
            best, split = gain, row
    if split is None or best < 0.55 or level[:split].mean() < 0.5 or busy[:split].mean() > 0.035:
        return None
    return split / 48
