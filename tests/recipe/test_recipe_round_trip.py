"""A recipe, its plain data, its YAML and its schema say the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import recipe_strategies
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recipe_fakes import CORPUS, GOLDEN, TABLES, Birds, Painter, Sketch

from understudy.errors import RecipeError
from understudy.recipe import LabelSettings, Recipe, Sensors, json_schema, parse, reference
from understudy.recipe.scalars import is_plain, plain_scalar
from understudy.sensors.camera import CameraSensor

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).filter(str.strip)
SCHEMA = jsonschema.Draft202012Validator(json_schema(TABLES))


@st.composite
def recipes(draw):
    world = draw(recipe_strategies.instances(Birds, TABLES).filter(lambda w: not (w.heavy and w.motto == "light")))
    camera = draw(recipe_strategies.instances(CameraSensor, TABLES))
    renderer = draw(recipe_strategies.instances(Painter, TABLES) | st.just(Sketch()))
    sensors = draw(st.none() | st.just(Sensors(camera, renderer)))
    keep = draw(st.lists(st.sampled_from(["boxes", "masks", "instances"]), unique=True).map(tuple))
    return Recipe(draw(NAMES), draw(st.integers(-5, 2**40)), draw(st.integers(1, 10**9)), world, sensors=sensors,
                  labels=LabelSettings(keep), tables=TABLES)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(recipe=recipes())
def test_plain_yaml_and_schema_agree(recipe, tmp_path_factory):
    plain = recipe.plain()
    again = parse(plain, tables=TABLES)
    assert again == recipe
    assert (again.digest, again.to_yaml()) == (recipe.digest, recipe.to_yaml())
    as_json = json.loads(json.dumps(plain))
    assert parse(as_json, tables=TABLES) == recipe
    SCHEMA.validate(as_json)
    path = tmp_path_factory.mktemp("r") / "r.yaml"
    path.write_text(recipe.to_yaml(), encoding="utf-8")
    assert parse(path, tables=TABLES, folder=Path.cwd()) == recipe
    assert yaml.safe_load(recipe.to_yaml()).keys() == plain.keys()  # other readers take it as YAML too


@given(text=st.text(max_size=12) | st.sampled_from(
    ["no", "1e9", "007", "~", "", "a: b", "a #b", "2020-01-01", "=", "<<", "-", "_1", "1_0", "0x1", ".5", "Off"]))
def test_what_is_written_without_quotes_is_text_to_every_reader(text):
    if is_plain(text):
        assert plain_scalar(text) == text
        assert yaml.safe_load(text) == text
        assert yaml.safe_load(f"{{{text}: [{text}]}}") == {text: [text]}


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)
    assert SCHEMA.schema["properties"]["world"]["anyOf"][0] == {"enum": ["birds"]}
    assert SCHEMA.schema["$defs"]["Birds"]["properties"]["span_m"]["default"] == {"normal": [0.4, 0.1, 0.1, 1]}


@pytest.mark.parametrize("fields", [
    {"count": "3"}, {"count": 99}, {"count": {"uniform": [1, 2]}}, {"count": {"integers": [1.5, 2]}},
    {"span_m": {"normal": [1, 0.1]}}, {"span_m": {"normal": [1, -1, 0.1, 1]}}, {"span_m": "175 kg"}, {"span_m": "tall"},
    {"span_m": {"uniform": [0, 1]}}, {"span_m": {"uniform": [1]}}, {"span_m": {"choice": []}}, {"span_m": None},
    {"age": {"weighted": {"0-12": "x"}}}, {"age": {"weighted": {"young": 1}}}, {"age": {"weighted": [[1, 2, 3]]}},
    {"plumage": {"colour": "red"}}, {"plumage": {"colour": {"weighted": {"red": 1}}}},
    {"plumage": {"colour": {"uniform": [0, 1]}}},
    {"plumage": {"color": "white"}}, {"heavy": "no"}, {"heavy": {"choice": [True]}}, {"size": [1, 2, 3]}, {"size": [1, 200]},
    {"songs": ["chrip"]}, {"songs": ["call", "call"]}, {"motto": 2020}, {"motto": ""}, {"place": None}, {"place": "sea"},
    {"place": {"pond": {}, "meadow": {}}}, {"place": {"pond": {"grass_m": 1}}}, {"perch": 3}, {"wings": 2},
    {"age": {"uniform": [0, 1], "choice": [1]}}, {"age": {}},
])
def test_schema_and_parser_refuse_the_same(fields):
    said = {"world": {"birds": fields}}
    assert not SCHEMA.is_valid(said)
    with pytest.raises(RecipeError):
        parse(said, tables=TABLES)


@pytest.mark.parametrize("fields", [
    {"count": 3.0}, {"span_m": "175 cm"}, {"span_m": {"uniform": ["20 cm", 1]}}, {"share": "25%"}, {"place": {"pond": None}},
    {"place": "pond"}, {"perch": None}, {"plumage": None}, {"age": {"weighted": {"0-12": 1, "13+": 2, "14": 1}}},
    {"age": {"weighted": [[{"choice": [1, {"uniform": [1, 2]}]}, 1]]}},
    {"span_m": {"normal": {"mean": 1, "std": 1, "low": 1, "high": 2}}},
])
def test_schema_and_parser_take_the_same(fields):
    said = {"world": {"birds": fields}}
    SCHEMA.validate(said)
    assert parse(said, tables=TABLES)


@pytest.mark.parametrize("path", [*CORPUS, *GOLDEN], ids=lambda p: p.stem)
def test_what_the_parser_takes_the_schema_takes(path):
    """Bad files: whatever a plain YAML reader makes of them, a recipe that the schema refuses is refused by the parser."""
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return
    if isinstance(said, dict) and path.stem != "billion_laughs" and not SCHEMA.is_valid(said):
        with pytest.raises(RecipeError):
            parse({str(k): v for k, v in said.items()}, tables=TABLES)


@settings(max_examples=200, deadline=None)
@given(birds=st.dictionaries(st.sampled_from(["count", "age", "drift", "plumage", "place"]), st.recursive(
    st.none() | st.integers(-3, 30) | st.sampled_from(["pond", "brown", "1 m", "2 years", "10 %"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["uniform", "choice", "weighted", "integers", "normal", "colour", "pond", "0-2", "3+", "4"]), inner,
        max_size=2), max_leaves=6)))
def test_the_schema_takes_whatever_the_parser_takes(birds):
    said = {"world": {"birds": birds}}
    try:
        parse(said, tables=TABLES)
    except RecipeError:
        return
    SCHEMA.validate(said)


def test_reference_names_every_place():
    page = reference(TABLES)
    for path in ("world.birds.count", "world.birds.plumage.tint", "world.birds.place.pond.depth_m", "sensors.camera.size",
                 "sensors.renderer.path.samples", "labels.keep", "write.ledger.exact"):
        assert f"| `{path}` |" in page
    assert "| distance between the wings' tips | varies: a number in [0.05, 3], m | `{normal: [0.4, 0.1, 0.1, 1]}` |" in page


def test_importing_recipes_is_light():
    code = "import sys, understudy.recipe; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"mitsuba", "drjit", "torch", "cv2", "scipy", "pyarrow", "anny", "PIL", "pycocotools"} & set(loaded)
