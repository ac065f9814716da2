"""Fairness through fairlearn: rates by group, the gaps between groups, and what balancing the made rows does to them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.tables.measure.groups import FEWEST, group_of
from understudy.tables.measure.intervals import Z
from understudy.tables.measure.learners import predicted, target_of

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.measure.lens import Lens

RATES = ("selected", "found", "falsely selected", "right")


def available() -> bool:
    """Whether fairlearn is there (``pip install 'understudy[fair]'``)."""
    return find_spec("fairlearn") is not None


def balanced(lens: Lens, made: pa.Table, target: str, group: str) -> pa.Table:
    """As many made rows of each label in each group: nothing of the group can be told from the label any more. Groups
    without enough rows of either label are left out."""
    import pyarrow as pa

    who = np.array(group_of(lens, made, group), object)
    label = target_of(lens, made, target)
    cells = {g: [np.flatnonzero((who == g) & (label == y)) for y in (0, 1)] for g in sorted(set(who))}
    kept = [rows for own in cells.values() if min(map(len, own)) >= FEWEST for rows in own]
    if not kept:
        return made.slice(0, 0)
    least = min(map(len, kept))
    return made.take(pa.array(np.sort(np.concatenate([rows[:least] for rows in kept]))))


def fairness(lens: Lens, sources: Mapping[str, pa.Table], holdout: pa.Table, target: str, group: str) -> dict[str, Any]:
    """For learners trained on each of ``sources``: rates in each group of the holdout, and the largest gaps with 95 %
    intervals. {} when the target has not two classes, or fewer than two groups have 30 rows."""
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
    from sklearn.metrics import accuracy_score

    at = lens.columns.index(target)
    if lens.numeric[at] or len(lens.names[at]) != 2:
        return {}
    truth = target_of(lens, holdout, target)
    positive = int(np.argmin(np.bincount(truth[truth >= 0], minlength=2)))
    who = np.array(group_of(lens, holdout, group), object)
    names, sizes = np.unique(who.astype(str), return_counts=True)
    use = np.isin(who.astype(str), names[sizes >= FEWEST]) & (truth >= 0)
    if len(set(who[use])) < 2:
        return {}
    metrics = dict(zip(RATES, (selection_rate, true_positive_rate, false_positive_rate, accuracy_score)))
    found: dict[str, Any] = {"group": group, "positive": lens.names[at][positive], "by": {}, "gap": {}, "rows": {}}
    for source, table in sources.items():
        known = target_of(lens, table, target)
        if len(np.unique(known[known >= 0])) < 2:
            continue
        said = predicted(lens, table, holdout, target)
        frame = MetricFrame(
            metrics=metrics,
            y_true=truth[use] == positive,
            y_pred=said[use] == positive,
            sensitive_features=who[use].astype(str),
        )
        found["rows"][source] = table.num_rows
        found["by"][source] = {name: {m: float(row[m]) for m in RATES} for name, row in frame.by_group.iterrows()}
        of = {name: _behind(truth[use & (who == name)] == positive) for name in frame.by_group.index}
        found["gap"][source] = {m: _gap(found["by"][source], of, m) for m in RATES}
    return found


def _behind(positive: np.ndarray) -> dict[str, int]:
    """How many rows stand behind each rate of a group."""
    n, true = len(positive), int(positive.sum())
    return {"selected": n, "found": true, "falsely selected": n - true, "right": n}


def _gap(by: Mapping[str, Mapping[str, float]], of: Mapping[str, Mapping[str, int]], rate: str) -> list[float]:
    """[largest difference between groups, low, high]; the interval is that of the two groups furthest apart."""
    known = {name: own[rate] for name, own in by.items() if of[name][rate] > 0}
    top, bottom = max(known, key=lambda n: known[n]), min(known, key=lambda n: known[n])
    spread = sum(known[n] * (1 - known[n]) / of[n][rate] for n in (top, bottom)) ** 0.5
    gap = known[top] - known[bottom]
    return [gap, max(gap - Z * spread, 0.0), min(gap + Z * spread, 1.0)]


def changes(found: Mapping[str, Any], before: str = "made", after: str = "balanced") -> dict[str, str]:
    """What balancing did to each gap: "closed", "opened", or "not changed" where the intervals overlap."""
    if before not in found.get("gap", {}) or after not in found["gap"]:
        return {}
    told = {}
    for rate in RATES:
        (_, low, high), (_, low_after, high_after) = found["gap"][before][rate], found["gap"][after][rate]
        told[rate] = "closed" if high_after < low else "opened" if low_after > high else "not changed"
    return told
