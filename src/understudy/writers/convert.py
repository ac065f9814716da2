"""From any format to any other, one record at a time."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path

from understudy.errors import DatasetError, UsageError, WriteError
from understudy.record import Instance, Record
from understudy.writers import Format, detect
from understudy.writers.files import Report, writing
from understudy.writers.maps import survives

SHARD_SIZE = 1000
_TRUE_IN_ANY_FORMAT = ("recipe.yaml", "licences.json")  # what the records came from does not change with their form
_DEFAULTS = {f.name: (() if f.name == "points" else {} if f.name == "attributes" else False if f.name == "ignore" else None)
             for f in fields(Instance)}


@dataclass(frozen=True)
class Converted:
    """What a conversion did. lost : of the fields that the target cannot carry, in how many pictures they held something."""

    source: str
    records: int
    instances: int
    lost: Mapping[str, int]


def convert(source: Path, written: Format, out: Path, report: Report | None = None, *,
            change: Callable[[Record], Record] | None = None,
            complete: Callable[[Path], None] | None = None) -> Converted:
    """Write the data set ``source`` again as ``out``, which must not exist (an empty folder may).

    The result is made beside ``out`` under a hidden name and renamed once it is whole: whatever goes wrong, ``out`` is
    either complete or absent. Shards hold the index ranges that they held before. ``change`` is what is done to each
    record; ``complete`` is called with the whole folder before it gets its name, and what it raises leaves nothing behind.
    Raises DatasetError (or tells ``report``, and leaves out what is wrong), WriteError, UsageError.
    """
    _check_target(source, out)
    name, reader = detect(source)
    about = reader.about(source)
    size = _shard_size(source)
    tally: Counter[str] = Counter()
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        numbers = []
        counted = _counted(reader.read(source, report), written, tally)
        if change is not None:
            counted = map(change, counted)
        for number, records in groupby(_in_order(counted, source), key=lambda record: record.index // size):
            shard = written.shard(making, number)
            for record in records:
                shard.add(record)
            shard.close()
            numbers.append(number)
        written.finish(making, numbers, about)
        with writing(out):
            for companion in _TRUE_IN_ANY_FORMAT:
                if (source / companion).is_file():
                    shutil.copyfile(source / companion, making / companion)
        if complete is not None:
            complete(making)
        with writing(out):
            making.chmod(0o755)
            if out.is_dir():
                out.rmdir()
            making.rename(out)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    lost = {field: tally[field] for field in written.lost if tally[field]}
    return Converted(name, tally["records"], tally["all instances"], lost)


def holds(record: Record, field: str) -> bool:
    """Does the record say anything that a format with this key in ``cannot_carry`` would lose?"""
    kind, _, name = field.partition(".")
    if kind == "maps" and name:
        return name in record.maps and not survives(name, record.maps[name])
    if kind != "instances":
        return bool(getattr(record, kind))
    if name == "id":
        return any(i.id != n for n, i in enumerate(record.instances, start=1))
    if not name:
        rows = Counter((i.category_id, i.xyxy_px) for i in record.instances)
        return any(i.ignore for i in record.instances) or any(n > 1 for n in rows.values())
    return any(getattr(i, name) != _DEFAULTS[name] for i in record.instances)


def _check_target(source: Path, out: Path) -> None:
    if out.is_dir() and not any(out.iterdir()):
        pass
    elif out.exists() or out.is_symlink():
        raise WriteError("exists already", where=out, remedy="Name a new folder; nothing is overwritten")
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise UsageError("the new data set would lie inside the old one", where=out, remedy="Name a folder outside it")


def _shard_size(source: Path) -> int:
    try:
        size = json.loads((source / "run.json").read_text(encoding="utf-8"))["shard_size"]
    except (OSError, ValueError, KeyError, TypeError):
        return SHARD_SIZE  # not a data set that was made here
    return size if isinstance(size, int) and size > 0 else SHARD_SIZE


def _in_order(records: Iterable[Record], source: Path) -> Iterator[Record]:
    last = -1
    for record in records:
        if record.index <= last:
            raise DatasetError("records do not come in order of their index", where=source,
                               wanted=f"more than {last}", got=record.index)
        last = record.index
        yield record


def _counted(records: Iterable[Record], written: Format, tally: Counter[str]) -> Iterator[Record]:
    for record in records:
        tally["records"] += 1
        tally["all instances"] += len(record.instances)
        tally.update(field for field in written.lost if holds(record, field))
        yield record
