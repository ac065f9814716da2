"""Scoring candidates on a rendered pool: pictures drawn by weight, a small network, a real validation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from html import escape
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from understudy.errors import RunError, UsageError
from understudy.key import Key
from understudy.learn.budget import Budget
from understudy.learn.measure import MAIN
from understudy.learn.report import page
from understudy.learn.search.halving import Outcome, Params, Plan, Task, search, sobol
from understudy.learn.search.importance import Trainings, Worth, worths
from understudy.learn.search.space import Axis, chosen_rows, effective, held, pool_axes, ranges_of
from understudy.learn.session import Request, need_torch, single_threaded_images
from understudy.learn.training_record import Tell, versions

_POINTS = 256
"""Of the search's ranges, over which an axis's share is taken."""


@dataclass(frozen=True)
class Hunt:
    """A search. base : the training, with ``validation`` set and the last rung's budget; pictures : a candidate's share of
    the pool, as a number."""

    base: Request
    tuned: tuple[str, ...]
    pictures: int
    out: Path
    plan: Plan = Plan()
    workers: int = 1


@dataclass(frozen=True)
class Caught:
    """What a search found. changes : {recipe path: value as YAML} of the best candidate; mattered : what each axis is worth;
    finalists : (number, changes) of each candidate of the last rung, best first."""

    outcome: Outcome
    changes: Mapping[str, str]
    mattered: Mapping[str, Worth]
    task: str
    finalists: Sequence[tuple[int, Mapping[str, str]]] = ()


def hunt(what: Hunt, tell: Tell) -> Caught:
    """Search the pool ``what.base.data``; writes rungs.jsonl (the journal), optuna.journal (the first rung as
    Optuna's own tools read it), search.json and report.html."""
    from understudy.learn.cache import open_store
    from understudy.learn.prepare import prepare, stored_side
    from understudy.learn.sources import open_source
    from understudy.writers.files import replace_file

    need_torch()
    base = what.base
    source = open_source(base.data)
    store = open_store(source, stored_side(base.side))
    axes = pool_axes(store, what.tuned)
    if what.pictures > len(store):
        raise UsageError("--pictures is more than the pool holds", wanted=f"at most {len(store)}", got=what.pictures)
    prepared = prepare(base.data, base.task, _classes(base), base.side, validation=base.validation, renamed=base.renamed,
                       allow_overlap=base.allow_overlap)
    for message in prepared.messages:
        tell(message)
    what.out.mkdir(parents=True, exist_ok=True)
    _same_search(what, store.digest)
    pool = None if what.workers == 1 else ProcessPoolExecutor(what.workers, get_context("spawn"))
    try:
        outcome = search(ranges_of(axes), _scorer(what, axes, len(store), pool), what.plan,
                         what.out / "rungs.jsonl", tell)
    except BrokenProcessPool as error:
        raise RunError("a worker process died, perhaps for want of memory",
                       remedy="Run the same command again, with fewer --workers; what is scored is kept") from error
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
    mattered = importances(axes, outcome, what.plan.seed, what.pictures)
    last = sorted((c for c in outcome.candidates if len(c.scores) > len(what.plan.keep)), key=lambda c: -c.scores[-1])
    finalists = [(c.number, _changes(axes, c.params)) for c in last]
    changes = _changes(axes, outcome.best.params)
    caught = Caught(outcome, changes, mattered, base.task, finalists)
    plain = {"verdict": outcome.verdict, "gain": outcome.gain, "standard_error": outcome.noise, "sigma": outcome.sigma,
             "agreement": list(outcome.agreement), "changes": changes,
             "importances": {name: w.plain() for name, w in mattered.items()},
             "effective_pictures": effective(axes, outcome.best.params, len(store)), "versions": versions(),
             "as_it_is": [list(b) for b in outcome.base],
             "candidates": [{"number": c.number, "params": dict(c.params), "scores": list(c.scores)}
                            for c in outcome.candidates]}
    replace_file(what.out / "search.json", [json.dumps(plain, indent=1) + "\n"])
    replace_file(what.out / "report.html", [_report(what, caught)])
    return caught


def importances(axes: Sequence[Axis], outcome: Outcome, seed: int, pictures: int) -> dict[str, Worth]:
    """What each axis of a search is worth, by all of its trainings, the dummy among them. pictures : of a candidate."""
    def hold(points: Sequence[Params | None], seeds: Sequence[int]) -> dict[str, np.ndarray]:
        n = len(axes[0].values)
        return held(axes, points, [chosen_rows(axes, p, n, pictures, Key(s)) for p, s in zip(points, seeds)])

    tasks = [task for task, _ in outcome.trainings]
    alike = {name: i for i, name in enumerate(dict.fromkeys(replace(t, rung=0).name for t in tasks))}
    trainings = Trainings(np.array([score for _, score in outcome.trainings]), np.array([t.rung for t in tasks]),
                          np.array([alike[replace(t, rung=0).name] for t in tasks]))
    over = sobol(ranges_of(axes), _POINTS, seed)
    return worths(hold([t.params for t in tasks], [t.seed for t in tasks]), hold(over, [seed] * len(over)), trainings, seed)


def _changes(axes: Sequence[Axis], params: Mapping[str, float]) -> dict[str, str]:
    return {a.recipe_path: value for a in axes if (value := a.recipe_value(params))}


def _scorer(what: Hunt, axes: Sequence[Axis], n: int, pool: ProcessPoolExecutor | None) -> Callable:
    def score(tasks: Sequence[Task]):
        jobs = [(what, tuple(chosen_rows(axes, t.params, n, what.pictures, Key(t.seed)).tolist()), t) for t in tasks]
        return (one(*job) for job in jobs) if pool is None else pool.map(one, *zip(*jobs))

    return score


def one(what: Hunt, rows: tuple[int, ...], task: Task) -> float:
    """Train on those rows of the pool with the rung's budget; the main score of the last good averaged weights on the real
    validation. Runs in a worker process. RunError where memory runs out, and where the pool as it is cannot be learned
    from: no candidate could be compared with it."""
    from understudy.learn.mixture import Mixture
    from understudy.learn.native import loop
    from understudy.learn.native.network import Spec, built
    from understudy.learn.prepare import prepare, strength_for
    from understudy.learn.validation import score
    from understudy.writers.points import mirror

    single_threaded_images()
    base = what.base
    classes = _classes(base)
    prepared = prepare(base.data, base.task, classes, base.side, validation=base.validation, renamed=base.renamed,
                       allow_overlap=True, rows=rows)  # overlap was looked at once, before
    (part,) = prepared.parts
    spec = Spec(base.task, classes, base.size, base.side, prepared.points)
    twins = mirror(spec.points)
    strength, _ = strength_for(spec.task, spec.classes, spec.points, twins, base.augment)
    share = what.plan.share(task.rung)
    budget = Budget(images=max(int(base.budget.images * share), base.batch)) if base.budget.images is not None else \
        Budget(cpu_s=base.budget.cpu_s * share)
    done = loop.fit(built(spec, task.seed), Mixture([part], Key(task.seed).child("train"), spec.side, strength),
                    loop.Settings(budget, base.batch, base.rate, precision=base.precision, checks=1), twins, None, _nothing)
    if done.broken and (task.params is None or "memory" in done.broken):
        raise RunError(done.broken, remedy=done.remedy)
    return score(done.network, prepared.validation.store, prepared.validation.number)


def _nothing(point: object) -> None:
    """Nobody watches a candidate's curve."""
    del point


def _classes(base: Request) -> tuple[str, ...]:
    from understudy.learn.classes import chosen
    from understudy.learn.sources import open_source

    return chosen(open_source(base.data).categories, base.classes, base.data)


def _same_search(what: Hunt, digest: str) -> None:
    """A journal answers for one search only."""
    from understudy.writers.files import replace_file

    facts = {k: str(v) for k, v in vars(what.base).items() if k not in ("out", "threads", "seed")}
    told = json.dumps({"pool": digest, "tuned": what.tuned, "pictures": what.pictures, **facts}, sort_keys=True)
    file = what.out / "search-of.json"
    if not file.exists():
        replace_file(file, [told])
    elif file.read_text(encoding="utf-8") != told:
        raise UsageError("another search is in the folder", where=what.out, remedy="Choose another folder with -o")


def _report(what: Hunt, caught: Caught) -> str:
    o = caught.outcome
    changes = "".join(f"<tr><td><code>{escape(p)}</code></td><td><code>{escape(v)}</code></td></tr>"
                      for p, v in caught.changes.items())
    bars = "".join(f"<tr><td>{escape(name)}</td><td>{f'{w.share:.0%}' if w.told else 'not told from chance'}</td>"
                   + (f"<td>{w.low:.0%} to {w.high:.0%}</td>" if w.told else f"<td>up to {w.high:.0%}</td>")
                   + f"<td>{w.sure:.2f}</td></tr>" for name, w in caught.mattered.items())
    ladder = "".join(f"<tr><td>{c.number}</td>" + "".join(f"<td>{s:.4f}</td>" for s in c.scores) + "</tr>"
                     for c in sorted(o.candidates, key=lambda c: (-len(c.scores), -c.scores[-1])))
    as_it_is = ", ".join(f"{np.mean(b):.4f} ({min(b):.4f} to {max(b):.4f})" for b in o.base)
    return page("Search", [
        f"<h1>Search of {escape(str(what.base.data))}: {o.verdict}</h1>",
        (f"<p class=faint>{MAIN[caught.task]} on the real validation {escape(str(what.base.validation))}; "
         f"{len(o.candidates)} candidates of {what.pictures:,} pictures</p>"),
        (f"<p>Trained again with new seeds, the best candidate gains <b>{o.gain:+.4f}</b> over the pool as it is, with a "
         f"standard error of {o.noise:.4f}. Kendall's tau between rungs: {', '.join(f'{t:.2f}' for t in o.agreement)}.</p>"),
        ("<p class=note>A candidate's pictures are drawn from the pool by weight. Before you rely on it, render the "
         "changed recipe afresh and rank both with <code>understudy compare</code> on a real test that this search has not "
         "seen.</p>"),
        f"<h2>Changes</h2><table class=plain>{changes or '<tr><td>none</td></tr>'}</table>",
        ("<h2>What mattered</h2><p class=faint>Of what axes explain of all trainings' order: each one's share where it is "
         "told from chance (the median of its posterior), its 95 % interval, and the probability that the axis moves scores "
         "at all. The dummy moves nothing.</p><table class=plain><tr><th></th><th>share</th><th>interval</th>"
         f"<th>moves scores</th></tr>{bars}</table>"),
        f"<h2>Rungs</h2><p class=faint>The pool as it is: {as_it_is}.</p><table class=plain>{ladder}</table>"])
