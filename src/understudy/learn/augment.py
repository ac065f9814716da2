"""What a picture goes through before a network sees it: crop, flip, light, colour, blur, noise, JPEG.

One vector of uniform numbers decides everything of one sample, so a batch is a function of (seed, step). Labels follow the
same :class:`Window`. About 0.4 ms a picture of 160 pixels (OpenCV on uint8, point operations as look-up tables).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DRAWS = 32
"""Uniform numbers that one sample takes."""
PAD = (114, 114, 114)
"""The grey outside of a picture that is shown smaller than the frame."""


@dataclass(frozen=True)
class Strength:
    """How much is varied.

    scale : least and greatest side of the window over the picture's; above 1 the picture is shown smaller, with a grey rim
    aspect : factor by which the window may be wider or narrower
    flip : whether left and right may be exchanged
    light : half-width of the exponent's range (of gamma, as log2)
    grey, blur, coarse, jpeg : shares of pictures that lose colour, are blurred, lose resolution, are compressed
    noise : greatest standard deviation of the added noise, of 255
    """

    scale: tuple[float, float] = (0.6, 1.0)
    aspect: float = 1.25
    flip: bool = True
    light: float = 0.7
    gain: float = 0.25
    tint: float = 0.15
    grey: float = 0.1
    blur: float = 0.2
    coarse: float = 0.1
    jpeg: float = 0.2
    noise: float = 10.0


LIGHT = Strength(scale=(0.7, 1.15), aspect=1.2, light=0.3, gain=0.15, tint=0.1, grey=0.05, blur=0.05, coarse=0.0, jpeg=0.05,
                 noise=4.0)
"""For a few dozen real pictures and little time: what is varied much must be learned much longer."""


@dataclass(frozen=True)
class Window:
    """The part of a square picture that fills the frame: x0, y0, wide, high in shares of its side; flipped left to right."""

    x0: float
    y0: float
    wide: float
    high: float
    flipped: bool

    def matrix(self, source: int, side: int) -> np.ndarray:
        """(2, 3) from the frame's pixels to the source's (centres at +0), as OpenCV's inverse maps want it."""
        ax, ay = self.wide * source / side, self.high * source / side
        bx, by = self.x0 * source + 0.5 * ax - 0.5, self.y0 * source + 0.5 * ay - 0.5
        if self.flipped:
            ax, bx = -ax, bx + ax * (side - 1)
        return np.array([[ax, 0, bx], [0, ay, by]], np.float32)

    def points(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) in shares of the picture -> in shares of the frame."""
        moved = (np.asarray(xy, np.float32) - (self.x0, self.y0)) / (self.wide, self.high)
        if self.flipped:
            moved[..., 0] = 1 - moved[..., 0]
        return moved

    def boxes(self, xyxy: np.ndarray) -> np.ndarray:
        """(n, 4) in shares of the picture -> in shares of the frame, not cut."""
        corners = self.points(np.asarray(xyxy, np.float32).reshape(-1, 2, 2))
        return np.concatenate([corners.min(1), corners.max(1)], 1)


WHOLE = Window(0.0, 0.0, 1.0, 1.0, False)


def window(u: np.ndarray, strength: Strength) -> Window:
    """Draw a window from ``u[:5]``."""
    low, high = strength.scale
    tall = low + (high - low) * u[0]
    most = max(high, 1.0)
    wide = min(tall * strength.aspect ** (2 * u[1] - 1), most)
    return Window(float(u[2] * (1 - wide)), float(u[3] * (1 - tall)), float(wide), float(tall),
                  bool(strength.flip and u[4] < 0.5))


def framed(image: np.ndarray, seen: Window, side: int) -> np.ndarray:
    """The window of a (s, s, 3) uint8 picture at (side, side, 3)."""
    import cv2

    return cv2.warpAffine(image, seen.matrix(image.shape[0], side), (side, side),
                          flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT, borderValue=PAD)


def framed_labels(labels: np.ndarray, seen: Window, side: int, outside: int = 0) -> np.ndarray:
    """The same of a (s, s) uint8 map of numbers: nearest, never mixed."""
    import cv2

    return cv2.warpAffine(labels, seen.matrix(labels.shape[0], side), (side, side),
                          flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
                          borderValue=outside)


def recoloured(image: np.ndarray, u: np.ndarray, strength: Strength, noise: np.ndarray) -> np.ndarray:
    """Light, colour, blur, resolution, noise and JPEG, drawn from ``u[5:]``: (h, w, 3) uint8, same shape back.

    noise : a pool of float32 standard normals, longer than the picture, from which a stretch is taken
    """
    import cv2

    # Point operations: gamma, then gains, in one table a channel.
    gains = (1 + strength.gain * (2 * u[6] - 1)) * (1 + strength.tint * (2 * u[7:10] - 1))
    curve = (np.arange(256) / 255.0) ** 2 ** (strength.light * (2 * u[5] - 1))
    table = np.clip(255 * curve[:, None] * gains + 0.5, 0, 255).astype(np.uint8)
    image = cv2.LUT(image, np.ascontiguousarray(table[None]))
    if u[10] < strength.grey:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    elif u[11] < 0.5:  # saturation: towards or away from grey
        keep = 0.6 + 0.8 * u[12]
        grey = (1 - keep) * np.array([0.299, 0.587, 0.114], np.float32)
        image = cv2.transform(image, np.eye(3, dtype=np.float32) * np.float32(keep) + grey)
    h, w = image.shape[:2]
    if u[13] < strength.blur:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 + 1.2 * float(u[14]))
    if u[15] < strength.coarse:
        part = 0.4 + 0.5 * u[16]
        small = cv2.resize(image, (max(int(w * part), 8), max(int(h * part), 8)), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)
    if strength.noise:
        start = int(u[17] * (len(noise) - image.size))
        grain = noise[start:start + image.size].reshape(image.shape)
        image = cv2.add(image, cv2.multiply(grain, float(strength.noise * u[18])), dtype=cv2.CV_8U)
    if u[19] < strength.jpeg:
        quality = int(35 + 60 * u[20])
        image = cv2.imdecode(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1], cv2.IMREAD_COLOR)
    return image
