"""A balanced pick: rows of a pool whose tables of all pairs of columns are near to what the whole pool says.

Rows picked by chance alone have the pool's shares up to the noise of picking. It falls if a few picked rows of combinations
that came too often give way to rows of combinations that came too seldom: balanced sampling (Deville, Tille, *Efficient
balanced sampling: the cube method*, Biometrika 2004), here by exchange, and along the rows too, so that every beginning is
balanced (herding: Chen, Welling, Smola, *Super-samples from kernel herding*, UAI 2010).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SLICE = 2048  # rows picked, of which each is balanced together with those before it; fewer are left to chance
_BLOCK = 512  # rows of the pool that are exchanged for each other
_TRADED = (0.025, 0.018)  # of a block's rows, at most, each time round: more at once would be alike, and overshoot
_FEW = 8.0  # rows of a cell that has a say: exchanges for the sake of rarer ones would only drive them out
_PAIRS = 256  # of columns; of more, every second, third ...
_AT_ONCE = 1024


def balanced(groups: np.ndarray, sizes: Sequence[int], chance: np.ndarray, late: np.ndarray, wanted: int) -> np.ndarray:
    """(wanted,) rising places of rows: the first by ``late``, some exchanged until tables of pairs are those by ``chance``.

    groups : (n, columns) of each row; sizes : how many a column has; chance : (n,) of being picked, of sum ``wanted``
    late : (n,) random numbers, smaller for rows of more chance
    """
    n = len(chance)
    many = max(min(wanted // SLICE, n - wanted), 1)
    kept = np.zeros(n, bool)
    ends, shares = np.arange(many + 1) * n // many, np.arange(many + 1) * wanted // many
    for start, end, share in zip(ends, ends[1:], np.diff(shares)):
        kept[start + np.argpartition(late[start:end], share - 1)[:share]] = True
    if wanted < SLICE:
        return np.flatnonzero(kept)
    codes, cells = _codes(groups, np.asarray(sizes))
    parts = [slice(i, i + _AT_ONCE) for i in range(0, n, _AT_ONCE)]
    aim = sum(_tally(codes[p], cells, np.repeat(chance[p], codes.shape[1])) for p in parts)
    off, worth = np.zeros(cells), aim / (aim + _FEW) ** 2
    for start, end, share in zip(ends, ends[1:], np.diff(shares)):
        off += _tally(codes[start:end][kept[start:end]], cells) - aim * (share / wanted)
        blocks = [slice(i, min(i + _BLOCK, end)) for i in range(start, end, _BLOCK)]
        for most in _TRADED:
            for block in blocks:
                _trade(codes[block], kept[block], off, worth, int(np.ceil(most * (block.stop - block.start))))
    return np.flatnonzero(kept)


def pairs(columns: int) -> tuple[np.ndarray, np.ndarray]:
    """The two columns of each pair that is balanced."""
    a, b = np.tril_indices(columns, -1)
    step = max(-(-len(a) // _PAIRS), 1)
    return a[::step], b[::step]


def _codes(groups: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, int]:
    """(n, pairs) each row's cell, numbered through all tables of pairs; and how many cells there are."""
    a, b = pairs(len(sizes))
    ends = np.cumsum(sizes[a] * sizes[b])
    wide = sizes[b].astype(groups.dtype)
    codes = np.zeros((len(groups), len(a)), np.int64)
    for start in range(0, len(groups), _AT_ONCE):
        own = groups[start : start + _AT_ONCE]
        cell = np.take(own, a, 1) * wide + np.take(own, b, 1)
        np.add(cell, ends - sizes[a] * sizes[b], out=codes[start : start + _AT_ONCE])
    return codes, int(ends[-1]) if len(ends) else 0


def _tally(codes: np.ndarray, cells: int, weights: np.ndarray | None = None) -> np.ndarray:
    return np.bincount(codes.ravel(), weights, minlength=cells)


def _trade(codes: np.ndarray, kept: np.ndarray, off: np.ndarray, worth: np.ndarray, most: int) -> None:
    """Exchange at most so many rows where that brings the sum of ``worth`` times ``off`` squared down: ``kept`` and
    ``off`` (kept rows less those aimed at, by cell) change. Half a row's own worth is what it adds by itself."""
    pull, own = (off * worth).take(codes).sum(1), worth.take(codes).sum(1) / 2
    inside, outside = np.flatnonzero(kept), np.flatnonzero(~kept)
    leave, enter = (pull - own)[inside], (pull + own)[outside]
    most = min(most, len(inside), len(outside))
    first, last = np.argsort(-leave, kind="stable")[:most], np.argsort(enter, kind="stable")[:most]
    better = leave[first] > enter[last]
    leaving, entering = inside[first[better]], outside[last[better]]
    if not len(leaving):
        return
    kept[leaving], kept[entering] = False, True
    np.subtract.at(off, codes[leaving].ravel(), 1.0)
    np.add.at(off, codes[entering].ravel(), 1.0)
