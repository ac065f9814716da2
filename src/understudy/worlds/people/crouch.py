"""Crouching and lunging: the pelvis low, the weight over the feet, heels up where the ankles bend no further."""

from __future__ import annotations

import numpy as np

from understudy.worlds.people.contact import Foot, centre_of_mass, lowest, plant, touch_down
from understudy.worlds.people.skeleton import Posture, Skeleton, clamp, rotation

_HIGH, _LOW = 0.66, 0.42  # height of the hips over the ankles, over the leg's length


def crouching(skel: Skeleton, angles: dict[str, float], drawn: dict) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    """A posture, the feet that carry, and the angles used, for the values of a Posing drawn for this figure."""
    low = drawn["crouch"]
    leg = skel.length("upperleg01.L", "lowerleg01.L") + skel.length("lowerleg01.L", "foot.L")
    hip = skel.length("upperleg01.L", "upperleg01.R")
    size = skel.rest.stature_m / 1.7
    angles = angles | {"spine.flexion": clamp("spine.flexion", angles["spine.flexion"] + 16 + 16 * low),
                       "neck.flexion": clamp("neck.flexion", angles["neck.flexion"] - 10)}
    pelvis = rotation(x=12.0)
    half = max(1.5, drawn["stance_width"]) * hip / 2
    ahead = drawn["stagger"] * skel.rest.stature_m / 2
    high = (_HIGH + (_LOW - _HIGH) * low) * leg
    hips = pelvis @ (np.mean([skel.at("upperleg01.L"), skel.at("upperleg01.R")], axis=0) - skel.heads[0])
    out = max(drawn["toes_out"], 12.0)
    balance = -0.25 * leg
    for _ in range(4):  # the feet come under the centre of mass
        feet = {"L": Foot(half, balance - ahead, out), "R": Foot(-half, balance + ahead, out)}
        posed, root = plant(skel, angles, pelvis, np.array([0.0, 0.0, high + 0.07 * size - hips[2]]), feet)
        balance = float((centre_of_mass(posed) - posed.joints[0] + root)[1]) + 0.02 * size
    return _stood(posed, angles)


def lunging(skel: Skeleton, angles: dict[str, float], drawn: dict) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    """A long step with the front knee bent and the rear heel up; the front leg is that of ``side``."""
    low = drawn["crouch"]
    leg = skel.length("upperleg01.L", "lowerleg01.L") + skel.length("lowerleg01.L", "foot.L")
    hip = skel.length("upperleg01.L", "upperleg01.R")
    stature, front = skel.rest.stature_m, drawn["side"][0].upper()
    pelvis = rotation(x=4.0)
    half, ahead = 0.55 * hip, (0.19 + 0.05 * low) * stature * (1 if front == "L" else -1)
    hips = pelvis @ (np.mean([skel.at("upperleg01.L"), skel.at("upperleg01.R")], axis=0) - skel.heads[0])
    high = (0.84 - 0.2 * low) * leg + 0.07 * stature / 1.7 - hips[2]
    back = 0.05 * stature
    feet = {"L": Foot(half, back - ahead, 4.0), "R": Foot(-half, back + ahead, 4.0)}
    posed, _ = plant(skel, angles, pelvis, np.array([0.0, 0.0, high]), feet)
    return _stood(posed, angles)


def _stood(posed: Posture, angles: dict[str, float]) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    """The posture with ankles in their range and both feet on one ground."""
    posed = touch_down(posed, ("L", "R"))
    heights = {side: lowest(posed, side) for side in "LR"}
    floor = min(heights.values())
    return posed, tuple(s for s in "LR" if heights[s] < floor + 0.008), angles
