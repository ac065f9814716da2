"""Part map: the part (scene.PARTS) seen at each pixel."""

from __future__ import annotations

import numpy as np

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import INSTANCE, PART, Signals


@answers(INSTANCE, PART)
def parts(scene: Scene, signals: Signals) -> Answers:
    """Map ``parts``: part ids, 0 where no labelled entity is seen."""
    labelled = np.isin(signals[INSTANCE], np.array([e.id for e in scene.labelled], np.uint32))
    return Answers(maps={"parts": np.where(labelled, signals[PART], np.uint8(0))})
