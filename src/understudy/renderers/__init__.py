"""Renderers say what a sensor would see. One file (or package) and one line here adds one.

A renderer is a frozen dataclass of :mod:`understudy.fields` (quality settings) with

* ``supplies``: a class attribute, the names of the channels it can give;
* ``render(scene, wanted, key) -> Signals``: exactly the wanted channels. ``key`` feeds the sampler's and the sensor's
  noise only; no label channel depends on it.
"""

from __future__ import annotations

from typing import Protocol

from understudy.key import Key
from understudy.scene import Scene
from understudy.signals import Signals, Spec


class Renderer(Protocol):
    supplies: frozenset[str]

    def render(self, scene: Scene, wanted: tuple[Spec, ...], key: Key) -> Signals: ...


RENDERERS: dict[str, str | type] = {
    "path": "understudy.renderers.mitsuba:Path",
    "flat": "understudy.renderers.flat:Flat",
}
