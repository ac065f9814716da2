"""Checks on labels: pure, blind to colour, within the fields that a record has, at ease with empty scenes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from understudy.checks.conformance.check import Check, digest, no_global_randomness, wanted
from understudy.checks.conformance.specimens import mirrored, scenes, signals_of
from understudy.record import Instance
from understudy.signals import CHANNELS, INSTANCE, RGB

_FIELDS = {f.name for f in dataclasses.fields(Instance)} - {"id", "category_id", "ignore"}


def label_checks(name: str, label: Any) -> list[Check]:
    """The checks on a label function."""
    kit = _Kit(label)
    return [Check(name, check.__name__.replace("_", " "), check) for check in (
        kit.needs_known_channels_and_no_colour, kit.reads_only_what_it_needs, kit.same_twice, kit.has_no_randomness,
        kit.answers_fit_a_record, kit.nothing_seen_is_no_answer, kit.a_mirror_moves_nothing_else)]


class _Kit:
    def __init__(self, label: Any) -> None:
        self.label = label

    def answer(self, scene: Any, more: tuple = ()) -> Any:
        needs = tuple(dict.fromkeys((*self.label.needs, *more)))
        try:
            return self.label(scene, signals_of(scene, needs))
        except KeyError as error:
            raise AssertionError(f"reads channel {error}, which it does not declare") from error

    def needs_known_channels_and_no_colour(self) -> None:
        wanted(isinstance(self.label.needs, tuple), "a label declares its channels with @answers(...)")
        unknown = [s.name for s in self.label.needs if CHANNELS.get(s.name) != s]
        wanted(not unknown, f"needs unknown channels {unknown}")
        wanted(RGB not in self.label.needs, "a label never looks at colours")
        wanted(self.label.__doc__, "a label says in its docstring what it answers")

    def reads_only_what_it_needs(self) -> None:
        for scene in scenes().values():
            self.answer(scene)

    def same_twice(self) -> None:
        scene = scenes()["two and a bystander"]
        before = digest(scene)
        one, two, more = self.answer(scene), self.answer(scene), self.answer(scene, (INSTANCE, *CHANNELS.values()))
        wanted(digest(one) == digest(two) == digest(more), "the same scene gives other answers the second time")
        wanted(digest(scene) == before, "the label changed the scene")

    def has_no_randomness(self) -> None:
        with no_global_randomness():
            self.answer(scenes()["two and a bystander"])

    def answers_fit_a_record(self) -> None:
        for name, scene in scenes().items():
            answer = self.answer(scene)
            labelled = {e.id for e in scene.labelled}
            foreign = set(answer.instances) - labelled
            wanted(not foreign, f"{name}: answers about {foreign}, which carry no label")
            for fields in answer.instances.values():
                wanted(set(fields) <= _FIELDS, f"{name}: a record's instance has no field {sorted(set(fields) - _FIELDS)}")
            w, h = scene.camera.lens.size_wh
            for title, array in answer.maps.items():
                wanted(isinstance(array, np.ndarray) and array.shape[:2] == (h, w), f"{name}: map {title} is not {h}x{w}")
            digest(answer)

    def nothing_seen_is_no_answer(self) -> None:
        wanted(not self.answer(scenes()["empty"]).instances, "an empty scene gives instances")

    def a_mirror_moves_nothing_else(self) -> None:
        """Shares and areas are the same in a mirror, boxes are mirrored, within a pixel of edge."""
        scene = scenes()["two and a bystander"]
        w = scene.camera.lens.size_wh[0]
        one, two = self.answer(scene).instances, self.answer(mirrored(scene)).instances
        wanted(set(one) == set(two), "other instances in the mirror")
        for number, fields in one.items():
            for name, value in fields.items():
                other = two[number][name]
                if name in ("xyxy_px", "amodal_xyxy_px"):
                    x0, y0, x1, y1 = other
                    wanted(np.abs(np.subtract(value, (w - x1, y0, w - x0, y1))).max() <= 1, f"{name} is not mirrored")
                elif name in ("visible_fraction", "truncation"):
                    wanted(abs(value - other) < 0.02, f"{name} is {value} and {other} in the mirror")
                elif name == "area_px":
                    wanted(abs(value - other) <= 0.02 * value + 2, f"area is {value} and {other} in the mirror")
