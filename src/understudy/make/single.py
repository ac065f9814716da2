"""One record alone, with the very bytes that it has in the whole data set."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import FolderTaken, UsageError
from understudy.make.record import Made, Outcome, make_record
from understudy.make.run import MAX_COUNT, shard_size_for
from understudy.make.shard import Audit, writing
from understudy.writers import About

if TYPE_CHECKING:
    from understudy.recipe import Recipe


def make_one(recipe: Recipe, index: int, out: str | Path, *, count: int | None = None, shard_size: int | None = None,
             audit: Audit | None = None) -> tuple[Outcome, list[object]]:
    """Record ``index`` as a data set of its own in the new or empty folder ``out``; the outcome and the audit's findings.

    ``count`` and ``shard_size`` are those of the whole data set, and say where in the folder the picture lies. Nothing is
    written where the record is rejected. Raises what the record raises.
    """
    out = Path(out)
    if not 0 <= index < MAX_COUNT:
        raise UsageError("there is no such record", wanted=f"0 to {MAX_COUNT - 1}", got=index)
    with writing(out):
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FolderTaken("this is not an empty folder", where=out, remedy="Name a new or empty folder with -o")
    outcome = make_record(recipe, index)
    if not isinstance(outcome, Made):
        return outcome, []
    findings = list(audit([outcome.record])) if audit else []
    number = index // (shard_size or shard_size_for(count or recipe.count))
    about = About(recipe.name, tuple(recipe.world.categories), recipe_digest=recipe.digest, seed=recipe.seed, version="1",
                  description=f"Record {index} alone.")
    with writing(out):
        made_here = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        try:
            writer = recipe.write.shard(out, number)
            writer.add(outcome.record)
            writer.close()
            recipe.write.finish(out, [number], about)
        except BaseException:
            if made_here:
                shutil.rmtree(out, ignore_errors=True)
            raise
    return outcome, findings
