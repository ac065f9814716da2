"""From a file, the name of a shipped recipe or plain data to a :class:`~understudy.recipe.Recipe`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from understudy.errors import Problem, RecipeError
from understudy.recipe.build import Builder
from understudy.recipe.marks import Mark, Reading, listed, nearest
from understudy.recipe.origin import start_of
from understudy.recipe.overrides import override
from understudy.recipe.parts import TABLES, Tables, root
from understudy.recipe.recipe import Recipe, agree
from understudy.recipe.tree import Entries, Node, from_python, read_file


def parse(source: Path | str | Mapping, *, overrides: Sequence[str] = (), tables: Tables = TABLES,
          folder: Path | None = None) -> Recipe:
    """The recipe that ``source`` says.

    source : a file, the name of a shipped recipe (``"portraits"``) or plain data
    overrides : ``path=value`` each, applied in order (see :mod:`understudy.recipe.overrides`)
    tables : where names are looked up
    folder : what relative paths start from; the file's own folder (or what its first line says, see
        :mod:`understudy.recipe.origin`), for plain data the working folder

    Raises RecipeError with every problem found, each with file and line, path, wanted, got and a remedy.
    """
    if isinstance(source, Mapping):
        name, start = "unnamed", Path.cwd()
    else:
        path = _file(source)
        name, start = path.stem.encode(errors="replace").decode(), start_of(path)  # the stem may be no UTF-8
    reading = Reading(start if folder is None else folder.absolute())
    tree = from_python(source, reading) if isinstance(source, Mapping) else read_file(path, str(path), reading)
    if tree is None:
        raise RecipeError([Problem(str(source), "", "the recipe is empty", listed(root(tables)), None,
                                   'Start from one with "understudy recipe new NAME"')])
    return _read(tree, name, overrides, reading, tables)


def _read(tree: Node, name: str, overrides: Sequence[str], reading: Reading, tables: Tables) -> Recipe:
    parts = root(tables)
    tree = override(tree, overrides, reading, parts, tables)
    read = Builder(reading, tables, tree, parts).build()
    if isinstance(tree, Entries) and tree.get("world") is None:
        reading.wrong(Mark(tree.mark.source, tree.mark.line), "world", "is missing",
                      wanted=f"one of {listed(tables.worlds)}")
    reading.settle()
    agree(read, reading, _written(tree, ("labels", "keep"), ("sensors", "renderer"), ("sensors",)), tables)
    reading.settle()
    given = {"name": name} | read
    for slot in ("world", "write"):
        if slot in given:
            given[f"{slot}_name"], given[slot] = given[slot]
    return Recipe(**given, tables=tables)


def _written(tree: Entries, *paths: tuple[str, ...]) -> Mark:
    """Where the first of these places that is written stands."""
    for path in paths:
        node: Node | None = tree
        for name in path:
            node = node.get(name) if isinstance(node, Entries) else None
        if node is not None:
            return node.mark
    return tree.mark


def shipped() -> dict[str, Path]:
    """The recipes that come with the package: name -> file."""
    return {path.stem: path for path in sorted((Path(__file__).parents[1] / "recipes").glob("*.yaml"))}


def _file(source: Path | str) -> Path:
    """The file meant: a path, or the name of a shipped recipe."""
    path = Path(source)
    try:
        there = path.exists()
    except (OSError, ValueError):  # a name too long, a null byte
        there = False
    own = shipped()
    if str(source) in own and not (there and path.is_file()):
        return own[str(source)]
    if not there:
        near = nearest(path.stem, own)
        raise RecipeError([Problem(str(source), "", "there is no such recipe", "a file, or a name of a shipped recipe",
                                   None, f'Did you mean "{near}"?' if near else f"Shipped are {listed(own)}")])
    return path


