"""The part map says nothing of things that carry no label."""

from __future__ import annotations

import numpy as np

from understudy.labels.parts import parts
from understudy.scene import Camera, Entity, Lens, Scene
from understudy.signals import INSTANCE, PART, Signals


def test_an_unlabelled_thing_has_no_part():
    camera = Camera(Lens((3, 1), (10.0, 10.0), (1.5, 0.5)), np.eye(4))
    scene = Scene(("ball",), camera, (Entity(1, "ball", ()), Entity(2, None, ())))
    signals = Signals({INSTANCE: np.array([[1, 2, 0]], np.uint32), PART: np.array([[15, 15, 0]], np.uint8)})
    assert parts(scene, signals).maps["parts"].tolist() == [[15, 0, 0]]
