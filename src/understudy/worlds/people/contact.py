"""Contact: feet on the ground, weight over the feet, arms outside the trunk.

Positions in this module are in the *stance frame*: the rest frame's axes, the ground at z = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from understudy.worlds.people.body import BODY_VERTICES, REGIONS, model
from understudy.worlds.people.skeleton import LIMITS, Posture, Skeleton, euler, hold, posture, reach, rotation, split_twist

# Shares of the body's mass and the two joints between which each part's centre lies, with the fraction from the first
# (de Leva, J. Biomech. 1996, mean of women and men).
_MASS = (("head", "head", "eye.L", 0.068, 0.5), ("trunk", "root", "spine01", 0.43, 0.62),
         *((f"arm{s}", f"upperarm01.{s}", f"lowerarm01.{s}", 0.026, 0.57) for s in "LR"),
         *((f"fore{s}", f"lowerarm01.{s}", f"wrist.{s}", 0.022, 0.6) for s in "LR"),
         *((f"thigh{s}", f"upperleg01.{s}", f"lowerleg01.{s}", 0.145, 0.4) for s in "LR"),
         *((f"shank{s}", f"lowerleg01.{s}", f"foot.{s}", 0.06, 0.5) for s in "LR"))


@dataclass(frozen=True)
class Foot:
    """Where a planted foot's ankle stands, m, and the direction it points to: degrees outwards of straight ahead."""

    x: float
    y: float
    outwards: float


def ankle_height(skel: Skeleton, side: str) -> float:
    """Height of the ankle's joint over a flat sole, m."""
    m = model()
    sole = skel.rest.vertices[:BODY_VERTICES][m.region[:BODY_VERTICES] == REGIONS.index(f"foot.{side}"), 2].min()
    return float(skel.at(f"foot.{side}")[2] - sole)


def plant(skel: Skeleton, angles: Mapping[str, float], pelvis: np.ndarray, root: np.ndarray,
          feet: Mapping[str, Foot], straightest: float = 0.996) -> tuple[Posture, np.ndarray]:
    """A posture whose ``feet`` stand flat at their places, and where its root is: (3,).

    ``root`` is the wanted place of the root; it is lowered until every leg reaches its foot with at most ``straightest``
    of its length. Knees point where the feet point.
    """
    hips = {s: pelvis @ (skel.at(f"upperleg01.{s}") - skel.heads[0]) for s in feet}
    ankles = {s: np.array([f.x, f.y, ankle_height(skel, s)]) for s, f in feet.items()}
    height = root[2]
    for s in feet:
        length = straightest * (skel.length(f"upperleg01.{s}", f"lowerleg01.{s}")
                                + skel.length(f"lowerleg01.{s}", f"foot.{s}"))
        aside = (root + hips[s] - ankles[s])[:2]
        up = length**2 - float(aside @ aside)
        height = min(height, ankles[s][2] + np.sqrt(max(up, (0.3 * length) ** 2)) - hips[s][2])
    root = np.array([root[0], root[1], height])
    held = {}
    for s, foot in feet.items():
        yaw = foot.outwards if s == "L" else -foot.outwards
        foot_turn = rotation(z=yaw)
        facing = rotation(z=0.7 * yaw) @ np.array([0, -1.0, 0]) + pelvis @ np.array([0, -0.3, 0])
        held |= _leg(skel, s, pelvis, root + hips[s], ankles[s], facing) | {f"foot.{s}": foot_turn}
    return posture(skel, {k: v for k, v in angles.items() if not k.startswith(_LEGS)}, pelvis, held), root


_MOST_M = 0.12  # how far a foot is moved to meet the ground, for a stature of 1.7 m
_FOOT_DEG = 25.0  # how far a foot turns and rolls against its shank
_LEGS = ("hip.", "knee.", "ankle.", "toes.")


def _leg(skel: Skeleton, side: str, pelvis: np.ndarray, hip: np.ndarray, ankle: np.ndarray,
         facing: np.ndarray) -> dict[str, np.ndarray]:
    chain = (f"upperleg01.{side}", f"lowerleg01.{side}", f"foot.{side}")
    thigh, shank = reach(skel, hip, ankle, chain, facing, 1.0)
    swing, twist = split_twist(pelvis.T @ thigh)
    half = pelvis @ swing @ rotation(z=float(np.degrees(twist)) / 2)
    return {f"upperleg01.{side}": half, f"upperleg02.{side}": thigh, f"lowerleg01.{side}": shank}


def lower_foot(posed: Posture, side: str, drop: float) -> Posture:
    """The same posture with one foot ``drop`` metres lower (or as low as its leg reaches), its direction kept."""
    skel, pelvis = posed.skeleton, posed.turned[0]
    target = posed.at(f"foot.{side}") - np.array([0, 0, drop])
    hip = posed.at(f"upperleg01.{side}")
    facing = posed.of(f"lowerleg01.{side}") @ np.array([0, -1.0, 0.2])
    held = _leg(skel, side, pelvis, hip, target, facing)
    return hold(posed, held | {f"foot.{side}": posed.of(f"foot.{side}")})


def level_foot(posed: Posture, side: str) -> Posture:
    """The same posture with one foot's sole level, its direction kept."""
    ahead = posed.of(f"foot.{side}") @ np.array([0, -1.0, 0])
    return hold(posed, {f"foot.{side}": rotation(z=float(np.degrees(np.arctan2(ahead[0], -ahead[1]))))})


def ease_ankle(posed: Posture, side: str) -> Posture:
    """The same posture with one ankle brought back into its range of motion, which lifts heel or toes."""
    low, high = LIMITS["ankle.flexion"]
    shank = posed.of(f"lowerleg02.{side}")
    x, y, z = euler(shank.T @ posed.of(f"foot.{side}"))
    held = min(max(x, 1 - high), -1 - low), min(max(y, -_FOOT_DEG), _FOOT_DEG), min(max(z, -_FOOT_DEG), _FOOT_DEG)
    if held == (x, y, z):
        return posed
    return hold(posed, {f"foot.{side}": shank @ rotation(*held)})


def touch_down(posed: Posture, down: tuple[str, ...]) -> Posture:
    """Both feet that carry touch the same ground: the higher comes down as far as its leg reaches, the lower comes up, and
    an ankle that this would bend too far lifts its heel."""
    most = _MOST_M * posed.skeleton.rest.stature_m / 1.7
    for _ in range(3):
        heights = {side: lowest(posed, side) for side in "LR"}
        for side in down:
            posed = lower_foot(posed, side, min(heights[side] - min(heights[d] for d in down), most))
        heights = {side: lowest(posed, side) for side in "LR"}
        floor = max(heights[side] for side in down)
        for side in "LR":
            if heights[side] < floor:
                posed = lower_foot(posed, side, max(heights[side] - floor, -most))
            posed = ease_ankle(posed, side)
    return posed


def centre_of_mass(posed: Posture) -> np.ndarray:
    """(3,) in the frame of the posture's joints (root where it is at rest)."""
    total = sum(mass for *_, mass, _ in _MASS)
    return sum(mass * ((1 - f) * posed.at(a) + f * posed.at(b)) for _, a, b, mass, f in _MASS) / total


def skin(posed: Posture, vertices: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Positions of some base vertices, (n, 3), in the frame of the posture's joints. ``weights`` : (n, B), the model's, for
    those who have these vertices' at hand."""
    skel, m = posed.skeleton, model()
    linear = posed.turned @ skel.neutral
    shift = posed.joints - np.einsum("bij,bj->bi", linear, skel.heads)
    moves = np.concatenate([linear, shift[:, :, None]], axis=2).reshape(-1, 12).astype(np.float32)
    blended = ((m.weights[vertices] if weights is None else weights) @ moves).reshape(-1, 3, 4)
    return np.einsum("vij,vj->vi", blended[:, :, :3], skel.rest.vertices[vertices]) + blended[:, :, 3]


@cache
def soles(side: str) -> np.ndarray:
    """Base vertices of one foot's skin: (n,) int64."""
    region = model().region[:BODY_VERTICES]
    return np.flatnonzero(region == REGIONS.index(f"foot.{side}"))


@cache
def _sole_weights(side: str) -> np.ndarray:
    return model().weights[soles(side)]


@cache
def _arm_and_trunk_weights(side: str) -> np.ndarray:
    return model().weights[np.concatenate(_arm_and_trunk(side))]


def lowest(posed: Posture, side: str) -> float:
    """Height of the lowest point of one foot, in the frame of the posture's joints."""
    return float(skin(posed, soles(side), _sole_weights(side))[:, 2].min())


@cache
def _arm_and_trunk(side: str) -> tuple[np.ndarray, np.ndarray]:
    """A sample of base vertices: one arm from the middle of the upper arm on, and what it must not enter.

    The armpit is left out: there skin touches skin in every body.
    """
    m = model()
    template = m.arrays["template_vertices"][:BODY_VERTICES]
    shoulder, elbow = (m.arrays["template_heads"][m.bone(f"{b}.{side}")] for b in ("upperarm01", "lowerarm01"))
    along = (template - shoulder) @ (elbow - shoulder) / float((elbow - shoulder) @ (elbow - shoulder))
    region = m.region[:BODY_VERTICES]
    arm = np.flatnonzero(((region == REGIONS.index(f"upper_arm.{side}")) & (along > 0.5))
                         | np.isin(region, [REGIONS.index(f"{part}.{side}") for part in ("lower_arm", "hand")]))
    hand = region[arm] == REGIONS.index(f"hand.{side}")
    arm = np.concatenate([arm[~hand][::3], arm[hand][::8]])
    trunk = np.flatnonzero(np.isin(region, [REGIONS.index(n) for n in ("torso", "head", "upper_leg.L", "upper_leg.R")]))
    near = m.weights[trunk][:, [m.bone(f"{b}.{side}") for b in ("shoulder01", "upperarm01", "clavicle")]].sum(axis=1) > 0.1
    face = region[trunk] == REGIONS.index("head")
    return arm, np.concatenate([trunk[~near & ~face][::2], trunk[~near & face][::20]])


def arm_depth(posed: Posture, side: str) -> float:
    """How deep, in metres, the arm enters trunk, thighs or head; negative is the clearance (12 cm at most).

    Each arm point is measured along the normal of the nearest trunk point, over a sample of both. The soft upper arm may
    lie 1 cm deeper than forearm and hand for the same answer.
    """
    from scipy.spatial import cKDTree

    arm, trunk = _arm_and_trunk(side)
    both = skin(posed, np.concatenate([arm, trunk]), _arm_and_trunk_weights(side))
    points, wall = both[: len(arm)], both[len(arm):]
    turn = (posed.turned @ posed.skeleton.neutral)[model().main_bone[trunk]]
    normals = np.einsum("vij,vj->vi", turn, posed.skeleton.rest.normals[trunk])
    tree = cKDTree(wall, compact_nodes=False, balanced_tree=False)  # quick to build: it is asked once
    distance, nearest = tree.query(points, distance_upper_bound=0.12)
    close = np.isfinite(distance)
    height = ((points[close] - wall[nearest[close]]) * normals[nearest[close]]).sum(axis=1)
    # far from what is nearest and hardly behind it: past its edge
    beside = (distance[close] > 0.03) & (np.abs(height) < 0.5 * distance[close])
    height = np.where(beside, distance[close], height)
    height += np.where(model().region[arm[close]] == REGIONS.index(f"upper_arm.{side}"), 0.01, 0.0)
    return float(-height.min(initial=0.12))
