"""Coordinates on the body in which garments are cut: along and around the trunk and the limbs, on the template.

All lengths are metres on the template (the model's neutral body, 1.67 m tall, origin at the pelvis, z up, facing -y).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from understudy.worlds.people import body
from understudy.worlds.people.charts import segment_of_bone

LIMBS = ("torso", "arm.L", "arm.R", "leg.L", "leg.R")
_SEGMENT_LIMB = {"upper_leg": "leg", "lower_leg": "leg", "foot": "leg", "upper_arm": "arm", "lower_arm": "arm",
                 "hand": "arm"}


@dataclass(frozen=True)
class Coordinates:
    """Where on the body points lie, measured on the template; the same for every figure.

    xyz : (n, 3) template position; arm : (n,) distance along the arm from the shoulder joint towards the hand, negative
    on the trunk; limb : (n,) index of LIMBS; along : (n,) distance along the limb from its root; around : (n,) angle about
    the limb's axis, 0 in front, positive to the subject's left
    """

    xyz: np.ndarray
    arm: np.ndarray
    limb: np.ndarray
    along: np.ndarray
    around: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> Coordinates:
        return Coordinates(self.xyz[rows], self.arm[rows], self.limb[rows], self.along[rows], self.around[rows])

    def single(self) -> Coordinates:
        """The same in float32."""
        xyz, arm, along, around = (x.astype(np.float32) for x in (self.xyz, self.arm, self.along, self.around))
        return Coordinates(xyz, arm, self.limb, along, around)


def locate(xyz: np.ndarray, weights: np.ndarray, limb: np.ndarray | None = None) -> Coordinates:
    """Coordinates of points on the template. weights : (n, bones) skinning weights; limb : (n,) index of LIMBS, that of
    the bones that move a point most if left out."""
    share = limb_shares(weights)
    limb = share.argmax(1) if limb is None else limb
    arm = np.full(len(xyz), -1.0)
    along, around = np.zeros(len(xyz)), np.zeros(len(xyz))
    for k, name in enumerate(LIMBS):
        mine = limb == k
        along[mine], around[mine] = on_limb(k, xyz[mine])
        if name.startswith("arm"):
            s, left = on_limb(k, xyz)[0], _chain(k)[0][0]
            has, near = share[:, k] > 0.02, xyz[:, 0] * left > 0
            arm = np.where(has, s, np.where(near, np.minimum(arm, -0.04), arm))
            arm = np.where(~has & near, np.clip(s, -1, -0.02), arm)
    return Coordinates(xyz, arm, limb, along, around)


def limb_shares(weights: np.ndarray) -> np.ndarray:
    """(n, limbs): how much of (n, bones) skinning weights belongs to the bones of each of LIMBS."""
    kind = np.array([_limb_of(bone) for bone in body.model().bones])
    return np.stack([weights[:, kind == k].sum(1) for k in range(len(LIMBS))], 1)


@lru_cache(maxsize=1)
def skin_coordinates() -> Coordinates:
    """Coordinates of the base mesh's own vertices (V,), in which garments say what they hide."""
    model = body.model()
    return locate(np.array(model.arrays["template_vertices"], float), model.weights)


def _limb_of(bone: str) -> int:
    segment, side = segment_of_bone(bone)
    stem = _SEGMENT_LIMB.get(segment)
    return LIMBS.index(f"{stem}.{side}") if stem else 0


def on_limb(k: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far along limb ``k`` (n, 3) points of the template lie, and at which angle about its axis."""
    if k == 0:
        return 0.62 - points[:, 2], np.arctan2(points[:, 0], -(points[:, 1] + 0.035))
    joints = _chain(k)
    along = _along(points, *joints)
    return along, _around(points, *joints, along)


@cache
def _chain(k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The three joints of limb ``k`` on the template, from its root."""
    model = body.model()
    joint = dict(zip(model.bones, np.array(model.arrays["template_heads"], float)))
    stem, _, side = LIMBS[k].partition(".")
    names = ("upperleg01", "lowerleg01", "foot") if stem == "leg" else ("upperarm01", "lowerarm01", "wrist")
    return tuple(joint[f"{n}.{side}"] for n in names)


def _along(p, a, b, c):
    """Distance along the polyline a-b-c, going on straight beyond both ends."""
    first, second = np.linalg.norm(b - a), np.linalg.norm(c - b)
    u, v = (b - a) / first, (c - b) / second
    s, t = (p - a) @ u, (p - b) @ v
    bend = (u + v) / np.linalg.norm(u + v)
    return np.where((p - b) @ bend < 0, s, first + t)


def _around(p, a, b, c, s):
    first = np.linalg.norm(b - a)
    u, v = (b - a) / first, (c - b) / np.linalg.norm(c - b)
    lower = s > first
    axis = np.where(lower[:, None], v, u)
    foot = np.where(lower[:, None], b + (s - first)[:, None] * v, a + s[:, None] * u)
    r = p - foot
    front = np.array([0, -1.0, 0]) - axis * -axis[:, 1:2]
    left = np.cross(axis, front) * -1.0
    left = np.where(left[:, :1] < 0, -left, left)
    return np.arctan2((r * left).sum(1), (r * front).sum(1))
