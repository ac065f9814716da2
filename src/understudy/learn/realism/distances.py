"""Distances between two sets of feature vectors, and how well a simple classifier tells them apart.

* KID: unbiased squared MMD with the cubic kernel (Binkowski et al., *Demystifying MMD GANs*, ICLR 2018); MMD: the same with
  a Gaussian kernel as wide as the median distance (Gretton et al., JMLR 2012). Both are 0 for one distribution, and may
  come out negative.
* precision: share of made pictures within the reach of a real one; recall the other way round (Kynkaanniemi et al., NeurIPS
  2019). density and coverage: the same, robust to outliers (Naeem et al., ICML 2020). Neighbourhoods of 5.

The Frechet distance is left out: it is biased below some thousand pictures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from understudy.key import Key
from understudy.learn.evals.bootstrap import Figure

NEIGHBOURS = 5


def kid(a: np.ndarray, b: np.ndarray) -> float:
    """Of (n, d) and (m, d)."""
    d = a.shape[1]
    return _unbiased((a @ a.T / d + 1) ** 3, (b @ b.T / d + 1) ** 3, (a @ b.T / d + 1) ** 3)


def mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Of (n, d) and (m, d)."""
    aa, bb, ab = _squared(a, a), _squared(b, b), _squared(a, b)
    width = max(float(np.median(ab)), 1e-12)
    return _unbiased(*(np.exp(-m / width) for m in (aa, bb, ab)))


def _unbiased(aa: np.ndarray, bb: np.ndarray, ab: np.ndarray) -> float:
    n, m = len(aa), len(bb)
    return float((aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1)) - 2 * ab.mean())


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T, 0)


def neighbourhoods(made: np.ndarray, real: np.ndarray, k: int = NEIGHBOURS) -> dict[str, float]:
    """precision, recall, density, coverage of ``made`` with respect to ``real``."""
    apart = np.sqrt(_squared(real, made))
    reach_real, reach_made = _reach(real, k), _reach(made, k)
    inside = apart <= reach_real[:, None]
    return {"precision": float(inside.any(0).mean()), "recall": float((apart <= reach_made[None]).any(1).mean()),
            "density": float(inside.sum(0).mean() / k), "coverage": float(inside.any(1).mean())}


def _reach(x: np.ndarray, k: int) -> np.ndarray:
    """Distance of each to its k-th nearest other."""
    k = min(k, len(x) - 1)
    return np.partition(np.sqrt(_squared(x, x)), k, axis=1)[:, k]


def by_halves(score: Callable[[np.ndarray, np.ndarray], float], a: np.ndarray, b: np.ndarray, draws: int = 60) -> Figure:
    """A score on all, with the middle 95 % of its values on random halves of both sets: wider than an interval for all of
    them, and free of the copies that a bootstrap makes, which neighbourhoods would take for neighbours."""
    values = []
    for k in range(draws):
        key = Key(0).child("halves", k)
        i, j = (key.child(name).permutation(len(x))[:max(len(x) // 2, NEIGHBOURS + 2)] for name, x in (("a", a), ("b", b)))
        values.append(score(a[i], b[j]))
    low, high = np.quantile(values, (0.025, 0.975))
    return Figure(float(score(a, b)), float(low), float(high), min(len(a), len(b)))


def told_apart(made: np.ndarray, real: np.ndarray, folds: int = 5) -> tuple[Figure, np.ndarray]:
    """(area under the curve of a ridge logistic regression on held-out pictures, (n,) held-out score of each made one).

    0.5 is chance, 1 certainty; the score is the logit of being made.
    """
    x = np.concatenate([made, real])
    y = np.concatenate([np.ones(len(made)), np.zeros(len(real))])
    fold = np.concatenate([Key(0).child("fold", name).permutation(n) % folds
                           for name, n in (("made", len(made)), ("real", len(real)))])
    score = np.zeros(len(x))
    for f in range(folds):
        score[fold == f] = _logistic(x[fold != f], y[fold != f], x[fold == f])
    own, other = score[:len(made)], score[len(made):]
    wins = (own[:, None] > other[None]) + 0.5 * (own[:, None] == other[None])
    values = []
    for k in range(300):
        key = Key(0).child("auc", k)
        i, j = ((key.child(name).uniforms(n) * n).astype(int) for name, n in (("made", len(own)), ("real", len(other))))
        values.append(wins[np.ix_(i, j)].mean())
    low, high = np.quantile(values, (0.025, 0.975))
    return Figure(float(wins.mean()), float(low), float(high), len(x)), own


def _logistic(x: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Logits for ``asked`` of a logistic regression with balanced classes and a ridge that grows with the dimensions."""
    from scipy.optimize import minimize

    mean, deviation = x.mean(0), x.std(0) + 1e-9
    x, asked = (x - mean) / deviation, (asked - mean) / deviation
    weight = np.where(y == 1, 0.5 / max(y.sum(), 1), 0.5 / max((1 - y).sum(), 1))
    ridge = 0.5 * x.shape[1] / len(x)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        logits = x @ w[1:] + w[0]
        p = 1 / (1 + np.exp(-logits))
        slope = weight * (p - y)
        value = (weight * np.logaddexp(0, np.where(y == 1, -logits, logits))).sum() + ridge * (w[1:] ** 2).sum() / x.shape[1]
        return value, np.concatenate([[slope.sum()], x.T @ slope + 2 * ridge * w[1:] / x.shape[1]])

    w = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return asked @ w[1:] + w[0]
