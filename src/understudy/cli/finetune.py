"""``understudy finetune``: go on training a model on real pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from understudy.cli import train


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("Made pictures first, then a little time on real ones. A few dozen real ones alone are soon learnt by "
                     "heart and the rest is forgotten: `finetune MODEL MADE --mix REAL=0.5` keeps showing made ones. Task, "
                     "classes and size are the model's. A folder of transformers (config.json, model.safetensors) is "
                     "trained with its own loss, on a graphics card where torch sees one.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder of `understudy train`, its .safetensors file, "
                        "or a folder of transformers")
    parser.add_argument("data", metavar="REAL", type=Path, help="the pictures to learn from: real ones, "
                        "or made ones with real ones mixed in")
    train.common(parser, "8000img", None)
    parser.add_argument("--augment", choices=("full", "light"), default="full",
                        help="how much pictures are varied (default full)")


def run(args: argparse.Namespace) -> int:
    from understudy.learn import foreign
    from understudy.learn.session import Request

    if args.rate is None:
        args.rate = 1e-4 if foreign.recognises(args.model) else 1e-3
    return train.trained(Request(init=args.model, augment=args.augment, **train.settings(args)))
