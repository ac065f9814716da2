"""One conditional tree: the distribution of a column's states given the states of columns before it.

Grown by entropy (scikit-learn), its nodes leaning on those they were split from (hierarchical shrinkage, Agarwal et al.,
ICML 2022) by as much as tells most of rows left out, and pruned by the same measure. What remains are thresholds between
states and smoothed distributions: no row. The sequence of such trees is the idea of synthpop (Nowok, Raab, Dibben, JSS
2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.tables.settings import Settings
from understudy.tables.states.cells import quota_of

_GROUPS = 24  # groups of cells that a tree tells apart when it grows
_COARSER = (6, 2)  # parts of the levels above the groups
_RARE = 0.02  # share of rows below which names are smoothed together
_MORE = (1.0, 3.0, 10.0, 30.0, 100.0)  # times as much as the least that a node may lean on its parent
_GROWN_ON = 100_000  # rows that decide on splits; all rows are counted in the leaves


@dataclass(frozen=True)
class Tree:
    """feature, threshold, left, right : (nodes,); feature -1 is a leaf, whose ``left`` is its row of ``ends``
    ranks : predictor number -> (states,) the rank of each of its names, as the splits see it
    ends : (leaves, states) float32, cumulative probabilities
    """

    predictors: tuple[str, ...]
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    ranks: dict[int, np.ndarray]
    ends: np.ndarray

    def leaves(self, states: dict[str, np.ndarray], n: int) -> np.ndarray:
        """(n,) the leaf of each row, given the states of the predictors."""
        node = np.zeros(n, np.int32)
        columns = [
            self.ranks[i][states[name]] if i in self.ranks else states[name] for i, name in enumerate(self.predictors)
        ]
        matrix = np.array(columns, np.float32).reshape(len(columns), n)
        at = np.flatnonzero(self.feature[node] >= 0)
        while len(at):
            here = node[at]
            right = matrix[self.feature[here], at] > self.threshold[here]
            node[at] = np.where(right, self.right[here], self.left[here])
            at = at[self.feature[node[at]] >= 0]
        return self.left[node]

    def draw(self, leaf: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(n,) int32 a state of each leaf's distribution, by the uniform numbers ``u``."""
        return drawn(self.ends, leaf, u)

    def chance(self, leaf: np.ndarray, states: np.ndarray) -> np.ndarray:
        """(n,) probability of a state in a leaf."""
        return chance(self.ends, leaf, states)

    def plain(self, store: dict[str, np.ndarray], name: str) -> dict[str, Any]:
        """JSON; arrays go to ``store`` under names that begin with ``name``."""
        for part in ("feature", "threshold", "left", "right", "ends"):
            store[f"{name}.{part}"] = getattr(self, part)
        for i, rank in self.ranks.items():
            store[f"{name}.rank.{i}"] = rank
        return {"predictors": list(self.predictors), "ranks": sorted(self.ranks), "arrays": name}

    @classmethod
    def restore(cls, own: dict[str, Any], store: dict[str, np.ndarray]) -> Tree:
        """A tree from what ``plain`` gave."""
        name = own["arrays"]
        parts = [store[f"{name}.{part}"] for part in ("feature", "threshold", "left", "right")]
        ranks = {i: store[f"{name}.rank.{i}"] for i in own["ranks"]}
        return cls(tuple(own["predictors"]), *parts, ranks, store[f"{name}.ends"])


def drawn(ends: np.ndarray, leaf: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(n,) int32 a state by each row's uniform number ``u``. ends : (leaves, states) cumulative probabilities."""
    width = ends.shape[1]
    flat = (ends.astype(float) + np.arange(len(ends))[:, None]).ravel()
    found = np.searchsorted(flat, leaf + np.minimum(u, 1 - 1e-9), side="right") - leaf * width
    return np.minimum(found, width - 1).astype(np.int32)


def chance(ends: np.ndarray, leaf: np.ndarray, states: np.ndarray) -> np.ndarray:
    """(n,) probability of a state. ends : (leaves, states) cumulative probabilities."""
    top = ends[leaf, states].astype(float)
    return top - np.where(states > 0, ends[leaf, np.maximum(states - 1, 0)], 0.0)


def root(counts: np.ndarray) -> Tree:
    """The tree without a split: ``counts`` (states,) of a column that nothing comes before."""
    none = np.array([-1], np.int32)
    ends = cumulative((counts / counts.sum())[None])
    return Tree((), none, np.zeros(1, np.float32), np.zeros(1, np.int32), none, {}, ends)


def grow(
    states: dict[str, np.ndarray],
    counts: dict[str, int],
    ordered: dict[str, bool],
    target: str,
    predictors: tuple[str, ...],
    settings: Settings,
    sample: np.ndarray,
) -> Tree:
    """Learn ``target`` from ``predictors``.

    states : column -> (n,) int32; counts : states a column; sample : rows (at most _GROWN_ON) that decide on the splits
    """
    from sklearn.tree import DecisionTreeClassifier

    y = states[target]
    n, k = len(y), counts[target]
    group = groups(np.bincount(y, minlength=k), _GROUPS) if ordered[target] else np.arange(k)
    coarse = group[y]
    ranks = {i: _rank(states[name], counts[name], coarse) for i, name in enumerate(predictors) if not ordered[name]}
    matrix = np.array(
        [ranks[i][states[name]] if i in ranks else states[name] for i, name in enumerate(predictors)], np.float32
    ).T
    floor = max(min(settings.floor, n // 20), settings.owners)
    share = len(sample) / n
    grown = (
        DecisionTreeClassifier(
            criterion="entropy",
            min_samples_leaf=max(int(floor * share), 1),
            random_state=0,
            min_impurity_decrease=1 / np.log(2) / n,  # less than a nat is never worth it
        )
        .fit(matrix[sample], coarse[sample])
        .tree_
    )
    left, right = grown.children_left.astype(np.int32), grown.children_right.astype(np.int32)
    leaf = grown.apply(np.ascontiguousarray(matrix))
    full = np.bincount(leaf * k + y, minlength=grown.node_count * k).reshape(-1, k).astype(float)
    parent = _parents(left, right)
    for node in range(len(parent) - 1, 0, -1):  # children come after their parents
        full[parent[node]] += full[node]
    chance, nats = _smoothed(full, _levels(full[0], group, ordered[target]), parent, settings)
    price = settings.choice * np.log(max(sum(counts[name] - 1 for name in predictors), 2))
    split = _pruned(left, right, nats, price, full.sum(1), floor)
    return _compact(predictors, grown.feature, grown.threshold, left, right, split, chance, ranks)


def groups(owners: np.ndarray, most: int) -> np.ndarray:
    """(states,) neighbouring states taken together into about ``most`` groups: heavy ones alone, others by owners."""
    quota, group, own = quota_of(owners, most), 0, 0
    out = np.zeros(len(owners), np.int64)
    for state, count in enumerate(owners.tolist()):
        if count >= quota and own:
            group, own = group + 1, 0
        out[state] = group
        own += count
        if own >= quota:
            group, own = group + 1, 0
    return np.unique(out, return_inverse=True)[1]


def _rank(states: np.ndarray, count: int, coarse: np.ndarray) -> np.ndarray:
    """(count,) names ranked by the main direction of their target distributions (Coppersmith et al. 1999), so that one
    threshold parts them well."""
    width = int(coarse.max()) + 1
    table = np.bincount(states * width + coarse, minlength=count * width).reshape(count, width).astype(float)
    owners, mean = table.sum(1), table.sum(0) / table.sum()
    off = (table + 5 * mean) / (owners[:, None] + 5) - mean
    off /= np.sqrt(mean + 1e-9)
    main = np.linalg.svd(off * np.sqrt(owners)[:, None], full_matrices=False)[2][0]
    return np.argsort(np.argsort(off @ main, kind="stable"), kind="stable").astype(np.int32)


def _parents(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    parent = np.full(len(left), -1, np.int64)
    inner = np.flatnonzero(left >= 0)
    parent[left[inner]], parent[right[inner]] = inner, inner
    return parent


def _summed(full: np.ndarray, group: np.ndarray) -> np.ndarray:
    return full @ np.eye(int(group.max()) + 1)[group]


def _pruned(
    left: np.ndarray, right: np.ndarray, nats: np.ndarray, price: float, rows: np.ndarray, floor: int
) -> np.ndarray:
    """(nodes,) bool: splits whose subtree gains more ``nats`` than its price, with enough rows on either side."""
    best, split = nats.tolist(), np.zeros(len(left), bool)
    for node in range(len(left) - 1, -1, -1):
        a, b = left[node], right[node]
        if a >= 0 and min(rows[a], rows[b]) >= floor:
            gain = best[a] + best[b] - price
            if gain > best[node]:
                best[node], split[node] = gain, True
    return split


def _compact(predictors, feature, threshold, left, right, split, chance, ranks) -> Tree:
    """Keep the nodes that pruning left, numbered in order of depth."""
    kept, at = [0], 0
    while at < len(kept):
        node = kept[at]
        if split[node]:
            kept += [int(left[node]), int(right[node])]
        at += 1
    place = {node: i for i, node in enumerate(kept)}
    features, thresholds = np.full(len(kept), -1, np.int32), np.zeros(len(kept), np.float32)
    lefts, rights = np.zeros(len(kept), np.int32), np.full(len(kept), -1, np.int32)
    leaves = []
    for i, node in enumerate(kept):
        if split[node]:
            features[i], thresholds[i] = feature[node], threshold[node]
            lefts[i], rights[i] = place[int(left[node])], place[int(right[node])]
        else:
            lefts[i] = len(leaves)
            leaves.append(node)
    used = {int(f) for f in features if f >= 0}
    renumber = {old: new for new, old in enumerate(sorted(used))}
    features = np.array([renumber.get(int(f), -1) for f in features], np.int32)
    return Tree(
        tuple(predictors[old] for old in renumber),
        features,
        thresholds,
        lefts,
        rights,
        {renumber[i]: rank for i, rank in ranks.items() if i in renumber},
        cumulative(chance[leaves]),
    )


def _levels(owners: np.ndarray, group: np.ndarray, ordered: bool) -> list[np.ndarray]:
    """Ever coarser partitions of the states, the last of which has one part: (parts of the level below,) the part of each.
    Ordered states are taken together with their neighbours, names that few rows have with each other."""
    if not ordered:
        rare = owners < _RARE * owners.sum()
        maps = [np.where(rare, (~rare).sum(), np.cumsum(~rare) - 1)] if rare.sum() > 1 and not rare.all() else []
    else:
        maps, rows = [group], np.bincount(group, weights=owners)
        for most in _COARSER:
            if len(rows) > 2 * most:
                maps.append(groups(rows, most))
                rows = np.bincount(maps[-1], weights=rows)
    last = len(owners) if not maps else int(maps[-1].max()) + 1
    return [*maps, np.zeros(last, np.int64)]


def _smoothed(
    full: np.ndarray, levels: list[np.ndarray], parent: np.ndarray, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """(nodes, states) distributions that lean on the parent's, and (nodes,) how many nats of its rows a node tells when each
    is left out in turn.

    From the finest level to the coarsest, the shares of the parts within their whole lean by themselves: what is coarse has
    many rows and stays as it is, detail is mostly chance and goes back to the parent's. How much is chosen by leaving one
    out, in closed form: what a row would be told by all the others is the same sum less one.
    """
    share, nats, rows = np.ones(full.shape), np.zeros(len(full)), full
    place = np.arange(full.shape[1])
    for part in levels:
        whole = _summed(rows, part)
        own, told = _leaning(rows, whole[:, part], settings.lean * np.bincount(part)[part], parent)
        share *= own[:, place]
        nats += told
        rows, place = whole, part[place]
    return share, nats


def _leaning(
    rows: np.ndarray, total: np.ndarray, lean: np.ndarray, parent: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(nodes, states) shares rows / total that lean on the parent's, and (nodes,) nats by leaving one out; level by level.
    lean : pseudo-rows, or as many times more as tell most."""
    others = np.maximum(rows - 1, 0), np.maximum(total - 1, 0)
    share, told = rows / np.maximum(total, 1), np.zeros(rows.shape)
    told[0] = np.maximum(others[0][0], 0.5) / np.maximum(others[1][0], 1)
    level = np.zeros(1, np.int64)
    while len(level := np.flatnonzero(np.isin(parent, level))):
        best = np.full(len(level), -np.inf)
        for more in _MORE:
            own = (others[0][level] + more * lean * told[parent[level]]) / (others[1][level] + more * lean)
            nats = (rows[level] * np.log(np.maximum(own, 1e-12))).sum(1)
            won = level[nats > best]
            told[won] = own[nats > best]
            share[won] = ((rows[level] + more * lean * share[parent[level]]) / (total[level] + more * lean))[nats > best]
            best = np.maximum(best, nats)
    return share, (rows * np.log(np.maximum(told, 1e-12))).sum(1)


def cumulative(chance: np.ndarray) -> np.ndarray:
    ends = np.cumsum(chance, axis=1)
    return (ends / ends[:, -1:]).astype(np.float32)
