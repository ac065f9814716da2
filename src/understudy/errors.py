"""Every error that Understudy raises on purpose.

::

    UnderstudyError                 exit code 1
    ├── RecipeError                 a recipe is wrong (holds every Problem found)     exit code 2
    ├── UsageError                  a command line or a call is wrong                 exit code 2
    ├── AssetError                  a photograph, mesh or model file is unusable
    ├── MissingDependency           an optional package or system library is absent
    ├── Unsatisfiable               a record's constraints could not be met
    ├── RenderError                 a renderer could not make what was asked
    ├── SpecError                   an array is not what its Spec says
    ├── RunError                    a run cannot start, go on or finish
    │   ├── FolderBusy              another run holds the output folder
    │   └── FolderTaken             the output folder belongs to another recipe, seed or format
    ├── WriteError                  a record could not be written (full disk, read-only folder)
    ├── TableError                  a client table, its schema or a model of it cannot be used; never quotes a value
    └── DatasetError                a written data set cannot be read or is wrong

A message says where, wanted, got and the remedy, in that order; the command line prints it alone (``--debug`` adds the
traceback) and exits with ``exit_code``.
"""

from __future__ import annotations

from dataclasses import dataclass


class UnderstudyError(Exception):
    """Base of all errors raised on purpose: ``where: message (wanted ..., got ...). remedy``.

    ``where`` is a file, ``file:line`` or a record; ``wanted`` and ``got`` are short texts; ``remedy`` is a sentence.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        where: object = None,
        wanted: object = None,
        got: object = None,
        remedy: str | None = None,
    ) -> None:
        self.message, self.where, self.wanted, self.got, self.remedy = message, where, wanted, got, remedy
        super().__init__(_sentence(message, where, wanted, got, remedy))

    def __reduce__(self):  # workers send errors to the parent: keyword-only fields must survive pickling
        fields = {k: getattr(self, k) for k in ("where", "wanted", "got", "remedy")}
        return _rebuild, (type(self), self.message, fields)


def _rebuild(cls, message, fields):
    return cls(message, **fields)


def _sentence(message, where, wanted, got, remedy) -> str:
    text = f"{where}: {message}" if where is not None else message
    facts = [f"{name} {value}" for name, value in (("wanted", wanted), ("got", got)) if value is not None]
    if facts:
        text += f" ({', '.join(facts)})"
    if remedy:
        text += f". {remedy}"
    return text


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a recipe. ``path`` is dotted (``world.body.age``), ``where`` is ``file:line``."""

    where: str
    path: str
    message: str
    wanted: str | None = None
    got: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        return _sentence(f"{self.path}: {self.message}" if self.path else self.message,
                         self.where, self.wanted, self.got, self.remedy)


class RecipeError(UnderstudyError):
    """A recipe is wrong. ``problems`` holds everything found, in file order; the text has one line for each."""

    exit_code = 2

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))

    def __reduce__(self):
        return RecipeError, (self.problems,)


class UsageError(UnderstudyError):
    """A command line, or a call of the public API, is wrong."""

    exit_code = 2


class AssetError(UnderstudyError):
    """A photograph, mesh, texture or model file is missing or unusable."""


class MissingDependency(UnderstudyError):
    """A package or system library is absent; ``remedy`` is the command that installs it."""


class Unsatisfiable(UnderstudyError):
    """A record's constraints could not be met by this draw; the maker tries again with the next attempt's key."""


class RenderError(UnderstudyError):
    """A renderer could not make what was asked."""


class SpecError(UnderstudyError):
    """An array is not what its Spec says (name, dtype, shape, range)."""


class RunError(UnderstudyError):
    """A run cannot start, go on or finish."""


class FolderBusy(RunError):
    """Another run holds the output folder."""


class FolderTaken(RunError):
    """The output folder belongs to another recipe, seed or format."""


class WriteError(UnderstudyError):
    """A record could not be written."""


class DatasetError(UnderstudyError):
    """A written data set cannot be read, or is wrong."""


class TableError(UnderstudyError):
    """A client table, its schema or a model learnt from it cannot be used. The message never quotes a value of the data."""
