"""What mattered in a search: each axis's share of what can be explained, and how sure it is that the axis moves anything.

A few dozen noisy trainings are easily explained by chance: a forest's fANOVA (Hutter et al., ICML 2014) of them gave idle
columns up to 44 %. So an axis has to earn its place. Scores are a level for each rung, plus what each axis does, linear in
what a candidate's pictures hold along it (``Axis.held`` of space.py), plus noise. An axis is either in or out (its prior is
a Beta of 1 and 3 over all axes, so that many idle ones do not add up to one that looks busy; Scott and Berger, *Annals of
Statistics* 2010), with one of four strengths over the noise. The noise falls from rung to rung by a rate, and trainings of
one candidate and seed share a part of it on all rungs: both are learned with the rest. Who goes on to a longer rung was
decided by scores that are in the model, so that the better ones being there twice misleads nobody.

A Gibbs sampler goes through axes and noise with everything else integrated out, and draws the effects now and then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import lgamma

import numpy as np

from understudy.key import Key

SURE = 0.9
"""From this probability on an axis is told from chance."""
_STRENGTHS = (0.5, 2.0, 8.0, 32.0)  # variance of an axis's effect over that of a first-rung training's noise
_PRIOR = (1, 3)
_NOISE = tuple((fall, shared) for fall in (1.0, 0.5, 0.25) for shared in (0.0, 0.3, 0.6))  # of its variance, a rung
_SWEEPS, _FIRST, _EACH = 700, 100, 2  # of the sampler: all, those before it has settled, those from one draw to the next


@dataclass(frozen=True)
class Worth:
    """What an axis is worth. share : of the scores' variance over the search's ranges that axes explain together, the
    median of its posterior, so 0 where the axis is more likely idle; low, high : its 95 % interval; sure : the probability
    that the axis moves scores at all."""

    share: float
    low: float
    high: float
    sure: float

    @property
    def told(self) -> bool:
        """Whether the axis is told from chance."""
        return self.sure >= SURE

    def plain(self) -> dict[str, float]:
        return {"share": self.share, "low": self.low, "high": self.high, "sure": self.sure}


@dataclass(frozen=True)
class Trainings:
    """All trainings of a search. scores : (n,); rung : (n,) int; same : (n,) int, equal where candidate and seed are."""

    scores: np.ndarray
    rung: np.ndarray
    same: np.ndarray


def worths(held: Mapping[str, np.ndarray], over: Mapping[str, np.ndarray], trainings: Trainings,
           seed: int = 0) -> dict[str, Worth]:
    """Each axis's worth, greatest first. held : {axis: (n, d)} what the trainings' pictures held; over : {axis: (m, d)}
    the same of points all over the search's ranges, where an effect's variance is taken."""
    model = _Model([_Effect.of(held[name], over[name]) for name in held], trainings)
    shares, sure = _sampled(model, Key(seed).child("importance"))
    low, middle, high = np.quantile(shares, (0.025, 0.5, 0.975), axis=0)
    found = {name: Worth(*(float(v[i]) for v in (middle, low, high, sure))) for i, name in enumerate(held)}
    return dict(sorted(found.items(), key=lambda item: (-item[1].share, -item[1].sure)))


@dataclass(frozen=True)
class _Effect:
    """An axis's columns, scaled so that all of them together vary by 1 over the ranges. at : (n, d); spread : (d, d)
    covariance over the ranges."""

    at: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, held: np.ndarray, over: np.ndarray) -> _Effect:
        middle = over.mean(0)
        size = max(float(np.sqrt(((over - middle) ** 2).sum(1).mean())), 1e-9)
        apart = (over - middle) / size
        return cls((held - middle) / size, apart.T @ apart / len(over))

    @cached_property
    def kernel(self) -> np.ndarray:
        return self.at @ self.at.T


class _Model:
    """How likely scores are when these axes move them. A state is a tuple: each axis's strength, 0 where it is out, and
    the noise, as positions in the tables above."""

    def __init__(self, effects: Sequence[_Effect], trainings: Trainings) -> None:
        self.effects, self.scores = effects, trainings.scores
        rungs = np.unique(trainings.rung)
        self.levels = (trainings.rung[:, None] == rungs[None]).astype(float)
        alike = trainings.same[:, None] == trainings.same[None]
        self.noise = []
        for fall, shared in _NOISE:
            size = fall ** (trainings.rung / 2)
            self.noise.append(np.outer(size, size) * (shared * alike + (1 - shared) * np.eye(len(size))))
        count, (a, b) = len(effects), _PRIOR
        self._prior = [lgamma(a + k) + lgamma(b + count - k) - k * np.log(len(_STRENGTHS)) for k in range(count + 1)]
        self._known: dict[tuple[int, ...], float] = {}

    def log_likely(self, state: tuple[int, ...]) -> float:
        """Up to a constant, with the rungs' levels, the effects and the noise's size integrated out (the first two flat and
        normal, the last with the density 1 / variance)."""
        if state not in self._known:
            spread = self.noise[state[-1]] + sum(_STRENGTHS[s - 1] * e.kernel for s, e in zip(state, self.effects) if s)
            root = np.linalg.cholesky(spread)
            white = np.linalg.solve(root, np.column_stack([self.levels, self.scores]))
            corner = np.abs(np.diag(np.linalg.qr(white, "r")))
            free = len(self.scores) - self.levels.shape[1]
            self._known[state] = float(-np.log(np.diag(root)).sum() - np.log(corner[:-1]).sum()
                                       - free * np.log(max(corner[-1], 1e-300))
                                       + self._prior[sum(s > 0 for s in state[:-1])])
        return self._known[state]

    def drawn(self, state: tuple[int, ...], key: Key) -> np.ndarray:
        """(axes,) the variance over the ranges of each axis's effect, of effects drawn from their posterior."""
        from scipy.special import gammaincinv

        inside = [i for i, s in enumerate(state[:-1]) if s]
        found = np.zeros(len(self.effects))
        columns = np.column_stack([self.levels, *(self.effects[i].at for i in inside)])
        tight = [np.full(self.effects[i].at.shape[1], 1 / _STRENGTHS[state[i] - 1]) for i in inside]
        weighed = np.linalg.solve(self.noise[state[-1]], np.column_stack([columns, self.scores]))
        precision = columns.T @ weighed[:, :-1] + np.diag(np.concatenate([np.zeros(self.levels.shape[1]), *tight]))
        pulled = columns.T @ weighed[:, -1]
        mean = np.linalg.solve(precision, pulled)
        left = max(float(self.scores @ weighed[:, -1] - pulled @ mean), 1e-300)
        half = (len(self.scores) - self.levels.shape[1]) / 2
        size = left / 2 / float(gammaincinv(half, key.child("noise").uniform(1e-6, 1)))
        root = np.linalg.cholesky(precision)
        effects = mean + np.sqrt(size) * np.linalg.solve(root.T, key.child("effects").normals(len(mean)))
        start = self.levels.shape[1]
        for i in inside:
            own = effects[start:start + len(self.effects[i].spread)]
            found[i] = own @ self.effects[i].spread @ own
            start += len(own)
        return found


def _sampled(model: _Model, key: Key) -> tuple[np.ndarray, np.ndarray]:
    """(draws, axes) shares of what is explained, 0 where nothing is; (axes,) probabilities of being in."""
    count = len(model.effects)
    state, inside, shares = [0] * count + [len(_NOISE) // 2], np.zeros(count), []
    choices = [1 + len(_STRENGTHS)] * count + [len(_NOISE)]
    for sweep in range(_SWEEPS):
        chances = key.child("sweep", sweep).uniforms(len(state))
        for i, options in enumerate(choices):
            likely = np.array([model.log_likely((*state[:i], option, *state[i + 1:])) for option in range(options)])
            weight = np.exp(likely - likely.max())
            weight /= weight.sum()
            state[i] = min(int(np.searchsorted(weight.cumsum(), chances[i])), options - 1)
            if i < count and sweep >= _FIRST:
                inside[i] += 1 - weight[0]
        if sweep >= _FIRST and sweep % _EACH == 0:
            moved = model.drawn(tuple(state), key.child("draw", sweep))
            shares.append(moved / (moved.sum() or 1.0))
    return np.array(shares), inside / (_SWEEPS - _FIRST)
