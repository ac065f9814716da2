"""Normal map."""

from __future__ import annotations

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import NORMAL, Signals


@answers(NORMAL)
def normals(scene: Scene, signals: Signals) -> Answers:
    """Map ``normals``: unit normals in the camera's frame, 0 where nothing is seen."""
    return Answers(maps={"normals": signals[NORMAL]})
