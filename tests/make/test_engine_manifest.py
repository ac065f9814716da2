"""The manifest and the cards: typed, streamed, the same whatever the shards, read by independent readers."""

from __future__ import annotations

import json
import logging

import engine_fakes as fakes
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from understudy.make import generate, make_record, manifest
from understudy.make.manifest import Standing, joined, kinds_in, natural, write_part

RECIPE = fakes.FakeRecipe(world=fakes.Rectangles(refuse=0.3))


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("manifest") / "out"
    generate(RECIPE, out, count=17, workers=0)
    return out


def rows(*drawn: dict) -> list[dict]:
    return [{"index": i, "file_name": f"{i}.png", "attempts": 1, "drawn": d} for i, d in enumerate(drawn)]


def merge(parts, target, standing=None) -> dict[str, str]:
    kinds = {}
    for part in parts:
        kinds |= {name: joined((kind, kinds.get(name))) for name, kind in kinds_in(part).items()}
    return manifest.merge(parts, kinds, target, standing)


def test_every_drawn_value_is_a_row_under_its_path(out):
    table = pq.read_table(out / "manifest.parquet").to_pylist()
    assert [row["index"] for row in table] == list(range(17))
    for row in table:
        made = make_record(RECIPE, row["index"])
        drawn = {k: v for k, v in row.items() if k not in ("index", "file_name", "attempts") and v is not None}
        assert drawn == made.record.drawn
        assert row["attempts"] == made.attempts
        assert (out / row["file_name"]).read_bytes() == made.record.picture.data


def test_columns_are_typed_and_in_natural_order(out):
    schema = pq.read_schema(out / "manifest.parquet")
    assert schema.names[:3] == ["index", "file_name", "attempts"]
    assert schema.names[3:] == sorted(schema.names[3:], key=natural)
    assert {str(schema.field(n).type) for n in ("world.rectangles.count", "world.rectangles.x[2]")} == {"int64"}
    assert str(schema.field("world.rectangles.shade[0]").type) == "double"
    assert str(schema.field("world.rectangles.colour").type) == "string"


def test_natural_order():
    assert sorted(["a[10]", "a[2]", "b", "a", "a.x[1]"], key=natural) == ["a", "a.x[1]", "a[2]", "a[10]", "b"]


@pytest.mark.parametrize(("first", "second", "kind", "values"), [
    (1, 2.5, "double", [1.0, 2.5]), (True, False, "bool", [True, False]), (None, 3, "int64", [None, 3]),
    (1, "one", "string", ["1", "one"]), (True, 2, "string", ["True", "2"]), (0.1, "x", "string", ["0.1", "x"]),
    (None, None, "string", [None, None]), (2**63, 1, "string", [str(2**63), "1"]),
    (2**53 + 1, 0.5, "double", [2.0**53, 0.5]),
])
def test_kinds_that_meet_in_one_column(tmp_path, first, second, kind, values):
    """Within a shard and between shards alike."""
    write_part(tmp_path / "both", rows({"v": first}, {"v": second}))
    write_part(tmp_path / "a", rows({"v": first}))
    write_part(tmp_path / "b", rows({"v": second}))
    for parts in (["both"], ["a", "b"]):
        merge([tmp_path / p for p in parts], tmp_path / "merged")
        column = pq.read_table(tmp_path / "merged").column("v")
        assert (str(column.type), column.to_pylist()) == (kind, values)


def test_a_path_of_one_shard_only_is_null_in_the_other(tmp_path):
    write_part(tmp_path / "a", rows({"x": 1}))
    write_part(tmp_path / "b", rows({"y": "text"}))
    write_part(tmp_path / "none", [])
    assert merge([tmp_path / p for p in ("a", "none", "b")], tmp_path / "m")["x"] == "int"
    assert pq.read_table(tmp_path / "m").select(["x", "y"]).to_pylist() == [{"x": 1, "y": None}, {"x": None, "y": "text"}]


def test_rows_are_merged_in_groups(tmp_path, monkeypatch):
    monkeypatch.setattr("understudy.make.manifest.GROUP_ROWS", 4)
    for i in range(5):
        write_part(tmp_path / f"{i}", rows({"x": i}, {"x": i}))
    merge([tmp_path / f"{i}" for i in range(5)], tmp_path / "m")
    file = pq.ParquetFile(tmp_path / "m")
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [4, 4, 2]
    assert file.read().column("x").to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert isinstance(file.schema_arrow, pa.Schema)


def test_licences_are_counted(out):
    ledger = json.loads((out / "licences.json").read_text())
    assert ledger["licences"] == {"CC0-1.0": 2}
    assert sum(asset["records"] for asset in ledger["assets"]) == 17
    assert [a["name"] for a in ledger["assets"]] == ["green.jpg", "red.jpg"]


@pytest.mark.filterwarnings("ignore")  # of mlcroissant's own use of rdflib and pandas
def test_croissant_is_read_by_its_own_library(out, caplog):
    import mlcroissant

    with caplog.at_level(logging.ERROR):
        dataset = mlcroissant.Dataset(jsonld=out / "croissant.json")
        read = list(dataset.records("records"))
    assert not dataset.metadata.ctx.issues.errors
    assert {w for w in dataset.metadata.ctx.issues.warnings if "datePublished" not in w} == set()
    wanted = pq.read_table(out / "manifest.parquet").to_pylist()
    for row, want in zip(read, wanted, strict=True):
        for name, value in want.items():
            got = row[f"records/{name}"]
            assert (got.decode() if isinstance(got, bytes) else got) == value


def test_croissant_names_every_file(out):
    card = json.loads((out / "croissant.json").read_text())
    files = {d["@id"] for d in card["distribution"] if d["@type"] == "cr:FileObject"}
    assert files == {"index.jsonl", "licences.json", "manifest.parquet", "recipe.yaml", "run.json"}
    patterns = [d["includes"] for d in card["distribution"] if d["@type"] == "cr:FileSet"]
    covered = {p for pattern in patterns for p in out.glob(pattern)}
    loose = {p for p in out.rglob("*") if p.is_file() and p.parent.name != "ledger"} - covered
    assert {p.name for p in loose} == files | {"croissant.json"}
    assert not any("date" in key.lower() for key in card)


@pytest.mark.parametrize("later", [
    [{"x": 7}], [{"x": 1.5}], [{"x": "seven"}], [{"y": 2}, {"x": 3}], [{"none": 4}], [{"none": None}] * 9, [],
])
@pytest.mark.parametrize("standing_parts", [0, 1, 2, 4, 5])
def test_a_grown_manifest_has_the_bytes_of_one_made_in_one_go(tmp_path, monkeypatch, later, standing_parts):
    """Whatever of an earlier manifest is taken over, and whatever kinds and columns come later."""
    monkeypatch.setattr("understudy.make.manifest.GROUP_ROWS", 4)
    drawn = [[{"x": 1}], [{"x": 2**53 + 1, "none": None}] * 3, [{"x": 5}] * 5, [], [{"x": 6, "z": "a"}] * 2, later]
    parts = [tmp_path / f"{i}" for i in range(len(drawn))]
    for part, rows_ in zip(parts, drawn):
        write_part(part, rows(*rows_))
    merge(parts, tmp_path / "straight")
    merge(parts[:5], tmp_path / "earlier")
    standing = Standing(tmp_path / "earlier", sum(map(len, drawn[:standing_parts])), standing_parts)
    merge(parts, tmp_path / "grown", standing)
    assert (tmp_path / "grown").read_bytes() == (tmp_path / "straight").read_bytes()


def test_what_stands_is_taken_over_and_not_read_again(tmp_path):
    parts = [tmp_path / f"{i}" for i in range(3)]
    for i, part in enumerate(parts):
        write_part(part, rows({"x": i}))
    merge(parts, tmp_path / "straight")
    merge(parts[:2], tmp_path / "earlier")
    for gone in parts[:2]:
        gone.unlink()
    manifest.merge(parts, dict.fromkeys((*manifest.FIXED, "x"), "int"), tmp_path / "grown",
                   Standing(tmp_path / "earlier", 2, 2))
    assert (tmp_path / "grown").read_bytes() == (tmp_path / "straight").read_bytes()
