"""What recipes say, read: literals, distributions, slots, units, paths, files."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from recipe_fakes import TABLES, Birds, Meadow, Pond

from understudy import recipe as recipes
from understudy.errors import RecipeError
from understudy.values import Choice, Fixed, Integers, LogUniform, Normal, Uniform, Weighted


def bird(value, field="span_m", **more):
    """The Birds that a recipe with one field set gives."""
    return recipes.parse({"world": {"birds": {field: value} | more}}, tables=TABLES).world


def refused(value, field="span_m"):
    with pytest.raises(RecipeError) as caught:
        bird(value, field)
    return str(caught.value)


@pytest.mark.parametrize(("field", "said", "value"), [
    ("span_m", 0.5, Fixed(0.5)),
    ("span_m", 1, Fixed(1.0)),
    ("span_m", {"uniform": [0.1, 0.2]}, Uniform(0.1, 0.2)),
    ("span_m", {"uniform": {"high": 0.2, "low": 0.1}}, Uniform(0.1, 0.2)),
    ("span_m", {"log_uniform": [0.1, 0.2]}, LogUniform(0.1, 0.2)),
    ("span_m", {"normal": [0.3, 0.1, 0.1, 1]}, Normal(0.3, 0.1, 0.1, 1)),
    ("span_m", {"normal": {"mean": 0.3, "std": 0.1, "low": 0.1, "high": 1}}, Normal(0.3, 0.1, 0.1, 1)),
    ("drift", {"normal": [0, 1]}, Normal(0, 1)),
    ("drift", {"normal": {"mean": 0, "std": 1, "low": 0}}, Normal(0, 1, 0)),
    ("span_m", {"integers": [1, 3]}, Integers(1, 3)),
    ("count", {"integers": [1, 3]}, Integers(1, 3)),
    ("count", 3.0, Fixed(3)),
    ("span_m", {"choice": [0.1, {"uniform": [1, 2]}]}, Choice((0.1, Uniform(1, 2)))),
    ("age", {"weighted": {"0-12": 3, "13+": 1}}, Weighted((("0-12", Uniform(0, 12), 3), ("13-20", Uniform(13, 20), 1)))),
    ("count", {"weighted": {"0-12": 3, 20: 1}}, Weighted((("0-12", Integers(0, 12), 3), ("20", 20, 1)))),
    ("turn_deg", {"weighted": {"-90--45": 1, "-5-5": 2}},
     Weighted((("-90--45", Uniform(-90, -45), 1), ("-5-5", Uniform(-5, 5), 2)))),
    ("age", {"weighted": [[{"log_uniform": [1, 2]}, 3], [4, 1]]},
     Weighted((("{log_uniform: [1, 2]}", LogUniform(1, 2), 3), ("4", 4, 1)))),
    ("span_m", "175 cm", Fixed(1.75)),
    ("span_m", {"uniform": ["20cm", "3 ft"]}, Uniform(0.2, 0.9144)),
    ("turn_deg", "45°", Fixed(45.0)),
    ("age", "6 months", Fixed(0.5)),
    ("share", "25 %", Fixed(0.25)),
])
def test_values(field, said, value):
    assert getattr(bird(said, field), field) == value


def test_vectors_and_lists():
    plumage = bird({"tint": [1, 0, 0.5]}, "plumage").plumage
    assert plumage.tint == Fixed((1.0, 0.0, 0.5))
    assert bird({"tint": {"choice": [[1, 0, 0], [0, 0, 1]]}}, "plumage").plumage.tint.reach() == ((1, 0, 0), (0, 0, 1))
    assert bird([16, 9], "size").size == (16, 9)
    assert bird(["call", "trill"], "songs").songs == ("call", "trill")


def test_slots():
    assert bird("meadow", "place").place == Meadow(Fixed(0.1))
    assert bird({"meadow": {"grass_m": 1}}, "place").place == Meadow(Fixed(1.0))
    assert isinstance(bird({"pond": None}, "place").place, Pond)
    assert bird(None, "perch").perch is None
    assert isinstance(bird("pond", "perch").perch, Pond)


def test_world_alone_is_enough():
    recipe = recipes.parse({"world": "birds"}, tables=TABLES)
    assert (recipe.name, recipe.seed, recipe.count) == ("unnamed", 0, 100)
    assert (recipe.world_name, recipe.write_name) == ("birds", "coco")
    assert recipe.world == Birds()
    assert "renderer:\n    path:\n      samples: 4" in recipe.to_yaml()


def test_a_fact_that_holds_together_is_the_class_s_own_check():
    assert "a heavy bird has no light motto" in refused_world({"heavy": True, "motto": "light"})


def refused_world(fields):
    with pytest.raises(RecipeError) as caught:
        recipes.parse({"world": {"birds": fields}}, tables=TABLES)
    return str(caught.value)


def test_the_renderer_must_give_what_the_labels_read():
    with pytest.raises(RecipeError, match='the renderer cannot give what depth must read'):
        recipes.parse({"world": "birds", "sensors": {"renderer": "sketch"}, "labels": {"keep": ["boxes", "depth"]}},
                      tables=TABLES)
    assert recipes.parse({"world": "birds", "sensors": {"renderer": "sketch"}, "labels": {"keep": ["boxes"]}}, tables=TABLES)


@pytest.mark.parametrize(("said", "message"), [
    ({"uniform": [1, 4.0]}, "Write {integers: [1, 4]} for whole numbers"),
    ({"normal": [1, 4.0]}, "Write {integers: [low, high]} for whole numbers"),
    ({"integers": [1.5, 4]}, "integers: low is wrong"),
    ([1, 4], "Write {integers: [1, 4]} for anything between, or {choice: [1, 4]} for one of them"),
    ("3", "Write 3 without quotes"),
    (2.5, "outside what is allowed (wanted a whole number in [0, 50], got 2.5)"),
    (1e9, "got 1000000000"),
    pytest.param(10**5000, "outside what is allowed", id="5000 digits"),
    (None, "leave the key out to keep the default"),
    (True, "got true"),
    ({"weighted": {"1.5-3": 1}}, 'the range "1.5-3" is wrong'),
    ({"weighted": {"3-1": 1}}, 'Write "1-3"'),
    ({"weighted": {"1": 0}}, "at least one weight above 0"),
    ({"weighted": {"1": -1}}, "the weight is wrong"),
    ({"weighted": [1, 2]}, "is no option with its weight"),
    ({"choice": []}, "choice wants a list"),
    ({"integers": [3, 1]}, "Write 1 first, then 3"),
    ({"integers": [1, 60]}, "The part inside is {integers: [1, 50]}"),
    ({"integers": [1, 2], "choice": [1]}, "is not one distribution"),
    ({"range": [1, 2]}, 'Did you mean "uniform"?'),
])
def test_whole_numbers_refused(said, message):
    assert message in refused(said, "count")


@pytest.mark.parametrize(("said", "message"), [
    ({"normal": [1, 0.1]}, "Write {normal: [1, 0.1, 0.05, 3]}"),
    ({"normal": [1, 0]}, "standard deviation above 0"),
    ({"normal": [100, 0.1, 1, 2]}, "practically none of it lies between its ends"),
    ({"normal": [1, 0.1, 2]}, "wrong arguments (wanted [mean, std] or [mean, std, low, high]"),
    ({"uniform": {"lo": 1, "high": 2}}, 'Did you mean "low"?'),
    ({"uniform": {"low": 1}}, "high is missing"),
    ({"uniform": [1, "2 kg"]}, "kg is not a unit that converts to m. Write the number in m"),
    ({"log_uniform": [0, 1]}, "log_uniform wants two positive numbers, got 0"),
    ({"uniform": [0.1, float("nan")]}, "uniform: high is wrong"),
    ("1,75", "Write 1.75: a point stands before the decimals"),
    ("tall", 'got "tall"'),
    (float("nan"), "got .nan"),
    (float("inf"), "got .inf"),
    ({}, "is not one distribution"),
])
def test_numbers_refused(said, message):
    assert message in refused(said)


def test_an_open_range_needs_an_end():
    assert '"3+" has no end here' in refused({"weighted": {"3+": 1}}, "drift")


@pytest.mark.parametrize(("field", "said", "message"), [
    ("heavy", "no", "Write false"),
    ("heavy", 1, "Write true"),
    ("motto", 2020, 'Write "2020" in quotes'),
    ("motto", " ", 'got " "'),
    ("size", {"choice": [[1, 2]]}, "is the same for the whole data set, so it cannot vary"),
    ("size", [1, 2, 3], "Write 2 numbers between [ and ]"),
    ("size", [1, 200], "a list of 2 whole numbers in [1, 100]"),
    ("songs", "trill", "Write [trill]"),
    ("songs", ["chrip"], 'Did you mean "chirp"?'),
    ("songs", ["call", "call"], "stands in the list twice"),
    ("place", None, "Leave the key out to keep the default"),
    ("place", "medow", 'Did you mean "meadow"?'),
    ("place", {"grass_m": 1}, "Put these keys below the name, as in place: {meadow: {...}}"),
    ("place", ["meadow"], "is not one name of its table"),
    ("plumage", 3, "a mapping with colour, tint, shiny"),
    ("plumage", {"colour": "browm"}, 'Did you mean "brown"?'),
    ("plumage", {"colour": ["brown", "white"]}, "Write {choice:"),
    ("plumage", {"colour": {"uniform": [0, 1]}}, "Write {choice: [brown, black]}"),
    ("plumage", {"grass_m": 1}, "It belongs at world.birds.place.meadow.grass_m"),
    ("plumage", object(), "is no plain value"),
    ("place", {"pond": {"pictures": "~nobody-of-that-name/photos"}}, "Write the whole path in place of ~"),
])
def test_other_fields_refused(field, said, message):
    assert message in refused(said, field)


def test_paths_start_at_the_recipe_s_folder(tmp_path, monkeypatch):
    file = tmp_path / "deep" / "ponds.yaml"
    file.parent.mkdir()
    file.write_text("world: {birds: {place: {pond: {pictures: ../photos}}}}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    first = recipes.parse(file, tables=TABLES)
    monkeypatch.chdir(file.parent)
    second = recipes.parse(Path("ponds.yaml"), tables=TABLES)
    assert Path(first.world.place.pictures).resolve() == (tmp_path / "photos").resolve()
    assert (first.digest, first.to_yaml()) == (second.digest, second.to_yaml())
    assert first == second
    assert "pictures: ../photos" in first.to_yaml()
    assert pickle.loads(pickle.dumps(first)) == first
    assert pickle.loads(pickle.dumps(first)).to_yaml() == first.to_yaml()
    (elsewhere / "copy.yaml").write_text(first.to_yaml())
    assert recipes.parse(elsewhere / "copy.yaml", tables=TABLES, folder=file.parent) == first


def test_a_path_typed_on_the_command_line_starts_at_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "ponds.yaml"
    file.write_text("world: {birds: {place: pond}}\n")
    monkeypatch.chdir(tmp_path)
    recipe = recipes.parse(file, overrides=["pictures=photos"], tables=TABLES)
    assert recipe.world.place.pictures == str(tmp_path / "photos")
    assert recipe.plain()["world"]["birds"]["place"]["pond"]["pictures"] == str(tmp_path / "photos")


def test_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    pond = bird({"pond": {"pictures": "~/photos"}}, "place").place
    assert pond.pictures == str(tmp_path / "photos")
    assert pond.pictures.said == "~/photos"


def write(tmp_path, text, name="recipe.yaml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    return path


def parsed(tmp_path, text):
    return recipes.parse(write(tmp_path, text), tables=TABLES)


def test_yaml_s_traps(tmp_path):
    recipe = parsed(tmp_path, """\
        name: no
        seed: 0x1F
        count: 1e6
        world: {birds: {motto: 12:30:45, share: .5, light: 1e+1, drift: -1_000}}
        """)
    assert (recipe.name, recipe.seed, recipe.count) == ("no", 31, 1_000_000)
    assert recipe.world.motto == "12:30:45"
    assert (recipe.world.share, recipe.world.light, recipe.world.drift) == (Fixed(0.5), Fixed(10.0), Fixed(-1000.0))


def test_anchors_are_read(tmp_path):
    world = parsed(tmp_path, """\
        world:
          birds:
            span_m: &some {uniform: [0.1, 1]}
            share: *some
        """).world
    assert world.share == world.span_m == Uniform(0.1, 1)


def test_a_name_comes_from_the_file(tmp_path):
    assert parsed(tmp_path, "world: birds").name == "recipe"


def test_a_byte_order_mark_and_crlf_are_read(tmp_path):
    assert parsed(tmp_path, b"\xef\xbb\xbfworld: birds\r\ncount: 3\r\n").count == 3


def test_python_has_the_same_nouns():
    made = recipes.Recipe("mine", world=Birds(count=3, span_m=Uniform(0.1, 1)), count=5, tables=TABLES)
    said = recipes.parse({"name": "mine", "count": 5, "world": {"birds": {"count": 3, "span_m": {"uniform": [0.1, 1]}}}},
                         tables=TABLES)
    assert made == said
    assert made.digest == said.digest
    assert made.world.count == Fixed(3)


def test_python_is_checked_too():
    with pytest.raises(RecipeError) as caught:
        recipes.Recipe("mine", world=Birds(count=99, span_m=Uniform(0, 1)), count=0, tables=TABLES)
    assert [p.path for p in caught.value.problems] == ["count", "world.birds.count", "world.birds.span_m"]
    with pytest.raises(RecipeError, match="is missing"):
        recipes.Recipe("mine", tables=TABLES)
    with pytest.raises(RecipeError, match="no table lists Meadow"):
        recipes.Recipe("mine", world=Meadow(), tables=TABLES)
    with pytest.raises(RecipeError, match="a dataclass of fields"):
        recipes.Recipe("mine", world=Birds(plumage="red"), tables=TABLES)


def test_the_digest_is_of_what_shapes_a_record():
    base = {"name": "a", "world": {"birds": {"count": 3}}}
    digest = recipes.parse(base, tables=TABLES).digest
    assert len(digest) == 32
    same = [base | {"count": 7}, base | {"seed": 7}, base | {"write": "ledger"}, base | {"world": {"birds": {"count": 3.0}}},
            base | {"sensors": {}}]
    other = [base | {"world": {"birds": {"count": 4}}}, base | {"sensors": {"renderer": {"path": {"samples": 5}}}},
             base | {"name": "b"}]
    assert {recipes.parse(r, tables=TABLES).digest for r in same} == {digest}
    assert digest not in {recipes.parse(r, tables=TABLES).digest for r in other}


def test_order_of_options_is_part_of_the_digest():
    """Options in another order give other draws."""
    a, b = ({"world": {"birds": {"plumage": {"colour": {"weighted": w}}}}} for w in
            ({"brown": 1, "white": 2}, {"white": 2, "brown": 1}))
    assert recipes.parse(a, tables=TABLES).digest != recipes.parse(b, tables=TABLES).digest


def test_hash_seed_does_not_reach_the_digest():
    code = ("from recipe_fakes import TABLES; from understudy import recipe\n"
            "print(recipe.parse({'world': 'birds'}, tables=TABLES).digest)")
    outs = {subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True,
                           check=True, env=os.environ | {"PYTHONHASHSEED": seed}).stdout for seed in ("1", "2")}
    assert outs == {recipes.parse({"world": "birds"}, tables=TABLES).digest + "\n"}
