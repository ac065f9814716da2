"""One shard: a fixed range of consecutive records, made below a work folder and handed over whole.

:func:`make_shard` is a generator of plain events, the same whether a process on this machine, a thread in a test or a
distributed engine drives it. It writes only below its own folder; whoever drives it puts the result in place.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from understudy.errors import MissingDependency, RecipeError, UnderstudyError, UsageError, WriteError
from understudy.make.manifest import write_part
from understudy.make.record import MAX_ATTEMPTS, Made, Outcome, make_record
from understudy.record import Record

if TYPE_CHECKING:
    from understudy.recipe import Recipe

# A record that raises is tried once more, in case the cause was the machine (memory, files) and not the record: the same
# attempt, so the bytes cannot depend on it.
TRIES = 2

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}

Audit = Callable[[Sequence[Record]], Sequence[object]]


@dataclass(frozen=True)
class Job:
    """What all shards of a run share. Picklable; ``audit`` is a module-level function that lists what is wrong."""

    recipe: Recipe
    work: Path
    audit: Audit | None = None
    max_attempts: int = MAX_ATTEMPTS


@dataclass(frozen=True)
class Task:
    """Records [first, stop) as shard ``number``. ``skip``: records not to be tried (they killed a worker), and why."""

    number: int
    first: int
    stop: int
    skip: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Began:
    """A shard begins, perhaps again: what was told of it before is void."""

    shard: int


@dataclass(frozen=True)
class Trying:
    """Record ``index`` is about to be made: if the process dies now, this is why."""

    shard: int
    index: int


@dataclass(frozen=True)
class Ended:
    """Record ``index`` is ``ok``, ``rejected`` or ``failed`` (``why``); ``refused``: draws thrown away on the way."""

    shard: int
    index: int
    kind: str
    why: str = ""
    refused: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Shard:
    """A shard that is whole, below ``folder``.

    units : files and folders, relative to ``folder``, to rename into place
    ledger : what its ledger file will say (plain data, no clock)
    """

    number: int
    folder: Path
    units: tuple[str, ...]
    ledger: Mapping[str, object]


@dataclass(frozen=True)
class Said:
    """A warning for the user, from wherever the shard is made."""

    text: str


Event = Began | Trying | Ended | Shard | Said


class _Spoiled(Exception):
    """Writing one record failed half-way: the shard begins again without it."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(index, why)
        self.index, self.why = index, why


def make_shard(job: Job, task: Task) -> Iterator[Event]:
    """Make ``task`` and yield what happens; the last event is the :class:`Shard`.

    Raises WriteError when the folder cannot be written, and what concerns the whole run (MissingDependency, a wrong
    recipe); everything else that a record raises becomes its ledger line.
    """
    skip = dict(task.skip)
    while True:
        try:
            yield from _pass(job, task, skip)
            return
        except _Spoiled as spoiled:
            skip[spoiled.index] = spoiled.why
        except ModuleNotFoundError as error:  # true of every record: the run ends
            raise MissingDependency(f"the package {error.name} is missing", remedy="pip install --force-reinstall "
                                    "understudy; `understudy doctor` says what else is") from error


def _pass(job: Job, task: Task, skip: Mapping[int, str]) -> Iterator[Event]:
    yield Began(task.number)
    folder = job.work / shard_name(task.number)
    with writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        writer = job.recipe.write.shard(folder, task.number)
    lines: dict[str, list[dict]] = {"ok": [], "rejected": [], "failed": []}
    rows: list[dict] = []
    assets: Counter[tuple[str, str, str, str]] = Counter()
    skipped: Counter[tuple[str, str]] = Counter()
    for index in range(task.first, task.stop):
        yield Trying(task.number, index)
        outcome = skip[index] if index in skip else _make(job, index)
        kind, line = _line(index, outcome)
        if isinstance(outcome, Made):
            record, began = outcome.record, perf_counter()
            with writing(folder):
                try:
                    writer.add(record)
                except Exception as error:
                    if isinstance(error, OSError) or isinstance(error.__cause__, OSError):
                        raise  # the disk's fault, not the record's
                    raise _Spoiled(index, f"writing it: {_describe(error)}") from error
            rows.append({"index": index, "attempts": outcome.attempts, "suffix": record.picture.suffix,
                         "drawn": record.drawn})
            assets.update(record.assets)
            skipped.update((s.name, s.why) for s in outcome.skipped)
            seconds = {**outcome.seconds, "writing": perf_counter() - began}
            del record
        else:
            seconds = {}
        lines[kind].append(line)
        refused = len(line.get("refused", ()))
        why = line.get("why") or (line["refused"][-1] if kind != "ok" else "")
        del outcome  # one record's arrays at a time
        yield Ended(task.number, index, kind, why, refused, seconds)
    with writing(folder):
        units = tuple(writer.close())
        files = {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}
        for row in rows:
            row["file_name"] = picture_file(files, row["index"], row.pop("suffix"))
        part = part_name(task.number)
        (folder / part).parent.mkdir(exist_ok=True)
        write_part(folder / part, rows)
        files[part] = folder / part
        checked = {name: _facts(path) for name, path in files.items()}
    ledger = {
        "shard": task.number, "first": task.first, "stop": task.stop,
        "made": len(lines["ok"]),
        "redrawn": [line for line in lines["ok"] if line["refused"]],
        "rejected": lines["rejected"], "failed": lines["failed"],
        "assets": [[*asset, times] for asset, times in sorted(assets.items())],
        "skipped": [[*asset, times] for asset, times in sorted(skipped.items())],
        "units": sorted(units),
        "files": checked,
    }
    yield Shard(task.number, folder, (*units, part), ledger)


def _make(job: Job, index: int) -> Outcome | str:
    """The outcome, or why it failed."""
    why = ""
    for _ in range(TRIES):
        try:
            outcome = make_record(job.recipe, index, max_attempts=job.max_attempts)
            return _checked(outcome, job.audit) if job.audit and isinstance(outcome, Made) else outcome
        except (MissingDependency, ModuleNotFoundError, RecipeError, UsageError):
            raise  # true of every record: the run ends
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _FULL:
                raise unwritable(error, job.work) from error
            why = _describe(error)
    return why


def _checked(made: Made, audit: Audit) -> Made | str:
    began = perf_counter()
    found = audit([made.record])
    if found:
        return f"its labels are wrong: {'; '.join(map(str, found))}"
    return replace(made, seconds={**made.seconds, "checking": perf_counter() - began})


def _line(index: int, outcome: Outcome | str) -> tuple[str, dict]:
    """Which list of the ledger a record belongs to, and its line there."""
    if isinstance(outcome, Made):
        return "ok", {"index": index, "refused": list(outcome.refused)}
    if isinstance(outcome, str):
        return "failed", {"index": index, "why": outcome}
    kind = "failed" if outcome.asset else "rejected"
    return kind, {"index": index, "refused": list(outcome.refused)}


def _describe(error: BaseException) -> str:
    return str(error) if isinstance(error, UnderstudyError) else f"{type(error).__name__}: {error}"


def shard_name(number: int) -> str:
    return f"{number:05d}"


def part_name(number: int) -> str:
    """The shard's rows of the manifest, relative to the data set's folder."""
    return f"ledger/{shard_name(number)}.jsonl"


def picture_file(files: Mapping[str, Path], index: int, suffix: str) -> str:
    """Where a record's picture is: its file, or ``archive.tar/member`` where the shard is one archive."""
    name = f"{index:09d}{suffix}"
    found = next((f for f in files if f.rpartition("/")[2] == name), None)
    if found is None:
        archive = next((f for f in files if f.endswith(".tar")), None)
        return f"{archive}/{name}" if archive else name
    return found


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turn the operating system's refusals in this block into one clear WriteError."""
    try:
        yield
    except OSError as error:
        raise unwritable(error, where) from error


def unwritable(error: OSError, where: Path) -> WriteError:
    return WriteError(f"cannot write here: {error.strerror or error}", where=error.filename or where,
                      remedy="What was finished before is kept: make room or choose another folder, then run the same "
                             "command again")


def _facts(path: Path) -> dict[str, object]:
    """A file's size and checksum."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
