"""Photographs that are in two sets: found by a perceptual hash, and refused where one set is for measuring.

The hash is the signs of a picture's low frequencies: a grey 32x32 thumbnail's discrete cosine transform, its 16x16 lowest
coefficients against their median (256 bits; the 64-bit form is Zauner, *Implementation and benchmarking of perceptual image
hash functions*, 2010). Scaling, JPEG, and small changes of light move few bits; another photograph moves about half. The
mirrored picture is compared, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.errors import DatasetError

BITS = 256
SAME = 48
"""Pictures that differ in fewer bits than this are the same photograph. Of 240 photographs (BSDS500) no pair differed in
fewer than 96 bits; scaled to half and saved at JPEG quality 40 each differed from itself in at most 14, mirrored, too, in
26."""


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 -> (32,) uint8, 256 bits."""
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    low = cv2.dct(cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32))[:16, :16].ravel()
    low[0] = 0  # the mean brightness says nothing
    return np.packbits(low > np.median(low))


def mirrored(hashes: np.ndarray) -> np.ndarray:
    """The hashes of the mirrored pictures: odd horizontal frequencies change sign. (n, 32) uint8 both ways.

    Exact but for coefficients at the median itself.
    """
    bits = np.unpackbits(hashes.reshape(-1, BITS // 8), axis=1).reshape(-1, 16, 16).copy()
    bits[:, :, 1::2] ^= 1
    return np.packbits(bits.reshape(-1, BITS), axis=1)


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Differing bits of every pair, the mirrored picture counting where it is nearer: (n, 32), (m, 32) -> (n, m)."""
    a, b = np.atleast_2d(a), np.atleast_2d(b)
    far = np.zeros((len(a), len(b)), np.int64)
    turned = mirrored(b)
    for i, row in enumerate(a):  # one row at a time: (m, 32) bytes in memory, not (n, m, 32)
        far[i] = np.minimum(np.bitwise_count(b ^ row).sum(1), np.bitwise_count(turned ^ row).sum(1))
    return far


@dataclass(frozen=True)
class Pair:
    """The same photograph twice: its name in each set and the bits that differ."""

    first: str
    second: str
    bits: int


@dataclass(frozen=True)
class Photographs:
    """Hashes of the real photographs behind a model: (n, 32) uint8 each. trained : it learned from them; chose : they chose
    its checkpoint. A score on either is no measurement."""

    trained: np.ndarray
    chose: np.ndarray

    def joined(self, other: Photographs) -> Photographs:
        return Photographs(np.concatenate([self.trained, other.trained]), np.concatenate([self.chose, other.chose]))

    def and_trained(self, hashes: np.ndarray) -> Photographs:
        """With more photographs that were learned from, with or without labels."""
        return Photographs(np.concatenate([self.trained, np.asarray(hashes, np.uint8).reshape(-1, 32)]), self.chose)


def none_seen() -> Photographs:
    """No photographs at all."""
    return Photographs(np.zeros((0, 32), np.uint8), np.zeros((0, 32), np.uint8))


def overlaps(a: np.ndarray, names_a: Sequence[str], b: np.ndarray, names_b: Sequence[str]) -> list[Pair]:
    """The photographs of ``a`` that are in ``b``, too, in order of ``a``."""
    if not len(a) or not len(b):
        return []
    far = distances(a, b)
    nearest = far.argmin(1)
    return [Pair(names_a[i], names_b[j], int(far[i, j])) for i, j in enumerate(nearest) if far[i, j] < SAME]


def refuse(pairs: Sequence[Pair], first: object, second: object) -> None:
    """DatasetError with the list if there is any pair."""
    if not pairs:
        return
    listed = "\n".join(f"  {p.first} = {p.second} ({p.bits} of {BITS} bits differ)" for p in pairs[:40])
    more = f"\n  and {len(pairs) - 40} more" if len(pairs) > 40 else ""
    count = "1 photograph is" if len(pairs) == 1 else f"{len(pairs)} photographs are"
    raise DatasetError(f"{count} in {first}, too; a score on them would be memory:\n{listed}{more}",
                       where=second, remedy="Take them out of one of the two, or pass --allow-overlap and report no figure")
