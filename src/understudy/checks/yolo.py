"""Rules on YOLO folders as they stand on disk: label files of normalised lines beside pictures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from understudy.checks.files import PICTURES, PictureCheck, files_below, name_of, pictures_in
from understudy.checks.finding import Finding

_CONFIGS = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_NOT_LABELS = frozenset({"classes.txt", "train.txt", "val.txt", "test.txt", "readme.txt", "requirements.txt", "obj.names"})


def looks_like_yolo(path: Path) -> bool:
    """A folder with pictures and text files that share their stems."""
    return path.is_dir() and bool(label_folders(path))


def label_folders(root: Path) -> list[Path]:
    """Folders below ``root`` (labels, or whatever they are called) whose text files are named like pictures."""
    files = files_below(root)
    stems = {p.stem for p in files if p.suffix.lower() in PICTURES}
    return sorted({p.parent for p in files
                   if p.suffix == ".txt" and p.stem in stems and p.name.lower() not in _NOT_LABELS})


def audit_yolo(root: Path, pictures: PictureCheck, counts: Counter) -> Iterator[Finding]:
    """Findings about a folder; ``counts`` gains what was looked at."""
    config, problems = _config(root)
    yield from problems
    names = _names(config.get("names"))
    shape = config.get("kpt_shape")
    points = tuple(shape) if isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) for n in shape) else None
    if config and names is None:
        yield Finding("category", "data.yaml", "names lists no categories", "a list or a mapping from 0")
    if names is not None and "nc" in config and config["nc"] != len(names):
        yield Finding("category", "data.yaml", "nc is not the number of names", str(len(names)), repr(config["nc"]))
    shown = pictures_in(root)
    for path in shown:
        counts["pictures"] += 1
        yield from pictures.look(path)
    stems: dict[str, list[Path]] = {}
    for path in shown:
        stems.setdefault(path.stem, []).append(path)
    folders = label_folders(root)
    labelled: set[str] = set()
    for folder in folders:
        for file in sorted(folder.glob("*.txt")):
            if file.name.lower() in _NOT_LABELS:
                continue
            counts["label files"] += 1
            if file.stem not in stems:
                yield Finding("label-orphan", name_of(file, root), "labels without a picture")
            labelled.add(file.stem)
            yield from _label_file(file, name_of(file, root), names, points, counts)
    bare = sorted(set(stems) - labelled)
    if bare and folders:
        yield Finding("label-missing", name_of(stems[bare[0]][0], root), f"{len(bare)} pictures have no label file "
                      "(trainers take them for background)", severity="warning")
    yield from _boxes_against_polygons(root, folders, pictures, stems)


def _label_file(file: Path, where: str, names, points, counts: Counter) -> Iterator[Finding]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        yield Finding("label-line", where, "the label file cannot be read", got=str(error))
        return
    seen: Counter = Counter()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        at = f"{where}:{number}"
        counts["annotations"] += 1
        seen[line.strip()] += 1
        if seen[line.strip()] == 2:
            yield Finding("annotation-twice", at, "the same line is there twice", severity="warning")
        values = _numbers(line)
        if values is None:
            yield Finding("label-line", at, "the line is no list of finite numbers", "class then coordinates", line[:60])
            continue
        kind = line_kind(len(values), points)
        if kind is None:
            yield Finding("label-line", at, "the line has neither a box's 5 numbers nor a polygon's odd number",
                          "5, or 7 and more" if points is None else str(5 + math.prod(points)), str(len(values)))
            continue
        yield from _line(values, kind, at, names, points)


def line_kind(n: int, points: tuple[int, ...] | None) -> str | None:
    """What a line of ``n`` numbers is: ``box``, ``pose``, ``polygon`` or nothing."""
    if points is not None:
        return "pose" if n == 5 + math.prod(points) else None
    return "box" if n == 5 else "polygon" if n >= 7 and n % 2 == 1 else None


def _line(values: list[float], kind: str, at: str, names, points) -> Iterator[Finding]:
    number, *rest = values
    if number != int(number) or number < 0 or (names is not None and int(number) not in names):
        yield Finding("dangling", at, "the class is not listed", "a number of data.yaml's names", f"{number:g}")
    if kind == "polygon":
        xs, ys = rest[::2], rest[1::2]
        if min(rest) < -1e-3 or max(rest) > 1 + 1e-3:
            yield Finding("segmentation", at, "a polygon leaves the picture", "coordinates from 0 to 1",
                          f"{min(rest):g} to {max(rest):g}")
        area = abs(sum(x0 * y1 - x1 * y0 for x0, y0, x1, y1 in zip(xs, ys, xs[1:] + xs[:1], ys[1:] + ys[:1]))) / 2
        if area <= 0:
            yield Finding("segmentation", at, "the polygon has no area")
        return
    x, y, w, h = rest[:4]
    if w <= 0 or h <= 0:
        yield Finding("bbox", at, "the box has no area", "width and height above 0", f"{w:g} x {h:g}")
    elif min(x - w / 2, y - h / 2) < -2e-3 or max(x + w / 2, y + h / 2) > 1 + 2e-3:
        yield Finding("bbox", at, "the box leaves the picture", "inside 0 to 1",
                      f"{x - w / 2:g} {y - h / 2:g} {x + w / 2:g} {y + h / 2:g}")
    if kind == "pose" and points[1] == 3:
        k = rest[4:]
        if any(v not in (0, 1, 2) for v in k[2::3]):
            yield Finding("keypoints", at, "visibility is 0, 1 or 2")
        outside = sum(v > 0 and not (0 <= px <= 1 and 0 <= py <= 1) for px, py, v in zip(k[::3], k[1::3], k[2::3]))
        if outside:
            yield Finding("keypoints", at, "labelled points lie outside the picture", "0", str(outside))


def _boxes_against_polygons(root: Path, folders: list[Path], pictures: PictureCheck, stems) -> Iterator[Finding]:
    """Two folders that label the same pictures, one with boxes and one with polygons, must tell the same objects."""
    for boxes in folders:
        for polygons in folders:
            if boxes == polygons:
                continue
            for file in sorted(boxes.glob("*.txt")):
                other = polygons / file.name
                size = pictures.size(stems.get(file.stem, [Path()])[0])
                if not other.is_file() or size is None:
                    continue
                yield from _compare(file, other, root, size)


def _compare(file: Path, other: Path, root: Path, size: tuple[int, int]) -> Iterator[Finding]:
    import numpy as np

    def rows(path: Path) -> list[list[float]]:
        return [v for v in map(_numbers, path.read_text(encoding="utf-8", errors="replace").splitlines()) if v]

    boxes = [v for v in rows(file) if len(v) == 5]
    for number, values in enumerate(rows(other), 1):
        if line_kind(len(values), None) != "polygon" or not boxes:
            continue
        xs, ys = np.array(values[1::2]) * size[0], np.array(values[2::2]) * size[1]
        tight = np.array([xs.min(), ys.min(), xs.max(), ys.max()])
        gaps = [float(np.abs(tight - [(x - w / 2) * size[0], (y - h / 2) * size[1], (x + w / 2) * size[0],
                                      (y + h / 2) * size[1]]).max()) for _, x, y, w, h in boxes]
        # several things may share an extent (a pizza and its table): any box of the class will do
        near = [b[0] for b, gap in zip(boxes, gaps) if gap <= 3]
        at = f"{name_of(other, root)}:{number}"
        if not near:
            yield Finding("box-polygon", at, f"the polygon's extent is no box of {name_of(file, root)}",
                          "a box within 3 pixels", f"{min(gaps):.1f} pixels off at best", "warning")
        elif values[0] not in near:
            yield Finding("box-polygon", at, f"another class than its box in {name_of(file, root)}", f"{near[0]:g}",
                          f"{values[0]:g}")


def _config(root: Path) -> tuple[dict[str, Any], list[Finding]]:
    import yaml

    paths = [root / name for name in _CONFIGS if (root / name).is_file()] or sorted(root.glob("*.y*ml"))
    for path in paths:
        try:
            loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            return {}, [Finding("category", path.name, "the file is no YAML", got=str(error).splitlines()[0])]
        if isinstance(loaded, dict) and ("names" in loaded or path.name in _CONFIGS):
            return loaded, []
    return {}, [Finding("category", "data.yaml", "no file names the classes", severity="warning")]


def _names(names: Any) -> dict[int, str] | None:
    if isinstance(names, list):
        return dict(enumerate(map(str, names))) or None
    if isinstance(names, dict) and all(isinstance(k, int) for k in names):
        return {k: str(v) for k, v in names.items()} or None
    return None


def _numbers(line: str) -> list[float] | None:
    try:
        values = [float(part) for part in line.split()]
    except ValueError:
        return None
    return values if values and all(map(math.isfinite, values)) else None
