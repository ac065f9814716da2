"""The command line: ``understudy COMMAND ...``. One file a command; this one finds it and turns errors into messages.

A command is a module with ``arguments(parser)``, which declares its arguments, and ``run(args) -> int``, its exit code.
Only the named command's module is imported, so that ``understudy --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

COMMANDS = {
    "generate": "make a data set from a recipe",
    "preview": "make a contact sheet of a recipe, labels drawn on",
    "recipe": "list, show, start, check and describe recipes",
    "check": "audit a data set's labels (ours, or any COCO or YOLO folder)",
    "inspect": "write an HTML report on a data set",
    "convert": "rewrite a data set in another format",
    "train": "train a small network on a data set",
    "finetune": "go on training a model on real pictures",
    "evaluate": "score a model on real pictures, with intervals and slices",
    "compare": "rank data sets by what they teach about real pictures",
    "blend": "measure mixtures of made and real pictures, and how many are enough",
    "realism": "show where made pictures differ from real ones",
    "adapt": "refine made pictures towards real ones, labels kept",
    "ablate": "measure what each axis of a recipe is worth, by holding it still",
    "search": "find which distributions of a recipe teach most",
    "models": "list, make, fetch and check models, each with its card",
    "predict": "say what a model finds in pictures",
    "assets": "add and list packs of clothes, hair and poses",
    "table": "learn a client table and make rows that point at nobody",
    "doctor": "say what this machine has and lacks",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. 0 is success, 1 a failure, 2 wrong usage or a wrong recipe, 130 Ctrl-C, 141 a
    reader that went away."""
    argv = list(sys.argv[1:] if argv is None else argv)
    command = next((a for a in argv if not a.startswith("-")), None)
    parser = _parser(command)
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    from understudy.errors import UnderstudyError

    try:
        code = import_module(f"understudy.cli.{args.command}").run(args) or 0
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where a refusal still has a message and an exit code
        return code
    except UnderstudyError as error:
        if args.debug:
            raise
        print(f"understudy: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("understudy: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `understudy recipe list | head`: nobody reads on
        _mute()
        return 128 + 13  # SIGPIPE, as the shell says it
    except ModuleNotFoundError as error:
        if args.debug:
            raise
        print(f"understudy: the package {error.name} is missing. pip install --force-reinstall understudy; "
              "`understudy doctor` says what else is", file=sys.stderr)
        return 1
    except OSError as error:  # what the system refuses is no defect: a full disk under `> list.txt`
        if args.debug:
            raise
        print(f"understudy: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        _mute()
        return 1
    except Exception as error:  # a defect of ours: no traceback reaches the user unasked
        if args.debug:
            raise
        print(f"understudy: unexpected {type(error).__name__}: {error}. This is a defect; --debug shows where.",
              file=sys.stderr)
        return 1


def _mute() -> None:
    """Let what is still in standard output's buffer go nowhere, or Python complains of it at its end."""
    with suppress(OSError, AttributeError, ValueError):  # no file behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
