"""What many pairs of columns have to do with each other, as a weight of whole made rows: an exponential tilt.

A chain that noise allows to know only some pairs of columns takes the others for unrelated but for those. Every column gets
a few scores; the mean product of two columns' scores is a moment, and the distribution nearest to the chain's (in relative
entropy) that has given moments weighs its rows by the exponential of a sum over products (Csiszar, *I-divergence geometry*,
Ann. Probab. 1975). More rows are drawn than are wanted, and picked by these weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.key import Key
from understudy.tables.balance import balanced

POOL = 6  # rows drawn for each one that is kept
_RAKED = 3  # times round all marginals
_FEW = 2.0  # rows that are added to either side of a ratio of counts
_FAR = 50.0  # from the median logarithm of a weight: rows beyond are certain, or never kept, all the same
_AT_ONCE = 2048  # rows weighed: few enough to stay in a cache


@dataclass(frozen=True)
class Scores:
    """columns : which; tables : of each, (states, its scores) whole numbers; limit : the greatest square sum of a row's
    scores: rows with more are shrunk towards zero
    """

    columns: tuple[str, ...]
    tables: tuple[np.ndarray, ...]
    limit: int

    def rows(self, states: Mapping[str, np.ndarray]) -> np.ndarray:
        """(n, scores) whole numbers as float64, of each row's states: column -> (n,)"""
        own = np.hstack([t[states[c]] for c, t in zip(self.columns, self.tables)]).astype(float)
        square = (own**2).sum(1)
        return np.trunc(own * np.minimum(1.0, np.sqrt(self.limit / np.maximum(square, 1)))[:, None])

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Places of every two scores of different columns."""
        column = np.repeat(np.arange(len(self.tables)), [t.shape[1] for t in self.tables])
        return np.nonzero(np.triu(column[:, None] != column[None], 1))

    @property
    def reach(self) -> float:
        """The most by which one row moves the sums of all products (L2): with squares a, b, ... of its columns' scores these
        products have a square sum of (a + b + ...)^2 / 2 - (a^2 + b^2 + ...) / 2, most where all are equal."""
        return self.limit * float(np.sqrt((1 - 1 / len(self.tables)) / 2))


@dataclass(frozen=True)
class Tilt:
    """weights : (scores, scores) of products, of two columns each; own : of each scored column, (states,) what a state adds
    base : what every row gets
    margins : of chosen columns, ((column, ...), shares by group) that kept rows are to have
    parts : column -> (states,) the group of each state
    """

    scores: Scores
    weights: np.ndarray
    own: tuple[np.ndarray, ...]
    base: float
    margins: tuple[tuple[tuple[str, ...], np.ndarray], ...]
    parts: Mapping[str, np.ndarray]

    pool = POOL

    def logs(self, states: Mapping[str, np.ndarray]) -> np.ndarray:
        """(n,) the logarithm of each row's weight. states : column -> (n,)"""
        rows = self.scores.rows(states)
        alone = sum(own[states[c]] for c, own in zip(self.scores.columns, self.own))
        return ((rows @ self.weights) * rows).sum(1) + alone + self.base

    def kept(self, states: Mapping[str, np.ndarray], wanted: int, order: Sequence[str], key: Key) -> np.ndarray:
        """(wanted,) rising places: the first by a uniform number over the chance that weight and ``margins`` give a row
        (sequential Poisson sampling: Ohlsson 1998), so balanced that tables of pairs are those of the whole pool."""
        n = len(states[order[0]])
        if wanted >= n:
            return np.arange(n)
        chance = self._chances(states, wanted)
        late = np.log(key.child("kept").uniforms(n)) - np.log(chance)
        groups = np.zeros((n, len(self.parts)), np.int32)
        for i, (column, part) in enumerate(self.parts.items()):
            groups[:, i] = part[states[column]]
        return balanced(groups, [int(part.max()) + 1 for part in self.parts.values()], chance, late, wanted)

    def _chances(self, states: Mapping[str, np.ndarray], wanted: int) -> np.ndarray:
        """(n,) of being kept, of sum ``wanted``: by weight, raked (Deming, Stephan 1940) until the rows expected nearly
        have the shares of ``margins``."""
        n = len(next(iter(states.values())))
        logs = np.concatenate(
            [self.logs({c: s[i : i + _AT_ONCE] for c, s in states.items()}) for i in range(0, n, _AT_ONCE)]
        )
        weight = np.exp(np.clip(logs - np.median(logs), -_FAR, _FAR))
        chance = _capped(weight, wanted)
        wider = {c for columns, _ in self.margins if len(columns) > 1 for c in columns}  # their tables tell theirs alone
        margins = [m for m in self.margins if len(m[0]) > 1 or m[0][0] not in wider]
        cells = [self._cells(columns, shares, states) for columns, shares in margins]
        for _ in range(_RAKED):
            for cell, (_, shares) in zip(cells, margins):
                have = np.bincount(cell, chance, minlength=shares.size)
                ratio = ((wanted * shares.ravel() + _FEW) / (have + _FEW))[cell]
                weight, chance = weight * ratio, np.minimum(chance * ratio, 1)
            chance = _capped(weight, wanted)
        return chance

    def _cells(self, columns: tuple[str, ...], shares: np.ndarray, states: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.ravel_multi_index([self.parts[c][states[c]] for c in columns], shares.shape)

    def plain(self, store: dict[str, np.ndarray], name: str) -> dict[str, Any]:
        """JSON; arrays go to ``store`` under names that begin with ``name``."""
        store[f"{name}.weights"] = self.weights
        for i, table in enumerate(self.scores.tables):
            store[f"{name}.scores.{i}"], store[f"{name}.own.{i}"] = table, self.own[i]
        for i, (_, shares) in enumerate(self.margins):
            store[f"{name}.margin.{i}"] = shares
        for i, part in enumerate(self.parts.values()):
            store[f"{name}.part.{i}"] = part
        return {
            "tilt": list(self.scores.columns),
            "limit": self.scores.limit,
            "base": self.base,
            "margins": [list(columns) for columns, _ in self.margins],
            "parts": list(self.parts),
            "arrays": name,
        }

    @classmethod
    def restore(cls, own: dict[str, Any], store: Mapping[str, np.ndarray]) -> Tilt:
        """A tilt from what ``plain`` gave."""
        at = own["arrays"]
        tables, alone = (tuple(store[f"{at}.{what}.{i}"] for i in range(len(own["tilt"]))) for what in ("scores", "own"))
        scores = Scores(tuple(own["tilt"]), tables, own["limit"])
        margins = tuple((tuple(columns), store[f"{at}.margin.{i}"]) for i, columns in enumerate(own["margins"]))
        parts = {column: store[f"{at}.part.{i}"] for i, column in enumerate(own["parts"])}
        return cls(scores, store[f"{at}.weights"], alone, own["base"], margins, parts)


def _capped(weight: np.ndarray, wanted: int) -> np.ndarray:
    """(n,) chances in proportion to ``weight``, of sum ``wanted`` < n, where none is above one."""
    rising = np.sort(weight)
    falling, left = rising[::-1][:wanted], np.cumsum(rising)[::-1][:wanted]  # left: of it and all below it
    free = wanted - np.arange(wanted)
    certain = int(np.argmax(falling * free <= left))
    return np.minimum(weight * (free[certain] / left[certain]), 1)


def fitted(rows: np.ndarray, held: np.ndarray, wanted: np.ndarray, soft: float) -> tuple[np.ndarray, float]:
    """(moments + h,) logarithms of weights under which the mean of ``rows`` (n, moments) is nearly ``wanted`` and that
    of ``held`` (n, h) stays; and the logarithm of the mean weight.

    soft : how far moments give way, as a share of their variance

    Newton's method with the slope at the start, where the covariance of the rows is the matrix of second derivatives.
    """
    from scipy.linalg import cho_factor, cho_solve

    every = np.hstack([rows, held]).astype(np.float32)
    mean = every.mean(0)
    aim = np.concatenate([wanted, mean[rows.shape[1] :]])
    spread = np.maximum(every.var(0), 1e-3)  # a group that next to no row has moves nothing
    give = np.concatenate([np.full(rows.shape[1], soft), np.full(held.shape[1], _SLACK)]) * spread
    centred = every - mean
    solve = cho_factor((centred.T @ centred).astype(float) / len(every) + np.diag(give))

    def at(theta: np.ndarray) -> tuple[float, np.ndarray]:
        logs = (every @ theta.astype(np.float32)).astype(float)
        most = logs.max()
        weight = np.exp(logs - most)
        value = np.log(weight.mean()) + most - theta @ aim + 0.5 * (give * theta**2).sum()
        return float(value), (weight / weight.sum()).astype(np.float32) @ every - aim + give * theta

    theta = np.zeros(len(aim))
    value, slope = at(theta)
    for _ in range(_STEPS):
        step, pace = cho_solve(solve, slope), 1.0
        for _ in range(6):
            reached, steeper = at(theta - pace * step)
            if reached <= value:
                break
            pace /= 2
        else:
            break
        theta, value, slope = theta - pace * step, reached, steeper
    return theta, float(np.log(np.exp((every @ theta.astype(np.float32)).astype(float)).mean()))


_SLACK = 1e-3  # of what is held
_STEPS = 10
