"""Pictures and lines for the learning reports: answers drawn on a picture, curves as inline SVG. All text is escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from understudy.learn.mask_folder import UNLABELLED
from understudy.learn.measure import Shown

_W, _H = 560, 220
_COLOURS = ("var(--bar)", "var(--warn)", "var(--good)", "#9b6bd3", "#c9a227", "#4fb3bf")


def overlaid(shown: Shown, width_px: int = 300) -> str:
    """The picture as a data URL: found wrongly in red, missed in blue, right in green (boxes: wanted green, found red)."""
    from PIL import Image, ImageDraw

    picture = Image.open(io.BytesIO(shown.image)).convert("RGB")
    scale = width_px / picture.width
    size = (width_px, max(round(picture.height * scale), 1))
    small = picture.resize(size, Image.Resampling.LANCZOS)
    if shown.truth.ndim == 2 and shown.truth.shape[1:] != (4,):
        canvas = np.asarray(small, float)
        truth, found = (np.asarray(Image.fromarray(a).resize(size, Image.Resampling.NEAREST))
                        for a in (shown.truth, shown.found))
        counted = truth != UNLABELLED
        for area, colour in ((counted & (found > 0) & (truth != found), (230, 40, 40)),
                             (counted & (truth > 0) & (found == 0), (40, 110, 255)),
                             (counted & (truth > 0) & (truth == found), (60, 200, 110))):
            canvas[area] = 0.6 * canvas[area] + 0.4 * np.array(colour, float)
        small = Image.fromarray(canvas.astype(np.uint8))
    else:
        pen = ImageDraw.Draw(small)
        for boxes, colour in ((shown.truth, (60, 220, 120)), (shown.found, (240, 60, 60))):
            for x0, y0, x1, y1 in _corners(boxes) * scale:
                pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=colour, width=2)
    return jpeg_url(small)


def jpeg_url(image) -> str:
    """A PIL image as a data URL for a page."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=84)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _corners(boxes: np.ndarray) -> np.ndarray:
    """COCO's xywh -> xyxy."""
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    return np.column_stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])


def lines(series: Mapping[str, Sequence[tuple[float, float]]], x_name: str, *, low: float | None = None,
          high: float | None = None, bands: Mapping[str, Sequence[tuple[float, float, float]]] | None = None) -> str:
    """Lines of (x, y) as SVG, each with its name; ``bands``: (x, low, high) of a line's interval. "" without a point."""
    points = [p for line in series.values() for p in line]
    if not points:
        return ""
    reach = [v for band in (bands or {}).values() for _, *v2 in band for v in v2]
    xs, ys = [p[0] for p in points], [p[1] for p in points] + reach
    low, high = min(ys) if low is None else low, max(ys) if high is None else high
    left, right = min(xs), max(xs)
    high = high if high > low else low + 1
    right = right if right > left else left + 1

    def at(x: float, y: float) -> str:
        return f"{40 + (_W - 50) * (x - left) / (right - left):.1f},{_H - 10 - (_H - 30) * (y - low) / (high - low):.1f}"

    parts = []
    for k, (name, line) in enumerate(series.items()):
        colour = _COLOURS[k % len(_COLOURS)]
        band = (bands or {}).get(name, ())
        if band:
            ring = [at(x, lo) for x, lo, _ in band] + [at(x, hi) for x, _, hi in reversed(band)]
            parts.append(f'<polygon points="{" ".join(ring)}" style="fill:{colour};opacity:.15"/>')
        parts.append(f'<polyline points="{" ".join(at(*p) for p in line)}" '
                     f'style="fill:none;stroke:{colour};stroke-width:2"/>')
        parts += [f'<circle cx="{at(*p).partition(",")[0]}" cy="{at(*p).partition(",")[2]}" r="2.5" style="fill:{colour}">'
                  f"<title>{p[0]:,.6g}: {p[1]:.4g}</title></circle>" for p in line[:200]]
        parts.append(f'<text x="{44 + 150 * (k % 3)}" y="{12 + 13 * (k // 3)}" style="fill:{colour}">{escape(name)}</text>')
    axis = (f'<line x1="40" y1="{_H - 10}" x2="{_W}" y2="{_H - 10}"/><text x="40" y="{_H + 4}">{left:,.6g}</text>'
            f'<text x="{_W}" y="{_H + 4}" text-anchor="end">{right:,.6g} {escape(x_name)}</text>'
            f'<text x="36" y="{_H - 8}" text-anchor="end">{low:.3g}</text>'
            f'<text x="36" y="28" text-anchor="end">{high:.3g}</text>')
    return f'<svg class="chart" viewBox="0 0 {_W} {_H + 8}" role="img">{axis}{"".join(parts)}</svg>'
