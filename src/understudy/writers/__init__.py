"""Writers turn records into files, and back. One file and one line here adds one.

A format is a frozen dataclass of :mod:`understudy.fields` with

* ``cannot_carry``: a class attribute, {what: why} for everything of a record that the format loses;
* ``shard(root, number) -> ShardWriter``: writes below ``root``, an empty temporary folder, at the very paths that the
  files will have below the data set's folder, every path naming the shard (``images/00007/...``);
* ``finish(out, shards, about)``: after all shards are in place, writes the files of the whole data set (an index, a
  categories file), each under a temporary name and renamed; streams, never holds all records; may be run again;
* ``read(path, report=None) -> Iterator[Record]``: a written data set's records in order of index, ours or anyone's. What
  is wrong raises DatasetError, or is handed to ``report`` and left out;
* ``recognises(path) -> bool``: does this folder (or file) look like this format?
* ``about(path) -> About``: what a written data set says of itself;
* ``lost``: ``cannot_carry`` under this format's settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from understudy.errors import DatasetError
from understudy.record import Record


@dataclass(frozen=True)
class About:
    """What the whole data set says of itself. No clock and no machine: the same data set has the same bytes.

    licence : (name, url) of the data set's pictures; assets : the licence ledger, (name, source, licence, sha256)
    """

    name: str
    categories: tuple[str, ...]
    licence: tuple[str, str] = ("unspecified", "")
    description: str = ""
    version: str = ""
    recipe_digest: str = ""
    seed: int = 0


class ShardWriter(Protocol):
    def add(self, record: Record) -> None: ...

    def close(self) -> list[str]:
        """Finish the shard's files; the files and folders, relative to ``root``, that a commit renames into place."""
        ...


class Format(Protocol):
    cannot_carry: Mapping[str, str]

    def shard(self, root: Path, number: int) -> ShardWriter: ...

    def finish(self, out: Path, shards: Sequence[int], about: About) -> None: ...

    def read(self, path: Path, report: Callable[[DatasetError], None] | None = None) -> Iterator[Record]: ...

    def recognises(self, path: Path) -> bool: ...

    def about(self, path: Path) -> About: ...

    @property
    def lost(self) -> Mapping[str, str]: ...


WRITERS: dict[str, str | type] = {
    "coco": "understudy.writers.coco:Coco",
    "yolo": "understudy.writers.yolo:Yolo",
    "webdataset": "understudy.writers.webdataset:WebDataset",
}


def detect(path: Path | str) -> tuple[str, Format]:
    """The name and format of a written data set: a folder, or a COCO annotation file. DatasetError if it is none."""
    from understudy.fields import resolve

    path = Path(path)
    if not path.exists():
        raise DatasetError("does not exist", where=path)
    for name in ("coco", "yolo", "webdataset"):  # the surest marks first: a tar may lie anywhere
        written = resolve(WRITERS, name)()
        if written.recognises(path):
            return name, written
    raise DatasetError("is no data set of a known format", where=path,
                       wanted="shards/*.tar (WebDataset), annotations/*.json with images and annotations (COCO), "
                              "or images/ beside labels/ (YOLO)")


def read(path: Path | str, report: Callable[[DatasetError], None] | None = None) -> Iterator[Record]:
    """The records of a written data set of any known format, one at a time."""
    path = Path(path)
    return detect(path)[1].read(path, report)
