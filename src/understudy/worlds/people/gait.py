"""Walking and running as joint angles over one cycle.

A phase of 0 is the heel strike of the left foot; the right leg is half a cycle behind. The curves are normative averages
of adult level gait, rounded (Winter, *The Biomechanics and Motor Control of Human Gait*, 2nd ed., 1991, and Novacheck,
*The biomechanics of running*, Gait & Posture 1998).
"""

from __future__ import annotations

import math

import numpy as np

# per tenth of a cycle from heel strike: degrees
_WALK = {
    "hip.flexion": (29, 25, 17, 8, 0, -8, -6, 9, 22, 30, 29),
    "knee.flexion": (4, 14, 17, 12, 7, 11, 36, 60, 52, 20, 4),
    "ankle.flexion": (0, -5, 3, 7, 10, 5, -17, -10, 1, 2, 0),
    "toes.extension": (8, 0, 0, 0, 3, 18, 24, 2, 0, 5, 8),
}
_RUN = {
    "hip.flexion": (38, 32, 17, 2, -6, -2, 16, 36, 46, 44, 38),
    "knee.flexion": (18, 38, 35, 20, 22, 55, 92, 100, 72, 32, 18),
    "ankle.flexion": (6, 20, 18, -2, -20, -18, -8, 0, 4, 6, 6),
    "toes.extension": (4, 0, 4, 18, 24, 4, 0, 0, 0, 3, 4),
}
WALK_STANCE, RUN_STANCE = 0.62, 0.36  # share of the cycle that a foot is on the ground


def walk(phase: float, stride: float, arm_swing: float) -> dict[str, float]:
    """Joint angles of the legs, trunk and arms at ``phase`` in [0, 1); ``stride`` and ``arm_swing`` scale amplitudes."""
    angles = _legs(_WALK, phase, stride)
    turn = 5.0 * stride * math.cos(2 * math.pi * phase)
    angles |= {"spine.turn": 1.6 * turn, "neck.turn": -0.6 * turn, "spine.flexion": 1.0}
    for side, shift in (("L", 0.5), ("R", 0.0)):
        swing = math.cos(2 * math.pi * (phase + shift))
        _arm(angles, side, 4 + 21 * arm_swing * swing, 16 + 13 * arm_swing * (1 + swing) / 2)
    return angles


def run(phase: float, stride: float, arm_swing: float) -> dict[str, float]:
    """Like :func:`walk`, for an easy run."""
    angles = _legs(_RUN, phase, 0.75 + 0.25 * stride)
    turn = 7.0 * math.cos(2 * math.pi * phase)
    angles |= {"spine.turn": 2.0 * turn, "neck.turn": -turn, "spine.flexion": 9.0, "neck.flexion": -6.0}
    for side, shift in (("L", 0.5), ("R", 0.0)):
        swing = math.cos(2 * math.pi * (phase + shift))
        _arm(angles, side, -6 + 34 * arm_swing * swing, 88 + 14 * swing)
        angles[f"shoulder.rotation.{side}"] = -18.0
    return angles


def feet_down(phase: float, stance: float) -> tuple[str, ...]:
    """The sides whose foot is on the ground at ``phase``."""
    return tuple(side for side, shift in (("L", 0.0), ("R", 0.5)) if (phase + shift) % 1.0 < stance)


def _legs(curves: dict[str, tuple[float, ...]], phase: float, stride: float) -> dict[str, float]:
    angles = {}
    for name, curve in curves.items():
        for side, shift in (("L", 0.0), ("R", 0.5)):
            value = float(np.interp(((phase + shift) % 1.0) * 10, range(11), curve))
            angles[f"{name}.{side}"] = value * (stride if name == "hip.flexion" else 0.5 + 0.5 * stride)
    return angles


def _arm(angles: dict[str, float], side: str, forward: float, elbow: float) -> None:
    """A swinging arm: ``forward`` degrees ahead of (or, if negative, behind) a little abduction."""
    aside = 9.0
    angles[f"shoulder.elevation.{side}"] = math.hypot(forward, aside)
    angles[f"shoulder.plane.{side}"] = max(math.degrees(math.atan2(forward, aside)), -58.0)
    angles[f"shoulder.rotation.{side}"] = -12.0
    angles[f"elbow.flexion.{side}"] = elbow
    angles[f"forearm.pronation.{side}"] = 15.0
