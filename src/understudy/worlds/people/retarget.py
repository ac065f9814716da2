"""A frame of a foreign motion as joint angles of ours.

Bones keep their directions, whatever the two skeletons' lengths and rest poses; the twist of a limb comes from the bend of
its middle joint where it bends, and else from the file's rotations. Every angle is brought into its range of motion, and
the turn about the vertical is left out (framing decides where a figure faces).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from understudy.assets.motions import Clip
from understudy.errors import AssetError
from understudy.geometry.poses import cross
from understudy.worlds.people.joint_names import Names, named
from understudy.worlds.people.skeleton import LIMITS, Skeleton, arm_swing, euler, least_turn, rotation, split_twist, turn_to

_DOWN, _AHEAD, _LEFT, _UP = np.array([0, 0, -1.0]), np.array([0, -1.0, 0]), np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
_CONTACT = 0.06  # a foot this near the clip's floor, over the leg's length, is down
_STRAIGHT, _BENT = math.radians(6), math.radians(22)  # between these the bend of a limb takes over its twist


@dataclass(frozen=True)
class Frame:
    """One frame for one body.

    angles : degrees by joint motion; pelvis : (3, 3) turn of the body, facing -y; down : sides whose foot is on the ground
    flat : sides whose foot lies flat; clamped_deg : how far the angle furthest outside its range was brought back
    """

    angles: dict[str, float]
    pelvis: np.ndarray
    down: tuple[str, ...]
    flat: tuple[str, ...]
    clamped_deg: float


@lru_cache(maxsize=24)
def _bound(clip: Clip) -> tuple[Names, np.ndarray, float, float]:
    """Names of a clip's joints, the turn (3, 3) from its axes to ours, its floor's height and leg's length (its unit)."""
    names = named(clip)
    rest = clip.rest
    at = {part: rest[joint] for part, joint in names.at.items()}
    up = at["head"] - (at["thigh.L"] + at["thigh.R"]) / 2
    left = at["thigh.L"] - at["thigh.R"]
    if np.linalg.norm(left) < 1e-9 or np.linalg.norm(up) < 1e-9 or np.linalg.norm(cross(left, up)) < 1e-9:
        raise AssetError("the skeleton at rest has no size", where=clip.path,
                         remedy="Export it with its rest pose, or take the file out")
    up, left = _snapped(up / np.linalg.norm(up)), _snapped(left / np.linalg.norm(left))
    left = left - up * (left @ up)
    left /= np.linalg.norm(left)
    axes = np.stack([left, cross(up, left), up])
    feet = [j for part, j in names.at.items() if part.partition(".")[0] in ("foot", "toe")]
    feet += [j for j, parent in enumerate(clip.parents) if parent in feet]
    heights = clip.joints[:, feet] @ axes[2].astype(np.float32)
    floor = float(np.percentile(heights.min(axis=1), 2))
    leg = float(np.linalg.norm(at["thigh.L"] - at["shank.L"]) + np.linalg.norm(at["shank.L"] - at["foot.L"]))
    return names, axes, floor, leg


def _snapped(direction: np.ndarray) -> np.ndarray:
    """The coordinate axis next to a direction, or the direction itself where none is within 35 degrees."""
    k = int(np.argmax(np.abs(direction)))
    axis = np.zeros(3)
    axis[k] = np.sign(direction[k])
    return axis if abs(direction[k]) > math.cos(math.radians(35)) else direction


def frame(clip: Clip, number: int, skel: Skeleton) -> Frame:
    """Frame ``number`` of ``clip`` for the body of ``skel``. Raises AssetError where the skeleton is no person's."""
    names, axes, floor, leg = _bound(clip)
    turned = {part: axes @ clip.turned(number)[joint] @ axes.T for part, joint in names.turn.items()}
    joints = clip.joints[number].astype(float) @ axes.T
    rest = clip.rest @ axes.T
    at = {part: joints[joint] for part, joint in names.at.items()}
    still = {part: rest[joint] for part, joint in names.at.items()}
    angles: dict[str, float] = {}
    pelvis, chest, head = turned["pelvis"], turned["chest"], turned["head"]
    x, y, z = euler(pelvis.T @ chest)
    angles |= {"spine.flexion": x, "spine.bend": y, "spine.turn": z}
    x, y, z = euler(chest.T @ head)
    angles |= {"neck.flexion": x, "neck.bend": y, "neck.turn": z}
    flat, down = [], []
    for side, s in (("L", 1.0), ("R", -1.0)):
        _leg(angles, side, s, pelvis, turned, at, still, skel, names)
        _arm(angles, side, s, chest, turned, at, still, skel, names, clip, joints)
        soles = _sole(clip, names, side)
        low, at_rest = joints[soles, 2], rest[soles, 2]
        height = float((low - at_rest + at_rest.min()).min()) - floor
        if height < _CONTACT * leg:
            down.append(side)
            if float(np.ptp(low - at_rest)) < 0.05 * leg:
                flat.append(side)
    if not down:  # in the air: the lower foot comes down
        down = [min("LR", key=lambda side: float(joints[_sole(clip, names, side), 2].min()))]
    facing = pelvis @ _LEFT
    level = rotation(z=-math.degrees(math.atan2(facing[1], facing[0]))) @ pelvis
    kept = {name: _clamped(name, value) for name, value in angles.items()}
    worst = max(abs(kept[name] - value) for name, value in angles.items() if "plane" not in name)
    return Frame(kept, level, tuple(down), tuple(flat), round(worst, 1))


def _sole(clip: Clip, names: Names, side: str) -> list[int]:
    foot, toe = names.at[f"foot.{side}"], names.at.get(f"toe.{side}")
    if toe is None:
        toe = next((j for j, parent in enumerate(clip.parents) if parent == foot), foot)
    return [foot, toe]


def _clamped(name: str, value: float) -> float:
    low, high = LIMITS[".".join(name.split(".")[:2])]
    return min(max(value, low), high)


def _home(part: str, side: str, still: dict, skel: Skeleton, names: Names, toward: np.ndarray) -> np.ndarray:
    """(3, 3) from the neutral pose of ours to the file's rest pose, for one part of a limb."""
    if names.is_ours:
        bone = {"thigh": "upperleg02", "shank": "lowerleg01", "foot": "foot", "upperarm": "upperarm02",
                "forearm": "lowerarm01", "hand": "wrist"}[part]
        from understudy.worlds.people.body import model

        return skel.neutral[model().bone(f"{bone}.{side}")].T
    return least_turn(_DOWN, toward)


def _limb(upper: str, lower: str, end: str, side: str, bend: float, turned: dict, at: dict, still: dict, skel: Skeleton,
          names: Names) -> tuple[np.ndarray, float, np.ndarray]:
    """Turn of a limb's upper bone from neutral, the angle of its middle joint (radians), and its lower bone's direction."""
    a, b, c = (at[f"{part}.{side}"] for part in (upper, lower, end))
    first, second = (b - a) / np.linalg.norm(b - a), (c - b) / np.linalg.norm(c - b)
    toward = still[f"{lower}.{side}"] - still[f"{upper}.{side}"]
    source = turned[f"{upper}.{side}"] @ _home(upper, side, still, skel, names, toward)
    source = least_turn(source @ _DOWN, first) @ source
    angle = math.acos(float(np.clip(first @ second, -1, 1)))
    share = float(np.clip((angle - _STRAIGHT) / (_BENT - _STRAIGHT), 0, 1))
    if share > 0:
        hinge = turn_to(_DOWN, _LEFT, first, bend * cross(first, second))
        _, twist = split_twist(source.T @ hinge)
        source = source @ rotation(z=math.degrees(share * twist))
    return source, angle, second


def _leg(angles: dict[str, float], side: str, s: float, pelvis: np.ndarray, turned: dict, at: dict, still: dict,
         skel: Skeleton, names: Names) -> None:
    thigh, knee, _ = _limb("thigh", "shank", "foot", side, 1.0, turned, at, still, skel, names)
    x, y, z = euler(pelvis.T @ thigh)
    # the same turn said in two ways: a leg lifted sideways beyond 90 degrees, or turned round and lifted forwards
    ways = ((x, y, z), (_around(x + 180), _around(180 - y), _around(z + 180)))
    said = [{f"hip.flexion.{side}": -x, f"hip.abduction.{side}": -s * y, f"hip.rotation.{side}": s * z} for x, y, z in ways]
    angles |= min(said, key=lambda hip: sum(abs(_clamped(name, value) - value) for name, value in hip.items()))
    angles[f"knee.flexion.{side}"] = math.degrees(knee)
    shank = thigh @ rotation(x=math.degrees(knee))
    foot = turned[f"foot.{side}"]
    if names.is_ours:
        foot = foot @ _home("foot", side, still, skel, names, _DOWN)
    elif f"toe.{side}" in still:  # a foot that points outwards at rest
        ahead = still[f"toe.{side}"] - still[f"foot.{side}"]
        foot = foot @ rotation(z=math.degrees(math.atan2(ahead[0], -ahead[1])))
    angles[f"ankle.flexion.{side}"] = -euler(shank.T @ foot)[0]


def _arm(angles: dict[str, float], side: str, s: float, chest: np.ndarray, turned: dict, at: dict, still: dict,
         skel: Skeleton, names: Names, clip: Clip, joints: np.ndarray) -> None:
    arm, elbow, _ = _limb("upperarm", "forearm", "hand", side, -1.0, turned, at, still, skel, names)
    lifted = math.degrees(math.acos(float(np.clip(-(chest.T @ arm @ _DOWN)[2], -1, 1)))) - 30
    raised = min(max(0.3 * lifted, 0.0), 28.0)  # the collar bone takes its share of a lifted arm
    relative = (chest @ rotation(y=-s * raised)).T @ arm
    down = relative @ _DOWN
    elevation = math.acos(float(np.clip(-down[2], -1, 1)))
    plane = math.atan2(-down[1], s * down[0])
    low, high = (math.radians(end) for end in LIMITS["shoulder.plane"])
    _, twist = split_twist(arm_swing(elevation, min(max(plane, low), high), s).T @ relative)
    angles |= {f"clavicle.elevation.{side}": raised, f"shoulder.elevation.{side}": math.degrees(elevation),
               f"shoulder.plane.{side}": math.degrees(plane), f"shoulder.rotation.{side}": s * math.degrees(twist),
               f"elbow.flexion.{side}": math.degrees(elbow)}
    fore = arm @ rotation(x=-math.degrees(elbow))
    hand = names.at[f"hand.{side}"]
    along = joints[hand] - at[f"forearm.{side}"]
    knuckle = max((j for j, parent in enumerate(clip.parents) if parent == hand),
                  key=lambda j: float((joints[j] - joints[hand]) @ along), default=None)
    toward = still[f"hand.{side}"] - still[f"forearm.{side}"]
    held = turned[f"hand.{side}"] @ _home("hand", side, still, skel, names, toward)
    if knuckle is not None and not names.is_ours and np.linalg.norm(joints[knuckle] - joints[hand]) > 1e-6:
        way = joints[knuckle] - joints[hand]
        held = least_turn(held @ _DOWN, way / np.linalg.norm(way)) @ held
    x, y, z = _zxy(fore.T @ held)
    angles |= {f"forearm.pronation.{side}": -s * z, f"wrist.deviation.{side}": -x, f"wrist.flexion.{side}": s * y}


def _around(degrees: float) -> float:
    """The same angle in [-180, 180)."""
    return (degrees + 180) % 360 - 180


def _zxy(r: np.ndarray) -> tuple[float, float, float]:
    """Degrees (x, y, z) with r = Z(z) · X(x) · Y(y)."""
    return (math.degrees(math.asin(float(np.clip(r[2, 1], -1, 1)))), math.degrees(math.atan2(-r[2, 0], r[2, 2])),
            math.degrees(math.atan2(-r[0, 1], r[1, 1])))
