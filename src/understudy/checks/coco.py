"""Rules on COCO files as they stand on disk, before any reader has tidied them up."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from understudy.checks.files import PictureCheck, name_of
from understudy.checks.finding import Finding, Tolerance


def coco_files(path: Path) -> list[Path]:
    """The COCO annotation files of ``path``: itself, or those in it and in folders called annotations below it."""
    if path.is_file():
        return [path] if path.suffix == ".json" else []
    named = [*path.glob("annotations/**/*.json"), *path.glob("*/_annotations.coco.json")]
    return sorted({p for p in [*path.glob("*.json"), *named] if looks_like_coco(p)} | {p for p in named if is_cut_short(p)})


def looks_like_coco(path: Path) -> bool:
    """Does the file begin as a COCO object does? Reads no more than its first and last kilobytes."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            file.seek(max(0, path.stat().st_size - 65536))
            text = head + file.read()
    except OSError:
        return False
    names = (b'"images"', b'"annotations"', b'"categories"')
    return head.lstrip()[:1] == b"{" and sum(name in text for name in names) >= 2


def is_cut_short(path: Path) -> bool:
    """Does the file end before its JSON does, as after a full disk or a broken copy?"""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            return file.read().rstrip()[-1:] not in (b"}", b"]")
    except OSError:
        return False


def audit_coco(file: Path, root: Path, pictures: PictureCheck, tolerance: Tolerance, counts: Counter) -> Iterator[Finding]:
    """Findings about one annotation file; ``counts`` gains what was looked at."""
    where = name_of(file, root)
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        yield Finding("json", where, "the file is no JSON", got=str(error))
        return
    tables = [data.get(name) if isinstance(data, dict) else None for name in ("images", "annotations", "categories")]
    if not all(isinstance(t, list) and all(isinstance(row, dict) for row in t) for t in tables):
        yield Finding("json", where, "the file lacks COCO's tables", "lists images, annotations, categories")
        return
    images, annotations, categories = tables
    counts["annotation files"] += 1
    yield from _categories(categories, where)
    yield from _ids(images, "image", where)
    yield from _ids(annotations, "annotation", where)
    sizes = {}
    for image in images:
        at = f"{where}, image {image.get('id')}"
        path = picture_path(image.get("file_name"), file, root)
        sizes[_key(image.get("id"))] = None
        if path is None:
            yield Finding("picture-missing", at, "the entry names no file", "file_name", repr(image.get("file_name")))
            continue
        yield from pictures.look(path)
        listed = (image.get("width"), image.get("height"))
        actual = pictures.size(path)
        if actual is not None and listed != actual:
            yield Finding("picture-size", at, "width and height are not the file's", f"{actual[0]} {actual[1]}",
                          f"{listed[0]} {listed[1]}")
        sizes[_key(image.get("id"))] = actual or listed
    known = {_key(c.get("id")): c for c in categories}
    twice: Counter = Counter()
    for annotation in annotations:
        counts["annotations"] += 1
        at = f"{where}, annotation {annotation.get('id')}"
        yield from _annotation(annotation, at, sizes, known, tolerance, counts)
        key = (_key(annotation.get("image_id")), _key(annotation.get("category_id")), json.dumps(annotation.get("bbox")))
        twice[key] += 1
        if twice[key] == 2:
            yield Finding("annotation-twice", at, "the same box of the same category is there twice", severity="warning",
                          got=key[2])


def picture_path(file_name: Any, file: Path, root: Path) -> Path | None:
    """Where an entry's picture lies: beside the annotations, or in a folder that data sets keep pictures in.

    None if ``file_name`` is no name; the likeliest path if the file is nowhere.
    """
    if not isinstance(file_name, str) or not file_name or "\0" in file_name:
        return None
    stem = file.stem.split("_")[-1]
    base = root if root.is_dir() else root.parent
    homes = [base, base / "images", base / stem, base / "images" / stem, file.parent, file.parent / "images",
             file.parent.parent, file.parent.parent / "images"]
    for home in homes:
        try:
            if (home / file_name).is_file():
                return home / file_name
        except OSError:  # a name that is too long for the file system
            return None
    return base / file_name


def _categories(categories: list[dict], where: str) -> Iterator[Finding]:
    yield from _ids(categories, "category", where)
    for name, n in Counter(str(c.get("name")) for c in categories).items():
        if n > 1:
            yield Finding("category", where, f"{n} categories are called {name}")
    for c in categories:
        if not isinstance(c.get("name"), str) or not c["name"]:
            yield Finding("category", where, f"category {c.get('id')} has no name")
        points = c.get("keypoints", [])
        if not isinstance(points, list) or not all(isinstance(p, str) for p in points) or len(set(points)) < len(points):
            yield Finding("keypoints", where, f"category {c.get('id')} does not name its key points", "different names",
                          repr(points)[:80])
    if not categories:
        yield Finding("category", where, "no category is listed")


def _ids(rows: list[dict], what: str, where: str) -> Iterator[Finding]:
    seen: set = set()
    for row in rows:
        number = row.get("id")
        if not isinstance(number, int) or isinstance(number, bool):
            if not (what == "image" and isinstance(number, str)):
                yield Finding("ids", where, f"an id of {what} is no whole number", got=repr(number))
        elif number < (0 if what == "image" else 1):
            yield Finding("ids", where, f"{what} id {number}: many readers take it for the background", "1 or more", number,
                          "warning" if number == 0 else "error")
        if isinstance(number, int | str):
            if number in seen:
                yield Finding("ids", where, f"{what} id {number} is there twice", "unique ids")
            seen.add(number)


def _annotation(a: dict, at: str, sizes: dict, categories: dict, tolerance: Tolerance, counts: Counter) -> Iterator[Finding]:
    if _key(a.get("image_id")) not in sizes:
        yield Finding("dangling", at, "image_id points at no image", got=repr(a.get("image_id")))
    if _key(a.get("category_id")) not in categories:
        yield Finding("dangling", at, "category_id points at no category", got=repr(a.get("category_id")))
    size = sizes.get(_key(a.get("image_id")))
    if size is not None and not all(_number(s) for s in size):
        size = None
    box = a.get("bbox")
    fine = isinstance(box, list) and len(box) == 4 and all(_number(v) for v in box)
    if box is not None and not fine:
        yield Finding("bbox", at, "bbox is no list of four finite numbers", "x y width height", repr(box)[:80])
    elif fine:
        counts["boxes"] += 1
        x, y, w, h = box
        if w <= 0 or h <= 0:
            yield Finding("bbox", at, "the box has no area", "width and height above 0", f"{w:g} x {h:g}")
        elif size and (min(x, y) < -1 or x + w > size[0] + 1 or y + h > size[1] + 1):
            yield Finding("bbox", at, "the box leaves the picture", f"inside {size[0]} x {size[1]}",
                          f"{x:g} {y:g} {x + w:g} {y + h:g}")
    if a.get("iscrowd", 0) not in (0, 1):
        yield Finding("annotation", at, "iscrowd is 0 or 1", got=repr(a.get("iscrowd")))
    if "area" in a and (not _number(a["area"]) or a["area"] <= 0):
        yield Finding("area", at, "the area is not above 0", got=repr(a["area"]))
    if a.get("segmentation"):
        counts["masks"] += 1
        yield from _segmentation(a, at, size, tolerance, box if fine else None)
    if a.get("keypoints") is not None:
        counts["point sets"] += 1
        yield from _keypoints(a, at, size, categories.get(_key(a.get("category_id")), {}))


def _segmentation(a: dict, at: str, size, tolerance: Tolerance, box) -> Iterator[Finding]:
    import numpy as np
    from pycocotools import mask as coco

    s = a["segmentation"]
    if isinstance(s, list):
        if not all(isinstance(p, list) and len(p) >= 6 and len(p) % 2 == 0 and all(_number(v) for v in p) for p in s):
            yield Finding("segmentation", at, "a polygon is not a list of at least three points",
                          "x y pairs, finite numbers")
            return
        points = np.concatenate([np.reshape(p, (-1, 2)) for p in s])
        if size:
            off = max(-points.min(), (points - size).max())
            if off > 1:
                yield Finding("segmentation", at, "a polygon leaves the picture", f"inside {size[0]} x {size[1]}",
                              f"{off:.4g} pixels outside")
        tight = (*points.min(0), *points.max(0))
        area = sum(abs(_shoelace(np.reshape(p, (-1, 2)))) for p in s)
    elif isinstance(s, dict) and isinstance(s.get("size"), list) and len(s["size"]) == 2 and "counts" in s:
        h, w = s["size"]
        if size and (w, h) != tuple(size):
            yield Finding("segmentation", at, "the run-length code has another size than the picture",
                          f"{size[1]} {size[0]}", f"{h} {w}")
            return
        if isinstance(s["counts"], list):
            if not all(isinstance(n, int) and n >= 0 for n in s["counts"]) or sum(s["counts"]) != h * w:
                yield Finding("segmentation", at, "the run lengths do not add up to the picture", h * w)
                return
            code = coco.frPyObjects(s, h, w)
        else:
            code = {"size": [h, w], "counts": str(s["counts"]).encode()}
            if not rle_is_whole(code["counts"], h * w):
                yield Finding("segmentation", at, "the run lengths do not add up to the picture", str(h * w))
                return
        area = int(coco.area(code))
        x, y, bw, bh = coco.toBbox(code)
        tight = (x, y, x + bw, y + bh)
    else:
        yield Finding("segmentation", at, "neither polygons nor a run-length code", got=type(s).__name__)
        return
    if area <= 0:
        yield Finding("segmentation", at, "the segmentation has no area")
        return
    if box is not None and box[2] > 0 and box[3] > 0:
        given = (box[0], box[1], box[0] + box[2], box[1] + box[3])
        off = float(np.abs(np.subtract(given, tight)).max())
        if off > max(tolerance.box_px, 0.02):
            yield Finding("bbox-segmentation", at, "bbox and segmentation differ", " ".join(f"{v:g}" for v in tight),
                          " ".join(f"{v:g}" for v in given))
    slack = max(tolerance.area * area, 0.5)
    if _number(a.get("area")) and a["area"] > 0 and abs(area - a["area"]) > slack:
        yield Finding("area", at, "the area is not the segmentation's", f"{area:g}", f"{a['area']:g}")


def rle_is_whole(counts: bytes, pixels: int) -> bool:
    """Do COCO's compressed run lengths decode, with a sum of ``pixels``?

    Five bits a character from 48 on, a sixth says that more follow; from the third run on, differences to the run two
    before (pycocotools, maskApi.c, rleFrString). Checked here because the C code trusts its input.
    """
    runs: list[int] = []
    at = 0
    while at < len(counts):
        value, shift, more = 0, 0, True
        while more:
            if at >= len(counts):
                return False
            bits = counts[at] - 48
            if not 0 <= bits < 64:
                return False
            value |= (bits & 31) << shift
            more, at, shift = bool(bits & 32), at + 1, shift + 5
            if not more and bits & 16:
                value |= -1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        if runs[-1] < 0:
            return False
    return sum(runs) == pixels


def _keypoints(a: dict, at: str, size, category: dict) -> Iterator[Finding]:
    k = a["keypoints"]
    if not isinstance(k, list) or len(k) % 3 or not all(_number(v) for v in k):
        yield Finding("keypoints", at, "keypoints are no triples of finite numbers", "x y v ...")
        return
    named = category.get("keypoints")
    if isinstance(named, list) and len(named) * 3 != len(k):
        yield Finding("keypoints", at, "keypoints and the category's names differ in number", str(len(named)),
                      str(len(k) // 3))
    if any(v not in (0, 1, 2) for v in k[2::3]):
        yield Finding("keypoints", at, "visibility is 0, 1 or 2")
    labelled = sum(v > 0 for v in k[2::3])
    if "num_keypoints" in a and a["num_keypoints"] != labelled:
        yield Finding("keypoints", at, "num_keypoints is not the number of labelled points", str(labelled),
                      repr(a["num_keypoints"]))
    if size:
        outside = sum(v > 0 and not (-1 <= x <= size[0] + 1 and -1 <= y <= size[1] + 1)
                      for x, y, v in zip(k[::3], k[1::3], k[2::3]))
        if outside:
            yield Finding("keypoints", at, "labelled points lie outside the picture", "0", str(outside))


def _shoelace(points) -> float:
    import numpy as np

    x, y = points.T
    return 0.5 * float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))


def _key(v: object) -> int | str | None:
    """An id that can be looked up; None for what is none (a list, a float)."""
    return v if isinstance(v, int | str) and not isinstance(v, bool) else None


def _number(v: object) -> bool:
    return isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
