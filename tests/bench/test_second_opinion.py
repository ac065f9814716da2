"""The second opinion's own arithmetic; the models themselves run in an environment of their own, never here."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def opinion():
    path = Path(__file__).parents[2] / "bench" / "second_opinion.py"
    spec = importlib.util.spec_from_file_location("second_opinion", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["second_opinion"] = module
    spec.loader.exec_module(module)
    return module


def test_wilson_s_interval_against_published_values(opinion):
    assert opinion.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-3)  # Agresti and Coull 1998
    assert opinion.wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-3)
    assert opinion.wilson(0, 0) == (0.0, 1.0)


def test_overlap_of_boxes(opinion):
    assert opinion.overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert opinion.overlap((0, 0, 1, 1), (5, 5, 6, 6)) == 0


def test_maps_name_each_point_once_and_mirror(opinion):
    assert len(opinion.IBUG) == 68 and len(opinion.COCO) == 17
    assert len(set(opinion.IBUG)) == 68 and max(opinion.IBUG) < 468


def person(opinion, shift=0.0, found=True):
    marks = np.random.default_rng(0).uniform(0, 100, (68, 2))
    coco = np.random.default_rng(1).uniform(0, 100, (17, 2))
    aside = np.array([shift, 0.0])
    theirs = (marks + aside, coco + aside) if found else (None, None)
    group = {"skin tone": "1-3", "age": "31-60", "gender": "man", "hair": "bald"}
    return opinion.Person(0, group, [0, 0, 9, 9], [0, 0, 9, 9], marks, coco, np.ones(17, bool), found, *theirs)


def test_errors_are_scaled_by_the_face_and_the_body(opinion):
    one = person(opinion, 5.0)
    assert one.face_error == pytest.approx(5 / np.linalg.norm(one.marks[36] - one.marks[45]))
    assert one.body_error == pytest.approx(5 / opinion.trunk_px(one.coco))
    assert person(opinion, found=False).face_error is None


def test_a_convention_that_is_shifted_is_named(opinion):
    one = person(opinion, 0.0)
    scale = np.linalg.norm(one.marks[45] - one.marks[36])
    axis = (one.marks[45] - one.marks[36]) / scale
    moved = opinion.Person(**{**vars(one), "face_marks": one.marks + 0.1 * scale * axis})
    for x, y, left in opinion.shifts([moved, moved]).values():
        assert (x, y, left) == pytest.approx((0.1, 0.0, 0.0), abs=1e-9)


def test_groups_are_counted_apart(opinion):
    rows = opinion.report([person(opinion), person(opinion, found=False)])
    assert rows["all"]["face_detected"]["hits"] == 1 and rows["all"]["face_detected"]["of"] == 2
    assert rows["skin tone 1-3"]["faces"] == 2 and "age 31-60" in rows
