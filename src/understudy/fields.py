"""Parameters, each stated once: a dataclass field that carries its default, support, unit and meaning.

::

    @dataclass(frozen=True)
    class Body:
        \"\"\"The figure's build.\"\"\"
        age: Value = param(Uniform(18, 80), Interval(0, 90), "years", "age, which also shapes the body")

``param`` may vary (a literal or a distribution; drawn by name through :class:`~understudy.draws.Draws`), ``setting`` is
the same for the whole data set (a folder, a picture's size), ``group`` nests another such dataclass, and ``one_of`` takes
one entry of a table of dataclasses (``surroundings: {photographs: {folder: ...}}``). From these the recipe parser makes
validation, JSON Schema and reference pages; nothing is said twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from understudy.supports import Support
from understudy.values import Value, as_value


@dataclass(frozen=True)
class Param:
    """May vary from record to record: the field holds a :class:`~understudy.values.Value`."""

    support: Support
    unit: str
    doc: str


@dataclass(frozen=True)
class Setting:
    """The same for a whole data set: the field holds a plain value."""

    support: Support
    unit: str
    doc: str


@dataclass(frozen=True)
class Group:
    """A nested dataclass of fields."""

    cls: type
    doc: str


@dataclass(frozen=True)
class Slot:
    """One entry of a table: the recipe writes ``{name: {fields}}``, or the bare name.

    ``table`` maps names to classes or to ``"module:Class"`` (resolved by :func:`resolve`, so that a table costs no
    import). An optional slot may be ``null``; the field then holds None. ``default`` names the entry that stands there when
    the recipe says nothing.
    """

    table: Mapping[str, str | type]
    doc: str
    optional: bool = False
    default: str | None = None


def param(default: Any, support: Support, unit: str = "", doc: str = "") -> Any:
    """A parameter that may vary; ``default`` is a literal or a distribution inside ``support``."""
    value: Value = as_value(default)
    outside = [r for r in value.reach() if not support.contains(r)]
    if outside:
        raise ValueError(f"a default must lie in its support: wanted {support.describe()}, got {outside[0]!r}")
    return dataclasses.field(default=value, metadata={"field": Param(support, unit, doc)})


def setting(default: Any, support: Support, unit: str = "", doc: str = "") -> Any:
    """A parameter that is the same for the whole data set."""
    if not support.contains(default):
        raise ValueError(f"a default must lie in its support: wanted {support.describe()}, got {default!r}")
    return dataclasses.field(default=default, metadata={"field": Setting(support, unit, doc)})


def group(cls: type, doc: str = "") -> Any:
    """A nested dataclass whose fields all have defaults."""
    return dataclasses.field(default_factory=cls, metadata={"field": Group(cls, doc)})


def one_of(table: Mapping[str, str | type], default: str | None, doc: str = "", *, optional: bool = False) -> Any:
    """One entry of ``table``, made with its defaults when the recipe says nothing."""

    def make() -> Any:
        return None if default is None else resolve(table, default)()

    return dataclasses.field(default_factory=make, metadata={"field": Slot(table, doc, optional, default)})


def resolve(table: Mapping[str, str | type], name: str) -> type:
    """The class (or a label's function) that ``table`` lists under ``name`` (KeyError if none)."""
    entry = table[name]
    if not isinstance(entry, str):
        return entry
    from importlib import import_module

    module, _, cls = entry.partition(":")
    return getattr(import_module(module), cls)


def fields_of(cls: type) -> dict[str, Param | Setting | Group | Slot]:
    """The declared fields of a dataclass, by name, in order. A field without a declaration is a TypeError."""
    declared = {}
    for field in dataclasses.fields(cls):
        if "field" not in field.metadata:
            raise TypeError(f"{cls.__name__}.{field.name} is not declared with param, setting, group or one_of")
        declared[field.name] = field.metadata["field"]
    return declared
