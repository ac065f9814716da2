"""Fairness by group: what a learner trained on made rows does to real people of each group, beside one trained on real."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.tables.measure.intervals import wilson
from understudy.tables.measure.learners import predicted, target_of

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.measure.lens import Lens

FEWEST = 30


def by_group(lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table, target: str, group: str) -> dict[str, Any]:
    """Of each group of the holdout: rows, share selected and share of positives found (95 % intervals), by learners trained
    on real and on made rows; and the gaps between groups. The positive class is the rarer one of the target's two.

    {} when the target has not two classes; groups with fewer than 30 rows are named and not scored.
    """
    at = lens.columns.index(target)
    if lens.numeric[at] or len(lens.names[at]) != 2:
        return {}
    truth = target_of(lens, holdout, target)
    positive = int(np.argmin(np.bincount(truth[truth >= 0], minlength=2)))
    who = group_of(lens, holdout, group)
    found: dict[str, Any] = {"positive": lens.names[at][positive], "group": group, "rows": {}, "gap": {}}
    for source, table in (("real", train), ("made", made)):
        said = predicted(lens, table, holdout, target) == positive
        selected, true = {}, {}
        for name in dict.fromkeys(who):
            own = np.array([w == name for w in who])
            row = found["rows"].setdefault(name, {"rows": int(own.sum())})
            if own.sum() < FEWEST:
                row["note"] = "too few"
                continue
            selected[name] = wilson(int(said[own].sum()), int(own.sum()))
            hit = own & (truth == positive)
            true[name] = wilson(int((said & hit).sum()), int(hit.sum()))
            row[source] = {"selected": selected[name], "found": true[name]}
        shares = [s[0] for s in selected.values()]
        finds = [s[0] for s in true.values()]
        found["gap"][source] = {"selected": max(shares) - min(shares), "found": max(finds) - min(finds)} if shares else {}
    return found


def group_of(lens: Lens, table: pa.Table, column: str) -> list[str]:
    """The group of each row: one of the ten commonest names, or a tenth of a quantity."""
    at = lens.columns.index(column)
    bins, _ = lens.bins(table.select(lens.columns))
    if lens.numeric[at]:
        edges = lens.edges[at]
        labels = [
            f"up to {edges[0]:g}" if len(edges) else "all",
            *(f"{a:g} to {b:g}" for a, b in itertools.pairwise(edges)),
            f"from {edges[-1]:g}" if len(edges) else "",
            "missing",
        ]
    else:
        labels = [*lens.names[at][:10], *[""] * (10 - len(lens.names[at][:10])), "another", "missing"]
    return [labels[b] for b in bins[at].tolist()]
