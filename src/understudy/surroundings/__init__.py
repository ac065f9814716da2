"""Surroundings: where a world's things stand. Worlds take one as a slot and sample it under a child place.

One file and one line here adds one. Surroundings are a frozen dataclass of :mod:`understudy.fields` with
``sample(draws, camera) -> Place``, and ``check_assets()`` where a setting names files: AssetError if they cannot serve for
any record, asked once before the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from understudy.draws import Draws
from understudy.scene import AssetUse, Backdrop, Camera, Entity, Environment, Ground, Lamp, Sun

# Entities of the surroundings (walls, furniture, distractors) count from here; the world's own count from 1.
FIRST_ENTITY_ID = 100_001


@dataclass(frozen=True)
class Place:
    """Somewhere to stand: the ground is z = 0, the camera stands above the origin and looks towards +y.

    horizon : where the horizon lies, as a fraction of the picture's height from its top (0.5 is a level camera), or None
        when the place does not say; the world pitches its camera to it
    camera_height_m : height that the place suggests, or None
    floor_m : (x0, y0, x1, y1) free rectangle of the ground, or None for a plane without end
    things : names of the things that may stand there (ANYWHERE of street_furniture.py); none when the place does not say
    """

    environment: Environment | None = None
    sun: Sun | None = None
    lamps: tuple[Lamp, ...] = ()
    backdrop: Backdrop | None = None
    ground: Ground | None = None
    entities: tuple[Entity, ...] = ()
    horizon: float | None = None
    camera_height_m: float | None = None
    floor_m: tuple[float, float, float, float] | None = None
    assets: tuple[AssetUse, ...] = ()
    things: tuple[str, ...] = ()


class Surroundings(Protocol):
    def sample(self, draws: Draws, camera: Camera) -> Place: ...


SURROUNDINGS: dict[str, str | type] = {
    "photographs": "understudy.surroundings.photographs:Photographs",
    "room": "understudy.surroundings.room:Room",
    "open_air": "understudy.surroundings.open_air:OpenAir",
    "mixed": "understudy.surroundings.mixed:Mixed",
}
