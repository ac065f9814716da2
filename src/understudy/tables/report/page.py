"""The HTML page of a report: one file that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
:root{--paper:#f6f7f9;--card:#fff;--ink:#15181d;--faint:#69717d;--line:#e2e5ea;--real:#9aa3b0;--made:#3d7dd8;--good:#2e9d5b;
--warn:#d2592b}@media(prefers-color-scheme:dark){:root{--paper:#0f1115;--card:#181b21;--ink:#e8eaed;--faint:#8b929e;
--line:#2a2e36;--real:#6b7280;--made:#5b9bf0;--good:#4cc07c;--warn:#f0875c}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px}h1{font-size:24px;margin:0}h2{font-size:17px;margin:32px 0 8px}
p{max-width:75ch}.faint{color:var(--faint)}.card{background:var(--card);border:1px solid var(--line);border-radius:9px;
padding:12px 14px;overflow-x:auto}.grid{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(250px,1fr))}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}td,th{padding:4px 12px 4px 0;text-align:left}
th{color:var(--faint);font-weight:500;border-bottom:1px solid var(--line)}.good{color:var(--good)}.warn{color:var(--warn);
font-weight:600}svg{width:100%;height:auto;display:block}svg text{fill:var(--faint);font-size:10px}
.real{fill:var(--real)}.made{fill:var(--made)}h3{font-size:12.5px;margin:0 0 6px;overflow-wrap:anywhere}
"""
_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none';style-src 'unsafe-inline'">
<title>{title}</title><style>{style}</style></head><body><main>{content}</main></body></html>
"""


def page(found: Mapping[str, Any], title: str) -> str:
    """The page. All texts of the data are escaped; values of the data are not shown, only shares."""
    parts = [
        _head(found, title),
        _gates(found),
        _ledger(found),
        _fidelity(found),
        _columns(found),
        _associations(found),
        _learners(found),
        _rare(found),
        _groups(found),
        _attacks(found),
        _frontier(found),
    ]
    return _FRAME.format(title=escape(title), style=_STYLE, content="\n".join(p for p in parts if p))


def _head(found: Mapping[str, Any], title: str) -> str:
    rows = found["rows"]
    bad = [name for name, gate in found["gates"].items() if not gate["held"]]
    verdict = (
        f'<p class="warn">Leaks: {escape(", ".join(bad))}.</p>'
        if bad
        else '<p class="good">No attack that was tried got beyond its limit. That is a measurement, not a proof.</p>'
    )
    return (
        f"<h1>{escape(title)}</h1><p class='faint'>{rows['real']:,} real rows behind the model, "
        f"{rows['holdout']:,} held out, "
        f"{rows['made']:,} made. Every figure stands beside what two samples of the real rows reach (the bound) or beside "
        f"the same attack on people who were never in the data (the control).</p>{verdict}"
    )


def _gates(found: Mapping[str, Any]) -> str:
    rows = [
        [
            escape(name),
            f"{g['value']:.4g}",
            f"{g['low']:.3g} to {g['high']:.3g}",
            f"{g['limit']:g}",
            '<span class="good">held</span>' if g["held"] else '<span class="warn">broken</span>',
        ]
        for name, g in found["gates"].items()
    ]
    return "<h2>Limits</h2>" + _table(["what", "figure", "95 % interval", "limit", ""], rows)


def _ledger(found: Mapping[str, Any]) -> str:
    if "ledger" not in found:
        return ""
    own = found["ledger"]
    rows = [
        [escape(look["what"]), escape(look["how"]), f"{look['noise']:.4g}", f"{look['rho'] / own['rho']:.2%}"]
        for look in own["looks"]
    ]
    return (
        f"<h2>Differential privacy</h2><p>Epsilon {own['epsilon']:g}, delta {own['delta']:g}, for "
        f"{escape(own['neighbours'])}. Spent: {own['epsilon spent']:.4f} in closed form, "
        f"{own['epsilon spent, second accountant']:.4f} by adding up losses (cost {own['rho']:.5g}, delta "
        f"{own['delta spent on names']:.2g} on names). This is of the model alone: the figures on this page compare it with "
        "real rows and are not private.</p><details class='card'><summary>"
        f"{len(rows)} looks at the data</summary>"
        + _table(["what was looked at", "how", "noise", "share of the budget"], rows)
        + "</details>"
    )


def _fidelity(found: Mapping[str, Any]) -> str:
    own = found["accuracy"]
    rows = [[f"{w} accuracy", f"{own[w]['made']:.4f}", f"{own[w]['bound']:.4f}"] for w in ("1-way", "2-way", "3-way")]
    apart = found["told apart"]
    rows.append(["told apart by a classifier (0.5: cannot)", _ranged(apart["auc"]), _ranged(apart["bound"])])
    rows.append(
        [
            "mean difference of associations",
            f"{own['association']['mean difference']:.4f}",
            f"{own['association']['bound']:.4f}",
        ]
    )
    worst = "".join(f"<li>{escape(pair)}: {value:.3f}</li>" for pair, value in own["pairs"].items())
    return (
        "<h2>How alike</h2>"
        + _table(["", "made against holdout", "bound: real against holdout"], rows)
        + f'<details class="card"><summary>the ten pairs that differ most</summary><ul>{worst}</ul></details>'
    )


def _ratio(ratio: float | None) -> str:
    return "real rows teach nothing" if ratio is None or ratio != ratio else f"{ratio:.4f}"


def _columns(found: Mapping[str, Any]) -> str:
    own = found["accuracy"]
    cards = []
    for name, (real, made) in own["shares"].items():
        labels = own["labels"][name]
        top = max([*(v / max(sum(real), 1) for v in real), *(v / max(sum(made), 1) for v in made), 1e-9])
        width = 240 / len(real)
        bars = ""
        for i, (r, m) in enumerate(zip(real, made)):
            for value, total, css, shift in ((r, sum(real), "real", 0.0), (m, sum(made), "made", 0.45)):
                share = value / max(total, 1)
                tall = 70 * share / top
                bars += (
                    f'<rect class="{css}" x="{(i + shift) * width:.1f}" y="{74 - tall:.1f}" width="{0.42 * width:.1f}" '
                    f'height="{tall:.1f}"><title>{escape(labels[i])}: {share:.1%}</title></rect>'
                )
        cards.append(
            f'<div class="card"><h3>{escape(name)} <span class="faint">{own["columns"][name]:.3f}</span></h3>'
            f'<svg viewBox="0 0 240 76" role="img">{bars}</svg></div>'
        )
    return (
        '<h2>Column by column</h2><p class="faint">Grey: holdout, blue: made; quantities by tenths of the real rows, names '
        "by "
        f'rank, what is missing last.</p><div class="grid">{"".join(cards)}</div>'
    )


def _associations(found: Mapping[str, Any]) -> str:
    own = found["accuracy"]["association"]
    names = found["columns"]
    if len(names) > 60:
        return ""
    cell = 480 / len(names)

    def heat(grid: Sequence[Sequence[float]], title: str) -> str:
        squares = "".join(
            f'<rect class="made" x="{j * cell:.1f}" y="{i * cell:.1f}" width="{cell:.1f}" height="{cell:.1f}" '
            f'opacity="{value:.2f}"><title>{escape(names[i])} x {escape(names[j])}: {value:.2f}</title></rect>'
            for i, row in enumerate(grid)
            for j, value in enumerate(row)
        )
        return f'<div class="card"><h3>{title}</h3><svg viewBox="0 0 480 480" role="img">{squares}</svg></div>'

    return (
        "<h2>Associations</h2><p class='faint'>Cramer's V of binned columns; the largest difference is "
        f"{own['largest difference']:.3f}.</p><div class='grid' style='grid-template-columns:1fr 1fr'>"
        f"{heat(own['real'], 'holdout')}{heat(own['made'], 'made')}</div>"
    )


def _learners(found: Mapping[str, Any]) -> str:
    rows = [
        [escape(name), f"{s['real']:.4f}", f"{s['made']:.4f}", _ratio(s["ratio"])] for name, s in found["learners"].items()
    ]
    return (
        f"<h2>Train on made, test on real</h2><p class='faint'>Predicting {escape(found['target'])} of "
        f"the holdout: area under "
        "the ROC curve, or R2 of a quantity.</p>" + _table(["learner", "trained on real", "trained on made", "ratio"], rows)
    )


def _rare(found: Mapping[str, Any]) -> str:
    own = found.get("rare")
    if not own:
        return ""
    new = [_ranged(own["novelty"][side]) for side in ("made", "holdout")]
    precision = [f"{own['found'][side]:.3f}" for side in ("with made", "real")]
    rows = [
        ["novelty: farther from every real rare row than half of those are from each other", *new],
        ["average precision on the holdout: with them added; without", *precision],
    ]
    return (
        f"<h2>Rare cases</h2><p class='faint'>{own['rows']['made']} made rows of the target's rarest class, beside "
        f"{own['rows']['real']} real and {own['rows']['holdout']} held out ones. As new as held out rows is as new as rows "
        "can be; less is copying, more is made-up.</p>" + _table(["", "made", "beside it"], rows)
    )


def _groups(found: Mapping[str, Any]) -> str:
    parts = []
    for own in found.get("groups", []):
        if not own:
            continue
        rows = []
        for name, row in own["rows"].items():
            if "note" in row:
                rows.append([escape(name), f"{row['rows']:,}", row["note"], "", "", ""])
                continue
            rows.append(
                [
                    escape(name),
                    f"{row['rows']:,}",
                    *(_ranged(row[s][w]) for w in ("selected", "found") for s in ("real", "made")),
                ]
            )
        gaps = own["gap"]
        rows.append(
            ["largest gap", "", *(f"{gaps[s].get(w, 0):.3f}" for w in ("selected", "found") for s in ("real", "made"))]
        )
        parts.append(
            f"<h3>by {escape(own['group'])}; selected: said to be {escape(str(own['positive']))}</h3>"
            + _table(
                ["group", "rows", "selected, trained on real", "on made", "found of the true, trained on real", "on made"],
                rows,
            )
        )
    parts += [_fairness(own) for own in found.get("fairness", []) if own]
    return "<h2>Groups of people</h2>" + "".join(parts) if parts else ""


def _fairness(own: Mapping[str, Any]) -> str:
    """Rates and gaps by fairlearn, and what balancing did."""
    sources = list(own["by"])
    rates = list(next(iter(own["gap"].values())))
    rows = [
        [escape(name), *(f"{own['by'][s][name][rate]:.3f}" for rate in rates for s in sources)]
        for name in own["by"][sources[0]]
    ]
    rows.append(["largest gap", *(_ranged(own["gap"][s][rate]) for rate in rates for s in sources)])
    told = ", ".join(f"{escape(rate)}: {word}" for rate, word in own["balancing"].items())
    return (
        f"<h3>Fairness by {escape(own['group'])} (fairlearn)</h3><p class='faint'>Learners trained on real rows, on made "
        "rows, and on made rows balanced so that every group has as many of either label "
        f"({own['rows'].get('balanced', 0):,} rows); what balancing did to the gaps: {told or 'it could not be done'}.</p>"
        + _table(["group", *(f"{rate}, {s}" for rate in rates for s in sources)], rows)
    )


def _attacks(found: Mapping[str, Any]) -> str:
    rows = [["membership by nearness (area under the curve)", _ranged(found["attacks"]["membership"]), "0.5"]]
    for name, risk in found["attacks"].items():
        if name != "membership":
            rows.append(
                [
                    escape(name),
                    f"{risk['risk']:.4f} ({risk['low']:.4f} to {risk['high']:.4f})",
                    f"{risk['hits']} of {risk['n']} guesses right; control {risk['control']}",
                ]
            )
    for name, own in found.get("shadow", {}).items():
        rows.append(
            [
                f"shadow refits: {escape(name)}",
                f"{own['auc']:.3f} ({own['low']:.3f} to {own['high']:.3f})",
                f"{own['refits']} refits; {own['found_at_one_percent']:.1%} found at 1 % false alarms",
            ]
        )
    if "canaries" in found:
        own = found["canaries"]
        rows.append(
            ["canaries", f"{own['came out']} came out", f"{own['planted']} rare rows planted in {own['columns']} columns"]
        )
    copies = found["copies"]
    rows.append(["exact copies", f"{copies['exact']:.2%}", f"control {copies['exact_control']:.2%}"])
    rows.append(["near copies (shown, never a limit)", f"{copies['near']:.2%}", f"control {copies['near_control']:.2%}"])
    return (
        "<h2>Attacks</h2><p class='faint'>Risk beyond the control, with 95 % intervals. Shadow refits and the model's own "
        "likelihood assume an attacker who knows the engine.</p>" + _table(["attack", "risk", "beside it"], rows)
    )


def _frontier(found: Mapping[str, Any]) -> str:
    if "frontier" not in found:
        return ""
    levels = found["frontier"]
    ys = [own["2-way"] for own in levels.values()]
    xs = [own["membership"][0] for own in levels.values()]
    low, high = (
        min([*ys, found["accuracy"]["2-way"]["bound"]]) - 0.005,
        max([*ys, found["accuracy"]["2-way"]["bound"]]) + 0.005,
    )
    left, right = min(0.495, *xs) - 0.003, max(0.51, *xs) + 0.003

    def at(x: float, y: float) -> tuple[float, float]:
        return 40 + 440 * (x - left) / (right - left), 200 - 180 * (y - low) / (high - low)

    marks = ""
    for name, own in levels.items():
        x, y = at(own["membership"][0], own["2-way"])
        marks += f'<circle class="made" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
        marks += f'<text x="{x + 8:.1f}" y="{y + 4:.1f}">{escape(name)}</text>'
    bound = at(left, found["accuracy"]["2-way"]["bound"])[1]
    marks += (
        f'<rect class="real" x="40" y="{bound:.1f}" width="440" height="1"/><text x="44" y="{bound - 4:.1f}">bound</text>'
        '<text x="480" y="216" text-anchor="end">membership attack, area under the curve</text>'
        '<text x="4" y="12">2-way accuracy</text>'
    )
    rows = [[name, f"{own['2-way']:.4f}", f"{own['3-way']:.4f}", _ranged(own["membership"])] for name, own in levels.items()]
    return (
        "<h2>The frontier</h2><p class='faint'>What each level of privacy keeps and gives away, "
        "measured on the held-out half."
        f"</p><div class='card'><svg viewBox='0 0 500 220' role='img'>{marks}</svg></div>"
        + _table(["level", "2-way", "3-way", "membership"], rows)
    )


def _ranged(own: Sequence[float]) -> str:
    return f"{own[0]:.4f} ({own[1]:.3f} to {own[2]:.3f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{h}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f'<div class="card"><table><tr>{head}</tr>{body}</table></div>'
