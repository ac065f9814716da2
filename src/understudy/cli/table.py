"""``understudy table``: learn a client table, make rows that share its statistics and point at nobody, and prove it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.schema import Schema


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "DATA is a CSV, TSV or Parquet file, a folder of them, a SQLite file or a database's URL. No message, log or "
        "model holds a row of it. docs/tables.md says what is protected and what is not."
    )
    commands = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    inspect = commands.add_parser("inspect", help="say what each column holds, and write it down to be corrected")
    _data(inspect)
    inspect.add_argument("-o", "--out", type=Path, metavar="YAML", help="write the schema here (printed if left out)")
    inspect.add_argument("--owners", type=int, default=8, metavar="K", help="name nothing with fewer owners (default 8)")

    fit = commands.add_parser("fit", help="learn a model")
    _data(fit)
    fit.add_argument("-o", "--out", type=Path, required=True, metavar="MODEL", help="the model's file")
    fit.add_argument("--schema", type=Path, metavar="YAML", help="what each column holds (guessed if left out)")
    fit.add_argument("--privacy", metavar="LEVEL", help="close, standard (default), careful or strict")
    fit.add_argument(
        "--owners", type=int, metavar="K", help="rows that must share whatever is learnt (the level says if left out)"
    )
    fit.add_argument("--columns", metavar="A,B,...", help="learn only these")
    _private(fit)
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
    _data(strip)
    strip.add_argument("--schema", type=Path, metavar="YAML", help="what each column holds (guessed if left out)")
    strip.add_argument(
        "-o", "--out", type=Path, required=True, metavar="FILE", help="a .parquet or .csv file; a folder for several"
    )

    report = commands.add_parser("report", help="learn half of a table, make rows, measure and attack them; HTML and JSON")
    _data(report)
    _judged(report)
    report.add_argument("--schema", type=Path, metavar="YAML", help="what each column holds (guessed if left out)")
    report.add_argument(
        "--privacy", default="standard", metavar="LEVEL", help="close, standard (default), careful or strict"
    )
    report.add_argument(
        "--refits", type=int, default=64, metavar="N", help="shadow models of the membership attack (default 64; 0: none)"
    )
    _private(report)
    report.add_argument("--no-frontier", action="store_true", help="leave the curve over all levels out")

    audit = commands.add_parser("audit", help="measure and attack rows that any tool made; exit code 1 if a limit is broken")
    for name, meaning in (
        ("real", "the rows that the tool was given"),
        ("holdout", "real rows that it never saw"),
        ("made", "the rows that it made"),
    ):
        audit.add_argument(f"--{name}", type=Path, required=True, metavar="FILE", help=meaning)
    _judged(audit)
    audit.add_argument(
        "--schema", type=Path, metavar="YAML", help="what each column holds (guessed from the real rows if left out)"
    )


    shift = commands.add_parser("shift", help="test a learner on a population that the data has few rows of")
    shift.add_argument("model", type=Path, metavar="MODEL")
    shift.add_argument(
        "--predictor",
        required=True,
        metavar="FILE|MODULE:NAME",
        help="a learner with predict(frame): .joblib or .pkl (runs code: your own only), .skops, or a function",
    )
    shift.add_argument("--target", metavar="COLUMN", help="what it predicts (the schema's if left out)")
    shift.add_argument("--where", action="append", default=[], metavar="STATEMENT", help='who belongs to it ("age > 60")')
    shift.add_argument(
        "--set", action="append", default=[], metavar="SHARE", help='"diabetes=2x", "job:clerk=2x" or "job:clerk=30%%"'
    )
    shift.add_argument("--real", type=Path, metavar="DATA", help="real rows that neither the model nor the learner has seen")
    shift.add_argument("--groups", metavar="A,B,...", help="columns by whose groups the learner is judged")
    shift.add_argument("-n", "--count", type=int, default=10_000, metavar="N", help="made rows (default 10000)")
    shift.add_argument("--seed", type=int, default=0, help="the root of all randomness (default 0)")
    shift.add_argument("-o", "--out", type=Path, metavar="JSON", help="write the figures here")


def _data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=_source, metavar="DATA")
    parser.add_argument(
        "--drop-ragged", action="store_true", help="leave out rows with another number of fields than the header"
    )


def _source(text: str) -> str | Path:
    """A path, or a database's URL (of which a path would lose a slash)."""
    return text if "://" in text else Path(text)


def _shown(data: str | Path) -> str:
    """The data's place for a message: of a URL without user and password."""
    return str(data).rpartition("@")[2] if isinstance(data, str) else str(data)


def _private(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--epsilon", type=float, metavar="E", help="learn under differential privacy; everything in --schema is then public"
    )
    parser.add_argument("--delta", type=float, metavar="D", help="chance that this promise fails (default 1e-6)")


def _budget(args: argparse.Namespace):
    """The budget that was asked for, or None."""
    from understudy.errors import UsageError
    from understudy.tables.private.ledger import Budget

    if args.epsilon is None:
        if args.delta is not None:
            raise UsageError("delta goes with epsilon", where="--delta", wanted="--epsilon E --delta D")
        return None
    return Budget(args.epsilon) if args.delta is None else Budget(args.epsilon, args.delta)


def _judged(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target", metavar="COLUMN", help="the column that learners predict (the schema's, or the last one)"
    )
    parser.add_argument("--groups", metavar="A,B,...", help="columns by whose groups fairness is compared")
    parser.add_argument("--seed", type=int, default=0, help="the root of all randomness (default 0)")
    parser.add_argument("-o", "--out", type=Path, metavar="HTML", help="the report; the figures go beside it as .json")


def run(args: argparse.Namespace) -> int:
    commands = {
        "inspect": _inspect,
        "fit": _fit,
        "sample": _sample,
        "strip": _strip,
        "report": _report,
        "audit": _audit,
        "shift": _shift,
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
    from understudy.errors import UsageError
    from understudy.tables import fit

    budget = _budget(args)
    if budget and (args.owners or args.privacy):
        raise UsageError(
            "differential privacy has no owners and no levels: noise protects each row",
            where="--epsilon",
            wanted="--epsilon alone",
            got="--owners" if args.owners else "--privacy",
        )
    columns = [c.strip() for c in args.columns.split(",")] if args.columns else None
    model = fit(
        args.data,
        schema=args.schema,
        privacy=args.privacy or "standard",
        owners=args.owners,
        columns=columns,
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
        if table.private:
            print(
                f"{args.out}: epsilon {table.private['epsilon spent']:.4g} of {table.private['epsilon']:g}, delta "
                f"{table.private['delta']:g}, {len(table.private['looks'])} looks at the data"
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
    for name, chunks in model.stream(args.count, args.seed, **wishes):
        path = args.out if len(model.tables) == 1 else args.out / f"{name}.csv"
        rows = write(chunks, path)
        print(f"{path}: {rows:,} rows")
    return 0


def _strip(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.tables.detect import detect
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
    found = {name: [c for c, spec in schema.columns.items() if spec.entity] for name, schema in schemas.items()}
    if not any(found.values()):
        raise UsageError(
            "no column was found to hold names, e-mails, cards or the like",
            where=_shown(args.data),
            remedy="Say so in a schema: {kind: identifier, entity: email}",
        )
    for name, table in strip(tables.tables, schemas).items():
        path = args.out if len(tables.tables) == 1 else args.out / f"{name}.csv"
        print(f"{path}: {write(iter([table]), path):,} rows; replaced: {', '.join(found[name]) or 'nothing'}")
    return 0


def _report(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.key import Key
    from understudy.tables.report.figures import report
    from understudy.tables.source import read

    tables = read(args.data, drop_ragged=args.drop_ragged)
    if len(tables.tables) != 1:
        raise UsageError("a report is of one table", where=_shown(args.data), got=", ".join(tables.tables))
    ((name, table),) = tables.tables.items()
    if args.refits and not 16 <= args.refits <= 10_000:
        raise UsageError("an attack needs some refits", wanted="--refits 0, or from 16 to 10000", got=args.refits)
    schema, target, groups = _frame(args, name, table)
    found = report(
        table,
        schema,
        name,
        args.privacy,
        target,
        Key(args.seed) / "report",
        groups=groups,
        refits=args.refits,
        frontier=not args.no_frontier,
        budget=_budget(args),
    )
    return _told(found, f"{name}: made rows ({found['privacy']})", args.out or Path(f"{name}-report.html"))


def _audit(args: argparse.Namespace) -> int:
    from understudy.key import Key
    from understudy.tables.report.figures import audit
    from understudy.tables.source import read

    real, holdout, made = (next(iter(read(path).tables.values())) for path in (args.real, args.holdout, args.made))
    schema, target, groups = _frame(args, args.real.name, real)
    found = audit(real, holdout, made, schema, target, Key(args.seed) / "audit", groups=groups)
    return _told(found, f"{args.made.name}: made rows", args.out or Path(f"{args.made.name.partition('.')[0]}-audit.html"))


def _shift(args: argparse.Namespace) -> int:
    import json

    from understudy.errors import UsageError
    from understudy.tables import load
    from understudy.tables.shift import predictor, shifted
    from understudy.tables.source import read
    from understudy.whole import written_whole

    model = load(args.model)
    target = args.target or model.only.schema.target
    if not target:
        raise UsageError("say what the learner predicts", wanted="--target COLUMN")
    found = shifted(
        model,
        predictor(args.predictor),
        target,
        where=args.where,
        settings=args.set,
        real=next(iter(read(args.real).tables.values())) if args.real else None,
        groups=[g.strip() for g in args.groups.split(",")] if args.groups else [],
        n=args.count,
        seed=args.seed,
    )
    wide = max(len(row["group"]) for row in found["groups"])
    print(f"{'group':{wide}}  right, 95 % interval      real rows' worth  alone   made alone  made rows")
    for row in found["groups"]:
        low, high = row["interval"]
        alone, made = ("-" if row[side] is None else f"{row[side]:.3f}" for side in ("real", "made"))
        note = row["made rows' part"] + ("" if row["supported"] else "; NOT SUPPORTED: fewer than 30 real rows")
        print(
            f"{row['group']:{wide}}  {row['estimate']:.3f} ({low:.3f} to {high:.3f})  {row['real rows']:16.1f}  {alone:6}  "
            f"{made:10}  {note}"
        )
    if found["offset"] is None:
        print("note: too few real rows to tell how far off made ones are: intervals are of chance alone", file=sys.stderr)
    if args.out:
        with written_whole(args.out, "figures") as rough:
            rough.write_text(json.dumps(found, indent=1), encoding="utf-8")
        print(args.out)
    return 0


def _frame(args: argparse.Namespace, name: str, table: pa.Table) -> tuple[Schema, str, list[str]]:
    """Schema, target and groups of a report, each asked for by name or guessed."""
    from understudy.errors import UsageError
    from understudy.tables.detect import detect
    from understudy.tables.model import needs_scikit_learn
    from understudy.tables.schema import NAMED, NUMERIC, from_yaml
    from understudy.tables.source import Tables

    needs_scikit_learn()
    schemas = from_yaml(args.schema) if args.schema else detect(Tables({name: table}))[0]
    schema = schemas.get(name) or next(iter(schemas.values()))
    can = [c for c, column in schema.columns.items() if column.kind in (*NUMERIC, *NAMED)]
    target = args.target or schema.target or (can[-1] if can else "")
    groups = [g.strip() for g in args.groups.split(",")] if args.groups else []
    for column in (target, *groups):
        if column not in can:
            raise UsageError("this is no column that can be compared", where=column, wanted=", ".join(can))
    return schema, target, groups


def _told(found: dict, title: str, out: Path) -> int:
    import json

    from understudy.tables.report.page import page
    from understudy.whole import written_whole

    with written_whole(out, "report") as rough:
        rough.write_text(page(found, title), encoding="utf-8")
    with written_whole(out.with_suffix(".json"), "figures") as rough:
        rough.write_text(json.dumps(found, indent=1), encoding="utf-8")
    for name, gate in found["gates"].items():
        state, bounds = "held  " if gate["held"] else "BROKEN", f"{gate['low']:.3g} to {gate['high']:.3g}"
        print(f"{state} {name}: {gate['value']:.4g} ({bounds}, limit {gate['limit']:g})")
    print(f"{out}, {out.with_suffix('.json').name}")
    return int(not all(gate["held"] for gate in found["gates"].values()))


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
