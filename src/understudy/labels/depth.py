"""Depth map."""

from __future__ import annotations

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import DEPTH, Signals


@answers(DEPTH)
def depth(scene: Scene, signals: Signals) -> Answers:
    """Map ``depth``: z in the camera's frame in metres, inf where nothing is seen."""
    return Answers(maps={"depth": signals[DEPTH]})
