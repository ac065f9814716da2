"""``understudy check``: audit a data set's labels."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit code 0 when nothing is wrong, 1 when something is. Warnings alone do not fail, unless --strict."
    parser.add_argument("folder", nargs="?", type=Path, help="a data set's folder, or a COCO annotation file")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument("--max", type=int, default=50, metavar="N", help="list at most N findings (default 50)")
    parser.add_argument("--strict", action="store_true", help="warnings fail too")
    parser.add_argument("--rules", action="store_true", help="list every rule and what it demands, and stop")


def run(args: argparse.Namespace) -> int:
    from understudy.errors import UsageError

    if args.rules:
        return _list_rules()
    if args.folder is None:
        raise UsageError("check needs a data set", wanted="understudy check FOLDER")
    if args.max < 0:
        raise UsageError("--max counts findings", wanted="0 or more", got=args.max)
    from understudy.checks.audit import audit

    report = audit(args.folder, limit=max(args.max, 1))
    failed = not report.ok or (args.strict and report.warnings > 0)
    if args.json:
        import json

        print(json.dumps({"path": report.path, "kind": report.kind, "ok": not failed, "errors": report.errors,
                          "warnings": report.warnings, "checked": dict(report.counts), "tally": dict(report.tally),
                          "findings": [f.plain() for f in report.findings[:args.max]]}, indent=1))
        return int(failed)
    for finding in report.findings[:args.max]:
        print(f"{finding.severity}: {finding}")
    total = report.errors + report.warnings
    if total > args.max:
        print(f"... and {total - args.max} more (--max shows more)")
    if total:
        print("by rule: " + ", ".join(f"{rule} {n}" for rule, n in sorted(report.tally.items(), key=lambda r: -r[1])))
    checked = ", ".join(f"{n:,} {name}" for name, n in report.counts.items())
    verdict = f"{report.errors} errors, {report.warnings} warnings" if total else "nothing wrong"
    print(f"{report.path} ({report.kind}): {verdict}; checked {checked}")
    return int(failed)


def _list_rules() -> int:
    from understudy.checks.audit import RULES, SET_RULES

    for name, demand in [*((r.name, r.demand) for r in RULES), *SET_RULES.items()]:
        print(f"{name:20} every {demand}")
    return 0
