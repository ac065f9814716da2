"""``tune:`` marks what a search may move: it changes no draw and no digest, and is read and written as it should."""

from __future__ import annotations

import jsonschema
import pytest

from understudy.errors import RecipeError
from understudy.key import Key
from understudy.recipe import json_schema, parse
from understudy.values import Choice, Tuned, Uniform, as_value

PLAIN = {"name": "x", "world": {"solids": {"size_m": {"log_uniform": [0.2, 0.5]},
                                           "paint": {"pattern": {"choice": ["plain", "dots"]}}}}}
MARKED = {"name": "x", "world": {"solids": {"size_m": {"tune": {"log_uniform": [0.2, 0.5]}},
                                            "paint": {"pattern": {"tune": {"choice": ["plain", "dots"]}}}}}}


def test_a_mark_changes_no_draw_and_no_digest():
    plain, marked = parse(PLAIN), parse(MARKED)
    assert plain.digest == marked.digest and plain != marked
    for i in range(50):
        key = Key(i)
        assert plain.world.size_m.draw(key) == marked.world.size_m.draw(key)
        assert plain.world.paint.pattern.draw(key) == marked.world.paint.pattern.draw(key)


def test_a_marked_recipe_is_written_and_read_back(tmp_path):
    marked = parse(MARKED)
    file = tmp_path / "r.yaml"
    file.write_text(marked.to_yaml())
    assert parse(file) == marked and "size_m: {tune: {log_uniform: [0.2, 0.5]}}" in marked.to_yaml()
    assert parse(PLAIN, overrides=["solids.size_m={tune: {uniform: [0.2, 0.3]}}"]).world.size_m == Tuned(Uniform(0.2, 0.3))
    jsonschema.validate(MARKED, json_schema())


def test_marked_places_are_found_among_drawn_paths():
    columns = ["index", "world.solids.size_m[0]", "world.solids.size_m[1]", "world.solids.paint.pattern[0]",
               "world.solids.distractors", "sensors.camera.iso"]
    assert parse(MARKED).tuned(columns) == ["world.solids.size_m[0]", "world.solids.paint.pattern[0]"]
    assert parse(PLAIN).tuned(columns) == []


@pytest.mark.parametrize(("value", "said"), [
    ({"tune": 0.3}, "nothing to tune"), ({"tune": {"tune": {"uniform": [0.2, 0.3]}}}, "no distribution"),
    ({"tune": {"uniform": [0.2, 99]}}, "reaches outside"),
    ({"choice": [{"tune": {"uniform": [0.2, 0.3]}}]}, "no distribution"),
    ({"tune": {"uniform": [0.2, 0.3]}, "x": 1}, "is not one distribution")])
def test_a_mark_in_a_wrong_place_is_one_message(value, said):
    with pytest.raises(RecipeError, match=said):
        parse({"name": "x", "world": {"solids": {"size_m": value}}})


def test_a_setting_cannot_be_tuned():
    with pytest.raises(RecipeError, match="cannot vary"):
        parse({"name": "x", "world": "solids", "sensors": {"camera": {"size": {"tune": {"choice": [[64, 48], [32, 24]]}}}}})


def test_only_what_varies_is_marked_in_python():
    for thing in (3, as_value(3), Tuned(Choice((1, 2)))):
        with pytest.raises(ValueError, match="something that varies"):
            Tuned(thing)
