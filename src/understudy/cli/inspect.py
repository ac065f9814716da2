"""``understudy inspect``: write an HTML report on a data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "The report is one file that works without a network. Foreign COCO and YOLO folders work too."
    parser.add_argument("folder", type=Path, help="a data set's folder, or a COCO annotation file")
    parser.add_argument("-o", "--out", type=Path, help="the report (report.html beside the folder's name if left out)")
    parser.add_argument("--samples", type=int, default=24, metavar="N", help="pictures to show (default 24)")
    parser.add_argument("--time", type=int, default=0, metavar="K",
                        help="make K records of the recipe again, and report the rate and what each stop costs")


def run(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.viewer.report import report
    from understudy.whole import written_whole

    if not 0 <= args.samples <= 500 or args.time < 0:
        raise UsageError("a report shows some samples", wanted="--samples from 0 to 500, --time from 0",
                         got=f"{args.samples}, {args.time}")
    out = args.out or Path(f"{args.folder.resolve().stem}-report.html")
    seconds = _seconds(args.folder, args.time) if args.time else None
    text = report(args.folder, samples=args.samples, seconds=seconds)
    with written_whole(out, "report") as rough:
        rough.write_bytes(text.encode(errors="replace"))  # a folder's name may be no UTF-8
    print(f"{out} ({out.stat().st_size / 1e6:.1f} MB)")
    return 0


def _seconds(folder: Path, count: int) -> Mapping[str, float]:
    """Seconds of one record by stop, over ``count`` records after a first one that warms up."""
    from collections import Counter

    from understudy.errors import UsageError
    from understudy.make import Made, make_record
    from understudy.recipe import parse

    if not (folder / "recipe.yaml").is_file():
        raise UsageError("only a data set with its recipe can be timed", where=folder, wanted="recipe.yaml")
    recipe = parse(folder / "recipe.yaml")
    total: Counter[str] = Counter()
    made = 0
    for index in range(count + 1):
        outcome = make_record(recipe, index)
        if index and isinstance(outcome, Made):
            total.update(outcome.seconds)
            made += 1
    return {stop: s / made for stop, s in total.items()} if made else {}
