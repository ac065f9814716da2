"""What mattered in a search: each axis's share of what can be explained, and how sure it is that the axis moves anything.

A few dozen noisy trainings are easily explained by chance: a forest's fANOVA (Hutter et al., ICML 2014) of them gave idle
columns up to 44 %. So an axis has to earn its place, and one that has not is given no share, only the most that it may be.

Only which training of a rung was better is looked at, not by how much (the rank likelihood: Pettitt, *JRSS B* 1982; Hoff,
*Annals of Applied Statistics* 2007). Scores saturate: trainings of good candidates differ by a fifth of what middling ones
do, and where a sampler has put half of all candidates, whatever the good ones share by chance would seem to bend the line.
So a score stands for a latent number that rises with it. That is a level for each rung, plus what each axis does, linear in
what the training's pictures hold along it (``held`` of space.py), plus noise. An axis is either in or out (its prior is
a Beta of 1 and 3 over all axes, so that many idle ones do not add up to one that looks busy; Scott and Berger, *Annals of
Statistics* 2010), with one of four strengths over the noise. The noise falls from rung to rung by a rate, and trainings of
one candidate and seed share a part of it on all rungs: both are learned with the rest. Who goes on to a longer rung was
decided by scores that are in the model, so that the better ones being there twice misleads nobody.

A Gibbs sampler goes through axes and noise with the effects integrated out, then draws effects and latent numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import lgamma
from typing import NamedTuple

import numpy as np

from understudy.key import Key

SURE = 0.9
"""From this probability on an axis is told from chance."""
_STRENGTHS = (0.5, 2.0, 8.0, 32.0)  # variance of an axis's effect over that of a first-rung training's noise
_PRIOR = (1, 3)
_NOISE = tuple((fall, shared) for fall in (1.0, 0.5, 0.25) for shared in (0.0, 0.3, 0.6))  # of its variance, a rung
_SWEEPS, _FIRST, _EACH = 2000, 300, 2  # of the sampler: all, those before it has settled, those from one draw to the next


@dataclass(frozen=True)
class Worth:
    """What an axis is worth. share : of the variance over the search's ranges that axes explain together, the median of its
    posterior where the axis is told from chance, else 0; low, high : its 95 % interval, told or not; sure : the probability
    that the axis moves scores at all."""

    share: float
    low: float
    high: float
    sure: float

    @property
    def told(self) -> bool:
        """Whether the axis is told from chance."""
        return self.sure >= SURE

    def __str__(self) -> str:
        if self.told:
            return f"{self.share:.0%} ({self.low:.0%} to {self.high:.0%})"
        return f"not told from chance (up to {self.high:.0%}; moves scores with probability {self.sure:.2f})"

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
    found = {name: Worth(float(middle[i]) if sure[i] >= SURE else 0.0, float(low[i]), float(high[i]), float(sure[i]))
             for i, name in enumerate(held)}
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


class _Order:
    """Which trainings of a rung are better than which: all that is known of their latent numbers. levels : (n, rungs) 1
    where a training is of a rung; place : (n,) int, equal for equal scores of a rung, one more than the next worse one's;
    rungs lie two apart, so that the ends of one bound nothing."""

    def __init__(self, trainings: Trainings) -> None:
        self.levels = (trainings.rung[:, None] == np.unique(trainings.rung)[None]).astype(float)
        self.place = np.zeros(len(trainings.scores), int)
        start = 1
        for here in self.levels.T > 0:
            self.place[here] = start + np.unique(trainings.scores[here], return_inverse=True)[1]
            start = int(self.place[here].max()) + 2
        self._places = start
        self._blocks = [np.flatnonzero(self.place % 2 == parity) for parity in (0, 1)]  # no two of a block are neighbours

    def centred(self, latent: np.ndarray) -> np.ndarray:
        """Less each rung's mean, of which an order says nothing."""
        return latent - self.levels @ (latent @ self.levels / self.levels.sum(0))

    def first(self) -> np.ndarray:
        """(n,) latent numbers to start from."""
        start = self.centred(self.place)
        return start / max(float(start.std()), 1e-9)

    def drawn(self, latent: np.ndarray, middle: np.ndarray, size: np.ndarray, chances: np.ndarray) -> np.ndarray:
        """(n,) latent numbers drawn anew, one after the other: normal around ``middle``, between the neighbours' own."""
        from scipy.special import ndtr, ndtri

        latent = latent.copy()
        for block in self._blocks:
            best, worst = np.full(self._places, -np.inf), np.full(self._places, np.inf)
            np.maximum.at(best, self.place, latent)
            np.minimum.at(worst, self.place, latent)
            least, most = best[self.place[block] - 1], worst[self.place[block] + 1]
            below, above = (ndtr((end - middle[block]) / size[block]) for end in (least, most))
            chance = (below + (above - below) * chances[block]).clip(1e-12, 1 - 1e-12)
            latent[block] = (middle[block] + size[block] * ndtri(chance)).clip(least, most)
        return latent


class _Solved(NamedTuple):
    """What a state says without the latent numbers. log : of its probability, up to a constant; inverse : (p, p) of the
    effects' precision, 0 for those that are out; root : (p, p) times its transpose is ``inverse``."""

    log: float
    inverse: np.ndarray
    root: np.ndarray


class _Model:
    """How likely latent numbers are when these axes move them. A state is a tuple: each axis's strength, 0 where it is out,
    and the noise, as positions in the tables above. Effects: a level for each rung, then each axis's, p in all."""

    def __init__(self, effects: Sequence[_Effect], trainings: Trainings) -> None:
        self.effects, self.rung, self.order = effects, trainings.rung, _Order(trainings)
        self.columns = np.column_stack([self.order.levels, *(e.at for e in effects)])
        ends = self.order.levels.shape[1] + np.cumsum([0, *(e.at.shape[1] for e in effects)])
        self.places = [slice(a, b) for a, b in pairwise(ends)]
        self.alike = (trainings.same[:, None] == trainings.same[None]).astype(float)
        noise = []
        for fall, shared in _NOISE:
            size = fall ** (trainings.rung / 2)
            noise.append(np.outer(size, size) * (shared * self.alike + (1 - shared) * np.eye(len(size))))
        self.sharp = np.linalg.inv(noise)  # (noises, n, n)
        self._volume = np.linalg.slogdet(noise)[1]
        self.pull = self.columns.T @ self.sharp  # (noises, p, n)
        self._precision = self.pull @ self.columns
        count, (a, b) = len(effects), _PRIOR
        self._prior = [lgamma(a + k) + lgamma(b + count - k) - k * np.log(len(_STRENGTHS)) for k in range(count + 1)]
        self._known: dict[tuple[int, ...], _Solved] = {}

    def solved(self, state: tuple[int, ...]) -> _Solved:
        if state not in self._known:
            held = np.zeros(self.columns.shape[1])  # the effects' prior precision: levels are flat
            used = np.arange(len(held)) < self.places[0].start
            for place, strength in zip(self.places, state):
                if strength:
                    held[place], used[place] = 1 / _STRENGTHS[strength - 1], True
            at = np.ix_(used, used)
            precision = self._precision[state[-1]][at] + np.diag(held[used])
            inverse, root = np.zeros((2, len(held), len(held)))
            inverse[at] = np.linalg.inv(precision)
            root[at] = np.linalg.inv(np.linalg.cholesky(precision)).T
            log = 0.5 * (np.log(held[held > 0]).sum() - self._volume[state[-1]] - np.linalg.slogdet(precision)[1])
            self._known[state] = _Solved(float(log) + self._prior[sum(s > 0 for s in state[:-1])], inverse, root)
        return self._known[state]

    def log_likely(self, state: tuple[int, ...], pulled: np.ndarray) -> float:
        """Up to what the noise alone says, with the effects integrated out. pulled : (p,) ``pull`` times the latent
        numbers."""
        solved = self.solved(state)
        return solved.log + 0.5 * float(pulled @ solved.inverse @ pulled)

    def anew(self, state: tuple[int, ...], latent: np.ndarray, key: Key) -> tuple[np.ndarray, np.ndarray]:
        """(axes,) the variance over the ranges of each axis's effect, of effects drawn from their posterior, and (n,) latent
        numbers drawn around them."""
        solved = self.solved(state)
        normals = key.child("normals").normals(2, max(len(solved.root), len(latent)))
        effects = solved.inverse @ (self.pull[state[-1]] @ latent) + solved.root @ normals[0, :len(solved.root)]
        middle = self.columns @ effects
        fall, shared = _NOISE[state[-1]]
        size = fall ** (self.rung / 2)
        if shared:  # what the trainings of a candidate and seed have in common is drawn, too: around it they are independent
            precision = 1 / shared + self.alike.sum(1) / (1 - shared)
            common = self.alike @ ((latent - middle) / size) / (1 - shared) / precision
            middle = middle + size * (common + normals[1, self.alike.argmax(1)] / np.sqrt(precision))
        latent = self.order.drawn(latent, middle, size * np.sqrt(1 - shared), key.child("latent").uniforms(len(latent)))
        moved = [effects[place] @ e.spread @ effects[place] for place, e in zip(self.places, self.effects)]
        return np.array(moved), self.order.centred(latent)


def _sampled(model: _Model, key: Key) -> tuple[np.ndarray, np.ndarray]:
    """(draws, axes) shares of what is explained, 0 where nothing is; (axes,) probabilities of being in."""
    count = len(model.effects)
    state, inside, shares = [0] * count + [len(_NOISE) // 2], np.zeros(count), []
    latent = model.order.first()
    for sweep in range(_SWEEPS):
        own = key.child("sweep", sweep)
        chances = own.uniforms(count + 1)
        pulled = model.pull @ latent
        for i in range(count):
            likely = [model.log_likely((*state[:i], option, *state[i + 1:]), pulled[state[-1]])
                      for option in range(1 + len(_STRENGTHS))]
            state[i], weight = _chosen(likely, chances[i])
            if sweep >= _FIRST:
                inside[i] += 1 - weight[0]
        likely = [model.log_likely((*state[:-1], option), pulled[option]) - 0.5 * float(latent @ sharp @ latent)
                  for option, sharp in enumerate(model.sharp)]
        state[-1], _ = _chosen(likely, chances[-1])
        moved, latent = model.anew(tuple(state), latent, own)
        if sweep >= _FIRST and sweep % _EACH == 0:
            shares.append(moved / (moved.sum() or 1.0))
    return np.array(shares), inside / (_SWEEPS - _FIRST)


def _chosen(likely: Sequence[float], chance: float) -> tuple[int, np.ndarray]:
    """A position drawn by these log weights, and the weights."""
    weight = np.exp(np.array(likely) - max(likely))
    weight /= weight.sum()
    return min(int(np.searchsorted(weight.cumsum(), chance)), len(weight) - 1), weight
