"""``understudy search``: which distributions of a recipe teach most."""

from __future__ import annotations

import argparse
from pathlib import Path

from understudy.cli import compare, train


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = ("POOL is a made data set with broad distributions; candidates are its pictures reweighted, so nothing "
                     "is rendered. Each numeric path is narrowed to a window, each text path gets factors. The budget is "
                     "that of the last of three rungs; the first has a ninth. A killed search goes on where it was.")
    parser.add_argument("pool", metavar="POOL", type=Path, help="a made data set, with its manifest.parquet")
    parser.add_argument("--val", required=True, type=Path, metavar="REAL", help="real pictures that judge candidates")
    parser.add_argument("--tune", action="append", default=[], metavar="PATH",
                        help="a drawn path or its end (camera.iso); may be given again (default: what the pool's recipe "
                        "marks with `tune:`)")
    parser.add_argument("--fresh", type=int, metavar="N",
                        help="render each finalist and the recipe as it is afresh, N pictures each; rank them on --val")
    parser.add_argument("--test", type=Path, metavar="REAL",
                        help="with --fresh: other real pictures, opened once, for the winner and the recipe as it is")
    parser.add_argument("-o", "--out", required=True, type=Path, help="the folder for journal, report and recipe")
    parser.add_argument("--candidates", type=int, default=27, metavar="N", help="(default 27)")
    parser.add_argument("--pictures", type=int, metavar="N", help="of each candidate (default: a third of the pool)")
    parser.add_argument("--budget", default="27000img", help="of the last rung's trainings (default 27000img)")
    parser.add_argument("-w", "--workers", type=int, metavar="N",
                        help="trainings at once, which changes nothing that is found (default: as many as cores)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the search (default 0)")
    parser.add_argument("--batch", type=int, default=16, metavar="N", help="pictures a step (default 16)")
    parser.add_argument("--rate", type=float, default=3e-3, help="greatest learning rate (default 0.003)")
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="auto", help="(default auto)")
    train.what(parser)
    train.naming(parser)
    parser.set_defaults(size="nano")


def run(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.learn.search.halving import Plan
    from understudy.learn.search.pool import Hunt, hunt
    from understudy.learn.session import Request
    from understudy.learn.sources import open_source
    from understudy.make.machine import default_workers

    if args.candidates < 6:
        raise UsageError("--candidates is too small", wanted="6 or more", got=args.candidates)
    for name in ("workers", "pictures"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise UsageError(f"--{name} is too small", wanted="1 or more", got=getattr(args, name))
    args.data, args.mix, args.threads, args.count = args.pool, [], 1, None
    base = Request(**train.wanted(args), **train.settings(args))
    pictures = args.pictures or max(_count(open_source(args.pool), base.side) // 3, 1)
    keep = (max(args.candidates // 3, 2), max(args.candidates // 9, 1))
    if args.test is not None and args.fresh is None:
        raise UsageError("--test measures recipes rendered afresh", remedy="Add --fresh N, or use `understudy compare`")
    if args.fresh is not None and args.fresh < 20:
        raise UsageError("--fresh is too small", wanted="20 or more", got=args.fresh)
    tuned = tuple(args.tune) or _marked(args.pool)
    caught = hunt(Hunt(base, tuned, pictures, args.out, Plan(args.candidates, keep, seed=args.seed),
                       args.workers or default_workers()), compare.progress)
    o = caught.outcome
    print(f"{o.verdict}: {o.gain:+.4f} over the pool as it is, standard error {o.noise:.4f}; tau between rungs "
          + ", ".join(f"{t:.2f}" for t in o.agreement))
    for name, w in caught.mattered.items():
        print(f"  {name}: {w}")
    written = _recipe(args.pool, caught.changes, args.out)
    if not o.better:
        print("what the best candidate changes is not surely better than the pool as it is:")
    for path, value in caught.changes.items():
        print(f"  --set '{path}={value}'")
    print(f"{written}, {args.out / 'report.html'}")
    if args.fresh is not None:
        from understudy.cli.finalists import afresh

        return afresh(args, base, caught)
    return 0


def _marked(pool: Path) -> tuple[str, ...]:
    """The drawn paths that the pool's recipe marks with ``tune:``."""
    from understudy.errors import UsageError
    from understudy.learn.realism.judge import manifest_paths
    from understudy.recipe import parse

    if (pool / "recipe.yaml").is_file() and (found := parse(pool / "recipe.yaml").tuned(manifest_paths(pool))):
        return tuple(found)
    raise UsageError("nothing says what to tune", where=pool, remedy="Name paths with --tune, or mark places of the recipe, "
                     "as in iso: {tune: {log_uniform: [100, 3200]}}")


def _count(source, side: int) -> int:
    from understudy.learn.cache import open_store
    from understudy.learn.prepare import stored_side

    return len(open_store(source, stored_side(side)))


def _recipe(pool: Path, changes: dict[str, str], out: Path) -> Path:
    """The pool's recipe with the changes, as best_recipe.yaml; the changes alone, where the pool has no recipe or a place
    cannot be set, as best_changes.txt."""
    from understudy.errors import RecipeError
    from understudy.recipe import parse
    from understudy.writers.files import replace_file

    lines = [f"{path}={value}" for path, value in changes.items()]
    listed = out / "best_changes.txt"
    replace_file(listed, [f"{line}\n" for line in lines])
    if not (pool / "recipe.yaml").is_file():
        return listed
    try:
        recipe = parse(pool / "recipe.yaml", overrides=lines)
    except RecipeError as error:
        compare.progress(f"the changes fit no place of the recipe, so they are only listed: {error}")
        return listed
    target = out / "best_recipe.yaml"
    replace_file(target, [recipe.to_yaml()])
    return target
