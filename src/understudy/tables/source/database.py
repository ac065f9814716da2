"""SQLite databases: every table, with the primary and foreign keys that the database declares."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables


def read_database(path: Path) -> Tables:
    """All tables of a SQLite file, opened read-only. TableError: no such database, or no table in it."""
    from understudy.tables.source import Link, Tables

    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
            names = [
                row[0]
                for row in base.execute(
                    "select name from sqlite_master where type = 'table' "
                    "and name not like 'sqlite!_%' escape '!' order by name"
                )
            ]
            tables = {name: _table(base, name, path) for name in names}
            keys = {name: key for name in names if (key := _key(base, name))}
            links = [
                Link(name, column, parent, key or keys.get(parent, ""))
                for name in names
                for parent, column, key in _links(base, name)
            ]
    except sqlite3.DatabaseError as error:
        raise TableError("this is no SQLite database, or it is broken", where=path, got=type(error).__name__) from None
    if not tables:
        raise TableError("the database holds no table", where=path)
    return Tables(tables, keys=keys, links=tuple(link for link in links if link.parent in tables and link.key))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(base: sqlite3.Connection, name: str, path: Path) -> pa.Table:
    import pyarrow as pa

    cursor = base.execute(f"select * from {_quoted(name)}")
    columns = [d[0] for d in cursor.description]
    rows = cursor.fetchall()
    if not rows:
        raise TableError("the table is empty", where=f"{path}: {name}", wanted="rows to learn from")
    return pa.table([_array(values) for values in zip(*rows)], names=columns)


def _array(values: tuple[Any, ...]) -> pa.Array:
    """SQLite types each value on its own: a column of several types, or of blobs, becomes text."""
    import pyarrow as pa

    kinds = {type(v) for v in values if v is not None}
    if kinds <= {int}:
        try:
            return pa.array(values, pa.int64())
        except (OverflowError, pa.ArrowInvalid):
            kinds = {str}
    if kinds <= {int, float}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    return pa.array([None if v is None else v.hex() if isinstance(v, bytes) else str(v) for v in values], pa.string())


def _key(base: sqlite3.Connection, name: str) -> str | None:
    own = [row[1] for row in base.execute(f"pragma table_info({_quoted(name)})") if row[5]]
    return own[0] if len(own) == 1 else None


def _links(base: sqlite3.Connection, name: str) -> list[tuple[str, str, str | None]]:
    rows = base.execute(f"pragma foreign_key_list({_quoted(name)})").fetchall()
    single = [row for row in rows if sum(r[0] == row[0] for r in rows) == 1]  # keys of several columns are no link here
    return [(row[2], row[3], row[4]) for row in single]
