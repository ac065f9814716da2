"""How many made pictures are enough to show what a recipe can show: coverage of real pictures' features, and of pairs of
drawn values, by the first 25, 50, 100 ... pictures.

Coverage of features is Naeem et al.'s (ICML 2020) with respect to the real pictures: it levels off where more pictures of
the same recipe come no nearer to real ones. Pairs are two-way coverage as tests of software count it (Kuhn et al., NIST SP
800-142): of all pairs of paths, the share of their values' combinations, in eighths of each number's ranks, that some
picture shows. What a network gains is another question: `understudy blend --made-counts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from understudy.learn.realism.distances import neighbourhoods

LEAST = 25
LITTLE = 0.02
"""What is still to come may be this much, of 1, where the pictures are called enough."""
_BINS = 8
_MOST_PATHS = 40


def counts(n: int) -> list[int]:
    """n and its halves down to 25, ascending."""
    found = [n]
    while found[-1] // 2 >= LEAST:
        found.append(found[-1] // 2)
    return found[::-1]


def of_real(made: np.ndarray, real: np.ndarray) -> dict[int, float]:
    """{number of the first made pictures: coverage of the real ones} from features (n, d), (m, d)."""
    return {n: neighbourhoods(made[:n], real)["coverage"] for n in counts(len(made))}


def of_pairs(drawn: Mapping[str, Sequence]) -> dict[int, float]:
    """{number of the first pictures: share of the pairs of drawn values that they show}, of the pairs that may occur: both
    values do. {} where fewer than two paths vary. At most 40 paths, the first."""
    codes = [c for c in (_coded(column) for column in drawn.values()) if c is not None][:_MOST_PATHS]
    if len(codes) < 2:
        return {}
    n = len(codes[0])
    shown, possible = dict.fromkeys(counts(n), 0), 0
    for a, b in combinations(codes, 2):
        wide = int(b.max()) + 1
        possible += (int(a.max()) + 1) * wide
        both, there = a * wide + b, (a >= 0) & (b >= 0)
        for k in shown:
            shown[k] += len(np.unique(both[:k][there[:k]]))
    return {k: v / possible for k, v in shown.items()}


def _coded(column: Sequence) -> np.ndarray | None:
    """(n,) whole numbers from 0, -1 where nothing was drawn; None for a column that does not vary, or has too many texts."""
    known = [v for v in column if v is not None]
    if known and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known):
        values = np.array([np.nan if v is None else float(v) for v in column])
        cuts = np.unique(np.nanquantile(values, np.arange(1, _BINS) / _BINS))
        numbers = np.where(np.isnan(values), -1, np.searchsorted(cuts, np.nan_to_num(values), side="left"))
        _, dense = np.unique(numbers[numbers >= 0], return_inverse=True)
        numbers[numbers >= 0] = dense
    else:
        place = {t: i for i, t in enumerate(sorted({str(v) for v in known}))}
        if len(place) > 4 * _BINS:
            return None
        numbers = np.array([-1 if v is None else place[str(v)] for v in column])
    return numbers if len(numbers) and numbers.max() > 0 else None


def enough(*curves: Mapping[int, float]) -> int | None:
    """The least number from which no curve rises by more than 0.02; None where one still does at the last halving."""
    curves = tuple(c for c in curves if c)
    if not curves:
        return None
    last = max(curves[0])
    good = [n for n in curves[0] if all(c[n] >= c[last] - LITTLE for c in curves)]
    return min(good) if good and min(good) < last else None


def told(curves: Mapping[str, Mapping[int, float]]) -> str:
    """One line."""
    last = max(max(c) for c in curves.values())
    stop = enough(*curves.values())
    each = "; ".join(f"{name} {', '.join(f'{v:.2f} with {n:,}' for n, v in c.items())}" for name, c in curves.items())
    return f"covered: {each}. " + (f"{stop:,} pictures of this recipe cover what {last:,} do" if stop else
                                   f"{last:,} pictures still cover more than {last // 2:,}")
