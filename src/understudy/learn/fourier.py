"""Fourier domain adaptation: a made picture with the lowest frequencies' amplitudes of a real one.

Only the amplitudes of the lowest frequencies change, every phase stays, so shapes stay and light and colour move (Yang and
Soatto, *FDA*, CVPR 2020).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BETA = 0.01
"""Half-width of the square of frequencies that is taken over, as a share of the picture's side (the paper's least value)."""


def restyled(image: np.ndarray, style: np.ndarray, beta: float = BETA) -> np.ndarray:
    """``image`` with the low amplitudes of ``style``: (h, w, 3) uint8 both, the same size."""
    reach = int(min(image.shape[:2]) * beta)  # 0: the mean colour alone
    own = np.fft.fft2(image.astype(np.float32), axes=(0, 1))
    other = np.fft.fft2(style.astype(np.float32), axes=(0, 1))
    low = [np.abs(np.fft.fftfreq(n, 1 / n)) <= reach for n in image.shape[:2]]
    square = np.ix_(*low)
    own[square] = np.abs(other[square]) * np.exp(1j * np.angle(own[square]))
    return np.clip(np.fft.ifft2(own, axes=(0, 1)).real + 0.5, 0, 255).astype(np.uint8)


class Restyler:
    """Gives each made picture the low amplitudes of one of ``styles`` (n, side, side, 3) uint8, by a uniform number."""

    def __init__(self, styles: Sequence[np.ndarray]) -> None:
        self._styles = styles

    def __call__(self, image: np.ndarray, u: float) -> np.ndarray:
        from understudy.learn.cache import scaled

        style = self._styles[min(int(u * len(self._styles)), len(self._styles) - 1)]
        return restyled(image, scaled(np.asarray(style), image.shape[0]))
