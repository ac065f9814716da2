"""A learner's accuracy in groups of a population that is hardly there: few real rows, reweighted, and many made ones.

Real rows are unbiased and few; made rows are many, and off by what the model got wrong. How far off is measured where real
rows are plenty: over many groups, the difference of both has a mean (taken off) and a spread (which made rows are weighed
down by). A random-effects estimate (DerSimonian, Laird, 1986) of each group is then the mean of both by their precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.tables.measure.intervals import Z

FEWEST = 30  # real rows' worth in a group that may say how far off made rows are
_LEAST_SPREAD = 0.03  # made rows of the census are off by about as much in single groups (bench)


@dataclass(frozen=True)
class Share:
    """A share right of rows with weights: value, variance, and how many equal rows they are worth (Kish)."""

    value: float
    variance: float
    worth: float


@dataclass(frozen=True)
class Offset:
    """How made rows' accuracies differ from real ones: mean, variance of that mean, spread between groups (variance)."""

    mean: float
    variance: float
    spread: float


def share(right: np.ndarray, weight: np.ndarray) -> Share:
    """Of (n,) bool with (n,) weights; nothing there: worth 0."""
    total = weight.sum()
    if total <= 0:
        return Share(float("nan"), float("inf"), 0.0)
    worth = float(total**2 / (weight**2).sum())
    value = float((right * weight).sum() / total)
    drawn = (value * worth + 1) / (worth + 2)  # Laplace's: no group of ten is known for certain
    return Share(value, drawn * (1 - drawn) / worth, worth)


def offset(real: Sequence[Share], made: Sequence[Share], shared: float = 0.0) -> Offset | None:
    """Over the groups that have enough of both; None: fewer than three have.

    shared : variance that all groups have in common because they are cut from the same rows: that of everybody's share. It
    is not seen between groups, and the mean cannot be surer than that
    """
    pairs = [(r, m) for r, m in zip(real, made) if r.worth >= FEWEST and m.worth >= FEWEST]
    if len(pairs) < 3:
        return None
    off = np.array([r.value - m.value for r, m in pairs])
    noise = np.array([r.variance + m.variance for r, m in pairs])
    # every group counts alike (Hedges, Olkin, 1985): weighed by size, the few large groups would say that all are like them.
    # Taken is the upper end of what it may be (95 %): with few groups the spread is often found to be nothing, and is not.
    seen = off.var(ddof=1)
    spread = max(seen - (noise.mean() - shared) + 1.645 * seen * (2 / (len(off) - 1)) ** 0.5, _LEAST_SPREAD**2)
    weight = 1 / (noise + spread)
    mean = float((weight * off).sum() / weight.sum())
    return Offset(mean, max(float(1 / weight.sum()), shared), float(spread))


def blended(real: Share, made: Share, off: Offset | None) -> tuple[float, float, float, float]:
    """(estimate, low, high, share of real rows in it): 95 % interval. Without an offset, or where real rows contradict made
    ones: real rows alone if there are any."""
    if off is None or made.worth == 0 or contradicted(real, made, off):
        one = real if real.worth else made
        return (*_interval(one.value, one.variance), float(one is real))
    moved, loose = made.value + off.mean, made.variance + off.spread + off.variance
    part = loose / (loose + real.variance) if real.worth else 0.0
    value = part * real.value + (1 - part) * moved if real.worth else moved
    variance = loose * real.variance / (loose + real.variance) if real.worth else loose
    return (*_interval(value, variance), part)


def _interval(value: float, variance: float) -> tuple[float, float, float]:
    half = Z * variance**0.5
    return float(np.clip(value, 0, 1)), float(np.clip(value - half, 0, 1)), float(np.clip(value + half, 0, 1))


def verdict(real: Share, made: Share, off: Offset | None) -> str:
    """What made rows do to a group's estimate: nothing is claimed that real rows speak against."""
    if off is None or made.worth == 0:
        return "cannot be told"
    if real.worth == 0:
        return "made rows alone"
    if contradicted(real, made, off):
        return "contradicted: left out"
    part = blended(real, made, off)[3]
    return f"help: interval {1 - part**0.5:.0%} narrower" if part < 0.8 else "hardly matter"


def contradicted(real: Share, made: Share, off: Offset) -> bool:
    """Whether the real rows lie beyond what offset and chance explain (95 %)."""
    loose = made.variance + off.spread + off.variance
    return real.worth > 0 and abs(real.value - made.value - off.mean) > Z * (loose + real.variance) ** 0.5
