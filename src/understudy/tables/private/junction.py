"""A graphical model of measured marginals: the distribution of greatest entropy that agrees with what was measured.

Noisy counts of a few columns at a time become one distribution over all columns: a product of factors, one for each
measured marginal, held in a junction tree (Lauritzen, Spiegelhalter 1988) and fitted by mirror descent to the counts, each
weighted by its noise (McKenna, Sheldon, Miklau, *Graphical-model based estimation and inference for differential
privacy*, ICML 2019). Everything here looks at noisy counts alone, and so spends no privacy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

Clique = tuple[int, ...]


@dataclass(frozen=True)
class Measured:
    """A noisy marginal. columns : rising numbers; counts : one axis a column; sigma : standard deviation of each count (or
    of all)
    """

    columns: Clique
    counts: np.ndarray
    sigma: np.ndarray


@dataclass(frozen=True)
class Junction:
    """cliques : of column numbers, rising; above : clique -> the clique that it hangs on (-1: the root, which is first)
    sizes : states of each column; steps : each column, and it with its neighbours when it was eliminated: given these, it
    depends on nothing that was eliminated later
    """

    sizes: tuple[int, ...]
    cliques: tuple[Clique, ...]
    above: tuple[int, ...]
    steps: tuple[tuple[int, Clique], ...]

    @property
    def cells(self) -> int:
        """Cells of all cliques together: what inference costs."""
        return sum(_cells(c, self.sizes) for c in self.cliques)

    def home(self, columns: Clique) -> int:
        """The least clique that holds ``columns``."""
        own = set(columns)
        return min(
            (i for i, c in enumerate(self.cliques) if own <= set(c)), key=lambda i: _cells(self.cliques[i], self.sizes)
        )


def junction(sizes: Sequence[int], groups: Sequence[Clique], given: int = 0) -> Junction:
    """A junction tree over all columns in which each of ``groups`` lies within a clique (greedy least-cells elimination).

    given : so many columns, the first, are eliminated last, so that all others can be made from them
    """
    d = len(sizes)
    near = [1 << i for i in range(d)]
    for group in groups:
        mask = sum(1 << i for i in group)
        for i in group:
            near[i] |= mask
    steps = eliminated(near, sizes, given)
    columns = {mask: tuple(i for i in range(d) if mask >> i & 1) for _, mask in steps}
    tree = _hung(tuple(sizes), [columns[mask] for mask in maximal([mask for _, mask in steps])])
    return replace(tree, steps=tuple((i, columns[mask]) for i, mask in steps))


def eliminated(near: list[int], sizes: Sequence[int], given: int = 0) -> list[tuple[int, int]]:
    """Columns of a graph with the cliques, as bit masks, that eliminating them leaves: that with the fewest cells first, but
    the first ``given`` columns last."""
    near, left, found = list(near), list(range(len(near))), []
    logs = np.log(sizes).tolist()

    def weight(mask: int) -> float:
        total, i = 0.0, 0
        while mask:
            if mask & 1:
                total += logs[i]
            mask, i = mask >> 1, i + 1
        return total

    weights = {i: weight(near[i]) for i in left}
    while left:
        at = min(left, key=lambda i: (i < given, weights[i], i))
        mask = near[at]
        found.append((at, mask))
        left.remove(at)
        rest = mask & ~(1 << at)
        for i in left:
            if rest >> i & 1:
                near[i] = (near[i] | rest) & ~(1 << at)
                weights[i] = weight(near[i])
    return found


def maximal(masks: Sequence[int]) -> list[int]:
    """Masks that lie within no other."""
    kept: list[int] = []
    for mask in sorted(set(masks), key=lambda m: -m.bit_count()):
        if not any(mask & other == mask for other in kept):
            kept.append(mask)
    return kept


def _hung(sizes: tuple[int, ...], cliques: list[Clique]) -> Junction:
    """Cliques as a tree by greatest separators (Prim), the root first, each after what it hangs on."""
    start = max(range(len(cliques)), key=lambda i: _cells(cliques[i], sizes))
    done, above, rest = [start], [-1], set(range(len(cliques))) - {start}
    while rest:
        best = max(
            ((len(set(cliques[a]) & set(cliques[b])), -b, place) for place, a in enumerate(done) for b in rest),
        )
        done.append(-best[1])
        above.append(best[2])
        rest.remove(-best[1])
    return Junction(sizes, tuple(cliques[i] for i in done), tuple(above), ())


def _cells(columns: Clique, sizes: Sequence[int]) -> int:
    return int(np.prod([sizes[i] for i in columns], dtype=np.int64))


@dataclass
class Estimate:
    """A distribution: shares (sum 1) of each clique of ``tree``; factors : what was measured -> log factor."""

    tree: Junction
    shares: list[np.ndarray]
    factors: dict[Clique, np.ndarray] = field(default_factory=dict)

    def marginal(self, columns: Clique) -> np.ndarray:
        """Shares of columns that lie within one clique."""
        at = self.tree.home(columns)
        return _onto(self.shares[at], self.tree.cliques[at], columns)

    def pairs(self) -> dict[tuple[int, int], np.ndarray]:
        """Shares of every pair of columns, those in different cliques too."""
        tree, d = self.tree, len(self.tree.sizes)
        near: list[list[int]] = [[] for _ in tree.cliques]
        for i, a in enumerate(tree.above):
            if a >= 0:
                near[i].append(a)
                near[a].append(i)
        found = {}
        for first in range(d):
            start = tree.home((first,))
            own = self.shares[start]
            begin = np.moveaxis(
                own[..., None]
                * np.eye(tree.sizes[first]).reshape(
                    [tree.sizes[first] if c == first else 1 for c in tree.cliques[start]] + [-1]
                ),
                -1,
                0,
            )  # (states of first, *clique)
            todo = [(start, -1, begin)]
            seen = {first}
            while todo:
                at, came, joint = todo.pop()
                for place, c in enumerate(tree.cliques[at]):
                    if c not in seen:
                        seen.add(c)
                        if c > first:
                            axes = tuple(1 + p for p in range(len(tree.cliques[at])) if p != place)
                            found[first, c] = joint.sum(axes)
                for other in near[at]:
                    if other == came:
                        continue
                    both = tuple(c for c in tree.cliques[at] if c in tree.cliques[other])
                    axes = tuple(1 + p for p, c in enumerate(tree.cliques[at]) if c not in both)
                    message = joint.sum(axes)
                    known = _onto(self.shares[other], tree.cliques[other], both)
                    ratio = message / np.maximum(known, 1e-300)
                    shape = [tree.sizes[first], *(tree.sizes[c] if c in both else 1 for c in tree.cliques[other])]
                    todo.append((other, at, ratio.reshape(shape) * self.shares[other]))
        return found


def _onto(shares: np.ndarray, clique: Clique, columns: Clique) -> np.ndarray:
    return shares.sum(tuple(p for p, c in enumerate(clique) if c not in columns))


def estimate(
    tree: Junction,
    measured: Sequence[Measured],
    total: float,
    factors: Mapping[Clique, np.ndarray] | None = None,
    steps: int = 100,
) -> Estimate:
    """Fit the tree's distribution to ``measured`` counts of ``total`` rows. factors : where to begin (of an earlier one)."""
    known = _joined(measured)
    least = min(float(m.sigma.min()) for m in known.values())
    wanted = {c: (m.counts / total, (least / m.sigma) ** 2) for c, m in known.items()}
    home = {c: tree.home(c) for c in known}
    shape = {c: [tree.sizes[i] if i in c else 1 for i in tree.cliques[home[c]]] for c in known}
    own = {c: np.array((factors or {}).get(c, np.zeros(m.counts.shape)), float) for c, m in known.items()}
    spread = _Spread(tree)

    def shares(own: Mapping[Clique, np.ndarray]) -> list[np.ndarray]:
        logs = [np.zeros([tree.sizes[i] for i in c]) for c in tree.cliques]
        for c, factor in own.items():
            logs[home[c]] += factor.reshape(shape[c])
        return spread.shares(logs)

    def loss(now: list[np.ndarray]) -> tuple[float, dict[Clique, np.ndarray]]:
        value, slopes = 0.0, {}
        for c, (share, weight) in wanted.items():
            off = _onto(now[home[c]], tree.cliques[home[c]], c) - share
            slopes[c] = weight * off
            value += 0.5 * float((slopes[c] * off).sum())
        return value, slopes

    now = shares(own)
    value, slopes = loss(now)
    pace = 4.0
    for _ in range(steps):
        for _ in range(12):
            tried = {c: own[c] - pace * slopes[c] for c in own}
            after = shares(tried)
            reached, steeper = loss(after)
            if reached <= value:
                break
            pace *= 0.5
        else:
            break
        own, now, gained, value, slopes = tried, after, value - reached, reached, steeper
        pace *= 1.3
        if gained < 1e-7 * value:
            break
    return Estimate(tree, now, own)


def _joined(measured: Sequence[Measured]) -> dict[Clique, Measured]:
    """Several measurements of the same marginal as one, weighted by their noise."""
    known: dict[Clique, Measured] = {}
    for one in measured:
        weight, counts = np.broadcast_to(1 / one.sigma**2, one.counts.shape), one.counts
        if before := known.get(one.columns):
            both = weight + 1 / before.sigma**2
            weight, counts = both, (weight * counts + before.counts / before.sigma**2) / both
        known[one.columns] = Measured(one.columns, counts, 1 / np.sqrt(weight))
    return known


class _Spread:
    """Belief propagation (Shafer, Shenoy) with its axes worked out once."""

    def __init__(self, tree: Junction) -> None:
        self.tree = tree
        self.below: list[list[int]] = [[] for _ in tree.cliques]
        self.up, self.down, self.as_above, self.as_own = [], [], [], []
        for i, a in enumerate(tree.above):
            both = set(tree.cliques[i]) & set(tree.cliques[a]) if a >= 0 else set()
            if a >= 0:
                self.below[a].append(i)
            above = tree.cliques[a] if a >= 0 else ()
            self.up.append(tuple(p for p, c in enumerate(tree.cliques[i]) if c not in both))
            self.down.append(tuple(p for p, c in enumerate(above) if c not in both))
            self.as_above.append([tree.sizes[c] if c in both else 1 for c in above])
            self.as_own.append([tree.sizes[c] if c in both else 1 for c in tree.cliques[i]])

    def shares(self, logs: list[np.ndarray]) -> list[np.ndarray]:
        """Each clique's shares, given the logarithms of its own factors."""
        count = len(logs)
        own = [np.exp(x - x.max()) for x in logs]
        rising: list[np.ndarray] = [np.ones(1)] * count
        gathered: list[np.ndarray] = list(own)
        for i in range(count - 1, 0, -1):
            for b in self.below[i]:
                gathered[i] = gathered[i] * rising[b].reshape(self.as_above[b])
            message = gathered[i].sum(self.up[i])
            rising[i] = message / max(float(message.max()), 1e-300)
        for b in self.below[0]:
            gathered[0] = gathered[0] * rising[b].reshape(self.as_above[b])
        found = [gathered[0] / gathered[0].sum()]
        for i in range(1, count):
            a = self.tree.above[i]
            message = found[a].sum(self.down[i]) / np.maximum(rising[i], 1e-300)
            full = gathered[i] * message.reshape(self.as_own[i])
            found.append(full / max(float(full.sum()), 1e-300))
        return found
