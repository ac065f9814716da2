"""From YAML text, or plain Python data, to a tree of nodes that know where they were written.

Nothing of the file is executed or constructed: tags are refused, and only text, numbers, booleans, nulls, lists and
mappings come out. Size, depth and number of nodes are bounded, counting an alias as often as it is used, so that a small
file cannot become a large tree.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from understudy.errors import Problem, RecipeError
from understudy.recipe.marks import Mark, Reading, clipped, number, quoted
from understudy.recipe.scalars import plain_scalar

MOST_BYTES = 1_000_000
MOST_NODES = 20_000
MOST_DEPTH = 32


@dataclass(frozen=True)
class Scalar:
    """A value, or a mapping's key. ``text`` is how it was written."""

    value: Any
    mark: Mark
    text: str = ""


@dataclass(frozen=True)
class Items:
    """A list."""

    nodes: tuple[Node, ...]
    mark: Mark


@dataclass(frozen=True)
class Entries:
    """A mapping: keys in the order written, each once."""

    pairs: tuple[tuple[Scalar, Node], ...]
    mark: Mark

    def get(self, key: str) -> Node | None:
        return next((node for name, node in self.pairs if name.text == key), None)


Node = Scalar | Items | Entries


def shown(node: Node) -> str:
    """The node as a message quotes it: ``{uniform: [1, 2]}``, ``"tall"``, cut when long."""
    return clipped(_flow(node, 4))


def _flow(node: Node, depth: int) -> str:
    if isinstance(node, Scalar):
        return quoted(node.value)
    if depth == 0:
        return "..."
    if isinstance(node, Items):
        return "[" + ", ".join(_flow(n, depth - 1) for n in node.nodes[:30]) + "]"
    return "{" + ", ".join(f"{clipped(k.text)}: {_flow(n, depth - 1)}" for k, n in node.pairs[:30]) + "}"


def read_file(path: Path, name: str, reading: Reading) -> Node | None:
    """The tree of a YAML file, None if it is empty. ``name`` is what messages call it. RecipeError if it is not YAML."""
    try:
        if path.is_dir():
            raise _unreadable(name, "is a folder", wanted="a recipe file")
        if path.exists() and not path.is_file():
            raise _unreadable(name, "is not a regular file", wanted="a recipe file")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(name, "no such file") from None
    except (OSError, ValueError) as error:
        raise _unreadable(name, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MOST_BYTES:
        raise _unreadable(name, "is too large for a recipe", wanted=f"at most {MOST_BYTES:,} bytes",
                          remedy="A recipe is ten to thirty lines; is this the right file?")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _unreadable(name, "is UTF-16 text", wanted="UTF-8", remedy="Save it again as UTF-8")
    if b"\0" in data:
        raise _unreadable(name, "is a binary file", wanted="a recipe in YAML")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _unreadable(Mark(name, line), "is not UTF-8 text", got=f"byte 0x{data[error.start]:02x}",
                          remedy="Save it again as UTF-8") from None
    return read_text(text, name, reading)


def _unreadable(where: object, message: str, wanted: str | None = None, got: str | None = None,
                remedy: str | None = None) -> RecipeError:
    return RecipeError([Problem(str(where), "", message, wanted, got, remedy)])


def read_text(text: str, source: str, reading: Reading, *, lines: bool = True) -> Node | None:
    """The tree of YAML text, None if it is empty. Broken syntax raises RecipeError at once; other problems are noted.

    lines : False for text typed on the command line, whose lines mean nothing
    """
    return _Composer(source, reading, lines).document(text)


class _Composer:
    """Builds the tree from PyYAML's events. The pure Python parser: its messages do not depend on the machine."""

    def __init__(self, source: str, reading: Reading, lines: bool) -> None:
        self.source, self.reading, self.lines = source, reading, lines
        self.anchors: dict[str, tuple[Node | None, int, int]] = {}  # name -> (node, nodes in it, levels in it)
        self.nodes = 0

    def document(self, text: str) -> Node | None:
        if len(text) > MOST_BYTES:
            raise _unreadable(self.source, "is too large", wanted=f"at most {MOST_BYTES:,} characters")
        loader = None
        try:
            loader = yaml.SafeLoader(text)
            self.next_event = loader.get_event
            self.next_event()  # the stream's start
            event = self.next_event()
            if isinstance(event, yaml.StreamEndEvent):
                return None
            root, _ = self.node(self.next_event(), 1)
            self.next_event()  # the document's end
            event = self.next_event()
            if not isinstance(event, yaml.StreamEndEvent):
                raise self.stop(event, 'there is more than one document ("---")', wanted="one recipe a file")
            return root
        except yaml.MarkedYAMLError as error:
            raise self.syntax(error) from None
        except yaml.reader.ReaderError as error:
            line = text[: error.position].count("\n") + 1
            raise _unreadable(self.mark(line), "holds a character that is not allowed in YAML",
                              got=f"U+{ord(error.character):04X}" if isinstance(error.character, str) else None) from None
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:  # a \U escape beyond Unicode
            raise _unreadable(self.source, f"is not YAML: {error}") from None
        finally:
            if loader is not None:
                loader.dispose()

    def mark(self, line: int | None) -> Mark:
        return Mark(self.source, line) if self.lines else Mark(self.source, typed=True)

    def at(self, event: yaml.Event) -> Mark:
        return self.mark(event.start_mark.line + 1)

    def stop(self, event: yaml.Event, message: str, **facts: str) -> RecipeError:
        return _unreadable(self.at(event), message, **facts)

    def syntax(self, error: yaml.MarkedYAMLError) -> RecipeError:
        mark = error.problem_mark or error.context_mark
        place = self.mark(mark.line + 1 if mark else None)
        problem = error.problem or error.context or "broken syntax"
        if "'\\t'" in problem:
            return _unreadable(place, "a tab is used for indentation or space", wanted="spaces",
                               remedy="Replace each tab by two spaces")
        remedy = None
        if "mapping values are not allowed" in problem:
            remedy = 'Put text that holds ": " in quotes, and one key on a line'
        elif "could not find expected ':'" in problem or "expected <block end>" in problem:
            remedy = "Check the indentation of this line and of the one before: keys of one mapping start in one column"
        elif "expected ',' or" in problem:
            remedy = "Check that each [ and { is closed and that commas stand between the items"
        return _unreadable(place, f"is not YAML: {problem}", remedy=remedy)

    def count(self, event: yaml.Event, nodes: int, depth: int) -> None:
        self.nodes += nodes
        if self.nodes > MOST_NODES:
            raise self.stop(event, "the recipe is too large", wanted=f"at most {MOST_NODES:,} values, aliases expanded")
        if depth > MOST_DEPTH:
            raise self.stop(event, "is nested too deeply", wanted=f"at most {MOST_DEPTH} levels")

    def node(self, event: yaml.Event, depth: int) -> tuple[Node, int]:
        """The node that starts with ``event``, and how many levels it has."""
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event, depth)
        self.count(event, 1, depth)
        before = self.nodes
        if event.tag is not None:
            self.reading.wrong(self.at(event), "", "tags are not allowed in a recipe", got=quoted(event.tag),
                               remedy="Write the value without the tag; put text in quotes")
        if event.anchor is not None:
            if event.anchor in self.anchors:
                self.reading.wrong(self.at(event), "", f'the anchor "&{event.anchor}" is defined twice')
            self.anchors[event.anchor] = (None, 0, 0)
        if isinstance(event, yaml.ScalarEvent):
            node, levels = self.scalar(event), 1
        elif isinstance(event, yaml.SequenceStartEvent):
            node, levels = self.items(event, depth)
        else:
            node, levels = self.entries(event, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.nodes - before + 1, levels)
        return node, levels

    def alias(self, event: yaml.AliasEvent, depth: int) -> tuple[Node, int]:
        if event.anchor not in self.anchors:
            raise self.stop(event, f'the alias "*{event.anchor}" has no anchor', wanted=f'"&{event.anchor}" before it')
        node, nodes, levels = self.anchors[event.anchor]
        if node is None:
            raise self.stop(event, f'the alias "*{event.anchor}" stands inside its own anchor')
        self.count(event, nodes, depth + levels - 1)
        return node, levels

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        mark, text = self.at(event), event.value
        odd = next((c for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs")), None)
        if odd is not None:
            self.reading.wrong(mark, "", "a text holds a control character", got=f"U+{ord(odd):04X}")
            return Scalar("", mark, "")
        if not event.implicit[0]:  # quoted
            return Scalar(text, mark, text)
        try:
            return Scalar(plain_scalar(text), mark, text)
        except ValueError as error:
            self.reading.wrong(mark, "", f"{text} starts with 0, which readers of YAML read differently",
                               remedy=str(error))
            return Scalar(text, mark, text)

    def items(self, event: yaml.SequenceStartEvent, depth: int) -> tuple[Items, int]:
        nodes, levels = [], 0
        while not isinstance(inner := self.next_event(), yaml.SequenceEndEvent):
            node, deep = self.node(inner, depth + 1)
            nodes.append(node)
            levels = max(levels, deep)
        return Items(tuple(nodes), self.at(event)), levels + 1

    def entries(self, event: yaml.MappingStartEvent, depth: int) -> tuple[Entries, int]:
        pairs: dict[str, tuple[Scalar, Node]] = {}
        levels = 0
        while not isinstance(inner := self.next_event(), yaml.MappingEndEvent):
            key, _ = self.node(inner, depth + 1)
            node, deep = self.node(self.next_event(), depth + 1)
            levels = max(levels, deep)
            if not isinstance(key, Scalar):
                self.reading.wrong(self.at(inner), "", "a key must be one word", got=shown(key))
            elif key.text == "<<" and key.value == "<<":
                self.reading.wrong(key.mark, "", 'merge keys ("<<") are not read',
                                   remedy="Write the keys out, or use an anchor for one whole value")
            elif key.text in pairs:
                self.reading.wrong(key.mark, "", f'the key "{key.text}" stands twice in one mapping',
                                   got=f"line {pairs[key.text][0].mark.line} and line {key.mark.line}"
                                   if self.lines else None, remedy="Remove one of the two")
            else:
                pairs[key.text] = (key, node)
        return Entries(tuple(pairs.values()), self.at(event)), levels + 1


def from_python(thing: Any, reading: Reading, source: str = "recipe") -> Node:
    """The tree of plain Python data (and of distributions in it). What is no plain value is noted as a problem."""
    mark = Mark(source)
    left = MOST_NODES

    def node(thing: Any, path: str, depth: int) -> Node:
        nonlocal left
        left -= 1
        if left < 0 or depth > MOST_DEPTH:
            raise _unreadable(mark, "the recipe is too large or nested too deeply",
                              wanted=f"at most {MOST_NODES:,} values in {MOST_DEPTH} levels")
        if hasattr(thing, "draw") and hasattr(thing, "plain"):
            thing = thing.plain()
        elif hasattr(thing, "item") and getattr(thing, "shape", None) == ():
            thing = thing.item()
        if isinstance(thing, Path):
            thing = str(thing)
        if isinstance(thing, Mapping):
            pairs = tuple((Scalar(k, mark, _key(k)), node(v, f"{path}.{_key(k)}" if path else _key(k), depth + 1))
                          for k, v in thing.items())
            names = [k.text for k, _ in pairs]
            for twice in sorted({n for n in names if names.count(n) > 1}):
                reading.wrong(mark, path, f'the key "{twice}" stands twice in one mapping')
            return Entries(pairs, mark)
        if isinstance(thing, list | tuple):
            return Items(tuple(node(v, f"{path}[{i}]", depth + 1) for i, v in enumerate(thing)), mark)
        if thing is None or isinstance(thing, bool | int | float):
            return Scalar(thing, mark, _key(thing))
        if isinstance(thing, str):
            if any(c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cs") for c in thing):
                reading.wrong(mark, path, "a text holds a control character", got=quoted(thing))
                return Scalar("", mark, "")
            return Scalar(thing, mark, str(thing))
        reading.wrong(mark, path, "is no plain value", wanted="text, a number, true, false, a list or a mapping",
                      got=type(thing).__name__)
        return Scalar(None, mark, "")

    return node(thing, "", 1)


def _key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return number(value) if isinstance(value, int | float) else str(value)
