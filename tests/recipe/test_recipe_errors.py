"""Whole error texts, the recipes that once failed, and anything else that somebody may call a recipe."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from recipe_fakes import CORPUS, GOLDEN, TABLES, Birds

from understudy.errors import RecipeError
from understudy.recipe import parse


def complaint(path: Path) -> str:
    """What the parser says of a bad recipe, called as a user in its folder would call it."""
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        parse(Path(path.name), tables=TABLES)
    except RecipeError as error:
        return f"{error}\n"
    finally:
        os.chdir(before)
    raise AssertionError(f"{path} is a good recipe")


@pytest.mark.parametrize("path", GOLDEN, ids=lambda p: p.stem)
def test_golden(path):
    """To write new golden texts after a change that is meant: ``python tests/recipe/test_recipe_errors.py``."""
    assert complaint(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", CORPUS, ids=lambda p: p.stem)
def test_corpus(path):
    text = complaint(path)
    assert path.name in text
    assert len(text) < 100_000
    assert len(text.splitlines()[0]) < 600
    assert "object at 0x" not in text and "Traceback" not in text


def test_problems_stand_in_the_order_of_the_file():
    path = next(p for p in GOLDEN if p.stem == "everything")
    lines = [int(line.split(":")[1]) for line in complaint(path).splitlines()]
    assert lines == sorted(lines)
    assert len(lines) > 20


@pytest.mark.parametrize(("make", "message"), [
    (lambda p: p, "there is no such recipe"),
    (lambda p: p.mkdir() or p, "is a folder (wanted a recipe file)"),
    (lambda p: os.mkfifo(p) or p, "is not a regular file"),
    (lambda p: p.write_bytes(b"#" * 2_000_000) and p, "is too large for a recipe (wanted at most 1,000,000 bytes)"),
    (lambda p: p / "\0", "there is no such recipe"),
    (lambda p: Path("x" * 5000), "there is no such recipe"),
])
def test_files_that_are_no_recipes(tmp_path, make, message):
    with pytest.raises(RecipeError) as caught:
        parse(make(tmp_path / "r.yaml"), tables=TABLES)
    assert message in str(caught.value)


def test_a_shipped_name_misspelt():
    with pytest.raises(RecipeError, match='Did you mean "solids"'):
        parse("solid")


@pytest.mark.parametrize("said", [
    {"x": float("nan")}, {"x": b"x"}, {"world": {1: 2}}, {"world": object()}, {"world": {"birds": {"count": b"3"}}},
    {True: 3}, pytest.param({"world": {"birds": {"drift": 10**400}}}, id="400 digits"),
    pytest.param({"name": "\ud800", "world": "birds"}, id="half a surrogate pair")])
def test_plain_data_that_is_no_recipe(said):
    with pytest.raises(RecipeError):
        parse(said, tables=TABLES)


def test_plain_data_that_holds_itself():
    loop = {}
    loop["world"] = loop
    with pytest.raises(RecipeError, match="nested too deeply"):
        parse(loop, tables=TABLES)


WORDS = st.sampled_from([
    *("world birds count name seed labels keep sensors camera renderer write coco boxes uniform normal weighted choice "
      "integers log_uniform age place meadow pond plumage size songs pictures").split(),
    ":", ": ", "\n", "\n  ", "\n    ", "- ", "{", "}", "[", "]", ",", ", ", "&a ", "*a", "!x ", "? ", "<<", "|", ">", "'",
    '"', "#", "---", "0", "1", "-1", "1.5", "1e9", "007", "175 cm", "0-12", "61+", "~", "null", "true", "no", ".inf", ".nan",
    "\t", "%", "@", "\\ud800", "é", "\x85"])


def only_a_recipe_error(text: str, path: Path) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        recipe = parse(path, tables=TABLES)
    except RecipeError as error:
        assert str(error).startswith(str(path))
        str(error).encode()
    else:
        assert parse(recipe.plain(), tables=TABLES, folder=path.parent) == recipe


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(WORDS, max_size=30).map("".join))
@example(text="world: {birds: {age: {weighted: [[{choice: [{uniform: [0, 1]}]}, 1]]}}}")
def test_words_of_recipes_in_any_order(text, tmp_path):
    only_a_recipe_error(text, tmp_path / "r.yaml")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
def test_any_text(text, tmp_path):
    only_a_recipe_error(text, tmp_path / "r.yaml")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | WORDS
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
                     max_leaves=12)
FIELDS = [f.name for f in dataclasses.fields(Birds)]


@settings(max_examples=300, deadline=None)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), TREES, max_size=3),
       overrides=st.lists(st.text(max_size=20), max_size=2))
def test_any_plain_data(fields, overrides):
    try:
        recipe = parse({"world": {"birds": fields}}, overrides=overrides, tables=TABLES)
    except RecipeError as error:
        assert error.problems
    else:
        assert parse(recipe.plain(), tables=TABLES) == recipe


if __name__ == "__main__":
    for path in GOLDEN:
        path.with_suffix(".txt").write_text(complaint(path), encoding="utf-8")
