"""The reference page of recipes: made from the fields, so it cannot disagree with the parser."""

from __future__ import annotations

from dataclasses import MISSING, fields

from understudy.fields import Group, Param, Slot, resolve
from understudy.recipe.distributions import FORMS
from understudy.recipe.parts import TABLES, Tables, declared, root
from understudy.recipe.plain import flow, plain_field, said

_HEAD = """# What a recipe may say

This page is made from the fields of the program by `understudy recipe reference`; do not edit it.

A recipe is YAML with at most seven parts, of which only `world` must be there:

{parts}

Where the tables below say *varies*, a value may be a literal or a distribution:

{forms}

A number may carry a unit of the same dimension (`175 cm` where metres are wanted). A part such as `surroundings` takes one
name of its table, alone (`surroundings: room`) or with its fields (`surroundings: {{room: {{...}}}}`). Paths are relative to
the recipe's file. `--set PATH=VALUE` writes one place: PATH is what stands in the tables, with names of tables left out at
will (`world.count`), or any end of it that only one place has.
"""

_FORMS = {
    "uniform": "any number between the two, equally likely",
    "log_uniform": "any number between the two, equally likely on a logarithmic scale",
    "normal": "normal numbers, truncated to the two ends",
    "integers": "any whole number between the two, both included",
    "choice": "one of them, equally likely; an option may be a distribution",
    "weighted": "one of them by weight; a range such as `0-12` or `61+` is an option where numbers are wanted",
}
_TUNE = "what the distribution inside draws; `understudy search` may move it (only around a parameter's whole distribution)"
_EXAMPLE = {"choice": "[a, b, c]", "weighted": "{a: 3, b: 1}"}


def reference(tables: Tables = TABLES) -> str:
    """The whole page, Markdown."""
    parts = "\n".join(f"- `{name}`: {field.doc}" for name, field in root(tables).items())
    forms = ["| distribution | draws |", "| --- | --- |"]
    forms += [f"| `{{{name}: {_EXAMPLE.get(name) or '[' + ', '.join(FORMS[name].arguments) + ']'}}}` | {doc} |"
              for name, doc in _FORMS.items()]
    forms.append(f"| `{{tune: {{uniform: [low, high]}}}}` | {_TUNE} |")
    sections = [_HEAD.format(parts=parts, forms="\n".join(forms))]
    for name, field in root(tables).items():
        if isinstance(field, Group):
            sections.append(_section(2, name, field.cls, name, tables))
        elif isinstance(field, Slot):
            sections += _entries(2, name, field, tables)
    return "\n".join(sections)




def _entries(level: int, path: str, slot: Slot, tables: Tables) -> list[str]:
    """A section for each entry of a slot's table."""
    return [_section(level, f"{path}.{entry}", resolve(slot.table, entry), f"{path}.{entry}", tables)
            for entry in slot.table]


def _section(level: int, title: str, cls: type, path: str, tables: Tables) -> str:
    doc = " ".join((cls.__doc__ or "").strip().partition("\n\n")[0].split())
    rows, below = _rows(cls, path, tables)
    head = f"{'#' * level} {title}\n\n{doc}\n"
    if rows:
        head += "\n| path | what | allowed | default |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
    else:
        head += "\nNo settings.\n"
    for name, slot in below:
        head += "\n" + "\n".join(_entries(level + 1, name, slot, tables))
    return head


def _rows(cls: type, path: str, tables: Tables) -> tuple[list[str], list[tuple[str, Slot]]]:
    rows: list[str] = []
    below: list[tuple[str, Slot]] = []
    defaults = {f.name: f.default for f in fields(cls)}
    for name, field in declared(cls, tables).items():
        here = f"{path}.{name}"
        if isinstance(field, Group):
            inner, slots = _rows(field.cls, here, tables)
            rows += inner
            below += slots
        elif isinstance(field, Slot):
            names = ", ".join(f"`{n}`" for n in field.table) + (" or nothing" if field.optional else "")
            rows.append(_row(here, field.doc, names, f"`{field.default}`" if field.default else "nothing"))
            below.append((here, field))
        else:
            varies = "varies: " if isinstance(field, Param) else ""
            unit = f", {field.unit}" if field.unit else ""
            said_default = "" if defaults[name] is MISSING else flow(said(plain_field(defaults[name], field, tables, here)))
            default = f"`{said_default}`"
            rows.append(_row(here, field.doc, varies + field.support.describe() + unit, default))
    return rows, below


def _row(path: str, doc: str, allowed: str, default: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{path}`", doc, allowed, default)) + " |"
