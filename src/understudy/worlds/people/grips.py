"""Hands that reach for a place on the body or hold something: where the wrist goes and how the hand lies.

``HELD`` says what a pattern of arms holds; the thing itself is made by ``held`` once the body is posed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy.worlds.people.skeleton import Posture

# Pattern of arms -> what its first hand (of a box: both hands) holds.
HELD = {"phone": "phone", "texting": "phone", "drinking": "cup", "holding_cup": "cup", "carrying": "bag",
        "carrying_box": "box", "steering": "wheel", "cane": "cane"}
# Kind of hand -> bend of its four fingers and of its thumb, degrees.
CURLS = {"mouth": (42.0, 22.0), "hold": (42.0, 22.0), "text": (26.0, 8.0), "carry": (68.0, 30.0), "box": (8.0, 2.0),
         "cane": (68.0, 30.0), "wheel": (62.0, 35.0), "chin": (38.0, 15.0)}
_CANE_AGE = 50.0
_GROWN, _GROWN_AGE = ("phone", "texting", "holding_cup", "carrying", "carrying_box"), 6.0  # small children have none of it
WHEEL_M, WHEEL_TILT_DEG = 0.185, 22.0  # a steering wheel's radius, and how far its top leans away from the driver
WHEEL_AHEAD_M, WHEEL_BELOW_M = 0.44, 0.24  # its middle from that of the shoulders, for a stature of 1.7 m
BOX_M = 0.15  # half the breadth of a box that is carried, for a stature of 1.7 m


def suited(arms: str, family: str, age: float) -> str:
    """The pattern of arms ``arms``, or hanging ones where it holds what someone of that age (years) or in that family
    of poses has not."""
    if arms == "cane" and (age < _CANE_AGE or family not in ("standing", "walking")):
        return "hanging"
    return "hanging" if arms in _GROWN and age < _GROWN_AGE else arms


@dataclass(frozen=True)
class Grip:
    """A wrist's place, where the elbow points, where the fingers point and where the palm looks: (3,) each."""

    wrist: np.ndarray
    elbow: np.ndarray
    fingers: np.ndarray
    palm: np.ndarray
    outwards: np.ndarray


def curled(kind: str, side: str) -> dict[str, float]:
    """Finger angles of a hand that holds; none for a kind of hand that does not."""
    if kind not in CURLS:
        return {}
    curl, thumb = CURLS[kind]
    return {f"finger.curl.{f}.{side}": curl + 2.0 * (f - 2) for f in range(2, 6)} | {f"thumb.curl.{side}": thumb}


def grip(posed: Posture, side: str, kind: str, u: np.ndarray, front_m: float) -> Grip | None:
    """Where a hand of this kind goes, None for kinds that are joint angles.

    u : (4,) random numbers in [-0.5, 0.5); front_m : how far the belly stands out from the root, m
    """
    s = 1.0 if side == "L" else -1.0
    size = posed.skeleton.rest.stature_m / 1.7
    head, chest = posed.of("head"), posed.of("spine01")
    if kind == "mouth":
        inwards = np.array([-s, 0.25, 0.0])
        along = np.array([-s * 0.15, -0.60, 0.62])
        cup = mouth(posed) + head @ np.array([0, -0.05 * size - 0.012, -0.055 * size])
        return Grip(cup - (0.055 * inwards + 0.085 * along) * size, np.array([s * (0.5 + 0.4 * u[0]), -0.35, -1.0]),
                    head @ along, head @ inwards, head @ np.array([s * 0.2, -1.0, -0.3]))
    if kind == "chin":
        below = mouth(posed) + head @ np.array([s * 0.012, -0.012, -0.052]) * size
        return Grip(below + head @ np.array([s * 0.035, -0.035, -0.105]) * size, np.array([s * 0.45, -0.25, -1.0]),
                    head @ np.array([-s * 0.25, 0.12, 1.0]), head @ np.array([-s * 0.45, 1.0, 0.0]),
                    head @ np.array([s * 0.1, -1.0, -0.4]))
    if kind == "text":
        eyes = (posed.at("eye.L") + posed.at("eye.R")) / 2
        screen = eyes + chest @ np.array([s * 0.05, -0.30 - 0.06 * u[0], -0.27 - 0.08 * u[1]]) * size
        palm, along = np.array([-s * 0.12, 0.85, 0.5]), np.array([-s * 0.25, -0.42, 0.82])
        return Grip(screen - chest @ (0.02 * palm + 0.09 * along) * size, np.array([s * (0.55 + 0.5 * u[2]), 0.25, -1.0]),
                    chest @ along, chest @ palm, chest @ np.array([s * 0.3, -1.0, 0.1]))
    if kind == "box":
        root = posed.at("root")
        wrist = root + np.array([s * (BOX_M + 0.022) * size, -front_m - (0.08 + 0.04 * u[0]) * size, 0.13 * size])
        return Grip(wrist, np.array([s * 0.8, 0.7, -0.8]), np.array([-s * 0.05, -1.0, 0.05]), np.array([-s, 0.0, 0.1]),
                    np.array([0, -1.0, 0.2]))
    if kind == "wheel":
        centre, up = wheel(posed)
        at = centre + WHEEL_M * size * (0.88 * s * np.array([1.0, 0, 0]) + 0.47 * up)
        return Grip(at + np.array([s * 0.018, 0.088, -0.020]) * size, np.array([s * 0.8, 0.5, -1.0]),
                    np.array([-s * 0.25, -1.0, 0.25]), np.array([-s * 0.85, -0.45, 0.0]), np.array([s * 0.5, 0.3, 0.4]))
    return None


def mouth(posed: Posture) -> np.ndarray:
    """Where the lips meet, (3,), from the eyes: about their distance below them, and three fifths of it ahead."""
    left, right = posed.at("eye.L"), posed.at("eye.R")
    apart = float(np.linalg.norm(left - right))
    return (left + right) / 2 + posed.of("head") @ np.array([0, -0.5 * apart, -1.08 * apart])


def wheel(posed: Posture) -> tuple[np.ndarray, np.ndarray]:
    """A steering wheel's middle and the direction from there to its top, (3,) each, within reach of both arms."""
    size = posed.skeleton.rest.stature_m / 1.7
    tilt = np.radians(WHEEL_TILT_DEG)
    shoulders = (posed.at("upperarm01.L") + posed.at("upperarm01.R")) / 2
    return shoulders + np.array([0, -WHEEL_AHEAD_M, -WHEEL_BELOW_M]) * size, np.array([0, -np.sin(tilt), np.cos(tilt)])
