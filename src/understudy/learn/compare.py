"""Which data set teaches most, in which blend, and how many pictures are enough: studies over the queue, with reports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from understudy.errors import UsageError
from understudy.learn.budget import Budget
from understudy.learn.classes import agree, chosen
from understudy.learn.drawing import lines
from understudy.learn.evals.pairing import difference
from understudy.learn.measure import MAIN
from understudy.learn.prepare import prepare
from understudy.learn.report import page
from understudy.learn.session import Request
from understudy.learn.sources import open_source
from understudy.learn.study import Done, Job, Row, leaderboard, run_jobs
from understudy.learn.training_record import Tell, versions

FINE_RATE = 1e-3


@dataclass(frozen=True)
class Plan:
    """What all jobs of a study share. base : the request that they vary; real : the test; seeds : how many of each."""

    base: Request
    real: Path
    out: Path
    seeds: int = 2
    workers: int = 1

    def seeded(self, group: str, request: Request, after: tuple[str, Request] | None = None) -> list[Job]:
        """One job for each seed; ``after`` (group, request) is trained before with the same seed."""
        return [Job(group, replace(request, seed=s), None if after is None else Job(after[0], replace(after[1], seed=s)))
                for s in range(self.base.seed, self.base.seed + self.seeds)]

    def fine(self, data: Path, count: int | None = None) -> Request:
        """Going on with real pictures for a fifth of the budget."""
        return replace(self.base, data=data, count=count, budget=_fifth(self.base.budget), rate=FINE_RATE, mix=(),
                       validation=None)


def compare(plan: Plan, sets: Sequence[Path], real_train: Path | None, tell: Tell) -> list[Row]:
    """Train on each of ``sets`` and measure on the real test; with ``real_train`` also on it alone, and on it after each.

    Writes leaderboard.csv, study.json and report.html to the plan's folder.
    """
    if len({p.resolve() for p in sets}) < len(sets):
        raise UsageError("a data set is named twice", got=", ".join(map(str, sets)))
    names = _short(sets)
    jobs: list[Job] = []
    for path, name in zip(sets, names):
        request = replace(plan.base, data=path, validation=plan.base.validation or real_train)
        jobs += plan.seeded(name, request)
        if real_train is not None:
            jobs += plan.seeded(f"{name}, then real", plan.fine(real_train), (name, request))
    if real_train is not None:
        jobs += plan.seeded("real only", replace(plan.base, data=real_train, validation=None, renamed={},
                                                   classes=_real_classes(plan.base, sets[0], real_train)))
    done = run_jobs(jobs, plan.real, plan.out, tell, plan.workers)
    rows = leaderboard(done)
    title = f"{len(sets)} data sets by what they teach about {plan.real}"
    _write(plan, rows, done, page(title, [_head(title, plan, rows), board(rows)]))
    return rows


def blend(plan: Plan, made: Path, real: Path, ratios: Sequence[int], real_counts: Sequence[int | None],
          made_counts: Sequence[int], tell: Tell) -> list[Row]:
    """Measure mixtures: ``ratios`` are per cent of the pictures shown that are made, for each number of real pictures;
    made first and then real, too. ``made_counts`` adds made pictures alone, that many of them."""
    _refuse_counts(plan.base, "--made-counts", made, chosen(open_source(made).categories, plan.base.classes, made),
                   made_counts)
    _refuse_counts(plan.base, "--real-counts", real, _real_classes(plan.base, made, real), real_counts)
    alone = replace(plan.base, data=made, validation=plan.base.validation or real)
    cells: dict[str, tuple[str, float]] = {}  # group -> its line in the chart and its place on the axis
    jobs: list[Job] = []

    def add(group: str, line: str, at: float, request: Request, after: tuple[str, Request] | None = None) -> None:
        cells[group] = line, at
        jobs.extend(plan.seeded(group, request, after))

    if 100 in ratios:
        add("made only", "", 100, alone)
    for count in real_counts:
        some = "all" if count is None else str(count)
        for ratio in (r for r in ratios if r != 100):
            if ratio == 0:
                request = replace(plan.base, data=real, count=count, validation=None, renamed={},
                                  classes=_real_classes(plan.base, made, real))
            else:
                request = replace(plan.base, data=made, mix=((real, 1 - ratio / 100, count),), validation=None)
            add(f"{some} real, {ratio} % made", f"{some} real", ratio, request)
        add(f"made, then {some} real", "", 100, plan.fine(real, count), ("made only", alone))
    for count in made_counts:
        add(f"{count} made only", "made only", count, replace(alone, count=count))
    done = run_jobs(jobs, plan.real, plan.out, tell, plan.workers)
    rows = leaderboard(done)
    by_group = {r.group: r for r in rows}
    title = f"{made} blended with {real}, measured on {plan.real}"
    charts = _ratio_chart(by_group, cells) + _count_chart(by_group, cells, made_counts)
    _write(plan, rows, done, page("Blend", [_head(title, plan, rows), charts, board(rows)]))
    return rows


def enough(rows: Mapping[int, Row]) -> int | None:
    """The least number of pictures that is not surely worse than the greatest; None where even the last step surely
    helped, so that more may help still."""
    counts = sorted(rows)
    if len(counts) < 2:
        return None
    most = rows[counts[-1]]
    within = [c for c in counts[:-1] if not difference(most.drawn, rows[c].drawn, most.figure.n).sure]
    return within[0] if within else None


def board(rows: Sequence[Row]) -> str:
    """The leaderboard as HTML."""
    lines_ = []
    for r in rows:
        behind = "the best" if r.behind is None else f"{r.behind} (p {r.behind.p:.3f})"
        lines_.append(f"<tr><td>{escape(r.group)}</td><td><b>{r.figure.value:.3f}</b></td><td>{r.figure.low:.3f} to "
                      f"{r.figure.high:.3f}</td><td>{r.spread[0]:.3f} to {r.spread[1]:.3f} ({r.seeds})</td>"
                      f"<td>{escape(behind)}</td><td>{escape(r.pictures)}</td><td>{r.cpu_s:,.0f}</td></tr>")
    return ("<h2>Leaderboard</h2><p class=faint>Intervals: 1,000 draws of the test's pictures, of the mean over seeds. "
            "Differences are paired: the same draws for both.</p><table class=plain><tr><th></th><th>score</th>"
            "<th>95 % interval</th><th>seeds</th><th>the best less this</th><th>pictures</th><th>CPU-seconds</th></tr>"
            + "".join(lines_) + "</table>")


def _ratio_chart(rows: Mapping[str, Row], cells: Mapping[str, tuple[str, float]]) -> str:
    series: dict[str, list[tuple[float, float]]] = {}
    bands: dict[str, list[tuple[float, float, float]]] = {}
    for group, (line, at) in cells.items():
        if line.endswith(" real"):
            figure = rows[group].figure
            series.setdefault(line, []).append((at, figure.value))
            bands.setdefault(line, []).append((at, figure.low, figure.high))
    if "made only" in rows:
        figure = rows["made only"].figure
        for line in series:
            series[line].append((100, figure.value))
            bands[line].append((100, figure.low, figure.high))
    for line in series:
        series[line].sort()
        bands[line].sort()
    return "<h2>By the share of made pictures</h2>" + lines(series, "% made", bands=bands) if series else ""


def _count_chart(rows: Mapping[str, Row], cells: Mapping[str, tuple[str, float]], counts: Sequence[int]) -> str:
    if not counts:
        return ""
    own = {int(at): rows[group] for group, (line, at) in cells.items() if line == "made only"}
    points = [(c, own[c].figure.value) for c in sorted(own)]
    band = [(c, own[c].figure.low, own[c].figure.high) for c in sorted(own)]
    stop = enough(own)
    told = (f"{stop:,} pictures are enough: {max(own):,} are not surely better." if stop else
            "The last step surely helped: more pictures may help still." if len(own) > 1 else "")
    return ("<h2>By the number of made pictures</h2>" + lines({"made only": points}, "pictures", bands={"made only": band})
            + f"<p>{told}</p>")


def _head(title: str, plan: Plan, rows: Sequence[Row]) -> str:
    base = plan.base
    ties = [r.group for r in rows[1:] if r.behind is not None and not r.behind.sure]
    verdict = f"Best: <b>{escape(rows[0].group)}</b>" + (f"; no difference from {escape(', '.join(ties))}" if ties else "")
    return (f"<h1>{escape(title)}</h1><p class=faint>{base.task}, {base.size} at {base.side} px, budget {base.budget}, "
            f"{plan.seeds} seeds, {rows[0].figure.n} real test pictures, {MAIN[base.task]}</p><p>{verdict}</p>")


def _write(plan: Plan, rows: Sequence[Row], done: Sequence[Done], html: str) -> None:
    from understudy.writers.files import replace_file

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["group", "score", "low", "high", "least_seed", "greatest_seed", "seeds", "behind", "behind_low",
                    "behind_high", "p", "pictures", "cpu_s"])
    for r in rows:
        gap = (0, 0, 0, "") if r.behind is None else (r.behind.figure.value, r.behind.figure.low, r.behind.figure.high,
                                                      r.behind.p)
        table.writerow([r.group, *(f"{v:.6f}" for v in (r.figure.value, r.figure.low, r.figure.high, *r.spread)), r.seeds,
                        *(f"{v:.6f}" if v != "" else "" for v in gap), r.pictures, f"{r.cpu_s:.1f}"])
    replace_file(plan.out / "leaderboard.csv", [text.getvalue()])
    study = {"real": str(plan.real), "seeds": plan.seeds, "versions": versions(),
             "jobs": [{"group": d.group, "seed": d.seed, "folder": d.folder.name, "cpu_s": d.cpu_s,
                       "figures": d.told["figures"], "training": d.told["training"]} for d in done]}
    replace_file(plan.out / "study.json", [json.dumps(study, indent=1) + "\n"])
    replace_file(plan.out / "report.html", [html])


def _short(sets: Sequence[Path]) -> list[str]:
    """The folders' names, or as much of their paths as tells them apart."""
    for parts in range(1, 12):
        names = ["/".join(p.resolve().parts[-parts:]) for p in sets]
        if len(set(names)) == len(names):
            return names
    return [str(p) for p in sets]


def _fifth(budget: Budget) -> Budget:
    return Budget(images=max(budget.images // 5, 1)) if budget.images is not None else Budget(cpu_s=budget.cpu_s / 5)


def _refuse_counts(base: Request, option: str, data: Path, classes: Sequence[str], counts: Sequence[int | None]) -> None:
    """UsageError for more pictures than there are: the curve would have a point at a number that was never learned from."""
    most = max((c for c in counts if c is not None), default=0)
    if most and (there := len(prepare(data, base.task, classes, base.side, count=most).parts[0].store)) < most:
        raise UsageError(f"{option} asks for more pictures than there are", where=data, wanted=f"at most {there}", got=most)


def _real_classes(base: Request, made: Path, real: Path) -> tuple[str, ...]:
    """What a training on real pictures alone learns: the classes, by the real set's names, that the made one teaches."""
    ours = chosen(open_source(made).categories, base.classes, made)
    source = open_source(real)
    agreement = agree(ours, source.categories, real, base.renamed)
    return tuple(name for name, number in zip(source.categories, agreement.number) if number)
