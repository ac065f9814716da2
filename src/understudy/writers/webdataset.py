"""WebDataset: tar files of samples, read in a stream by the ``webdataset`` package and by ours.

::

    shards/00007.tar        000000700.jpg, 000000700.json, 000000700.depth.png ... for each record
    dataset.json            what the data set says of itself, and the shards

A sample's ``json`` holds everything of the record but the picture and the maps: the one format here that loses nothing but
the digits of depth and normals (and not even those with ``exact``). Members have no clock, owner or machine in them.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

from understudy.errors import DatasetError, SpecError
from understudy.fields import setting
from understudy.record import DensePose, Instance, Picture, PointSet, Record
from understudy.supports import Boolean
from understudy.writers import About
from understudy.writers.coco_fields import rle_json, rle_of, triples
from understudy.writers.files import Report, append_bytes, fail, picture_of, read_json, replace_file, to_json, write_bytes
from understudy.writers.maps import LOSSES, decode_map, encode_map, encode_rgb8


@dataclass(frozen=True)
class WebDataset:
    """Tar shards of pictures, maps and one JSON a record."""

    exact: bool = setting(False, Boolean(), "", "keep depth and normals as exact float .npz in place of PNG")

    cannot_carry: ClassVar[Mapping[str, str]] = LOSSES

    @property
    def lost(self) -> Mapping[str, str]:
        """``cannot_carry`` under these settings."""
        return {} if self.exact else LOSSES

    def shard(self, root: Path, number: int) -> WebDatasetShard:
        return WebDatasetShard(root, number, self.exact)

    def finish(self, out: Path, shards: Sequence[int], about: About) -> None:
        document = {"format": "understudy webdataset 1", **asdict(about), "shards": [f"shards/{n:05d}.tar" for n in shards]}
        replace_file(out / "dataset.json", [json.dumps(document, ensure_ascii=False, indent=1) + "\n"])

    def read(self, path: Path, report: Report | None = None) -> Iterator[Record]:
        for shard in _shards(path):
            for key, sample in _samples(shard, report):
                where = f"{shard}, {key}"
                try:
                    yield _record(sample, where)
                except (SpecError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                    fail(DatasetError(f"a sample is broken: {error}", where=where), report)
                except DatasetError as error:
                    fail(error, report)

    def recognises(self, path: Path) -> bool:
        return path.is_dir() and bool(_tars(path))

    def about(self, path: Path) -> About:
        document = _document(path)
        if not document:
            record = next(self.read(path), None)
            return About(path.name, record.categories if record else ())
        try:
            known = {f.name: document[f.name] for f in fields(About)}
            return About(**known | {"categories": tuple(known["categories"]), "licence": tuple(known["licence"])})
        except (KeyError, TypeError) as error:
            raise DatasetError(f"is incomplete: {error}", where=path / "dataset.json") from error


class WebDatasetShard:
    """One tar file."""

    def __init__(self, root: Path, number: int, exact: bool) -> None:
        self._unit, self._exact = f"shards/{number:05d}.tar", exact
        self._path = root / self._unit
        self._size = 0
        write_bytes(self._path, b"")

    def add(self, record: Record) -> None:
        key = f"{record.index:09d}"
        files: dict[str, bytes] = {record.picture.suffix: record.picture.data}
        encodings = {}
        for name, array in record.maps.items():
            encoding, suffix, data = encode_map(name, array, self._exact)
            files[f".{name}{suffix}"] = data
            encodings[name] = {"file": f"{name}{suffix}", "encoding": encoding}
        for instance in record.instances:
            if instance.densepose is not None:
                files[f".iuv.{instance.id}.png"] = encode_rgb8(instance.densepose.iuv)
        plain = {
            "index": record.index, "picture": record.picture.suffix, "size_wh": record.picture.size_wh,
            "categories": record.categories, "instances": [_plain_instance(i, record) for i in record.instances],
            "maps": encodings, "camera": record.camera, "drawn": record.drawn, "assets": record.assets,
        }
        files[".json"] = to_json(plain, f"record {record.index}").encode()
        self._append(b"".join(_member(key + suffix, data) for suffix, data in files.items()))

    def close(self) -> list[str]:
        end = 2 * tarfile.BLOCKSIZE  # a tar ends with two empty blocks and fills a whole number of records
        self._append(bytes(end + -(self._size + end) % tarfile.RECORDSIZE))
        return [self._unit]

    def _append(self, data: bytes) -> None:
        append_bytes(self._path, data)
        self._size += len(data)


def _member(name: str, data: bytes) -> bytes:
    """A file of a tar: header, content, filling. Clock, owner and group are 0 and nameless."""
    header = tarfile.TarInfo(name)
    header.size, header.mode = len(data), 0o644
    return header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def _plain_instance(instance: Instance, record: Record) -> dict[str, Any]:
    return {
        "id": instance.id, "category_id": instance.category_id,
        "category": record.categories[instance.category_id - 1], "xyxy_px": instance.xyxy_px,
        "mask": None if instance.mask is None else rle_json(instance.mask), "area_px": instance.area_px,
        "amodal_xyxy_px": instance.amodal_xyxy_px,
        "amodal_mask": None if instance.amodal_mask is None else rle_json(instance.amodal_mask),
        "visible_fraction": instance.visible_fraction, "truncation": instance.truncation,
        "points": [{"convention": p.convention, "names": p.names, "xyv": p.xyv, "xyz_m": p.xyz_m} for p in instance.points],
        "densepose": None if instance.densepose is None else {"xyxy_px": instance.densepose.xyxy_px,
                                                              "file": f"iuv.{instance.id}.png"},
        "attributes": instance.attributes, "ignore": instance.ignore,
    }


def _record(sample: Mapping[str, bytes], where: str) -> Record:
    if "json" not in sample:
        raise DatasetError("a sample has no json", where=where, got=", ".join(sample))
    plain = json.loads(sample["json"])
    if not isinstance(plain, dict) or "categories" not in plain:
        raise DatasetError("the sample's json is not Understudy's", where=where, wanted="categories, instances ...",
                           remedy="Labels of other WebDatasets have no common form; convert them to COCO first")
    suffix = plain["picture"]
    found = picture_of(sample[suffix[1:]], where)
    picture = Picture(sample[suffix[1:]], suffix, tuple(plain["size_wh"]))
    if found.size_wh != picture.size_wh:
        raise DatasetError("the picture's size is not the one stated", where=where, wanted=picture.size_wh,
                           got=found.size_wh)
    maps = {name: decode_map(m["encoding"], sample[m["file"]], f"{where}.{m['file']}") for name, m in plain["maps"].items()}
    return Record(
        plain["index"], picture, tuple(plain["categories"]),
        tuple(_instance(i, sample, where) for i in plain["instances"]), maps, plain["camera"], plain["drawn"],
        tuple(tuple(a) for a in plain["assets"]))


def _instance(plain: dict[str, Any], sample: Mapping[str, bytes], where: str) -> Instance:
    fields = {k: v for k, v in plain.items() if k != "category"}
    for name in ("mask", "amodal_mask"):
        fields[name] = None if plain[name] is None else rle_of(plain[name])
    for name in ("xyxy_px", "amodal_xyxy_px"):
        fields[name] = None if plain[name] is None else tuple(plain[name])
    fields["points"] = tuple(
        PointSet(p["convention"], tuple(p["names"]), triples(p["xyv"]), None if p["xyz_m"] is None else triples(p["xyz_m"]))
        for p in plain["points"])
    if plain["densepose"] is not None:
        file = plain["densepose"]["file"]
        iuv = decode_map("rgb8", sample[file], f"{where}.{file}")
        fields["densepose"] = DensePose(tuple(plain["densepose"]["xyxy_px"]), iuv)
    return Instance(**fields)


def _samples(shard: Path, report: Report | None) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(key, {extension: bytes}) of a tar's samples: neighbours whose names agree up to the first dot."""
    key, sample = "", {}
    try:
        with tarfile.open(shard, "r|") as tar:
            for member in tar:
                if not member.isfile():
                    continue
                folder, _, name = member.name.rpartition("/")
                stem, _, extension = name.partition(".")
                if f"{folder}/{stem}" != key and sample:
                    yield key.lstrip("/"), sample
                    sample = {}
                key = f"{folder}/{stem}"
                sample[extension] = tar.extractfile(member).read()
    except (tarfile.TarError, OSError, EOFError) as error:
        fail(DatasetError(f"is no whole tar file: {error}", where=shard), report)
        return
    if sample:
        yield key.lstrip("/"), sample


def _tars(path: Path) -> list[Path]:
    return sorted(path.glob("shards/*.tar")) or sorted(path.glob("*.tar"))


def _document(path: Path) -> dict[str, Any]:
    file = path / "dataset.json"
    document = read_json(file) if file.is_file() else {}
    if not isinstance(document, dict):
        raise DatasetError("is no JSON object", where=file)
    return document


def _shards(path: Path) -> list[Path]:
    """The shards that dataset.json lists (a missing one is an error), else every tar."""
    listed = _document(path).get("shards")
    if listed is None:
        shards = _tars(path)
        if not shards:
            raise DatasetError("holds no WebDataset", where=path, wanted="shards/*.tar")
        return shards
    missing = [s for s in listed if not (path / s).is_file()]
    if missing:
        raise DatasetError("a shard is missing", where=path, wanted=missing[0])
    return [path / s for s in listed]
