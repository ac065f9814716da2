"""A data set written again with other pictures and the same labels, and what it says of its lineage.

Labels, shards and paths stay. The manifest gains ``refinement.change`` (mean absolute change of a picture's channels, of
255) and ``refinement.refiner`` (the refiner's digest); the Croissant description names what the data set is based on and
has the checksums of the files as they are now.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from understudy.learn.sources import LINEAGE, Source
from understudy.record import Picture, Record
from understudy.writers import Format
from understudy.writers.files import replace_file

_QUALITY = 93
CHANGE, REFINER = "refinement.change", "refinement.refiner"
_MEANINGS = {CHANGE: "mean absolute change of the picture's channels by refinement, of 255",
             REFINER: "SHA-256 of the refiner that changed the picture"}


@dataclass(frozen=True)
class Lineage:
    """source : fingerprint of the made data set; hashes : of the real pictures behind the refiner, hexadecimal;
    refiner : its file; settings, labeller : plain JSON"""

    source: str
    hashes: tuple[str, ...]
    refiner: bytes = b""
    settings: Mapping[str, Any] = field(default_factory=dict)
    labeller: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.refiner).hexdigest()

    def plain(self) -> dict[str, Any]:
        from understudy.learn.training_record import versions

        return {"refined_from": self.source, "refiner": self.digest, "settings": dict(self.settings),
                "labeller": dict(self.labeller), "real_pictures": len(self.hashes), "photographs": list(self.hashes),
                "versions": versions()}


def encoded(image: np.ndarray, like: Picture) -> Picture:
    """(h, w, 3) uint8 as a picture of the same kind of file."""
    from PIL import Image

    out = io.BytesIO()
    if like.suffix == ".png":
        Image.fromarray(image).save(out, "PNG")
    else:
        Image.fromarray(image).save(out, "JPEG", quality=_QUALITY, subsampling="4:2:0")
    return Picture(out.getvalue(), like.suffix, like.size_wh)


def write_refined(source: Source, out: Path, change: Callable[[np.ndarray], np.ndarray], lineage: Lineage,
                  complete: Callable[[Path], None]) -> tuple[int, float]:
    """Write ``source`` as ``out`` with every picture changed; (pictures, their mean change). ``complete`` is called with the
    whole data set before it gets its name: what it raises leaves nothing behind."""
    from dataclasses import replace

    from understudy.writers.convert import convert

    changes: dict[int, float] = {}

    def changed(record: Record) -> Record:
        image = record.picture.decode()
        other = change(image)
        changes[record.index] = float(np.abs(other.astype(np.int16) - image).mean())
        return replace(record, picture=encoded(other, record.picture))

    def finished(folder: Path) -> None:
        replace_file(folder / LINEAGE, [json.dumps(lineage.plain(), indent=1) + "\n"])
        if (source.path / "manifest.parquet").is_file():
            _manifest(source.path / "manifest.parquet", folder / "manifest.parquet", changes, lineage.digest)
        complete(folder)
        if (source.path / "croissant.json").is_file():
            described = json.loads((source.path / "croissant.json").read_text(encoding="utf-8"))
            replace_file(folder / "croissant.json", [json.dumps(_croissant(described, folder, lineage), indent=1) + "\n"])

    convert(source.path, _format(source.path), out, change=changed, complete=finished)
    return len(changes), float(np.mean(list(changes.values()))) if changes else 0.0


def _format(path: Path) -> Format:
    """The data set's format with the settings that it was written with, so that nothing of its labels is lost."""
    from understudy.writers import detect

    name, written = detect(path)
    try:
        settings = json.loads((path / "run.json").read_text(encoding="utf-8"))["format"][name]
    except (OSError, ValueError, KeyError, TypeError):
        return written  # made elsewhere, or converted
    return type(written)(**settings)


def _manifest(source: Path, target: Path, changes: Mapping[int, float], digest: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(source)
    index = table.column("index").to_pylist()
    table = table.append_column(CHANGE, pa.array([changes.get(i) for i in index], pa.float64()))
    table = table.append_column(REFINER, pa.array([digest if i in changes else None for i in index], pa.string()))
    pq.write_table(table, target)


def _croissant(described: dict[str, Any], folder: Path, lineage: Lineage) -> dict[str, Any]:
    """The made set's description, true of the refined one: lineage, files as they are, two more columns."""
    before = described.get("url", "")
    described = described | {
        "name": f"{described.get('name', 'data')}-refined",
        "description": (described.get("description", "") + " Pictures refined; labels as they were.").strip(),
        "url": f"{before}:refined:{lineage.digest[:32]}", "isBasedOn": before or lineage.source,
        "citeAs": f"{described.get('citeAs', '')}; pictures refined with {lineage.digest[:32]}".lstrip("; ")}
    described["@context"] = described.get("@context", {}) | {"isBasedOn": "sc:isBasedOn"}
    own = {path.relative_to(folder).as_posix(): path for path in _own_files(folder)}
    objects = {d["@id"]: d for d in described["distribution"] if d["@type"] == "cr:FileObject"}
    sets = [d for d in described["distribution"] if d["@type"] == "cr:FileSet"
            and (folder / d["includes"].partition("/")[0]).is_dir()]
    described["distribution"] = [_file(name, path, objects.get(name)) for name, path in sorted(own.items())] + sets
    for rows in described["recordSet"]:
        rows["field"] += [{"@type": "cr:Field", "@id": f"records/{name}", "name": name, "description": _MEANINGS[name],
                           "dataType": kind, "source": {"fileObject": {"@id": "manifest.parquet"},
                                                        "extract": {"column": name}}}
                          for name, kind in ((CHANGE, "sc:Float"), (REFINER, "sc:Text"))]
    return described


def _own_files(folder: Path) -> list[Path]:
    """The data set's own files: those beside the shards, and the annotations."""
    top = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".") and p.name != "croissant.json"]
    below = [p for name in ("annotations", "refinement") if (folder / name).is_dir()
             for p in (folder / name).iterdir() if p.is_file()]
    return top + below


def _file(name: str, path: Path, before: Mapping[str, Any] | None) -> dict[str, Any]:
    media = {".json": "application/json", ".parquet": "application/x-parquet", ".yaml": "application/yaml",
             ".html": "text/html", ".txt": "text/plain"}.get(path.suffix, "application/octet-stream")
    data = path.read_bytes()
    return {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name, "contentSize": f"{len(data)} B",
            "encodingFormat": (before or {}).get("encodingFormat", media), "sha256": hashlib.sha256(data).hexdigest()}
