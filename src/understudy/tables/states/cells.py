"""Cells: the line of numbers cut so that each piece has at least ``k`` owners.

A value with many owners is a cell of its own; the others share cells of about equal numbers of owners, smaller towards the
ends of the line, where a quantity's tail is. Both ends are clipped beside the k-th value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cells:
    """first : (c,) the least value of each cell, rising; low, high : (c,) where made values of a cell lie
    value, share, cell : (v,) values with at least k owners inside each cell, with their share of the cell's owners

    What the shares leave over of a cell is drawn evenly from low to high.
    """

    first: np.ndarray
    low: np.ndarray
    high: np.ndarray
    value: np.ndarray
    share: np.ndarray
    cell: np.ndarray

    @property
    def count(self) -> int:
        return len(self.first)

    def at(self, x: np.ndarray) -> np.ndarray:
        """(n,) the cell of each number; beyond an end: the end's cell."""
        return np.clip(np.searchsorted(self.first, x, side="right") - 1, 0, self.count - 1)

    def draw(self, cells: np.ndarray, u: np.ndarray, v: np.ndarray, digits: int) -> np.ndarray:
        """A value of each cell: ``u``, ``v`` (n,) uniform; rounded to ``digits`` after the point,
        inside the cell if it can be."""
        ends = np.cumsum(self.share) + 0.0
        starts = np.concatenate([[0.0], ends])
        begin = np.searchsorted(self.cell, np.arange(self.count))
        stop = np.searchsorted(self.cell, np.arange(self.count), side="right")
        offset = starts[begin][cells]
        at = np.searchsorted(ends, u + offset, side="right")
        named = (at < stop[cells]) & (at >= begin[cells])
        width = self.high[cells] - self.low[cells]
        even = self.low[cells] + width * v
        step = 10.0**-digits
        rounded = np.round(even, digits)
        rounded = np.where(rounded < self.low[cells], np.round(rounded + step, digits), rounded)
        rounded = np.where(rounded > self.high[cells], np.round(rounded - step, digits), rounded)
        return np.where(
            named, self.value[np.minimum(at, max(len(self.value) - 1, 0))] if len(self.value) else rounded, rounded
        )


def cut(x: np.ndarray, k: int, cells: int) -> Cells:
    """Cells of the (n,) finite numbers ``x``, n >= 1: each has at least ``k`` owners unless n < k."""
    n = len(x)
    values, owners = np.unique(x, return_counts=True)
    groups = _merged(_groups(owners, n, k, cells), owners, k)
    ranked = np.sort(x)
    least, most = ((ranked[min(i, n - 1)] + ranked[min(i + 1, n - 1)]) / 2 for i in (k - 1, max(n - k - 1, 0)))
    if n < 2 * k:  # all in the middle
        least = most = float(ranked.mean())
    first, low, high, inner = [], [], [], []
    for cell, (begin, end) in enumerate(groups):
        own, here = owners[begin:end], values[begin:end]
        known = own >= k
        rest = own[~known].sum()
        if rest < k and known.any():
            rest = 0  # a handful beside a common value is told as that value
        total = own[known].sum() + rest
        inner += [(value, share / total, cell) for value, share in zip(here[known], own[known])]
        first.append(here[0])
        low.append(least if begin == 0 else (here[0] + values[begin - 1]) / 2)
        high.append(most if end == len(values) else (here[-1] + values[end]) / 2)
    first[0] = min(first[0], least)
    bottom = np.clip(np.array(low), least, most)
    top = np.maximum(np.clip(np.array(high), least, most), bottom)
    edges = np.array(first, float)
    edges[1:] = np.array(low)[1:]  # cells begin halfway between values: no value of the data is an edge
    edges[0] = -np.inf
    table = np.array(inner, float).reshape(-1, 3)
    return Cells(edges, bottom, top, table[:, 0], table[:, 1], table[:, 2].astype(np.int64))


def quota_of(owners: np.ndarray, most: int) -> float:
    """The owners of a group when heavy values (say, 0 of nine in ten) stand alone and the rest is shared out evenly."""
    ranked = np.sort(owners)[::-1]
    rest = owners.sum() - np.concatenate([[0], np.cumsum(ranked)])
    for heavy in range(min(most - 1, len(ranked))):
        quota = rest[heavy] / (most - heavy)
        if ranked[heavy] < quota:
            return float(max(quota, 1))
    return float(max(rest[min(most - 1, len(ranked))], 1))


def _groups(owners: np.ndarray, n: int, k: int, cells: int) -> list[tuple[int, int]]:
    quota = max(quota_of(owners, cells), k)
    below = np.cumsum(owners)
    wanted = np.clip(np.minimum(below, n - below + owners) / 3, k, quota)  # finer towards both tails
    groups, begin, own = [], 0, 0
    for i, (count, want) in enumerate(zip(owners.tolist(), wanted.tolist())):
        if count >= want:
            if begin < i:
                groups.append((begin, i))
            groups.append((i, i + 1))
            begin, own = i + 1, 0
            continue
        own += count
        if own >= want:
            groups.append((begin, i + 1))
            begin, own = i + 1, 0
    if begin < len(owners):
        groups.append((begin, len(owners)))
    return groups


def _merged(groups: list[tuple[int, int]], owners: np.ndarray, k: int) -> list[tuple[int, int]]:
    """Groups with fewer than k owners join their smaller neighbour."""
    counts = [int(owners[a:b].sum()) for a, b in groups]
    while len(groups) > 1 and min(counts) < k:
        at = counts.index(min(counts))
        left = at - 1 if at == len(groups) - 1 or (at > 0 and counts[at - 1] <= counts[at + 1]) else at
        groups[left : left + 2] = [(groups[left][0], groups[left + 1][1])]
        counts[left : left + 2] = [counts[left] + counts[left + 1]]
    return groups
