"""Motions from files, as a source of poses: a folder of them, and one reader for each format.

Every file is a stranger's: one that cannot be used is an :class:`~understudy.errors.AssetError` that names it, and the
caller takes another. To add a format: a file with a reader and a line in ``READERS``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from understudy.assets.motions.acclaim import read_amc
from understudy.assets.motions.bvh import read_bvh
from understudy.assets.motions.clip import Clip
from understudy.assets.photos import folder_licence
from understudy.errors import AssetError

__all__ = ["READERS", "Clip", "Library", "clip", "library"]

READERS: dict[str, Callable[[Path], Clip]] = {".bvh": read_bvh, ".amc": read_amc}


@dataclass(frozen=True)
class Library:
    """A folder's motions: names (paths below ``root`` with "/"), sorted, never empty, and the folder's licence."""

    root: Path
    names: tuple[str, ...]
    licence: str


def library(place: str | Path) -> Library:
    """The motions in a folder and all folders below it, or the one file that ``place`` is.

    Raises AssetError where there is none.
    """
    root = Path(place).expanduser()
    if root.is_file():
        return Library(root.parent, (root.name,), folder_licence(root.parent))
    if not root.is_dir():
        raise AssetError("the folder of motions cannot be opened", where=root, got="nothing there",
                         remedy="Name an existing folder, or a .bvh or .amc file")
    return _library(root, root.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _library(root: Path, _changed_ns: int) -> Library:
    names = sorted((Path(here) / f).relative_to(root).as_posix() for here, _, files in os.walk(root) for f in files
                   if not f.startswith(".") and Path(f).suffix.lower() in READERS)
    if not names:
        raise AssetError("the folder holds no motions", where=root, wanted=f"files ending in {', '.join(READERS)}",
                         got="none", remedy="Put BVH files, or AMC files with their ASF skeleton, into it")
    return Library(root, tuple(names), folder_licence(root))


def clip(path: Path) -> Clip:
    """The motion in one file. Raises AssetError for whatever is wrong with it."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise AssetError("this is no motion file", where=path, wanted=" or ".join(READERS), got=path.suffix or "no suffix")
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise AssetError("the motion file cannot be read", where=path, got=error.strerror,
                         remedy="Take it out of the folder, or put it back") from error
    return _clip(reader, path, changed)


@lru_cache(maxsize=24)
def _clip(reader: Callable[[Path], Clip], path: Path, _changed_ns: int) -> Clip:
    return reader(path)


@lru_cache(maxsize=256)
def digest(path: Path) -> str:
    """sha256 of a file."""
    return sha256(path.read_bytes()).hexdigest()
