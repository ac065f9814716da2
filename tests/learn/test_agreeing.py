"""Classes that differ are mapped with a message or refused; budgets and mixes are read or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.errors import UsageError
from understudy.learn.budget import Budget, parse_budget
from understudy.learn.classes import agree, chosen
from understudy.learn.prepare import parse_mix, strength_for


def test_names_agree_but_for_case_and_spaces():
    found = agree(("Traffic light", "person"), ("person", "dog", "traffic_light"), "set")
    assert found.number == (2, 0, 1) and set(found.shared) == {"Traffic light", "person"}
    assert len(found.messages) == 1 and "'dog'" in found.messages[0]


def test_the_only_class_of_each_is_the_same_thing_and_that_is_said():
    found = agree(("person",), ("foreground",), "set")
    assert found.number == (1,) and "'foreground' is taken for 'person'" in found.messages[0]


def test_renaming():
    assert agree(("person", "car"), ("human", "auto"), "set", {"human": "person", "auto": "car"}).number == (1, 2)
    with pytest.raises(UsageError, match="--rename names a class"):
        agree(("person",), ("human",), "set", {"human": "persona"})


def test_nothing_shared_is_refused_and_a_missing_class_is_said():
    with pytest.raises(UsageError, match="no class is shared"):
        agree(("person", "dog"), ("cat", "bird"), "set")
    assert "has no 'dog'" in agree(("person", "dog"), ("person",), "set").messages[0]


def test_choosing():
    assert chosen(("a", "b", "c"), ("C", "a"), "set") == ("c", "a")
    with pytest.raises(UsageError, match="does not have"):
        chosen(("a",), ("b",), "set")


def test_budgets():
    assert parse_budget("40000img") == parse_budget("40kimg") == Budget(images=40_000)
    assert parse_budget("300s") == parse_budget("300cpus") == Budget(cpu_s=300)
    for text in ("", "300", "5min", "0img", "-3s", "1e9999img", "nans", "99999999999img"):
        with pytest.raises(UsageError, match="not understood"):
            parse_budget(text)


def test_a_budget_is_used_up():
    spent = Budget(images=100).started()
    spent.images = 40
    assert spent.share == 0.4
    spent.images = 120
    assert spent.share == 1


def test_mixes():
    assert parse_mix("real/tr=ain=0.15") == (Path("real/tr=ain"), 0.15, None)
    for text in ("real", "real=", "=0.1", "real=1", "real=0", "real=x"):
        with pytest.raises(UsageError, match="--mix is not understood"):
            parse_mix(text)


def test_left_and_right_must_be_exchangeable_to_mirror():
    assert strength_for("box", ("person",), (), ())[0].flip
    light = strength_for("box", ("turn left",), (), (), "light")[0]
    assert light.scale == (0.7, 1.15) and light.noise < strength_for("box", ("x",), (), ())[0].noise and not light.flip
    with pytest.raises(UsageError, match="no such augmentation"):
        strength_for("box", ("person",), (), (), "magic")
    assert not strength_for("box", ("turn left", "stop"), (), ())[0].flip
    points = ("nose", "left_eye", "right_eye")
    assert strength_for("keypoint", ("face",), points, (0, 2, 1))[0].flip
    strength, told = strength_for("keypoint", ("car",), ("a", "b"), (0, 1))
    assert not strength.flip and "no left and right" in told[0]
