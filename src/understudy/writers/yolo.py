"""YOLO: one text file a picture, as Ultralytics' trainers and those that follow them read it.

::

    images/00007/000000700.jpg
    labels/00007/000000700.txt     a row an instance, empty for a picture without any
    data.yaml                      names, key points; paths are relative to its own folder

Rows, all coordinates over the picture's width or height:

* ``detect``   class, box centre x, y, box width, height
* ``segment``  class, polygon x, y ...: one ring. Further parts and holes are spliced in by bridges without width, walked
  there and back, which fill (even-odd) to the very mask
* ``pose``     class, box, then x, y, v of each point (0 0 0 where v is 0, and for an instance without points)

Classes count from 0 in declared order. Eight digits place a corner within 1/10,000 of a pixel up to 20,000 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from understudy.errors import WriteError
from understudy.fields import setting
from understudy.record import Instance, PointSet, Record
from understudy.supports import Integers, OneOf
from understudy.writers import About
from understudy.writers.files import Report, read_jsons, replace_file, to_json, write_bytes, writing
from understudy.writers.points import COCO_17, SKELETON_17, mirror

TASKS = ("detect", "segment", "pose")

_ALWAYS_LOST = {
    "drawn": "no place for them; a made data set keeps them in manifest.parquet",
    "assets": "no place for them; a made data set keeps them in licences.json",
    "camera": "no place for it",
    "maps": "no place for whole-picture maps",
    "instances": "instances to be ignored are left out, and so is the second of two rows that are the same",
    "instances.id": "rows have no ids; they are numbered from 1",
    "instances.amodal_xyxy_px": "one box an instance",
    "instances.amodal_mask": "one mask an instance",
    "instances.visible_fraction": "no place for it",
    "instances.truncation": "no place for it",
    "instances.densepose": "no place for it",
    "instances.attributes": "no place for them",
    "instances.ignore": "no place for it",
}
_NO_MASK = {"instances.mask": "task segment alone carries masks", "instances.area_px": "task segment alone carries masks"}
_NO_POINTS = {"instances.points": "task pose carries the one set of `points` points, in the picture, without metres"}


@dataclass(frozen=True)
class Yolo:
    """YOLO label files beside the pictures."""

    task: str = setting("detect", OneOf(TASKS), "", "what a row holds: a box, an outline, or a box and key points")
    points: int = setting(17, Integers(1, 1000), "", "task pose: the point set of that many points (17 or 133 of people)")

    cannot_carry: ClassVar[Mapping[str, str]] = {**_ALWAYS_LOST, **_NO_MASK, **_NO_POINTS}

    @property
    def lost(self) -> Mapping[str, str]:
        """``cannot_carry`` under these settings."""
        return _ALWAYS_LOST | ({} if self.task == "segment" else _NO_MASK) | _NO_POINTS

    def shard(self, root: Path, number: int) -> YoloShard:
        return YoloShard(root, number, self.task, self.points)

    def finish(self, out: Path, shards: Sequence[int], about: About) -> None:
        import yaml

        document = data_yaml(about, self.task, *_points(out, shards, self.points) if self.task == "pose" else ("", ()))
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
        replace_file(out / "data.yaml", [_HEADER, text])

    def read(self, path: Path, report: Report | None = None) -> Iterator[Record]:
        from understudy.writers.yolo_read import read

        return read(path, report)

    def recognises(self, path: Path) -> bool:
        from understudy.writers.yolo_read import picture_folders

        return bool(picture_folders(path))

    def about(self, path: Path) -> About:
        from understudy.writers.yolo_read import about

        return about(path)


class YoloShard:
    """One shard's pictures and label files."""

    def __init__(self, root: Path, number: int, task: str, points: int) -> None:
        self._root, self._name, self._task, self._points = root, f"{number:05d}", task, points
        self._point_set: tuple[str, tuple[str, ...]] | None = None
        for kind in ("images", "labels"):
            with writing(root / kind):
                (root / kind / self._name).mkdir(parents=True, exist_ok=True)

    def add(self, record: Record) -> None:
        stem = f"{self._name}/{record.index:09d}"
        rows = dict.fromkeys(self._row(record, i) for i in record.instances if not i.ignore)  # trainers drop doubles, loudly
        write_bytes(self._root / "images" / f"{stem}{record.picture.suffix}", record.picture.data)
        write_bytes(self._root / "labels" / f"{stem}.txt", "".join(f"{row}\n" for row in rows).encode())

    def close(self) -> list[str]:
        units = [f"images/{self._name}", f"labels/{self._name}"]
        if self._task == "pose":
            convention, names = self._point_set or ("", ())
            unit = f"shards/{self._name}.json"
            write_bytes(self._root / unit, to_json({"convention": convention, "names": names}, unit).encode())
            units.append(unit)
        return units

    def _row(self, record: Record, instance: Instance) -> str:
        size = np.array(record.picture.size_wh, float)
        where = f"record {record.index}, instance {instance.id}"
        if self._task == "segment":
            values = _polygon(instance, where) / size
        else:
            x0, y0, x1, y1 = instance.xyxy_px
            values = np.array([[(x0 + x1) / 2, (y0 + y1) / 2], [x1 - x0, y1 - y0]]) / size
        words = [str(instance.category_id - 1), *(_word(v) for v in values.ravel())]
        if self._task == "pose":
            words += self._point_words(instance, size, where)
        return " ".join(words)

    def _point_words(self, instance: Instance, size: np.ndarray, where: str) -> list[str]:
        chosen = next((p for p in instance.points if len(p.names) == self._points), None)
        if chosen is None:
            return ["0"] * (3 * self._points)
        self._check_names(chosen, where)
        words = []
        for x, y, v in chosen.xyv.astype(float):
            inside = v > 0 and 0 <= x <= size[0] and 0 <= y <= size[1]
            words += [_word(x / size[0]), _word(y / size[1]), str(int(v))] if inside else ["0", "0", "0"]
        return words

    def _check_names(self, points: PointSet, where: str) -> None:
        mine = (points.convention, tuple(points.names))
        if self._point_set is None:
            self._point_set = mine
        if self._point_set != mine:
            raise WriteError("YOLO's pose rows share one list of points", where=where, wanted=self._point_set[0],
                             got=points.convention, remedy="Set `points` to another number, or write COCO")


_HEADER = """# The made pictures are for training; they stand in for `val` only because trainers want the key.
# Set `val` to real pictures: a score on made ones is not a result.
"""


def data_yaml(about: About, task: str, convention: str, points: Sequence[str]) -> dict[str, Any]:
    """What data.yaml says. Without ``path`` a trainer takes the file's own folder."""
    document: dict[str, Any] = {
        "train": "images", "val": "images", "nc": len(about.categories), "names": dict(enumerate(about.categories))}
    if task == "pose":
        document |= {"kpt_shape": [len(points), 3], "flip_idx": mirror(points),
                     "kpt_names": {i: list(points) for i in range(len(about.categories))}}
        if tuple(points) == COCO_17:
            document["skeleton"] = [[a - 1, b - 1] for a, b in SKELETON_17]
    document["understudy"] = {
        "format": 1, "task": task, "convention": convention, "name": about.name, "description": about.description,
        "version": about.version, "licence": list(about.licence), "recipe_digest": about.recipe_digest, "seed": about.seed}
    return document


def _points(out: Path, shards: Sequence[int], count: int) -> tuple[str, tuple[str, ...]]:
    """The convention and names that the shards share; plain numbers where no instance had points."""
    found: tuple[str, tuple[str, ...]] | None = None
    for meta in read_jsons(out / "shards" / f"{shard:05d}.json" for shard in shards):
        if not meta["names"]:
            continue
        mine = (meta["convention"], tuple(meta["names"]))
        if found not in (None, mine):
            raise WriteError("YOLO's pose rows share one list of points", where=out, wanted=found[0], got=mine[0])
        found = mine
    if found is not None:
        return found
    return ("coco_17", COCO_17) if count == 17 else ("", tuple(f"point_{i}" for i in range(count)))


def _polygon(instance: Instance, where: str) -> np.ndarray:
    """(n, 2) px: the one ring that fills like the mask."""
    from understudy.geometry import polygons

    if instance.mask is None:
        raise WriteError("task segment needs a mask of every instance", where=where,
                         remedy="Choose task detect, or add the masks label to the recipe")
    ring = polygons.join(*polygons.outlines(instance.mask.decode()))
    if not len(ring):
        raise WriteError("an instance has an empty mask", where=where, remedy="Leave unseen instances out")
    return ring.astype(float)


def _word(value: float) -> str:
    """A share of the side in [0, 1] with eight digits, without trailing zeros."""
    text = f"{min(max(value, 0.0), 1.0):.8f}".rstrip("0").rstrip(".")
    return text or "0"
