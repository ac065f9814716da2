"""``understudy train``: train a small network on a written data set."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SIZES = ("nano", "tiny", "small")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("DATA is any COCO, YOLO or WebDataset folder, or folders images/ and masks/ side by side (semantic). "
                     "The same seed, thread count and budget in pictures give the same numbers. A score is only ever "
                     "given on real pictures: `understudy evaluate`.")
    parser.add_argument("data", metavar="DATA", type=Path, help="the data set to learn from")
    what(parser)
    common(parser, "40000img", 3e-3)
    parser.add_argument("--adapt", metavar="WAYS", help="adapt to real pictures without labels: some of "
                        "adabn,coral,dann,fda; trained with and without, and the best on --val is kept (default: none)")
    parser.add_argument("--unlabelled", type=Path, metavar="DIR", help="the real pictures to adapt to; no label is read")


def what(parser: argparse.ArgumentParser) -> None:
    """What is learned, and by how large a network."""
    parser.add_argument("--task", choices=("semantic", "box", "mask", "keypoint"), default="semantic",
                        help="what to learn (default semantic)")
    parser.add_argument("--classes", metavar="A,B", help="only these classes (default: all of DATA)")
    parser.add_argument("--size", choices=SIZES, default="tiny", help="of the network (default tiny)")
    parser.add_argument("--augment", choices=("full", "light"), default="full",
                        help="how much pictures are varied: light for a few dozen real ones and little time (default full)")
    parser.add_argument("--side", type=int, default=160, metavar="PX",
                        help="pixels of the network's square input, a multiple of 32 (default 160)")


def common(parser: argparse.ArgumentParser, budget: str, rate: float | None) -> None:
    """What training and fine-tuning share."""
    parser.add_argument("-o", "--out", required=True, type=Path, help="the folder for the model and its report")
    parser.add_argument("--mix", action="append", default=[], metavar="DIR=SHARE",
                        help="mix another data set in, by its share of the pictures shown (real/train=0.15)")
    parser.add_argument("--val", type=Path, metavar="REAL", help="real pictures that choose the checkpoint")
    parser.add_argument("--budget", default=budget,
                        help=f"pictures shown (40000img) or CPU-seconds (300s) (default {budget})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(default 0)")
    parser.add_argument("--count", type=int, metavar="N", help="use N pictures of DATA only")
    parser.add_argument("--batch", type=int, default=16, metavar="N", help="pictures a step (default 16)")
    parser.add_argument("--rate", type=float, default=rate, help="greatest learning rate (default "
                        + (f"{rate:g})" if rate else "0.001, 0.0001 for a network of transformers)"))
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto",
                        help="bf16 where the processor has it, or as said")
    parser.add_argument("--threads", type=int, default=1, metavar="N",
                        help="default 1: two runs side by side are faster than one with two threads")
    naming(parser)


def naming(parser: argparse.ArgumentParser) -> None:
    """Class names that differ, and photographs in both sets."""
    parser.add_argument("--rename", action="append", default=[], metavar="THEIRS=OURS",
                        help="a class of a real set that the model calls otherwise")
    parser.add_argument("--allow-overlap", action="store_true",
                        help="go on though photographs are in training and test, too (the score is then memory)")


def run(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.learn.session import Request

    request = Request(**wanted(args), **settings(args), unlabelled=args.unlabelled)
    if args.adapt is None and args.unlabelled is not None:
        raise UsageError("--unlabelled says what to adapt to, and not how", remedy="Add --adapt adabn, or another way")
    return trained(request) if args.adapt is None else _adapted(request, args.adapt)


def _adapted(request, ways: str) -> int:
    from understudy.learn import adaptation, session

    session.check_out(request.out)
    done = adaptation.side_by_side(request, tuple(w.strip() for w in ways.split(",") if w.strip()),
                                   lambda text: print(text, file=sys.stderr, flush=True))
    print(f"on the real validation, which chooses, so it flatters ({request.validation}):")
    for line in adaptation.table(done.ways):
        print(f"  {line}")
    print(f"{done.trained.model}: the one {done.chosen if done.chosen == adaptation.WITHOUT else 'with ' + done.chosen}")
    return 0


def wanted(args: argparse.Namespace) -> dict:
    """The arguments of :func:`what` as those of a Request."""
    from understudy.errors import UsageError

    if args.side < 32 or args.side > 1024 or args.side % 32:
        raise UsageError("--side is no multiple of 32 from 32 to 1024", got=args.side)
    classes = tuple(c.strip() for c in args.classes.split(",") if c.strip()) if args.classes else None
    return {"task": args.task, "classes": classes, "size": args.size, "side": args.side,
            "augment": args.augment}


def settings(args: argparse.Namespace) -> dict:
    """The arguments of :func:`common` as those of a Request."""
    from understudy.errors import UsageError
    from understudy.learn.budget import parse_budget
    from understudy.learn.prepare import parse_mix

    for name, least in (("batch", 2), ("threads", 1), ("count", 1)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise UsageError(f"--{name} is too small", wanted=f"{least} or more", got=value)
    if not 0 < args.rate < float("inf"):
        raise UsageError("--rate is a positive number", got=args.rate)
    return {"data": args.data, "out": args.out, "mix": tuple(parse_mix(m) for m in args.mix), "validation": args.val,
            "budget": parse_budget(args.budget), "seed": args.seed, "batch": args.batch, "rate": args.rate,
            "precision": args.precision, "threads": args.threads, "count": args.count, "renamed": renamed(args),
            "allow_overlap": args.allow_overlap}


def renamed(args: argparse.Namespace) -> dict[str, str]:
    """``--rename THEIRS=OURS`` as a mapping."""
    from understudy.errors import UsageError

    pairs = [text.partition("=") for text in args.rename]
    for theirs, equals, ours in pairs:
        if not (theirs and equals and ours):
            raise UsageError("--rename is not understood", wanted="THEIRS=OURS", got=repr(theirs))
    return {theirs: ours for theirs, _, ours in pairs}


def trained(request) -> int:
    """Run it, say what came, exit code."""
    from understudy.learn import session

    session.check_out(request.out)
    done = session.train(request, lambda text: print(text, file=sys.stderr, flush=True))
    session.stopped(done)
    card = done.card
    print(f"{done.model}: {card['images']:,} pictures in {card['cpu_s']:,.0f} CPU-seconds "
          f"({card['images'] / max(card['cpu_s'], 1e-9):.0f} a CPU-second), weights of picture {card['chosen_at']:,}")
    if card["validated_on"] is None:
        print("Nothing is known yet of how it does on real pictures: understudy evaluate MODEL REAL")
    return 0
