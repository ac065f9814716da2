"""First learning check: does a network trained on made people alone find real ones?

    python bench/learning_check.py MADE REAL_TRAIN REAL_VAL -o OUT [--budget 40000img] [--seeds 3] [--only made,real]

One small network (``understudy train``, no pre-training) is trained with the same budget in four ways: on the made pictures
(checkpoint chosen on REAL_TRAIN), on the real ones, on both (15 % of the pictures shown are real), and on the made ones and
then for a fifth of the budget on half of them and half the real ones. Nothing is chosen on REAL_VAL. Printed: mean IoU of
person and background over all of REAL_VAL's pixels with a 95 % bootstrap interval over pictures. What is there in OUT
is kept, so that a killed check goes on where it was. Each model's folder holds a report with its worst pictures.
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
        kept = ["-o", out, "--seed", seed, "--size", args.size]
        whole, fifth = ["--budget", f"{args.budget}img"], ["--budget", f"{args.budget // 5}img"]
        chosen = ["--classes", args.classes] if args.classes else []
        limit = ["--count", args.made_count]
        do = {"real": ["train", args.real_train, *kept, *whole],
              "made": ["train", args.made, *kept, *whole, *chosen, *limit, "--val", args.real_train],
              "both": ["train", args.made, *kept, *whole, *chosen, *limit, "--mix", f"{args.real_train}=0.15"],
              "fine": ["finetune", args.out / f"made-{seed}", args.made, "--mix", f"{args.real_train}=0.5", *kept[:4],
                       *fifth]}[way]
        if not (out / "model.safetensors").is_file() and understudy([str(a) for a in do]):
            sys.exit(1)
        if understudy(["evaluate", str(out), str(args.real_val), "-o", str(out / "eval")]):
            sys.exit(1)
    told = json.loads((out / "eval" / "evaluation.json").read_text())
    person = next(f for name, f in told["figures"].items() if name not in ("mIoU", "IoU background"))
    return {"way": way, "seed": seed, **told["figures"]["mIoU"], "person": person["value"],
            "cpu_s": told["training"]["cpu_s"], "images": told["training"]["images"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("made", type=Path)
    parser.add_argument("real_train", type=Path)
    parser.add_argument("real_val", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for models and reports")
    parser.add_argument("--budget", type=int, default=40_000, help="pictures shown to each network")
    parser.add_argument("--made-count", type=int, default=3000)
    parser.add_argument("--classes", default="person")
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", help=f"some of {','.join(WAYS)}; fine needs made")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    ways = args.only.split(",") if args.only else WAYS
    rows = [run(way, seed, args) for way in WAYS if way in ways for seed in range(args.seeds)]
    print("\n| trained on | seed | mean IoU | 95 % interval | person IoU | CPU-seconds |\n|---|---|---|---|---|---|")
    for r in rows:
        print(f"| {r['way']} | {r['seed']} | {r['value']:.3f} | {r['low']:.3f} to {r['high']:.3f} | {r['person']:.3f} "
              f"| {r['cpu_s']:.0f} |")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
