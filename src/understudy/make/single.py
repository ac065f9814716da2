"""One record alone, with the very bytes that it has in the whole data set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import FolderTaken, UsageError
from understudy.make import folder
from understudy.make.executor import Executor
from understudy.make.manifest import FIXED, read_part
from understudy.make.processes import LocalProcesses
from understudy.make.ready import check_assets
from understudy.make.run import MAX_COUNT, about_of, shard_size_for
from understudy.make.shard import Audit, Ended, Job, Shard, Task, writing

if TYPE_CHECKING:
    from understudy.recipe import Recipe


@dataclass(frozen=True)
class One:
    """What became of the record: its end, and, where it was made, its row of the manifest."""

    ended: Ended
    attempts: int = 0
    drawn: Mapping[str, Any] = field(default_factory=dict)


def make_one(recipe: Recipe, index: int, out: str | Path, *, count: int | None = None, shard_size: int | None = None,
             audit: Audit | None = None, executor: Executor | None = None) -> One:
    """Record ``index`` as a data set of its own in the new or empty folder ``out``.

    It is made by a worker like any other (the same threads, the same bytes). ``count`` and ``shard_size`` are those of the
    whole data set and say where in the folder the picture lies. Nothing is left where the record is not made.
    """
    out = Path(out)
    if not 0 <= index < MAX_COUNT:
        raise UsageError("there is no such record", wanted=f"0 to {MAX_COUNT - 1}", got=index)
    check_assets(recipe.world)
    with writing(out):
        new = not out.exists()
        if not new and (not out.is_dir() or any(out.iterdir())):
            raise FolderTaken("this is not an empty folder", where=out, remedy="Name a new or empty folder with -o")
    task = Task(index // (shard_size or shard_size_for(count or recipe.count)), index, index + 1)
    one = None
    try:
        with folder.held(out), _nothing_half(out):
            events = (executor or LocalProcesses(1)).run(Job(recipe, out / folder.WORK, audit), [task])
            with closing(events):
                for event in events:
                    if isinstance(event, Ended):
                        one = One(event)
                    elif isinstance(event, Shard) and one.ended.kind == "ok":
                        folder.commit(out, event)
                        one = _with_row(one, out, task.number)
            if one.drawn:
                with writing(out):
                    recipe.write.finish(out, [task.number], about_of(recipe))
    finally:
        if new and out.is_dir() and not any(out.iterdir()):
            out.rmdir()
    return one


@contextmanager
def _nothing_half(out: Path) -> Iterator[None]:
    """Leave the folder, which was empty and is held, as it was if the record cannot be finished (a full disk, Ctrl-C)."""
    try:
        yield
    except BaseException:
        for path in out.iterdir():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != folder.LOCK:
                path.unlink(missing_ok=True)
        raise


def _with_row(one: One, out: Path, number: int) -> One:
    _, columns = read_part(folder.part_path(out, number))
    row = {name: values[0] for name, values in columns.items()}
    return One(one.ended, row["attempts"], {k: v for k, v in row.items() if k not in FIXED})
