"""What is out of focus is smooth: the lens's samples there are few, and their noise is taken out after the denoiser.

A pixel whose circle of confusion spans many others sees a different point with every sample, so base colour, normal and
coverage, which guide the denoiser, are themselves noise. But the picture cannot change faster there than the circle is
wide: a mean over less than half of it, among pixels that are as much out of focus, takes away noise and nothing else.
"""

from __future__ import annotations

import numpy as np

from understudy.renderers.channels import Hits
from understudy.renderers.triangles import Triangles
from understudy.scene import Camera

# Radius of the circle of confusion (px) from which a mean over so many pixels a side is taken.
_MEANS = ((1.5, 3), (3.0, 5), (6.0, 9))


def settled(picture: np.ndarray, camera: Camera, triangles: Triangles, hits: Hits) -> np.ndarray:
    """``picture`` (h, w, c) float32 linear without the noise of defocus; ``hits`` say what the pixels' centres see."""
    if not camera.optics.aperture_m:
        return picture
    import cv2

    radius = blur_radius_px(camera, triangles, hits)
    out = picture
    if not (radius.ravel()[hits.pixel] >= _MEANS[0][0]).any():
        return picture
    for least, side in _MEANS:
        soft = radius >= least
        if not soft.any():
            break
        share = soft.astype(np.float32)
        total = cv2.boxFilter(picture * share[..., None], -1, (side, side), normalize=False)
        count = cv2.boxFilter(share, -1, (side, side), normalize=False)
        out = np.where(soft[..., None], total / np.maximum(count, 1)[..., None], out)
    return out


def blur_radius_px(camera: Camera, triangles: Triangles, hits: Hits) -> np.ndarray:
    """(h, w) float32: the radius of the circle of confusion of what each pixel's centre sees, nothing being far away."""
    w, h = camera.lens.size_wh
    nearness = np.zeros(h * w, np.float32)  # 1 / depth
    if len(hits.pixel):
        z = ((triangles.vertices - camera.to_world[:3, 3]) @ camera.to_world[:3, 2]).astype(np.float32)
        corner = triangles.faces[hits.face]
        b, c = hits.weights[:, 0], hits.weights[:, 1]
        depth = (1 - b - c) * z[corner[:, 0]] + b * z[corner[:, 1]] + c * z[corner[:, 2]]
        nearness[hits.pixel] = 1 / np.maximum(depth, 0.05)
    apart = np.abs(nearness - np.float32(1 / camera.optics.focus_m))
    return (apart * np.float32(camera.optics.aperture_m / 2 * max(camera.lens.focal_px))).reshape(h, w)
