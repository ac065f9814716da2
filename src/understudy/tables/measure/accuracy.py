"""How alike two tables' shares are: 1 - total variation of one, two and three columns together, and correlations."""

from __future__ import annotations

import itertools

import numpy as np

_MOST_TRIPLES = 1000


def accuracy(a: np.ndarray, b: np.ndarray, sizes: list[int], ways: int) -> tuple[float, dict[tuple[int, ...], float]]:
    """Mean, and each combination's 1 - total variation, over all sets of ``ways`` columns (of three: at most a thousand,
    evenly spread). a, b : (d, n) bins; sizes : bins a column."""
    sets = list(itertools.combinations(range(len(sizes)), ways))
    if len(sets) > _MOST_TRIPLES:
        sets = [sets[i] for i in np.linspace(0, len(sets) - 1, _MOST_TRIPLES).astype(int)]
    each = {}
    for chosen in sets:
        cells = int(np.prod([sizes[i] for i in chosen]))
        each[chosen] = 1 - 0.5 * float(np.abs(_shares(a, chosen, sizes, cells) - _shares(b, chosen, sizes, cells)).sum())
    return float(np.mean(list(each.values()))) if each else float("nan"), each


def _shares(bins: np.ndarray, chosen: tuple[int, ...], sizes: list[int], cells: int) -> np.ndarray:
    joint = np.zeros(bins.shape[1], np.int64)
    for i in chosen:
        joint = joint * sizes[i] + bins[i]
    return np.bincount(joint, minlength=cells) / bins.shape[1]


def association(bins: np.ndarray, sizes: list[int]) -> np.ndarray:
    """(d, d) Cramer's V between binned columns: 0 unrelated, 1 one follows from the other."""
    d, n = bins.shape
    found = np.eye(d)
    for i in range(d):
        for j in range(i):
            joint = np.bincount(bins[i] * sizes[j] + bins[j], minlength=sizes[i] * sizes[j]).reshape(sizes[i], sizes[j]) / n
            joint = joint[joint.sum(1) > 0][:, joint.sum(0) > 0]
            apart = joint.sum(1)[:, None] * joint.sum(0)
            free = min(joint.shape) - 1
            v = np.sqrt(max(float(((joint - apart) ** 2 / apart).sum()), 0.0) / free) if free > 0 else 0.0
            found[i, j] = found[j, i] = v
    return found
