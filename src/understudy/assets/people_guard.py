"""Does a photograph seem to hold people? A guard against people who would stand in a picture without a label.

It works offline, without a trained model, and is rough: it looks for blobs of smooth skin colour of the size and shape of
faces, arms and legs. It is set to err towards suspicion. Sand, wood and fur are often taken for skin (which costs only
variety), people seen from behind, in gloves, far off or in odd light are missed. So it thins out the hidden label errors; a
list of the photographs with people (``people.txt``), made by eye, is what removes them.
"""

from __future__ import annotations

import numpy as np

_LEAST_BLOB = 0.0007  # share of the picture


def holds_people(srgb: np.ndarray) -> bool:
    """True if (h, w, 3) uint8 sRGB seems to hold people."""
    return skin_blob(srgb) > _LEAST_BLOB


def skin_blob(srgb: np.ndarray) -> float:
    """Size of the largest blob that could be bare skin, as a share of the picture; 0 if there is none.

    Skin of all tones lies close together in chroma and far apart in lightness (Chai and Ngan, *Face segmentation using skin-
    color map*, IEEE TCSVT 1999: Cb and Cr alone decide); it is smooth, and its blobs are neither thin nor ragged.
    """
    import cv2

    h, w, _ = srgb.shape
    scale = 320 / max(h, w)
    small = cv2.resize(srgb, (max(round(w * scale), 8), max(round(h * scale), 8)), interpolation=cv2.INTER_AREA)
    luma, cr, cb = (c.astype(np.int16) for c in cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)))
    hue, saturation, _ = cv2.split(cv2.cvtColor(small, cv2.COLOR_RGB2HSV))  # hue in half degrees
    calm = cv2.GaussianBlur(luma.astype(np.float32), (0, 0), 1.0)
    ragged = cv2.blur(np.abs(cv2.Laplacian(calm, cv2.CV_32F)), (5, 5))
    skin = ((cr >= 135) & (cr <= 175) & (cb >= 85) & (cb <= 128) & (luma > 40) & (saturation > 40) & (saturation < 175)
            & ((hue < 20) | (hue > 172)) & (ragged < 6))
    opened = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, _, blobs, _ = cv2.connectedComponentsWithStats(opened)
    largest = 0
    for _, _, wide, high, area in blobs[1:]:
        if area >= 40 and 0.5 < wide / high < 1.6 and area > 0.45 * wide * high and area < 0.25 * skin.size:
            largest = max(largest, int(area))
    return largest / skin.size
