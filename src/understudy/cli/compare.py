"""``understudy compare``: rank data sets by what they teach about real pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.cli import train

if TYPE_CHECKING:
    from understudy.learn.compare import Plan
    from understudy.learn.study import Row


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("Each data set trains the same small network, with each seed; differences are paired over the test's "
                     "pictures. A killed study goes on where it was: run the same command again.")
    parser.add_argument("sets", metavar="DATA", type=Path, nargs="+", help="the data sets to rank")
    parser.add_argument("--real", required=True, type=Path, metavar="TEST", help="real labelled pictures to measure on")
    parser.add_argument("--real-train", type=Path, metavar="REAL",
                        help="other real pictures: they choose checkpoints, and 'real only' and 'then real' are ranked, too")
    study(parser)


def study(parser: argparse.ArgumentParser) -> None:
    """What every study takes."""
    train.what(parser)
    parser.add_argument("-o", "--out", required=True, type=Path, help="the study's folder")
    parser.add_argument("--val", type=Path, metavar="REAL", help="real pictures that choose checkpoints")
    parser.add_argument("--budget", default="40000img", help="of each training (default 40000img)")
    parser.add_argument("--seeds", type=int, default=2, metavar="N", help="trainings of each kind (default 2)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="the first seed (default 0)")
    parser.add_argument("--count", type=int, metavar="N", help="use N pictures of each data set only")
    parser.add_argument("-w", "--workers", type=int, metavar="N", help="trainings at once (default: as many as cores)")
    parser.add_argument("--batch", type=int, default=16, metavar="N", help="pictures a step (default 16)")
    parser.add_argument("--rate", type=float, default=3e-3, help="greatest learning rate (default 0.003)")
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto", help="(default auto)")
    train.naming(parser)


def run(args: argparse.Namespace) -> int:
    from understudy.learn.compare import compare

    rows = compare(plan(args), args.sets, args.real_train, progress)
    show(rows, args.out)
    return 0


def plan(args: argparse.Namespace) -> Plan:
    """The arguments of :func:`study` as a Plan."""
    from understudy.errors import UsageError
    from understudy.learn.compare import Plan
    from understudy.learn.prepare import refuse_made
    from understudy.learn.session import Request
    from understudy.learn.sources import open_source
    from understudy.make.machine import default_workers

    for name in ("seeds", "workers"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise UsageError(f"--{name} is too small", wanted="1 or more", got=value)
    refuse_made(open_source(args.real), "--real")
    args.data, args.mix, args.threads = Path(), [], 1
    base = Request(**train.wanted(args), **train.settings(args))
    return Plan(base, args.real, args.out, args.seeds, args.workers or default_workers())


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def show(rows: list[Row], out: Path) -> None:
    """The leaderboard as lines."""
    width = max(len(r.group) for r in rows)
    for r in rows:
        behind = "" if r.behind is None else f"  behind by {r.behind}"
        print(f"{r.group:{width}}  {r.figure}  seeds {r.spread[0]:.3f} to {r.spread[1]:.3f}  {r.cpu_s:6,.0f} CPU-s{behind}")
    print(out / "report.html")
