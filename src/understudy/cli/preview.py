"""``understudy preview``: a contact sheet of a recipe, there with its first picture in seconds."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.recipe import Recipe
    from understudy.record import Record

_MOST = 10_000  # cells of one sheet
_LOOKS = {"labels": ("labels",), "plain": ("picture",), "pairs": ("picture", "labels")}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("Record I of a preview is record I of the data set: the same picture, the same labels. The sheet is "
                     "written again and again as records arrive.")
    parser.add_argument("recipe", metavar="RECIPE",
                        help="a recipe's file, the name of a shipped one (`recipe list`), or the folder of a data set")
    parser.add_argument("-n", "--count", type=int, default=12, metavar="N", help="how many records (default 12)")
    parser.add_argument("-o", "--out", type=Path, metavar="PNG", help="the sheet (NAME-preview.png if left out)")
    parser.add_argument("--seed", type=int, metavar="S", help="the root of all randomness, in place of the recipe's")
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="overrides",
                        help="override one value of the recipe (world.people.count=3); may be given again")
    parser.add_argument("--only", type=int, metavar="I", help="record I alone, large, with every value that was drawn")
    look = parser.add_mutually_exclusive_group()
    look.add_argument("--labels", dest="look", action="store_const", const="labels", default="labels",
                      help="labels drawn on (the default)")
    look.add_argument("--plain", dest="look", action="store_const", const="plain", help="pictures alone")
    look.add_argument("--pairs", dest="look", action="store_const", const="pairs", help="each picture beside its labels")
    look.add_argument("--channels", dest="look", action="store_const", const="channels",
                      help="each picture beside every label that it holds")
    parser.add_argument("--columns", type=int, metavar="C", help="pictures beside each other (by their number if left out)")
    parser.add_argument("--width", type=int, default=320, metavar="PX", help="width of one picture (default 320)")
    parser.add_argument("-w", "--workers", type=int, default=1, metavar="W",
                        help="worker processes (default 1: this process, which is the quickest to its first picture)")
    parser.add_argument("--open", dest="open", action="store_true", default=None, help="open the sheet in a viewer")
    parser.add_argument("--no-open", dest="open", action="store_false", help="do not (the default without a terminal)")


def run(args: argparse.Namespace) -> int:
    from understudy.cli.opening import show
    from understudy.errors import UsageError
    from understudy.recipe import parse
    from understudy.viewer.sheet import Sheet

    if not 1 <= args.count <= _MOST or args.workers < 1 or (args.columns is not None and args.columns < 1):
        raise UsageError("a preview shows some records", wanted=f"N from 1 to {_MOST:,}, W and C of at least 1",
                         got=f"{args.count}, {args.workers}, {args.columns}")
    if args.only is not None and args.only < 0:
        raise UsageError("records count from 0", got=args.only)
    one = args.only is not None
    indices = [args.only] if one else list(range(args.count))
    if Path(args.recipe).is_dir():
        if args.overrides or args.seed is not None:
            raise UsageError("a made data set cannot be changed by --set or --seed", where=args.recipe)
        title, note, made = Path(args.recipe).resolve().name, "", _written(Path(args.recipe), indices)
    else:
        overrides = [*args.overrides, *([f"seed={args.seed}"] if args.seed is not None else [])]
        recipe = parse(args.recipe, overrides=overrides)
        title, note, made = recipe.name, f"seed {recipe.seed}", _made(recipe, indices, args.workers)
    out = args.out or Path((re.sub(r"[^\w.-]+", "-", title).strip("-.") or "recipe") + "-preview.png")
    opening = args.open if args.open is not None else sys.stdout.isatty()
    sheet: Sheet | None = None
    lost: list[str] = []
    due = 0.0  # when the sheet is written again: a large one takes longer to write than a record to make
    for cell, (record, why) in made:
        if record is None:
            lost.append(why)
            if sheet is not None and why not in lost[:-1]:  # each reason once; all at the end where no record comes
                print(f"record {indices[cell]}: {why}", file=sys.stderr)
            continue
        if sheet is None:
            sheet = _sheet(args, title, note, record, len(indices), one)
            for reason in dict.fromkeys(lost):
                print(f"some records: {reason}", file=sys.stderr)
        sheet.add(record, cell)
        began = monotonic()
        if began >= due:
            sheet.save(out)
            due = monotonic() + 4 * (monotonic() - began)
        if one:
            print("\n".join(f"{name:48} {value}" for name, value in record.drawn.items()))
        elif sys.stdout.isatty():
            print(f"\r{sheet.filled} of {len(indices)} in {out}", end="", flush=True)
        if opening:
            show(out)
            opening = False  # the viewer follows the file, or shows the first state
    if sheet is None:
        from understudy.errors import Unsatisfiable

        raise Unsatisfiable("no record could be made", where=args.recipe, got=lost[0] if lost else None)
    sheet.save(out)
    if sys.stdout.isatty() and not one:
        print("\r\033[K", end="")
    print(f"{out}: {sheet.filled} records" + (f", {len(lost)} could not be made" if lost else ""))
    return 0


def _sheet(args: argparse.Namespace, title: str, note: str, record: Record, count: int, one: bool):
    from understudy.viewer import draw
    from understudy.viewer.sheet import Sheet

    views = _LOOKS.get(args.look) or ("picture", *(v for v in draw.VIEWS[1:] if draw.view(record, v, 16) is not None))
    columns = args.columns or (1 if len(views) > 2 else max(1, min(6 // len(views), round((count * 0.75) ** 0.5) + 1)))
    width = min(record.picture.size_wh[0], 960) if one and args.width == 320 else args.width
    return Sheet(count, columns=columns, width_px=width, views=views, title=title, note=note)


def _written(folder: Path, indices: list[int]) -> Iterator[tuple[int, tuple[Record | None, str]]]:
    """The same from a data set: its first records, or the one asked for."""
    from understudy.errors import DatasetError
    from understudy.writers import read

    cells = {index: cell for cell, index in enumerate(indices)}
    last = -1
    for last, record in enumerate(read(folder)):
        if last in cells:
            yield cells.pop(last), (record, "")
        if not cells:
            return
    if len(cells) == len(indices):
        raise DatasetError("there is no such record", where=folder, wanted=f"record {min(indices)}",
                           got=f"{last + 1} records")


def _made(recipe: Recipe, indices: list[int], workers: int) -> Iterator[tuple[int, tuple[Record | None, str]]]:
    """(cell, (record, why not)) as they are made, in any order."""
    from understudy.make.ready import check_assets

    check_assets(recipe.world)
    if workers == 1 or len(indices) == 1:
        for cell, index in enumerate(indices):
            yield cell, _make(recipe, index)
        return
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    from understudy.errors import RunError

    with ProcessPoolExecutor(min(workers, len(indices)), mp_context=get_context("spawn")) as pool:
        cells = {pool.submit(_make, recipe, index): cell for cell, index in enumerate(indices)}
        try:
            for done in as_completed(cells):
                yield cells[done], done.result()
        except BrokenProcessPool as error:
            raise RunError("a worker process died", remedy="What was made before is in the sheet. Memory may have run out: "
                           "run again with -w 1") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _make(recipe: Recipe, index: int) -> tuple[Record | None, str]:
    """Record ``index``, or None and why not."""
    from understudy.make import Made, make_record

    outcome = make_record(recipe, index)
    if isinstance(outcome, Made):
        return outcome.record, ""
    return None, f"rejected after {outcome.attempts} draws: {outcome.refused[-1]}"
