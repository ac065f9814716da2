"""Semantic map: the category seen at each pixel."""

from __future__ import annotations

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import CATEGORY, Signals


@answers(CATEGORY)
def semantic(scene: Scene, signals: Signals) -> Answers:
    """Map ``semantic``: category ids, 0 where no labelled entity is seen."""
    return Answers(maps={"semantic": signals[CATEGORY]})
