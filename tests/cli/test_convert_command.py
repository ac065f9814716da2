"""``understudy convert`` end to end, on data sets of balls."""

import dataclasses

import pytest

from understudy import writers
from understudy.cli import main
from understudy.fields import resolve
from understudy.writers import About
from understudy.writers.compare import differences


@pytest.fixture
def source(ball_people, tmp_path):
    """One folder of each format, three records each."""
    records = [ball_people(i) for i in (0, 1, 1500)]

    def make(name, **settings):
        out = tmp_path / f"in-{name}"
        written = resolve(writers.WRITERS, name)(**settings)
        for number, group in ((0, records[:2]), (1, records[2:])):
            shard = written.shard(out, number)
            for record in group:
                shard.add(record)
            shard.close()
        written.finish(out, [0, 1], About("balls", records[0].categories, ("CC0-1.0", "https://example.org"), "Balls"))
        (out / "recipe.yaml").write_text("name: balls\n")
        return out, records
    return make


@pytest.mark.parametrize("to", ["coco", "yolo", "webdataset"])
@pytest.mark.parametrize("start", ["coco", "yolo", "webdataset"])
def test_any_to_any(start, to, source, tmp_path, capsys):
    out = tmp_path / "sub" / "out"
    folder, _ = source(start)
    assert main(["convert", str(folder), "--to", to, "-o", str(out)]) == 0
    name, written = writers.detect(out)
    assert name == to
    assert written.about(out).licence == ("CC0-1.0", "https://example.org")
    assert (out / "recipe.yaml").is_file()
    read = writers.detect(folder)[1]
    lost = set(written.lost)
    for a, b in zip(read.read(folder), written.read(out), strict=True):
        changed = {k.partition(".")[0] if "maps" in lost and k.startswith("maps.") else k for k in differences(a, b, 1e-4)}
        assert changed <= lost
    assert f"3 pictures, 6 instances from {start} to {to}" in capsys.readouterr().out
    assert [p.name for p in out.parent.iterdir()] == ["out"]  # nothing half made stays behind


def test_there_and_back_is_the_same_bytes(source, tmp_path):
    """COCO to WebDataset to COCO: not a byte of a picture, map or annotation differs."""
    folder, _ = source("coco", exact=True)
    assert main(["convert", str(folder), "--to", "webdataset", "--exact", "-o", str(tmp_path / "w")]) == 0
    assert main(["convert", str(tmp_path / "w"), "--to", "coco", "--exact", "-o", str(tmp_path / "c")]) == 0
    assert main(["convert", str(folder), "--to", "coco", "--exact", "-o", str(tmp_path / "d")]) == 0
    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    assert [f for f in files if (folder / f).read_bytes() != (tmp_path / "c" / f).read_bytes()] == []
    assert [f for f in files if (folder / f).read_bytes() != (tmp_path / "d" / f).read_bytes()] == []


def test_the_table_counts_what_was_there(source, tmp_path, capsys):
    folder, _ = source("webdataset")
    main(["convert", str(folder), "--to", "yolo", "--task", "segment", "-o", str(tmp_path / "y")])
    said = capsys.readouterr().out
    assert "yolo cannot carry all of it" in said
    rows = {line.split()[0]: line for line in said.splitlines() if line.startswith("  ")}
    assert "3 pictures" in rows["drawn"] and "instances.amodal_mask" in rows
    assert "instances.mask" not in rows  # segment carries masks
    assert "assets" not in rows and "instances.ignore" not in rows  # there were none
    folder, _ = source("coco")
    main(["convert", str(folder), "--to", "webdataset", "--exact", "-o", str(tmp_path / "w")])
    assert "webdataset carries everything that was there" in capsys.readouterr().out
    rounded, _ = source("webdataset")
    main(["convert", str(rounded), "--to", "coco", "-o", str(tmp_path / "v")])
    assert "maps." not in capsys.readouterr().out  # depth came in millimetres already, normals in 8 bits


def test_nothing_is_overwritten(source, tmp_path, capsys):
    folder, _ = source("coco")
    (tmp_path / "y").mkdir()
    assert main(["convert", str(folder), "--to", "yolo", "-o", str(tmp_path / "y")]) == 0  # an empty folder may be there
    before = (tmp_path / "y" / "data.yaml").read_bytes()
    assert main(["convert", str(folder), "--to", "yolo", "-o", str(tmp_path / "y")]) == 1
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "y" / "data.yaml").read_bytes() == before
    assert main(["convert", str(folder), "--to", "yolo", "-o", str(folder / "inner")]) == 2
    assert not (folder / "inner").exists()


def test_settings_of_another_format_and_wrong_ones(source, tmp_path, capsys):
    folder, _ = source("coco")
    for wrong in (["--to", "yolo", "--exact"], ["--to", "coco", "--task", "pose"], ["--to", "yolo", "--task", "dance"],
                  ["--to", "yolo", "--points", "0"]):
        assert main(["convert", str(folder), *wrong, "-o", str(tmp_path / "x")]) == 2
    assert "one of detect, segment, pose" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_bad_annotation_stops_or_is_left_out(source, tmp_path, capsys):
    folder, _ = source("yolo")
    label = sorted((folder / "labels").rglob("*.txt"))[1]
    label.write_text(label.read_text() + "0 0.5 0.5 0 0\n")
    assert main(["convert", str(folder), "--to", "coco", "-o", str(tmp_path / "c")]) == 1
    assert f"{label.name}:3" in capsys.readouterr().err
    assert not (tmp_path / "c").exists() and not list(tmp_path.glob(".c.*"))
    assert main(["convert", str(folder), "--to", "coco", "--skip-bad", "-o", str(tmp_path / "c")]) == 0
    said = capsys.readouterr()
    assert "left out:" in said.err and "6 instances" in said.out and "1 left out" in said.out


def test_what_is_no_data_set(tmp_path, capsys):
    assert main(["convert", str(tmp_path / "absent"), "--to", "coco", "-o", str(tmp_path / "c")]) == 1
    (tmp_path / "in").mkdir()
    assert main(["convert", str(tmp_path / "in"), "--to", "coco", "-o", str(tmp_path / "c")]) == 1
    said = capsys.readouterr().err
    assert "does not exist" in said and "no data set of a known format" in said


def test_a_source_that_repeats_an_index_is_refused(source, tmp_path, capsys):
    folder, records = source("webdataset")
    shard = writers.detect(folder)[1].shard(folder, 1)
    for record in (records[0], dataclasses.replace(records[1])):
        shard.add(record)
    shard.close()
    assert main(["convert", str(folder), "--to", "coco", "-o", str(tmp_path / "c")]) == 1
    assert "in order of their index" in capsys.readouterr().err
