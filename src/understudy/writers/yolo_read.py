"""Reading YOLO folders: ours and those of the wild.

Understood: ``images/...`` beside ``labels/...`` (with splits below both, or a split folder above both), with or without
data.yaml; ``names`` as a list or a dict; rows of 5 columns (boxes), of 5 + points (with ``kpt_shape``), and outlines of
three or more corners, whose box is that of the pixels which they cover. A box's size must not be 0; what sticks out of the
picture is cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import DatasetError, SpecError
from understudy.record import Instance, PointSet, Record, Rle
from understudy.writers import About
from understudy.writers.files import Report, fail, inside, picture_of, pictures_below, read_bytes
from understudy.writers.points import COCO_17

_CONFIG_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml", "classes.yaml")
_MOST_CLASSES = 100_000  # a number beyond is a slip, and would be a list as long
_PLACES = 4  # digits of a pixel that eight digits of a share still hold


def picture_folders(path: Path) -> list[Path]:
    """The ``images`` folders that have a ``labels`` folder beside them: in ``path`` or one level down (train, valid)."""
    if not path.is_dir():
        return []
    splits = sorted((p for p in path.iterdir() if p.is_dir()), key=lambda p: (_SPLITS.get(p.name, 9), p.name))
    return [f / "images" for f in (path, *splits) if (f / "images").is_dir() and (f / "labels").is_dir()]


_SPLITS = {"train": 0, "val": 1, "valid": 1, "test": 2}


def about(path: Path) -> About:
    config = _config(path)
    ours = config.get("understudy") or {}
    licence = ours.get("licence")
    if not isinstance(licence, list) or len(licence) != 2:
        licence = [str(config.get("license", "unspecified")), ""]
    return About(ours.get("name", path.name), _names(config, path), tuple(licence), ours.get("description", ""),
                 ours.get("version", ""), ours.get("recipe_digest", ""), ours.get("seed", 0))


def read(path: Path, report: Report | None = None) -> Iterator[Record]:
    """Every record, in order of the pictures' names (train before val before test); one at a time.

    A picture or row that is wrong raises DatasetError, or is handed to ``report`` and left out. A picture without a label
    file has no instances, as trainers take it.
    """
    folders = picture_folders(path)
    if not folders:
        raise DatasetError("holds no YOLO data set", where=path, wanted="folders images and labels side by side")
    config = _config(path)
    names = _names(config, path)
    layout = _Layout(config, names)
    position = 0
    for folder in folders:
        for file in pictures_below(folder):
            label = folder.parent / "labels" / file.relative_to(folder).with_suffix(".txt")
            index = int(file.stem) if layout.ours and file.stem.isdecimal() else position
            position = index + 1
            try:
                picture = picture_of(read_bytes(file), file)
                rows = enumerate(_rows(label, report), start=1)
                instances = tuple(i for n, (line, row) in rows
                                  if (i := layout.instance(row, n, picture.size_wh, f"{label}:{line}", report)) is not None)
                yield Record(index, picture, names, instances)
            except SpecError as error:
                fail(DatasetError(str(error), where=file), report)
            except DatasetError as error:
                fail(error, report)


class _Layout:
    """What the columns of a row mean."""

    def __init__(self, config: Mapping[str, Any], names: tuple[str, ...]) -> None:
        ours = config.get("understudy") or {}
        self.ours = bool(ours)
        self._task = ours.get("task")
        self._names = names
        self._points, self._dims = _points_shape(config.get("kpt_shape"))
        listed = config.get("kpt_names") or {}
        listed = listed if isinstance(listed, Mapping) else dict.fromkeys(range(len(names)), listed)
        default = COCO_17 if self._points == 17 else tuple(f"point_{i}" for i in range(self._points))
        listed = {c: entry if isinstance(entry, list) else default for c, entry in listed.items()}
        self._point_names = {c: tuple(map(str, listed.get(c, default))) for c in range(len(names))}
        if any(len(points) != self._points for points in self._point_names.values()):
            raise DatasetError("kpt_names and kpt_shape disagree", wanted=f"{self._points} names")
        self._convention = str(ours.get("convention") or "") or ("coco_17" if default == COCO_17 else "yolo")

    def instance(self, row: np.ndarray, number: int, size_wh: tuple[int, int], where: str,
                 report: Report | None) -> Instance | None:
        try:
            return self._instance(row, number, size_wh)
        except DatasetError as error:
            fail(DatasetError(error.message, where=where, wanted=error.wanted, got=error.got), report)
            return None

    def _instance(self, row: np.ndarray, number: int, size_wh: tuple[int, int]) -> Instance:
        category = int(row[0]) if np.isfinite(row[0]) else -1
        if category != row[0] or not 0 <= category < len(self._names):
            raise DatasetError("the class is not listed", wanted=f"0 to {len(self._names) - 1}", got=f"{row[0]:g}")
        size = np.array(size_wh, float)
        columns = len(row)
        if self._points and columns == 5 + self._points * self._dims:
            return Instance(number, category + 1, _box(row[1:5], size), points=(self._point_set(category, row[5:], size),))
        if columns == 5 and not self._points:
            return Instance(number, category + 1, _box(row[1:5], size))
        if columns >= 7 and columns % 2 and not self._points:
            return _outlined(number, category + 1, row[1:].reshape(-1, 2), size)
        wanted = f"5 + {self._points} x {self._dims} columns" if self._points else "5 columns, or 7 and more in pairs"
        raise DatasetError("a row has the wrong number of columns", wanted=wanted, got=columns)

    def _point_set(self, category: int, values: np.ndarray, size: np.ndarray) -> PointSet:
        if not (np.abs(values) <= 1e6).all():  # not a number fails this, too
            raise DatasetError("a key point holds something that is no share of the side")
        xyv = np.full((self._points, 3), 2.0)
        xyv[:, :self._dims] = values.reshape(self._points, self._dims)
        if self._dims == 2:  # the two-column form marks an absent point by zeros
            xyv[:, 2] = np.where(xyv[:, :2].any(axis=1), 2, 0)
        xyv[:, :2] = np.round(xyv[:, :2] * size, _PLACES)
        return PointSet(self._convention, self._point_names[category], xyv.astype(np.float32))


def _points_shape(shape: Any) -> tuple[int, int]:
    """(points, numbers a point) from ``kpt_shape``; (0, 0) where there is none."""
    if shape is None:
        return 0, 0
    if not (isinstance(shape, list) and len(shape) == 2 and all(isinstance(n, int) for n in shape)
            and 0 < shape[0] <= 10_000 and shape[1] in (2, 3)):
        raise DatasetError("kpt_shape is wrong", wanted="[points, 2 or 3]", got=repr(shape)[:40])
    return shape[0], shape[1]


def _box(values: np.ndarray, size: np.ndarray) -> tuple[float, float, float, float]:
    if not np.isfinite(values).all():
        raise DatasetError("a box is four numbers", got=values.tolist())
    centre, extent = values[:2] * size, values[2:] * size
    corners = np.round(np.concatenate([centre - extent / 2, centre + extent / 2]), _PLACES)
    return _inside(corners, size, values)


def _outlined(number: int, category_id: int, outline: np.ndarray, size: np.ndarray) -> Instance:
    from understudy.geometry import polygons
    from understudy.geometry.boxes import box_of_mask

    if not np.isfinite(outline).all():
        raise DatasetError("an outline is pairs of numbers")
    if outline.min() < -1 or outline.max() > 2:  # pycocotools walks every pixel of the way there
        raise DatasetError("an outline leads far out of the picture", wanted="shares of the side, 0 to 1",
                           got=f"{outline.min():g} to {outline.max():g}")
    pixels = polygons.rasterise([np.round(outline * size, _PLACES)], (int(size[1]), int(size[0])))
    box = box_of_mask(pixels)
    if box is None:
        raise DatasetError("an outline covers no pixel of the picture")
    mask = Rle.encode(pixels)
    return Instance(number, category_id, tuple(map(float, box)), mask, mask.area)


def _inside(corners: np.ndarray, size: np.ndarray, got: Any) -> tuple[float, float, float, float]:
    kept = np.concatenate([np.maximum(corners[:2], 0), np.minimum(corners[2:], size)])
    if (kept[:2] >= kept[2:]).any():
        raise DatasetError("a box has no area in the picture", got=np.round(np.asarray(got, float), 6).tolist())
    return tuple(kept.tolist())


def _rows(label: Path, report: Report | None) -> Iterator[tuple[int, np.ndarray]]:
    """(line number, values) of a label file's rows; blank lines are no rows."""
    if not label.is_file():
        return
    try:
        lines = read_bytes(label).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        fail(DatasetError("is no text", where=label), report)
        del error
        return
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        try:
            yield line, np.array(text.split(), dtype=float)
        except ValueError:
            fail(DatasetError("a row holds something other than numbers", where=f"{label}:{line}", got=text[:60]), report)


def _config(path: Path) -> dict[str, Any]:
    """The data set's YAML, {} where there is none."""
    import yaml

    named = [path / n for n in _CONFIG_NAMES if (path / n).is_file()]
    if not named:
        named = sorted(p for p in path.glob("*.yaml") if p.name != "recipe.yaml")[:1]
    if not named:
        return {}
    try:
        config = yaml.safe_load(read_bytes(named[0]))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise DatasetError(f"is not YAML: {str(error).splitlines()[0]}", where=named[0]) from error
    if not isinstance(config, dict):
        raise DatasetError("is no mapping", where=named[0], wanted="names: [...]")
    ours = config.setdefault("understudy", {})
    if not isinstance(ours, dict):
        raise DatasetError("understudy is no mapping", where=named[0], got=repr(ours)[:40])
    return config


def _names(config: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    """Class names in order: from ``names`` (list or dict), from classes.txt, or as many numbers as the labels use."""
    listed = config.get("names")
    if isinstance(listed, list) and listed:
        return tuple(str(n) for n in listed)
    if isinstance(listed, dict) and listed:
        if not all(isinstance(k, int) and 0 <= k < _MOST_CLASSES for k in listed):
            raise DatasetError("class numbers are whole and at least 0", where=path, got=list(listed)[:5])
        return tuple(str(listed.get(i, f"class_{i}")) for i in range(max(listed) + 1))
    for name in ("classes.txt", "labels/classes.txt"):
        if (path / name).is_file():
            lines = inside(path, name, path).read_text(encoding="utf-8-sig").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    highest = -1
    for folder in picture_folders(path):
        for label in sorted((folder.parent / "labels").rglob("*.txt")):
            used = (row[0] for _, row in _rows(label, lambda error: None))
            highest = max([highest, *(int(c) for c in used if 0 <= c < _MOST_CLASSES)])
    return tuple(f"class_{i}" for i in range(highest + 1))
