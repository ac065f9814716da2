"""Training with and without adaptation to unlabelled real pictures, side by side.

Adaptation helps on some pairs of data sets and harms on others, and nothing but real labels tells which. So each way is
trained with the same seed and budget, each is measured on the real validation, and the model that is left is the best of
them: an adapted one only where it is surely above the plain training, the interval of their paired difference above 0.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from understudy.errors import UsageError
from understudy.learn.evals.bootstrap import Figure
from understudy.learn.evals.pairing import Difference
from understudy.learn.session import Request, Trained, stopped, train
from understudy.learn.training_record import Tell

METHODS = ("adabn", "coral", "dann", "fda")
WITHOUT = "without"


@dataclass(frozen=True)
class Way:
    """One way of training. score : on the real validation; gain : over the training without, paired; cpu_s : it took"""

    name: str
    score: Figure
    gain: Difference | None
    cpu_s: float


@dataclass(frozen=True)
class Adapted:
    """ways : the one without first, then as asked; chosen : the name of the one whose model was kept"""

    ways: tuple[Way, ...]
    chosen: str
    trained: Trained


def side_by_side(request: Request, methods: Sequence[str], tell: Tell) -> Adapted:
    """Train without and with each of ``methods``; the best model goes to ``request.out``, every one to a folder in it.

    UsageError without a real validation (nothing else can say which is better) or without unlabelled pictures.
    """
    from understudy.learn.unlabelled import need_unlabelled, pictures_of

    odd = [m for m in methods if m not in METHODS]
    if odd or not methods or len(set(methods)) < len(methods):
        raise UsageError("--adapt is not understood", wanted=f"some of {', '.join(METHODS)}, each once",
                         got=",".join(methods))
    pictures_of(need_unlabelled(request.unlabelled, methods[0]))
    if request.validation is None:
        raise UsageError("adaptation needs real labelled pictures to choose by: some make a network worse",
                         remedy="Name them with --val")
    out = request.out
    plain = replace(request, adapt="", out=out / WITHOUT)
    tell("without adaptation:")
    stopped(train(plain, tell))
    for method in methods:
        tell(f"with {method}:")
        if method == "adabn":
            _adabn(out / WITHOUT, request, out / method, tell)
        else:
            stopped(train(replace(plain, adapt=method, out=out / method), tell))
    ways = measured(out, methods, request)
    best = max((w for w in ways if w.gain is None or w.gain.gained), key=lambda w: w.score.value)
    chosen = out / best.name
    for name in ("model.safetensors", "run.json", "curve.csv"):
        if (chosen / name).is_file():
            shutil.copyfile(chosen / name, out / name)
    _write(out, ways, best.name, request)
    return Adapted(tuple(ways), best.name, Trained(out / "model.safetensors", _card(chosen)))


def measured(out: Path, methods: Sequence[str], request: Request) -> list[Way]:
    """Each way's score on the whole validation pictures, with paired differences from the training without."""
    from understudy.learn.classes import agree
    from understudy.learn.evals.pairing import difference, draws
    from understudy.learn.measure import measure
    from understudy.learn.native import model_file
    from understudy.learn.sources import open_source

    source = open_source(request.validation)
    ways: list[Way] = []
    base = None
    for name in (WITHOUT, *methods):
        network, card, _ = model_file.load(out / name)
        agreement = agree(network.spec.classes, source.categories, source.path, request.renamed)
        got = measure(network, source, agreement, worst=0)
        drawn = draws(got.task, [got.table])
        base = drawn if base is None else base
        gain = difference(drawn, base, got.main.n) if ways else None
        ways.append(Way(name, got.main, gain, card["cpu_s"]))
    return ways


def table(ways: Sequence[Way]) -> list[str]:
    """A line for each way, for people."""
    return [f"{w.name:10} {w.score.value:.3f} ({w.score.low:.3f} to {w.score.high:.3f})"
            + ("" if w.gain is None else f", {w.gain} against without") for w in ways]


def _adabn(model: Path, request: Request, out: Path, tell: Tell) -> None:
    import time

    from understudy.learn.native import model_file
    from understudy.learn.native.statistics import with_statistics_of
    from understudy.learn.prepare import stored_side
    from understudy.learn.unlabelled import open_unlabelled
    from understudy.writers.files import replace_file

    network, card, seen = model_file.load(model)
    target = open_unlabelled(request.unlabelled, stored_side(network.spec.side), tell)
    start = time.process_time()
    adapted = with_statistics_of(network, target.images)
    card = card | {"cpu_s": round(card["cpu_s"] + time.process_time() - start, 1), "validation_score": None,
                   "adapted": {"method": "adabn", "unlabelled": str(request.unlabelled), "pictures": len(target.images)}}
    out.mkdir(parents=True, exist_ok=True)
    model_file.save(out / "model.safetensors", adapted, card, seen.and_trained(target.hashes))
    replace_file(out / "run.json", [json.dumps(card, indent=1) + "\n"])


def _card(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def _write(out: Path, ways: Sequence[Way], chosen: str, request: Request) -> None:
    from understudy.learn.measure import MAIN
    from understudy.learn.report import page
    from understudy.learn.training_record import versions
    from understudy.writers.files import replace_file

    plain = {"chosen": chosen, "validation": str(request.validation), "unlabelled": str(request.unlabelled),
             "versions": versions(),
             "ways": [{"name": w.name, "score": w.score.plain(), "cpu_s": w.cpu_s,
                       "gain": None if w.gain is None else w.gain.figure.plain()} for w in ways]}
    replace_file(out / "adaptation.json", [json.dumps(plain, indent=1) + "\n"])
    rows = "".join(f"<tr><td>{escape(w.name)}{' <b>chosen</b>' if w.name == chosen else ''}</td><td>{w.score.value:.3f}</td>"
                   f"<td>{w.score.low:.3f} to {w.score.high:.3f}</td>"
                   f"<td>{'' if w.gain is None else escape(str(w.gain))}</td><td>{w.cpu_s:,.0f}</td></tr>" for w in ways)
    replace_file(out / "report.html", [page("Adaptation", [
        "<h1>With and without adaptation</h1>",
        (f"<p class=note>{MAIN[request.task]} on the real validation, which chose the checkpoints and chooses here: every "
         "score flatters. A result is a score on other real pictures: <code>understudy evaluate MODEL REAL</code>.</p>"),
        ("<table class=plain><tr><th></th><th>score</th><th>95 % interval</th><th>gain, paired</th><th>CPU-seconds</th></tr>"
         + rows + "</table>")])])
