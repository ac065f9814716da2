"""``understudy generate`` as a user types it, over the quick real world and renderer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import engine_fakes as fakes
import pytest

from understudy.cli import main

SMALL = ["solids", "--set", "sensors.renderer=flat", "--set", "sensors.camera.size=[64, 48]", "--set", "surroundings=null"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_data_set_and_its_summary(tmp_path, capsys):
    assert main(["generate", *SMALL, "-n", "7", "-w", "2"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("solids: 7 pictures as coco\n  7 in ")
    assert "workers' time: " in said.out and "picture and channels" in said.out
    assert main(["generate", *SMALL, "-n", "7", "-o", "solids"]) == 0
    assert "nothing was left to do" in capsys.readouterr().out
    assert main(["generate", *SMALL, "-n", "7", "-o", "again", "-w", "0", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert fakes.tree(tmp_path / "solids") == fakes.tree(tmp_path / "again")


def test_the_recipe_in_the_folder_makes_the_folder(tmp_path):
    assert main(["generate", *SMALL, "-n", "3", "-w", "0", "-q", "--seed", "5"]) == 0
    assert main(["generate", "solids/recipe.yaml", "-w", "0", "-q", "-o", "again"]) == 0
    assert fakes.tree(tmp_path / "solids") == fakes.tree(tmp_path / "again")


def test_one_record_alone(tmp_path, capsys):
    assert main(["generate", *SMALL, "-n", "9", "-w", "0", "-q", "-o", "whole"]) == 0
    assert main(["generate", *SMALL, "-n", "9", "--only", "7"]) == 0
    said = capsys.readouterr().out
    whole, alone = fakes.tree(tmp_path / "whole"), fakes.tree(tmp_path / "record-7")
    pictures = [name for name in alone if name.endswith(("7.jpg", ".png"))]
    assert "images/00001/000000007.jpg" in pictures and len(pictures) > 1
    assert all(alone[name] == whole[name] for name in pictures)
    assert "world.solids.size_m[0]" in said and "sensors.camera.fov_deg" in said
    annotations = json.loads((tmp_path / "record-7" / "annotations" / "instances.json").read_text())
    assert len(annotations["images"]) == 1
    assert main(["generate", *SMALL, "-n", "9", "--only", "7"]) == 1  # never into what is there


def test_a_record_that_cannot_be_made_alone_leaves_nothing(tmp_path, capsys):
    impossible = ["--set", "world.solids.count=40", "--set", "world.solids.size_m=3", "--set", "world.solids.distance_m=2"]
    assert main(["generate", *SMALL, *impossible, "--only", "3"]) == 1
    assert capsys.readouterr().err.startswith("understudy: record 3 rejected: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["yolo", "webdataset"])
def test_other_formats(tmp_path, name):
    for out, workers in (("a", "0"), ("b", "2")):
        assert main(["generate", *SMALL, "-n", "6", "--format", name, "-o", out, "-w", workers, "-q"]) == 0
    assert fakes.tree(tmp_path / "a") == fakes.tree(tmp_path / "b")
    import pyarrow.parquet as pq

    for row in pq.read_table(tmp_path / "a" / "manifest.parquet").to_pylist():
        file, _, member = row["file_name"].partition(".tar/")
        if member:
            with tarfile.open(tmp_path / "a" / f"{file}.tar") as archive:
                assert member in archive.getnames()
        else:
            assert (tmp_path / "a" / row["file_name"]).exists()


@pytest.mark.parametrize(("arguments", "code", "message"), [
    (["nothing"], 2, "there is no such recipe"),
    ([*SMALL, "-n", "1e9"], 1, "would not fit on this disk"),
    ([*SMALL, "-n", "0"], 2, "count is out of range"),
    ([*SMALL, "--set", "world.solids.size_m=-3"], 2, "size_m"),
    ([*SMALL, "-n", "3", "-o", "/dev/null/under"], 1, "/dev/null"),
    ([*SMALL, "-n", "3", "--format", "cocoa"], 2, "coco"),
])
def test_one_clear_message(arguments, code, message, capsys):
    assert main(["generate", *arguments]) == code
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert said.startswith("understudy: ")


@pytest.mark.parametrize("text", ["many", "-3", "1.5", "1e", "inf", "nan", "1e-3"])
def test_counts_that_are_none(text, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["generate", "solids", f"--count={text}"])
    assert caught.value.code == 2
    assert "wanted a whole number" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("whole_group", [True, False])
def test_stopped_by_a_signal(tmp_path, number, code, whole_group):
    """Ctrl-C reaches the whole group of the terminal; ``kill`` reaches the parent alone."""
    command = [sys.executable, "-m", "understudy", "generate", *SMALL, "-n", "400", "-w", "2", "-o", "out"]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    ledger = tmp_path / "out" / "ledger"
    while run.poll() is None and not (ledger.is_dir() and any(ledger.glob("*.json"))):
        time.sleep(0.05)
    if whole_group:
        os.killpg(run.pid, number)
    else:
        run.send_signal(number)
    _, said = run.communicate(timeout=60)
    assert run.returncode == code, said
    assert said.splitlines()[-1] == ("understudy: stopped. What is finished is kept in out; the same command goes on from "
                                     "there")
    assert "Traceback" not in said
    assert not (tmp_path / "out" / ".work").exists() and not (tmp_path / "out" / ".lock").exists()
    with pytest.raises(ProcessLookupError):  # nobody is left of the group
        os.killpg(run.pid, 0)
