"""Labels answer questions about the truth. One file and one line here adds one.

A label is a function ``(scene, signals) -> Answers`` with a ``needs`` attribute (set by :func:`answers`): the channels it
reads. It has no randomness and never looks at colours. Answers about an entity are fields of
:class:`~understudy.record.Instance`; answers about the picture are maps or camera facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from understudy.scene import Scene
from understudy.signals import Signals, Spec


@dataclass(frozen=True)
class Answers:
    """What one label says. instances : entity id -> {field of record.Instance: value}."""

    instances: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    camera: Mapping[str, Any] = field(default_factory=dict)


Label = Callable[[Scene, Signals], Answers]


def answers(*needs: Spec) -> Callable[[Label], Label]:
    """Declare the channels that a label reads."""

    def declare(label: Label) -> Label:
        label.needs = needs
        return label

    return declare


LABELS: dict[str, str] = {
    "boxes": "understudy.labels.boxes:boxes",
    "masks": "understudy.labels.masks:masks",
    "amodal": "understudy.labels.amodal:amodal",
    "semantic": "understudy.labels.semantic:semantic",
    "parts": "understudy.labels.parts:parts",
    "keypoints": "understudy.labels.keypoints:keypoints",
    "densepose": "understudy.labels.densepose:densepose",
    "depth": "understudy.labels.depth:depth",
    "normals": "understudy.labels.normals:normals",
    "instances": "understudy.labels.instances:instances",
    "camera": "understudy.labels.camera:camera",
    "attributes": "understudy.labels.attributes:attributes",
}
