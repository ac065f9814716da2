"""What columns hold, guessed; the schema file; content that contradicts it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from understudy.errors import RecipeError, TableError
from understudy.key import Key
from understudy.tables import fit
from understudy.tables.content import content
from understudy.tables.detect import column_kind, described, detect
from understudy.tables.schema import KINDS, Column, Schema, from_yaml, to_yaml
from understudy.tables.source import Tables

N = 400


def guess(values, name="column", k=8):
    notes: list[str] = []
    array = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([pa.array(values)])
    return column_kind(array, name, f"t.{name}", k, notes), notes


def spread(texts):
    return [texts[i % len(texts)] for i in range(N)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (spread(["1", "22", "3"]), "integer"),
        (spread(["1.5", "2", "-3.25e2"]), "number"),
        (spread(["1,5", "2,25", "1.234,0"]), "number"),
        (spread(["red", "green"]), "category"),
        (spread(["TRUE", "FALSE"]), "category"),
        (spread(["2020-01-31", "2021-12-01"]), "date"),
        (spread(["31.01.2020", "01.12.2021"]), "date"),
        (spread(["20200131", "20211201", "19991111"]), "date"),
        (spread(["2020-01-31 10:00:00", "2021-12-01 23:59:59"]), "datetime"),
        (spread(["10:00", "23:59"]), "time"),
        (spread(["00123", "04567"]), "category"),
        ([None] * N, "empty"),
        ([""] * N, "empty"),
        (spread(["7"]), "integer"),
        ([f"AB-{i:05d}" for i in range(N)], "identifier"),
        ([f"the word number {i} of a long story told here" for i in range(N)], "text"),
        ([str(10**30 + i) for i in range(N)], "identifier"),
        ([i + 1 for i in range(N)], "identifier"),
        ([i * 0.1 + 0.05 for i in range(N)], "number"),
        ([True, False] * (N // 2), "category"),
        (pa.chunked_array([pa.array([0, 1] * (N // 2), pa.timestamp("us"))]), "datetime"),
        (pa.chunked_array([pa.array([2**60 + i for i in range(N)], pa.int64())]), "identifier"),
        (pa.chunked_array([pa.array([[1]] * N)]), "empty"),
    ],
)
def test_kinds(values, kind):
    assert guess(values)[0].kind == kind


def test_places_are_told_by_name():
    key = Key(1)
    x = np.round(key.uniforms(N) * 50 + 0.001, 4)
    assert guess(x, "lat")[0].kind == "latitude" and guess(x, "start_lon")[0].kind == "longitude"
    assert guess(x, "plate")[0].kind == "number"


def test_missing_texts_and_tokens():
    column, notes = guess([*["1", "2", "?"] * 100, *["unknown"] * 20, "oops"])
    assert column.kind == "integer" and column.missing == ("?",) and column.tokens == ("unknown",) and column.stray
    assert "row 321" in notes[0] and "oops" not in " ".join(notes) + repr(column)
    own = content(pa.chunked_array([["1", "?", "unknown", "oops", None]]), column, "t.c")
    assert own.token.tolist() == [-1, 0, 1, 0, 0] and own.x[0] == 1


def test_infinities_are_a_state():
    column, notes = guess([1.0, 2.5, np.inf, -np.inf] * 20)
    assert column.tokens == ("inf", "-inf") and "infinite" in notes[0]
    own = content(pa.chunked_array([[1.0, np.inf, None]]), column, "t.c")
    assert own.token.tolist() == [-1, 1, 0]


def test_mixed_texts_and_numbers_are_told():
    column, notes = guess(["red", "green", "12", "13.5"] * 100)
    assert column.kind == "category" and "200 values are numbers" in notes[0]


def test_years_have_four_digits():
    """Ages are no years, whatever the schema says; 10.5.12 is a day of 2012; numbers are dates only by a stated format."""
    ages = {"t": pa.table({"age": [str(18 + i % 70) for i in range(400)]})}
    assert guess(ages["t"]["age"])[0].kind == "integer"
    with pytest.raises(TableError, match=r"t\.age, row 1: 400 values are no date"):
        fit(ages, schema={"t": Schema({"age": Column("date", format="%Y")})})
    with pytest.raises(TableError, match=r"numbers are no date by themselves"):
        fit({"t": pa.table({"age": [18 + i % 70 for i in range(400)]})}, schema={"t": Schema({"age": Column("date")})})
    short, notes = guess(spread(["10.5.12", "1.12.99", "31.1.43"]))
    assert (short.kind, short.format) == ("date", "%d.%m.%y") and "read as 20" in notes[0]
    years = {"t": pa.table({"year": pa.array([1990 + i % 30 for i in range(400)], pa.int32())})}
    made = fit(years, schema={"t": Schema({"year": Column("date", format="%Y", stored="int32")})}).sample(50)["t"]["year"]
    assert made.type == pa.int32() and set(made.to_pylist()) <= set(range(1990, 2020))


def test_three_date_formats_are_told_by_row():
    column, notes = guess([*["2020-01-31"] * 100, *["31.01.2020"] * 50, *["Jan 31, 2020"] * 30])
    assert column.kind == "date" and column.format.split("|")[0] == "%Y-%m-%d" and "3 formats" in notes[0]
    assert "row 101" in notes[0] and "row 151" in notes[0]
    own = content(pa.chunked_array([["2020-01-31", "31.01.2020", "Jan 31, 2020"]]), column, "t.c")
    assert len(set(own.x.tolist())) == 1


def test_months_by_name():
    for text in ("Jan 31 2020", "31-Jan-2020", "31. January 2020", "January 31, 2020"):
        assert guess(spread([text, text.replace("31", "13"), text.replace("31", "7")]))[0].kind == "date"


def test_instants_that_are_all_midnight_are_dates():
    days = pa.array(np.arange(400) * 86_400_000_000, pa.timestamp("us"))
    assert column_kind(pa.chunked_array([days]), "c", "t.c", 8, []).kind == "date"
    made = fit({"t": pa.table({"c": days})}).sample(50)["t"]["c"]
    assert made.type == pa.timestamp("us") and all(m.hour == m.minute == m.second == 0 for m in made.to_pylist())


def test_dates_with_much_else_among_them_are_told():
    column, notes = guess([*(f"2020-01-{d:02}" for d in range(1, 29)), *(f"week {w}" for w in range(10))] * 8)
    assert column.kind != "date" and "74% of its texts are dates" in notes[0]


def test_days_and_months_that_cannot_be_told_apart_are_told():
    assert "cannot be told apart" in guess(spread(["01/02/2020", "03/04/2020", "05/06/2020", "07/08/2020"]))[1][0]
    assert not guess(spread(["01/02/2020", "13/04/2020", "05/06/2020", "07/08/2020"]))[1]


def test_nothing_of_the_data_is_shown(people):
    tables = Tables({"people": people})
    schemas, notes = detect(tables)
    text = described(schemas, tables, notes) + to_yaml(schemas)
    for secret in ("lighthouse", "sailor", "Ulm"):
        assert secret not in text


def test_schema_file_round_trip(tmp_path):
    every = {
        kind: Column(
            kind,
            order=("a", "b") if kind == "ordered" else (),
            parent="t.key" if kind == "link" else "",
            missing=("?",),
            low=0.0 if kind == "number" else None,
        )
        for kind in KINDS
    }
    schemas = {"t": Schema(every, ("number >= 0",), "category")}
    path = tmp_path / "schema.yaml"
    path.write_text(to_yaml(schemas))
    assert from_yaml(path) == schemas


def test_everything_wrong_with_a_schema_is_said_at_once(tmp_path):
    path = tmp_path / "schema.yaml"
    path.write_text(
        "tables:\n  t:\n    target: nobody\n    columns:\n      a: {kind: numbr}\n      b: {kind: ordered}\n"
        "      c: {kind: number, low: 3, high: 1}\n      d: {kind: link, parent: x.y}\n      e: {kinds: text}\n"
    )
    with pytest.raises(RecipeError) as error:
        from_yaml(path)
    said = str(error.value)
    for part in (
        "yaml:3",
        "yaml:5",
        "Did you mean number?",
        "yaml:6",
        "lists its names",
        "lower bound",
        "leads nowhere",
        "Did you mean kind?",
    ):
        assert part in said
    path.write_text("tables: [")
    with pytest.raises(TableError, match="no YAML"):
        from_yaml(path)


def test_content_that_contradicts_its_column_names_the_row():
    with pytest.raises(TableError) as error:
        content(pa.chunked_array([["1", "Zanzibar"]]), Column("integer"), "t.age")
    assert "t.age, row 2" in str(error.value) and "Zanzibar" not in str(error.value)
    with pytest.raises(TableError, match="row 3"):
        content(pa.chunked_array([["S", None, "XL"]]), Column("ordered", order=("S", "M")), "t.size")
