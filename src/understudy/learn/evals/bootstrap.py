"""Intervals by drawing pictures again (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993).

Pictures are drawn, not pixels or boxes: those of one picture resemble each other. Two models that are measured on the same
pictures with the same key are drawn alike, so that their difference has an interval of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from understudy.key import Key

DRAWS = 1000


@dataclass(frozen=True)
class Figure:
    """A score with its 95 % interval, over ``n`` pictures (or groups of them)."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f}, n={self.n})"

    def plain(self) -> dict[str, float | int]:
        return {"value": _rounded(self.value), "low": _rounded(self.low), "high": _rounded(self.high), "n": self.n}


def resamples(n: int, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """(draws, n) int64: how often each of n pictures is drawn."""
    counts = np.zeros((draws, n), np.int64)
    picks = (Key(seed).child("bootstrap", n).uniforms(draws, n) * n).astype(np.int64)
    np.add.at(counts, (np.arange(draws)[:, None], picks), 1)
    return counts


def figure(score: Callable[[np.ndarray], float], n: int, draws: int = DRAWS) -> Figure:
    """``score`` of weights (n,), once with every picture counted once, and its interval over the draws."""
    scores = np.array([score(weights) for weights in resamples(n, draws)])
    scores = scores[np.isfinite(scores)]
    low, high = np.quantile(scores, (0.025, 0.975)) if len(scores) else (np.nan, np.nan)
    return Figure(float(score(np.ones(n, np.int64))), float(low), float(high), n)


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None
