"""Many trainings measured on the same real pictures: a queue that goes on where it was killed.

A study is a folder; each job is a folder in it, named for what it is and a digest of all that it depends on, and counts as
done once its measurement is written. Jobs that share a first step (the same made pictures before different fine-tunings)
name it as ``after``. Several run at once in processes of one thread each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import RunError, UnderstudyError
from understudy.learn import duplicates
from understudy.learn.cache import open_store
from understudy.learn.classes import agree, chosen
from understudy.learn.evals.bootstrap import Figure
from understudy.learn.evals.pairing import Difference, Table, difference, draws, mean_figure
from understudy.learn.prepare import names_of, prepare, stored_side
from understudy.learn.session import Request, evaluate, stopped, train
from understudy.learn.sources import open_source
from understudy.learn.training_record import Tell

Told = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """One training and its measurement. group : what it is one seed of; after : the job whose model it starts from.

    ``request.out`` and ``request.init`` are set by the study.
    """

    group: str
    request: Request
    after: Job | None = None

    def name(self, real: Path) -> str:
        """The job's folder: readable, and different for whatever makes the result different."""
        facts = {k: str(v) for k, v in vars(self.request).items() if k not in ("out", "init", "threads")
                 and not (k in ("adapt", "unlabelled") and not v) and (k, v) != ("augment", "full")}
        data = [self.request.data, real, *(m[0] for m in self.request.mix), self.request.validation]
        facts["files"] = str([open_source(d).fingerprint for d in data if d is not None])
        facts["after"] = self.after.name(real) if self.after else ""
        digest = blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=5).hexdigest()
        plain = "".join(c if c.isalnum() or c in "-." else "_" for c in self.group)[:40]
        return f"{plain}-{self.request.seed}-{digest}"


@dataclass(frozen=True)
class Done:
    """A job's result. table : to draw pictures again; cpu_s : of training, those before it included."""

    group: str
    seed: int
    folder: Path
    told: Mapping[str, Any]
    table: Table
    cpu_s: float


def run_jobs(jobs: Sequence[Job], real: Path, out: Path, tell: Tell, workers: int = 1) -> list[Done]:
    """Run what is not there yet; all results, in the jobs' order. RunError when a worker dies or a job fails: what is
    done is kept, and the same call goes on from there."""
    _refuse_early(jobs, real, tell)
    later = [j for j in jobs if j.after is not None]
    if any(j.after.after for j in later):
        raise ValueError("a job follows one that follows nothing")
    folders = {id(j): out / "jobs" / j.name(real) for j in [*jobs, *(j.after for j in later)]}
    total, ready = len(set(folders.values())), 0
    for stage in ([j for j in jobs if j.after is None] + [j.after for j in later], later):
        waiting = {}
        for job in {folders[id(j)]: j for j in stage}.values():
            folder = folders[id(job)]
            if _is_done(folder):
                ready += 1
                continue
            waiting[folder] = replace(job.request, out=folder, init=folders[id(job.after)] if job.after else None)
        if ready and waiting:
            tell(f"{ready} of {total} are there already")
        for folder in _run(waiting, real, workers):
            ready += 1
            tell(f"{ready} of {total}: {folder.name}")
    return [_read(job, folders[id(job)], folders[id(job.after)] if job.after else None) for job in jobs]


def _refuse_early(jobs: Sequence[Job], real: Path, tell: Tell) -> None:
    """What a training or an evaluation would refuse is refused before the first training: sets without labels of the task,
    classes that the test does not have, and photographs of the test among those that are learned from or choose. What a
    training would only tell is told once. UsageError, DatasetError."""
    test = open_source(real)
    seen: set[tuple[Path, int, int | None]] = set()
    opened: set[str] = set()
    told: set[str] = set()
    for request, first in [(j.request, j.after is None) for j in jobs] + [(j.after.request, True) for j in jobs if j.after]:
        if first:  # what comes after takes the classes of its model
            source = open_source(request.data)
            classes = chosen(source.categories, request.classes, source.path)
            agree(classes, test.categories, test.path, _renamed(request, classes))
            if (name := str(replace(request, seed=0))) not in opened:
                opened.add(name)
                found = prepare(request.data, request.task, classes, request.side, mix=request.mix, count=request.count,
                                validation=request.validation, renamed=_renamed(request, classes), rows=request.rows,
                                allow_overlap=request.allow_overlap)
                for message in (m for m in found.messages if m not in told):
                    told.add(message)
                    tell(message)
        if request.allow_overlap:
            continue
        for path in (request.data, *(m[0] for m in request.mix), request.validation):
            key = (path, request.side, request.count)
            if path is None or key in seen or (other := open_source(path)).made:
                continue
            seen.add(key)
            store, its = (open_store(s, stored_side(request.side)) for s in (other, test))
            duplicates.refuse(duplicates.overlaps(its.hashes, names_of(its), store.hashes, names_of(store)), path, real)


def _renamed(request: Request, classes: Sequence[str]) -> dict[str, str]:
    """What the user said of names, as far as a model of ``classes`` knows them: one of real pictures alone has theirs."""
    return {theirs: ours for theirs, ours in request.renamed.items() if ours in classes}


def _run(waiting: Mapping[Path, Request], real: Path, workers: int):
    """Run requests, yielding each folder as it is done."""
    if workers == 1 or len(waiting) < 2:
        for folder, request in waiting.items():
            run_one(request, real)
            yield folder
        return
    with ProcessPoolExecutor(min(workers, len(waiting)), get_context("spawn")) as pool:
        running = {pool.submit(run_one, request, real): folder for folder, request in waiting.items()}
        try:
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    yield running.pop(future)
        except BrokenProcessPool as error:
            raise RunError("a worker process died, perhaps for want of memory", remedy="What is done is kept: run the same "
                           "command again, with fewer --workers") from error
        finally:
            for future in running:
                future.cancel()


def run_one(request: Request, real: Path) -> None:
    """Train and measure; the measurement's file appears last and marks the job as done."""
    try:
        done = train(request, _nothing)
        stopped(done)
        evaluate(request.out, real, request.out / "eval", _nothing, renamed=_renamed(request, done.card["classes"]),
                 allow_overlap=request.allow_overlap)
    except UnderstudyError as error:
        raise RunError(f"{request.out.name}: {error}") from error


def _nothing(text: str) -> None:
    """Jobs run side by side: each one's own report says what it did."""
    del text


def _is_done(folder: Path) -> bool:
    return (folder / "eval" / "evaluation.json").is_file() and (folder / "eval" / "table.npz").is_file()


def _read(job: Job, folder: Path, before: Path | None) -> Done:
    told = json.loads((folder / "eval" / "evaluation.json").read_text(encoding="utf-8"))
    with np.load(folder / "eval" / "table.npz") as kept:
        table = {name: kept[name] for name in kept.files}
    cpu_s = told["training"]["cpu_s"]
    if before is not None:
        with suppress(OSError, ValueError, KeyError):
            cpu_s += json.loads((before / "run.json").read_text(encoding="utf-8"))["cpu_s"]
    return Done(job.group, job.request.seed, folder, told, table, cpu_s)


@dataclass(frozen=True)
class Row:
    """A line of a leaderboard. spread : of the seeds' scores (least, greatest); behind : the best less this one."""

    group: str
    figure: Figure
    spread: tuple[float, float]
    seeds: int
    cpu_s: float
    pictures: str
    behind: Difference | None
    folder: Path
    drawn: np.ndarray


def leaderboard(done: Sequence[Done]) -> list[Row]:
    """Groups by their mean score over seeds, best first, each with its paired difference from the best."""
    groups: dict[str, list[Done]] = {}
    for one in done:
        groups.setdefault(one.group, []).append(one)
    rows = []
    for group, ones in groups.items():
        task = ones[0].told["task"]
        drawn = draws(task, [one.table for one in ones])
        n = next(iter(ones[0].told["figures"].values()))["n"]
        each = [draws(task, [one.table], 0)[0] for one in ones]
        rows.append(Row(group, mean_figure(drawn, n), (float(min(each)), float(max(each))), len(ones),
                        float(np.mean([one.cpu_s for one in ones])), _pictures(ones[0].told["training"]), None,
                        ones[int(np.argmax(each))].folder, drawn))
    rows.sort(key=lambda r: -r.figure.value)
    best = rows[0]
    return [best, *(replace(r, behind=difference(best.drawn, r.drawn, r.figure.n)) for r in rows[1:])]


def _pictures(card: Mapping[str, Any]) -> str:
    parts = [f"{p['pictures']:,} {'made' if p['made'] else 'real'}" for p in card["trained_on"]]
    return " + ".join(parts)
