"""DensePose: chart and surface coordinates for every pixel that sees a person.

Convention (Güler et al., *DensePose*, CVPR 2018): charts 1 to 24, 0 is background; u and v in [0, 1] on the chart, stored
as ``round(255 * u)`` in 8 bits, so 0 and 1 are exact. Clothing carries the charts of the body beneath it.
"""

from __future__ import annotations

import numpy as np

from understudy.geometry.boxes import box_of_mask
from understudy.labels import Answers, answers
from understudy.record import DensePose
from understudy.scene import Scene
from understudy.signals import INSTANCE, IUV, Signals


@answers(INSTANCE, IUV)
def densepose(scene: Scene, signals: Signals) -> Answers:
    """``densepose`` on the modal box of each entity whose surfaces carry charts."""
    found = {}
    for entity in scene.labelled:
        if all(s.chart is None for s in entity.surfaces):
            continue
        mask = signals[INSTANCE] == entity.id
        box = box_of_mask(mask)
        if box is None:
            continue
        x0, y0, x1, y1 = box
        found[entity.id] = {"densepose": DensePose(box, encode_iuv(signals[IUV][y0:y1, x0:x1], mask[y0:y1, x0:x1]))}
    return Answers(found)


def encode_iuv(iuv: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(h, w, 3) float chart, u, v -> (h, w, 3) uint8, zero outside the mask."""
    most, steps = np.array((24, 1, 1), iuv.dtype), np.array((1, 255, 255), iuv.dtype)
    scaled = np.rint(np.clip(iuv, 0, most) * steps).astype(np.uint8)
    return np.where((mask & (scaled[..., 0] > 0))[..., None], scaled, np.uint8(0))
