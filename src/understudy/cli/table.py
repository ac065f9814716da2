"""``understudy table``: learn a client table, make rows that share its statistics and point at nobody, and prove it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from understudy.cli import asking, judging


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "DATA is a CSV, TSV or Parquet file, a folder of them, a SQLite file or a database's URL. No message, log or "
        "model holds a row of it. docs/tables.md says what is protected and what is not."
    )
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    inspect = commands.add_parser("inspect", help="say what each column holds, and write it down to be corrected")
    asking.data(inspect)
    inspect.add_argument("-o", "--out", type=Path, metavar="YAML", help="write the schema here (printed if left out)")
    inspect.add_argument("--owners", type=int, default=8, metavar="K", help="name nothing with fewer owners (default 8)")

    fit = commands.add_parser("fit", help="learn a model")
    asking.data(fit)
    fit.add_argument("-o", "--out", type=Path, required=True, metavar="MODEL", help="the model's file")
    fit.add_argument("--schema", type=Path, metavar="YAML", help="what each column holds (guessed if left out)")
    fit.add_argument("--privacy", metavar="LEVEL", help="close, standard (default), careful or strict")
    fit.add_argument(
        "--owners", type=int, metavar="K", help="rows that must share whatever is learnt (the level says if left out)"
    )
    fit.add_argument("--columns", metavar="A,B,...", help="learn only these")
    asking.private(fit)
    fit.add_argument("--seed", type=int, default=0, help="the root of all randomness (default 0)")

    sample = commands.add_parser("sample", help="make rows from a model")
    sample.add_argument("model", type=Path, metavar="MODEL")
    sample.add_argument("-n", "--count", type=int, metavar="N", help="rows (as many as were learnt if left out)")
    sample.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="a .parquet or .csv file; a folder for linked tables"
    )
    sample.add_argument("--scale", type=float, metavar="F", help="linked tables: so many times as many rows (default 1)")
    sample.add_argument("--seed", type=int, default=0, help="the root of all randomness (default 0)")
    sample.add_argument(
        "--given", action="append", default=[], metavar="COLUMN=VALUE", help="every row has this; may be given again"
    )
    sample.add_argument(
        "--given-file",
        type=Path,
        metavar="FILE",
        help="a table of some columns: one made row for each of its rows, empty fields filled in",
    )
    sample.add_argument(
        "--shares",
        action="append",
        default=[],
        metavar="COLUMN=A:1,B:2",
        help="wanted shares of names, or of ranges (age=..30:1,30..:2); may be given again",
    )
    sample.add_argument("--where", action="append", default=[], metavar="STATEMENT", help='rows that hold it ("age > 60")')

    strip = commands.add_parser(
        "strip", help="replace names, e-mails, cards and the like by fakes; all else stays (for tests)"
    )
    asking.data(strip)
    strip.add_argument("--schema", type=Path, metavar="YAML", help="what each column holds (guessed if left out)")
    strip.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="a .parquet or .csv file; a folder for several"
    )

    strip.add_argument("--free-text", action="store_true", help="look into columns of free text too, with Presidio")
    strip.add_argument(
        "--language-model", default="", metavar="NAME", help="a spaCy model that finds people's names in free text"
    )

    judging.arguments(commands)


def run(args: argparse.Namespace) -> int:
    commands = {
        "inspect": _inspect,
        "fit": _fit,
        "sample": _sample,
        "strip": _strip,
        "report": judging.report,
        "audit": judging.audit,
        "peer": judging.peer,
        "shift": judging.shift,
    }
    return commands[args.what](args)


def _inspect(args: argparse.Namespace) -> int:
    from understudy.tables.detect import described, detect
    from understudy.tables.schema import to_yaml
    from understudy.tables.source import read
    from understudy.whole import written_whole

    tables = read(args.data, drop_ragged=args.drop_ragged)
    schemas, notes = detect(tables, args.owners)
    print(described(schemas, tables, (*tables.notes, *notes)), file=sys.stderr if args.out is None else sys.stdout)
    if args.out is None:
        print(to_yaml(schemas), end="")
    else:
        with written_whole(args.out, "schema") as rough:
            rough.write_text(to_yaml(schemas), encoding="utf-8")
        print(args.out)
    return 0


def _fit(args: argparse.Namespace) -> int:
    from understudy.tables import fit

    budget = asking.budget(args)
    model = fit(
        args.data,
        schema=args.schema,
        privacy=args.privacy or "standard",
        owners=args.owners,
        columns=asking.names(args.columns) or None,
        seed=args.seed,
        drop_ragged=args.drop_ragged,
        budget=budget,
    )
    for note in model.notes:
        print(f"note: {note}", file=sys.stderr)
    model.save(args.out)
    for name, table in model.tables.items():
        about = "about " if table.private and not table.schema.rows else ""
        print(f"{args.out}: {name}, {about}{table.rows:,} rows, {len(table.schema.columns)} columns")
    if told := next((table.private for table in model.tables.values() if table.private), None):
        print(
            f"{args.out}: epsilon {told['epsilon spent']:.4g} of {told['epsilon']:g}, delta {told['delta']:g}, "
            f"{len(told['looks'])} looks at the data, for {told['neighbours']}"
        )
    return 0


def _sample(args: argparse.Namespace) -> int:
    from understudy.tables import load
    from understudy.tables.output import write

    model = load(args.model)
    wishes = {} if args.scale is None else {"scale": args.scale}
    if args.given:
        wishes["given"] = dict(_pair(text) for text in args.given)
    if args.given_file:
        from understudy.tables.source import read

        wishes["rows"] = next(iter(read(args.given_file).tables.values()))
    if args.shares:
        wishes["shares"] = dict(_shares(text) for text in args.shares)
    if args.where:
        wishes["where"] = args.where
    alone = len(model.tables) + len(model.public) == 1
    if not alone:
        _folder(args.out)
    for name, chunks in model.stream(args.count, args.seed, **wishes):
        path = args.out if alone else args.out / f"{name}.csv"
        rows = write(chunks, path)
        print(f"{path}: {rows:,} rows")
    return 0


def _strip(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.tables.detect import detect
    from understudy.tables.entities.freetext import finder
    from understudy.tables.entities.strip import strip
    from understudy.tables.output import write
    from understudy.tables.schema import from_yaml
    from understudy.tables.source import read

    tables = read(args.data, drop_ragged=args.drop_ragged)
    schemas = from_yaml(args.schema) if args.schema else detect(tables)[0]
    if set(schemas) != set(tables.tables):
        raise UsageError(
            "the schema and the data have other tables", wanted=", ".join(tables.tables), got=", ".join(schemas)
        )
    if args.language_model and not args.free_text:
        raise UsageError("a language model is for free text", where="--language-model", wanted="--free-text too")
    find = finder(args.language_model) if args.free_text else None
    if find and not args.language_model:
        print("note: people's names in free text are looked for only with --language-model", file=sys.stderr)
    found = {
        name: [c for c, spec in schema.columns.items() if spec.entity or (find and spec.kind == "text")]
        for name, schema in schemas.items()
    }
    if not any(found.values()):
        raise UsageError(
            "no column was found to hold names, e-mails, cards or the like",
            where=asking.shown(args.data),
            remedy="Say so in a schema: {kind: identifier, entity: email}",
        )
    if len(tables.tables) > 1:
        _folder(args.out)
    for name, table in strip(tables.tables, schemas, find=find).items():
        path = args.out if len(tables.tables) == 1 else args.out / f"{name}.csv"
        print(f"{path}: {write(iter([table]), path):,} rows; replaced: {', '.join(found[name]) or 'nothing'}")
    return 0


def _folder(out: Path) -> None:
    from understudy.errors import UsageError

    if out.suffix.lower() in (".csv", ".parquet") and not out.is_dir():
        raise UsageError("several tables are written into a folder", where=out, wanted="a folder's name", got=out.suffix)


def _pair(text: str) -> tuple[str, str]:
    from understudy.errors import UsageError

    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError("a given column is written with its value", wanted="COLUMN=VALUE", got=text)
    return name.strip(), value.strip()


def _shares(text: str) -> tuple[str, dict[str, float]]:
    from understudy.errors import UsageError

    name, rest = _pair(text)
    shares = {}
    for part in rest.split(","):
        value, colon, weight = part.rpartition(":")
        try:
            shares[value.strip()] = float(weight)
        except ValueError:
            colon = ""
        if not colon:
            raise UsageError("a share is a value and a number", where=name, wanted="VALUE:SHARE", got=part)
    return name, shares
