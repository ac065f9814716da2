"""``understudy convert``: rewrite a data set in another format, and say what that costs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    from understudy.writers import WRITERS

    parser.epilog = ("IN may be any COCO, YOLO or WebDataset folder, or a COCO annotation file. OUT appears only when it is "
                     "whole; nothing is overwritten.")
    parser.add_argument("source", metavar="IN", type=Path, help="the data set to read")
    parser.add_argument("--to", required=True, choices=sorted(WRITERS), help="the format to write")
    parser.add_argument("-o", "--out", required=True, metavar="OUT", type=Path, help="the folder to make")
    parser.add_argument("--task", metavar="TASK", help="yolo: detect, segment or pose (default detect)")
    parser.add_argument("--points", type=int, metavar="N",
                        help="yolo, task pose: write the point set of that many points (default 17)")
    parser.add_argument("--exact", action="store_true", default=None,
                        help="coco, webdataset: keep depth and normals as exact float .npz")
    parser.add_argument("--skip-bad", action="store_true",
                        help="leave out pictures and annotations that are wrong, and list them, in place of stopping")


def run(args: argparse.Namespace) -> int:
    from understudy.writers.convert import convert

    written = _format(args)
    bad: list[str] = []
    report = (lambda error: bad.append(str(error))) if args.skip_bad else None
    done = convert(args.source, written, args.out, report)
    for line in bad[:20]:
        print(f"left out: {line}", file=sys.stderr)
    if len(bad) > 20:
        print(f"left out: {len(bad) - 20} more", file=sys.stderr)
    _print_losses(args.to, done.lost, written.lost)
    left_out = f", {len(bad)} left out" if bad else ""
    print(f"{args.out}: {done.records:,} pictures, {done.instances:,} instances from {done.source} to {args.to}{left_out}")
    return 0


def _format(args: argparse.Namespace):
    """The target format with the settings given; a setting that is not its own is an error."""
    from understudy.errors import UsageError
    from understudy.fields import fields_of, resolve
    from understudy.writers import WRITERS

    kind = resolve(WRITERS, args.to)
    declared = fields_of(kind)
    settings = {name: value for name in ("task", "points", "exact") if (value := getattr(args, name)) is not None}
    for name, value in settings.items():
        if name not in declared:
            raise UsageError(f"--{name} is no setting of {args.to}",
                             remedy=f"Its settings: {', '.join(f'--{n}' for n in declared)}")
        if not declared[name].support.contains(value):
            raise UsageError(f"--{name} is out of range", wanted=declared[name].support.describe(), got=value)
    return kind(**settings)


def _print_losses(target: str, counts: dict[str, int], reasons: dict[str, str]) -> None:
    if not counts:
        print(f"{target} carries everything that was there")
        return
    print(f"{target} cannot carry all of it:")
    width = max(map(len, counts))
    for field, pictures in counts.items():
        print(f"  {field:{width}}  {pictures:>7,} pictures  {reasons[field]}")
