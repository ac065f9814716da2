"""Connected parts and holes of a binary mask, (h, w) bool. Its box is :func:`understudy.geometry.boxes.box_of_mask`."""

from __future__ import annotations

import numpy as np


def components(mask: np.ndarray, connectivity: int = 8) -> tuple[np.ndarray, int]:
    """Label the connected parts: (h, w) int32 with 0 for background and 1..n in raster order, and n.

    connectivity : 8 joins pixels that touch at a corner, 4 does not
    """
    from scipy import ndimage

    if connectivity not in (4, 8):
        raise ValueError(f"connectivity is 4 or 8, not {connectivity!r}")
    labels, count = ndimage.label(mask, structure=np.ones((3, 3), bool) if connectivity == 8 else None)
    return labels.astype(np.int32), int(count)


def count_components(mask: np.ndarray, connectivity: int = 8) -> int:
    """How many connected parts the mask has."""
    return components(mask, connectivity)[1]


def count_holes(mask: np.ndarray) -> int:
    """How many parts of the background the mask shuts in.

    The background joins at corners (connectivity 8), the foreground then does not: the pairing under which a curve
    separates inside from outside on the square grid (Rosenfeld and Pfaltz, *Sequential operations in digital picture
    processing*, J. ACM 13, 1966), and the one that :func:`understudy.geometry.polygons.outlines` follows.
    """
    outside = np.pad(~np.asarray(mask, bool), 1, constant_values=True)
    return count_components(outside) - 1
