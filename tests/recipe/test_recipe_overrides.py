"""``--set``: places named in full, with names of entries left out, or by their end."""

from __future__ import annotations

import pytest
from recipe_fakes import TABLES, Meadow, Pond

from understudy.errors import RecipeError
from understudy.recipe import parse
from understudy.values import Fixed, Uniform

BASE = {"seed": 1, "world": {"birds": {"age": 2}}}


def with_set(*overrides, base=BASE):
    return parse(base, overrides=overrides, tables=TABLES)


def refused(*overrides):
    with pytest.raises(RecipeError) as caught:
        with_set(*overrides)
    return str(caught.value)


@pytest.mark.parametrize("path", ["world.birds.age", "world.age", "birds.age", "age", " age "])
def test_names_of_a_place(path):
    assert with_set(f"{path}=7").world.age == Fixed(7)


def test_values_are_yaml():
    assert with_set("age={uniform: [2, 3]}").world.age == Uniform(2, 3)
    assert with_set("span_m=175 cm").world.span_m == Fixed(1.75)
    assert with_set("songs=[call]").world.songs == ("call",)
    assert with_set("perch=null").world.perch is None
    assert with_set("motto=a=b").world.motto == "a=b"


def test_parts():
    recipe = with_set("count=7", "seed=3", "name=x", "camera.size=[32, 32]", "samples=9", "write={ledger: {exact: true}}")
    assert (recipe.count, recipe.seed, recipe.name, recipe.write_name) == (7, 3, "x", "ledger")
    assert recipe.sensors.camera.size == (32, 32)
    assert recipe.sensors.renderer.samples == 9
    assert recipe.write.exact


def test_a_whole_path_beats_the_end_of_a_longer_one():
    assert with_set("count=7").count == 7
    assert with_set("world.count=7").world.count == Fixed(7)
    assert with_set("birds.count=7").world.count == Fixed(7)


def test_slots_are_chosen_and_filled():
    assert with_set("place=pond").world.place == Pond()
    assert with_set("place=pond", "pond.depth_m=2").world.place == Pond(Fixed(2))
    assert with_set("place={pond: {depth_m: 2}}").world.place == Pond(Fixed(2))
    assert with_set("grass_m=2").world.place == Meadow(Fixed(2))
    assert with_set("birds.place.grass_m=1", base={"world": "birds"}).world.place == Meadow(Fixed(1))
    named = {"world": {"birds": {"place": "pond"}}}
    assert with_set("place.depth_m=3", base=named).world.place == Pond(Fixed(3))


def test_later_ones_win():
    assert with_set("age=3", "world.age=4").world.age == Fixed(4)


def test_an_override_mends_what_the_file_got_wrong():
    assert with_set("age=3", base={"world": {"birds": {"age": "old"}}}).world.age == Fixed(3)


def test_the_same_as_written():
    assert with_set("age={uniform: [2, 3]}", "place=pond") == parse(
        {"seed": 1, "world": {"birds": {"age": {"uniform": [2, 3]}, "place": "pond"}}}, tables=TABLES)


@pytest.mark.parametrize(("override", "message"), [
    ("age", '--set #1: is not an override (wanted path=value, such as world.count=3, got "age")'),
    ("=3", "is not an override"),
    ("a..b=3", "is not an override"),
    ("age=99", "--set #1: world.birds.age: lies outside what is allowed (wanted a number in [0, 20], in years, got 99)"),
    ("agee=3", '--set #1: agee: the recipe has no such place. Did you mean "world.birds.age"?'),
    ("birds.agee=3", 'Did you mean "world.birds.age"?'),
    ("world.fish.count=3", "the recipe has no such place"),
    ("depth_m=3", "the recipe has no such place"),
    ("pond.depth_m=3", "Choose it first: --set place=pond"),
    ("age={uniform: [1, 2", "--set #1: age: is not YAML"),
    ("age=!!python/object:x {}", "tags are not allowed"),
    ("age=", "leave the key out to keep the default"),
    ("age.low=3", "the recipe has no such place"),
    ("world=fish", 'there is no "fish"'),
])
def test_refused(override, message):
    assert message in refused(override)


def test_ambiguous_names_list_their_places():
    both = {"world": {"birds": {"perch": "meadow"}}}
    with pytest.raises(RecipeError) as caught:
        with_set("grass_m=1", base=both)
    listed = "world.birds.place.meadow.grass_m, world.birds.perch.meadow.grass_m"
    assert f"could be several places (wanted one of {listed})" in str(caught.value)
    assert with_set("perch.grass_m=1", base=both).world.perch == Meadow(Fixed(1))


def test_every_problem_is_said_at_once():
    text = refused("agee=3", "count=0", "share=2")
    assert [line.split(":")[0] for line in text.splitlines()] == ["--set #1", "--set #2", "--set #3"]


def test_file_problems_come_first(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("world: {birds: {age: old}}\nseed: x\n")
    with pytest.raises(RecipeError) as caught:
        parse(path, overrides=["share=2"], tables=TABLES)
    wheres = [p.where for p in caught.value.problems]
    assert wheres == [f"{path}:1", f"{path}:2", "--set #1"]
