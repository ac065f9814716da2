"""Drawing a record's labels on its picture. Pure functions: a :class:`~understudy.record.Record` in, pixels out.

Everything is drawn at twice the size wanted and scaled down, so that lines are smooth without a drawing library. The
font is the one that Pillow carries; no system font is needed.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from understudy.record import Instance, Record
from understudy.viewer import palette, skeleton

if TYPE_CHECKING:
    from PIL.Image import Image

LAYERS = ("masks", "amodal", "boxes", "points", "captions")
VIEWS = ("picture", "labels", "instances", "semantic", "parts", "depth", "normals", "densepose")
_FINE = 2  # pixels drawn for each pixel given back


def view(record: Record, name: str, width_px: int, layers: Collection[str] = LAYERS) -> Image | None:
    """One view of the record, ``width_px`` wide with the picture's aspect: RGB. None if the record does not hold it.

    ``picture`` is the picture alone, ``labels`` the picture with ``layers`` drawn on, the others are false colours of a
    whole-picture map (of the masks, where the map itself is not held).
    """
    from PIL import Image

    if name == "picture":
        return _scaled(Image.fromarray(record.picture.decode()), _height(record, width_px, 1))
    if name == "labels":
        return annotate(record, width_px, layers)
    colours = false_colours(record, name)
    if colours is None:
        return None
    return _scaled(Image.fromarray(colours), _height(record, width_px, 1))


def annotate(record: Record, width_px: int, layers: Collection[str] = LAYERS) -> Image:
    """The picture with its labels drawn on, ``width_px`` wide: RGB."""
    from PIL import Image, ImageDraw

    size = _height(record, width_px, _FINE)
    scale = size[0] / record.picture.size_wh[0]
    canvas = _scaled(Image.fromarray(record.picture.decode()), size)
    instances = sorted(record.instances, key=lambda i: i.area_px or _box_area(i), reverse=True)
    if "masks" in layers:
        canvas = _lay_masks(canvas, instances, size)
    pen = ImageDraw.Draw(canvas)
    for instance in instances:
        tint = palette.colour(instance.id)
        if "masks" in layers and instance.mask is not None:
            for line in outlines(instance.mask.decode()):
                pen.line(_path(line * scale), fill=tint, width=_FINE, joint="curve")
        if "amodal" in layers and instance.amodal_mask is not None and instance.amodal_mask != instance.mask:
            for line in outlines(instance.amodal_mask.decode()):
                for dash in dashes(line * scale, 5.0 * _FINE, 4.0 * _FINE):
                    pen.line(_path(dash), fill=tint, width=_FINE)
        if "boxes" in layers:
            x0, y0, x1, y1 = (v * scale for v in instance.xyxy_px)
            pen.rectangle((x0, y0, max(x0, x1 - 1), max(y0, y1 - 1)), outline=tint, width=_FINE)
    if "points" in layers:
        for instance in instances:
            _draw_points(pen, instance, scale)
    if "captions" in layers:
        taken: list[tuple[float, float, float, float]] = []
        for instance in instances:
            _draw_caption(pen, record, instance, scale, size, taken)
    return canvas.resize((size[0] // _FINE, size[1] // _FINE), Image.Resampling.BOX)


def false_colours(record: Record, name: str) -> np.ndarray | None:
    """A whole-picture label as colours: (h, w, 3) uint8, or None if the record does not hold it."""
    w, h = record.picture.size_wh
    if name == "densepose":
        return _densepose_colours(record) if any(i.densepose is not None for i in record.instances) else None
    array = record.maps.get(name)
    if name == "instances" and array is None and any(i.mask is not None for i in record.instances):
        array = np.zeros((h, w), np.int64)
        for instance in record.instances:
            if instance.mask is not None:
                array[instance.mask.decode()] = instance.id
    if array is None:
        return None
    if name == "depth":
        return depth_colours(array)
    if name == "normals":
        return normal_colours(array)
    ids, where = np.unique(array, return_inverse=True)
    return np.array([palette.colour(int(i)) for i in ids], np.uint8)[where.reshape(array.shape)]


def depth_colours(depth_m: np.ndarray) -> np.ndarray:
    """(h, w) metres -> (h, w, 3) uint8: near is red, far is blue, nothing is dark. Spread over inverse depth, which is
    what the eye expects of a scene."""
    import cv2

    known = np.isfinite(depth_m) & (depth_m > 0)
    colours = np.full((*depth_m.shape, 3), palette.NOTHING, np.uint8)
    if not known.any():
        return colours
    near = 1.0 / depth_m[known]
    low, high = np.percentile(near, (1, 99))
    level = np.clip((near - low) / max(high - low, 1e-9), 0, 1)
    turbo = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1]
    colours[known] = turbo[(20 + level * 220).astype(np.uint8)]
    return colours


def normal_colours(normal: np.ndarray) -> np.ndarray:
    """(h, w, 3) unit vectors in the camera's frame -> (h, w, 3) uint8, the usual look: right red, up green, to us blue."""
    known = np.any(normal != 0, axis=-1)
    colours = np.full(normal.shape, palette.NOTHING, np.uint8)
    shown = (normal[known] * np.array([1.0, -1.0, -1.0]) + 1.0) * 127.5
    colours[known] = np.clip(shown, 0, 255).astype(np.uint8)
    return colours


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Closed outlines of a (h, w) bool mask, holes included: each (k, 2) float pixels (x, y), on pixel centres."""
    import cv2

    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [np.vstack([line[:, 0], line[:1, 0]]).astype(float) + 0.5 for line in found]


def dashes(line: np.ndarray, on: float, off: float) -> list[np.ndarray]:
    """A polyline (k, 2) cut into dashes ``on`` long with gaps of ``off``, each again a polyline."""
    steps = np.hypot(*np.diff(line, axis=0).T) if len(line) > 1 else np.zeros(0)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    if along[-1] <= on:
        return [line]
    pieces = []
    for start in np.arange(0.0, along[-1], on + off):
        end = min(start + on, along[-1])
        at = np.concatenate([[start], along[(along > start) & (along < end)], [end]])
        pieces.append(np.column_stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])]))
    return pieces


def caption(record: Record, instance: Instance, limit: int = 3) -> str:
    """A short line on an instance: its category (where there is more than one), its first attributes, how much is seen."""
    parts = [record.categories[instance.category_id - 1]] if len(record.categories) > 1 or not instance.attributes else []
    parts += [_short(name, value) for name, value in list(instance.attributes.items())[:limit]]
    if instance.visible_fraction is not None and instance.visible_fraction < 0.995:
        parts.append(f"{instance.visible_fraction:.0%} seen")
    return " · ".join(parts)


def font(size_px: float):
    """Pillow's own scalable font."""
    from PIL import ImageFont

    return ImageFont.load_default(size_px)


def fit_text(text: str, face, width_px: float) -> str:
    """``text``, cut with an ellipsis where it is wider than ``width_px``."""
    if face.getlength(text) <= width_px:
        return text
    while text and face.getlength(text + "…") > width_px:
        text = text[:-1]
    return text.rstrip(" ·") + "…"


def _short(name: str, value: object) -> str:
    name = name.removesuffix("_m").replace("_", " ")
    if isinstance(value, bool):
        return name if value else f"no {name}"
    if isinstance(value, float):
        return f"{name} {value:.3g}"
    return str(value).replace("_", " ") if isinstance(value, str) else f"{name} {value}"


def _lay_masks(canvas: Image, instances: list[Instance], size: tuple[int, int]) -> Image:
    from PIL import Image

    pixels = np.asarray(canvas).copy()
    for instance in instances:
        if instance.mask is None:
            continue
        seen = np.asarray(Image.fromarray(instance.mask.decode()).resize(size, Image.Resampling.NEAREST))
        tint = np.array(palette.colour(instance.id), np.float32)
        pixels[seen] = (pixels[seen] * 0.7 + tint * 0.3).astype(np.uint8)
    return Image.fromarray(pixels)


def _draw_points(pen, instance: Instance, scale: float) -> None:
    """Bones as lines (thin where an end is hidden), points filled where seen and hollow where hidden."""
    x0, y0, x1, y1 = (v * scale for v in instance.xyxy_px)
    body = float(np.clip(0.016 * max(x1 - x0, y1 - y0), 1.2 * _FINE, 3.2 * _FINE))
    points = skeleton.body_points(instance)
    for a, b, seen, tint in () if points is None else skeleton.bones(points):
        ends = _path(np.array([a, b]) * scale)
        pen.line(ends, fill=(0, 0, 0), width=max(2, round(body * 1.1)) if seen else 1)
        pen.line(ends, fill=tint, width=max(1, round(body * 0.75)) if seen else 1)
    # 116 points of face, hands and feet on a small figure are a blot: they are drawn where there is room between them
    fine = max(x1 - x0, y1 - y0) >= 230 * _FINE
    for at, seen, of_body, tint in skeleton.dots(instance):
        if not of_body and points is not None and not fine:
            continue
        x, y = at * scale
        r = body if of_body else max(0.55 * _FINE, body * 0.3)
        if not seen:
            pen.ellipse((x - r, y - r, x + r, y + r), outline=tint, width=max(1, round(r * 0.4)))
            continue
        if of_body:
            pen.ellipse((x - r - 1, y - r - 1, x + r + 1, y + r + 1), fill=(0, 0, 0))
        pen.ellipse((x - r, y - r, x + r, y + r), fill=tint)


def _draw_caption(pen, record: Record, instance: Instance, scale: float, size: tuple[int, int],
                  taken: list[tuple[float, float, float, float]]) -> None:
    """A tag above the box, or else below it or inside its foot; left out where other tags have taken all three."""
    face = font(9 * _FINE)
    x0, y0, x1, y1 = (v * scale for v in instance.xyxy_px)
    room = min(size[0] - 4 * _FINE, max(x1 - x0, size[0] * 0.34))
    text = caption(record, instance)
    while " · " in text and face.getlength(text) > room - 6 * _FINE:  # whole facts only, as many as fit
        text = text.rpartition(" · ")[0]
    text = fit_text(text, face, room - 6 * _FINE)
    width, height = face.getlength(text) + 6 * _FINE, 12 * _FINE
    left = float(np.clip(x0, 0, max(0.0, size[0] - width)))
    for top in (y0 - height, y1, y1 - height):
        place = (left, top, left + width, top + height)
        free = all(place[0] >= t[2] or place[2] <= t[0] or place[1] >= t[3] or place[3] <= t[1] for t in taken)
        if free and top >= 0 and top + height <= size[1]:
            taken.append(place)
            pen.rectangle(place, fill=tuple(c * 9 // 20 for c in palette.colour(instance.id)))
            pen.text((left + 3 * _FINE, top + height / 2), text, fill=(255, 255, 255), font=face, anchor="lm")
            return


def _densepose_colours(record: Record) -> np.ndarray:
    w, h = record.picture.size_wh
    colours = np.full((h, w, 3), palette.NOTHING, np.uint8)
    charts = palette.table(25).astype(np.float32)
    for instance in record.instances:
        if instance.densepose is None:
            continue
        x0, y0, x1, y1 = instance.densepose.xyxy_px
        iuv = instance.densepose.iuv
        on = iuv[..., 0] > 0
        shade = 0.45 + 0.55 * (0.5 * iuv[..., 1:2] + 0.5 * iuv[..., 2:3]) / 255.0
        window = colours[y0:y1, x0:x1]
        window[on] = (charts[np.minimum(iuv[..., 0], 24)] * shade)[on].astype(np.uint8)
    return colours


def _height(record: Record, width_px: int, times: int) -> tuple[int, int]:
    w, h = record.picture.size_wh
    return width_px * times, max(1, round(width_px * h / w)) * times


def _scaled(image: Image, size: tuple[int, int]) -> Image:
    from PIL import Image

    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _path(line: np.ndarray) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in line]


def _box_area(instance: Instance) -> float:
    x0, y0, x1, y1 = instance.xyxy_px
    return (x1 - x0) * (y1 - y0)
