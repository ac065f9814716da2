"""Numbers for paths: one scrambled Sobol sequence laid over the whole picture, so that neighbours share the work.

What is seen of a pixel's error is what is left after its neighbours have been averaged in, by the denoiser and by the eye.
So pixels are numbered in Z-order, and a pixel's samples are the next few points of one low-discrepancy sequence: every
aligned block of 2x2, 4x4 ... pixels then covers each pair of dimensions as evenly as that many points can (Ahmed and
Wonka, *Screen-space blue-noise diffusion of Monte Carlo sampling error via hierarchical ordering of pixels*, SIGGRAPH Asia
2020). Pairs of dimensions are Sobol's first two, each with an Owen scrambling of its own of order and values, by hashing
(Burley, *Practical hash-based Owen scrambling*, JCGT 2020; the hash is Laine and Karras's, 2011).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# Halves of ever larger groups of bits: Pascal's triangle modulo two, which is Sobol's second matrix, applied step by step.
_PASCAL = ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF), (16, 0x0000FFFF))


class Sequence:
    """The points of ``samples`` paths through each of ``pixels`` (k,) flat indices of a picture ``width`` pixels wide.

    As :func:`~.rays.sampled_rays` has them: first the first samples of all pixels, then the second ones; ``which`` sample
    of which ``pixel`` of the list each path is. ``word`` (64 bits) scrambles; two words give independent sequences. Points
    have numbers of 32 bits: of more than four thousand million, pixels far from each other share some.
    """

    def __init__(self, mi, pixels: np.ndarray, width: int, samples: int, word: int) -> None:
        import drjit as dr

        self._mi, self._dr = mi, dr
        start = z_order(pixels, width) * np.uint32(1 << (samples - 1).bit_length())
        lane, count = dr.arange(mi.UInt32, len(pixels) * samples), dr.opaque(mi.UInt32, len(pixels))
        self.which = lane // count
        self.pixel = lane - self.which * count
        self._number = dr.gather(mi.UInt32, mi.UInt32(start), self.pixel) + self.which
        self._low, self._high = (dr.opaque(mi.UInt32, word >> shift & 0xFFFFFFFF) for shift in (0, 32))

    def pair(self, place: int, depth=0):
        """Two numbers in [0, 1) for each path: the ``place``-th pair of dimensions of its ``depth``-th segment."""
        mi, dr = self._mi, self._dr
        seeds = [_hashed(self._low ^ _hashed(self._high + mi.UInt32(depth) * 64 + (4 * place + k))) for k in range(3)]
        turned = dr.brev(_permuted(dr.brev(self._number), seeds[0]))
        second = turned
        for shift, half in _PASCAL:
            second = second ^ ((second >> shift) & half)
        return tuple(mi.Float(dr.brev(_permuted(bits, seed)) >> 8) * 2.0**-24
                     for bits, seed in zip((turned, second), seeds[1:]))


def z_order(pixels: np.ndarray, width: int) -> np.ndarray:
    """(k,) uint32: the places of flat pixel indices along Morton's curve, bits of column and row in turns."""
    row, column = np.divmod(pixels, width)
    return _spread(column) | _spread(row) << np.uint32(1)


@lru_cache(maxsize=4)
def curve(rows: int, columns: int) -> np.ndarray:
    """(rows * columns,) flat indices of a map along Morton's curve; read-only."""
    order = np.argsort(z_order(np.arange(rows * columns), columns), kind="stable")
    order.flags.writeable = False
    return order


def _spread(values: np.ndarray) -> np.ndarray:
    """Sixteen bits with a nought between each two."""
    bits = values.astype(np.uint32)
    for shift, kept in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        bits = (bits | bits << np.uint32(shift)) & np.uint32(kept)
    return bits


def _permuted(bits, seed):
    """Laine and Karras's hash: each bit is flipped by those below it alone, so of reversed bits it is an Owen scrambling."""
    bits = bits ^ bits * 0x3D20ADEA
    bits = (bits + seed) * ((seed >> 16) | 1)
    bits = bits ^ bits * 0x05526C56
    return bits ^ bits * 0x53A22864


def _hashed(bits):
    """A well mixed 32-bit integer (Wellons' lowbias32)."""
    bits = (bits ^ (bits >> 16)) * 0x7FEB352D
    bits = (bits ^ (bits >> 15)) * 0x846CA68B
    return bits ^ (bits >> 16)
