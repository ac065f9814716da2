"""What looks at the data cost, in closed form and, apart from that, by adding up losses.

A mechanism is mu-GDP when its outputs on neighbouring tables are no easier to tell apart than N(0, 1) from N(mu, 1). Squares
of mu add up, whatever later looks make of earlier answers, and mu says delta at every epsilon exactly (Dong, Roth, Su,
*Gaussian differential privacy*, J. R. Stat. Soc. B 2022, corollaries 3.3 and 2.13). The **cost** of a look is mu^2 / 2: for
Gaussian noise that is the rho of zero-concentrated DP, in which OpenDP reckons; for the sum of many looks a given epsilon
leaves a seventh more of it, since nothing is lost in turning it into (epsilon, delta).

- Discrete Gaussian noise of standard deviation sigma >= 1/2 on counts that one row moves by 1 is mu-GDP for
  mu = (1 + 1 / (16 sigma^2)) / sigma: with S(k) = P[noise >= k] and z(k) = -probit(S(k)), the curve that tells k from k + 1
  stands above the Gaussian's where z(k) - z(k - 1) <= mu for every k, and the greatest such step is, in the middle,
  (1 + 1 / (24 sigma^2) + ...) / sigma (the tests go through all k). Of several counts mu^2 adds up. A whole number that
  moves by k takes k steps of mu, and sums that move by k1, k2, ... together have mu times the length of (k1, k2, ...).
- A noisy maximum of scores that one row moves by at most s, with Gumbel noise of scale b, has log-ratios within an interval
  of length e = 2 s / b (Dong, Durfee, Rogers, *Optimal differential privacy composition for exponential mechanisms*, ICML
  2020); the worst such pair has two outcomes with ratios exp(t) and exp(t - e), which is mu-GDP for probit(exp(t) q) -
  probit(q), q = (1 - exp(t - e)) / (exp(t) - exp(t - e)): most at t = e / 2, where it is 2 probit(1 / (1 + exp(-e / 2))).

Neighbours are tables of which one has a row more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

LEAST_SIGMA = 0.5
_CELLS = 2**18  # of the losses
_REACH = 12.0  # standard deviations of the losses that they span to either side


def counts_cost(sigma: float, rows: float = 1.0) -> float:
    """Cost of discrete Gaussian noise of standard deviation ``sigma`` on counts that move by ``rows`` (L2)."""
    return (rows / sigma * _excess(sigma)) ** 2 / 2


def counts_sigma(cost: float, rows: float = 1.0) -> float:
    """The least noise that costs no more."""
    plain = rows * math.sqrt(1 / (2 * cost))
    sigma = max(plain, LEAST_SIGMA)
    for _ in range(60):  # the excess falls as sigma grows: from below and above in turn
        sigma = max(plain * _excess(sigma), LEAST_SIGMA)
    return sigma * (1 + 1e-12)


def _excess(sigma: float) -> float:
    return 1 + 1 / (16 * sigma**2)


def selection_cost(scale: float, sensitivity: float = 1.0) -> float:
    """Cost of a noisy maximum with Gumbel noise of ``scale`` over scores of ``sensitivity``."""
    from scipy.special import expit, ndtri

    return (2 * float(ndtri(expit(sensitivity / scale)))) ** 2 / 2


def selection_scale(cost: float, sensitivity: float = 1.0) -> float:
    """The least noise that costs no more."""
    from scipy.special import logit, ndtr

    return sensitivity / float(logit(ndtr(math.sqrt(2 * cost) / 2))) * (1 + 1e-12)


def epsilon_of(cost: float, delta: float) -> float:
    """The least epsilon at which looks of ``cost`` in all are (epsilon, delta)-private."""
    mu = math.sqrt(2 * cost)
    if mu <= 0:
        return 0.0
    low, high = 0.0, cost + mu * 10 + 1
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(cost, middle) > delta else (low, middle)
    return high


def delta_of(cost: float, epsilon: float) -> float:
    """The delta of ``cost`` at ``epsilon`` (Balle, Wang, ICML 2018, theorem 8)."""
    from scipy.special import log_ndtr

    mu = math.sqrt(2 * cost)
    return math.exp(log_ndtr(mu / 2 - epsilon / mu)) - math.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu))


def cost_of(epsilon: float, delta: float) -> float:
    """The greatest cost that (epsilon, delta) leaves to spend."""
    low, high = 0.0, epsilon + 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return low


def epsilon_by_losses(counts: Iterable[tuple[float, int]], selections: Iterable[float], delta: float) -> float:
    """The second accountant: the distribution of what an attacker gains from every look, added up by Fourier transform, each
    rounded up (Koskela, Jälkö, Honkela, AISTATS 2020).

    counts : (sigma, rows) of each look with discrete Gaussian noise, taken as it is; selections : cost of each
    """
    return _epsilon_by_losses(tuple(sorted(counts)), math.fsum(selections), delta)


@lru_cache(maxsize=64)  # many fits by one schema (a game, a curve) look alike
def _epsilon_by_losses(counts: tuple[tuple[float, int], ...], selections: float, delta: float) -> float:
    """The same; selections : cost of all together."""
    mu = math.sqrt(sum((rows / sigma) ** 2 for sigma, rows in counts) + 2 * selections)
    step = 2 * _REACH * mu * (1 + mu) / _CELLS
    whole = np.ones(_CELLS // 2 + 1, complex)
    for sigma, rows in dict.fromkeys(counts):
        noise = np.arange(-math.ceil(40 * sigma), math.ceil(40 * sigma) + 1)
        chance = np.exp(-(noise.astype(float) ** 2) / (2 * sigma**2))
        loss = (2 * noise * rows + rows**2) / (2 * sigma**2)
        whole *= _transformed(chance / chance.sum(), loss, step) ** counts.count((sigma, rows))
    if selections:
        from scipy.special import ndtr

        own = math.sqrt(2 * selections)  # the normal distribution that stands for them all
        edges = own**2 / 2 + own * np.linspace(-_REACH, _REACH, 4001)
        whole *= _transformed(np.diff(ndtr((edges - own**2 / 2) / own)), edges[1:], step)
    chance = np.fft.irfft(whole, _CELLS)
    loss = step * np.where(np.arange(_CELLS) < _CELLS // 2, np.arange(_CELLS), np.arange(_CELLS) - _CELLS)

    def tells(epsilon: float) -> float:
        above = loss > epsilon
        return float((chance[above] * -np.expm1(epsilon - loss[above])).sum())

    low, high = 0.0, float(loss.max())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tells(middle) > delta else (low, middle)
    return high


def _transformed(chance: np.ndarray, loss: np.ndarray, step: float) -> np.ndarray:
    """The Fourier transform of losses on a ring of cells, each loss in the cell above it."""
    at = np.ceil(loss / step).astype(np.int64)
    near = np.abs(at) < _CELLS // 2  # farther ones are of less chance than any delta
    return np.fft.rfft(np.bincount(at[near] % _CELLS, weights=chance[near], minlength=_CELLS))
