"""A sample's layers for the report: masks as clear pictures, boxes and points as SVG, maps as views, each switchable."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from understudy.record import Instance, Record
from understudy.viewer import draw, palette, skeleton

if TYPE_CHECKING:
    from PIL.Image import Image

LAYERS = {"masks": "masks", "amodal": "whole silhouettes", "boxes": "boxes", "points": "key points", "captions": "captions"}
VIEWS = draw.VIEWS[2:]


def stage(record: Record, width_px: int) -> tuple[str, set[str]]:
    """The sample's picture with all its layers as HTML, and which layers and views it has."""
    from PIL import Image

    w, h = record.picture.size_wh
    shown = min(width_px, w)
    size = (shown, max(1, round(shown * h / w)))
    has: set[str] = set()
    plain = Image.fromarray(record.picture.decode()).resize(size, Image.Resampling.LANCZOS)
    parts = [f'<img src="{_jpeg(plain, 84)}" alt="record {record.index}">']
    for name in VIEWS:
        colours = draw.false_colours(record, name)
        if colours is not None:
            has.add(name)
            image = Image.fromarray(colours).resize(size, Image.Resampling.NEAREST)
            parts.append(f'<img class="view" data-view="{name}" src="{_jpeg(image, 78)}" alt="{name}">')
    masks = _mask_layer(record, size)
    if masks:
        has.add("masks")
        parts.append(f'<img class="layer masks" src="{masks}" alt="">')
    for name, drawing in (("amodal", _amodal(record)), ("boxes", _boxes(record)), ("points", _points(record)),
                          ("captions", _captions(record, shown))):
        if drawing:
            has.add(name)
            parts.append(f'<svg class="layer {name}" viewBox="0 0 {w} {h}" preserveAspectRatio="none">{drawing}</svg>')
    return f'<div class="stage">{"".join(parts)}</div>', has


def _mask_layer(record: Record, size: tuple[int, int]) -> str:
    from PIL import Image

    masked = [i for i in record.instances if i.mask is not None][:254]
    if not masked:
        return ""
    w, h = record.picture.size_wh
    index = np.zeros((h, w), np.uint8)
    for n, instance in enumerate(masked, 1):
        index[instance.mask.decode()] = n
    image = Image.fromarray(index).resize(size, Image.Resampling.NEAREST).convert("P")
    image.putpalette([0, 0, 0, *(c for i in masked for c in palette.colour(i.id))])
    file = io.BytesIO()
    image.save(file, "PNG", transparency=bytes([0] + [85] * len(masked)), optimize=True)
    return _uri(file.getvalue(), "png")


def _amodal(record: Record) -> str:
    lines = []
    for i in record.instances:
        if i.amodal_mask is not None and i.amodal_mask != i.mask:
            lines += [_polyline(line, i, 'stroke-dasharray="5 4"') for line in draw.outlines(i.amodal_mask.decode())]
    return "".join(lines)


def _boxes(record: Record) -> str:
    return "".join(f'<rect x="{x0:g}" y="{y0:g}" width="{x1 - x0:g}" height="{y1 - y0:g}" fill="none" '
                   f'stroke="{_hex(palette.colour(i.id))}" stroke-width="1.6" vector-effect="non-scaling-stroke"/>'
                   for i in record.instances for x0, y0, x1, y1 in [i.xyxy_px])


def _points(record: Record) -> str:
    parts = []
    for i in record.instances:
        x0, y0, x1, y1 = i.xyxy_px
        r = float(np.clip(0.014 * max(x1 - x0, y1 - y0), 1.5, 5.0))
        body = skeleton.body_points(i)
        for a, b, seen, tint in () if body is None else skeleton.bones(body):
            parts.append(f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}" stroke="{_hex(tint)}" '
                         f'stroke-width="{r * (0.8 if seen else 0.35):.1f}"/>')
        for at, seen, of_body, tint in skeleton.dots(i):
            radius = r if of_body else max(0.6, r * 0.32)
            look = f'fill="{_hex(tint)}"' if seen else f'fill="none" stroke="{_hex(tint)}" stroke-width="{radius * 0.4:.1f}"'
            parts.append(f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius:.1f}" {look}/>')
    return "".join(parts)


def _captions(record: Record, shown: int) -> str:
    scale = record.picture.size_wh[0] / shown
    return "".join(f'<text x="{i.xyxy_px[0] + 3 * scale:.1f}" y="{max(i.xyxy_px[1] - 4 * scale, 12 * scale):.1f}" '
                   f'style="font-size:{11 * scale:.1f}px">{escape(draw.caption(record, i))}</text>'
                   for i in record.instances)


def _polyline(line: np.ndarray, instance: Instance, more: str) -> str:
    """An outline with every other point left out where it is long: a report is for the eye."""
    if len(line) > 200:
        line = line[::2]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line)
    return (f'<polyline points="{points}" fill="none" stroke="{_hex(palette.colour(instance.id))}" stroke-width="1.4" '
            f'vector-effect="non-scaling-stroke" {more}/>')


def _jpeg(image: Image, quality: int) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return _uri(file.getvalue(), "jpeg")


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _hex(rgb: palette.Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)
