"""Keys and foreign keys: declared by the source, or found by name and content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from understudy.tables.schema import Column, Schema

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables


_MEANT = 0.5  # a column of a key's name, of whose values more than so many are the key's, was meant to be a link


def with_links(tables: Tables, schemas: Mapping[str, Schema], notes: list[str]) -> dict[str, Schema]:
    """``schemas`` with columns of kind ``key`` and ``link`` where they are.

    A key is declared, or (with several tables) the first column when it is unique, complete and named like an id. A link
    is declared, or a column that is named after a key and has only values that the key has; one that nearly is gets a note.
    """
    columns = {name: dict(schema.columns) for name, schema in schemas.items()}
    keys = {name: key for name in columns if (key := tables.keys.get(name) or _key(tables.tables[name], len(columns) > 1))}
    for name, key in keys.items():
        columns[name][key] = Column("key", stored=columns[name][key].stored)
    declared = {(link.table, link.column): (link.parent, link.key) for link in tables.links}
    for name, own in columns.items():
        for column, spec in own.items():
            target = declared.get((name, column)) or _target(tables, keys, name, column, notes)
            if target and keys.get(target[0]) == target[1] and spec.kind != "key":
                own[column] = Column("link", parent=".".join(target), stored=spec.stored, missing=spec.missing)
    return {name: replace(schemas[name], columns=own) for name, own in columns.items()}


def _key(table: pa.Table, linked: bool) -> str | None:
    import pyarrow.compute as pc

    if not linked or not table.num_columns:
        return None
    name = table.column_names[0]
    named = name.lower() in ("id", "key", "uuid") or name.lower().endswith(("_id", "_key", "_uuid", "id"))
    values = table[name]
    return name if named and not values.null_count and pc.count_distinct(values).as_py() == len(values) else None


def _named_after(column: str, parent: str, key: str) -> bool:
    """Whether a column has a key's name or, where that says nothing, its table's too (owner_id of owners.id)."""
    if key.lower() not in ("id", "key", "uuid"):
        return column == key
    own = (parent, parent.removesuffix("s"), parent.removesuffix("es"), f"{parent.removesuffix('ies')}y")
    return column.lower() in {f"{stem}{gap}{key}".lower() for stem in own for gap in ("_", "")}


def _target(
    tables: Tables, keys: Mapping[str, str], name: str, column: str, notes: list[str]
) -> tuple[str, str] | None:
    import pyarrow.compute as pc

    for parent, key in keys.items():
        if parent == name or not _named_after(column, parent, key):
            continue
        values, allowed = tables.tables[name][column], tables.tables[parent][key]
        if values.type != allowed.type:
            continue
        known = pc.is_in(pc.drop_null(values), allowed.combine_chunks())
        if pc.all(known).as_py():
            return parent, key
        if pc.sum(known).as_py() > _MEANT * len(known):
            row = pc.index(pc.or_kleene(pc.is_null(values), pc.is_in(values, allowed.combine_chunks())), False).as_py()
            notes.append(
                f"{name}.{column}: {len(known) - pc.sum(known).as_py()} values dangle (first: row {row + 1}), so it is no "
                f"link to {parent}.{key}; mend them, or say `kind: link` in the schema"
            )
    return None
