"""Unlabelled things that stand among the figures: furniture, and plain bodies in the same cloths that figures wear.

Without them everything that was put into a photograph is a person, and a network learns to find what was put in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.draws import Draws
from understudy.fields import param
from understudy.key import Key
from understudy.scene import Camera, Entity, Material
from understudy.supports import Integers as WholeNumbers
from understudy.supports import Interval, OneOf
from understudy.surroundings import Place
from understudy.surroundings.street_furniture import ANYWHERE
from understudy.surroundings.things import Piece, entity, floating, reach_of, turned
from understudy.values import Integers, LogUniform, Value, Weighted
from understudy.worlds.people.framing import GAP_M, Shape, Spot, clear

KINDS = ("furniture", "solid")
_TRIES = 12


@dataclass(frozen=True)
class Things:
    """Unlabelled things on the ground among the figures, laid into a photograph as the figures are."""

    count: Value = param(Weighted((("0", 0, 3.0), ("1-3", Integers(1, 3), 2.0))), WholeNumbers(0, 20), "",
                         "how many things to put, where there is room")
    kind: Value = param(Weighted((("furniture", "furniture", 1.0), ("solid", "solid", 1.0))), OneOf(KINDS), "",
                        "furniture of the place (a street's in a street), or a plain body in any colour or cloth")
    size_m: Value = param(LogUniform(0.25, 1.6), Interval(0.05, 10), "m", "size of a plain body")
    depth: Value = param(LogUniform(0.7, 2.5), Interval(0.2, 20), "", "its distance over the subject's")

    def sample(self, draws: Draws, camera: Camera, place: Place, shapes: Sequence[Shape], spots: Sequence[Spot],
               first_id: int) -> tuple[Entity, ...]:
        """Things clear of the figures and of what stands there already; one that finds no room stays away."""
        out: list[Entity] = []
        wanted = draws("count", self.count)
        for i in range(wanted):
            at = draws.each(i)
            drawn = {name: at(name, getattr(self, name)) for name in ("kind", "size_m", "depth")}
            key = at.key("look")
            pieces, materials = _made(key, drawn["kind"], drawn["size_m"], place.things or tuple(ANYWHERE))
            reach = reach_of(pieces)
            subject_m = spots[0].y if spots else 4.0
            half = camera.lens.size_wh[0] / 2 / camera.lens.focal_px[0]
            for x, y in key.child("place").uniforms(_TRIES, 2):
                ahead = max(subject_m * drawn["depth"] * (0.9 + 0.2 * y), reach + 0.4)
                aside = (2 * x - 1) * half * ahead
                standing = entity(first_id + len(out), "thing", pieces, materials, aside, ahead, 360 * float(y))
                footprint = reach * np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], float)
                high = max(float(m.vertices[:, 2].max()) for m, _ in pieces)
                shape = Shape(np.array([(*p, z) for p in footprint for z in (0.0, high)]), high, footprint)
                if (_inside(place, aside, ahead, reach) and clear((*place.entities, *out), shape, Spot(aside, ahead, -90.0))
                        and all(_apart(aside, ahead, reach, s, at_s) for s, at_s in zip(shapes, spots))):
                    out.append(standing)
                    break
        draws.note("placed", len(out))
        return tuple(out)


def _made(key: Key, kind: str, size_m: float, names: tuple[str, ...]) -> tuple[list[Piece], list[Material]]:
    if kind == "furniture":
        pieces, materials, _, _ = ANYWHERE[key.child("kind").choice(names)](key.child("thing"))
        return pieces, materials
    pieces, materials = floating(key.child("thing"), size_m)
    lowest = min(float(mesh.vertices[:, 2].min()) for mesh, _ in pieces)
    return [(turned(mesh, 0, 0, -lowest), which) for mesh, which in pieces], materials


def _inside(place: Place, x: float, y: float, reach: float) -> bool:
    if place.floor_m is None:
        return True
    x0, y0, x1, y1 = place.floor_m
    return x0 + reach <= x <= x1 - reach and y0 + reach <= y <= y1 - reach


def _apart(x: float, y: float, reach: float, shape: Shape, spot: Spot) -> bool:
    """Whether the square around a thing keeps clear of the rectangle around a figure's footprint."""
    ground = shape.footprint @ spot.to_world[:2, :2].T + spot.to_world[:2, 3]
    nearest = np.clip((x, y), ground.min(axis=0), ground.max(axis=0))
    return float(np.abs(nearest - (x, y)).max()) > reach + GAP_M
