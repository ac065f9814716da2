"""The recipes that come with the package, the pages about them, and the real tables."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest
import recipe_strategies
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.draws import Draws
from understudy.errors import RecipeError, Unsatisfiable
from understudy.fields import Param
from understudy.key import Key
from understudy.recipe import TABLES, Recipe, json_schema, parse, reference, shipped
from understudy.recipe.marks import Reading
from understudy.recipe.parts import root
from understudy.recipe.places import places
from understudy.recipe.tree import from_python
from understudy.worlds.solids import Solids

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def schema():
    return jsonschema.Draft202012Validator(json_schema())


def test_what_is_shipped():
    assert list(shipped()) == ["crowd", "driver", "fitness", "group", "indoor", "people-in-open-air",
                               "people-in-photographs", "people-in-rooms", "portraits", "solids", "street"]


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipe(name, schema):
    text = shipped()[name].read_text(encoding="utf-8")
    assert re.match(r"# [A-Z][^\n]{30,}\.\nname: ", text), "a sentence on what it makes, then its name"
    assert 10 <= len(text.splitlines()) <= 32
    recipe = parse(name)
    assert recipe.name == name
    assert recipe == parse(shipped()[name])
    plain = recipe.plain()
    assert parse(plain) == recipe
    schema.validate(json.loads(json.dumps(plain)))
    schema.validate(json.loads(json.dumps(yaml.safe_load(text))))  # as an editor sees it


def test_digests_differ():
    assert len({parse(name).digest for name in shipped()}) == len(shipped())


def test_a_bad_recipe_fails_the_real_schema(schema):
    for said in ({"world": {"solids": {"count": 1.5}}}, {"world": {"solids": {"paint": {"hue": "red"}}}}, {"world": "solid"},
                 {"world": {"solids": {"colour": 3}}}, {"seed": 3}, {"world": "solids", "write": "cocoa"}):
        assert not schema.is_valid(said)
        with pytest.raises(RecipeError):
            parse(said)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(world=recipe_strategies.instances(Solids, TABLES), seed=st.integers())
def test_any_solids_round_trip(world, seed):
    recipe = Recipe("any", world=world, seed=seed % 2**60)
    assert parse(recipe.plain()) == recipe


def test_reference_page_is_up_to_date():
    """After a change of fields: ``understudy recipe reference -o docs/reference.md``."""
    assert (DOCS / "reference.md").read_text(encoding="utf-8") == reference()


def test_the_guide_s_examples_work(tmp_path, monkeypatch):
    guide = (DOCS / "recipes.md").read_text(encoding="utf-8")
    (tmp_path / "lunch-break.yaml").write_text(re.search(r"```yaml\n(.*?)```", guide, re.S)[1])
    recipe = parse(tmp_path / "lunch-break.yaml")
    assert (recipe.count, recipe.write_name) == (500, "yolo")
    command = re.search(r"understudy preview lunch-break.yaml (.*)", guide)[1]
    overrides = re.findall(r'--set (?:"([^"]+)"|(\S+))', command)
    assert parse(tmp_path / "lunch-break.yaml", overrides=[a or b for a, b in overrides])
    for cell in re.findall(r"^\| `(\{.*?\})` \|", guide, re.M):
        field = "framing.shot" if "soft" in cell else "body.age" if "choice" not in cell else "framing.shot"
        said = cell.replace("soft", "half").replace("hard", "full").replace("log_uniform: [1, 100]", "log_uniform: [1, 90]")
        assert parse({"world": "people"}, overrides=[f"{field}={said}"])
    for code in re.findall(r"```python\n(.*?)```", guide, re.S):
        exec(code, {})
    text = (tmp_path / "lunch-break.yaml").read_text()
    text = text.replace("{weighted: {1: 5, 2: 3, 3: 1}}", "{uniform: [1, 3]}").replace("[half, full]", "[half, ful]")
    (tmp_path / "lunch-break.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecipeError) as caught:
        parse("lunch-break.yaml")
    assert f"```\n{caught.value}\n```" in guide


@pytest.mark.parametrize("name", [
    "solids", *(pytest.param(f"people-in-{place}", marks=pytest.mark.slow) for place in ("photographs", "rooms", "open-air"))
])
def test_a_column_of_the_manifest_names_its_place(name):
    """Every declared parameter is drawn, and the column of its draws is a name for ``--set``."""
    recipe = parse(name)
    tree = from_python(recipe.plain(), Reading(Path.cwd()))
    params = [p for p in places(tree, root(TABLES), TABLES) if isinstance(p.field, Param)]
    columns: set[str] = set()
    for attempt in range(12):
        draws = Draws(Key(recipe.seed).child("record", 0, attempt))
        with suppress(Unsatisfiable):
            camera = recipe.sensors.camera.sample(draws.at("sensors", "camera"))
            recipe.world.sample(draws.at("world", recipe.world_name), camera)
        columns |= {re.sub(r"\[\d+\]", "", column) for column in draws.drawn}
    named = {column: [p for p in params if p.answers(tuple(column.split(".")))] for column in columns}
    assert not [column for column, found in named.items() if len(found) > 1]
    drawn = {p.path for found in named.values() for p in found}
    assert drawn >= {p.path for p in params if not re.search(r"\.(occluders|distractors?)\.", p.path)}
