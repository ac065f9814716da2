"""Several kinds of surroundings in one data set: each record is in one of them."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.draws import Draws
from understudy.fields import group, param
from understudy.scene import Camera
from understudy.supports import OneOf
from understudy.surroundings import Place
from understudy.surroundings.open_air import OpenAir
from understudy.surroundings.photographs import Photographs
from understudy.surroundings.room import Room
from understudy.values import Value, Weighted

KINDS = ("photographs", "room", "open_air")


@dataclass(frozen=True)
class Mixed:
    """Photographs, rooms and open air by turns: no single kind of background to learn the figures by."""

    which: Value = param(Weighted(tuple((kind, kind, weight) for kind, weight in zip(KINDS, (2.0, 1.0, 1.0)))),
                         OneOf(KINDS), "", "where this record's figures are")
    photographs: Photographs = group(Photographs, "your photographs, or painted ones")
    room: Room = group(Room, "a furnished room")
    open_air: OpenAir = group(OpenAir, "outdoors")

    def sample(self, draws: Draws, camera: Camera) -> Place:
        """The place that is drawn, sampled under its own name: the others' streams do not move it."""
        which = draws("which", self.which)
        return getattr(self, which).sample(draws.at(which), camera)
