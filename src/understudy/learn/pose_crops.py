"""What a top-down pose network learns from: a crop around one labelled instance of each picture, and its points' heat maps.

As the network is measured (:mod:`understudy.learn.foreign`): the box and a quarter, in the picture's own proportions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.learn.augment import PAD
from understudy.learn.mixture import Sample
from understudy.learn.thing_targets import in_frame, points_in_frame


@dataclass(frozen=True)
class Crops:
    """images : (b, high, wide, 3) uint8; points : (b, k, 3) x and y in pixels of the crop, and whether labelled (0 or 1)"""

    images: np.ndarray
    points: np.ndarray


def pose_crops(images: np.ndarray, samples: Sequence[Sample], u: np.ndarray, size_hw: tuple[int, int], room: float,
               twins: Sequence[int]) -> Crops:
    """Crops of augmented pictures (b, s, s, 3). u : (b,) uniform, which of the labelled instances; a picture that has none
    gives a crop of nothing whose points are not labelled."""
    import cv2

    side, (high, wide) = images.shape[1], size_hw
    out = np.full((len(images), high, wide, 3), PAD, np.uint8)
    points = np.zeros((len(images), len(twins), 3), np.float32)
    for i, (image, sample) in enumerate(zip(images, samples)):
        store, own = sample.part.store, sample.part.store.labels_of(sample.row)
        cut, _, asked = in_frame(sample)
        told = [points_in_frame(p, sample, twins) for p in store.points[own]]
        there = [j for j in np.flatnonzero(asked) if (told[j][:, 2] > 0).any()]
        if not there:
            continue
        j = there[int(u[i] * len(there))]
        # The frame is a square of a window of the picture: how many of its pixels make one picture's height, each way.
        across = side / (sample.seen.wide * float(store.aspect[sample.row]))
        down = side / sample.seen.high
        x0, y0, x1, y1 = cut[j] * side
        scale = max((x1 - x0) / across / wide, (y1 - y0) / down / high) * room  # heights of the picture for a crop's pixel
        ax, ay = scale * across, scale * down
        left, top = (x0 + x1) / 2 - ax * wide / 2, (y0 + y1) / 2 - ay * high / 2
        matrix = np.array([[ax, 0, left + 0.5 * ax - 0.5], [0, ay, top + 0.5 * ay - 0.5]], np.float32)
        out[i] = cv2.warpAffine(image, matrix, (wide, high), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                                borderMode=cv2.BORDER_CONSTANT, borderValue=PAD)
        points[i, :, 0] = (told[j][:, 0] * side - left) / ax
        points[i, :, 1] = (told[j][:, 1] * side - top) / ay
        points[i, :, 2] = told[j][:, 2] > 0
    return Crops(out, points)


def heat_maps(points: np.ndarray, size_hw: tuple[int, int], cells_hw: tuple[int, int]) -> np.ndarray:
    """(b, k, 3) in pixels of crops -> (b, k, h, w) float32: a Gaussian at each point, height 1, its deviation 2 cells of 64
    (Xiao et al., *Simple baselines for human pose estimation*, ECCV 2018); where nothing is labelled, 0."""
    h, w = cells_hw
    spread = 2.0 * h / 64
    x = points[..., 0, None] * w / size_hw[1] - 0.5 - np.arange(w, dtype=np.float32)
    y = points[..., 1, None] * h / size_hw[0] - 0.5 - np.arange(h, dtype=np.float32)
    both = np.exp(-(y[..., :, None] ** 2 + x[..., None, :] ** 2) / (2 * spread**2))
    return (both * points[..., 2, None, None]).astype(np.float32)
