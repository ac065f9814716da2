"""A written data set opened for learning: any that the writers read, and folders of pictures beside masks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import DatasetError
from understudy.record import Record

if TYPE_CHECKING:
    import numpy as np

LINEAGE = "lineage.json"
"""In a refined data set: what it was made from, and the real photographs behind it."""
FOREGROUND = "foreground"
"""The class of a mask folder that names none."""


@dataclass(frozen=True)
class Source:
    """A written data set.

    kind : coco, yolo, webdataset or masks (folders ``images`` and ``masks`` side by side)
    made : whether a recipe made it; a score on made pictures is no result
    categories : class names in order of category id
    """

    path: Path
    kind: str
    made: bool
    categories: tuple[str, ...]

    def records(self, report: Callable[[DatasetError], None] | None = None) -> Iterator[Record]:
        """Every record, in order; what is wrong raises DatasetError, or is handed to ``report`` and left out."""
        if self.kind == "masks":
            from understudy.learn import mask_folder

            return mask_folder.read(self.path, report)
        from understudy.writers import read

        return read(self.path, report)

    def names(self) -> dict[int, str]:
        """{record's index: its picture's file name}, for messages; {} where the format does not keep them apart."""
        from understudy.writers.files import pictures_below
        from understudy.writers.yolo_read import picture_folders

        if self.made or self.kind == "webdataset":
            return {}
        if self.kind == "coco":
            return _coco_names(self.path)
        folders = [self.path / "images"] if self.kind == "masks" else picture_folders(self.path)
        files = (file for folder in folders for file in pictures_below(folder))
        return {i: str(file.relative_to(self.path)) for i, file in enumerate(files)}

    @property
    def behind(self) -> np.ndarray:
        """(n, 32) uint8: perceptual hashes of real photographs that shaped these pictures (a refined set names them)."""
        import numpy as np

        try:
            said = json.loads((self.path / LINEAGE).read_text(encoding="utf-8"))["photographs"]
            hashes = np.frombuffer(bytes.fromhex("".join(said)), np.uint8)
        except FileNotFoundError:
            hashes = np.zeros(0, np.uint8)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"does not say which photographs are behind these pictures: {error}",
                               where=self.path / LINEAGE) from error
        return hashes.reshape(-1, 32)

    @property
    def fingerprint(self) -> str:
        """Digest of every file's name, size and time of change: it tells when a cache is out of date, cheaply."""
        root = self.path if self.path.is_dir() else self.path.parent
        digest = blake2b(str(self.path.resolve()).encode(), digest_size=16)
        for file in sorted(p for p in root.rglob("*") if p.is_file() and not p.name.startswith(".")):
            facts = file.stat()
            digest.update(f"{file.relative_to(root)}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode(errors="replace"))
        return digest.hexdigest()


def open_source(path: Path | str) -> Source:
    """The data set at ``path``: a folder or a COCO annotation file. DatasetError if it is none that can be learned from."""
    from understudy.learn import mask_folder
    from understudy.writers import detect

    path = Path(path)
    if mask_folder.recognises(path):
        return Source(path, "masks", False, mask_folder.categories(path))
    try:
        kind, written = detect(path)
    except DatasetError as error:
        if not path.exists():
            raise
        raise DatasetError(error.message, where=path, wanted=f"{error.wanted}, or images/ beside masks/ (PNG)") from error
    about = written.about(path)
    made = bool(about.recipe_digest) or (path / "recipe.yaml").is_file() or _made_by_a_run(path / "run.json")
    if not about.categories:
        raise DatasetError("names no classes", where=path, remedy="Give it categories (COCO) or names (YOLO data.yaml)")
    return Source(path, kind, made, tuple(about.categories))


def _coco_names(path: Path) -> dict[int, str]:
    from understudy.writers.coco_read import annotation_files
    from understudy.writers.json_index import CocoIndex

    files = annotation_files(path)
    if len(files) != 1:
        return {}
    with CocoIndex(files[0]) as index:
        return {i: str(image.get("file_name", i)) for i, image in enumerate(index.images())}


def _made_by_a_run(path: Path) -> bool:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("made_by") == "understudy"
