"""What a learner makes of made rows: trained on them and tested on real ones, and set to tell them from real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import UsageError
from understudy.tables.content import Names
from understudy.tables.measure.intervals import auc

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.measure.lens import Lens

_TEACHES = 0.05  # a score below says that the real rows teach nothing of the target: no ratio says more


def learners(numeric: bool) -> dict[str, Any]:
    """Fresh learners by name: boosted trees, a linear model, a single tree."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if numeric:
        return {
            "boosting": HistGradientBoostingRegressor(random_state=0),
            "linear": Ridge(),
            "tree": DecisionTreeRegressor(min_samples_leaf=30, random_state=0),
        }
    return {
        "boosting": HistGradientBoostingClassifier(random_state=0),
        "linear": LogisticRegression(max_iter=300),
        "tree": DecisionTreeClassifier(min_samples_leaf=30, random_state=0),
    }


def train_on_made(
    lens: Lens,
    train: pa.Table,
    holdout: pa.Table,
    made: pa.Table,
    target: str,
    which: tuple[str, ...] = ("boosting", "linear", "tree"),
) -> dict[str, dict[str, float]]:
    """Learner -> score on the holdout when trained on real and on made rows, and their ratio.

    The score is the area under the ROC curve (several classes: the mean of one against the rest), of quantities R2.
    """
    if target not in lens.columns:
        raise UsageError("the target is no column that can be learnt", where=target, wanted=", ".join(lens.columns))
    at = lens.columns.index(target)
    numeric = lens.numeric[at]
    xs = [lens.features(t, leave=(target,)) for t in (train, holdout, made)]
    ys = [target_of(lens, t, target) for t in (train, holdout, made)]
    found = {}
    for name in which:
        scores = []
        for part in (0, 2):
            learner = learners(numeric)[name]
            known = np.isfinite(ys[part]) if numeric else ys[part] >= 0
            if not numeric and len(np.unique(ys[part][known])) < 2:
                scores.append(0.5)
                continue
            learner.fit(_prepared((xs[part][0][known], xs[part][1]), name, xs[0]), ys[part][known])
            scores.append(_score(learner, _prepared(xs[1], name, xs[0]), ys[1], numeric))
        found[name] = {
            "real": scores[0],
            "made": scores[1],
            "ratio": scores[1] / scores[0] if scores[0] > _TEACHES else float("nan"),
        }
    return found


def tell_apart(lens: Lens, real: pa.Table, made: pa.Table, folds: int = 3) -> tuple[float, float, float]:
    """Area under the ROC curve (and its interval) of boosted trees that tell made from real rows, cross-validated on equal
    numbers of both; 0.5: they cannot."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import cross_val_predict

    from understudy.key import Key

    n = min(real.num_rows, made.num_rows)
    a, b = (lens.features(t.slice(0, n))[0] for t in (real, made))
    order = Key(0).child("tell apart").permutation(2 * n)
    x, y = np.vstack([a, b])[order], np.repeat([0, 1], n)[order]
    learner = HistGradientBoostingClassifier(random_state=0)
    score = cross_val_predict(learner, x, y, cv=folds, method="predict_proba")[:, 1]
    return auc(score[y == 1], score[y == 0])


def predicted(lens: Lens, train: pa.Table, rows: pa.Table, target: str) -> np.ndarray:
    """(n,) class of ``target`` that boosted trees trained on ``train`` tell of each of ``rows``."""
    x, y = lens.features(train, leave=(target,))[0], target_of(lens, train, target)
    return learners(False)["boosting"].fit(x[y >= 0], y[y >= 0]).predict(lens.features(rows, leave=(target,))[0])


def target_of(lens: Lens, table: pa.Table, target: str) -> np.ndarray:
    """(n,) a quantity's values, else the place of each row's name among the lens's (-1: not there)."""
    from understudy.tables.measure.lens import _content

    own = _content(table, target, lens.schema)
    if not isinstance(own, Names):
        return own.x
    place = {name: n for n, name in enumerate(lens.names[lens.columns.index(target)])}
    return np.array([*(place.get(label, -1) for label in own.labels), -1])[own.codes]


def _prepared(x: tuple[np.ndarray, np.ndarray], name: str, reference: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Boosted trees take what there is; the others need every value there, the linear model scaled and names as corners."""
    values, named = x
    if name == "boosting":
        return values
    middle = np.nanmedian(np.where(np.isfinite(reference[0]), reference[0], np.nan), axis=0)
    filled = np.where(np.isfinite(values), values, np.nan_to_num(middle))
    if name != "linear":
        return filled
    parts = []
    for i in range(values.shape[1]):
        if named[i]:
            parts.append(filled[:, i, None] == np.arange(min(int(np.nanmax(reference[0][:, i])) + 1, 40)))
        else:
            own = np.sort(reference[0][:, i])
            ranked = np.searchsorted(own, filled[:, i]) / max(len(own), 1)
            parts += [ranked[:, None], (ranked[:, None] - 0.5) ** 2]
    return np.hstack(parts).astype(float)


def _score(learner: Any, x: np.ndarray, y: np.ndarray, numeric: bool) -> float:
    if numeric:
        known = np.isfinite(y)
        rest = ((y[known] - learner.predict(x[known])) ** 2).sum()
        return float(1 - rest / ((y[known] - y[known].mean()) ** 2).sum())
    chance = learner.predict_proba(x)
    areas, weights = [], []
    for i, label in enumerate(learner.classes_):
        own = y == label
        if own.any() and not own.all():
            areas.append(auc(chance[own, i], chance[~own, i])[0])
            weights.append(own.sum())
    return float(np.average(areas, weights=weights)) if areas else 0.5
