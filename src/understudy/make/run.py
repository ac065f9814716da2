"""A run: a recipe, a folder and a count become a data set, however often it is stopped on the way.

The one place that knows of shards, resume and progress; processes are the executor's business.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.draws import Draws
from understudy.errors import RunError, UsageError
from understudy.key import Key
from understudy.make import card, folder, manifest
from understudy.make.executor import Executor, InProcess
from understudy.make.processes import LocalProcesses
from understudy.make.ready import check_assets
from understudy.make.shard import Audit, Job, Said, Shard, Task, writing
from understudy.make.tally import Silent, Tally, Watch
from understudy.make.total import TOTAL, Total, read_total
from understudy.writers import About

if TYPE_CHECKING:
    from understudy.recipe import Recipe

MAX_COUNT = 10**9  # nine digits in a file's name
# So many records lost without one made between them: the fault is the recipe's or the machine's, not the records'.
HOPELESS = 20
HOPE = "Mend what the reason names and run again; --retry-failed makes the lost ones among the others again"
# The packages whose version can change a record's bytes.
SHAPING = ("understudy", "numpy", "scipy", "pillow", "opencv-python-headless", "pycocotools", "pyarrow", "mitsuba", "drjit",
           "pyoidn", "anny")


@dataclass(frozen=True)
class Report:
    """What stands in the folder after a run.

    made, rejected, failed : records in the whole data set; now : those of them that this run ended
    redrawn : draws that were refused and drawn again; reasons : why records were lost in this run, and how often
    seconds : worker time by stop of a record's path; elapsed_s : wall clock of this run
    skipped : why files were passed over, and by how many of the data set's records
    """

    out: Path
    made: int
    rejected: int
    failed: int
    now: int
    redrawn: int
    reasons: Mapping[str, int]
    seconds: Mapping[str, float]
    elapsed_s: float
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def pictures_per_second(self) -> float:
        return self.now / self.elapsed_s if self.elapsed_s > 0 else 0.0


def generate(
    recipe: Recipe,
    out: str | Path,
    *,
    count: int | None = None,
    workers: int = 1,
    shard_size: int | None = None,
    retry_failed: bool = False,
    audit: Audit | None = None,
    watch: Watch | None = None,
    executor: Executor | None = None,
) -> Report:
    """Make records [0, count) of ``recipe`` in the folder ``out``, or what of them is not there yet.

    count : the recipe's own if None; a larger one than before extends the data set
    workers : processes; 0 makes everything in this one
    shard_size : records a shard (chosen by the count if None); fixed for a folder once begun
    retry_failed : make shards with failed records again
    audit : lists what is wrong with records; a record with findings is left out as failed (module-level function)
    watch : is told of progress; executor : where shards are made, in place of ``workers``

    Raises AssetError where a folder that the recipe names cannot serve (before anything is made), FolderBusy, FolderTaken,
    WriteError, UsageError, or RunError where no record can be made; whatever is raised (Ctrl-C too), the shards that are
    committed stay, and the same call goes on from there.
    """
    out, watch = Path(out), watch or Silent()
    count = recipe.count if count is None else count
    for name, number, least, most in (("count", count, 1, MAX_COUNT), ("workers", workers, 0, 4096),
                                      ("shard_size", shard_size, 1, 100_000)):
        if number is not None and not least <= number <= most:
            raise UsageError(f"{name} is out of range", wanted=f"{least} to {most}", got=number)
    check_assets(recipe.world)
    executor = executor or (LocalProcesses(workers) if workers else InProcess())
    if not (out / folder.RUN).exists():
        _check_room(recipe, count, out)
    with folder.held(out):
        size = folder.claim(out, _identity(recipe), replace(recipe, count=count), shard_size,
                            default_shard_size=shard_size_for(count))
        tally = Tally(count)
        known, manifest_was = read_total(out)
        if known.shards * size > count or (retry_failed and known.counts["failed"]):
            known = Total()
        if not known.shards:
            folder.forget(out, f"{folder.LEDGER}/{TOTAL}")  # before a shard that it covers is made again
        todo = _todo(out, count, size, retry_failed, tally, known)
        _check_room(recipe, count - tally.before.total(), out)
        watch.update(tally)
        job = Job(recipe, out / folder.WORK, audit)
        tasks = (Task(n, n * size, min((n + 1) * size, count)) for n in todo)
        warned = False
        with closing(_events(executor, job, tasks)) as events:
            for event in events:
                if isinstance(event, Shard):
                    folder.commit(out, event)
                    warned = warned or _warn_of_room(out, event, count - tally.before.total() - tally.ended, watch)
                elif isinstance(event, Said):
                    watch.say(event.text)
                tally.saw(event)
                watch.update(tally)
                if len(tally.lost_in_a_row) >= HOPELESS:
                    raise RunError(f"gave up: {HOPELESS} records in a row came to nothing", where=out,
                                   got=tally.last_reason,
                                   remedy=HOPE)
        if not tally.of("ok"):
            reason = tally.reasons.most_common(1)
            raise RunError("not one record could be made", where=out, got=reason[0][0] if reason else None,
                           remedy="Mend what the reason names and run again")
        watch.say("writing the indexes")
        skipped = _finish(recipe, out, -(-count // size), count // size, known, manifest_was).skipped
    return Report(out, tally.of("ok"), tally.of("rejected"), tally.of("failed"), tally.committed.total(), tally.redrawn,
                  dict(tally.reasons), dict(tally.seconds), tally.elapsed_s, {why: n for (_, why), n in skipped.items()})


def shard_size_for(count: int) -> int:
    """Records a shard: about twenty shards at least, so that workers share a small run, and a hundred records at most,
    so that a kill costs little. A function of the count alone, never of the workers."""
    return next((size for limit, size in ((100, 5), (400, 10), (1000, 20), (4000, 50)) if count <= limit), 100)


def _events(executor: Executor, job: Job, tasks: Iterator[Task]) -> Iterator[Any]:
    yield from executor.run(job, tasks)


def _todo(out: Path, count: int, size: int, retry_failed: bool, tally: Tally, known: Total) -> list[int]:
    """The shards that are not committed whole; the others are counted in ``tally``. Those in ``known`` are."""
    todo = []
    tally.before.update(known.counts)
    for number in range(known.shards, -(-count // size)):
        entry = folder.read_ledger(folder.ledger_path(out, number))
        first, stop = number * size, min((number + 1) * size, count)
        if (entry is None or not folder.is_whole(out, first, stop, entry) or (retry_failed and entry["failed"])):
            todo.append(number)
        else:
            tally.before.update({"ok": entry["made"], "rejected": len(entry["rejected"]), "failed": len(entry["failed"])})
    return todo


def _finish(recipe: Recipe, out: Path, shards: int, full: int, known: Total, manifest_was: str) -> Total:
    """The files of the whole data set, from the shards' ledgers and the format, and their total. May be run again.

    full : shards that hold as many records as a shard may; known : the sum of the first of them, as an earlier run left it
    with a manifest of this checksum
    """
    about = about_of(recipe)
    with writing(out):
        recipe.write.finish(out, range(shards), about)
        whole = known.copy()
        lasting = whole
        for number in range(known.shards, shards):
            if number == full:
                lasting = whole.copy()
            path = folder.ledger_path(out, number)
            entry = folder.read_ledger(path)
            whole.add(entry, path.stat().st_size, manifest.kinds_in(folder.part_path(out, number)))
        merged, target = out / folder.WORK / "manifest.parquet", out / "manifest.parquet"
        standing = None
        if known.shards and target.is_file() and _checksum(target) == manifest_was:
            standing = manifest.Standing(target, known.counts["ok"], known.shards)
        columns = manifest.merge([folder.part_path(out, n) for n in range(shards)], whole.columns, merged, standing)
        merged.replace(target)
        folder.put(out, "licences.json", card.licences(whole))
        folder.put(out, "croissant.json", card.croissant(out, about, columns, whole))
        folder.put(out, f"{folder.LEDGER}/{TOTAL}", folder.to_json({**lasting.plain(), "manifest": _checksum(target)}))
    return whole


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def about_of(recipe: Recipe) -> About:
    """What the data set says of itself."""
    return About(recipe.name, tuple(recipe.world.categories), recipe_digest=recipe.digest, seed=recipe.seed, version="1",
                 description=f"Made by understudy {_version('understudy')} from recipe {recipe.digest}, seed {recipe.seed}.")


def _identity(recipe: Recipe) -> dict[str, Any]:
    return {"made_by": "understudy", "recipe": recipe.name, "recipe_digest": recipe.digest, "seed": recipe.seed,
            "format": recipe.plain()["write"], "versions": {name: _version(name) for name in SHAPING}}


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _check_room(recipe: Recipe, count: int, out: Path) -> None:
    """Refuse what cannot fit: a low estimate of the pictures alone against the free space."""
    camera = recipe.sensors.camera.sample(Draws(Key(recipe.seed)))
    pixels = camera.lens.size_wh[0] * camera.lens.size_wh[1]
    estimate = count * pixels * (0.05 if camera.electronics.jpeg_quality else 0.3)
    with writing(out):
        existing = next(p for p in (out.absolute(), *out.absolute().parents) if p.exists())
        total, _, free = shutil.disk_usage(existing)
    if total and estimate > free:  # a file system that counts nothing says 0
        raise RunError("the data set would not fit on this disk", where=existing,
                       wanted=f"at least {_bytes(estimate)} for {count} records", got=f"{_bytes(free)} free",
                       remedy="Ask for fewer records with -n, or name a folder on a larger disk")


def _warn_of_room(out: Path, shard: Shard, left: int, watch: Watch) -> bool:
    """Once a shard's true size is known: say so if the disk will fill up. True once said or seen to be enough."""
    made = int(shard.ledger["stop"]) - int(shard.ledger["first"])
    size = sum(facts["bytes"] for facts in shard.ledger["files"].values())
    free = shutil.disk_usage(out).free
    if left * size / made > free:
        watch.say(f"the disk will be full after about {int(free / size * made)} more records ({_bytes(free)} free)")
    return True


def _bytes(n: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if n < 1000:
            return f"{n:.0f} {unit}"
        n /= 1000
    return f"{n:.0f} PB"

