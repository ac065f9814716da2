"""A data set's folder: whose it is, who holds it now, which of its shards are committed.

::

    OUT/.lock                 held (flock) while a run is at work; says its process id
    OUT/.work/                everything unfinished; thrown away when a run starts and when it ends
    OUT/run.json              whose folder this is: recipe, seed, format, shard size, versions that shape bytes
    OUT/ledger/00007.json     shard 7 is committed: its files, and what became of each record
    OUT/ledger/total.json     the sum of the whole shards (make/total.py)

The ledger file is the commit marker: it is renamed into place after the shard's files are, and a shard without one is
made again, to the same bytes. So a kill at any instant costs the shards in hand and nothing else. After a power cut, files
that had not reached the disk are missing or short: sizes are compared with the ledger's before a run goes on, and such a
shard is made again too (which spares the wait for the disk after each of a hundred thousand files).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import FolderBusy, FolderTaken, RunError, UsageError
from understudy.make.shard import Shard, part_name, shard_name, writing

if TYPE_CHECKING:
    from understudy.recipe import Recipe

LOCK, WORK, RUN, LEDGER = ".lock", ".work", "run.json", "ledger"


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold ``out`` for this process (made if absent), with an empty work folder in it; FolderBusy if another does.

    Refuses a folder that holds anything and was not begun by a run (FolderTaken).
    """
    with writing(out):
        if out.exists() and not out.is_dir():
            raise FolderTaken("this is a file, not a folder", where=out, remedy="Name a new or empty folder with -o")
        out.mkdir(parents=True, exist_ok=True)
        foreign = [] if (out / RUN).exists() else sorted(p.name for p in out.iterdir() if p.name not in (LOCK, WORK))
        if foreign:
            raise FolderTaken("the folder holds files that no run of understudy made", where=out,
                              got=", ".join(foreign[:3]) + (" ..." if len(foreign) > 3 else ""),
                              remedy="Name a new or empty folder with -o")
        lock = _locked(out)
    try:
        with writing(out):
            shutil.rmtree(out / WORK, ignore_errors=True)
            (out / WORK).mkdir(exist_ok=True)
        yield
    finally:
        shutil.rmtree(out / WORK, ignore_errors=True)
        (out / LOCK).unlink(missing_ok=True)  # before the lock is let go: whoever waits for this file finds it gone
        os.close(lock)


def _locked(out: Path) -> int:
    path = out / LOCK
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock, 32).decode(errors="replace").strip()
            os.close(lock)
            raise FolderBusy("another run is at work in this folder", where=out, got=f"process {holder or 'unknown'}",
                             remedy="Wait for it, stop it, or name another folder with -o") from None
        try:
            ours = os.path.samestat(os.fstat(lock), path.stat())
        except FileNotFoundError:
            ours = False
        if ours:
            try:
                os.ftruncate(lock, 0)
                os.write(lock, f"{os.getpid()}\n".encode())
            except OSError:  # a full disk
                path.unlink(missing_ok=True)
                os.close(lock)
                raise
            return lock
        os.close(lock)  # the holder let go, and removed this file, between our open and our lock


def claim(out: Path, identity: Mapping[str, Any], recipe: Recipe, shard_size: int | None, *,
          default_shard_size: int) -> int:
    """Make the held folder this run's, or check that it is; the shard size that holds here.

    recipe : as run, with the count asked for; identity : everything else that the folder's bytes depend on
    A folder in which no record was made yet is anybody's: a first try that came to nothing stands in nobody's way.
    Raises FolderTaken, naming what differs, where another recipe, seed, format or version began it, and UsageError where
    more is made already than is asked for.
    """
    path, count = out / RUN, recipe.count
    size = shard_size or default_shard_size
    if path.exists() and not _empty_of_records(out):
        try:
            found = json.loads(path.read_text())
            size = int(found["shard_size"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise FolderTaken("this file is not the work of understudy, or is damaged", where=path,
                              remedy="Name another folder with -o, or remove this one") from error
        wanted = {**identity, "shard_size": shard_size or size, "count": found.get("count")}
        if found != wanted:
            raise FolderTaken("the folder belongs to another run: " + "; ".join(_what_differs(out, found, wanted, recipe)),
                              where=out, remedy="Name another folder with -o, or run what began this one")
        last = next(ledger_entries(out, backwards=True), None)
        made = last["stop"] if last else 0
        if count < made:
            raise UsageError("the folder holds more records than were asked for", where=out, wanted=f"-n {count}",
                             got=f"{made} already made",
                             remedy=f"Ask for at least {made}, or name another folder with -o")
    put(out, RUN, to_json({**identity, "shard_size": size, "count": count}))
    put(out, "recipe.yaml", recipe.to_yaml(out))
    return size


def _empty_of_records(out: Path) -> bool:
    """True, and everything of an earlier run removed, where that run made no record and left nothing else."""
    entries = []
    for entry in ledger_entries(out):
        if entry["made"]:
            return False
        entries.append(entry)
    known = {RUN, "recipe.yaml", LOCK, *(f"{LEDGER}/{shard_name(e['shard'])}.json" for e in entries),
             *(name for e in entries for name in e["files"])}
    if any(p.relative_to(out).as_posix() not in known for p in out.rglob("*") if not p.is_dir()):
        return False
    with writing(out):
        for name in sorted(known - {LOCK}, key=lambda n: (n == RUN, n.startswith(f"{LEDGER}/"), n)):  # run.json last
            (out / name).unlink(missing_ok=True)
        for path in sorted(out.rglob("*"), reverse=True):
            if path.is_dir() and path.name != WORK:
                path.rmdir()
    return True


def _what_differs(out: Path, found: Mapping, wanted: Mapping, recipe: Recipe) -> list[str]:
    """Short sentences; where it is the recipe, by the paths in it."""
    digest = "recipe_digest"
    lines = []
    if found.get(digest) != wanted[digest]:
        import yaml

        try:
            before = yaml.safe_load((out / "recipe.yaml").read_text())
        except (OSError, ValueError, yaml.YAMLError):
            before = None
        skip = {"count", "seed", "write"}  # told below, or no difference
        if isinstance(before, dict):
            lines = _differences({k: v for k, v in before.items() if k not in skip},
                                 {k: v for k, v in recipe.plain().items() if k not in skip})
        found, wanted = ({k: v for k, v in side.items() if k != digest or not lines} for side in (found, wanted))
    lines += _differences(found, wanted)
    return lines[:6] + ([f"and {len(lines) - 6} more"] if len(lines) > 6 else [])


def _differences(found: Mapping, wanted: Mapping, prefix: str = "") -> list[str]:
    lines = []
    found, wanted = ({str(k): v for k, v in side.items()} for side in (found, wanted))  # YAML reads some names as numbers
    for name in sorted(found.keys() | wanted.keys()):
        a, b = found.get(name), wanted.get(name)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            lines += _differences(a, b, f"{prefix}{name}.")
        elif a != b:
            lines.append(f"{prefix}{name} is {_short(a)} there and {_short(b)} here")
    return lines


def _short(value: object) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 40 else text[:12] + "..."


def ledger_entries(out: Path, *, backwards: bool = False) -> Iterator[dict]:
    """The committed shards' ledgers, in order. A file that is not one is treated as absent: its shard is made again."""
    folder = out / LEDGER
    names = [path.name for path in folder.iterdir() if path.suffix == ".json"] if folder.is_dir() else []
    for name in sorted(names, key=lambda n: (len(n), n), reverse=backwards):
        entry = read_ledger(folder / name)
        if entry is not None:
            yield entry


def read_ledger(path: Path) -> dict | None:
    try:
        entry = json.loads(path.read_text())
        return entry if shard_name(int(entry["shard"])) == path.stem and {"stop", "files", "units"} <= entry.keys() else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_whole(out: Path, first: int, stop: int, entry: Mapping) -> bool:
    """Does the ledger entry cover exactly these records, and are its files there, in the size that they had?"""
    if (entry["first"], entry["stop"]) != (first, stop) or part_name(entry["shard"]) not in entry["files"]:
        return False
    try:
        return all((out / name).stat().st_size == facts["bytes"] for name, facts in entry["files"].items())
    except OSError:
        return False


def commit(out: Path, shard: Shard) -> None:
    """Put a whole shard in place: unit by unit, its ledger file last."""
    with writing(out):
        ledger = ledger_path(out, shard.number)
        ledger.parent.mkdir(exist_ok=True)
        ledger.unlink(missing_ok=True)  # a shard that is made again stops counting before its files change
        for unit in shard.units:
            source, target = shard.folder / unit, out / unit
            if not source.resolve().is_relative_to(shard.folder.resolve()):
                raise RunError("a writer named a unit outside its shard", where=unit)
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir() and not target.is_symlink():
                shutil.rmtree(target)
            source.replace(target)
        put(out, f"{LEDGER}/{ledger.name}", to_json(shard.ledger))
        shutil.rmtree(shard.folder, ignore_errors=True)


def put(out: Path, name: str, text: str) -> None:
    """Write a small file whole or not at all."""
    with writing(out):
        temporary = out / WORK / name.replace("/", "-")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out / name)


def forget(out: Path, name: str) -> None:
    """Remove a file that may be there."""
    with writing(out):
        (out / name).unlink(missing_ok=True)


def ledger_path(out: Path, number: int) -> Path:
    return out / LEDGER / f"{shard_name(number)}.json"


def part_path(out: Path, number: int) -> Path:
    return out / part_name(number)


def to_json(thing: object) -> str:
    return json.dumps(thing, indent=1, ensure_ascii=False) + "\n"
