"""Named random streams: a record is a function of (recipe, seed, index).

A :class:`Key` is an address, not a state: ``Key(seed) / index / "world" / "people" / 0 / "age"``. Two addresses that
differ in any part give independent streams; asking the same address twice gives the same numbers. Nothing is ever drawn
"next", so adding an axis, or removing the third person, moves no other draw.

An address is hashed with BLAKE2b over *length-prefixed, typed* parts (``(1, "23x")`` and ``(12, "3x")`` differ, and so do
``1`` and ``"1"``) into the 128-bit key of a Philox 4x64 counter generator (Salmon et al., *Parallel random numbers: as
easy as 1, 2, 3*, SC 2011). Only raw 64-bit words are taken from NumPy, whose promise of stability covers bit generators;
the few distributions below are built on the words here, without the platform's libm where that is possible.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")


class Key:
    """The address of a random stream. Immutable, hashable, cheap (about 1 µs a step)."""

    __slots__ = ("_digest",)

    def __init__(self, seed: int) -> None:
        """The root stream of ``seed``, any integer (0 and negatives are seeds like others)."""
        self._digest = _hash(b"understudy", seed)

    def child(self, *parts: str | int) -> Key:
        """The stream at ``parts`` below this one."""
        digest = self._digest
        for part in parts:
            digest = _hash(digest, part)
        key = object.__new__(Key)
        key._digest = digest
        return key

    __truediv__ = child

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and other._digest == self._digest

    def __hash__(self) -> int:
        return hash(self._digest)

    def __repr__(self) -> str:
        return f"Key({self._digest.hex()[:12]})"

    def words(self, n: int) -> np.ndarray:
        """``n`` raw words: (n,) uint64, uniform."""
        return np.random.Philox(_Given(self._digest)).random_raw(n)

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """One float in [low, high)."""
        return low + (high - low) * ((int(self.words(1)[0]) >> 11) * 2.0**-53)

    def uniforms(self, *shape: int) -> np.ndarray:
        """``shape`` float64 in [0, 1), 53 bits each."""
        words = self.words(math.prod(shape))
        return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)

    def integer(self, low: int, high: int) -> int:
        """One integer in [low, high], both ends included; unbiased (rejection on the top words)."""
        span = high - low + 1
        if span < 1:
            raise ValueError(f"empty range [{low}, {high}]")
        limit = (1 << 64) - (1 << 64) % span
        n = 4
        while True:
            for word in self.words(n):
                if int(word) < limit:
                    return low + int(word) % span
            n *= 4

    def choice(self, options: Sequence[_T]) -> _T:
        """One of ``options``, all equally likely."""
        return options[self.integer(0, len(options) - 1)]

    def weighted(self, weights: Sequence[float]) -> int:
        """An index into ``weights`` with probability proportional to the weight."""
        edges = list(accumulate(map(float, weights)))
        return min(bisect_right(edges, self.uniform() * edges[-1]), len(edges) - 1)

    def normal(self) -> float:
        """One standard normal value (Box-Muller)."""
        u, v = self.uniforms(2)
        return math.sqrt(-2.0 * math.log1p(-u)) * math.cos(2.0 * math.pi * v)

    def normals(self, *shape: int) -> np.ndarray:
        """``shape`` float32 standard normal values, for bulk noise.

        Sixteen bits a value through a table of quantiles: four values a word, the same bits on every machine; the
        largest magnitude is 4.3 standard deviations.
        """
        n = math.prod(shape)
        bits = self.words(-(-n // 4)).astype("<u8").view("<u2")[:n]
        return _normal_quantiles()[bits].reshape(shape)

    def permutation(self, n: int) -> np.ndarray:
        """A random order of ``range(n)``: (n,) int64."""
        return np.argsort(self.words(n), kind="stable")


class _Given(np.random.bit_generator.ISeedSequence):
    """A generator's 128-bit key as it is. NumPy given a bare key asks the system for entropy first, which takes four
    times as long as the first words."""

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    def generate_state(self, n_words: int, dtype: type = np.uint64) -> np.ndarray:
        return np.frombuffer(self._digest, "<u8").astype(dtype)


def _hash(prefix: bytes, part: str | int) -> bytes:
    if isinstance(part, bool) or not isinstance(part, int | str):
        raise TypeError(f"a stream's name is made of str and int, not {type(part).__name__} ({part!r})")
    data = part.encode() if isinstance(part, str) else str(part).encode()
    tag = b"s" if isinstance(part, str) else b"i"
    return blake2b(tag + len(data).to_bytes(8, "little") + data, digest_size=16, key=prefix).digest()


@lru_cache(maxsize=1)
def _normal_quantiles() -> np.ndarray:
    from scipy.special import ndtri

    table = ndtri((np.arange(65536) + 0.5) / 65536).astype(np.float32)
    table.flags.writeable = False
    return table
