"""First learning check: does a network trained on made people alone find real ones?

    python bench/learning_check.py MADE REAL_TRAIN REAL_VAL -o OUT [--budget 40000img] [--seeds 3] [--only made,real]
    python bench/learning_check.py MADE REAL_TRAIN REAL_VAL -o OUT --task box --size nano --budget 120s --also MADE2=0.5

One small network (``understudy train``, no pre-training) is trained with the same budget in four ways: on the made pictures
(checkpoint chosen on REAL_TRAIN), on the real ones, on both (15 % of the pictures shown are real, or --share), and on the
made ones and then for a fifth of the budget on half of them and half the real ones. With a budget in CPU-seconds that fifth
is taken off the made ones' time (they are trained anew for four fifths), so that all four ways cost the same. Nothing is
chosen on REAL_VAL. Printed: mean IoU of person and background over all of REAL_VAL's pixels, or AP50 of person, with a 95 %
bootstrap interval over pictures. What is there in OUT is kept, so that a killed check goes on where it was. Each model's
folder holds a report with its worst pictures.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from understudy.cli import main as understudy

WAYS = ("real", "made", "both", "fine")


def run(way: str, seed: int, args: argparse.Namespace) -> dict:
    """Train and score one model, unless it is there; its figures."""
    out = args.out / f"{way}-{seed}"
    if not (out / "eval" / "evaluation.json").is_file():
        for command in commands(way, seed, out, args):
            folder = Path(command[command.index("-o") + 1])
            if not (folder / "model.safetensors").is_file() and understudy([str(a) for a in command]):
                sys.exit(1)
        if understudy(["evaluate", str(out), str(args.real_val), "-o", str(out / "eval")]):
            sys.exit(1)
    told = json.loads((out / "eval" / "evaluation.json").read_text())
    figures, spent = told["figures"], told["training"]
    if way == "fine":
        before = json.loads((Path(spent["started_from"]) / "run.json").read_text())
        spent = {"cpu_s": spent["cpu_s"] + before["cpu_s"], "images": spent["images"] + before["images"]}
    main_one = figures["mIoU"] if args.task == "semantic" else figures["AP50"]
    person = next(f for name, f in figures.items() if name not in ("mIoU", "IoU background", "AP50"))
    return {"way": way, "seed": seed, **main_one, "person": person["value"], "cpu_s": spent["cpu_s"],
            "images": spent["images"]}


def commands(way: str, seed: int, out: Path, args: argparse.Namespace) -> list[list]:
    """The one or two trainings of a way."""
    amount, unit = float(args.budget.rstrip("imgs")), args.budget.lstrip("0123456789.")
    whole, four, fifth = (["--budget", f"{amount * share:.0f}{unit}"] for share in (1, 0.8, 0.2))
    kept = ["--seed", seed, "--size", args.size, "--side", args.side, "--task", args.task, "--augment", args.augment]
    classes = ["--classes", args.classes] if args.classes else []
    made = ["train", args.made, *kept, "--count", args.made_count, *classes]
    also = [a for m in args.also for a in ("--mix", m)]
    chosen = ["--val", args.real_train] if args.choose == "real" else []
    if way == "real":
        return [["train", args.real_train, *kept, *whole, "-o", out, *(classes if args.task == "box" else [])]]
    if way == "made":
        return [[*made, *also, *whole, *chosen, "-o", out]]
    if way == "both":
        less = [a for m in args.also for a in ("--mix", scaled(m, 1 - args.share))]
        return [[*made, *less, "--mix", f"{args.real_train}={args.share}", *whole, "-o", out]]
    first = args.out / f"made-{seed}"
    begin = []
    if unit == "s":
        first = args.out / f"first-{seed}"
        begin = [[*made, *also, *four, *chosen, "-o", first]]
    less = [a for m in args.also for a in ("--mix", scaled(m, 0.5))]
    return [*begin, ["finetune", first, args.made, *less, "--mix", f"{args.real_train}=0.5", "--seed", seed, *fifth,
                     "--augment", args.augment, "-o", out]]


def scaled(mix: str, by: float) -> str:
    """``DIR=0.5`` with another share."""
    path, _, share = mix.rpartition("=")
    return f"{path}={float(share) * by:g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("made", type=Path)
    parser.add_argument("real_train", type=Path)
    parser.add_argument("real_val", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for models and reports")
    parser.add_argument("--budget", default="40000img", help="of each network: pictures shown, or CPU-seconds (120s)")
    parser.add_argument("--task", default="semantic", choices=("semantic", "box"))
    parser.add_argument("--side", type=int, default=160)
    parser.add_argument("--augment", default="full", choices=("full", "light"))
    parser.add_argument("--share", type=float, default=0.15, help="of the pictures shown that are real, where both are")
    parser.add_argument("--also", action="append", default=[], metavar="MADE2=SHARE", help="more made pictures")
    parser.add_argument("--choose", default="real", choices=("real", "last"),
                        help="made: the checkpoint that does best on REAL_TRAIN, or the last")
    parser.add_argument("--made-count", type=int, default=3000)
    parser.add_argument("--classes", default="person")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", help=f"some of {','.join(WAYS)}; fine needs made")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    ways = args.only.split(",") if args.only else WAYS
    rows = [run(way, seed, args) for way in WAYS if way in ways for seed in range(args.seeds)]
    names = ("mean IoU", "person IoU") if args.task == "semantic" else ("AP50", "AP")
    print(f"\n| trained on | seed | {names[0]} | 95 % interval | {names[1]} | CPU-seconds |\n|---|---|---|---|---|---|")
    for r in rows:
        print(f"| {r['way']} | {r['seed']} | {r['value']:.3f} | {r['low']:.3f} to {r['high']:.3f} | {r['person']:.3f} "
              f"| {r['cpu_s']:.0f} |")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
