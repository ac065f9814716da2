"""What is out of focus is smooth: the lens's samples there are few, and their noise is taken out after the denoiser.

A pixel whose circle of confusion spans many others sees a different point with every sample, so base colour, normal and
coverage, which guide the denoiser, are themselves noise. But the picture cannot change faster there than the circle is
wide: a mean over less than half of it, among pixels that are as much out of focus, takes away noise and nothing else.
"""

from __future__ import annotations

import numpy as np

from understudy import signals
from understudy.geometry.cameras import confusion_px
from understudy.renderers.channels import Hits, label_channels
from understudy.renderers.triangles import Triangles
from understudy.scene import Scene

# Radius of the circle of confusion (px) from which a mean over so many pixels a side is taken.
_MEANS = ((1.5, 3), (3.0, 5), (6.0, 9))
_NEAREST_M = 0.05  # nearer than that everything is as much out of focus
_ALL = (slice(None), slice(None))


def settled(picture: np.ndarray, scene: Scene, triangles: Triangles, hits: Hits,
            at: tuple[slice, slice] = _ALL) -> np.ndarray:
    """``picture`` (h, w, c) float32 linear without the noise of defocus; ``hits`` say what the pixels' centres see.

    ``at`` : the whole picture's rows and columns that ``picture`` is
    """
    if not scene.camera.optics.aperture_m:
        return picture
    import cv2

    depth = label_channels(scene, triangles, hits, (signals.DEPTH,))[signals.DEPTH]  # inf where nothing is
    depth = depth[at]
    radius = confusion_px(scene.camera, np.maximum(depth, _NEAREST_M))
    if not (np.isfinite(depth) & (radius >= _MEANS[0][0])).any():
        return picture
    out = picture
    for least, side in _MEANS:
        soft = radius >= least
        if not soft.any():
            break
        share = soft.astype(np.float32)
        total = cv2.boxFilter(picture * share[..., None], -1, (side, side), normalize=False)
        count = cv2.boxFilter(share, -1, (side, side), normalize=False)
        out = np.where(soft[..., None], total / np.maximum(count, 1)[..., None], out)
    return out

