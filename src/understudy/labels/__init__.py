"""Labels answer questions about the truth. One file and one line here adds one.

A label is a function ``(scene, signals) -> Answers`` with a ``needs`` attribute (set by :func:`answers`): the channels it
reads. It has no randomness and never looks at colours. Answers about an entity are fields of
:class:`~understudy.record.Instance`; answers about the picture are maps or camera facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from understudy.fields import resolve
from understudy.record import Instance
from understudy.scene import Scene
from understudy.signals import CHANNELS, INSTANCE, Signals, Spec


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


def channels(names: Iterable[str], table: Mapping[str, str | Label] = LABELS) -> tuple[Spec, ...]:
    """The channels that these labels of ``table`` read, each once, in a fixed order."""
    wanted = {spec.name for name in ("boxes", *names) for spec in _label(table, name).needs}
    return tuple(spec for spec in CHANNELS.values() if spec.name in wanted)


def assemble(
    names: Iterable[str], scene: Scene, signals: Signals, minimum_visible_px: int = 1,
    table: Mapping[str, str | Label] = LABELS,
) -> tuple[tuple[Instance, ...], dict[str, np.ndarray], dict[str, Any]]:
    """Ask every named label of ``table``; all answers put together: (instances in order of id, maps, camera facts).

    An entity of which nothing is seen is no instance; one with fewer than ``minimum_visible_px`` pixels is kept and
    marked ``ignore``, so that id map and instances always agree.
    """
    fields: dict[int, dict[str, Any]] = {e.id: {} for e in scene.labelled}
    maps: dict[str, np.ndarray] = {}
    facts: dict[str, Any] = {}
    for name in dict.fromkeys(("boxes", *names)):
        answer = _label(table, name)(scene, signals)
        for entity_id, values in answer.instances.items():
            fields[entity_id].update(values)
        maps.update(answer.maps)
        facts.update(answer.camera)
    seen = signals[INSTANCE]
    instances = tuple(
        Instance(id=e.id, category_id=scene.category_id(e), ignore=int((seen == e.id).sum()) < minimum_visible_px,
                 **fields[e.id])
        for e in scene.labelled if "xyxy_px" in fields[e.id]
    )
    return instances, maps, facts


def _label(table: Mapping[str, str | Label], name: str) -> Label:
    return resolve(table if name in table else LABELS, name)  # boxes are asked for whatever the table lists
