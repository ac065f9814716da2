"""Shoes: the canvas's feet with a stiff upper and a flat sole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from understudy.key import Key
from understudy.worlds.people.clothes.canvas import canvas
from understudy.worlds.people.clothes.coordinates import LIMBS, Coordinates
from understudy.worlds.people.clothes.shell import Measures

_FLOOR_M = -0.817  # the template's soles
_ANKLE_M = -0.745


@dataclass(frozen=True)
class Last:
    """The form of a pair of shoes, metres on the template.

    sole_m : thickness of the sole; collar : height of the upper border above the floor at the back; slant : how much lower
    it is in front, per metre; wall_m : thickness of the upper; welt_m : how far the sole stands out
    """

    sole_m: float
    collar: float
    slant: float
    wall_m: float = 0.006
    welt_m: float = 0.003


def _last(sole, collar, slant, wall=0.006, welt=0.003) -> Callable[[Key], Last]:
    def make(key: Key) -> Last:
        return Last(key.child("sole").uniform(*sole), key.child("collar").uniform(*collar), slant, wall, welt)

    return make


SHOES: dict[str, Callable[[Key], Last]] = {
    "sneakers": _last((0.02, 0.032), (0.085, 0.095), 0.25, 0.008, 0.004),
    "shoes": _last((0.014, 0.022), (0.075, 0.085), 0.35, 0.006, 0.003),
    "boots": _last((0.02, 0.035), (0.16, 0.26), 0.0, 0.008, 0.004),
    "slippers": _last((0.008, 0.012), (0.055, 0.065), 0.5, 0.005, 0.001),
}


def levels(last: Last, at: Coordinates) -> list[np.ndarray]:
    """Above 0 where the shoe is."""
    _, y, z = at.xyz.T
    collar = _FLOOR_M + last.collar + last.slant * np.clip(y, -0.07, 0.05) + 0.25 * np.clip(y - 0.03, 0, 0.03)
    return [collar - z]


@cache
def _low(fine: bool):
    """Vertices of the canvas below the calf, and the average of the neighbours of each."""
    c = canvas(fine)
    low = np.flatnonzero(c.at.xyz[:, 2] - _FLOOR_M < 0.16)
    return low, c.smooth[low]


def shape(m: Measures, last: Last, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """The shoes at rest: (n, 3) canvas vertices, and (n,) a level that is above 0 on the upper and below on the sole.

    floor : height of the bare soles at rest, m
    """
    c = m.canvas
    foot = c.at.xyz[:, 2] < _ANKLE_M + 0.3
    z0 = c.at.xyz[:, 2] - _FLOOR_M
    shoe = m.rest + (foot * np.float32(last.wall_m * m.size))[:, None] * m.normals
    low, smooth = _low(c.fine)
    for _ in range(c.rounds(10)):
        shoe[low] = 0.4 * shoe[low] + 0.6 * (smooth @ shoe)
    above = np.maximum(shoe[:, 2] - floor, 0)
    size = m.size
    # the sole: what looks down is flat, what stands beside it reaches down to it
    down = np.clip((-m.normals[:, 2] - 0.25) / 0.3, 0, 1) * (z0 < 0.03)
    reach = np.clip(1 - above / (0.030 * size), 0, 1)
    lower = above * (1 - np.maximum(down, 0)) - last.sole_m * size * np.maximum(reach, down)
    shoe[:, 2] = np.where(foot, floor + np.where(z0 < 0.05, lower, above), shoe[:, 2])
    for name in ("leg.L", "leg.R"):  # a welt around the sole, a rounder toe
        mine = foot & (c.at.limb == LIMBS.index(name)) & (z0 < 0.05)
        centre = shoe[mine, :2].mean(0)
        out = shoe[mine, :2] - centre
        length = np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
        near = np.clip(1 - (shoe[mine, 2] - floor) / (0.02 * size), 0, 1)[:, None]
        shoe[mine, :2] += out / length * near * last.welt_m * size
    return shoe, shoe[:, 2] - (floor + 0.004 * size)
