"""Part map: the part (scene.PARTS) seen at each pixel."""

from __future__ import annotations

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import PART, Signals


@answers(PART)
def parts(scene: Scene, signals: Signals) -> Answers:
    """Map ``parts``: part ids, 0 where no labelled entity is seen."""
    return Answers(maps={"parts": signals[PART]})
