"""``understudy assets``: add, list and remove packs of clothes, hair and poses."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    add = commands.add_parser("add", help="add a pack: check its files and keep what can be used")
    add.add_argument("kind", choices=["makehuman"], help="what kind of pack it is")
    add.add_argument("folder", type=Path, metavar="DIR", help="the unpacked pack (.mhclo, .obj, .mhmat, .bvh)")
    add.add_argument("--name", default="makehuman", help="under which name recipes wear it (default makehuman)")
    show = commands.add_parser("list", help="show the packs that were added, with licences")
    show.add_argument("name", nargs="?", help="one of them, every piece of it")
    remove = commands.add_parser("remove", help="forget a pack")
    remove.add_argument("name")


def run(args: argparse.Namespace) -> int:
    return {"add": _add, "list": _list, "remove": _remove}[args.what](args)


def _add(args: argparse.Namespace) -> int:
    from understudy.assets import packs

    pack = packs.add(args.name, args.folder)
    print(f"{pack.name}: {_counted(pack)}")
    for file, why in pack.skipped:
        print(f"  skipped {file}: {why}")
    print(f"Wear it: world.people.pack.name: {pack.name}" + (
        f"; its poses: world.people.pose.motions: {pack.root / 'poses'}" if pack.poses else ""))
    return 0


def _counted(pack) -> str:
    kinds = Counter(p.kind for p in pack.pieces)
    parts = [f"{n} {kind}" for kind, n in kinds.items()] + ([f"{len(pack.poses)} poses"] if pack.poses else [])
    licences = ", ".join(f"{lic} ({n})" for lic, n in Counter(p.licence for p in pack.pieces).items())
    skipped = f"; {len(pack.skipped)} files skipped" if pack.skipped else ""
    return f"{', '.join(parts)}{skipped}; licences: {licences or 'none'}"


def _list(args: argparse.Namespace) -> int:
    from understudy.assets import packs

    names = [args.name] if args.name else packs.names()
    if not names:
        print("no pack was added; add one: understudy assets add makehuman DIR")
    for name in names:
        pack = packs.load(name)
        print(f"{name}: {_counted(pack)}")
        if args.name:
            for piece in pack.pieces:
                print(f"  {piece.kind:10} {piece.name:28} {piece.licence:12} {', '.join(piece.tags)}")
            for pose in pack.poses:
                print(f"  {'pose':10} {pose}")
            for file, why in pack.skipped:
                print(f"  skipped    {file}: {why}")
    return 0


def _remove(args: argparse.Namespace) -> int:
    import shutil

    from understudy.assets import packs

    shutil.rmtree(packs.load(args.name).root)
    print(f"{args.name} is forgotten")
    return 0
