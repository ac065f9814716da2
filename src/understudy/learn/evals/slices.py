"""Scores of groups: by what is measured on each picture, and by whatever a data set says of its pictures and instances.

A numeric property is cut at its thirds; a text one makes a group of each of its values. Groups of fewer than ``LEAST`` are
not shown: their intervals would span everything. The gap is that between the best and the worst group, with the interval of
this very difference over the same draws of pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.learn.evals.bootstrap import Figure, figure, resamples

LEAST = 8
_MOST_TEXTS = 12


@dataclass(frozen=True)
class Slice:
    """One property. groups : {group: its figure}; gap : best less worst, None where there are fewer than two groups."""

    name: str
    groups: Mapping[str, Figure]
    gap: Figure | None
    best: str = ""
    worst: str = ""


def picture_facts(image: np.ndarray) -> dict[str, float]:
    """(h, w, 3) uint8 -> light (mean grey), contrast (its deviation), sharpness (log variance of the Laplacian, 192 px)."""
    import cv2

    grey = cv2.cvtColor(cv2.resize(image, (192, 192), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return {"light": float(grey.mean()), "contrast": float(grey.std()),
            "sharpness": float(np.log1p(cv2.Laplacian(grey, cv2.CV_32F).var()))}


def groups_of(values: Sequence[object]) -> dict[str, np.ndarray]:
    """{group: (n,) bool} of a property's values, None where it is absent."""
    known = [v for v in values if v is not None]
    numeric = bool(known) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in known)
    if not numeric:
        texts = sorted({str(v) for v in known})
        if not 2 <= len(texts) <= _MOST_TEXTS:
            return {}
        return {t: np.array([v is not None and str(v) == t for v in values]) for t in texts}
    array = np.array([np.nan if v is None else float(v) for v in values])
    distinct = np.unique(array[np.isfinite(array)])
    if len(distinct) < 2:
        return {}
    if len(distinct) <= 4:
        return {f"{d:g}": array == d for d in distinct}
    low, high = np.nanquantile(array, (1 / 3, 2 / 3))
    return {f"up to {low:.3g}": array <= low, f"{low:.3g} to {high:.3g}": (array > low) & (array <= high),
            f"over {high:.3g}": array > high}


def sliced(name: str, values: Sequence[object], pictures: np.ndarray, n: int,
           score: Callable[[np.ndarray, np.ndarray], float]) -> Slice | None:
    """Scores of each group of one property; None where there are no groups to tell apart.

    values : one for each thing that is scored; pictures : (things,) the picture of each, below ``n``
    score(members, weights) : of the things where ``members`` (bool), picture i counted weights[i] times
    """
    groups = {g: m for g, m in groups_of(values).items() if m.sum() >= LEAST}
    if len(groups) < 2:
        return None
    found = {}
    for group, members in groups.items():
        whole = figure(lambda w, members=members: score(members, w), n, draws=300)
        found[group] = Figure(whole.value, whole.low, whole.high, int(members.sum()))
    ranked = sorted((g for g in found if np.isfinite(found[g].value)), key=lambda g: found[g].value)
    if len(ranked) < 2:
        return Slice(name, found, None)
    worst, best = ranked[0], ranked[-1]
    apart = np.array([score(groups[best], w) - score(groups[worst], w) for w in resamples(n, 300)])
    apart = apart[np.isfinite(apart)]
    low, high = np.quantile(apart, (0.025, 0.975)) if len(apart) else (np.nan, np.nan)
    gap = Figure(found[best].value - found[worst].value, float(low), float(high), len(pictures))
    return Slice(name, found, gap, best, worst)
