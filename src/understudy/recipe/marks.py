"""Where a piece of a recipe was written, and what was found wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy.errors import Problem, RecipeError

# Texts of the user's are quoted in messages up to this many characters.
_QUOTED = 60


@dataclass(frozen=True)
class Mark:
    """A place in a source: ``people.yaml:14``, ``--set #2``, or ``recipe`` for one made in Python.

    typed : on the command line, where paths start at the working folder and not at the recipe's
    """

    source: str
    line: int | None = None
    typed: bool = False

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass
class Reading:
    """One reading of a recipe: the problems found so far, and the folder against which its paths are resolved."""

    folder: Path
    found: list[tuple[Mark, Problem]] = field(default_factory=list)

    def wrong(self, mark: Mark, path: str, message: str, *, wanted: object = None, got: object = None,
              remedy: str | None = None) -> None:
        """Note a problem and go on reading."""
        texts = [None if fact is None else str(fact) for fact in (wanted, got)]
        self.found.append((mark, Problem(str(mark), path, message, *texts, remedy)))

    def settle(self) -> None:
        """Raise RecipeError if anything was wrong: everything at once, in the order of the file."""
        if self.found:
            last = max((mark.line or 0 for mark, _ in self.found), default=0) + 1
            ordered = sorted(self.found, key=lambda f: f[0].line if f[0].line is not None else last)
            raise RecipeError([problem for _, problem in ordered])


def quoted(thing: Any) -> str:
    """``thing`` as a message shows it: text in quotes, names of YAML for true, false and null, never long."""
    if isinstance(thing, str):
        text = '"' + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in thing[: _QUOTED + 1]) + '"'
    elif thing is None:
        text = "nothing"
    elif isinstance(thing, bool):
        text = "true" if thing else "false"
    elif isinstance(thing, int | float):
        text = number(thing)
    else:
        text = str(thing)
    return clipped(text)


def clipped(text: str) -> str:
    """``text``, cut when long."""
    return text if len(text) <= _QUOTED else text[: _QUOTED - 3] + "..."


def number(value: float) -> str:
    """A number as a recipe would write it: 58, 0.5, 1e+20, .inf."""
    if isinstance(value, int):
        return str(value) if abs(value) < 10**20 else f"{float(min(value, 10**300)):g}"
    if value != value or value in (float("inf"), float("-inf")):
        return {"inf": ".inf", "-inf": "-.inf"}.get(str(value), ".nan")
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant."""
    words = list(words)
    folded = {w.casefold().replace("-", "_"): w for w in words}
    close = difflib.get_close_matches(word.casefold().replace("-", "_").replace(" ", "_"), folded, 1, 0.66)
    return folded[close[0]] if close else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """A remedy, if one of ``words`` is near."""
    near = nearest(word, words)
    return None if near is None else f'Did you mean "{near}"?'


def listed(words: Iterable[str], most: int = 16) -> str:
    """``a, b, c``, cut when long."""
    words = list(words)
    return ", ".join(words[:most]) + (f" ... ({len(words)} in all)" if len(words) > most else "")
