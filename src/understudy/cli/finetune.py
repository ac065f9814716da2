"""``understudy finetune``: go on training a model on real pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from understudy.cli import train


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("Made pictures first, then a little time on real ones: the recipe that practice reports as dependable. "
                     "Task, classes and size are the model's.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder of `understudy train`, or its .safetensors file")
    parser.add_argument("data", metavar="REAL", type=Path, help="the real pictures to learn from")
    train.common(parser, "8000img", 1e-3)


def run(args: argparse.Namespace) -> int:
    from understudy.learn.session import Request

    return train.trained(Request(init=args.model, **train.settings(args)))
