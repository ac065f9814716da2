"""``understudy generate``: make a data set from a recipe."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.make import Report
    from understudy.recipe import Recipe
    from understudy.record import Record


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("Stopped in any way, the same command goes on where it stopped, to the same bytes; a larger -n extends "
                     "a data set. Exit code 0 when every record asked for is there, 1 when one is not (rejected by its own "
                     "constraints, or failed), 2 for a wrong command or recipe, 130 after Ctrl-C.")
    parser.add_argument("recipe", metavar="RECIPE", help="a recipe's file, or the name of a shipped one (`recipe list`)")
    parser.add_argument("-n", "--count", type=_whole, metavar="N", help="how many records (the recipe says if left out)")
    parser.add_argument("-o", "--out", type=Path, metavar="DIR",
                        help="the data set's folder (named like the recipe if left out)")
    parser.add_argument("-w", "--workers", type=_whole, metavar="W",
                        help="worker processes (one a core, as memory allows, if left out; 0 works in this process)")
    parser.add_argument("--seed", type=int, metavar="S", help="the root of all randomness, in place of the recipe's")
    parser.add_argument("--format", metavar="F", help="the format, in place of the recipe's: coco, yolo, webdataset")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="overrides",
                        help="override one value of the recipe (world.people.count=3); may be given again")
    parser.add_argument("--only", type=_whole, metavar="I", help="make record I alone and print what was drawn for it")
    parser.add_argument("--shard-size", type=_whole, metavar="K", help="records a shard (5 to 100 by the count if left out)")
    parser.add_argument("--retry-failed", action="store_true", help="make shards with failed records again")
    parser.add_argument("--no-check", action="store_true", help="do not audit the labels of each record as it is made")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no summary")


def run(args: argparse.Namespace) -> int:
    recipe = _recipe(args)
    audit = None if args.no_check else wrong_labels
    if args.only is not None:
        return _one(args, recipe, audit)
    from understudy.make import generate
    from understudy.make.machine import default_workers
    from understudy.make.processes import LocalProcesses
    from understudy.make.progress import Progress
    from understudy.make.tally import Silent

    out = args.out or Path(re.sub(r"[^\w.-]+", "-", recipe.name).strip("-.") or "dataset")
    watch = Silent() if args.quiet else Progress(sys.stderr)
    workers = default_workers() if args.workers is None else args.workers
    executor = LocalProcesses(workers, debug=args.debug) if workers else None
    with _stoppable() as stopped_by:
        try:
            report = generate(recipe, out, count=args.count, workers=workers, shard_size=args.shard_size,
                              retry_failed=args.retry_failed, audit=audit, watch=watch, executor=executor)
        except KeyboardInterrupt:
            watch.close()
            print(f"understudy: stopped. What is finished is kept in {out}; the same command goes on from there",
                  file=sys.stderr)
            return 128 + (stopped_by[0] if stopped_by else signal.SIGINT)
        finally:
            watch.close()
    if not args.quiet:
        print("\n".join(summary(report, recipe.write_name)))
    missing = report.rejected + report.failed
    if not missing:
        return 0
    print(f"understudy: {missing} of {report.made + missing} records are not there ({report.rejected} rejected, "
          f"{report.failed} failed; the reasons are in {report.out / 'ledger'})", file=sys.stderr)
    return 1


def wrong_labels(records: Sequence[Record]) -> list[object]:
    """The auditor's errors; its warnings are for ``understudy check``."""
    from understudy.checks.audit import audit_records

    return [finding for finding in audit_records(records) if finding.severity == "error"]


def summary(report: Report, written_as: str) -> list[str]:
    """A run's report as lines of text."""
    lost = [f"{n} {kind}" for kind, n in (("rejected", report.rejected), ("failed", report.failed)) if n]
    lines = [f"{report.out}: {report.made} pictures as {written_as}" + "".join(f", {part}" for part in lost)]
    if report.now:
        lines.append(f"  {report.now} in {report.elapsed_s:.1f} s, {report.pictures_per_second:.2f} pictures/s"
                     + (f"; {report.redrawn} draws refused and drawn again" if report.redrawn else ""))
        total = sum(report.seconds.values())
        if total > 0:
            shares = sorted(report.seconds.items(), key=lambda item: -item[1])
            lines.append("  workers' time: " + ", ".join(f"{name} {s / total:.0%}" for name, s in shares))
    else:
        lines.append("  nothing was left to do")
    reasons = sorted(report.reasons.items(), key=lambda item: (-item[1], item[0]))
    lines += [f"  {n} x {reason}" for reason, n in reasons[:5]]
    if len(reasons) > 5:
        lines.append(f"  ... and {len(reasons) - 5} more reasons (in {report.out / 'ledger'})")
    if report.skipped:
        lines.append(f"  {len(report.skipped)} files could not be used and were skipped (all are in "
                     f"{report.out / 'licences.json'}):")
        lines += [f"    {why}" for why in sorted(report.skipped)[:5]]
    return lines


def _recipe(args: argparse.Namespace) -> Recipe:
    from understudy.errors import RecipeError
    from understudy.recipe import parse

    overrides, names = list(args.overrides), {}
    for place, value, option in (("seed", args.seed, "--seed"), ("write", args.format, "--format")):
        if value is not None:
            overrides.append(f"{place}={value}")
            names[f"--set #{len(overrides)}"] = option
    try:
        return parse(args.recipe, overrides=overrides)
    except RecipeError as error:
        raise RecipeError([replace(p, where=names.get(p.where, p.where)) for p in error.problems]) from error


def _one(args: argparse.Namespace, recipe: Recipe, audit) -> int:
    from understudy.make.processes import LocalProcesses
    from understudy.make.single import make_one

    out = args.out or Path(f"record-{args.only}")
    one = make_one(recipe, args.only, out, count=args.count, shard_size=args.shard_size, audit=audit,
                   executor=LocalProcesses(1, debug=args.debug))
    if one.ended.kind != "ok":
        print(f"understudy: record {args.only} {one.ended.kind}: {one.ended.why}", file=sys.stderr)
        return 1
    if not args.quiet:
        width = max(map(len, one.drawn), default=0)
        for path, value in one.drawn.items():
            print(f"{path:{width}}  {value}")
        print(f"record {args.only}: in {out}, " + (f"draw {one.attempts}, the earlier ones refused" if one.attempts > 1
                                                     else "the first draw"))
    return 0


@contextmanager
def _stoppable() -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt once, and are then deaf while things are put away; which one it was."""
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return

    def stop(number: int, frame: object) -> None:
        seen.append(number)
        for deaf in (signal.SIGINT, signal.SIGTERM):
            signal.signal(deaf, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _whole(text: str) -> int:
    """A count as people write it: 1000, 10_000, 1e6."""
    try:
        number = int(text) if "e" not in text.lower() else float(text)
    except ValueError:
        number = -1.0
    if number < 0 or number != number or number in (float("inf"),) or int(number) != number:
        raise argparse.ArgumentTypeError(f"wanted a whole number of at least 0, got {text!r}")
    return int(number)
