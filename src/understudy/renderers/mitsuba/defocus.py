"""The photograph behind the figures, out of focus where the camera that takes them does not focus.

One camera sees figures and photograph. A figure blurred before a sharp photograph, or a sharp one whose lens would have
blurred everything behind it, tells a network what was put in. The photograph is sharp as it was taken; how deep each of its
rows lies follows from the ground plane, and above the horizon it is far away.
"""

from __future__ import annotations

import numpy as np

from understudy.geometry.cameras import confusion_px
from understudy.key import Key
from understudy.renderers.mitsuba.grain import grainy
from understudy.scene import Camera

FAR_M = 12.0  # how far off what rises from the ground is taken to be: walls, trees
_LEAST_PX = 0.4  # a blur that nobody sees
_MOST_PX = 32.0


def defocused(radiance: np.ndarray, camera: Camera, noise: float, key: Key) -> np.ndarray:
    """``radiance`` (h, w, 3) as ``camera``'s aperture and focus blur it, the photograph's noise (sRGB) kept."""
    sigma = blur_px(camera, radiance.shape[:2])
    if sigma is None:
        return radiance
    out = np.zeros_like(radiance)
    previous, low = radiance, 0.0
    for high, soft in _levels(radiance, float(sigma.max())):
        here = (sigma >= low) & ((sigma < high) | (high >= sigma.max()))
        share = np.clip((sigma - low) / (high - low), 0, 1)[:, None, None].astype(np.float32)
        out[here] = previous[here] + share[here] * (soft[here] - previous[here])
        previous, low = soft, high
    if noise:
        lost = np.broadcast_to(np.clip(sigma / 1.5, 0, 1)[:, None], radiance.shape[:2]).astype(np.float32)
        out = grainy(out * lost[..., None], lost, noise, key) + (1 - lost)[..., None] * out
    return out


def blur_px(camera: Camera, size_hw: tuple[int, int]) -> np.ndarray | None:
    """(h,) standard deviation in pixels of each row's blur, or None where there is none to see."""
    lens = camera.lens
    if not camera.optics.aperture_m:
        return None
    rows = (np.arange(size_hw[0]) + 0.5 - lens.centre_px[1]) / lens.focal_px[1]
    down = camera.to_world[2, 1] * rows + camera.to_world[2, 2]  # how the row's ray falls, per metre of depth
    height = camera.to_world[2, 3]
    with np.errstate(divide="ignore"):
        depth = np.where(down < 0, height / np.maximum(-down, 1e-9), np.inf)
    sigma = np.minimum(confusion_px(camera, np.clip(depth, 0.2, FAR_M)) / 2, _MOST_PX)
    return None if sigma.max() < _LEAST_PX else sigma


def _levels(radiance: np.ndarray, most: float):
    """(standard deviation, blurred picture), from little to ``most`` or above; strong ones are made small and enlarged."""
    import cv2

    h, w = radiance.shape[:2]
    sigma = 0.8
    while True:
        step = 1
        while sigma / step > 4 and min(h, w) // (2 * step) >= 16:
            step *= 2
        small = radiance if step == 1 else cv2.resize(radiance, (w // step, h // step), interpolation=cv2.INTER_AREA)
        soft = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
        yield sigma, soft if step == 1 else cv2.resize(soft, (w, h), interpolation=cv2.INTER_LINEAR)
        if sigma >= most:
            return
        sigma *= 2
