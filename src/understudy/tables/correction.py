"""What a chain misses, as a weight of whole made rows: boosted trees that tell real rows from made ones.

A chain learns each column by one tree on the columns before it; what many columns have to do with each other at once stays
in between. Trees that tell the chain's own rows from real ones learn just that, and their odds are the ratio of the two
densities (Sugiyama, Suzuki, Kanamori, *Density ratio estimation in machine learning*, 2012). More rows are drawn than are
wanted, and chosen by these odds (after discriminator rejection sampling: Azadi et al., ICLR 2019).

What remains of scikit-learn's boosted trees are thresholds between states and a number for each leaf: no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.key import Key
from understudy.tables.settings import Settings

POOL = 1.25  # rows drawn for each one that is kept: no row weighs more than so many
LEAST = 4000  # real rows; fewer say little of what a chain misses, and are better drawn evenly
MOST = 100_000  # rows of either kind that are looked at
ENOUGH = 25_000  # made rows, where there are fewer real ones
TIMES = 4  # made rows for each real one, at most: those cost nothing
_NEIGHBOURS = 4  # columns, the first ones, along which rows are chosen evenly
_SHARE = 0.2  # of what a tree says that is believed
_LEAVES = 31  # of a tree, at most
_DEPTH = 8
_NORMED_ON = 8192  # made rows that say what their mean weight is


@dataclass(frozen=True)
class Correction:
    """columns : that are looked at; roots : (trees,) the first node of each
    column, threshold : (nodes,) states up to the threshold go to the first of two children
    child : (2 * nodes,) those; a leaf's are itself
    value : (nodes,) what a leaf adds to the logarithm of a row's weight; depth : of the deepest leaf
    base : what every row gets, so that made rows weigh 1 on average
    """

    columns: tuple[str, ...]
    roots: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    child: np.ndarray
    value: np.ndarray
    depth: int
    base: float

    pool = POOL

    def logs(self, states: Mapping[str, np.ndarray]) -> np.ndarray:
        """(n,) the logarithm of each row's weight. states : column -> (n,)"""
        codes = np.concatenate([states[c] for c in self.columns]).astype(np.int32)
        n = len(codes) // len(self.columns)
        rows, begin = np.arange(n), self.column.astype(np.int64) * n
        total = np.full(n, self.base)
        for root in self.roots:
            node = np.full(n, root, np.int64)
            for _ in range(self.depth):
                node = self.child[2 * node + (codes[begin[node] + rows] > self.threshold[node])]
            total += self.value[node]
        return total

    def kept(self, states: Mapping[str, np.ndarray], wanted: int, order: Sequence[str], key: Key) -> np.ndarray:
        """(wanted,) rising places of rows that are kept, evenly along the first columns of ``order``."""
        along = np.lexsort([states[c] for c in order[:_NEIGHBOURS]][::-1])
        return chosen(self.logs(states), wanted, along, key.child("kept").uniform())

    def plain(self, store: dict[str, np.ndarray], name: str) -> dict[str, Any]:
        """JSON; arrays go to ``store`` under names that begin with ``name``."""
        for part in _PARTS:
            store[f"{name}.{part}"] = getattr(self, part)
        return {"columns": list(self.columns), "depth": self.depth, "base": self.base, "arrays": name}

    @classmethod
    def restore(cls, own: dict[str, Any], store: Mapping[str, np.ndarray]) -> Correction:
        """A correction from what ``plain`` gave."""
        parts = {part: store[f"{own['arrays']}.{part}"] for part in _PARTS}
        return cls(tuple(own["columns"]), depth=own["depth"], base=own["base"], **parts)


_PARTS = ("roots", "column", "threshold", "child", "value")


def learn(real: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray], settings: Settings) -> Correction:
    """What tells ``real`` rows from ``made`` ones: column -> (n,) states; both weigh the same in all."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    columns = tuple(real)
    x = np.array([np.concatenate([real[c], made[c]]) for c in columns], float).T
    sizes = len(real[columns[0]]), len(made[columns[0]])
    grown = HistGradientBoostingClassifier(
        max_iter=settings.boosts,
        learning_rate=_SHARE,
        max_leaf_nodes=_LEAVES,
        max_depth=_DEPTH,
        min_samples_leaf=2 * settings.floor,  # rows of both kinds
        l2_regularization=settings.floor / 4,  # in units of a row's curvature, a quarter: so many pseudo-rows
        early_stopping=False,
        random_state=0,
    ).fit(x, np.repeat([1, 0], sizes), np.repeat([1, sizes[0] / sizes[1]], sizes))
    own = read(columns, grown)
    weight = np.exp(own.logs({c: s[:_NORMED_ON] for c, s in made.items()}))
    return Correction(**{**vars(own), "base": own.base - float(np.log(weight.mean()))})


def read(columns: tuple[str, ...], grown: Any) -> Correction:
    """Boosted trees of scikit-learn as arrays. It has no public way to its trees; a test holds that both tell the same."""
    nodes = [trees[0].nodes for trees in grown._predictors]
    sizes = [len(own) for own in nodes]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    every = np.concatenate(nodes)
    leaf = every["is_leaf"].astype(bool)
    itself, shift = np.arange(len(every)), np.repeat(roots, sizes)
    sides = [np.where(leaf, itself, every[side].astype(np.int64) + shift) for side in ("left", "right")]
    return Correction(
        columns,
        roots,
        np.where(leaf, 0, every["feature_idx"]).astype(np.int32),
        np.where(leaf, 0, np.floor(every["num_threshold"])).astype(np.int32),
        np.stack(sides, 1).ravel(),
        np.where(leaf, every["value"], 0).astype(np.float32),
        int(every["depth"].max()),
        float(grown._baseline_prediction.ravel()[0]),
    )


def chosen(logs: np.ndarray, wanted: int, order: np.ndarray, u: float) -> np.ndarray:
    """(wanted,) rising places: rows are kept by their weight, at most once each, and evenly along ``order`` (systematic
    sampling), so that what lies next to each other there is kept in proportion. u : uniform"""
    if wanted >= len(logs):
        return np.arange(len(logs))
    weight = np.exp(logs - logs.max()) + 1e-300
    heaviest = np.argsort(-weight, kind="stable")
    ranked = weight[heaviest]
    rest = np.cumsum(ranked[::-1])[::-1]  # of each, and all that weigh less
    share = ranked * (wanted - np.arange(len(ranked))) / rest  # of a place, where all that weigh more are kept for sure
    sure = int(np.argmax(share <= 1 - 1e-9))
    kept = np.zeros(len(logs), bool)
    kept[heaviest[:sure]] = True
    others = order[~kept[order]]
    ends = np.cumsum(weight[others])
    step = np.floor(ends * ((wanted - sure) / ends[-1]) - u).astype(np.int64)
    kept[others[np.diff(step, prepend=-1) > 0]] = True
    return np.flatnonzero(kept)
