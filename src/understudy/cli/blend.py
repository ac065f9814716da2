"""``understudy blend``: measure mixtures of made and real pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from understudy.cli import compare


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("Every mixture is shown the same number of pictures. 'made, then N real' trains on made pictures and "
                     "goes on with N real ones for a fifth of the budget. A killed study goes on where it was.")
    parser.add_argument("made", metavar="MADE", type=Path, help="the made data set")
    parser.add_argument("real_train", metavar="REAL", type=Path, help="real pictures to mix in")
    parser.add_argument("--real", required=True, type=Path, metavar="TEST", help="other real pictures to measure on")
    parser.add_argument("--ratios", default="0,50,70,85,95,100", metavar="A,B",
                        help="per cent of the pictures shown that are made (default 0,50,70,85,95,100)")
    parser.add_argument("--real-counts", default="all", metavar="N,M",
                        help="numbers of real pictures (20,50,all; default all)")
    parser.add_argument("--made-counts", default="", metavar="N,M",
                        help="numbers of made pictures, to see how many are enough (500,1000,2000)")
    compare.study(parser)


def run(args: argparse.Namespace) -> int:
    from understudy.learn.compare import blend

    ratios = numbers("--ratios", args.ratios, 0, 100)
    real_counts = [None if text.strip() == "all" else numbers("--real-counts", text, 1, 10**9)[0]
                   for text in args.real_counts.split(",")]
    made_counts = numbers("--made-counts", args.made_counts, 1, 10**9) if args.made_counts else []
    rows = blend(compare.plan(args), args.made, args.real_train, ratios, real_counts, made_counts, compare.progress)
    compare.show(rows, args.out)
    return 0


def numbers(option: str, text: str, least: int, most: int) -> list[int]:
    """``0,50,100`` as whole numbers, each once, in order."""
    from understudy.errors import UsageError

    parts = [p.strip() for p in text.split(",")]
    if not all(p.isascii() and p.isdigit() and least <= int(p) <= most for p in parts):
        raise UsageError(f"{option} is not understood", wanted=f"whole numbers from {least} to {most}, with commas",
                         got=repr(text))
    return sorted({int(p) for p in parts})
