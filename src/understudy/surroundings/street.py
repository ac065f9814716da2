"""A street: a road with its markings and kerbs, the rows of houses along it, and the cars at its kerbs.

It has a frame of its own, x along the road and y across it, turned about the camera by ``turn_deg``. All of it is level: the
ground is z = 0 for whoever stands there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from understudy.assets.palettes import palette, srgb_encode
from understudy.assets.patterns import pattern
from understudy.key import Key
from understudy.scene import Entity, Material, Texture
from understudy.surroundings.street_furniture import car
from understudy.surroundings.things import Piece, entity, panel

_LONG_M = 60.0  # how far the road runs either way
_KERB_M = 0.15
_BEHIND_M = 1.0
_EAVES_M = 0.5  # houses' roofs and sills stand out so far at most
_NEAR_M = 24.0
_HEADROOM_M = 2.3
_TEXELS = 512


@dataclass(frozen=True)
class Street:
    """turn_deg : of the street's frame about the vertical; middle_m : where the road's middle lies across, metres from the
    camera; half_m : half the road's width; pavement_m : between kerb and houses"""

    turn_deg: float
    middle_m: float
    half_m: float
    pavement_m: float

    def beside(self, low: float, high: float) -> list[tuple[float, float]]:
        """What the road leaves of a stretch across it."""
        near, far = self.middle_m - self.half_m - _KERB_M, self.middle_m + self.half_m + _KERB_M
        return [(a, b) for a, b in ((low, min(high, near)), (max(low, far), high)) if b > a]

    def paved(self, key: Key, first: int) -> tuple[list[Piece], list[Material]]:
        """The road and its kerbs, their materials numbered from ``first``."""
        m, h, side = self.middle_m, self.half_m, 2 * self.half_m
        road = panel(_level(-_LONG_M, _LONG_M, m - h, m + h), side)
        kerbs = [panel(_level(-_LONG_M, _LONG_M, y, y + _KERB_M), 1.0) for y in (m - h - _KERB_M, m + h)]
        stone = Material(palette(key.child("kerb"), "stone", 1)[0], roughness=0.8)
        return [(road, first), *((kerb, first + 1) for kerb in kerbs)], [_asphalt(key.child("asphalt"), side), stone]

    def world(self, x: float, y: float) -> tuple[float, float]:
        """From the street's frame to the place's."""
        c, s = math.cos(math.radians(self.turn_deg)), math.sin(math.radians(self.turn_deg))
        return c * x - s * y, s * x + c * y

    def fronts(self) -> tuple[float, float]:
        """Where the houses' fronts lie across, on the near side and on the far one; those on the near side stand behind the
        camera at least."""
        reach = self.half_m + self.pavement_m
        return min(self.middle_m - reach, -_BEHIND_M), self.middle_m + reach

    def free(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        """What the houses leave of a rectangle of the ground."""
        c, s = math.cos(math.radians(self.turn_deg)), math.sin(math.radians(self.turn_deg))
        near, far = (front + shift for front, shift in zip(self.fronts(), (_EAVES_M, -_EAVES_M)))
        if abs(s) > abs(c):  # along the view: the sides come nearer
            x0, x1 = max([x0, *((c * y - far) / s for y in (y0, y1))]), min([x1, *((c * y - near) / s for y in (y0, y1))])
        else:
            y0, y1 = max([y0, *((near + s * x) / c for x in (x0, x1))]), min([y1, *((far + s * x) / c for x in (x0, x1))])
        return x0, y0, x1, y1

    def kerbside(self, u: float, side: float, off_m: float) -> tuple[float, float]:
        """A place ``off_m`` outside a kerb, up to ``_NEAR_M`` either way along it for ``u`` in [0, 1]."""
        across = self.half_m + _KERB_M + off_m
        return self.world((2 * u - 1) * _NEAR_M, self.middle_m + (across if side < 0.5 else -across))

    def row(self) -> Row:
        return Row(self)


@dataclass
class Row:
    """The houses of a street, one after another on both sides, nearest first."""

    street: Street
    ends: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])  # built so far: either side, either way

    def place(self, wide: float, deep: float, gap: float) -> tuple[float, float, float]:
        """Where the next house stands (its middle, metres) and its turn in degrees, its front to the road."""
        s = self.street
        k = int(np.argmin(np.abs(self.ends)))
        across, way = (1, -1)[k % 2], (1, -1)[k // 2]
        x = way * (self.ends[k] + 0.5 * wide)
        self.ends[k] += wide + (0.0 if gap < 0.6 else 6 * (gap - 0.5))
        y = s.fronts()[(across + 1) // 2] + across * deep / 2
        return *s.world(x, y), s.turn_deg + (0.0 if across > 0 else 180.0)


def laid(key: Key, which: str) -> Street | None:
    """A street that runs ``along`` the view or ``across`` it; None for ``no``."""
    u = key.uniforms(4)
    half, pavement = 2.6 + 1.2 * float(u[0]), 2.5 + 3.5 * float(u[1])
    if which == "along":  # the camera stands on a pavement, or on the road
        return Street(90 + 24 * (float(u[2]) - 0.5), (half + pavement - 2.2) * (2 * float(u[3]) - 1), half, pavement)
    if which == "across":
        return Street(24 * (float(u[2]) - 0.5), 4.0 + 7.0 * float(u[3]), half, pavement)
    return None


def parked(numbers: Iterator[int], key: Key, count: int, street: Street) -> list[Entity]:
    """Cars at both kerbs; one that finds its place taken stays away."""
    placed: list[Entity] = []
    taken: list[tuple[float, float]] = []
    for i in range(count):
        own = key.child(i)
        u = own.uniforms(3)
        at = street.kerbside(float(u[1]), float(u[0]), -1.2)
        if any(math.dist(at, other) < 5.2 for other in taken):
            continue
        taken.append(at)
        pieces, materials, _, _ = car(own.child("car"))
        turn = street.turn_deg + (180.0 if u[2] < 0.5 else 0.0)
        placed.append(entity(next(numbers), "car", pieces, materials, *at, turn))
    return placed


def off(entity: Entity, floor_m: tuple[float, float, float, float]) -> bool:
    """Whether a thing leaves a rectangle of the ground, and the camera's place, free up to ``_HEADROOM_M``."""
    points = np.concatenate([s.vertices for s in entity.surfaces])
    low, high = (f(points[points[:, 2] < _HEADROOM_M, :2], axis=0) for f in (np.min, np.max))
    x0, y0, x1, y1 = floor_m
    here = (high < np.minimum((x0, y0), -1.0)) | (low > np.maximum((x1, y1), 1.0))
    return bool(here.any())


def _level(x0: float, x1: float, y0: float, y1: float) -> list[tuple[float, float, float]]:
    return [(x0, y0, 0.0), (x1, y0, 0.0), (x1, y1, 0.0), (x0, y1, 0.0)]


def _asphalt(key: Key, side_m: float) -> Material:
    """A square of road: asphalt with a dash of the middle line and lines along the kerbs, one repeat to its width."""
    tint = float(0.05 + 0.09 * key.child("tint").uniform())
    pixels = pattern("asphalt", key.child("grain"), _TEXELS, tuple((s * tint,) * 3 for s in (1.0, 0.7, 1.35))).pixels.copy()
    line, per_m = round(255 * float(srgb_encode(np.array(0.45)))), _TEXELS / side_m
    wide = max(round(0.12 * per_m), 1)
    u = key.child("lines").uniforms(2)
    if u[0] < 0.8:
        middle = _TEXELS // 2
        pixels[middle - wide // 2:middle - wide // 2 + wide, :round(0.45 * _TEXELS)] = line
    if u[1] < 0.5:
        for edge in (round(0.3 * per_m), _TEXELS - round(0.3 * per_m) - wide):
            pixels[edge:edge + wide] = line
    return Material(Texture(pixels), roughness=0.85)
