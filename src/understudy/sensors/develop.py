"""From the light that arrived at the sensor to 8-bit colour: shutter, glass, gains, noise, tone curve, sharpening.

Every step is centred on its pixel, so none moves an edge and labels hold as they are.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from understudy.key import Key
from understudy.scene import Camera
from understudy.sensors.tone import contrasted

FULL_WELL = 9000.0  # electrons that make white at ISO 100: a small camera's pixel
READ_NOISE = 3.0  # electrons, standard deviation
MIDDLE_GREY = 0.18
SHOULDER = np.float32(0.5)  # linear light from which highlights roll off


def develop(linear: np.ndarray, camera: Camera, key: Key) -> np.ndarray:
    """``linear`` (h, w, 3) float32, 1 is white -> (h, w, 3) uint8 sRGB.

    In the order of a camera: motion blur, vignette, exposure, white balance, photon and read noise, tone curve,
    sharpening. ``key`` feeds the noise.
    """
    import cv2

    light = np.maximum(np.asarray(linear, np.float32), 0)
    kernel = motion_kernel(*camera.optics.motion_px)
    if kernel is not None:
        light = cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    electronics = camera.electronics
    red, blue = electronics.white_balance
    if camera.optics.vignette:
        light *= _vignette(light.shape[:2], camera.optics.vignette)[..., None]
    light *= 2.0**electronics.exposure_ev * np.array([red, 1.0, blue], np.float32)
    if electronics.iso:
        well = np.float32(FULL_WELL * 100 / electronics.iso)
        spread = light / well
        spread += (READ_NOISE / well) ** 2
        noise = key.child("noise").normals(*light.shape)
        noise *= np.sqrt(spread, out=spread)
        light += noise
    curve = np.float32(255) * contrasted(_srgb_table(), electronics.contrast)
    picture = _looked_up(curve, light)
    if not electronics.sharpen:
        return (picture + np.float32(0.5)).astype(np.uint8)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    return cv2.addWeighted(picture, 1 + electronics.sharpen, soft, -electronics.sharpen, 0, dtype=cv2.CV_8U)


def metered(linear: np.ndarray) -> np.ndarray:
    """``linear`` (h, w, 3) scaled as a camera's automatic exposure would: its middle tones to middle grey.

    The geometric mean of the luminance goes to 0.18; where that would burn out more than a twentieth of the picture, the
    exposure is a compromise with what would not. Highlights roll off towards white instead of clipping, as a camera's own
    tone curve has them; a photograph has been through that already and is never metered.
    """
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], linear.dtype)
    middle = math.exp(float(np.log(luminance + 1e-6).mean()))
    bright = float(np.percentile(luminance[::4, ::4], 95))
    for_middle, for_bright = MIDDLE_GREY / max(middle, 1e-6), 1.0 / max(bright, 1e-6)
    gain = for_middle if for_middle <= for_bright else for_middle**0.6 * for_bright**0.4
    out = linear * np.float32(gain)
    room = np.float32(1 - SHOULDER)
    return np.where(out > SHOULDER, SHOULDER + room * (1 - np.exp((SHOULDER - out) / room)), out).astype(linear.dtype)


def motion_kernel(length_px: float, angle_deg: float) -> np.ndarray | None:
    """A straight, centred, normalised line of ``length_px`` as an odd square kernel; None under half a pixel."""
    if length_px < 0.5:
        return None
    reach = math.ceil(length_px / 2) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    steps = 8 * reach + 1
    along = (np.arange(steps) - (steps - 1) / 2) * (length_px / steps)
    x = reach + along * math.cos(math.radians(angle_deg))
    y = reach - along * math.sin(math.radians(angle_deg))
    ix, iy = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - ix, y - iy
    for dx, dy, weight in ((0, 0, (1 - fx) * (1 - fy)), (1, 0, fx * (1 - fy)), (0, 1, (1 - fx) * fy), (1, 1, fx * fy)):
        np.add.at(kernel, (iy + dy, ix + dx), weight)
    return (kernel / kernel.sum()).astype(np.float32)


def _vignette(size_hw: tuple[int, int], loss: float) -> np.ndarray:
    """(h, w) float32: 1 in the middle, 1 - loss in the corners."""
    h, w = size_hw
    y = ((np.arange(h, dtype=np.float32) + 0.5) / h * 2 - 1) ** 2
    x = ((np.arange(w, dtype=np.float32) + 0.5) / w * 2 - 1) ** 2
    aspect = (w / h) ** 2
    return 1 - np.float32(loss) * (y[:, None] + aspect * x) / np.float32(1 + aspect)


def _looked_up(table: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``values`` (float32, overwritten), clipped to [0, 1], through a table of 65,536 even steps."""
    np.clip(values, 0, 1, out=values)
    values *= np.float32(65535)
    values += np.float32(0.5)
    return table.take(values.astype(np.uint16), out=values, mode="clip")


@lru_cache(maxsize=1)
def _srgb_table() -> np.ndarray:
    """The sRGB transfer curve (IEC 61966-2-1)."""
    x = np.arange(65536) / 65535
    table = np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)
    table.flags.writeable = False
    return table
