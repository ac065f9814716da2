"""Shadow refits: does it show in what a model makes that one certain row was behind it?

Many models are learnt, each from a random half of the rows. For some target rows the attacker knows, from half of the
models, how a score behaves with and without the target, and says for each of the other models whether the target was in (the
likelihood ratio attack of Carlini et al., S&P 2022). Two scores: how near a made row comes (the attacker sees made rows
only), and the row's likelihood (the attacker holds the model itself).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from understudy.key import Key
from understudy.tables.measure.attacks import nearest
from understudy.tables.measure.intervals import Z

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.measure.lens import Lens

MOST_ROWS = 5000


@dataclass(frozen=True)
class Shadow:
    """Area under the ROC curve of the attack (0.5: nothing shows), with its 95 % interval over targets, and the share of
    members found when one in a hundred others is accused wrongly."""

    targets: int
    refits: int
    auc: float
    low: float
    high: float
    found_at_one_percent: float


def shadow(
    table: pa.Table,
    lens: Lens,
    refit: Callable[[pa.Table, int], tuple[pa.Table, Callable[[pa.Table], np.ndarray] | None]],
    key: Key,
    refits: int = 128,
    targets: int = 100,
) -> dict[str, Shadow]:
    """Attack by refits. ``refit(rows, number)`` learns from rows and gives made rows and the log-likelihood (or None).

    Targets are the ``targets`` rows farthest from all others, and as many random ones: "outliers, made rows" and so on.
    """
    import pyarrow as pa

    pool = table.take(pa.array(key.child("pool").permutation(table.num_rows)[:MOST_ROWS]))
    n = pool.num_rows
    points = lens.points(pool)
    lonely = np.argsort(-nearest(points, points, k=min(3, n))[0][:, -1], kind="stable")[:targets]
    rest = np.setdiff1d(np.arange(n), lonely)
    random = rest[key.child("random").permutation(len(rest))[:targets]]
    chosen = np.concatenate([lonely, random])
    known = pool.take(pa.array(chosen))
    inside = np.zeros((refits, len(chosen)), bool)
    scores: dict[str, np.ndarray] = {"made rows": np.zeros((refits, len(chosen)))}
    for number in range(refits):
        keep = key.child("half", number).uniforms(n) < 0.5
        made, likelihood = refit(pool.take(pa.array(np.flatnonzero(keep))), number)
        inside[number] = keep[chosen]
        scores["made rows"][number] = -np.log(nearest(points[chosen], lens.points(made))[0][:, 0] + 1e-6)
        if likelihood is not None:
            scores.setdefault("the model", np.zeros_like(scores["made rows"]))[number] = likelihood(known)
    found = {}
    for group, part in (("outliers", slice(0, len(lonely))), ("random rows", slice(len(lonely), None))):
        for name, score in scores.items():
            found[f"{group}, {name}"] = _attack(score[:, part], inside[:, part])
    return found


def _attack(score: np.ndarray, inside: np.ndarray) -> Shadow:
    """score, inside : (refits, targets). The first half of the refits is known to the attacker, the second is attacked."""
    half = len(score) // 2
    said, truth = np.zeros_like(score[half:]), inside[half:]
    for t in range(score.shape[1]):
        a, b = score[:half, t][inside[:half, t]], score[:half, t][~inside[:half, t]]
        if len(a) < 2 or len(b) < 2:
            continue
        spread = np.sqrt((a.var() * len(a) + b.var() * len(b)) / half) + 1e-9
        x = score[half:, t]
        said[:, t] = ((x - b.mean()) ** 2 - (x - a.mean()) ** 2) / 2 / spread**2
    each = [_auc(said[:, t], truth[:, t]) for t in range(score.shape[1]) if 0 < truth[:, t].sum() < len(truth)]
    mean, error = float(np.mean(each)), float(np.std(each) / np.sqrt(len(each)))
    edge = np.quantile(said[~truth], 0.99)
    return Shadow(score.shape[1], len(score), mean, mean - Z * error, mean + Z * error, float((said[truth] > edge).mean()))


def _auc(score: np.ndarray, truth: np.ndarray) -> float:
    above = score[truth][:, None] - score[~truth][None]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())
