"""What a data set says of itself to others: a Croissant description and the ledger of licences.

Croissant 1.0 (MLCommons, https://docs.mlcommons.org/croissant/docs/croissant-spec.html) is JSON-LD over schema.org: the
files with their checksums, and the manifest's rows as a record set with a typed field for each column. There is no date
in it, so that the same data set has the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from understudy.make.folder import to_json
from understudy.make.total import Total
from understudy.writers import About

_TYPES = {"int": "sc:Integer", "float": "sc:Float", "bool": "sc:Boolean", "text": "sc:Text"}
_MEDIA = {".jpg": "image/jpeg", ".png": "image/png", ".json": "application/json", ".txt": "text/plain",
          ".yaml": "application/yaml", ".parquet": "application/x-parquet", ".tar": "application/x-tar",
          ".npy": "application/x-npy", ".npz": "application/zip", ".gz": "application/gzip", ".csv": "text/csv"}
_CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"}, "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract",
    "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet",
    "format": "cr:format", "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField",
    "transform": "cr:transform",
}
_MEANINGS = {"index": "the record's number in the data set", "file_name": "the record's picture",
             "attempts": "draws that it took until one could be made true"}


def licences(total: Total) -> str:
    """The licence ledger, as JSON: every asset that a committed record was made with, and how many records used it."""
    assets = [{"name": n, "source": s, "licence": lic, "sha256": sha, "records": times}
              for (n, s, lic, sha), times in sorted(total.assets.items())]
    by_licence = Counter(a["licence"] for a in assets)
    skipped = [{"name": name, "why": why, "records": times} for (name, why), times in sorted(total.skipped.items())]
    return to_json({"licences": dict(sorted(by_licence.items())), "assets": assets, "skipped": skipped})


def croissant(out: Path, about: About, columns: Mapping[str, str], total: Total) -> str:
    """The Croissant description of the finished data set in ``out``, as JSON-LD.

    columns : the manifest's columns and kinds; total : of all shards, whose files are described by pattern, while the data
    set's own files are listed one by one
    """
    files = [_file(out, name) for name in _own_files(out, total)]
    sets = [_set(top, suffix) for top, suffix in sorted(total.kinds_of_files) if top not in ("", "ledger")]
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": re.sub(r"[^A-Za-z0-9_.-]", "-", about.name),
        "description": about.description,
        "version": f"{about.version}.0.0" if about.version.isdigit() else about.version,
        "license": about.licence[1] or about.licence[0],
        "url": f"urn:understudy:{about.recipe_digest}:{about.seed}",
        "citeAs": f"{about.name}, made by Understudy from recipe {about.recipe_digest}, seed {about.seed}",
        "distribution": files + sets,
        "recordSet": [{
            "@type": "cr:RecordSet", "@id": "records", "name": "records",
            "description": "One row for each picture: every value that was drawn to make it, under its recipe's path.",
            "key": {"@id": "records/index"},
            "field": [_field(name, kind) for name, kind in columns.items()],
        }],
    }
    return to_json(described)


def _field(name: str, kind: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field", "@id": f"records/{name}", "name": name,
        "description": _MEANINGS.get(name, f"drawn value at {name}"),
        "dataType": _TYPES[kind],
        "source": {"fileObject": {"@id": "manifest.parquet"}, "extract": {"column": name}},
    }


def _file(out: Path, name: str) -> dict[str, Any]:
    with (out / name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name,
            "contentSize": f"{(out / name).stat().st_size} B", "encodingFormat": _media(Path(name).suffix), "sha256": digest}


def _set(top: str, suffix: str) -> dict[str, Any]:
    return {"@type": "cr:FileSet", "@id": f"{top}-{suffix[1:]}", "name": f"{top}-{suffix[1:]}",
            "encodingFormat": _media(suffix), "includes": f"{top}/**/*{suffix}"}


def _own_files(out: Path, total: Total) -> list[str]:
    """The files that belong to no shard, by path from ``out``."""
    found: list[str] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(out / folder) as entries:
            for entry in entries:
                name = f"{folder}{entry.name}"
                if name.startswith(".") or name in ("ledger", "croissant.json") or total.covers(name):
                    continue
                if entry.is_dir():
                    folders.append(f"{name}/")
                else:
                    found.append(name)
    return sorted(found)


def _media(suffix: str) -> str:
    return _MEDIA.get(suffix, "application/octet-stream")
