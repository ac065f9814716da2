"""The recipe itself: seven parts, checked when made, with one plain form, one text and one digest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from understudy.errors import Problem, RecipeError
from understudy.fields import resolve
from understudy.recipe.build import Builder
from understudy.recipe.literals import WRONG
from understudy.recipe.marks import Mark, Reading, listed
from understudy.recipe.origin import starts_line
from understudy.recipe.parts import COUNT, SEED, TABLES, LabelSettings, Sensors, Tables, root
from understudy.recipe.places import places
from understudy.recipe.plain import marks, paths, plain_field, said, to_yaml, unmarked
from understudy.recipe.tree import from_python
from understudy.worlds import World
from understudy.writers import Format


@dataclass(frozen=True)
class Recipe:
    """Everything that a data set is a function of, besides a record's index.

    A recipe is checked and brought to one form when it is made, from a file or in Python alike: a wrong one raises
    :class:`~understudy.errors.RecipeError` with everything that is wrong; literals become values, numbers get the type
    that their support wants. What is left out (None) is made with its defaults; ``world_name`` and ``write_name`` are the
    names in ``tables``, found by the class.
    """

    name: str
    seed: int = SEED
    count: int = COUNT
    world: World | None = None
    world_name: str = ""
    sensors: Sensors | None = None
    labels: LabelSettings | None = None
    write: Format | None = None
    write_name: str = ""
    tables: Tables = field(default=TABLES, compare=False, repr=False)

    def __post_init__(self) -> None:
        parts, reading = root(self.tables), Reading(Path.cwd())
        tree = from_python(self._located(), reading)
        reading.settle()
        read = Builder(reading, self.tables, tree, parts).build()
        if WRONG not in read.values():
            agree(read, reading, Mark("recipe"), self.tables)
        reading.settle()
        for slot in ("world", "write"):
            read[f"{slot}_name"], read[slot] = read[slot]
        for name, value in read.items():
            object.__setattr__(self, name, value)

    def _located(self) -> dict[str, Any]:
        """All parts as plain data, paths absolute."""
        parts = root(self.tables)
        plain = {"name": self.name, "seed": self.seed, "count": self.count}
        if self.world is None:
            raise RecipeError([Problem("recipe", "world", "is missing", f"one of {listed(self.tables.worlds)}")])
        for name in ("world", "sensors", "labels", "write"):
            if getattr(self, name) is not None:
                plain[name] = plain_field(getattr(self, name), parts[name], self.tables, name)
        return plain

    def plain(self) -> dict[str, Any]:
        """The whole recipe as plain data, defaults filled: ``parse(recipe.plain()) == recipe``.

        Paths stand as the recipe put them, so the same recipe is the same data wherever its folder lies.
        """
        return said(self._located())

    def to_yaml(self, folder: Path | None = None) -> str:
        """The whole recipe as a recipe file.

        folder : where the file will lie. Relative paths stay as they are, and a first line says what they start from, so
            the file says the same there, under the same digest.
        """
        starts = {p.start for p in paths(self)} - {None}
        line = starts_line(starts.pop(), folder) if folder is not None and len(starts) == 1 else ""
        return line + to_yaml(self.plain())

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits of everything that shapes a record but the seed: all parts except count, seed and write,
        without the marks of ``tune``."""
        shaping = {k: unmarked(v) for k, v in self.plain().items() if k not in ("count", "seed", "write")}
        text = json.dumps(shaping, ensure_ascii=True, separators=(",", ":"))
        return blake2b(text.encode(), digest_size=16).hexdigest()

    def tuned(self, columns: Iterable[str]) -> list[str]:
        """Those of ``columns`` (drawn paths, as the manifest names them) whose place the recipe marks with ``tune``.

        Of a path that is drawn for each of several things, the first thing's column.
        """
        marked = set(marks(self.plain()))
        tree = from_python(self._located(), Reading(Path.cwd()))
        known = [p for p in places(tree, root(self.tables), self.tables) if p.path in marked]
        found: dict[str, str] = {}
        for column in columns:
            name = re.sub(r"\[\d+\]", "", column)
            if any(p.answers(tuple(name.split("."))) for p in known):
                found.setdefault(name, column)
        return list(found.values())


def agree(read: dict[str, Any], reading: Reading, mark: Mark, tables: Tables) -> None:
    """Note where parts do not fit one another: the renderer must give every channel that the labels read."""
    gives = set(read["sensors"].renderer.supplies)
    lacks = {label: {spec.name for spec in resolve(tables.labels, label).needs} - gives for label in read["labels"].keep}
    blind = [label for label in lacks if lacks[label]]
    if blind:
        reading.wrong(mark, "labels.keep", f"the renderer cannot give what {listed(blind)} must read",
                      wanted=listed(sorted(set().union(*lacks.values()))), got=listed(sorted(gives)),
                      remedy="Leave those labels out of labels.keep, or choose another renderer")
