"""Noise as a photograph has it, put on what a photograph did not hold."""

from __future__ import annotations

import numpy as np

from understudy.key import Key


def grainy(light: np.ndarray, cover: np.ndarray, noise: float, key: Key) -> np.ndarray:
    """Noise of standard deviation ``noise`` in sRGB, as the photograph has it, where ``cover`` is."""
    import cv2

    at = np.flatnonzero(cover > 0.01)
    if not len(at):
        return light
    share = cover.reshape(-1)[at, None]
    own = light.reshape(-1, 3)[at] / share
    slope = cv2.pow(np.maximum(own, np.float32(0.002)), 0.583) * np.float32(2.27)  # d linear / d sRGB
    out = light.copy()
    out.reshape(-1, 3)[at] = np.maximum(own + key.normals(len(at), 3) * np.float32(noise) * slope, 0) * share
    return out
