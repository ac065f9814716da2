"""The same photograph is found again after what happens to photographs; others are not; a list refuses."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from understudy.errors import DatasetError
from understudy.learn import duplicates


def scene(seed: int) -> Image.Image:
    """Something with the spectrum of a photograph: noise at every scale."""
    rng = np.random.default_rng(seed)
    image = sum(np.asarray(Image.fromarray(rng.normal(0, 1, (4 * 2**k, 6 * 2**k)).astype(np.float32)).resize((192, 128)))
                / 2**k for k in range(6))
    grey = (128 + 60 * image / image.std()).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.stack([grey, np.roll(grey, 3, 1), grey // 2 + 60], -1))


def hashed(image: Image.Image) -> np.ndarray:
    return duplicates.perceptual_hash(np.asarray(image.convert("RGB")))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out)


CHANGES = {
    "same": lambda i: i,
    "half the size": lambda i: i.resize((96, 64), Image.Resampling.LANCZOS),
    "jpeg": lambda i: jpeg(i, 30),
    "darker": lambda i: ImageEnhance.Brightness(i).enhance(0.6),
    "blurred": lambda i: i.filter(ImageFilter.GaussianBlur(1.5)),
    "mirrored": lambda i: i.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "mirrored jpeg": lambda i: jpeg(i.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 40),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_photograph_is_found(change):
    originals = np.stack([hashed(scene(s)) for s in range(20)])
    changed = np.stack([hashed(CHANGES[change](scene(s))) for s in range(20)])
    pairs = duplicates.overlaps(originals, [f"a{s}" for s in range(20)], changed, [f"b{s}" for s in range(20)])
    assert [(p.first, p.second) for p in pairs] == [(f"a{s}", f"b{s}") for s in range(20)]


def test_other_photographs_are_not():
    a, b = (np.stack([hashed(scene(s)) for s in seeds]) for seeds in (range(100), range(100, 200)))
    assert duplicates.overlaps(a, ["x"] * 100, b, ["y"] * 100) == []
    # unrelated bits differ by 128 with a deviation of 8; the nearer of two mirrors, of 10,000 pairs, stays well above SAME
    assert duplicates.distances(a, b).min() > duplicates.SAME + 20


def test_a_list_refuses_and_no_list_does_not():
    duplicates.refuse([], "train", "test")
    with pytest.raises(DatasetError) as caught:
        duplicates.refuse([duplicates.Pair("x.jpg", "y.jpg", 3)], "train", "test")
    assert "x.jpg = y.jpg (3 of 256 bits differ)" in str(caught.value) and "--allow-overlap" in str(caught.value)
