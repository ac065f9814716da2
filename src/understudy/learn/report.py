"""The learning reports: one HTML file each that asks the network for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from understudy.learn.drawing import lines, overlaid
from understudy.learn.evals.bootstrap import Figure
from understudy.learn.evals.slices import Slice
from understudy.learn.measure import MAIN, Measured
from understudy.viewer.page import PAGE, SCRIPT, STYLE

if TYPE_CHECKING:
    from understudy.learn.native.loop import Point

_OWN = """
.worst{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:12px}.worst figure{margin:0}
.worst img{width:100%;border-radius:7px;display:block}.worst figcaption{font-size:12px;color:var(--faint)}
.note{border-left:3px solid var(--warn);padding:6px 12px;background:var(--card)}table.plain{width:auto}
table.plain td,table.plain th{padding-right:22px}
"""


def training_report(card: Mapping[str, Any], curve: Sequence[Point]) -> str:
    """What was learned from, and the curves. No score is in it but that of the real validation, which chose."""
    parts = [_head(f"Training: {card['task']} of {', '.join(card['classes'][:6])}", card)]
    if card["broken"]:
        parts.append(f'<p class="note">Stopped early: {escape(card["broken"])}. The last good weights are kept.</p>')
    if card["validated_on"] is None:
        parts.append('<p class="note">No real picture was looked at, so nothing is known yet of how this model does on real '
                     "pictures: <code>understudy evaluate MODEL REAL</code>.</p>")
    else:
        parts.append('<p class="note">The validation chose this checkpoint, so its score flatters. A result is a score on '
                     "other real pictures: <code>understudy evaluate MODEL REAL</code>.</p>")
    parts.append("<h2>Loss on the training pictures</h2>"
                 + lines({"loss": [(p.images, p.loss) for p in curve]}, "pictures shown"))
    real = [(p.images, p.score) for p in curve if p.score is not None]
    if real:
        parts.append(f"<h2>{MAIN[card['task']]} on the real validation</h2>"
                     + lines({f"real, chosen at {card['chosen_at']:,}": real}, "pictures shown"))
    return page("Training", [*parts, _card(card)])


def evaluation_report(measured: Measured, card: Mapping[str, Any]) -> str:
    """Figures with intervals, slices, precision and recall, the worst pictures."""
    parts = [_head(f"{MAIN[measured.task]} on {measured.data}: {measured.main}", card), figures_table(measured.figures)]
    if measured.task == "semantic":
        legend = "Green: right. Red: found wrongly. Blue: missed."
    else:
        legend = "Green: wanted. Red: found, at the score with the best F1."
        parts.append("<h2>Precision over recall (IoU .5)</h2>" + _precision_recall(measured))
    parts += [f"<p class=faint>{escape(m)}</p>" for m in measured.messages]
    if measured.slices:
        parts.append("<h2>Slices</h2><p class=faint>Groups of at least 8; the gap is best less worst, with the interval of "
                     "that difference. A gap whose interval holds 0 is none.</p>" + slices_table(measured.slices))
    parts.append(f"<h2>The worst {len(measured.worst)} pictures</h2><p class=faint>{legend}</p><div class=worst>"
                 + "".join(f'<figure><img src="{overlaid(s)}" alt=""><figcaption>{escape(s.name)}: {abs(s.score):.2f}'
                           "</figcaption></figure>" for s in measured.worst) + "</div>")
    return page("Evaluation", [*parts, _card(card)])


def page(title: str, parts: Sequence[str]) -> str:
    """A whole page of ours."""
    return PAGE.format(title=escape(title), style=STYLE + _OWN, content="\n".join(parts), script=SCRIPT)


def figures_table(figures: Mapping[str, Figure]) -> str:
    rows = "".join(f"<tr><td>{escape(name)}</td><td><b>{f.value:.3f}</b></td><td>{f.low:.3f} to {f.high:.3f}</td>"
                   f"<td>{f.n}</td></tr>" for name, f in figures.items())
    return f"<table class=plain><tr><th></th><th>score</th><th>95 % interval</th><th>pictures</th></tr>{rows}</table>"


def slices_table(slices: Sequence[Slice]) -> str:
    """Every group's figure, then the gap; what differs surely comes first."""
    def surely(s: Slice) -> float:
        return -s.gap.low if s.gap is not None and s.gap.low == s.gap.low else 1.0

    rows = []
    for s in sorted(slices, key=surely):
        groups = "<br>".join(f"{escape(g)}: {f}" for g, f in s.groups.items())
        sure = s.gap is not None and s.gap.low > 0
        gap = "" if s.gap is None else (f'<span class="{"off" if sure else "faint"}">{s.gap}</span><br>'
                                        f"<span class=faint>{escape(s.best)} less {escape(s.worst)}</span>")
        rows.append(f"<tr><td>{escape(s.name)}</td><td>{groups}</td><td>{gap}</td></tr>")
    return f"<table class=plain><tr><th>by</th><th>groups</th><th>gap</th></tr>{''.join(rows)}</table>"


def _precision_recall(measured: Measured) -> str:
    import numpy as np

    series = {}
    for name in measured.table:
        number, _, kind = name.partition(".")
        if kind != "right":
            continue
        right, out = measured.table[name][0], measured.table[f"{number}.left_out"][0]
        wanted = measured.table[f"{number}.wanted"].sum()
        hits, all_ = np.cumsum(right & ~out), np.cumsum(~out)
        kept = np.unique(np.linspace(0, max(len(hits) - 1, 0), 120).astype(int)) if len(hits) else []
        series[f"class {number}"] = [(hits[i] / max(wanted, 1), hits[i] / max(all_[i], 1)) for i in kept]
    return lines(series, "recall", low=0, high=1)


def _head(title: str, card: Mapping[str, Any]) -> str:
    facts = {"pictures shown": f"{card['images']:,}", "CPU-seconds": f"{card['cpu_s']:,.0f}",
             "weights": f"{card['weights']:,}", "seed": card["seed"], "size": f"{card['size']}, {card['side']} px"}
    shown = "".join(f'<div class="fact"><b>{escape(str(v))}</b>{escape(k)}</div>' for k, v in facts.items())
    sets = "; ".join(f"{p['pictures']:,} {'made' if p['made'] else 'real'} of {p['data']} ({p['share']:.0%})"
                     for p in card["trained_on"])
    start = f", started from {card['started_from']}" if card["started_from"] else ""
    return f'<h1>{escape(title)}</h1><p class=faint>learned from {escape(sets + start)}</p><div class="facts">{shown}</div>'


def _card(card: Mapping[str, Any]) -> str:
    return f"<h2>Run</h2><details><summary>run.json</summary><pre>{escape(json.dumps(card, indent=1))}</pre></details>"
