"""The command line: ``understudy COMMAND ...``. One file a command; this one finds it and turns errors into messages.

A command is a module with ``arguments(parser)``, which declares its arguments, and ``run(args) -> int``, its exit code.
Only the named command's module is imported, so that ``understudy --help`` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "generate": "make a data set from a recipe",
    "preview": "make a contact sheet of a recipe, labels drawn on",
    "recipe": "list, show, start, check and describe recipes",
    "check": "audit a data set's labels (ours, or any COCO or YOLO folder)",
    "inspect": "write an HTML report on a data set",
    "convert": "rewrite a data set in another format",
    "doctor": "say what this machine has and lacks",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. 0 is success, 1 a failure, 2 wrong usage or a wrong recipe, 130 Ctrl-C."""
    argv = list(sys.argv[1:] if argv is None else argv)
    command = next((a for a in argv if not a.startswith("-")), None)
    parser = _parser(command)
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    from understudy.errors import UnderstudyError

    try:
        return import_module(f"understudy.cli.{args.command}").run(args) or 0
    except UnderstudyError as error:
        if args.debug:
            raise
        print(f"understudy: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("understudy: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `understudy recipe list | head`
        sys.stderr.close()
        return 0
    except Exception as error:  # a defect of ours: no traceback reaches the user unasked
        if args.debug:
            raise
        print(f"understudy: unexpected {type(error).__name__}: {error}. This is a defect; --debug shows where.",
              file=sys.stderr)
        return 1


def _parser(command: str | None) -> argparse.ArgumentParser:
    from understudy import __version__

    parser = argparse.ArgumentParser(
        prog="understudy",
        description="Training data that stands in for the real thing: a short recipe becomes a labelled data set.",
    )
    parser.add_argument("--version", action="version", version=f"understudy {__version__}")
    _debug(parser, False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, help_text in COMMANDS.items():
        sub = commands.add_parser(name, help=help_text, description=help_text[0].upper() + help_text[1:] + ".")
        _debug(sub, argparse.SUPPRESS)
        if name == command:
            import_module(f"understudy.cli.{name}").arguments(sub)
    return parser


def _debug(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument("--debug", action="store_true", default=default, help="show the traceback of an error")
