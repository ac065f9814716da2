"""SipHash-2-4 with 128 bits of output, over a whole column of texts at once.

A keyed hash made for short inputs (Aumasson, Bernstein, *SipHash: a fast short-input PRF*, INDOCRYPT 2012; the 128-bit
output is that of the authors' reference code): who has no key can neither compute it nor go back. Each step is a handful of
additions, rotations and exclusive ors, here of arrays with a number for each text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

_BLOCK = 16_384  # texts at a time: their state stays in the processor's cache
_BEGIN = np.array([0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573], np.uint64)


def siphash(texts: pa.StringArray, key: bytes) -> np.ndarray:
    """(n, 2) uint64 of each text's UTF-8 bytes (null: those of the empty text). key : 16 bytes"""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1].astype(np.int64)
    longest = int(np.diff(ends).max(initial=0))
    own = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    text = np.concatenate([own, np.zeros(longest + 8, np.uint8)])  # so that every text's words can be read
    ends -= ends[0]
    out = np.zeros((len(texts), 2), np.uint64)
    for start in range(0, len(texts), _BLOCK):
        for rows, words in _words(text, ends[start : start + _BLOCK + 1]):
            out[start + rows] = _hashed(words, key)
    return out


def _words(text: np.ndarray, ends: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows whose texts take the same number of words, and their (words, rows) little-endian uint64; the last word ends in
    the text's length. text : bytes of all; ends : (n + 1,) where texts begin and end"""
    lengths = np.diff(ends)
    sizes = lengths // 8 + 1
    for size in np.flatnonzero(np.bincount(sizes)).tolist():
        rows = np.flatnonzero(sizes == size)
        own = np.lib.stride_tricks.sliding_window_view(text, 8 * size)[ends[rows]]
        own[:, -8:] *= np.arange(8 * size - 8, 8 * size) < lengths[rows][:, None]
        own[:, -1] = lengths[rows] & 255
        yield rows, own.view("<u8").T.copy()


def _hashed(words: np.ndarray, key: bytes) -> np.ndarray:
    """(rows, 2) of (words, rows)."""
    halves = np.frombuffer(key, "<u8")
    v = (_BEGIN ^ np.tile(halves, 2))[:, None].repeat(words.shape[1], axis=1)
    v[1] ^= np.uint64(0xEE)
    spare = np.zeros_like(v[0])
    for word in words:
        v[3] ^= word
        _rounds(v, spare, 2)
        v[0] ^= word
    v[2] ^= np.uint64(0xEE)
    _rounds(v, spare, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= np.uint64(0xDD)
    _rounds(v, spare, 4)
    return np.stack([first, v[0] ^ v[1] ^ v[2] ^ v[3]], axis=1)


def _rounds(v: np.ndarray, spare: np.ndarray, n: int) -> None:
    a, b, c, d = v
    for _ in range(n):
        a += b
        _turn(b, 13, spare)
        b ^= a
        _turn(a, 32, spare)
        c += d
        _turn(d, 16, spare)
        d ^= c
        a += d
        _turn(d, 21, spare)
        d ^= a
        c += b
        _turn(b, 17, spare)
        b ^= c
        _turn(c, 32, spare)


def _turn(x: np.ndarray, bits: int, spare: np.ndarray) -> None:
    """Rotate to the left, in place."""
    np.right_shift(x, np.uint64(64 - bits), out=spare)
    np.left_shift(x, np.uint64(bits), out=x)
    x |= spare
