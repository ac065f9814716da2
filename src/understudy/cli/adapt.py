"""``understudy adapt``: made pictures brought nearer to real ones. (Training that adapts is ``train --adapt``.)"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Adaptation of a network while it learns is `understudy train --adapt`."
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    refine = commands.add_parser("refine", help="write a made data set again, its pictures refined, its labels as they are")
    refine.add_argument("made", metavar="MADE", type=Path, help="the made data set (COCO, YOLO or WebDataset)")
    refine.add_argument("--real-unlabelled", required=True, type=Path, metavar="DIR",
                        help="real pictures to resemble; no label is read")
    refine.add_argument("-o", "--out", required=True, type=Path, help="the new data set's folder")
    refine.add_argument("--val", type=Path, metavar="REAL", help="real labelled pictures: the same network learns from both "
                        "sets, and the refined one is written only if it surely teaches better")
    refine.add_argument("--budget", default="8000img", help="of the refiner: crops (8000img) or CPU-seconds (300s) "
                        "(default 8000img)")
    refine.add_argument("--change", type=float, default=8.0, metavar="N",
                        help="how far a picture's channels may change on average, of 255 (default 8)")
    refine.add_argument("--keep", type=float, default=1.0, metavar="WEIGHT",
                        help="how strongly pictures are kept as they are within that (default 1)")
    refine.add_argument("--crop", type=int, default=96, metavar="PX", help="side of the crops (default 96)")
    refine.add_argument("--labeller", type=Path, metavar="MODEL",
                        help="a model of the made set that checks the labels (default: one is trained)")
    refine.add_argument("--labeller-budget", default="8000img", help="of the labeller's training (default 8000img)")
    refine.add_argument("--agree", type=float, default=0.95, metavar="SHARE",
                        help="of its score that the labeller must keep (default 0.95)")
    refine.add_argument("--val-budget", default="10000img", help="of each training for --val (default 10000img)")
    refine.add_argument("--classes", metavar="A,B", help="only these classes (default: all)")
    refine.add_argument("--rate", type=float, default=3e-4, help="learning rate of the refiner (default 0.0003)")
    refine.add_argument("--seed", type=int, default=0, metavar="N", help="(default 0)")
    refine.add_argument("--threads", type=int, default=1, metavar="N", help="(default 1)")


def run(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.learn.budget import parse_budget
    from understudy.learn.session import need_torch

    need_torch()
    from understudy.learn.native.refiner import Settings
    from understudy.learn.refine import Wish, refine

    if args.crop < 32 or args.crop % 8:
        raise UsageError("--crop is no multiple of 8 from 32 on", got=args.crop)
    for name, good, wanted in (("change", 0 < args.change <= 127, "above 0 and at most 127"),
                               ("rate", args.rate > 0, "above 0"), ("keep", args.keep >= 0, "0 or more"),
                               ("agree", 0 < args.agree <= 1, "above 0 and at most 1")):
        if not good:
            raise UsageError(f"--{name} is out of range", wanted=wanted, got=f"{getattr(args, name):g}")
    settings = Settings(parse_budget(args.budget), args.keep, args.crop, rate=args.rate, seed=args.seed,
                        threads=args.threads, change=args.change)
    classes = tuple(c.strip() for c in args.classes.split(",") if c.strip()) if args.classes else None
    done = refine(Wish(args.made, args.real_unlabelled, args.out, settings, args.labeller,
                       parse_budget(args.labeller_budget), args.agree, classes=classes, validation=args.val,
                       test_budget=parse_budget(args.val_budget)),
                  lambda text: print(text, file=sys.stderr, flush=True))
    judged = done.judged
    print(f"{args.out}: {done.pictures:,} pictures, channels changed by {done.change:.1f} of 255 on average")
    print(f"the labeller against the labels: {judged.before} as made, {judged.after} refined")
    if judged.better is None:
        print("Nothing is known yet of whether they teach more: understudy compare MADE REFINED --real REAL")
    else:
        print(f"learned from as made: {judged.made}; refined: {judged.refined}; difference {judged.better}")
    return 0
