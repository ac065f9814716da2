"""The order of a mix: got within sampling error, whatever draws were refused on the way; impossible orders are refused.

Chi-squared tests have a stated false-alarm rate of one in a thousand each; their keys are fixed: they pass or fail for good.
"""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import chi2

from understudy.draws import Draws
from understudy.errors import RecipeError, Unsatisfiable, UsageError
from understudy.key import Key
from understudy.recipe import parse
from understudy.values import Uniform, Weighted
from understudy.worlds.people import population
from understudy.worlds.people.body import BODY_VERTICES, BodyShape, detailed_template, stature_m
from understudy.worlds.people.feasible import reached
from understudy.worlds.people.population import Body

FALSE_ALARMS = 0.001


def weighted(**shares):
    return Weighted(tuple((k, k, float(w)) for k, w in shares.items()))


def chi_squared(got, wanted, n):
    """Whether counts are what shares say (cells that expect fewer than 5 are taken together)."""
    rows = [(got[cell], share * n) for cell, share in wanted.items()]
    rest = [(g, w) for g, w in rows if w < 5]
    rows = [(g, w) for g, w in rows if w >= 5] + ([tuple(map(sum, zip(*rest)))] if rest else [])
    return sum((g - w) ** 2 / w for g, w in rows) < chi2.isf(FALSE_ALARMS, len(rows) - 1)


AGES = {"0-12": (Uniform(0, 12), 1), "13-60": (Uniform(13, 60), 3), "61-90": (Uniform(61, 90), 1)}


def drawn_mix(count, accept, ordered=True):
    """Counts over age x gender x build of ``count`` records, each drawn again until it is accepted."""
    age = Weighted(tuple((k, v, float(w)) for k, (v, w) in AGES.items()))
    gender, build = weighted(woman=2, man=1), Weighted((("slim", Uniform(-2, -0.5), 1.0), ("heavy", Uniform(0.5, 2), 1.0)))
    got = Counter()
    for index in range(count):
        for attempt in range(20):
            first, key = (Key(5).child("record", index, a) for a in (0, attempt))
            draws = Draws(key, lasting=first)
            take = draws.ordered if ordered else draws
            one = take("age", age), take("gender", gender), take("bmi_z", build)
            if accept(*one, draws.key("luck").uniform()):
                band = next(k for k, (v, _) in AGES.items() if v.low <= one[0] <= v.high)
                got[band, one[1], "slim" if one[2] < 0 else "heavy"] += 1
                break
    shares = {(a, g, b): AGES[a][1] / 5 * (2 if g == "woman" else 1) / 3 / 2
              for a, g, b in product(AGES, ("woman", "man"), ("slim", "heavy"))}
    return got, shares


def test_refused_draws_do_not_shift_an_ordered_mix():
    def hard(age, gender, build, luck):  # children and heavy people are often refused
        return luck > (0.4 if age < 13 else 0) + (0.25 if build > 0 else 0)

    got, wanted = drawn_mix(3000, hard)
    assert got.total() == 3000 and chi_squared(got, wanted, 3000)
    got, wanted = drawn_mix(3000, hard, ordered=False)
    assert not chi_squared(got, wanted, got.total()), "the test sees the shift that plain draws would have"


def test_within_an_option_a_refused_draw_is_drawn_again():
    obese = Weighted((("30-40", Uniform(30, 40), 1.0),))
    values = {Draws(Key(1) / a, lasting=Key(1)).ordered("bmi", obese) for a in range(5)}
    assert len(values) == 5


def test_bodies_of_an_ordered_mix():
    """Whole bodies, solved for stature and index: 240 of them in their shares, each what was ordered."""
    who = replace(Body(), age=Weighted((("20-60", Uniform(20, 60), 3.0), ("61-90", Uniform(61, 90), 1.0))),
                  gender=weighted(woman=1, man=1),
                  bmi=Weighted((("17-22", Uniform(17, 22), 1.0), ("22-30", Uniform(22, 30), 2.0),
                                ("30-42", Uniform(30, 42), 1.0))))
    got, n = Counter(), 240
    for index in range(n):
        for attempt in range(20):
            draws = Draws(Key(6).child("record", index, attempt), lasting=Key(6).child("record", index, 0))
            try:
                person = population.sample(draws, who)
                break
            except Unsatisfiable:
                continue
        assert abs(person.rest.bmi - draws.drawn["bmi"]) < 0.3
        bmi = draws.drawn["bmi"]
        got[person.age > 60.5, person.presentation, "low" if bmi < 22 else "mid" if bmi < 30 else "high"] += 1
    wanted = {(old, g, b): (0.25 if old else 0.75) / 2 * {"low": 0.25, "mid": 0.5, "high": 0.25}[b]
              for old, g, b in product((False, True), ("woman", "man"), ("low", "mid", "high"))}
    assert chi_squared(got, wanted, n)


def test_stature_and_index_follow_age_and_gender_as_the_tables_say():
    """Means of 300 adults against NCD-RisC's, within three standard errors."""
    statures = {"woman": [], "man": []}
    for index in range(300):
        draws = Draws(Key(8) / index)
        gender = draws("gender", weighted(woman=1, man=1))
        statures[gender].append(population.usual_stature(30, float(gender == "woman"), draws("z", Body().height_z)))
    for gender, mean in (("woman", 1.635), ("man", 1.765)):
        values = np.array(statures[gender])
        assert abs(values.mean() - mean) < 3 * values.std() / np.sqrt(len(values))


def recipe(body):
    return parse({"name": "mix", "world": {"people": {"body": body}}})


@pytest.mark.parametrize(("body", "told"), [
    ({"age": {"weighted": {"0-12": -1, "13-60": 3}}}, "-1"),
    ({"age": {"weighted": {"0-12": 0, "13-60": 0}}}, "weight"),
    ({"age": {"weighted": {"0-12": 1, "100-120": 3}}}, "0, 95"),
    ({"gender": {"weighted": {"woman": 1, "women": 1}}}, "women"),
    ({"age": {"uniform": [1, 3]}, "bmi": {"weighted": {"30-40": 1, "15-20": 1}}},
     "nobody aged 1-3 has a body-mass index of 30-40"),
    ({"age": {"weighted": {"0-2": 1, "20+": 1}}, "height_cm": 170}, "nobody aged 0-2 has a stature of 170 cm"),
])
def test_wrong_or_impossible_shares_are_one_message(body, told):
    with pytest.raises(RecipeError) as error:
        recipe(body)
    assert len(error.value.problems) == 1 and told in str(error.value)


def test_the_same_in_python_and_with_the_remedy():
    with pytest.raises(UsageError, match="bmi_z"):
        Body(age=Uniform(1, 3), bmi=35)


@pytest.mark.parametrize("body", [
    {"bmi": {"weighted": {"18-25": 1, "25-40": 1}}, "age": {"uniform": [18, 90]}},
    {"age": {"weighted": {"0-12": 1, "13-60": 3, "61+": 1}}},
    {"height_cm": {"uniform": [150, 190]}, "age": 40},
])
def test_possible_orders_are_taken(body):
    recipe(body)


@pytest.mark.parametrize("age", [0.5, 2, 8, 16, 40, 90])
@pytest.mark.parametrize("gender", [0.05, 0.95])
def test_the_table_of_what_is_reached_is_the_model_s(age, gender):
    (short, tall), (lean, heavy) = reached((age, age))
    grown = float(np.clip((age - 9) / 7, 0, 1))
    shape = BodyShape(gender=0.5 + (gender - 0.5) * (0.25 + 0.75 * grown), age=population.phenotype_age(age))
    template = detailed_template({})[:BODY_VERTICES]
    least, most = (stature_m(replace(shape, height=h), template) * 100 for h in (0, 1))
    assert least < short + 15 and tall <= most + 1 and short < tall
    for bmi in (lean + 0.5, heavy - 0.5):
        body = population.solve(shape, population.usual_stature(age, gender, 0), bmi)
        assert abs(body.bmi - bmi) <= population.BMI_ERROR
