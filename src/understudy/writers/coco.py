"""COCO: instances, person key points, whole body and DensePose, as the field's trainers read them.

::

    images/00007/000000700.jpg
    maps/00007/000000700.depth.png         whole-picture maps (encodings: writers/maps.py)
    maps/00007/000000700.iuv.3.png         dense DensePose of instance 3 over its box: R chart, G 255 u, B 255 v
    shards/00007/instances.jsonl ...       the shard's lines, from which finish() makes
    annotations/instances.json             boxes, masks and everything of ours under "understudy"
    annotations/person_keypoints.json      COCO's 17 points            (if the data set has them)
    annotations/person_wholebody.json      COCO-WholeBody's 133 points (if the data set has them)
    annotations/person_densepose.json      COCO-DensePose's fields     (if the data set has them)
    annotations/keypoints.json             points of any other convention, by category

A picture's id is its record's index + 1; an annotation's id is index * 1,000,000 + instance id, the same in every file, so
both are known without looking at another shard. ``file_name`` is relative to ``images``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from understudy.errors import WriteError
from understudy.fields import setting
from understudy.record import Instance, Record
from understudy.supports import Boolean
from understudy.writers import About, coco_fields
from understudy.writers.files import Report, append_bytes, read_jsons, replace_file, to_json, write_bytes, writing
from understudy.writers.maps import LOSSES, encode_map, encode_rgb8
from understudy.writers.points import COCO_17, SKELETON_17, body_17, whole_body

ID_STRIDE = 1_000_000
"""Annotation ids of one picture: up to here. Ten million pictures stay below 2**53, where a float still holds each id."""

KINDS = ("instances", "person_keypoints", "person_wholebody", "person_densepose", "keypoints")


@dataclass(frozen=True)
class Coco:
    """COCO annotation files beside the pictures."""

    exact: bool = setting(False, Boolean(), "", "keep depth and normals as exact float .npz in place of PNG")

    cannot_carry: ClassVar[Mapping[str, str]] = {
        "drawn": "COCO has no place for them; a made data set keeps them in manifest.parquet",
        "assets": "COCO has no place for them; a made data set keeps them in licences.json",
        **LOSSES,
    }

    @property
    def lost(self) -> Mapping[str, str]:
        """``cannot_carry`` under these settings."""
        return {k: why for k, why in self.cannot_carry.items() if not (self.exact and k in LOSSES)}

    def shard(self, root: Path, number: int) -> CocoShard:
        return CocoShard(root, number, self.exact)

    def finish(self, out: Path, shards: Sequence[int], about: About) -> None:
        metas = read_jsons(out / "shards" / f"{n:05d}" / "shard.json" for n in shards)
        points = _point_sets(metas, out)
        for kind in KINDS:
            if kind == "instances" or any(kind in meta["kinds"] for meta in metas):
                replace_file(out / "annotations" / f"{kind}.json", _document(out, kind, shards, metas, points, about))

    def read(self, path: Path, report: Report | None = None) -> Iterator[Record]:
        from understudy.writers.coco_read import read

        return read(path, report)

    def recognises(self, path: Path) -> bool:
        from understudy.writers.coco_read import annotation_files

        return bool(annotation_files(path))

    def about(self, path: Path) -> About:
        from understudy.writers.coco_read import about

        return about(path)


class CocoShard:
    """One shard's pictures, maps and annotation lines."""

    def __init__(self, root: Path, number: int, exact: bool) -> None:
        self._root, self._name, self._exact = root, f"{number:05d}", exact
        self._folder = root / "shards" / self._name
        self._kinds: set[str] = set()
        self._points: dict[str, list[str]] = {}
        self._category_points: dict[str, list[str]] = {}
        self._maps = False
        write_bytes(self._folder / "images.jsonl", b"")

    def add(self, record: Record) -> None:
        stem = f"{self._name}/{record.index:09d}"
        lines = [(kind, to_json(line, f"record {record.index}")) for kind, line in self._lines(record, stem)]
        write_bytes(self._root / "images" / f"{stem}{record.picture.suffix}", record.picture.data)
        for kind, line in lines:
            append_bytes(self._folder / f"{kind}.jsonl", f"{line}\n".encode())
            self._kinds.add(kind)

    def close(self) -> list[str]:
        meta = {"kinds": [k for k in KINDS if k in self._kinds], "point_sets": self._points,
                "category_points": self._category_points}
        write_bytes(self._folder / "shard.json", to_json(meta, self._name).encode())
        with writing(self._root):
            (self._root / "images" / self._name).mkdir(parents=True, exist_ok=True)
        return [f"images/{self._name}", *([f"maps/{self._name}"] if self._maps else []), f"shards/{self._name}"]

    def _lines(self, record: Record, stem: str) -> Iterator[tuple[str, dict]]:
        width, height = record.picture.size_wh
        ours: dict[str, Any] = {"index": record.index}
        if record.camera is not None:
            ours["camera"] = record.camera
        if record.maps:
            ours["maps"] = {name: self._map(name, array, stem) for name, array in record.maps.items()}
        yield "images", {"id": record.index + 1, "file_name": f"{stem}{record.picture.suffix}", "width": int(width),
                         "height": int(height), "license": 1, "understudy": ours}
        for instance in record.instances:
            yield from self._annotation(record, instance, stem)

    def _annotation(self, record: Record, instance: Instance, stem: str) -> Iterator[tuple[str, dict]]:
        where = f"record {record.index}, instance {instance.id}"
        if instance.id >= ID_STRIDE:
            raise WriteError("an instance id is too large for COCO's annotation ids", where=where,
                             wanted=f"below {ID_STRIDE}", got=instance.id,
                             remedy="WebDataset carries ids of any size")
        common = self._common(record, instance, where)
        extras = coco_fields.extras(instance)
        if instance.points:
            extras["points"] = [self._point_set(instance, p, where) for p in instance.points]
        if instance.densepose is not None:
            file = f"maps/{stem}.iuv.{instance.id}.png"
            write_bytes(self._root / file, encode_rgb8(instance.densepose.iuv))
            self._maps = True
            extras["densepose"] = {"xyxy_px": list(instance.densepose.xyxy_px), "file": file}
        yield "instances", common | {"understudy": extras}
        body, whole = body_17(instance), whole_body(instance)
        xyv = body.xyv if body is not None else whole.xyv[:17] if whole is not None else None
        if xyv is not None:
            seventeen = {"keypoints": coco_fields.keypoints(xyv), "num_keypoints": int((xyv[:, 2] > 0).sum())}
            yield "person_keypoints", common | seventeen
        if whole is not None:
            yield "person_wholebody", common | coco_fields.whole_body_fields(whole.xyv)
        if instance.densepose is not None:
            yield "person_densepose", common | coco_fields.densepose_fields(instance.densepose, instance.xyxy_px)
        other = next((p for p in instance.points if p is not body and p is not whole), None)
        if other is not None:
            yield "keypoints", common | {"keypoints": coco_fields.keypoints(other.xyv),
                                         "num_keypoints": int((other.xyv[:, 2] > 0).sum())}

    def _common(self, record: Record, instance: Instance, where: str) -> dict[str, Any]:
        """What every file says of an annotation. An ignored instance is a crowd: the one mark that trainers honour."""
        box = coco_fields.xywh(instance.xyxy_px)
        segmentation: list | dict = []
        area = instance.area_px if instance.area_px is not None else box[2] * box[3]
        if instance.mask is not None:
            pixels = instance.mask.decode()
            area = int(pixels.sum())
            if not area:
                raise WriteError("an instance has an empty mask", where=where, remedy="Leave unseen instances out")
            segmentation = (coco_fields.rle_json(instance.mask) if instance.ignore
                            else coco_fields.segmentation(instance.mask, pixels))
        common = {"id": record.index * ID_STRIDE + instance.id, "image_id": record.index + 1,
                  "category_id": instance.category_id, "segmentation": segmentation, "area": area, "bbox": box,
                  "iscrowd": int(instance.ignore)}
        return common | {"ignore": 1} if instance.ignore else common

    def _map(self, name: str, array: Any, stem: str) -> dict[str, str]:
        encoding, suffix, data = encode_map(name, array, self._exact)
        file = f"maps/{stem}.{name}{suffix}"
        write_bytes(self._root / file, data)
        self._maps = True
        return {"file": file, "encoding": encoding}

    def _point_set(self, instance: Instance, points: Any, where: str) -> dict:
        names = list(points.names)
        if self._points.setdefault(points.convention, names) != names:
            raise WriteError(f"the point convention {points.convention!r} has two lists of names", where=where)
        mine = self._category_points.setdefault(str(instance.category_id), [])
        if points.convention not in mine:
            mine.append(points.convention)
        plain = coco_fields.points_json(points)
        if points is not body_17(instance) and points is not whole_body(instance):
            plain.pop("outside", None)
            plain["xyv"] = points.xyv.ravel()
        return plain


def _point_sets(metas: Sequence[dict], out: Path) -> dict[str, dict]:
    """The shards' conventions in one: {"sets": {convention: names}, "categories": {category id: [convention]}}."""
    sets: dict[str, list[str]] = {}
    categories: dict[str, set[str]] = {}
    for meta in metas:
        for convention, names in meta["point_sets"].items():
            if sets.setdefault(convention, names) != names:
                raise WriteError(f"the point convention {convention!r} has two lists of names", where=out)
        for category, used in meta["category_points"].items():
            categories.setdefault(category, set()).update(used)
    return {"sets": dict(sorted(sets.items())), "categories": {c: sorted(s) for c, s in sorted(categories.items())}}


def _document(out: Path, kind: str, shards: Sequence[int], metas: Sequence[dict], points: dict,
              about: About) -> Iterator[str | bytes]:
    """One annotation file, a piece at a time: an entry a line, read from the shards as they are written."""
    info = {"description": about.description or about.name, "version": about.version, "contributor": "", "url": "",
            "understudy": {"format": 1, "name": about.name, "recipe_digest": about.recipe_digest, "seed": about.seed,
                           "point_sets": points["sets"]}}
    licences = [{"id": 1, "name": about.licence[0], "url": about.licence[1]}]
    categories = [_category(i, name, kind, points) for i, name in enumerate(about.categories, start=1)]
    yield f'{{"info":{to_json(info, "info")},\n"licenses":{to_json(licences, "licenses")},\n'
    yield f'"categories":{to_json(categories, "categories")},\n"images":['
    yield from _joined(out, "images", shards)
    yield '\n],\n"annotations":['
    yield from _joined(out, kind, [n for n, meta in zip(shards, metas) if kind in meta["kinds"]])
    yield "\n]}\n"


def _joined(out: Path, kind: str, shards: Sequence[int]) -> Iterator[bytes]:
    """The shards' lines, a comma between each two. Bytes are passed on as they lie: no line is looked into."""
    separator = b"\n"
    for number in shards:
        with (out / "shards" / f"{number:05d}" / f"{kind}.jsonl").open("rb") as lines:
            while piece := lines.read(1 << 20):
                yield separator
                separator = b",\n" if piece.endswith(b"\n") else b""
                yield piece.removesuffix(b"\n").replace(b"\n", b",\n")


def _category(number: int, name: str, kind: str, points: dict) -> dict[str, Any]:
    category: dict[str, Any] = {"id": number, "name": name, "supercategory": name}
    sets = [points["sets"][c] for c in points["categories"].get(str(number), ())]
    if kind in ("person_keypoints", "person_wholebody") and any(tuple(s[:17]) == COCO_17 for s in sets):
        category |= {"keypoints": list(COCO_17), "skeleton": [list(pair) for pair in SKELETON_17]}
    if kind == "keypoints":
        other = next((s for s in sets if tuple(s[:17]) != COCO_17), None)
        if other is not None:
            category |= {"keypoints": other, "skeleton": []}
    return category
