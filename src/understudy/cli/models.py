"""``understudy models``: what models there are, who may use them, what they scored; made, fetched and checked on request."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("Nothing is downloaded unless `add` asks for it. Weights are safetensors files only. The shelf is "
                     "$UNDERSTUDY_MODELS, else understudy/models in the platform's folder for data.")
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    commands.add_parser("list", help="every model that is known: task, licence, score, where its weights are")
    show = commands.add_parser("show", help="print a model's card")
    show.add_argument("name", metavar="NAME")
    train = commands.add_parser("train", help="make one of our models: its made pictures, its training, its card")
    train.add_argument("name", metavar="NAME")
    train.add_argument("--val", type=Path, metavar="REAL", help="real pictures that choose the checkpoint")
    train.add_argument("--test", type=Path, metavar="REAL", help="other real pictures to measure it on; the card says so")
    train.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="overrides",
                       help="change one value of the recipe of its pictures; may be given again")
    train.add_argument("-n", "--count", type=int, metavar="N", help="made pictures (the card says if left out)")
    train.add_argument("--budget", help="of the training (the card says if left out)")
    train.add_argument("--rename", action="append", default=[], metavar="THEIRS=OURS",
                       help="a class of a real set that the model calls otherwise")
    train.add_argument("-w", "--workers", type=int, metavar="W", help="worker processes for the pictures")
    verify = commands.add_parser("verify", help="check files on the shelf against their cards; exit code 1 if one differs")
    verify.add_argument("name", metavar="NAME", nargs="*", help="(default: all on the shelf)")
    add = commands.add_parser("add", help="fetch a public model, or put a trained one on the shelf")
    add.add_argument("model", metavar="WHAT",
                     help="a public model's name, a card's .yaml, or a folder of `understudy train`")
    add.add_argument("--pin", action="store_true",
                     help="a card without digests: take what comes and hold later copies to it")
    add.add_argument("--name", help="for a trained model: what it is called")
    add.add_argument("--about", default="", help="for a trained model: one sentence")
    add.add_argument("--licence", help="for a trained model: of its weights")
    add.add_argument("--commercial", choices=("yes", "no", "unknown"), default="unknown",
                     help="for a trained model: whether it may be used commercially (default unknown)")


def run(args: argparse.Namespace) -> int:
    return {"list": _list, "show": _show, "train": _train, "verify": _verify, "add": _add}[args.what](args)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _list(args: argparse.Namespace) -> int:
    from understudy.learn.catalogue.shelf import entries

    del args
    rows = [("name", "task", "weights", "licence", "commercial", "state", "score")]
    for name, e in entries().items():
        c = e.card
        rows.append((name, c.task, f"{c.weights:,}" if c.weights else "?", c.licence.weights, c.licence.commercial_use,
                     e.state, c.score))
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip())
    return 0


def _show(args: argparse.Namespace) -> int:
    from understudy.learn.catalogue.shelf import entry

    found = entry(args.name)
    print(found.card.to_yaml(), end="")
    print(f"# {found.state}" + (f": {found.folder}" if found.folder else ""))
    return 0


def _train(args: argparse.Namespace) -> int:
    """The pictures, the network, the measurement and the card, each with the command that a person would use."""
    from dataclasses import replace

    from understudy.cli import main as understudy
    from understudy.errors import UsageError
    from understudy.learn.catalogue import shelf
    from understudy.learn.native import model_file
    from understudy.learn.native.network import weights
    from understudy.learn.session import need_torch

    need_torch()
    found = shelf.entry(args.name)
    recipe = found.card.training
    if found.card.kind != "own" or "recipe" not in recipe:
        raise UsageError(f"{args.name} is not made here", got=f"kind {found.card.kind}",
                         remedy="`understudy models add` fetches public models")
    folder = shelf.shelf() / args.name
    if (folder / shelf.CARD).is_file():
        raise UsageError("is on the shelf already", where=folder, remedy="Take the folder away to make it again")
    changes = [*recipe.get("set", []), *args.overrides]
    workers = [] if args.workers is None else ["-w", args.workers]
    seed, count = recipe["seed"], args.count or recipe["count"]
    made = ["generate", recipe["recipe"], "-n", count, "--seed", seed, "-o", folder / "pictures", *workers,
            *(a for c in changes for a in ("--set", c))]
    chosen = ["--classes", recipe["classes"]] if recipe.get("classes") else []
    renamed = [a for r in args.rename for a in ("--rename", r)]
    learned = ["train", folder / "pictures", "-o", folder, "--task", recipe["task"], "--size", recipe["size"], "--side",
               recipe["side"], "--budget", args.budget or recipe["budget"], "--seed", recipe["train_seed"], *chosen,
               *renamed, *(["--val", args.val] if args.val else [])]
    measured = ["evaluate", folder, args.test, "-o", folder / "eval", *renamed]
    steps = [made, *([] if (folder / "model.safetensors").is_file() else [learned]), *([measured] if args.test else [])]
    for step in steps:
        if code := understudy([str(a) for a in step]):
            return code
    network, told, _ = model_file.load(folder)
    scores = (_score(folder / "eval", args.test),) if args.test else ()
    licence = found.card.licence
    if args.overrides:  # assets of the user's own may be in the pictures now, and nobody has looked at their licences
        licence = replace(licence, commercial=None, note="the recipe was changed (training: set): read licences.json "
                          "of the pictures, which lists every asset that they were made with")
    card = shelf.described(args.name, "own", found.card.about, licence, network, weights(network), told, scores)
    training = dict(recipe) | {"count": count, "set": changes, "budget": told["budget"], "versions": told["versions"],
                               "chosen_at": told["chosen_at"]}
    shelf.put(replace(card, training=training))
    print(f"{folder}: {card.score}")
    return 0


def _score(folder: Path, test: Path) -> dict:
    import json

    from understudy.learn.measure import MAIN
    from understudy.learn.sources import open_source

    told = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    name = MAIN[told["task"]]
    return {"metric": name, **told["figures"][name], "data": "/".join(test.resolve().parts[-2:]),
            "digest": open_source(test).fingerprint}


def _verify(args: argparse.Namespace) -> int:
    from understudy.learn.catalogue.shelf import entries, entry, verify

    chosen = [entry(name) for name in args.name] or [e for e in entries().values() if e.folder is not None]
    bad = 0
    for found in chosen:
        wrong = verify(found)
        bad += bool(wrong)
        print(f"{found.card.name}: " + ("; ".join(wrong) if wrong else "as its card says"))
    if not chosen:
        print("the shelf is empty")
    return int(bad > 0)


def _add(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.learn.catalogue import shelf
    from understudy.learn.catalogue.card import Licence, read_card

    path = Path(args.model)
    if path.suffix in (".yaml", ".yml") or (args.model in shelf.entries() and not path.exists()):
        card = read_card(path) if path.suffix in (".yaml", ".yml") else shelf.entry(args.model).card
        if card.kind == "own":
            raise UsageError(f"{card.name} is made here, not fetched", remedy=f"understudy models train {card.name}")
        folder = shelf.add_public(card, _tell, args.pin)
        lic = card.licence
        print(f"{folder}: weights under {lic.weights}; commercial use: {lic.commercial_use}"
              f"{'; ' + lic.note if lic.note else ''}")
        return 0
    if not path.exists():
        raise UsageError("is no public model, card or folder", got=args.model,
                         wanted=", ".join(n for n, e in shelf.entries().items() if e.card.kind == "public"))
    if not (args.name and args.licence):
        raise UsageError("a trained model needs --name and --licence, of its weights: whoever finds it must know",
                         got=args.model)
    commercial = {"yes": True, "no": False, "unknown": None}[args.commercial]
    card = shelf.add_model(path, args.name, Licence("Apache-2.0", args.licence, commercial), args.about)
    print(f"{shelf.shelf() / card.name}: {card.task} of {', '.join(card.classes[:6])}, {card.weights:,} weights")
    return 0
