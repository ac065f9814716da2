"""``--set a.b=3``: one place of a recipe written from the command line.

A place is named by its full path (``world.people.count``), with the names of entries left out (``world.count``), or by
any end of a path that only one place has (``people.count``, ``body.age``). The value is YAML, so distributions may stand
there (``age={uniform: [20, 30]}``). Overrides apply in order, each to the recipe that the one before left.
"""

from __future__ import annotations

from collections.abc import Sequence

from understudy.errors import RecipeError
from understudy.fields import Slot
from understudy.recipe.marks import Mark, Reading, listed, nearest, quoted
from understudy.recipe.parts import Declared, Tables
from understudy.recipe.places import Place, places
from understudy.recipe.tree import Entries, Node, Scalar, read_text


def override(tree: Node, overrides: Sequence[str], reading: Reading, parts: dict[str, Declared], tables: Tables) -> Node:
    """The tree with every override applied; what cannot be applied is noted as a problem."""
    for k, text in enumerate(overrides, 1):
        mark = Mark(f"--set #{k}")
        name, equals, value = text.partition("=")
        asked = tuple(name.strip().split("."))
        if not equals or not all(asked):
            reading.wrong(mark, "", "is not an override", wanted="path=value, such as world.count=3", got=quoted(text))
            continue
        try:
            node = read_text(value, mark.source, reading, lines=False)
        except RecipeError as error:
            for problem in error.problems:
                reading.wrong(mark, name.strip(), problem.message, wanted=problem.wanted, got=problem.got,
                              remedy=problem.remedy or "Put a value that holds spaces or brackets in quotes of the shell")
            continue
        place = _place(list(places(tree, parts, tables)), asked, mark, reading)
        if place is not None:
            tree = _written(tree, place.names, node or Scalar(None, mark), mark)
    return tree


def _place(known: list[Place], asked: tuple[str, ...], mark: Mark, reading: Reading) -> Place | None:
    exact = [place for place in known if place.names == asked]
    found = exact or [place for place in known if place.answers(asked)]
    if len(found) > 1:  # a whole path with entries left out beats an end of a longer one
        found = [p for p in found if p.names[0] == asked[0] and len(p.names) - len(p.chosen) == len(asked)] or found
    if len(found) == 1:
        return found[0]
    name = ".".join(asked)
    if found:
        reading.wrong(mark, name, "could be several places", wanted=f"one of {listed(p.path for p in found)}")
        return None
    near = nearest(name, [p.path for p in known])
    if near is None:
        ends = {".".join(p.names[-len(asked):]): p.path for p in known}
        near = ends.get(nearest(name, ends))
    remedy = f'Did you mean "{near}"?' if near else None
    other = next((f"{p.names[-1]}={n}" for p in known if isinstance(p.field, Slot) for n in asked
                  if n in p.field.table and not any(k.names[: len(p.names) + 1] == (*p.names, n) for k in known)), None)
    if other:  # room.size=3 while the surroundings are photographs
        remedy = f"Choose it first: --set {other}"
    reading.wrong(mark, name, "the recipe has no such place", remedy=remedy)
    return None


def _written(node: Node | None, names: tuple[str, ...], value: Node, mark: Mark) -> Node:
    """The tree with ``value`` at ``names``, mappings made on the way where there were none."""
    if not names:
        return value
    name, *rest = names
    entries = node if isinstance(node, Entries) else Entries((), node.mark if node is not None else mark)
    inner = entries.get(name)
    written = _written(inner, tuple(rest), value, mark)
    if inner is None:
        return Entries((*entries.pairs, (Scalar(name, mark, name), written)), entries.mark)
    return Entries(tuple((k, written if k.text == name else n) for k, n in entries.pairs), entries.mark)

