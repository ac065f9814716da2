"""What several ``understudy table`` commands ask for: data, and a privacy budget."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.tables.private.ledger import Budget


def data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=source, metavar="DATA")
    parser.add_argument(
        "--drop-ragged", action="store_true", help="leave out rows with another number of fields than the header"
    )


def source(text: str) -> str | Path:
    """A path, or a database's URL (of which a path would lose a slash)."""
    return text if "://" in text else Path(text)


def shown(data: str | Path) -> str:
    """The data's place for a message: of a URL without user and password."""
    return str(data).rpartition("@")[2] if isinstance(data, str) else str(data)


def names(text: str | None) -> list[str]:
    """``A,B`` as a list; none asked for: empty."""
    return [name.strip() for name in text.split(",")] if text else []


def private(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--epsilon", type=float, metavar="E", help="learn under differential privacy; everything in --schema is then public"
    )
    parser.add_argument("--delta", type=float, metavar="D", help="chance that this promise fails (default 1e-6)")


def budget(args: argparse.Namespace) -> Budget | None:
    """The budget that was asked for, or None. UsageError: it goes with no level and no owners, and needs a schema."""
    from understudy.errors import UsageError
    from understudy.tables.private.ledger import Budget, needs_public_schema

    if args.epsilon is None:
        if args.delta is not None:
            raise UsageError("delta goes with epsilon", where="--delta", wanted="--epsilon E --delta D")
        return None
    level = getattr(args, "privacy", None)
    if level or getattr(args, "owners", None):
        raise UsageError(
            "differential privacy has no owners and no levels: noise protects each row",
            where="--epsilon",
            wanted="--epsilon alone",
            got="--privacy" if level else "--owners",
        )
    budget = Budget(args.epsilon) if args.delta is None else Budget(args.epsilon, args.delta)
    needs_public_schema(args.schema)
    return budget
