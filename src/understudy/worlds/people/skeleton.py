"""Joint angles: from anatomical angles to a pose of any body, and back.

Everything is measured from the **neutral pose** of the body itself: upright, arms hanging with the palms towards the thighs,
legs vertical, feet flat and pointing ahead (Wu et al., *ISB recommendation on definitions of joint coordinate systems*,
J. Biomech. 2002 and 2005, simplified to one order of rotations per joint). Angles are degrees; a name is
``joint.motion`` or, for a limb, ``joint.motion.L`` / ``.R`` of the subject's own side. Positive means the motion's name:
``hip.flexion`` lifts the knee forward, ``hip.abduction`` moves the leg away from the midline, ``hip.rotation`` and
``shoulder.rotation`` turn outwards, ``spine.turn`` and ``neck.turn`` turn to the subject's left, ``spine.bend`` and
``neck.bend`` lean to the left, ``forearm.pronation`` turns the palm backwards. The upper arm is lifted by
``shoulder.elevation`` (0 hangs) in the ``shoulder.plane`` (0 sideways, 90 forward, -60 behind the back).

Axes: x to the subject's left, y backwards, z up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from understudy.geometry.poses import cross
from understudy.worlds.people.body import Pose, RestBody, model

# Ranges of motion in degrees: American Academy of Orthopaedic Surgeons' normal values (Norkin & White, Measurement of
# Joint Motion, 5th ed., 2016, appendix A), a little narrower where everyday poses never go.
LIMITS: dict[str, tuple[float, float]] = {
    "spine.flexion": (-25, 65), "spine.bend": (-30, 30), "spine.turn": (-35, 35),
    "neck.flexion": (-45, 45), "neck.bend": (-35, 35), "neck.turn": (-70, 70),
    "clavicle.elevation": (-5, 30), "clavicle.protraction": (-15, 25),
    "shoulder.elevation": (0, 170), "shoulder.plane": (-60, 135), "shoulder.rotation": (-95, 95),
    "elbow.flexion": (0, 148), "forearm.pronation": (-85, 85), "wrist.flexion": (-65, 75), "wrist.deviation": (-22, 35),
    "hip.flexion": (-22, 122), "hip.abduction": (-28, 45), "hip.rotation": (-42, 45), "knee.flexion": (0, 138),
    "ankle.flexion": (-48, 28), "toes.extension": (-30, 60), "finger.curl": (-5, 95), "finger.spread": (0, 12),
    "thumb.curl": (-10, 60),
}

_SPINE = {"spine05": 0.15, "spine04": 0.2, "spine03": 0.25, "spine02": 0.25, "spine01": 0.15}
_NECK = {"neck01": 0.2, "neck02": 0.2, "neck03": 0.2, "head": 0.4}
# At rest the model's fingers are spread; these turns (degrees, by finger) lay them side by side.
_TOGETHER = {2: 5.0, 3: 0.0, 4: -4.0, 5: -9.0}
_DOWN, _AHEAD, _LEFT = np.array([0, 0, -1.0]), np.array([0, -1.0, 0]), np.array([1.0, 0, 0])


@dataclass(frozen=True)
class Skeleton:
    """One body's joints and neutral pose.

    heads : (B, 3) joints at rest; parents : (B,); neutral : (B, 3, 3) rotation of each bone from rest to neutral
    """

    rest: RestBody
    heads: np.ndarray
    neutral: np.ndarray

    def at(self, bone: str) -> np.ndarray:
        return self.heads[model().bone(bone)]

    def length(self, a: str, b: str) -> float:
        """Distance between two joints at rest, m."""
        return float(np.linalg.norm(self.at(a) - self.at(b)))


@dataclass(frozen=True)
class Posture:
    """Global rotations of all bones relative to the neutral pose, ``turned`` (B, 3, 3), and ``joints`` (B, 3), with the
    pelvis's joint (``root``) where it is at rest."""

    skeleton: Skeleton
    turned: np.ndarray
    joints: np.ndarray

    def at(self, bone: str) -> np.ndarray:
        return self.joints[model().bone(bone)]

    def of(self, bone: str) -> np.ndarray:
        """(3, 3) rotation of ``bone`` relative to its neutral pose."""
        return self.turned[model().bone(bone)]

    def pose(self, actions: Mapping[str, float] | None = None) -> Pose:
        """The rotations that ``body.pose`` wants."""
        m, rest = model(), self.skeleton.rest
        reference = m.arrays["reference_orientations"]
        absolute = self.turned @ self.skeleton.neutral @ rest.orientations @ reference.transpose(0, 2, 1)
        local = absolute.copy()
        parents = np.array(m.parents[1:])
        local[1:] = absolute[parents].transpose(0, 2, 1) @ absolute[1:]
        return Pose(local, dict(actions or {}))


def skeleton(rest: RestBody) -> Skeleton:
    """The joints of ``rest`` and its neutral pose."""
    m = model()
    heads = rest.heads
    neutral = np.tile(np.eye(3), (len(m.bones), 1, 1))

    def at(name: str) -> np.ndarray:
        return heads[m.bone(name)]

    for side, inwards in (("L", -_LEFT), ("R", _LEFT)):
        upper = at(f"lowerarm01.{side}") - at(f"upperarm01.{side}")
        fore = at(f"wrist.{side}") - at(f"lowerarm01.{side}")
        hand = at(f"finger3-1.{side}") - at(f"wrist.{side}")
        thumbwards = at(f"finger2-1.{side}") - at(f"finger5-1.{side}")
        hinge = cross(upper, fore)  # at rest the elbow is bent by about 40 degrees, so the hinge is well defined
        _set(neutral, f"upperarm01.{side}", turn_to(upper, hinge, _DOWN, -_LEFT))
        forearm = turn_to(fore, hinge, _DOWN, -_LEFT)
        _set(neutral, f"lowerarm01.{side}", forearm)
        palm = cross(hand, thumbwards) if side == "L" else cross(thumbwards, hand)
        hand_turn = turn_to(hand, palm, _DOWN, inwards)
        _set(neutral, f"wrist.{side}", hand_turn)
        _, twist = split_twist(hand_turn @ forearm.T)
        neutral[m.bone(f"lowerarm02.{side}")] = _z(twist / 2) @ forearm
        for a, b in (("upperleg01", "lowerleg01"), ("lowerleg01", "foot")):
            _set(neutral, f"{a}.{side}", least_turn(at(f"{b}.{side}") - at(f"{a}.{side}"), _DOWN))
        _set(neutral, f"foot.{side}", np.eye(3))
    return Skeleton(rest, heads, neutral)


def _set(neutral: np.ndarray, bone: str, rotation: np.ndarray) -> None:
    """Give a bone and everything that hangs from it the same rotation from rest."""
    neutral[list(_below(bone))] = rotation


@cache
def _below(bone: str) -> tuple[int, ...]:
    m = model()
    found = {m.bone(bone)}
    for i, parent in enumerate(m.parents):
        if parent in found:
            found.add(i)
    return tuple(sorted(found))


def posture(skel: Skeleton, angles: Mapping[str, float], pelvis: np.ndarray | None = None,
            held: Mapping[str, np.ndarray] | None = None) -> Posture:
    """Put joint angles on a skeleton.

    angles : degrees by name; what is missing is 0; a name that is no joint motion is a KeyError
    pelvis : (3, 3) rotation of the whole body, held : global rotations (relative to neutral) by bone, which override angles
    """
    m = model()
    local = _local_rotations(angles)
    turned = np.zeros((len(m.bones), 3, 3))
    turned[0] = np.eye(3) if pelvis is None else pelvis
    fixed = {m.bone(name): rotation for name, rotation in (held or {}).items()}
    for bone, parent in enumerate(m.parents[1:], start=1):
        if bone in fixed:
            turned[bone] = fixed[bone]
        else:
            turned[bone] = turned[parent] @ local[bone] if bone in local else turned[parent]
    return Posture(skel, turned, _joints(skel, turned))


def hold(posed: Posture, held: Mapping[str, np.ndarray]) -> Posture:
    """The same posture with some bones' global rotations replaced; what hangs from them follows rigidly."""
    m = model()
    turned = posed.turned.copy()
    fixed = {m.bone(name): value for name, value in held.items()}
    for bone in sorted({below for name in held for below in _below(name)}):
        parent = m.parents[bone]
        turned[bone] = fixed[bone] if bone in fixed else turned[parent] @ posed.turned[parent].T @ posed.turned[bone]
    return replace(posed, turned=turned, joints=_joints(posed.skeleton, turned))


def _joints(skel: Skeleton, turned: np.ndarray) -> np.ndarray:
    """(B, 3) joints of global rotations: each follows its parent's bone; the root stays where it is at rest."""
    parents = np.array((0, *model().parents[1:]))
    offsets = np.einsum("bij,bj->bi", (turned @ skel.neutral)[parents], skel.heads - skel.heads[parents])
    joints = offsets
    joints[0] = skel.heads[0]
    for bone, parent in enumerate(model().parents[1:], start=1):
        joints[bone] += joints[parent]
    return joints


def _local_rotations(angles: Mapping[str, float]) -> dict[int, np.ndarray]:
    given = dict(angles)

    def take(name: str) -> float:
        return math.radians(given.pop(name, 0.0))

    by_bone: dict[str, np.ndarray] = {}
    for joint, shares in (("spine", _SPINE), ("neck", _NECK)):
        flexion, bend, turn = (take(f"{joint}.{motion}") for motion in ("flexion", "bend", "turn"))
        for bone, share in shares.items():
            by_bone[bone] = _x(share * flexion) @ _y(share * bend) @ _z(share * turn)
    for side, s in (("L", 1.0), ("R", -1.0)):
        by_bone[f"clavicle.{side}"] = (_y(-s * take(f"clavicle.elevation.{side}"))
                                       @ _z(-s * take(f"clavicle.protraction.{side}")))
        swing = arm_swing(take(f"shoulder.elevation.{side}"), take(f"shoulder.plane.{side}"), s)
        twist = s * take(f"shoulder.rotation.{side}")
        by_bone[f"upperarm01.{side}"], by_bone[f"upperarm02.{side}"] = swing @ _z(twist / 2), _z(twist / 2)
        by_bone[f"lowerarm01.{side}"] = _x(-take(f"elbow.flexion.{side}"))
        pronation = -s * take(f"forearm.pronation.{side}")
        by_bone[f"lowerarm02.{side}"] = _z(pronation / 2)
        by_bone[f"wrist.{side}"] = (_z(pronation / 2) @ _x(-take(f"wrist.deviation.{side}"))
                                    @ _y(s * take(f"wrist.flexion.{side}")))
        for finger in range(2, 6):
            curl = take(f"finger.curl.{finger}.{side}")
            together = math.radians(_TOGETHER[finger]) - (3 - finger) * take(f"finger.spread.{finger}.{side}")
            for joint, share in ((1, 0.9), (2, 1.0), (3, 0.6)):
                by_bone[f"finger{finger}-{joint}.{side}"] = _y(s * curl * share)
            by_bone[f"finger{finger}-1.{side}"] = _x(together) @ by_bone[f"finger{finger}-1.{side}"]
        thumb = take(f"thumb.curl.{side}")
        for joint, share in ((1, 0.3), (2, 0.8), (3, 1.0)):
            by_bone[f"finger1-{joint}.{side}"] = _y(s * thumb * share * 0.6) @ _x(thumb * share * 0.5)
        swing = _x(-take(f"hip.flexion.{side}")) @ _y(-s * take(f"hip.abduction.{side}"))
        twist = s * take(f"hip.rotation.{side}")
        by_bone[f"upperleg01.{side}"], by_bone[f"upperleg02.{side}"] = swing @ _z(twist / 2), _z(twist / 2)
        by_bone[f"lowerleg01.{side}"] = _x(take(f"knee.flexion.{side}"))
        by_bone[f"foot.{side}"] = _x(-take(f"ankle.flexion.{side}"))
        toes = -take(f"toes.extension.{side}")
        for toe in range(1, 6):
            by_bone[f"toe{toe}-1.{side}"] = _x(toes)
    if given:
        raise KeyError(f"no joint has the motion {min(given)!r}")
    m = model()
    return {m.bone(name): rotation for name, rotation in by_bone.items()}


def arm_swing(elevation: float, plane: float, s: float) -> np.ndarray:
    """The shortest turn of a hanging arm to an elevation in a plane (radians; ``s`` is +1 on the left side)."""
    sideways = np.array([s * math.cos(plane), -math.sin(plane), 0.0])
    return least_turn(_DOWN, math.cos(elevation) * _DOWN + math.sin(elevation) * sideways)


def angles_of(posture: Posture) -> dict[str, float]:
    """Joint angles of a posture in degrees, by the names of :data:`LIMITS` (fingers and toes left out)."""
    def relative(bone: str, parent: str) -> np.ndarray:
        return posture.of(parent).T @ posture.of(bone)

    found: dict[str, float] = {}
    for joint, top, bottom in (("spine", "spine01", "root"), ("neck", "head", "spine01")):
        flexion, bend, turn = euler(relative(top, bottom))
        found |= {f"{joint}.flexion": flexion, f"{joint}.bend": bend, f"{joint}.turn": turn}
    for side, s in (("L", 1.0), ("R", -1.0)):
        clavicle = relative(f"clavicle.{side}", "spine01")
        found[f"clavicle.elevation.{side}"] = -s * euler(clavicle)[1]
        x, y, z = euler(relative(f"upperleg02.{side}", "root"))
        found |= {f"hip.flexion.{side}": -x, f"hip.abduction.{side}": -s * y, f"hip.rotation.{side}": s * z}
        arm = relative(f"upperarm02.{side}", f"clavicle.{side}")
        down = arm @ _DOWN
        elevation = math.acos(float(np.clip(-down[2], -1, 1)))
        _, twist = split_twist(least_turn(_DOWN, down).T @ arm)
        found[f"shoulder.elevation.{side}"] = math.degrees(elevation)
        found[f"shoulder.rotation.{side}"] = s * math.degrees(twist)
        if elevation > math.radians(20):  # a hanging arm has no plane
            found[f"shoulder.plane.{side}"] = math.degrees(math.atan2(-down[1], s * down[0]))
        found[f"elbow.flexion.{side}"] = -euler(relative(f"lowerarm01.{side}", f"upperarm02.{side}"))[0]
        found[f"knee.flexion.{side}"] = euler(relative(f"lowerleg01.{side}", f"upperleg02.{side}"))[0]
        found[f"ankle.flexion.{side}"] = -euler(relative(f"foot.{side}", f"lowerleg02.{side}"))[0]
        twist = relative(f"wrist.{side}", f"lowerarm01.{side}")
        swing_axis = twist @ _DOWN
        found[f"wrist.flexion.{side}"] = math.degrees(math.acos(np.clip(swing_axis @ _DOWN, -1, 1)))
    return found


def within_limits(posture: Posture, slack: float = 0.5) -> list[str]:
    """What lies outside its range of motion by more than ``slack`` degrees: short texts, none if all is well."""
    out = []
    for name, value in angles_of(posture).items():
        low, high = LIMITS[".".join(name.split(".")[:2])]
        if not low - slack <= value <= high + slack:
            out.append(f"{name} {value:.0f} not in [{low}, {high}]")
    return out


def clamp(name: str, degrees: float) -> float:
    """``degrees`` brought into the range of motion of ``name``."""
    low, high = LIMITS[".".join(name.split(".")[:2])]
    return min(max(degrees, low), high)


def reach(skel: Skeleton, start: np.ndarray, target: np.ndarray, chain: tuple[str, str, str], pole: np.ndarray,
          bend: float) -> tuple[np.ndarray, np.ndarray]:
    """Two-bone inverse kinematics: rotations (relative to neutral) of the upper and the lower bone.

    start, target : (3,) where the chain begins and should end; chain : the three joints' bones; pole : direction to which
    the middle joint points; bend : +1 if the lower bone bends backwards (knee), -1 forwards (elbow). A target out of reach
    is approached along its direction.
    """
    upper, lower = skel.length(chain[0], chain[1]), skel.length(chain[1], chain[2])
    way = target - start
    distance = float(np.clip(np.linalg.norm(way), abs(upper - lower) + 1e-4, upper + lower - 1e-4))
    way = way / np.linalg.norm(way)
    cosine = (upper**2 + distance**2 - lower**2) / (2 * upper * distance)
    side = pole - way * (pole @ way)
    side = side / np.linalg.norm(side)
    middle = start + upper * (cosine * way + math.sqrt(max(0.0, 1 - cosine**2)) * side)
    end = start + distance * way
    hinge = cross(side, way) * bend  # the axis that points to the body's left in the neutral pose
    return turn_to(_DOWN, _LEFT, middle - start, hinge), turn_to(_DOWN, _LEFT, end - middle, hinge)


def split_twist(relative: np.ndarray) -> tuple[np.ndarray, float]:
    """A rotation as swing · twist about z: the swing (3, 3) and the twist in radians."""
    twist = math.atan2(relative[1, 0] - relative[0, 1], relative[0, 0] + relative[1, 1])
    return relative @ _z(-twist), twist


def euler(r: np.ndarray) -> tuple[float, float, float]:
    """Degrees (x, y, z) with r = X(x) · Y(y) · Z(z)."""
    return (math.degrees(math.atan2(-r[1, 2], r[2, 2])), math.degrees(math.asin(float(np.clip(r[0, 2], -1, 1)))),
            math.degrees(math.atan2(-r[0, 1], r[0, 0])))


def _x(a: float) -> np.ndarray:
    c, s = math.cos(a), math.sin(a)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _y(a: float) -> np.ndarray:
    c, s = math.cos(a), math.sin(a)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _z(a: float) -> np.ndarray:
    c, s = math.cos(a), math.sin(a)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def rotation(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    """X(x) · Y(y) · Z(z) for degrees: (3, 3)."""
    return _x(math.radians(x)) @ _y(math.radians(y)) @ _z(math.radians(z))


def _frame(along: np.ndarray, across: np.ndarray) -> np.ndarray:
    a = along / np.linalg.norm(along)
    b = across - a * (across @ a)
    b = b / np.linalg.norm(b)
    return np.stack([a, b, cross(a, b)], axis=1)


def turn_to(along: np.ndarray, across: np.ndarray, to_along: np.ndarray, to_across: np.ndarray) -> np.ndarray:
    """The rotation that takes ``along`` to ``to_along`` and ``across`` as near as it can to ``to_across``."""
    return _frame(to_along, to_across) @ _frame(along, across).T


def least_turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation of smallest angle that takes direction ``a`` to ``b`` (not opposite ones)."""
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    v, c = cross(a, b), float(a @ b)
    k = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    return np.eye(3) + k + k @ k / (1 + c)
