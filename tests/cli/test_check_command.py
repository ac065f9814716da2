"""``understudy check``: exit codes, lines, JSON."""

from __future__ import annotations

import json

import pytest

from understudy.cli import main


@pytest.fixture
def folder(tmp_path):
    from PIL import Image

    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text("names: [person]\n")
    for n in range(3):
        Image.new("RGB", (32, 24), (n * 50, 0, 0)).save(tmp_path / "images" / f"{n}.png")
        (tmp_path / "labels" / f"{n}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    return tmp_path


def test_clean_is_0_and_says_what_was_checked(folder, capsys):
    assert main(["check", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "nothing wrong" in out and "3 pictures" in out and "3 annotations" in out


def test_wrong_is_1_with_a_line_for_each(folder, capsys):
    (folder / "labels" / "1.txt").write_text("7 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.9 2\n")
    assert main(["check", str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("error: labels/1.txt:1: the class is not listed") and lines[0].endswith("[dangling]")
    assert "by rule: dangling 1, bbox 1" in lines and "2 errors" in lines[-1]


def test_max_bounds_the_list(folder, capsys):
    (folder / "labels" / "1.txt").write_text("".join(f"{n} 0.5 0.5 0.5 0.5\n" for n in range(1, 30)))
    assert main(["check", str(folder), "--max", "3"]) == 1
    out = capsys.readouterr().out
    assert out.count("error:") == 3 and "and 26 more" in out


def test_json(folder, capsys):
    (folder / "labels" / "1.txt").write_text("7 0.5 0.5 0.5 0.5\n")
    assert main(["check", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False and told["errors"] == 1 and told["findings"][0]["rule"] == "dangling"


def test_warnings_fail_only_when_strict(folder, capsys):
    (folder / "labels" / "1.txt").unlink()
    assert main(["check", str(folder)]) == 0
    assert main(["check", str(folder), "--strict"]) == 1
    assert "label-missing" in capsys.readouterr().out


def test_nothing_to_check_is_an_error(tmp_path, capsys):
    assert main(["check", str(tmp_path)]) == 1
    assert "understudy:" in capsys.readouterr().err
    assert main(["check"]) == 2


def test_rules_are_listed(capsys):
    assert main(["check", "--rules"]) == 0
    assert "box-tight            every box touches its mask on all four sides" in capsys.readouterr().out
