"""``understudy predict``: what a model finds in pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("A semantic model writes one PNG of class numbers for each picture, and classes.txt; the others write "
                     "predictions.json in COCO's results form, with file names.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder of `understudy train`, or its .safetensors file")
    parser.add_argument("images", metavar="IMAGES", type=Path, nargs="+", help="pictures, or folders of them")
    parser.add_argument("-o", "--out", required=True, type=Path, help="the folder to write to")
    parser.add_argument("--threads", type=int, default=1, metavar="N")


def run(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.learn.session import predict

    missing = [str(p) for p in args.images if not p.exists()]
    if missing or args.threads < 1:
        raise UsageError("there is no such picture" if missing else "--threads is too small", got=missing or args.threads)
    done = predict(args.model, args.images, args.out, lambda text: print(text, file=sys.stderr), threads=args.threads)
    print(f"{args.out}: {done:,} pictures")
    return 0
