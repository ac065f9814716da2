"""Modal masks: the pixels whose centre sees the entity."""

from __future__ import annotations

from understudy.labels import Answers, answers
from understudy.record import Rle
from understudy.scene import Scene
from understudy.signals import INSTANCE, Signals


@answers(INSTANCE)
def masks(scene: Scene, signals: Signals) -> Answers:
    """``mask`` and ``area_px`` (the mask's pixel count) of each entity."""
    found = {}
    for entity in scene.labelled:
        mask = signals[INSTANCE] == entity.id
        found[entity.id] = {"mask": Rle.encode(mask), "area_px": float(mask.sum())}
    return Answers(found)
