"""Worlds say what is true. One file (or package) and one line here adds one.

A world is a frozen dataclass of :mod:`understudy.fields` with

* ``categories``: a class attribute, every category in id order;
* ``sample(draws, camera) -> Scene``: plain facts. ``camera`` comes from the recipe's sensor with the identity pose; the
  world places it (``dataclasses.replace(camera, to_world=...)``). A draw that cannot be made true raises
  :class:`~understudy.errors.Unsatisfiable` with the reason, and the maker tries the next attempt.
"""

from __future__ import annotations

from typing import Protocol

from understudy.draws import Draws
from understudy.scene import Camera, Scene


class World(Protocol):
    categories: tuple[str, ...]

    def sample(self, draws: Draws, camera: Camera) -> Scene: ...


WORLDS: dict[str, str | type] = {
    "people": "understudy.worlds.people:People",
    "solids": "understudy.worlds.solids:Solids",
}
