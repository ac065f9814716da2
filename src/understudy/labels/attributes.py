"""Attributes: the plain facts that a world knows about each entity (age, garments, distance ...)."""

from __future__ import annotations

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import Signals


@answers()
def attributes(scene: Scene, signals: Signals) -> Answers:
    """``attributes`` of each entity, as the world states them."""
    return Answers({e.id: {"attributes": dict(e.attributes)} for e in scene.labelled})
