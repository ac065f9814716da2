"""``understudy realism``: where made pictures differ from real ones."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("A warning light, not an aim: what counts is the score on real pictures after training (`evaluate`, "
                     "`compare`). Properties that differ are named with the recipe's paths that move them.")
    parser.add_argument("made", metavar="MADE", type=Path, help="the made data set")
    parser.add_argument("real", metavar="REAL", type=Path, help="real pictures")
    parser.add_argument("-o", "--out", required=True, type=Path, help="the folder for realism.json and report.html")
    parser.add_argument("--extractor", action="append", default=[], metavar="FOLDER",
                        help="measure by the features of DINOv2, CLIP or Inception v3, too: a folder with config.json and "
                        "model.safetensors, or a name in the Hugging Face cache on this machine; nothing is downloaded (may "
                        "be repeated)")
    parser.add_argument("--count", type=int, default=400, metavar="N", help="pictures of each at most (default 400)")


def run(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.learn.realism.judge import judge, write
    from understudy.learn.realism.saturation import told

    if not 20 <= args.count <= 20_000:
        raise UsageError("--count is out of range", wanted="20 to 20000", got=args.count)
    judged = judge(args.made, args.real, args.count, args.extractor)
    for name, figure in judged.auc.items():
        print(f"told apart by {name}: AUC {figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f}); 0.5 is chance")
    for c in judged.compared:
        if c.sure:
            paths = ", ".join(f"{p} ({r:+.2f})" for p, r in judged.axes.get(c.name, ()))
            print(f"{c.name}: made is {c.direction}, {c.distance:.2f} real deviations away ({c.low:.2f} to {c.high:.2f}), "
                  f"overlap {c.overlap:.0%}{f'; moved by {paths}' if paths else ''}")
    for name, figure in judged.metrics.items():
        if name.startswith(("KID", "coverage")):
            print(f"{name}: {figure.value:.3f} (halves {figure.low:.3f} to {figure.high:.3f}; real against itself "
                  f"{judged.itself[name]:.3f})")
    print(told(judged.covered))
    write(judged, args.out, print)
    return 0
