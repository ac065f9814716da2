"""From colour to a picture's file."""

from __future__ import annotations

import io

import numpy as np

from understudy.record import Picture
from understudy.scene import Electronics


def encode(rgb: np.ndarray, electronics: Electronics) -> Picture:
    """(h, w, 3) uint8 sRGB -> a baseline JPEG (4:2:0, Pillow's quality scale), or a PNG where the quality is 0."""
    from PIL import Image

    image, out = Image.fromarray(np.ascontiguousarray(rgb)), io.BytesIO()
    if electronics.jpeg_quality:
        image.save(out, "JPEG", quality=int(electronics.jpeg_quality), subsampling="4:2:0")
        suffix = ".jpg"
    else:
        image.save(out, "PNG", compress_level=4)
        suffix = ".png"
    return Picture(out.getvalue(), suffix, image.size)
