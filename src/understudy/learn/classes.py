"""Agreeing on class names between data sets, and between a model and a data set. Nothing is dropped without a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from understudy.errors import UsageError


@dataclass(frozen=True)
class Agreement:
    """How a data set's categories become a model's classes.

    number : for category id i (from 1) at [i - 1]: the class number from 1, or 0 where it is left out
    shared : the model's classes that the data set has
    messages : what was mapped or left out, for the user
    """

    number: tuple[int, ...]
    shared: tuple[str, ...]
    messages: tuple[str, ...]


def agree(wanted: Sequence[str], categories: Sequence[str], where: object,
          renamed: Mapping[str, str] | None = None) -> Agreement:
    """Map ``categories`` (a data set's, in id order) to ``wanted`` (a model's classes).

    Names are equal when they agree but for case, spaces and underscores. ``renamed``: {category: class} by the user.
    Where no name agrees and both have exactly one, the two are taken for the same thing. UsageError otherwise.
    """
    renamed = dict(renamed or {})
    unknown = sorted(set(renamed) - set(categories))
    beyond = sorted(set(renamed.values()) - set(wanted))
    if beyond:
        raise UsageError("--rename names a class that the model does not have", wanted=_listed(wanted), got=_listed(beyond))
    place = {plain(name): i for i, name in enumerate(wanted, start=1)}
    number = [place.get(plain(renamed.get(name, name)), 0) for name in categories]
    messages = []
    if not any(number):
        if len(wanted) == len(categories) == 1:
            number = [1]
            messages.append(f"{where}: its only class {categories[0]!r} is taken for {wanted[0]!r}")
        else:
            given = f" (--rename named {_listed(unknown)}, which it does not have)" if unknown else ""
            raise UsageError(f"no class is shared{given}", where=where, wanted=_listed(wanted), got=_listed(categories),
                             remedy="Say which is which with --rename THEIRS=OURS, or choose with --classes")
    left = [name for name, n in zip(categories, number) if not n]
    if left:
        messages.append(f"{where}: {len(left)} of its {len(categories)} classes left out ({_listed(left)})")
    lacking = [name for i, name in enumerate(wanted, start=1) if i not in number]
    if lacking:
        messages.append(f"{where}: has no {_listed(lacking)}")
    return Agreement(tuple(number), tuple(n for i, n in enumerate(wanted, start=1) if i in number), tuple(messages))


def chosen(categories: Sequence[str], only: Sequence[str] | None, where: object) -> tuple[str, ...]:
    """The classes to learn: all, or those of ``--classes`` in the order given."""
    if not only:
        return tuple(categories)
    by_name = {plain(name): name for name in categories}
    missing = [name for name in only if plain(name) not in by_name]
    if missing:
        raise UsageError("--classes names what the data set does not have", where=where, wanted=_listed(categories),
                         got=_listed(missing))
    return tuple(dict.fromkeys(by_name[plain(name)] for name in only))


def plain(name: str) -> str:
    """A class name's form for comparing."""
    return "".join(name.casefold().replace("_", " ").split())


def _listed(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
