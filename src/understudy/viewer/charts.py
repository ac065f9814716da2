"""Small charts as inline SVG: no script, no network, colours from the page's style sheet. All text is escaped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

_W, _H = 300, 110


def histogram(values: Sequence[float], unit: str = "", low: float | None = None, high: float | None = None) -> str:
    """Bars over a number's range, with its least, middle and greatest value written below."""
    array = np.asarray(values, float)
    if not array.size:
        return ""
    low = float(array.min()) if low is None else low
    high = float(array.max()) if high is None else high
    whole = bool((array == np.round(array)).all())
    if whole and high - low <= 40:
        edges = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    else:
        edges = np.linspace(low, high if high > low else low + 1, 31)
    counts, _ = np.histogram(np.clip(array, edges[0], edges[-1]), edges)
    top, step = max(int(counts.max()), 1), _W / len(counts)
    bars = "".join(
        f'<rect x="{k * step + 0.5:.1f}" y="{_H - 86 * n / top:.1f}" width="{max(step - 1, 0.8):.1f}" '
        f'height="{86 * n / top:.1f}"><title>{_number(a)} to {_number(b)}: {n}</title></rect>'
        for k, (n, a, b) in enumerate(zip(counts, edges, edges[1:])) if n)
    axis = (f'<line x1="0" y1="{_H}" x2="{_W}" y2="{_H}"/><text x="0" y="{_H + 14}">{_number(low)}</text>'
            f'<text x="{_W / 2}" y="{_H + 14}" text-anchor="middle">median {_number(float(np.median(array)))}{escape(unit)}'
            f'</text><text x="{_W}" y="{_H + 14}" text-anchor="end">{_number(high)}</text>'
            f'<text x="{_W}" y="10" text-anchor="end">{len(array):,}</text>')
    return f'<svg class="chart" viewBox="0 0 {_W} {_H + 18}" role="img">{bars}{axis}</svg>'


def bars(counts: Mapping[str, int], most: int = 14) -> str:
    """Horizontal bars of the commonest texts; the others are counted together."""
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown, rest = ranked[:most], sum(n for _, n in ranked[most:])
    if rest:
        shown.append((f"{len(ranked) - most} others", rest))
    total, top = max(sum(counts.values()), 1), max((n for _, n in shown), default=1)
    lines = []
    for k, (name, n) in enumerate(shown):
        y = k * 17
        lines.append(f'<text x="112" y="{y + 12}" text-anchor="end">{escape(_cut(name, 18))}'
                     f"<title>{escape(name)}</title></text>"
                     f'<rect x="118" y="{y + 2}" width="{130 * n / top:.1f}" height="12" rx="2"/>'
                     f'<text x="{122 + 130 * n / top:.1f}" y="{y + 12}">{n / total:.1%}</text>')
    return f'<svg class="chart" viewBox="0 0 {_W} {max(len(shown), 1) * 17 + 2}" role="img">{"".join(lines)}</svg>'


def counts_histogram(counts: Mapping[int, int]) -> str:
    """A histogram of whole numbers that are counted already."""
    return histogram(np.repeat(list(counts), _thinned(list(counts.values())))) if counts else ""


def heat_map(grid: np.ndarray) -> str:
    """A map of places: (rows, columns) counts as squares, darkest where there are most."""
    rows, columns = grid.shape
    top, cell = max(float(grid.max()), 1e-9), _W / columns
    squares = "".join(
        f'<rect x="{c * cell:.1f}" y="{r * cell:.1f}" width="{cell + 0.2:.1f}" height="{cell + 0.2:.1f}" '
        f'opacity="{grid[r, c] / top:.2f}"/>' for r in range(rows) for c in range(columns) if grid[r, c] > 0.01 * top)
    return (f'<svg class="chart heat" viewBox="0 0 {_W} {rows * cell:.0f}" role="img">'
            f'<rect class="frame" width="{_W}" height="{rows * cell:.0f}"/>{squares}</svg>')


def stacked(rows: Mapping[str, Counter], parts: Sequence[tuple[int, str]]) -> str:
    """One bar a row, cut into the shares of ``parts`` ((value, CSS class) in order)."""
    lines = []
    for k, (name, counts) in enumerate(rows.items()):
        total, x, y = max(counts.total(), 1), 118.0, k * 15
        lines.append(f'<text x="112" y="{y + 11}" text-anchor="end">{escape(_cut(name, 18))}</text>')
        for value, style in parts:
            width = 176 * counts[value] / total
            lines.append(f'<rect class="{style}" x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="10">'
                         f"<title>{escape(name)}: {counts[value] / total:.1%}</title></rect>")
            x += width
    return f'<svg class="chart" viewBox="0 0 {_W} {len(rows) * 15 + 4}" role="img">{"".join(lines)}</svg>'


def share_bar(wanted: float, got: float, low: float, high: float) -> str:
    """What came (bar), its interval (whisker) and what was wanted (tick), all of 1."""
    scale = 160
    return (f'<svg class="share" viewBox="0 0 {scale} 14" role="img">'
            f'<rect width="{scale * got:.1f}" y="3" height="8" rx="2"/>'
            f'<line class="whisker" x1="{scale * low:.1f}" x2="{scale * high:.1f}" y1="7" y2="7"/>'
            f'<line class="wanted" x1="{scale * wanted:.1f}" x2="{scale * wanted:.1f}" y1="0" y2="14"/></svg>')


def _thinned(times: list[int]) -> list[int]:
    """The counts, scaled down where there are so many that repeating them would cost memory."""
    most = max(sum(times) // 100_000, 1)
    return [max(t // most, int(t > 0)) for t in times]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.3g}"
