"""A model as a file: a zip of JSON and plain arrays. Nothing in it is code, nothing in it is a row.

The same model gives the same bytes. Reading checks every size before it believes it, and refuses what is no model of ours.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import TableError
from understudy.whole import written_whole

FORMAT = "understudy table model"
VERSION = 1
_MOST_BYTES = 1 << 31


def save(path: Path, model: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write ``model`` (JSON) and ``arrays`` to ``path``, whole or not at all."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as pack:
        head = {"format": FORMAT, "version": VERSION, "model": model}
        _add(pack, "model.json", json.dumps(head, ensure_ascii=False, allow_nan=False, indent=1).encode())
        for name in sorted(arrays):
            file = io.BytesIO()
            np.save(file, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            _add(pack, f"arrays/{name}.npy", file.getvalue())
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, "model") as rough:
        rough.write_bytes(data.getvalue())


def _add(pack: zipfile.ZipFile, name: str, data: bytes) -> None:
    pack.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)


def load(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What ``save`` wrote. TableError: it is no model, or broken, or of a later version."""
    try:
        with zipfile.ZipFile(path) as pack:
            if sum(info.file_size for info in pack.infolist()) > _MOST_BYTES:
                raise TableError("the model would unpack to more than 2 GiB", where=path)
            head = json.loads(pack.read("model.json"))
            arrays = {
                info.filename[len("arrays/") : -len(".npy")]: np.load(io.BytesIO(pack.read(info)), allow_pickle=False)
                for info in pack.infolist()
                if info.filename.startswith("arrays/")
            }
    except FileNotFoundError:
        raise TableError("there is no such model", where=path) from None
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, RuntimeError) as error:
        raise TableError(
            "this is no table model, or it is broken",
            where=path,
            got=type(error).__name__,
            remedy="Make one with `understudy table fit`",
        ) from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise TableError("this is no table model", where=path, wanted=FORMAT)
    if head.get("version") != VERSION:
        raise TableError("the model is of another version", where=path, wanted=VERSION, got=head.get("version"))
    return head["model"], arrays
