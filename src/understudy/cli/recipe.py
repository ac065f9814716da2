"""``understudy recipe``: list, show, start, check and describe recipes."""

from __future__ import annotations

import argparse
import re
import sys
from contextlib import suppress
from pathlib import Path

_START = "people-in-photographs"


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    commands.add_parser("list", help="name the recipes that come with Understudy")
    show = commands.add_parser("show", help="print a recipe, as written or with every default filled in")
    show.add_argument("recipe", help="a file, or the name of a shipped recipe")
    show.add_argument("--full", action="store_true", help="with every default filled in")
    _set(show)
    new = commands.add_parser("new", help="write a starting recipe of your own")
    new.add_argument("name", help="its name (letters, digits, - and _)")
    new.add_argument("--like", metavar="RECIPE", help=f"the shipped recipe to start from (default {_START})")
    new.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it (default NAME.yaml)")
    check = commands.add_parser("check", help="say everything that is wrong with a recipe")
    check.add_argument("recipe", help="a file, or the name of a shipped recipe")
    _set(check)
    for name, help_text in (("schema", "print the JSON Schema of recipes, for editors"),
                            ("reference", "print the reference page of everything a recipe may say")):
        command = commands.add_parser(name, help=help_text)
        command.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to a file instead")


def _set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--set", action="append", default=[], metavar="PATH=VALUE", dest="overrides",
                        help="write one place of the recipe, such as world.count=3; may be given more than once")


def run(args: argparse.Namespace) -> int:
    return {"list": _list, "show": _show, "new": _new, "check": _check, "schema": _schema,
            "reference": _reference}[args.what](args)


def _list(args: argparse.Namespace) -> int:
    from understudy.recipe import shipped

    own = shipped()
    wide = max((len(name) for name in own), default=0)
    for name, path in own.items():
        print(f"{name:{wide}}  {_first_comment(path)}")
    return 0


def _first_comment(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ").rstrip()


def _show(args: argparse.Namespace) -> int:
    from understudy.recipe import parse, shipped

    path = shipped().get(args.recipe)
    if path is not None and not args.full and not args.overrides:
        print(path.read_text(encoding="utf-8"), end="")
        return 0
    recipe = parse(args.recipe, overrides=args.overrides)
    if args.full or args.overrides:
        print(recipe.to_yaml(), end="")
    else:
        print(Path(args.recipe).read_text(encoding="utf-8-sig"), end="")
    return 0


def _new(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.recipe import shipped
    from understudy.recipe.marks import did_you_mean, listed
    from understudy.recipe.scalars import is_plain

    own = shipped()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", args.name):
        raise UsageError("a recipe's name is made of letters, digits, -, _ and .", got=args.name)
    like = args.like or (args.name if args.name in own else _START)
    if like not in own:
        raise UsageError(f'there is no shipped recipe "{like}"', wanted=f"one of {listed(own)}",
                         remedy=did_you_mean(like, own))
    name = args.name if is_plain(args.name) else f'"{args.name}"'
    text = re.sub(r"(?m)^name: .*$", f"name: {name}", own[like].read_text(encoding="utf-8"), count=1)
    path = args.output or Path(f"{args.name}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError("is there already", where=path, remedy="Choose another file with -o, or remove this one") from None
    except OSError as error:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # an empty one, where the disk is full
        raise UsageError(f"cannot be written: {error.strerror}", where=path) from None
    print(f"{path}: a recipe like {like}. Look at it with: understudy preview {path}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from understudy.recipe import parse
    from understudy.recipe.plain import paths

    recipe = parse(args.recipe, overrides=args.overrides)
    missing = [place for place in paths(recipe) if not Path(place).exists()]
    for place in missing:
        print(f"{args.recipe}: {place.said} does not exist (looked for {place})", file=sys.stderr)
    if missing:
        return 1
    print(f"{args.recipe}: a recipe for {recipe.count:,} pictures of {recipe.world_name}, as {recipe.write_name}; "
          f"digest {recipe.digest}")
    return 0


def _schema(args: argparse.Namespace) -> int:
    import json

    from understudy.recipe import json_schema

    return _out(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n", args.output)


def _reference(args: argparse.Namespace) -> int:
    from understudy.recipe import reference

    return _out(reference(), args.output)


def _out(text: str, path: Path | None) -> int:
    from understudy.errors import WriteError

    if path is None:
        sys.stdout.write(text)
        return 0
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WriteError(f"cannot be written: {error.strerror}", where=path) from None
    return 0
