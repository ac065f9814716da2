"""What each axis of a recipe is worth: hold it still, train again, take the paired difference. Nothing is rendered.

An axis is held still by keeping only the pool's pictures near its middle (a numeric one: the fifth of them around the
median) or with its commonest value (a text one). Every group has the same number of pictures, as many as the narrowest
leaves, so what is measured is variety and not quantity.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from understudy.errors import UsageError
from understudy.key import Key
from understudy.learn.compare import Plan, board
from understudy.learn.evals.pairing import Difference, difference
from understudy.learn.report import page
from understudy.learn.search.space import Axis, pool_axes
from understudy.learn.study import Row, leaderboard, run_jobs
from understudy.learn.training_record import Tell, versions

WHOLE = "as it is"
LEAST = 20
_WINDOW = 0.2


@dataclass(frozen=True)
class Worth:
    """What an axis is worth. held : what it was held at; gain : the pool as it is less the axis held still."""

    path: str
    held: str
    gain: Difference
    row: Row


def held_still(axis: Axis) -> tuple[np.ndarray, str]:
    """(positions of the pictures that are kept, what their value is)."""
    if axis.numeric:
        low, high = np.nanquantile(axis.values, (0.5 - _WINDOW / 2, 0.5 + _WINDOW / 2))
        return np.flatnonzero((axis.values >= low) & (axis.values <= high)), f"{low:.4g} to {high:.4g}"
    commonest = axis.texts[0]
    return np.flatnonzero(axis.values == commonest), commonest


def ablate(plan: Plan, paths: Sequence[str], tell: Tell) -> list[Worth]:
    """Train on the pool ``plan.base.data`` as it is and with each axis held still; greatest worth first. Writes
    ablation.json and report.html. UsageError for a pool without drawn values, or where too few pictures are left."""
    from understudy.learn.cache import open_store
    from understudy.learn.prepare import stored_side
    from understudy.learn.sources import open_source
    from understudy.writers.files import replace_file

    store = open_store(open_source(plan.base.data), stored_side(plan.base.side))
    axes = pool_axes(store, paths)
    held = {axis.recipe_path: held_still(axis) for axis in axes}
    count = min(len(rows) for rows, _ in held.values())
    if count < LEAST:
        narrow = min(held, key=lambda p: len(held[p][0]))
        raise UsageError(f"holding {narrow} still leaves too few pictures", wanted=f"{LEAST} or more", got=count,
                         remedy="Make a larger pool, or leave the axis out")
    jobs = plan.seeded(WHOLE, replace(plan.base, rows=_some(np.arange(len(store)), count, WHOLE)))
    for path, (rows, _) in held.items():
        jobs += plan.seeded(path, replace(plan.base, rows=_some(rows, count, path)))
    rows_ = {r.group: r for r in leaderboard(run_jobs(jobs, plan.real, plan.out, tell, plan.workers))}
    whole = rows_[WHOLE]
    found = [Worth(path, text, difference(whole.drawn, rows_[path].drawn, whole.figure.n), rows_[path])
             for path, (_, text) in held.items()]
    found.sort(key=lambda w: -w.gain.figure.value)
    plain = {"pictures": count, "as_it_is": whole.figure.plain(), "versions": versions(),
             "axes": [{"path": w.path, "held": w.held, "score": w.row.figure.plain(), "worth": w.gain.figure.plain(),
                       "p": w.gain.p, "sure": w.gain.sure} for w in found]}
    replace_file(plan.out / "ablation.json", [json.dumps(plain, indent=1) + "\n"])
    lines = "".join(f"<tr><td><code>{escape(w.path)}</code></td><td>{escape(w.held)}</td><td>{escape(str(w.gain))}</td></tr>"
                    for w in found)
    replace_file(plan.out / "report.html", [page("Ablation", [
        f"<h1>What the axes of {escape(str(plan.base.data))} are worth</h1>",
        (f"<p class=faint>{count:,} pictures in every group, {plan.seeds} seeds, measured on {escape(str(plan.real))}. "
         "Worth is the pool as it is less the axis held still; below 0 the axis does harm.</p>"),
        f"<table class=plain><tr><th>axis</th><th>held at</th><th>worth</th></tr>{lines}</table>",
        board(sorted(rows_.values(), key=lambda r: -r.figure.value))])])
    return found


def _some(rows: np.ndarray, count: int, name: str) -> tuple[int, ...]:
    order = Key(0).child("ablation", name).permutation(len(rows))[:count]
    return tuple(np.sort(rows[order]).tolist())
