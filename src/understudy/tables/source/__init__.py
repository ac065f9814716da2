"""Reading tables: files, folders, databases and frames become :class:`Tables`, with everything that was mended noted.

::

    DATA                        read as
    people.csv, .tsv, .txt      one table; also .gz. Encoding and delimiter are found (source/delimited.py)
    people.parquet              one table
    a folder                    one table a file
    bank.db, .sqlite, .sqlite3  one table a table, with the keys that the database declares (source/database.py)
    dialect://host/name         the same of any database that SQLAlchemy reaches (source/server.py)
    a pandas or polars frame    one table (anything that speaks the Arrow interface); a dict of them: linked tables

No message ever quotes a value of the data: places are named by column and row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import TableError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

# What a file's name ends in, and the reader of it.
DELIMITED = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
DATABASES = (".db", ".sqlite", ".sqlite3")
ENDINGS = (*DELIMITED, ".parquet", *DATABASES)


@dataclass(frozen=True)
class Link:
    """``table.column`` refers to ``parent.key``: every value of it is there, or missing."""

    table: str
    column: str
    parent: str
    key: str


@dataclass(frozen=True)
class Tables:
    """Named tables as read. Columns of files are text until :mod:`understudy.tables.detect` says what they hold.

    notes : what was found odd and how it was mended, one sentence each, without values
    keys : table -> its declared primary key, where the source declares one; links : declared foreign keys
    """

    tables: Mapping[str, pa.Table]
    notes: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


def read(data: Any, *, drop_ragged: bool = False) -> Tables:
    """Read ``data`` (see the module). TableError: it cannot be read, or is no table; the message says where and why.

    drop_ragged : leave out rows with another number of fields than the header, and note how many, instead of refusing
    """
    if isinstance(data, str) and "://" in data:
        from understudy.tables.source.server import read_server

        return read_server(data)
    if isinstance(data, str | Path):
        path = Path(data)
        if not path.exists():
            raise TableError("there is no such file or folder", where=path)
        return _folder(path, drop_ragged) if path.is_dir() else _file(path, drop_ragged)
    frames = data if isinstance(data, Mapping) else {"table": data}
    read_ones = {str(name): frame(one, str(name)) for name, one in frames.items()}
    return Tables({n: table for n, (table, _) in read_ones.items()}, tuple(t for _, own in read_ones.values() for t in own))


def frame(data: Any, name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """A pandas, polars or Arrow frame as an Arrow table, and notes; its own index is left out."""
    import pyarrow as pa

    notes: tuple[str, ...] = ()
    try:
        if isinstance(data, pa.Table):
            table = data
        elif type(data).__module__.partition(".")[0] == "pandas":
            table, notes = _pandas(data, name)
        else:
            table = pa.table(data)
    except (pa.ArrowException, TypeError, ValueError, OverflowError, AttributeError) as error:  # its text may quote a value
        raise TableError(
            "the frame cannot be read as a table",
            where=name,
            got=type(data).__name__,
            wanted=f"columns of one type each ({type(error).__name__})",
        ) from None
    table, renamed = distinct_names(table.replace_schema_metadata(None), name)
    return table, (*notes, *renamed)


def _pandas(data: Any, name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Column by column: names may come twice; several types in one column, or numbers beyond 64 bits, are read as text."""
    import pyarrow as pa

    columns, notes = [], []
    for at, label in enumerate(data.columns):
        own = data.iloc[:, at]
        try:
            columns.append(pa.Array.from_pandas(own))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            texts = [None if gone else str(value) for value, gone in zip(own, own.isna())]
            columns.append(pa.array(texts, pa.string()))
            notes.append(f"{name}.{label}: values of several types, or beyond 64 bits, are read as texts")
    return pa.table(columns, names=[str(label) for label in data.columns]), tuple(notes)


def stem(path: Path) -> str:
    """A table's name: the file's, without its endings."""
    return path.name.partition(".")[0] or path.name


def distinct_names(table: pa.Table, where: str) -> tuple[pa.Table, tuple[str, ...]]:
    """``table`` with every column named once: empty names are numbered, names that come twice get _2, _3 ..."""
    seen: set[str] = set()
    names, notes = [], []
    taken = set(table.column_names)
    for number, name in enumerate(table.column_names, 1):
        new = name.strip() or f"column_{number}"
        again = 2
        while new in seen or (new != name and new in taken):
            new, again = f"{name.strip() or f'column_{number}'}_{again}", again + 1
        if new != name:
            notes.append(f"{where}: column {number} is named {new!r} (its name was empty, padded, or there already)")
        seen.add(new)
        names.append(new)
    return table.rename_columns(names), tuple(notes)


def _file(path: Path, drop_ragged: bool) -> Tables:
    name = path.name.lower()
    if name.endswith(DELIMITED):
        from understudy.tables.source.delimited import read_delimited

        table, notes = read_delimited(path, drop_ragged=drop_ragged)
        return Tables({stem(path): table}, notes)
    if name.endswith(".parquet"):
        return Tables({stem(path): _parquet(path)})
    if name.endswith(DATABASES):
        from understudy.tables.source.database import read_database

        return read_database(path)
    raise UsageError(
        "no table is read from such a file", where=path, wanted=", ".join(ENDINGS), got=path.suffix or "no ending"
    )


def _folder(path: Path, drop_ragged: bool) -> Tables:
    files = sorted(p for p in path.iterdir() if p.is_file() and p.name.lower().endswith((*DELIMITED, ".parquet")))
    if not files:
        raise TableError("the folder holds no table", where=path, wanted=", ".join((*DELIMITED, ".parquet")))
    tables: dict[str, Any] = {}
    notes: list[str] = []
    for file in files:
        one = _file(file, drop_ragged)
        name = stem(file)
        if name in tables:
            raise TableError("two files would be the same table", where=file, got=name, remedy="Rename one of them")
        tables |= one.tables
        notes += one.notes
    return Tables(tables, tuple(notes))


def _parquet(path: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
    except (pa.ArrowException, OSError) as error:
        raise TableError("this is no Parquet file, or it is cut short", where=path, got=type(error).__name__) from None
    return distinct_names(table.replace_schema_metadata(None), stem(path))[0]
