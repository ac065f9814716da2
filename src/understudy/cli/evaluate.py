"""``understudy evaluate``: score a model on real pictures, with intervals."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from understudy.cli import train


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("REAL must be real: a made data set is refused, and so are photographs that the model was trained on. "
                     "Intervals are of 1,000 draws of pictures.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder of `understudy train`, or its .safetensors file")
    parser.add_argument("real", metavar="REAL", type=Path, help="real labelled pictures")
    parser.add_argument("-o", "--out", type=Path, help="write evaluation.json, table.npz and report.html in this folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument("--slices", type=int, default=6, metavar="N", help="print at most N slices (default 6)")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    train.naming(parser)


def run(args: argparse.Namespace) -> int:
    import json

    from understudy.errors import UsageError
    from understudy.learn.session import evaluate

    if args.threads < 1:
        raise UsageError("--threads is too small", wanted="1 or more", got=args.threads)
    measured = evaluate(args.model, args.real, args.out, lambda text: print(text, file=sys.stderr),
                        renamed=train.renamed(args), allow_overlap=args.allow_overlap, threads=args.threads)
    if args.json:
        print(json.dumps({"data": measured.data, "task": measured.task,
                          "figures": {name: f.plain() for name, f in measured.figures.items()}}, indent=1))
        return 0
    for name, figure in measured.figures.items():
        print(f"{name:16} {figure}")
    told = sorted((s for s in measured.slices if s.gap is not None and s.gap.low > 0), key=lambda s: -s.gap.low)
    for s in told[:max(args.slices, 0)]:
        print(f"by {s.name}: {s.best} {s.groups[s.best].value:.3f}, {s.worst} {s.groups[s.worst].value:.3f}; gap {s.gap}")
    if args.out is not None:
        print(f"{args.out / 'report.html'}")
    return 0
