"""What a refinement did, as a page: the course, the labeller's verdict, made and refined pictures side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from understudy.learn.drawing import jpeg_url, lines
from understudy.learn.report import page
from understudy.writers.files import replace_file, write_bytes

if TYPE_CHECKING:
    from understudy.learn.native.refiner import Point
    from understudy.learn.refine import Judged, Wish
    from understudy.learn.refined_set import Lineage

_SHOWN = 16


def write_report(out: Path, wish: Wish, points: Sequence[Point], pairs: Sequence[tuple[np.ndarray, np.ndarray]],
                 judged: Judged, lineage: Lineage, verdict: str) -> None:
    """refiner.safetensors, refinement.json and report.html in ``out``."""
    from PIL import Image

    write_bytes(out / "refiner.safetensors", lineage.refiner)
    plain = {"verdict": verdict, "task": judged.task, "labeller_before": judged.before.plain(),
             "labeller_after": judged.after.plain(), "labeller_change": judged.gain.figure.plain(), "agree": wish.agree,
             "as_made": judged.made and judged.made.plain(), "refined": judged.refined and judged.refined.plain(),
             "refined_less_made": judged.better and judged.better.figure.plain(),
             "course": [vars(p) for p in points], "settings": dict(lineage.settings)}
    replace_file(out / "refinement.json", [json.dumps(plain, indent=1) + "\n"])
    unseen = "it had not seen" if wish.labeller is None else "it may have seen: it was named with --labeller"
    teach = ("<p class=note>Nothing is known yet of whether refined pictures teach more: name real labelled ones with "
             "<code>--val</code>, or rank both with <code>understudy compare</code>.</p>")
    if judged.better is not None:
        teach = ("<h2>As teachers</h2><table class=plain><tr><th>learned from</th><th>score on the real validation</th></tr>"
                 f"<tr><td>as made</td><td>{judged.made}</td></tr><tr><td>refined</td><td>{judged.refined}</td></tr>"
                 f"<tr><td>difference, paired</td><td>{escape(str(judged.better))}</td></tr></table>")
    beside = [jpeg_url(Image.fromarray(np.concatenate(pair, 1))) for pair in pairs[:_SHOWN]]
    images = "".join(f'<figure><img src="{url}" alt=""></figure>' for url in beside)
    replace_file(out / "report.html", [page("Refinement", [
        f"<h1>Refinement: {escape(verdict)}</h1>",
        (f"<p>A labeller ({judged.task}) that learned from the pictures as made scores <b>{judged.before}</b> against the "
         f"labels on made pictures that {unseen}, and <b>{judged.after}</b> after refinement ({judged.gain}).</p>"),
        teach, "<h2>Course</h2>",
        lines({"told apart": [(p.crops, p.told_apart) for p in points]}, "crops", low=0, high=1),
        lines({"change of 255": [(p.crops, p.change) for p in points]}, "crops", low=0),
        "<h2>Made and refined</h2>", f"<div class=worst>{images}</div>"])])
