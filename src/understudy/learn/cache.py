"""Pictures and labels of a data set, decoded and scaled once into flat files that are mapped into memory.

All pictures become squares of ``side`` pixels (their aspect is given up; augmentation varies it anyway), so that a batch is
a slice. Labels are kept for every task at once, with the data set's own category ids:

* ``images`` (n, side, side, 3) uint8 RGB
* ``regions`` (n, side, side) uint8: each pixel's category id, 0 background, 255 to be ignored
* ``things`` (n, side, side) uint8: each pixel's instance, numbered from 1 within its picture, 0 none
* ``boxes`` (m, 4) float32 xyxy in shares of the sides, ``category`` and ``ignored`` (m,), ``points`` (m, k, 3)
  in the same shares with COCO's visibility; picture i's are rows ``first[i]`` to ``first[i + 1]``
* ``hashes`` (n, 32) uint8, perceptual; ``masked`` (n,) bool: whether every instance has its mask; ``index`` (n,);
  ``aspect`` (n,) float32, each picture's width over its height

It lies in the cache folder under a name that holds the data set's fingerprint, so it is never out of date.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import IO

import numpy as np

from understudy.assets.cache import cached
from understudy.errors import DatasetError
from understudy.learn.duplicates import perceptual_hash
from understudy.learn.mask_folder import UNLABELLED
from understudy.learn.sources import Source
from understudy.record import Instance, Record

_FORM = 2  # of the files; another form, another name
MOST_THINGS = 254


@dataclass(frozen=True)
class Store:
    """A cached data set, or some of its pictures (``rows``). Arrays as in the module's text, of the whole data set."""

    name: str
    made: bool
    categories: tuple[str, ...]
    point_names: tuple[str, ...]
    side: int
    digest: str
    images: np.ndarray
    regions: np.ndarray
    things: np.ndarray
    boxes: np.ndarray
    category: np.ndarray
    ignored: np.ndarray
    points: np.ndarray
    first: np.ndarray
    hashes: np.ndarray
    masked: np.ndarray
    index: np.ndarray
    aspect: np.ndarray
    rows: np.ndarray
    problems: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, rows: np.ndarray) -> Store:
        """The pictures at ``rows`` (positions among this store's own)."""
        return replace(self, rows=self.rows[np.asarray(rows)])

    def labels_of(self, row: int) -> slice:
        """Where the labels of picture ``row`` (of the whole data set) lie."""
        return slice(int(self.first[row]), int(self.first[row + 1]))


def open_store(source: Source, side: int, count: int | None = None) -> Store:
    """The cache of ``source`` at ``side`` pixels, built if need be; of its first ``count`` pictures if given."""
    name = f"learn/{source.fingerprint}-{side}-{count or 'all'}-{_FORM}"
    folder = cached(name, lambda part: _build(source, side, count, part))
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    n = about["count"]
    with np.load(folder / "labels.npz") as kept:
        labels = {key: kept[key] for key in ("boxes", "category", "ignored", "points", "first", "hashes", "masked", "index",
                                             "aspect")}

    def pixels(file: str, *shape: int) -> np.ndarray:
        return np.memmap(folder / file, np.uint8, "r", shape=(n, side, side, *shape))

    return Store(str(source.path), source.made, source.categories, tuple(about["point_names"]), side, about["digest"],
                 pixels("images", 3), pixels("regions"), pixels("things"), **labels, rows=np.arange(n),
                 problems=tuple(about["problems"]))


def _build(source: Source, side: int, count: int | None, folder: Path) -> None:
    folder.mkdir(parents=True)
    rows = _Rows()
    with (folder / "images").open("wb") as images, (folder / "regions").open("wb") as regions, \
            (folder / "things").open("wb") as things:
        for record in source.records(lambda error: rows.problems.append(str(error))):
            _add(record, side, rows, images, regions, things)
            if rows.count == count:
                break
    if not rows.count:
        raise DatasetError("holds no picture that can be learned from" + (f": {rows.problems[0]}" if rows.problems else ""),
                           where=source.path)
    points = np.zeros((len(rows.boxes), len(rows.point_names), 3), np.float32)
    for i, values in enumerate(rows.points):
        if values is not None:
            points[i] = values
    np.savez(folder / "labels.npz", boxes=np.array(rows.boxes, np.float32).reshape(-1, 4),
             category=np.array(rows.category, np.int32), ignored=np.array(rows.ignored, bool), points=points,
             first=np.array(rows.first, np.int64), hashes=np.array(rows.hashes, np.uint8),
             masked=np.array(rows.masked, bool), index=np.array(rows.index, np.int64),
             aspect=np.array(rows.aspect, np.float32))
    about = {"count": rows.count, "point_names": rows.point_names, "digest": rows.digest.hexdigest(),
             "problems": rows.problems}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


class _Rows:
    """What is gathered while the records pass by."""

    def __init__(self) -> None:
        self.boxes: list[tuple[float, ...]] = []
        self.category: list[int] = []
        self.ignored: list[bool] = []
        self.points: list[np.ndarray | None] = []
        self.point_names: tuple[str, ...] = ()
        self.first = [0]
        self.hashes: list[np.ndarray] = []
        self.masked: list[bool] = []
        self.index: list[int] = []
        self.aspect: list[float] = []
        self.problems: list[str] = []
        self.digest = blake2b(digest_size=16)

    @property
    def count(self) -> int:
        return len(self.hashes)


def _add(record: Record, side: int, rows: _Rows, images: IO[bytes], regions: IO[bytes], things: IO[bytes]) -> None:
    try:
        image = record.picture.decode()
    except (OSError, SyntaxError, ValueError) as error:  # a header that is whole before pixels that are not
        rows.problems.append(f"picture {record.index} cannot be decoded: {error}")
        return
    images.write(scaled(image, side).tobytes())
    region, thing = _maps(record, side)
    regions.write(region.tobytes())
    things.write(thing.tobytes())
    rows.digest.update(record.picture.data)
    wh = np.array(record.picture.size_wh * 2, float)
    for instance in record.instances:
        rows.boxes.append(tuple(np.array(instance.xyxy_px) / wh))
        rows.category.append(instance.category_id)
        rows.ignored.append(instance.ignore)
        rows.points.append(_points(instance, rows, wh[:2]))
        rows.digest.update(repr((instance.category_id, instance.xyxy_px, instance.ignore,
                                 instance.mask.counts if instance.mask else None)).encode())
        for points in instance.points:
            rows.digest.update(points.xyv.tobytes())
    rows.index.append(record.index)
    rows.aspect.append(record.picture.size_wh[0] / record.picture.size_wh[1])
    rows.masked.append(all(i.mask is not None for i in record.instances))
    rows.first.append(len(rows.boxes))
    rows.hashes.append(perceptual_hash(image))


def scaled(image: np.ndarray, side: int) -> np.ndarray:
    """(h, w) or (h, w, c) uint8 -> (side, side, ...): averaged where it shrinks, linear where it grows."""
    import cv2

    h, w = image.shape[:2]
    way = cv2.INTER_AREA if min(h, w) > side else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=way)


def _maps(record: Record, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Category and instance of each pixel, the greatest first so that a small thing on a large one stays whole."""
    region, thing = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    numbered = [(n, i) for n, i in enumerate(record.instances[:MOST_THINGS], start=1) if i.mask is not None]
    for number, instance in sorted(numbered, key=lambda pair: -(pair[1].area_px or 0)):
        covered = scaled(instance.mask.decode().astype(np.uint8) * 255, side) > 127
        region[covered] = UNLABELLED if instance.ignore else min(instance.category_id, 254)
        thing[covered] = number
    return region, thing


def _points(instance: Instance, rows: _Rows, wh: np.ndarray) -> np.ndarray | None:
    """(k, 3) in shares of the sides, of the point set that the data set's first instance with points has smallest."""
    if not instance.points:
        return None
    if not rows.point_names:
        rows.point_names = min((p.names for p in instance.points), key=len)
    found = next((p for p in instance.points if p.names == rows.point_names), None)
    if found is None:
        return None
    return np.column_stack([found.xyv[:, :2] / wh, found.xyv[:, 2]]).astype(np.float32)
