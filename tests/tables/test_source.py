"""Reading: every bad input is one message with its place, or a repair that is told; no message quotes a value."""

from __future__ import annotations

import gzip
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.errors import TableError, UnderstudyError, UsageError
from understudy.tables.source import Link, frame, read

SECRET = "Zanzibar-7391"


def only(tables):
    (table,) = tables.tables.values()
    return table


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path, delimiter):
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(delimiter.join(row) for row in [["x", "y"], ["1,5" if delimiter != "," else "1", "a"], ["2", "b"]])
    )
    assert only(read(path)).column_names == ["x", "y"]


@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16", b""), ("cp1252", b"")]
)
def test_encodings_are_found(tmp_path, encoding, mark):
    path = tmp_path / "a.csv"
    path.write_bytes(mark + "name,age\nZoë,3\nMüller,4\n".encode(encoding))
    tables = read(path)
    assert only(tables)["name"].to_pylist() == ["Zoë", "Müller"]
    assert only(tables).column_names == ["name", "age"]
    assert bool(tables.notes) == (encoding == "cp1252")


def test_mixed_encodings_are_mended_and_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("name,age\nZoë,3\n".encode() + "Müller,4\n".encode("cp1252"))
    tables = read(path)
    assert only(tables)["name"].to_pylist() == ["Zoë", "Müller"]
    assert "line 3" in tables.notes[0] and "mixed" in tables.notes[0]


def test_compressed_and_quoted(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b'x,y\n"1\n2","a ""b"", c"\n3,\n'))
    table = only(read(path))
    assert table["x"].to_pylist() == ["1\n2", "3"] and table["y"].to_pylist() == ['a "b", c', None]


def test_ragged_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"x,y\n1,2\n3,{SECRET},5\n6,7\n")
    with pytest.raises(TableError) as error:
        read(path)
    assert ":3:" in str(error.value) and "wanted 2 fields, got 3" in str(error.value) and SECRET not in str(error.value)
    tables = read(path, drop_ragged=True)
    assert only(tables)["x"].to_pylist() == ["1", "6"] and "1 rows" in tables.notes[0]


def test_a_name_may_run_over_lines_and_lines_before_it_may_be_blank(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('\n\r\n"two\nlines",y\n1,2\n3,4\n')
    table = only(read(path))
    assert table.column_names == ["two\nlines", "y"] and table["y"].to_pylist() == ["2", "4"]
    path.write_text('\n"two\nlines",y\n1,2\n3,4,5\n')
    with pytest.raises(TableError, match=r"a\.csv:5: 1 rows"):  # as an editor counts them
        read(path)


def test_names_that_come_twice_or_not_at_all(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,x,,x_2\n1,2,3,4\n")
    tables = read(path)
    assert len(set(only(tables).column_names)) == 4 and len(tables.notes) >= 2


def test_ten_thousand_columns_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",".join(f"c{i}" for i in range(10_000)) + "\n" + "\n".join(",".join(["1"] * 10_000) for _ in range(3)))
    assert only(read(path)).num_columns == 10_000


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"x,y\n", "no row"),
        ("a.csv", b"1,2\n3,4\n", "names should be"),
        ("a.csv", b"\x00\x01\x02" * 50, "no text file"),
        ("a.csv.gz", b"\x1f\x8b\x08\x00broken", "cut short"),
        ("a.csv", b'x,y\n"never closed,1\n2,3\n', ""),
        ("a.parquet", b"PAR1 not really", "no Parquet"),
        ("a.sqlite", b"SQLite format 3\0" + b"\1" * 200, "no SQLite"),
        ("a.xlsx", b"PK", "no table is read"),
    ],
)
def test_files_that_cannot_serve(tmp_path, name, data, said):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UnderstudyError) as error:
        read(path)
    assert said in str(error.value) and name in str(error.value) and "never closed" not in str(error.value)


def test_places_that_cannot_serve(tmp_path):
    with pytest.raises(TableError, match="no such"):
        read(tmp_path / "absent.csv")
    with pytest.raises(TableError, match="holds no table"):
        read(tmp_path)


def test_parquet_and_folder(tmp_path):
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("y\n1\n")
    assert set(read(tmp_path).tables) == {"a", "b"}
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(TableError, match="same table"):
        read(tmp_path)


def test_sqlite_with_keys(tmp_path):
    path = tmp_path / "bank.db"
    with sqlite3.connect(path) as base:
        base.executescript("""
            create table owner (id integer primary key, name text, blob_ blob);
            create table account (id integer primary key, owner integer references owner(id), balance real);
            insert into owner values (1, 'a', x'00ff'), (2, 'b', null);
            insert into account values (7, 1, 2), (8, 1, 3.5), (9, null, null);
        """)
    base.close()
    tables = read(path)
    assert tables.keys == {"owner": "id", "account": "id"} and tables.links == (Link("account", "owner", "owner", "id"),)
    assert tables.tables["account"]["balance"].to_pylist() == [2.0, 3.5, None]
    assert tables.tables["owner"]["blob_"].to_pylist() == ["00ff", None]


def test_frames():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    plain = {"x": [1, 2, 3], "name": ["a", "b", None]}
    for data in (pandas.DataFrame(plain, index=[5, 6, 7]), polars.DataFrame(plain), pa.table(plain)):
        table = only(read(data))
        assert table.column_names == ["x", "name"] and table["name"].to_pylist() == ["a", "b", None]
    assert set(read({"a": pa.table(plain), "b": pandas.DataFrame(plain)}).tables) == {"a", "b"}
    with pytest.raises((TableError, UsageError)):
        read(12)


def test_frames_that_no_type_fits_are_mended_and_told():
    pandas = pytest.importorskip("pandas")
    odd = pandas.DataFrame([[1, 2**70, 3], [SECRET, 5, 4], [None, 6, 5]], columns=["x", "y", "y"])
    table, notes = frame(odd, "t")
    assert table.column_names == ["x", "y", "y_2"] and table["x"].to_pylist() == ["1", SECRET, None]
    assert table["y"].to_pylist()[0] == str(2**70) and table["y_2"].to_pylist() == [3, 4, 5]
    assert [n.partition(":")[0] for n in notes] == ["t.x", "t.y", "t"] and SECRET not in "".join(notes)


def test_a_database_behind_a_url_is_the_file(tmp_path):
    pytest.importorskip("sqlalchemy")
    path = tmp_path / "bank.db"
    with sqlite3.connect(path) as base:
        base.executescript(
            "create table owners (id integer primary key, name text, since date, debt numeric(8, 2), photo blob);"
            "create table accounts (id integer primary key, owner integer references owners (id));"
            "insert into owners values (1, 'a', '2020-01-02', 10.5, x'ff00'), (2, 'b', null, null, null);"
            "insert into accounts values (7, 1), (8, 2), (9, 2);"
        )
    theirs, ours = read(f"sqlite:///{path}"), read(path)
    assert theirs.keys == ours.keys == {"accounts": "id", "owners": "id"} and theirs.links == ours.links
    assert theirs.tables["accounts"].equals(ours.tables["accounts"])
    assert theirs.tables["owners"].to_pydict() == ours.tables["owners"].to_pydict()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////no/such/folder/a.db", "cannot be read"),
        ("nothing://user:secret@host/base", "knows no such database"),
        ("postgresql+pg8000://user:secret@host/base", "driver of postgresql"),
        ("://", "no database URL"),
    ],
)
def test_urls_that_cannot_serve(url, message):
    pytest.importorskip("sqlalchemy")
    with pytest.raises(UnderstudyError, match=message) as caught:
        read(url)
    assert "secret" not in str(caught.value)
