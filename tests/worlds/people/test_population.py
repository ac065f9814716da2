"""The population: what is ordered is reached on the mesh."""

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.key import Key
from understudy.values import Fixed, Uniform
from understudy.worlds.people import population
from understudy.worlds.people.body import BodyShape, mass_kg
from understudy.worlds.people.population import (
    BMI_ERROR,
    GENDERS,
    STATURE_ERROR_M,
    Body,
    phenotype_age,
    sample,
    solve,
    usual_bmi,
    usual_stature,
)


def people(count, seed=3, **fields):
    out = []
    for i in range(count):
        draws = Draws(Key(seed) / i)
        out.append((sample(draws, Body(**fields)), draws.drawn))
    return out


@pytest.mark.parametrize(("age", "gender", "height", "bmi"), [
    (5, "woman", 1.08, 15.5), (12, "man", 1.50, 21.0), (30, "woman", 1.50, 18.0), (30, "woman", 1.80, 33.0),
    (30, "man", 1.95, 22.0), (45, "man", 1.62, 38.0), (80, "woman", 1.52, 29.0), (80, "man", 1.75, 21.0),
    (60, "man", 1.78, 17.5),
])
def test_stature_and_index_ordered_are_reached(age, gender, height, bmi):
    person, drawn = people(1, age=Fixed(age), gender=Fixed(gender), height_cm=Fixed(height * 100), bmi=Fixed(bmi))[0]
    assert abs(person.rest.stature_m - height) <= STATURE_ERROR_M
    assert abs(person.rest.bmi - bmi) <= BMI_ERROR
    assert drawn["height_m"] == pytest.approx(person.rest.stature_m, abs=1e-4)
    assert drawn["bmi_reached"] == pytest.approx(person.rest.bmi, abs=0.01)


def test_a_random_population_has_the_statures_drawn_for_it():
    for person, drawn in people(25):
        wanted = usual_stature(drawn["age"], drawn["presentation"], drawn["height_z"])
        assert abs(person.rest.stature_m - wanted) <= STATURE_ERROR_M + 1e-3
        assert 9 < person.rest.bmi < 50
        low, high = GENDERS[drawn["gender"]]
        assert low <= person.gender <= high
        assert sum(person.ancestry.values()) == pytest.approx(1)


def test_children_are_smaller_and_lighter_and_the_old_a_little_shorter():
    means = [np.mean([usual_stature(age, g, 0) for g in (0, 1)]) for age in (0, 2, 6, 12, 18)]
    assert means == sorted(means)
    assert usual_stature(80, 0, 0) < usual_stature(30, 0, 0)
    assert usual_bmi(50, 0, 0) > usual_bmi(18, 0, 0) > usual_bmi(6, 0, 0)


def test_age_maps_onto_annys_in_order():
    years = np.linspace(0, 95, 200)
    mapped = [phenotype_age(y) for y in years]
    assert (np.diff(mapped) > 0).all() and mapped[0] == pytest.approx(-1 / 3) and mapped[-1] < 1


def test_what_no_body_has_is_refused_with_the_reason():
    with pytest.raises(Unsatisfiable, match="stature"):
        solve(BodyShape(age=phenotype_age(3)), 1.9, 15)
    with pytest.raises(Unsatisfiable, match="body-mass index"):
        solve(BodyShape(gender=1.0), 1.65, 50)


def test_a_drawn_index_out_of_reach_is_the_nearest_instead():
    assert solve(BodyShape(gender=1.0), 1.65, 50, exact_bmi=False).bmi > 33


def test_the_sketch_that_bodies_are_weighed_by_is_closed_and_as_much_lighter_for_all():
    sketch, shares = population._sketch(), []
    for person, _ in people(12):
        skin = person.rest.vertices[sketch.rows].astype(np.float64)
        mass = mass_kg(skin, sketch.corners)
        assert mass_kg(skin + np.array((3.0, -2.0, 5.0)), sketch.corners) == pytest.approx(mass, rel=1e-6)
        shares.append(mass / person.rest.mass_kg)
    assert 0.84 < min(shares) and max(shares) < 0.89


def test_the_same_draws_give_the_same_body():
    (a, _), (b, _) = people(1, seed=9)[0], people(1, seed=9)[0]
    assert a.rest.vertices.tobytes() == b.rest.vertices.tobytes() and a.rest.shape == b.rest.shape


def test_variety_changes_faces_and_none_of_it_gives_makehumans_average():
    (plain, _), = people(1, variety=Fixed(0))
    (varied, _), = people(1, variety=Fixed(1))
    assert all(v == 0 for v in plain.rest.shape.details.values())
    spread = np.array(list(varied.rest.shape.details.values()))
    assert np.abs(spread).max() <= 0.9 and np.abs(spread).mean() > 0.1


@pytest.mark.slow
def test_orders_are_reached_over_the_whole_range():
    for person, drawn in people(150, seed=5, age=Uniform(4, 90), height_cm=Fixed(0), bmi=Uniform(17, 30)):
        if drawn["age"] >= 14:
            assert abs(person.rest.bmi - drawn["bmi"]) <= BMI_ERROR
