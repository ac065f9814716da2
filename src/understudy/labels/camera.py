"""Camera facts: everything needed to project the world into the picture again."""

from __future__ import annotations

from understudy.labels import Answers, answers
from understudy.scene import Scene
from understudy.signals import Signals


@answers()
def camera(scene: Scene, signals: Signals) -> Answers:
    """``matrix`` (K, 3x3 pixels), ``distortion`` (k1 k2 p1 p2 k3), ``to_world`` (4x4, metres), ``size_wh`` (pixels)."""
    lens = scene.camera.lens
    return Answers(camera={
        "matrix": lens.matrix.tolist(),
        "distortion": list(lens.distortion),
        "to_world": [[float(x) for x in row] for row in scene.camera.to_world],
        "size_wh": list(lens.size_wh),
    })
