"""``understudy table report``, ``audit``, ``peer``, ``shift``: made rows measured, attacked, and used to judge a learner."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.cli import asking

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.schema import Schema


def arguments(commands: argparse._SubParsersAction) -> None:
    """The four commands' own."""
    report = commands.add_parser("report", help="learn half of a table, make rows, measure and attack them; HTML and JSON")
    asking.data(report)
    _judged(report)
    report.add_argument("--schema", type=Path, metavar="YAML", help="what each column holds (guessed if left out)")
    report.add_argument("--privacy", metavar="LEVEL", help="close, standard (default), careful or strict")
    report.add_argument(
        "--refits", type=int, default=64, metavar="N", help="shadow models of the membership attack (default 64; 0: none)"
    )
    asking.private(report)
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

    peer = commands.add_parser("peer", help="make rows with another engine, to audit them beside ours")
    asking.data(peer)
    peer.add_argument("--engine", required=True, metavar="NAME", help="mostlyai (an environment of its own) or dpgan")
    peer.add_argument("--python", type=Path, metavar="FILE", help="mostlyai: bin/python of an environment that has it")
    peer.add_argument("--minutes", type=float, default=10.0, metavar="M", help="mostlyai: train no longer (default 10)")
    asking.private(peer)
    peer.add_argument("--schema", type=Path, metavar="YAML", help="what each column holds (guessed if left out)")
    peer.add_argument("-n", "--count", type=int, metavar="N", help="rows (as many as there are if left out)")
    peer.add_argument("--seed", type=int, default=0, help="the root of all randomness but noise (default 0)")
    peer.add_argument("-o", "--out", type=Path, required=True, metavar="FILE", help="a .parquet or .csv file")

    shift = commands.add_parser("shift", help="test a learner on a population that the data has few rows of")
    shift.add_argument("model", type=Path, metavar="MODEL")
    shift.add_argument(
        "--predictor",
        required=True,
        metavar="FILE|MODULE:NAME",
        help="a learner with predict(frame): .joblib or .pkl (runs code: your own only), .skops, or a function",
    )
    shift.add_argument("--trust", metavar="A,B,...", help="types that a .skops file may hold beside skops's own list")
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


def _judged(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target", metavar="COLUMN", help="the column that learners predict (the schema's, or the last one)"
    )
    parser.add_argument("--groups", metavar="A,B,...", help="columns by whose groups fairness is compared")
    parser.add_argument("--seed", type=int, default=0, help="the root of all randomness (default 0)")
    parser.add_argument("-o", "--out", type=Path, metavar="HTML", help="the report; the figures go beside it as .json")


def report(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.key import Key
    from understudy.tables.report import figures
    from understudy.tables.source import read

    budget = asking.budget(args)
    tables = read(args.data, drop_ragged=args.drop_ragged)
    if len(tables.tables) != 1:
        raise UsageError("a report is of one table", where=asking.shown(args.data), got=", ".join(tables.tables))
    ((name, table),) = tables.tables.items()
    if args.refits and not 16 <= args.refits <= 10_000:
        raise UsageError("an attack needs some refits", wanted="--refits 0, or from 16 to 10000", got=args.refits)
    schema, target, groups = _frame(args, name, table)
    found = figures.report(
        table,
        schema,
        name,
        args.privacy or "standard",
        target,
        Key(args.seed) / "report",
        groups=groups,
        refits=args.refits,
        frontier=not args.no_frontier,
        budget=budget,
        say=lambda text: print(f"{name}: {text}", file=sys.stderr, flush=True),
    )
    return _told(found, f"{name}: made rows ({found['privacy']})", args.out or Path(f"{name}-report.html"))


def audit(args: argparse.Namespace) -> int:
    from understudy.errors import TableError
    from understudy.key import Key
    from understudy.tables.report import figures
    from understudy.tables.source import read

    paths = args.real, args.holdout, args.made
    real, holdout, made = (next(iter(read(path).tables.values())) for path in paths)
    for path, table in zip(paths[1:], (holdout, made)):
        if absent := [c for c in real.column_names if c not in table.column_names]:
            raise TableError(
                f"a table lacks columns of {args.real}",
                where=path,
                wanted=", ".join(absent[:12]),
                got=", ".join(table.column_names[:12]),
            )
    schema, target, groups = _frame(args, args.real.name, real)
    found = figures.audit(real, holdout, made, schema, target, Key(args.seed) / "audit", groups=groups)
    return _told(found, f"{args.made.name}: made rows", args.out or Path(f"{args.made.name.partition('.')[0]}-audit.html"))


def peer(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError
    from understudy.tables.detect import detect
    from understudy.tables.output import checked, write
    from understudy.tables.peers import apart, compared, dpgan, rows
    from understudy.tables.schema import from_yaml
    from understudy.tables.source import read

    if args.engine not in ("mostlyai", "dpgan"):
        raise UsageError("there is no such engine", where="--engine", wanted="mostlyai or dpgan", got=args.engine)
    if args.engine == "mostlyai" and args.python is None:
        raise UsageError(
            "it lives in an environment of its own", where="--engine mostlyai", wanted="--python", remedy=apart.INSTALL
        )
    budget = asking.budget(args)
    if (budget is None) == (args.engine == "dpgan"):
        raise UsageError("epsilon is for dpgan, and dpgan needs it", where="--epsilon", got=f"--engine {args.engine}")
    checked(args.out)
    tables = read(args.data, drop_ragged=args.drop_ragged)
    if len(tables.tables) != 1:
        raise UsageError("a peer learns one table", where=asking.shown(args.data), got=", ".join(tables.tables))
    ((name, table),) = tables.tables.items()
    (whole,) = (from_yaml(args.schema) if args.schema else detect(tables)[0]).values()
    schema, n = compared(whole), table.num_rows if args.count is None else args.count
    if n < 1:
        raise UsageError("a number of rows is needed", where="-n", wanted="at least 1", got=n)
    left = [c for c in whole.columns if c not in schema.columns]
    if left:
        print(f"note: given to no other engine: {', '.join(left)}", file=sys.stderr)

    def engine(values):
        if budget is None:
            return apart.make(values, n, python=args.python, minutes=args.minutes, seed=args.seed)
        made, cost = dpgan.make(values, schema, n, budget, args.seed)
        print(f"{args.out}: epsilon {cost['epsilon']:.4g} of {budget.epsilon:g}, delta {budget.delta:g}, by Opacus")
        return made

    print(f"{args.out}: {write(iter([rows(table, whole, name, engine)]), args.out):,} rows")
    return 0


def shift(args: argparse.Namespace) -> int:
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
        predictor(args.predictor, asking.names(args.trust)),
        target,
        where=args.where,
        settings=args.set,
        real=next(iter(read(args.real).tables.values())) if args.real else None,
        groups=asking.names(args.groups),
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
    groups = asking.names(args.groups)
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
