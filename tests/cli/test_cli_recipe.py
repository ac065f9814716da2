"""``understudy recipe`` and ``understudy doctor`` as a user types them."""

from __future__ import annotations

import json

import jsonschema
import pytest

from understudy.cli import doctor, main
from understudy.recipe import json_schema, parse, shipped


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_list_names_every_shipped_recipe(capsys):
    assert main(["recipe", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(shipped())
    assert all(len(line.split()) > 5 for line in lines)


def test_show(capsys):
    assert main(["recipe", "show", "solids"]) == 0
    assert capsys.readouterr().out == shipped()["solids"].read_text()
    assert main(["recipe", "show", "solids", "--full"]) == 0
    assert capsys.readouterr().out == parse("solids").to_yaml()
    assert main(["recipe", "show", "solids", "--set", "world.count=9"]) == 0
    assert "\n    count: 9\n" in capsys.readouterr().out


def test_show_a_file(folder, capsys):
    text = "# mine\nworld: solids\n"
    (folder / "mine.yaml").write_text(text)
    assert main(["recipe", "show", "mine.yaml"]) == 0
    assert capsys.readouterr().out == text


def test_new_starts_a_recipe_and_overwrites_nothing(folder, capsys):
    assert main(["recipe", "new", "mine", "--like", "solids"]) == 0
    recipe = parse(folder / "mine.yaml")
    assert recipe.name == "mine"
    assert recipe.world == parse("solids").world
    assert 10 <= len((folder / "mine.yaml").read_text().splitlines()) <= 30
    assert main(["recipe", "new", "mine", "--like", "solids"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["recipe", "new", "007", "--like", "solids", "-o", "bond.yaml"]) == 0
    assert parse("bond.yaml").name == "007"


@pytest.mark.parametrize(("argv", "message"), [
    (["new", "a/b"], "is made of letters"),
    (["new", "x", "--like", "solid"], 'Did you mean "solids"?'),
    (["new", "x", "--like", "solids", "-o", "no/such/x.yaml"], "cannot be written"),
    (["check", "nothing.yaml"], "there is no such recipe"),
    (["check", "solids", "--set", "world.count=1e9"], "--set #1: world.solids.count: lies outside what is allowed"),
    (["show", "."], "is a folder"),
])
def test_refused(argv, message, capsys):
    assert main(["recipe", *argv]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("understudy: ") and message in captured.err
    assert "Traceback" not in captured.err


def test_check(folder, capsys):
    assert main(["recipe", "check", "solids"]) == 0
    assert parse("solids").digest in capsys.readouterr().out
    (folder / "bad.yaml").write_text("world: solids\nseeds: 3\ncuont: 4\n")
    assert main(["recipe", "check", "bad.yaml"]) == 2
    parts = "(wanted one of name, seed, count, world, sensors, labels, write)"
    assert capsys.readouterr().err.splitlines() == [
        f'understudy: bad.yaml:2: there is no "seeds" here {parts}. Did you mean "seed"?',
        f'bad.yaml:3: there is no "cuont" here {parts}. Did you mean "count"?']


def test_check_says_which_paths_are_not_there(folder, capsys):
    (folder / "mine.yaml").write_text("world: {solids: {surroundings: {photographs: {folder: photos}}}}\n")
    assert main(["recipe", "check", "mine.yaml"]) == 1
    assert f"photos does not exist (looked for {folder / 'photos'})" in capsys.readouterr().err
    (folder / "photos").mkdir()
    assert main(["recipe", "check", "mine.yaml"]) == 0


def test_schema_and_reference(folder, capsys):
    assert main(["recipe", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert main(["recipe", "reference", "-o", "page.md"]) == 0
    assert (folder / "page.md").read_text().startswith("# What a recipe may say")
    assert main(["recipe", "reference", "-o", "no/page.md"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_doctor_finds_this_machine_fit(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for part in ("Python 3.", "cores", "GiB of memory", "cache folder", "numpy", "mitsuba", "Open Image Denoise", "anny"):
        assert part in out
    assert "missing" not in out


def test_doctor_survives_what_it_tries():
    assert doctor.probe("import os; os.kill(os.getpid(), 11)") == (None, "crashed (signal 11)")
    assert doctor.probe("raise SystemExit(3)") == (None, "exit code 3")
    assert doctor.probe("import nothing_of_that_name") == (
        None, "ModuleNotFoundError: No module named 'nothing_of_that_name'")
    assert doctor.probe("print('noise'); print('{\"a\": 1}')") == ({"a": 1}, "")


def test_doctor_s_remedies(monkeypatch):
    slow = doctor.rendering({"version": "3.9", "variant": "scalar_rgb", "llvm": "", "sum": 3.0})
    assert (slow.state, "libllvm19" in slow.remedy) == (doctor.SLOW, True)
    assert doctor.rendering({"version": "3.9", "variant": "llvm_ad_rgb", "llvm": "x", "sum": 2.0}).state == doctor.MISSING
    misfit = {"torch": None, "torchvision": "RuntimeError: operator torchvision::nms does not exist"}
    finding = doctor.bodies("0.6", misfit, "")
    assert (finding.state, finding.remedy.endswith("pip uninstall torchvision")) == (doctor.MISSING, True)
    assert doctor.bodies("0.6", {"torch": None}, "").state == doctor.NOTE
    assert doctor.bodies("0.6", {"torch": "ImportError: x"}, "").state == doctor.MISSING
    assert doctor.bodies("0.6", None, "crashed (signal 6)").state == doctor.MISSING


def test_doctor_on_learning():
    good = {"version": "2.13.0+cpu", "bf16": False, "cuda": False}
    (line,) = doctor.learning(good, "", "")
    assert line.state == doctor.OK and "float32" in line.what
    assert "in bfloat16" in doctor.learning(good | {"bf16": True}, "", "")[0].what
    broken = doctor.learning(good, "", "RuntimeError: operator torchvision::nms does not exist")
    assert [f.state for f in broken] == [doctor.OK, doctor.NOTE] and "pip uninstall torchvision" in broken[1].remedy
    assert doctor.learning(None, "crashed (signal 4)", "")[0].state == doctor.NOTE


def test_doctor_fails_where_something_needed_is_missing(monkeypatch, capsys, folder):
    monkeypatch.setattr(doctor, "version", lambda name: None)
    (folder / "file").write_text("")
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(folder / "file" / "cache"))
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "missing  mitsuba is not installed" in out
    assert "Set UNDERSTUDY_CACHE to a folder that can" in out
