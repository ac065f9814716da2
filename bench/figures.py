"""The figures of the README: rate, scaling, cost of labels, memory, start-up, append cost.

    python bench/figures.py [--photos DIR] [--quick] [--only rate,labels,memory,start,append]

Each line of the table is measured in this run, with real processes, into a temporary folder. Rates are those of whole runs
with warm caches, starting the workers left out: the difference between a long and a short run, so long that what a worker
makes once weighs as little as in runs of thousands. Ratios come from runs that take turns, so that a noisy machine touches
both. Nothing here is a test: machines differ, look at the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

UNDERSTUDY = [sys.executable, "-m", "understudy"]


def run(recipe: str, n: int, workers: int, out: Path, *more: str, first: int = 0) -> float:
    """Seconds of one whole command."""
    start = time.perf_counter()
    subprocess.run([*UNDERSTUDY, "generate", recipe, "-n", str(n), "-o", str(out), "-w", str(workers), "-q", *more],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def rate(recipe: str, workers: int, folder: Path, n: int, more: list[str], tag: str) -> float:
    """Pictures a second without the start: extends a data set of ``workers`` pictures by n."""
    out = folder / f"{tag}-{recipe}-{workers}"
    warm = 2 * workers
    short = run(recipe, warm, workers, out, "--shard-size", "2", *more)
    long = run(recipe, warm + n, workers, folder / f"{out.name}-long", "--shard-size", "2", *more)
    return n / (long - short)


def rates(folder: Path, photos: list[str], n: int) -> list[tuple[str, str, str]]:
    rows = []
    for recipe, label, wanted, more in (
        ("people-in-photographs", "people in photographs, 640x480, all labels, JPEG + COCO", "4 pictures/s", photos),
        ("people-in-rooms", "full scene, denoised, 640x480, all labels, JPEG + COCO", "1.5 pictures/s", []),
    ):
        two, ratios = [], []
        for turn in range(2):
            both = rate(recipe, 2, folder, n, more, f"turn{turn}")
            one = rate(recipe, 1, folder, n // 2, more, f"turn{turn}")
            two.append(both)
            ratios.append(both / one)
        rows.append((label + ", 2 workers", wanted, f"{statistics.median(two):.2f} pictures/s"))
        rows.append(("the same, 2 workers against 1", "1.8 times", f"{statistics.median(ratios):.2f} times"))
    return rows


def labels(photos: list[str], n: int) -> list[tuple[str, str, str]]:
    """CPU seconds of the same records with all labels and with the picture alone, turn by turn in this process (what the two
    share, the scene and the rays that the picture needs too, is in both); and of the labels rendered on their own."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "UNDERSTUDY_THREADS", "OIDN_NUM_THREADS"), "1")
    from understudy.key import Key
    from understudy.labels import channels
    from understudy.make import Made, make_record
    from understudy.recipe import parse
    from understudy.signals import RGB

    rows = []
    for name, more in (("people-in-photographs", photos[1::2]), ("people-in-rooms", [])):
        recipe = parse(name, overrides=more)
        asked = channels(recipe.labels.keep)
        added, alone = [], []
        for i in range(n):
            outcome = make_record(recipe, i)  # warms up, and says which draw was good
            if isinstance(outcome, Made):
                key = Key(recipe.seed).child("record", i, outcome.attempts - 1)
                scene = sampled(recipe, key)
                turns = [(cpu_s(recipe, key, (RGB, *asked)), cpu_s(recipe, key, (RGB,)), cpu_s(recipe, key, asked, scene))
                         for _ in range(3)]
                whole, picture, own = (statistics.median(t) for t in zip(*turns))
                added.append(whole / picture - 1)
                alone.append(own / picture)
        rows += [(f"what all labels add to the time of the picture ({name}, {len(added)} records)", "under 10 %",
                  f"{100 * statistics.median(added):.0f} %"),
                 (f"the same labels rendered on their own, over the time of the picture ({name})", "",
                  f"{100 * statistics.median(alone):.0f} %")]
    return rows


def sampled(recipe, key):
    """The scene of one draw of a record."""
    from understudy.draws import Draws

    draws = Draws(key)
    camera = recipe.sensors.camera.sample(draws.at("sensors", "camera"))
    return recipe.world.sample(draws.at("world", recipe.world_name), camera)


def cpu_s(recipe, key, wanted, scene=None) -> float:
    """CPU seconds of making these channels, and all that is made of them; sampling the scene is in it unless it is given."""
    from understudy.labels import assemble
    from understudy.sensors.encode import encode
    from understudy.signals import RGB

    start = time.process_time()
    scene = sampled(recipe, key) if scene is None else scene
    signals = recipe.sensors.renderer.render(scene, wanted, key.child("render"))
    if RGB in wanted:
        encode(signals[RGB], scene.camera.electronics)
    if len(wanted) > 1:
        assemble(recipe.labels.keep, scene, signals)
    return time.process_time() - start


def resident_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return 0.0


def workers_of(pid: int) -> list[int]:
    """The worker processes that a run has started."""
    with contextlib.suppress(OSError):
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def memory(folder: Path, photos: list[str], n: int) -> list[tuple[str, str, str]]:
    """Resident memory of each worker over one long run (2 workers, recycled as shipped), when a tenth of the records
    (200 of 2,000) is there and at the end: medians of samples a second apart, over a window of a twentieth of the run."""
    out = folder / "memory"
    command = [*UNDERSTUDY, "generate", "people-in-photographs", "-n", str(n), "-o", str(out), "-w", "2", "-q", *photos]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    samples: dict[int, list[tuple[int, float]]] = {}
    while process.poll() is None:
        time.sleep(1.0)
        made = sum(1 for _ in out.glob("images/*/*")) + sum(1 for _ in out.glob(".work/*/images/*/*"))
        for pid in workers_of(process.pid):
            if (size := resident_mb(pid)) > 0:
                samples.setdefault(pid, []).append((made, size))
    rows = []
    for seen in samples.values():
        early = [m for made, m in seen if 0.075 * n <= made <= 0.125 * n]
        late = [m for made, m in seen if made >= 0.95 * n]
        if len(early) >= 5 and len(late) >= 5:  # a worker recycled on the way has no end to compare
            rows.append((statistics.median(early), statistics.median(late)))
        print("  " + ", ".join(f"{made}: {m:.0f} MB" for made, m in seen[::max(1, len(seen) // 40)]), file=sys.stderr)
    peak = max(m for seen in samples.values() for _, m in seen)
    each = "; ".join(f"{early:,.0f} to {late:,.0f} MB ({100 * (late / early - 1):+.0f} %)" for early, late in rows)
    return [("memory of a worker, largest seen", "under 1,500 MB", f"{peak:,.0f} MB"),
            (f"each of 2 workers after {n // 10:,} and after {n:,} records of the run", "within 10 %", each)]


def start(folder: Path, photos: list[str]) -> list[tuple[str, str, str]]:
    def seconds(command: list[str]) -> float:
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - begin

    help_s = statistics.median(seconds([*UNDERSTUDY, "--help"]) for _ in range(5))
    preview = [*UNDERSTUDY, "preview", "people-in-photographs", "-n", "1", "-o", str(folder / "p.png"), "--no-open", *photos]
    seconds(preview)
    first_s = statistics.median(seconds(preview) for _ in range(3))
    return [("`understudy --help`", "under 0.4 s", f"{help_s:.2f} s"),
            ("first preview picture, warm caches", "under 15 s", f"{first_s:.1f} s")]


def append(folder: Path, turns: int) -> list[tuple[str, str, str]]:
    """A whole command that adds ten shards of one tiny record to ten, against one that adds ten to 990: medians of turns
    on copies of the two folders, CPU time of the command and its worker, wall clock beside it."""
    more = ["--set", "sensors.renderer=flat", "--set", "sensors.camera.size=[32, 24]", "--shard-size", "1"]
    few, many = (10, 20), (990, 1000)
    for standing, _ in (few, many):
        run("solids", standing, 1, folder / f"append-{standing}", *more)
    spent: dict[int, list[tuple[float, float]]] = {few[0]: [], many[0]: []}
    for turn in range(turns):
        for standing, wanted in (few, many):
            out = folder / f"append-{standing}-{turn}"
            shutil.copytree(folder / f"append-{standing}", out)
            before = children_cpu_s()
            wall = run("solids", wanted, 1, out, *more)
            spent[standing].append((children_cpu_s() - before, wall))
            shutil.rmtree(out)
    (cpu_few, wall_few), (cpu_many, wall_many) = (
        [statistics.median(t[i] for t in spent[standing]) for i in (0, 1)] for standing, _ in (few, many))
    return [("a command that adds ten tiny shards to 990, against to 10", "flat",
             (f"{cpu_many / cpu_few:.2f} times the CPU time ({cpu_many:.2f} s against {cpu_few:.2f} s), "
              f"{wall_many / wall_few:.2f} times the wall clock"))]


def children_cpu_s() -> float:
    """CPU seconds of all processes started from here that have ended, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", help="a folder of photographs; painted ones if left out")
    parser.add_argument("--quick", action="store_true", help="a tenth of the pictures")
    parser.add_argument("--only", default="rate,labels,memory,start,append")
    args = parser.parse_args()
    photos = ["--set", f"world.people.surroundings.photographs.folder={Path(args.photos).resolve()}"] if args.photos else []
    scale = 0.1 if args.quick else 1.0
    print("| what | wanted | measured |\n|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in args.only.split(","):
            rows = {"rate": lambda: rates(folder, photos, max(int(200 * scale), 24)),
                     "labels": lambda: labels(photos, max(int(30 * scale), 3)),
                     "memory": lambda: memory(folder, [*photos, "--set", "sensors.camera.size=[256, 192]"],
                                              max(int(2000 * scale), 100)),
                     "start": lambda: start(folder, photos),
                     "append": lambda: append(folder, max(int(5 * scale), 1))}[part]()
            for row in rows:  # as they come: a run that is cut short has told what it knew
                print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
