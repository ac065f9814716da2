"""Databases behind a SQLAlchemy URL (``postgresql://...``, ``mysql://...``): every table, with declared keys and links."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from understudy.errors import MissingDependency, TableError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.source import Tables


def read_server(address: str) -> Tables:
    """All tables of the database at ``address``. Nothing is written there, and no message holds the password.

    TableError: it cannot be reached or read, or holds no table; UsageError: no such URL; MissingDependency: SQLAlchemy, or
    the driver that the URL names.
    """
    if find_spec("sqlalchemy") is None:
        raise MissingDependency("SQLAlchemy is missing: it reads databases", remedy="pip install 'understudy[databases]'")
    import sqlalchemy as sa
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    from understudy.tables.source import Link, Tables

    try:
        url = sa.make_url(address)
        shown = url.render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        raise UsageError("this is no database URL", wanted="dialect://user:password@host/database") from None
    try:
        engine = sa.create_engine(url)
    except NoSuchModuleError:
        raise UsageError("SQLAlchemy knows no such database", where=shown, got=url.drivername) from None
    except ImportError as error:
        raise MissingDependency(f"the driver of {url.drivername} is missing", remedy=f"pip install {error.name}") from None
    try:
        with engine.connect() as base:
            about = sa.inspect(base)
            names = sorted(about.get_table_names())
            tables = {name: _table(base, name, shown) for name in names}
            keys = {}
            for name in names:
                own = about.get_pk_constraint(name)["constrained_columns"]
                if len(own) == 1:
                    keys[name] = own[0]
            links = [
                Link(name, one["constrained_columns"][0], one["referred_table"], one["referred_columns"][0])
                for name in names
                for one in about.get_foreign_keys(name)
                if len(one["constrained_columns"]) == 1 and one["referred_table"] in tables
            ]
    except (SQLAlchemyError, OSError) as error:
        raise TableError("the database cannot be read", where=shown, got=type(error).__name__) from None
    finally:
        engine.dispose()
    if not tables:
        raise TableError("the database holds no table", where=shown)
    return Tables(tables, keys=keys, links=tuple(links))


def _table(base: Any, name: str, shown: str) -> pa.Table:
    import pyarrow as pa
    import sqlalchemy as sa

    found = base.execute(sa.select(sa.text("*")).select_from(sa.table(name)))
    names, rows = list(found.keys()), found.fetchall()
    if not rows:
        raise TableError("the table is empty", where=f"{shown}: {name}", wanted="rows to learn from")
    return pa.table([_array(values) for values in zip(*rows)], names=names)


def _array(values: tuple[Any, ...]) -> pa.Array:
    """Values as one Arrow type; decimals as floats, what Arrow has no one type for as text."""
    import decimal

    import pyarrow as pa

    if any(isinstance(v, decimal.Decimal) for v in values):
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    try:
        made = pa.array(values)
    except (pa.ArrowException, OverflowError):
        made = None
    if made is None or pa.types.is_nested(made.type) or pa.types.is_binary(made.type):
        return pa.array([None if v is None else v.hex() if isinstance(v, bytes) else str(v) for v in values], pa.string())
    return made
