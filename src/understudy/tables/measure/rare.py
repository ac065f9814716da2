"""Rare cases made up to be more (fraud, outliers): are they new, and does a learner find more of the real ones with them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.tables.measure import intervals
from understudy.tables.measure.attacks import nearest
from understudy.tables.measure.learners import learners, target_of

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.measure.lens import Lens

FEWEST = 20  # rare rows that each table must have for anything to be said
_RARE = 0.35  # share of the real rows below which a class is called rare


def rare_class(lens: Lens, train: pa.Table, target: str) -> str | None:
    """The name that fewest rows have, None where the target is no name or its classes are about equally many."""
    at = lens.columns.index(target)
    if lens.numeric[at] or len(lens.names[at]) < 2:
        return None
    name, y = lens.names[at][-1], target_of(lens, train, target)
    return name if (y == len(lens.names[at]) - 1).mean() < _RARE else None


def rare(lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table, target: str) -> dict[str, Any] | None:
    """What made rows of the rarest class are worth. None: there is no such class, or too few rows of it.

    novelty : share of them farther from every real rare row than half of those are from their nearest other, beside the same
    of the holdout's rare rows, which are as new as rows can be; less is copying, more is made-up. found : average precision
    on the holdout of boosted trees trained on the real rows, and on these with the made rare rows added
    """
    name = rare_class(lens, train, target)
    if name is None:
        return None
    place = lens.names[lens.columns.index(target)].index(name)
    y = {which: target_of(lens, t, target) for which, t in (("real", train), ("holdout", holdout), ("made", made))}
    own = {w: np.flatnonzero(v == place) for w, v in y.items()}
    if min(len(rows) for rows in own.values()) < FEWEST:
        return None
    tables = {"real": train, "holdout": holdout, "made": made}
    cloud = {w: lens.points(t)[own[w]] for w, t in tables.items()}
    apart = float(np.median(nearest(cloud["real"], cloud["real"], k=2)[0][:, 1]))
    novelty = {}
    for which in ("made", "holdout"):
        far = nearest(cloud[which], cloud["real"])[0][:, 0] > apart
        novelty[which] = list(intervals.wilson(int(far.sum()), len(far)))
    x = {w: lens.features(t, leave=(target,))[0] for w, t in tables.items()}
    more = np.vstack([x["real"], x["made"][own["made"]]]), np.concatenate([y["real"], y["made"][own["made"]]])
    truth = y["holdout"] == place
    found = {
        "real": _precision(x["real"], y["real"] == place, x["holdout"], truth),
        "with made": _precision(more[0], more[1] == place, x["holdout"], truth),
    }
    return {"rows": {w: len(rows) for w, rows in own.items()}, "novelty": novelty, "found": found}


def _precision(x: np.ndarray, y: np.ndarray, on: np.ndarray, truth: np.ndarray) -> float:
    from sklearn.metrics import average_precision_score

    learner = learners(False)["boosting"].fit(x, y)
    return float(average_precision_score(truth, learner.predict_proba(on)[:, 1]))
