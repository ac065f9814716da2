"""Scores of several measurements on the same pictures, drawn again together: means over seeds, and differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.errors import DatasetError
from understudy.learn.evals import regions, things
from understudy.learn.evals.bootstrap import DRAWS, Figure, resamples

Table = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Difference:
    """First less second, averaged over seeds. p : two-sided, by the share of draws on the other side of 0."""

    figure: Figure
    p: float

    @property
    def sure(self) -> bool:
        return self.figure.low > 0 or self.figure.high < 0

    @property
    def gained(self) -> bool:
        """Whether the first is surely above the second: what is kept in place of something must be."""
        return self.figure.low > 0

    def __str__(self) -> str:
        return f"{self.figure.value:+.3f} ({self.figure.low:+.3f} to {self.figure.high:+.3f})" + (
            "" if self.sure else ", no difference")


def scorer(task: str, table: Table) -> tuple[Callable[[np.ndarray], float], int]:
    """The main score of a measurement's table as a function of weights (n,), and n."""
    if task == "semantic":
        matrices, counted = table["confusion"], table["counted"].tolist()
        return (lambda w: regions.mean_iou(matrices, w, counted)), len(matrices)
    found = []
    for name in sorted(k.partition(".")[0] for k in table if k.endswith(".score")):
        part = {key: table[f"{name}.{key}"] for key in ("picture", "score", "right", "left_out", "wanted")}
        nothing = np.zeros(0)
        found.append(things.Matches(**part, truth=nothing, picture_of=nothing, met=nothing))

    def score(weights: np.ndarray) -> float:
        each = [things.average_precision(m, weights, slice(0, 1)) for m in found]
        return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")

    return score, len(found[0].wanted) if found else 0


def draws(task: str, tables: Sequence[Table], count: int = DRAWS) -> np.ndarray:
    """(count + 1,) the mean score over the tables (seeds of one thing), first as measured, then for each draw of pictures.
    DatasetError if they are not of the same pictures."""
    scorers = [scorer(task, table) for table in tables]
    sizes = {n for _, n in scorers}
    if len(sizes) != 1:
        raise DatasetError("measurements of other pictures cannot be averaged", got=f"{sorted(sizes)} pictures")
    n = sizes.pop()
    weights = np.concatenate([np.ones((1, n), np.int64), resamples(n, count)])
    return np.nanmean([[score(w) for w in weights] for score, _ in scorers], 0)


def mean_figure(drawn: np.ndarray, n: int) -> Figure:
    """The figure of :func:`draws`."""
    kept = drawn[1:][np.isfinite(drawn[1:])]
    low, high = np.quantile(kept, (0.025, 0.975)) if len(kept) else (np.nan, np.nan)
    return Figure(float(drawn[0]), float(low), float(high), n)


def difference(first: np.ndarray, second: np.ndarray, n: int) -> Difference:
    """Of two results of :func:`draws` on the same pictures, drawn alike."""
    apart = first - second
    kept = apart[1:][np.isfinite(apart[1:])]
    figure = mean_figure(apart, n)
    if not len(kept):
        return Difference(figure, 1.0)
    beyond = min((kept <= 0).mean(), (kept >= 0).mean())
    return Difference(figure, float(min(1.0, 2 * max(beyond, 1 / (len(kept) + 1)))))
