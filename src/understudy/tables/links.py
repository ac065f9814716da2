"""Keys and foreign keys: declared by the source, or found by name and content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from understudy.tables.schema import Column, Schema

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables


def with_links(tables: Tables, schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """``schemas`` with columns of kind ``key`` and ``link`` where they are.

    A key is declared, or (with several tables) the first column when it is unique, complete and named like an id. A link
    is declared, or a column that has a key's name and only values that the key has.
    """
    columns = {name: dict(schema.columns) for name, schema in schemas.items()}
    keys = {name: key for name in columns if (key := tables.keys.get(name) or _key(tables.tables[name], len(columns) > 1))}
    for name, key in keys.items():
        columns[name][key] = Column("key", stored=columns[name][key].stored)
    declared = {(link.table, link.column): (link.parent, link.key) for link in tables.links}
    for name, own in columns.items():
        for column, spec in own.items():
            target = declared.get((name, column)) or _target(tables, keys, name, column)
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


def _target(tables: Tables, keys: Mapping[str, str], name: str, column: str) -> tuple[str, str] | None:
    import pyarrow.compute as pc

    for parent, key in keys.items():
        if parent == name or key != column or key.lower() == "id":
            continue
        values, allowed = tables.tables[name][column], tables.tables[parent][key]
        if values.type == allowed.type and pc.all(pc.is_in(pc.drop_null(values), allowed.combine_chunks())).as_py():
            return parent, key
    return None
