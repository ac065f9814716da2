"""Tight boxes around what is seen of each entity."""

from __future__ import annotations

from understudy.geometry.boxes import box_of_mask
from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import INSTANCE, Signals


@answers(INSTANCE)
def boxes(scene: Scene, signals: Signals) -> Answers:
    """``xyxy_px`` of each entity's modal mask; an entity of which nothing is seen has no box."""
    seen = {e.id: box_of_mask(signals[INSTANCE] == e.id) for e in scene.labelled}
    return Answers({i: {"xyxy_px": tuple(map(float, box))} for i, box in seen.items() if box})
