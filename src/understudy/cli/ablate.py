"""``understudy ablate``: what each axis of a recipe is worth."""

from __future__ import annotations

import argparse
from pathlib import Path

from understudy.cli import compare


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("POOL is a made data set; an axis is held still by keeping its pictures near the middle, or of the "
                     "commonest value. Every group has as many pictures as the narrowest. A killed study goes on.")
    parser.add_argument("pool", metavar="POOL", type=Path, help="a made data set, with its manifest.parquet")
    parser.add_argument("--axis", action="append", required=True, metavar="PATH",
                        help="a drawn path or its end (camera.iso); may be given again")
    parser.add_argument("--real", required=True, type=Path, metavar="TEST", help="real labelled pictures to measure on")
    compare.study(parser)


def run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from understudy.learn.ablate import ablate

    plan = compare.plan(args)
    found = ablate(replace(plan, base=replace(plan.base, data=args.pool)), args.axis, compare.progress)
    width = max(len(w.path) for w in found)
    for w in found:
        print(f"{w.path:{width}}  worth {w.gain}  (held at {w.held})")
    print(args.out / "report.html")
    return 0
