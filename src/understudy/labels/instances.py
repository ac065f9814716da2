"""Instance map: the labelled entity seen at each pixel."""

from __future__ import annotations

import numpy as np

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import INSTANCE, Signals


@answers(INSTANCE)
def instances(scene: Scene, signals: Signals) -> Answers:
    """Map ``instances``: entity ids (32 bit), 0 where no labelled entity is seen."""
    seen = signals[INSTANCE]
    known = np.isin(seen, np.array([e.id for e in scene.labelled], np.uint32))
    return Answers(maps={"instances": np.where(known, seen, np.uint32(0))})
