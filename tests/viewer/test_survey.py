"""Statistics of a data set: counted right, bounded, and wanted shares judged as statistics says."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.key import Key
from understudy.viewer.survey import (
    MOST_VALUES,
    Column,
    Survey,
    chi_squared_p,
    manifest_columns,
    manifest_rows,
    wanted_shares,
    wilson,
)


def test_a_survey_counts(ball_people):
    survey = Survey()
    for i in range(3):
        survey.add(ball_people(i, 2))
    assert (survey.records, survey.instances) == (3, 6)
    assert survey.per_picture == {2: 3} and survey.categories == {"person": 6} and survey.sizes == {(160, 120): 3}
    assert survey.points["nose"].total() == 6 and survey.attributes["age"].n == 6
    assert survey.places.sum() > 0 and survey.coco_sizes.total() == 6


def test_a_column_is_bounded_and_counts_all():
    column = Column()
    for n in range(MOST_VALUES + 10):
        column.add(n)
    for value in ("a", "b", None, True, float("nan")):
        column.add(value)
    assert len(column.numbers) == MOST_VALUES and column.n == MOST_VALUES + 14 and column.absent == 1
    assert column.texts == {"a": 1, "b": 1, "True": 1} and column.constant is None


def test_a_constant_is_known():
    column = Column()
    column.add(3)
    column.add(3.0)
    assert column.constant == 3.0


def test_members_of_one_axis_stand_together(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({"index": [0, 1], "file_name": ["a", "b"], "attempts": [1, 1], "world.age[0]": [1.0, 2.0],
                      "world.age[1]": [None, 3.0], "world.hat[0]": ["cap", None]})
    pq.write_table(table, tmp_path / "m.parquet")
    columns = manifest_columns(tmp_path / "m.parquet")
    assert list(columns) == ["world.age", "world.hat"]
    assert sorted(columns["world.age"].numbers) == [1, 2, 3] and columns["world.age"].absent == 1
    assert manifest_rows(tmp_path / "m.parquet", {1}) == {1: {"world.age[0]": 2.0, "world.age[1]": 3.0}}


def columns(**values):
    made = {}
    for path, list_ in values.items():
        made[path.replace("__", ".")] = column = Column()
        for value in list_:
            column.add(value)
    return made


def test_shares_of_names_ranges_and_truth_values():
    recipe = {"world": {"p": {"hat": {"weighted": {"cap": 3, "none": 1}},
                              "age": {"weighted": {"0-12": 1, "13-17": 1, "18+": 2}},
                              "on": {"choice": [True, False]}, "n": {"weighted": [[{"integers": [0, 4]}, 1], [9, 1]]}}}}
    found = {s.path: s for s in wanted_shares(recipe, columns(
        world__p__hat=["cap"] * 7 + ["none"] * 3, world__p__age=[5.0, 12.0, 13.5, 40, 80], world__p__on=[True, True, False],
        world__p__n=[0, 3, 4, 9]))}
    assert [(o.option, o.wanted, o.got) for o in found["world.p.hat"].options] == [("cap", 0.75, 7), ("none", 0.25, 3)]
    assert [(o.option, o.got) for o in found["world.p.age"].options] == [("0-12", 2), ("13-17", 1), ("18+", 2)]
    assert [(o.option, o.got) for o in found["world.p.on"].options] == [("true", 2), ("false", 1)]
    assert [(o.option, o.got) for o in found["world.p.n"].options] == [("0-4", 3), ("9", 1)]


def test_a_column_leaves_out_what_stands_in_a_slot():
    shares, = wanted_shares({"world": {"place": {"room": {"light": {"choice": ["lamp", "sun"]}}}}},
                            columns(world__place__light=["lamp", "sun"]))
    assert shares.path == "world.place.room.light" and shares.n == 2


def test_a_value_that_was_never_wanted_is_told():
    shares, = wanted_shares({"hat": {"choice": ["cap"]}}, columns(hat=["cap", "crown"]))
    assert shares.options[-1].option == "(others)" and shares.p == 0.0


def test_aliases_in_a_ring_end():
    ring: dict = {}
    ring["a"] = ring
    assert wanted_shares(ring, {}) == []


@pytest.mark.parametrize(("k", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)])
def test_wilsons_interval(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=2e-4)


def test_the_test_rejects_as_often_as_it_says():
    """400 data sets that follow the recipe, tested at 5 %: the number of false alarms is binomial (1e-6 each side)."""
    weights = {"a": 3, "b": 1, "c": 1}
    false = 0
    for n in range(400):
        draws = [list(weights)[Key(5).child(n, i).weighted(list(weights.values()))] for i in range(60)]
        shares, = wanted_shares({"x": {"weighted": weights}}, columns(x=draws))
        false += shares.p < 0.05
    assert 3 <= false <= 46


def test_it_sees_a_share_that_is_off():
    shares, = wanted_shares({"x": {"weighted": {"a": 1, "b": 1}}}, columns(x=["a"] * 140 + ["b"] * 60))
    assert shares.p < 1e-6
    few, = wanted_shares({"x": {"weighted": {"a": 1, "b": 1}}}, columns(x=["a"] * 4))
    assert few.p is None and chi_squared_p((), 0) is None


def test_places_mark_the_box(ball_people):
    survey = Survey()
    record = ball_people(0, 1)
    survey.add(record)
    rows, cols = np.nonzero(survey.places)
    x0, _, _, y1 = record.instances[0].xyxy_px
    assert cols.min() == int(x0 / 160 * 32) and rows.max() <= int(y1 / 120 * 24)
