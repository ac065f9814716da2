"""What a search's finalists are worth when they are rendered afresh: pictures that the search has not reweighted."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.cli import compare

if TYPE_CHECKING:
    from understudy.learn.search.pool import Caught
    from understudy.learn.session import Request

AS_IT_IS = "as-it-is"
_NEW_SEED = 1000  # added to the recipe's: other pictures than the pool's
_SEEDS = 2


def afresh(args: argparse.Namespace, base: Request, caught: Caught) -> int:
    """Render, rank on the validation, and open the test once for the winner and the recipe as it is."""
    from understudy.errors import UsageError
    from understudy.learn.compare import Plan
    from understudy.learn.compare import compare as rank
    from understudy.make.machine import default_workers

    if not (args.pool / "recipe.yaml").is_file():
        raise UsageError("the pool has no recipe.yaml, so nothing can be rendered afresh", where=args.pool)
    folder = args.out / "fresh"
    sets = [_rendered(args, AS_IT_IS, {}, folder)]
    sets += [found for number, changes in caught.finalists
             if (found := _rendered(args, f"candidate-{number}", changes, folder)) is not None]
    plan = Plan(replace(base, validation=None), args.val, folder / "ranking", _SEEDS, args.workers or default_workers())
    rows = rank(plan, sets, None, compare.progress)
    compare.show(rows, folder / "ranking")
    best = rows[0]
    as_it_is = next(r for r in rows if r.group == AS_IT_IS)
    won = best.group if best.group != AS_IT_IS and as_it_is.behind.gained else AS_IT_IS
    print(f"rendered afresh: {won if won != AS_IT_IS else 'no finalist is surely better than the recipe as it is'}")
    card = {"ranking": [{"group": r.group, "score": r.figure.plain()} for r in rows], "won": won, "pictures": args.fresh}
    if args.test is not None:
        card["test"] = _test(args, folder, won)
    _into_card(args.out / "search.json", card)
    return 0


def _rendered(args: argparse.Namespace, name: str, changes: dict[str, str], folder: Path) -> Path | None:
    """The data set of a changed recipe with new pictures; None, with a message, where the changes fit no place of it."""
    from understudy.cli import main as understudy
    from understudy.errors import RecipeError, RunError
    from understudy.recipe import parse
    from understudy.writers.files import replace_file

    try:
        recipe = parse(args.pool / "recipe.yaml", overrides=[f"{path}={value}" for path, value in changes.items()])
    except RecipeError as error:
        compare.progress(f"{name} is left out, its changes fit no place of the recipe: {error}")
        return None
    file = folder / f"{name}.yaml"
    replace_file(file, [recipe.to_yaml(folder)])
    compare.progress(f"{name}: {args.fresh} new pictures")
    workers = [] if args.workers is None else ["-w", str(args.workers)]
    if understudy(["generate", str(file), "-n", str(args.fresh), "--seed", str(recipe.seed + _NEW_SEED), "-q", *workers,
                   "-o", str(folder / name)]):
        raise RunError("a finalist could not be rendered", where=folder / name, remedy="The same command goes on from there")
    return folder / name


def _test(args: argparse.Namespace, folder: Path, won: str) -> dict:
    from understudy.learn.search.opened import open_once

    jobs = json.loads((folder / "ranking" / "study.json").read_text(encoding="utf-8"))["jobs"]
    groups = {name: [folder / "ranking" / "jobs" / j["folder"] for j in jobs if j["group"] == name]
              for name in dict.fromkeys((AS_IT_IS, won))}
    opened = open_once(folder, args.test, groups, AS_IT_IS, compare.progress)
    for name, score in opened.scores.items():
        print(f"test {args.test}: {name} {score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f}, n={score['n']})")
    if opened.gain is not None:
        print(f"the winner less the recipe as it is: {opened.gain['value']:+.3f} ({opened.gain['low']:+.3f} to "
              f"{opened.gain['high']:+.3f}){'' if opened.gain['sure'] else ', no difference'}")
    print(f"the test was opened {opened.openings} time{'' if opened.openings == 1 else 's'}")
    return {"data": str(args.test), "scores": dict(opened.scores), "gain": opened.gain, "openings": opened.openings}


def _into_card(path: Path, fresh: dict) -> None:
    from understudy.writers.files import replace_file

    card = json.loads(path.read_text(encoding="utf-8")) | {"fresh": fresh}
    replace_file(path, [json.dumps(card, indent=1) + "\n"])
