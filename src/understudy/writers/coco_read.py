"""Reading COCO: ours back to the record that was written, anyone's as far as it goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import DatasetError, SpecError
from understudy.record import DensePose, Instance, Picture, PointSet, Record, Rle
from understudy.writers import About, coco_fields
from understudy.writers.files import Report, fail, inside, picture_of, read_bytes
from understudy.writers.json_index import CocoIndex
from understudy.writers.maps import decode_map
from understudy.writers.points import COCO_17, WHOLE_BODY_PARTS

_HEAD_BYTES = 1 << 16
_BROKEN = (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError)  # what a wrong field leads to


def annotation_files(path: Path) -> list[Path]:
    """The annotation files to read below a folder, or the file itself; [] where there is none.

    Of several kinds for the same pictures (instances_x, person_keypoints_x) the fullest comes alone; splits (instances_a,
    instances_b) all come, in order of name.
    """
    if path.is_file():
        return [path] if path.suffix == ".json" and _looks_like_coco(path) else []
    found = [p for pattern in ("annotations/*.json", "*.json", "*/_annotations.coco.json")
             for p in sorted(path.glob(pattern)) if _looks_like_coco(p) or _is_cut_short(p)]
    for prefix in ("instances", "person_keypoints"):
        of_kind = [p for p in found if p.name.startswith(prefix)]
        if of_kind:
            return of_kind
    return found


def about(path: Path) -> About:
    """What a COCO data set says of itself; of several licences only that there are several."""
    files = _files(path)
    with CocoIndex(files[0]) as index:
        info = index.head.get("info")
        info = info if isinstance(info, dict) else {}
        ours = info.get("understudy", {})
        licences = index.head.get("licenses") or []
        if len(licences) == 1:
            licence = (str(licences[0].get("name", "unspecified")), str(licences[0].get("url", "")))
        else:
            licence = ("several: see each picture's source", "") if licences else ("unspecified", "")
        return About(ours.get("name", path.stem), tuple(_categories(index).names), licence,
                     str(info.get("description", "")), str(info.get("version", "")), ours.get("recipe_digest", ""),
                     ours.get("seed", 0))


def read(path: Path, report: Report | None = None) -> Iterator[Record]:
    """Every record, in the order of the file's pictures; one at a time, pictures and maps read as they come.

    A picture or annotation that is wrong raises DatasetError, or is handed to ``report`` and left out.
    """
    count = 0
    names: tuple[str, ...] | None = None
    for file in _files(path):
        with _Reader(file, report) as reader:
            if names is not None and reader.categories.names != names:
                raise DatasetError("the splits of a data set list different categories", where=file, wanted=names,
                                   got=reader.categories.names)
            names = reader.categories.names
            for record in reader.records(count):
                count = record.index + 1
                yield record


class _Categories:
    def __init__(self, listed: list[dict], where: Path) -> None:
        try:
            rows = sorted(listed, key=lambda c: c["id"])
            self.names = tuple(str(c["name"]) for c in rows)
            self.number = {c["id"]: i for i, c in enumerate(rows, start=1)}
            self.keypoints = {c["id"]: tuple(c["keypoints"]) for c in rows if c.get("keypoints")}
        except (KeyError, TypeError) as error:
            raise DatasetError(f"a category is broken: {error}", where=where, wanted="id and name") from error
        if len(self.number) != len(rows):
            raise DatasetError("two categories have the same id", where=where)


def _categories(index: CocoIndex) -> _Categories:
    return _Categories(index.head.get("categories") or [], index.path)


class _Reader:
    """One annotation file and its siblings."""

    def __init__(self, file: Path, report: Report | None) -> None:
        self._report = report
        with ExitStack() as stack:  # closes what is open if the file turns out to be broken
            self._open(file, stack)
            self._stack = stack.pop_all()

    def _open(self, file: Path, stack: ExitStack) -> None:
        self._index = stack.enter_context(CocoIndex(file))
        self.categories = _categories(self._index)
        info = self._index.head.get("info")
        self._ours = info.get("understudy", {}) if isinstance(info, dict) else {}
        self._root = file.parent.parent if file.parent.name == "annotations" else file.parent
        split = file.stem.split("_", 1)[1] if "_" in file.stem else ""
        self._folders = [f for f in (self._root / "images" / split, self._root / "images", self._root / split,
                                     self._root, file.parent, self._root / "data") if f.is_dir()]
        self._siblings = {}
        for kind in ("person_keypoints", "person_wholebody"):
            sibling = file.with_name(file.name.replace("instances", kind, 1))
            if sibling != file and sibling.is_file():
                self._siblings[kind] = stack.enter_context(CocoIndex(sibling))
                self.categories.keypoints |= _categories(self._siblings[kind]).keypoints

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def records(self, first: int) -> Iterator[Record]:
        for position, image in enumerate(self._index.images()):
            where = f"{self._index.path}, picture {image.get('file_name', image.get('id'))}"
            try:
                record = self._record(image, first + position, where)
            except DatasetError as error:
                fail(error, self._report)
            except (SpecError, *_BROKEN) as error:
                fail(DatasetError(f"the picture's entry is broken: {error}", where=where), self._report)
            else:
                yield record

    def _record(self, image: Mapping[str, Any], index: int, where: str) -> Record:
        for key in ("id", "file_name"):
            if key not in image:
                raise DatasetError(f"a picture entry has no {key}", where=where)
        ours = image.get("understudy") or {}
        picture = self._picture(image, where)
        maps = {name: decode_map(m["encoding"], read_bytes(inside(self._root, m["file"], where)), m["file"])
                for name, m in ours.get("maps", {}).items()}
        instances = []
        for row, plain in enumerate(self._index.annotations_of(image["id"]), start=1):
            try:
                instances.append(self._instance(plain, row, picture.size_wh))
            except (DatasetError, *_BROKEN) as error:
                text = error.message if isinstance(error, DatasetError) else f"{type(error).__name__} {error}"
                facts = {k: getattr(error, k) for k in ("wanted", "got")} if isinstance(error, DatasetError) else {}
                fail(DatasetError(text, where=f"{where}, annotation {plain.get('id')}", **facts), self._report)
        return Record(ours.get("index", index), picture, self.categories.names, tuple(instances), maps,
                      ours.get("camera"), {}, ())

    def _picture(self, image: Mapping[str, Any], where: str) -> Picture:
        name = str(image["file_name"])
        found = next((p for f in self._folders if (p := inside(f, name, where)).is_file()), None)
        if found is None:  # some tools write a path of their own machine's before the name
            found = next((p for f in self._folders if (p := f / Path(name).name).is_file()), None)
        if found is None:
            raise DatasetError("the picture is missing", where=where,
                               wanted=" or ".join(str(f / name) for f in self._folders))
        stated = (image.get("width"), image.get("height"))
        picture = picture_of(read_bytes(found), found, None if None in stated else stated)
        if None not in stated and picture.size_wh != stated:
            raise DatasetError("the picture's size is not the one stated", where=where, wanted=stated,
                               got=picture.size_wh)
        return picture

    def _instance(self, plain: Mapping[str, Any], row: int, size_wh: tuple[int, int]) -> Instance:
        ours = plain.get("understudy") or {}
        if plain.get("category_id") not in self.categories.number:
            raise DatasetError("the category is not listed", wanted=sorted(self.categories.number)[:20],
                               got=plain.get("category_id"))
        mask = mask_of(plain.get("segmentation"), size_wh)
        box = box_of(plain.get("bbox"), mask, size_wh)
        amodal = ours.get("amodal_segmentation")
        amodal_box = ours.get("amodal_bbox")
        area = plain.get("area")
        return Instance(
            id=int(ours.get("instance", row)),
            category_id=self.categories.number[plain["category_id"]],
            xyxy_px=box,
            mask=mask,
            area_px=mask.area if mask is not None else None if area is None else float(area),
            amodal_xyxy_px=None if amodal_box is None else _xyxy(amodal_box),
            amodal_mask=None if amodal is None else coco_fields.rle_of(amodal),
            visible_fraction=ours.get("visible_fraction"),
            truncation=ours.get("truncation"),
            points=tuple(self._points(plain, ours)),
            densepose=self._densepose(ours.get("densepose")),
            attributes=ours.get("attributes", {}),
            ignore=bool(plain.get("iscrowd", 0) or plain.get("ignore", 0)),
        )

    def _points(self, plain: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[PointSet]:
        sets = self._ours.get("point_sets", {})
        siblings = {kind: index.annotation(plain["id"]) or {} for kind, index in self._siblings.items()}
        if "points" in ours:
            for entry in ours["points"]:
                names = sets[entry["convention"]]
                if "xyv" in entry:
                    flat = entry["xyv"]
                elif len(names) == 17:
                    flat = siblings["person_keypoints"]["keypoints"]
                else:
                    flat = _whole_body(siblings["person_wholebody"])
                yield coco_fields.points_of(entry, names, flat)
            return
        flat = plain.get("keypoints") or siblings.get("person_keypoints", {}).get("keypoints")
        if flat:
            names = self.categories.keypoints.get(plain["category_id"]) or \
                tuple(f"point_{k}" for k in range(len(flat) // 3))
            if len(flat) != 3 * len(names):
                raise DatasetError("the key points are not three numbers for each name", wanted=3 * len(names),
                                   got=len(flat))
            convention = "coco_17" if names == COCO_17 else self.categories.names[
                self.categories.number[plain["category_id"]] - 1]
            yield PointSet(convention, names, coco_fields.triples(flat))

    def _densepose(self, entry: Mapping[str, Any] | None) -> DensePose | None:
        if entry is None:
            return None
        file = inside(self._root, entry["file"], entry["file"])
        return DensePose(tuple(entry["xyxy_px"]), decode_map("rgb8", read_bytes(file), file))


def mask_of(segmentation: Any, size_wh: tuple[int, int]) -> Rle | None:
    """Polygons, an uncompressed or a compressed run-length code as a mask; None for nothing."""
    if not segmentation:
        return None
    from pycocotools import mask as coco

    w, h = size_wh
    if isinstance(segmentation, list):
        rings = [[float(v) for v in ring] for ring in segmentation]
        if any(len(ring) % 2 or not np.isfinite(ring).all() for ring in rings):
            raise DatasetError("a polygon is no list of x, y pairs")
        if any(min(ring) < -max(w, h) or max(ring) > 2 * max(w, h) for ring in rings if ring):
            raise DatasetError("a polygon leads far out of the picture", wanted=f"inside {w} x {h}")  # pycocotools walks it
        rings = [ring for ring in rings if len(ring) >= 6]
        code = coco.merge(coco.frPyObjects(rings, h, w)) if rings else None
    else:
        if list(segmentation["size"]) != [h, w]:
            raise DatasetError("the mask's size is not the picture's", wanted=[h, w], got=segmentation["size"])
        counts = segmentation["counts"]
        if isinstance(counts, list):
            if sum(counts) != h * w or min(counts, default=0) < 0:
                raise DatasetError("the mask's runs do not add up to the picture", wanted=h * w, got=sum(counts))
            code = coco.frPyObjects({"size": [h, w], "counts": counts}, h, w)
        else:
            counts = counts.encode("ascii")
            runs = runs_of(counts)
            if sum(runs) != h * w or min(runs, default=0) < 0:  # the C code would write past its buffer
                raise DatasetError("the mask's runs do not add up to the picture", wanted=h * w, got=sum(runs))
            code = {"size": [h, w], "counts": counts}
    if code is None or not int(coco.area(code)):
        raise DatasetError("the segmentation covers no pixel")
    return Rle((h, w), code["counts"])


def runs_of(counts: bytes) -> list[int]:
    """The runs of a compressed run-length code: five bits a character from 48 on, the sixth says that more follow; from
    the fourth run on each is stored as its difference from the one two before it (cocoapi's maskApi.c)."""
    runs: list[int] = []
    value = shift = 0
    for character in counts:
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            if bits & 0x10:
                value -= 1 << shift
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value = shift = 0
    return runs


def box_of(bbox: Any, mask: Rle | None, size_wh: tuple[int, int]) -> tuple[float, float, float, float]:
    """xyxy inside the picture, from xywh (what sticks out is cut) or, where there is none, from the mask."""
    if not bbox:
        if mask is None:
            raise DatasetError("an annotation has neither box nor mask")
        from pycocotools import mask as coco

        bbox = coco.toBbox({"size": list(mask.size_hw), "counts": mask.counts}).tolist()
    if len(bbox) != 4 or not np.isfinite(bbox).all():
        raise DatasetError("a box is four numbers", got=bbox)
    x0, y0, x1, y1 = _xyxy(bbox)
    w, h = size_wh
    box = max(x0, 0.0), max(y0, 0.0), min(x1, float(w)), min(y1, float(h))
    if box[0] >= box[2] or box[1] >= box[3]:
        raise DatasetError("a box has no area in the picture", wanted=f"inside {w} x {h}", got=bbox)
    return box


def _xyxy(bbox: Any) -> tuple[float, float, float, float]:
    x, y, w, h = (float(v) for v in bbox)
    return x, y, x + w, y + h


def _whole_body(plain: Mapping[str, Any]) -> list[float]:
    return [*plain["keypoints"], *(v for part in WHOLE_BODY_PARTS for v in plain[f"{part}_kpts"])]


def _files(path: Path) -> list[Path]:
    files = annotation_files(path)
    if not files:
        raise DatasetError("holds no COCO annotations", where=path,
                           wanted='annotations/*.json with "images" and "annotations"')
    return files


def _is_cut_short(path: Path) -> bool:
    """A file that is called COCO's and ends too early: reading it says so, where a sibling's poorer labels would not."""
    if not path.name.startswith(("instances", "person_keypoints")):
        return False
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 4096))
            return file.read().rstrip()[-1:] != b"}"
    except OSError:
        return False


def _looks_like_coco(path: Path) -> bool:
    """Does the file's beginning or end name the lists of a COCO file?"""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(max(0, path.stat().st_size - _HEAD_BYTES))
            tail = file.read()
    except OSError:
        return False
    named = {name for name in (b'"images"', b'"annotations"', b'"file_name"') if name in head + tail}
    return len(named) >= 2 and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
