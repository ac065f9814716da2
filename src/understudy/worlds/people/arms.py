"""What arms and hands do: hanging, on the hip, reaching, waving, at the ear, folded in front, on the thighs.

An arm is either a set of joint angles, or a place for the wrist and a direction for the hand, reached by inverse
kinematics; both are moved outwards until they clear the body, however wide it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from understudy.errors import Unsatisfiable
from understudy.geometry.poses import cross
from understudy.key import Key
from understudy.worlds.people.body import BODY_VERTICES, REGIONS, model
from understudy.worlds.people.contact import arm_depth, skin
from understudy.worlds.people.grips import Grip, curled
from understudy.worlds.people.grips import grip as held_grip
from understudy.worlds.people.skeleton import Posture, clamp, hold, posture, reach, rotation, split_twist

# What both arms do together, by name: (left, right) when ``side`` is "L"; mirrored otherwise.
PATTERNS = {
    "hanging": ("hang", "hang"), "akimbo": ("hip", "hip"), "hand_on_hip": ("hip", "hang"), "reaching": ("reach", "hang"),
    "reaching_both": ("reach", "reach"), "waving": ("wave", "hang"), "arms_up": ("wave", "wave"), "phone": ("ear", "hang"),
    "hands_in_front": ("front", "front"), "hands_on_thighs": ("thigh", "thigh"), "bent": ("bend", "bend"),
    "spread": ("spread", "spread"), "texting": ("text", "hang"), "drinking": ("mouth", "hang"),
    "holding_cup": ("hold", "hang"), "carrying": ("carry", "hang"), "carrying_box": ("box", "box"),
    "hand_on_chin": ("chin", "front"), "steering": ("wheel", "wheel"), "cane": ("cane", "hang"),
}
TOUCH_M = 0.006  # how near skin an arm of angles may come before it is moved outwards
SOFT_M = 0.012  # how deep it may lie in soft skin where it cannot be moved further out
_PUSH_M = 0.008  # one step outwards of a hand that reaches for a place
_FLAT = ("hip", "thigh", "wave", "spread", "front")  # hands with nearly straight fingers
_HAND_M = 0.078  # from one hand to the other that lies on it
_SWING_M = 0.012  # about how far one step outwards (2.2 degrees) takes the middle of a hanging arm
_DOWN, _AHEAD = np.array([0, 0, -1.0]), np.array([0, -1.0, 0])


def angles(kind: str, side: str, key: Key) -> dict[str, float]:
    """Joint angles of one arm; for kinds that reach for a place, the angles from which the elbow's side is taken."""
    u = dict(zip(("elevation", "plane", "rotation", "elbow", "pronation", "wrist", "deviation", "rise"),
                 key.uniforms(8).tolist()))

    def between(name: str, low: float, high: float) -> float:
        return low + (high - low) * u[name]

    ranges = {  # elevation, plane, rotation, elbow, pronation
        "hang": ((4, 14), (-5, 60), (-30, 5), (6, 28), (0, 35)),
        "bend": ((8, 30), (20, 80), (-35, 10), (50, 110), (0, 50)),
        "reach": ((45, 115), (50, 105), (-30, 30), (5, 45), (-20, 60)),
        "wave": ((80, 140), (5, 55), (25, 75), (25, 100), (0, 60)),
        "spread": ((35, 100), (-15, 35), (-20, 20), (5, 40), (0, 60)),
        "hold": ((10, 28), (30, 75), (-40, -10), (75, 110), (-8, 10)),
        "cane": ((8, 16), (35, 70), (-20, 0), (14, 34), (5, 25)),
        "carry": ((9, 17), (0, 30), (-12, 5), (4, 14), (0, 15)),
    }.get(kind, ((10, 25), (20, 60), (-30, -10), (30, 60), (10, 40)))
    elevation, plane, turn, elbow, pronation = (
        between(name, *ends) for name, ends in zip(("elevation", "plane", "rotation", "elbow", "pronation"), ranges))
    lifted = max(0.0, elevation - 30)
    return {
        f"shoulder.elevation.{side}": elevation - 0.3 * lifted, f"clavicle.elevation.{side}": min(0.3 * lifted, 28.0),
        f"shoulder.plane.{side}": plane, f"shoulder.rotation.{side}": turn, f"elbow.flexion.{side}": elbow,
        f"forearm.pronation.{side}": pronation, f"wrist.flexion.{side}": between("wrist", -12, 18),
        f"wrist.deviation.{side}": between("deviation", -8, 8),
    } | fingers(side, key.child("fingers"), 0.5 if kind in _FLAT else 1.0) | curled(kind, side)


def fingers(side: str, key: Key, curl: float) -> dict[str, float]:
    """A relaxed hand: fingers bent more towards the little one, each a little on its own."""
    u = key.uniforms(6)
    base = (4 + 26 * u[0]) * curl
    out = {f"finger.curl.{f}.{side}": float(base + (f - 2) * 4 * curl + 7 * (u[f - 1] - 0.5)) for f in range(2, 6)}
    return {k: clamp(k, v) for k, v in out.items()} | {f"thumb.curl.{side}": float(20 * u[5] * curl)}


def settle(posed: Posture, kinds: dict[str, str], given: dict[str, float], key: Key) -> Posture:
    """Give both arms their places, and move them outwards until neither enters the body.

    Raises Unsatisfiable if an arm cannot be brought out of the body.
    """
    folded = set(kinds.values()) == {"front"}
    for side, kind in sorted(kinds.items(), reverse=folded):  # of folded hands the right one lies on the belly
        grip = _place(posed, side, kind, key.child(side))
        if folded and side == "L":
            ahead = posed.at("wrist.R")[1] - _HAND_M * posed.skeleton.rest.stature_m / 1.7
            grip = replace(grip, wrist=np.array([grip.wrist[0], min(grip.wrist[1], ahead), grip.wrist[2]]))
        allowed = -TOUCH_M if grip is None else 0.004
        step, best, best_depth = 0.0, posed, np.inf
        for _ in range(12):
            trial = _moved(posed, side, given, grip, step)
            depth = arm_depth(trial, side)
            if depth < best_depth:
                best, best_depth = trial, depth
            if depth < allowed:
                break
            step += min(max((depth - allowed) / (_SWING_M if grip is None else _PUSH_M), 0.8), 4.0)
        if best_depth > SOFT_M:
            raise Unsatisfiable("an arm does not get clear of the body", where=f"pose, arm {side} ({kind})",
                                wanted=f"at most {SOFT_M * 1000:.0f} mm inside", got=f"{best_depth * 1000:.0f} mm")
        posed = best
    return posed


def _moved(posed: Posture, side: str, given: dict[str, float], grip: Grip | None, step: float) -> Posture:
    """The posture with one arm ``step`` steps further out."""
    if grip is not None:
        return _reached(posed, side, grip, _PUSH_M * step)
    if step == 0:
        return posed
    plane, lift = f"shoulder.plane.{side}", f"shoulder.elevation.{side}"
    angles = dict(given)
    angles[lift] = clamp(lift, given[lift] + 2.2 * step)
    # outwards is sideways: an arm ahead or behind comes out of the trunk by swinging to the side
    angles[plane] = given[plane] * max(0.0, 1 - 0.1 * step)
    turned = posture(posed.skeleton, angles, posed.turned[0])
    arm = [b for b in model().bones if b.endswith(f".{side}") and not b.startswith(_NOT_ARM)]
    above = posed.of("spine01") @ turned.of("spine01").T
    return hold(posed, {b: above @ turned.of(b) for b in arm})


_NOT_ARM = ("pelvis", "upperleg", "lowerleg", "foot", "toe", "eye")


def _reached(posed: Posture, side: str, grip: Grip, out: float) -> Posture:
    skel = posed.skeleton
    chain = (f"upperarm01.{side}", f"lowerarm01.{side}", f"wrist.{side}")
    target = grip.wrist + out * grip.outwards
    upper, fore = reach(skel, posed.at(chain[0]), target, chain, grip.elbow, -1.0)
    above = posed.of(f"shoulder01.{side}")
    swing, twist = split_twist(above.T @ upper)
    half = above @ swing @ rotation(z=float(np.degrees(twist)) / 2)
    hand = _hand_rotation(side, grip)
    swing, twist = split_twist(fore.T @ hand)
    middle = fore @ rotation(z=float(np.degrees(twist)) / 2)
    return hold(posed, {f"upperarm01.{side}": half, f"upperarm02.{side}": upper, f"lowerarm01.{side}": fore,
                        f"lowerarm02.{side}": middle, f"wrist.{side}": hand})


def _hand_rotation(side: str, grip: Grip) -> np.ndarray:
    """The rotation that takes the neutral hand (fingers down, palm to the thigh) to the grip's directions."""
    inwards = np.array([-1.0 if side == "L" else 1.0, 0, 0])

    def frame(along: np.ndarray, facing: np.ndarray) -> np.ndarray:
        a = along / np.linalg.norm(along)
        b = facing - a * (facing @ a)
        b = b / np.linalg.norm(b)
        return np.stack([a, b, cross(a, b)], axis=1)

    return frame(grip.fingers, grip.palm) @ frame(_DOWN, inwards).T


def _place(posed: Posture, side: str, kind: str, key: Key) -> Grip | None:
    """Where a hand goes that reaches for a place on the body, or None for an arm of angles."""
    skel, s = posed.skeleton, 1.0 if side == "L" else -1.0
    size = skel.rest.stature_m / 1.7
    u = key.uniforms(4) - 0.5
    if kind == "hip":
        pelvis = posed.turned[0]
        crest = _widest(posed, side, posed.at("root")[2] + (0.05 + 0.03 * u[0]) * size)
        wrist = crest + pelvis @ np.array([s * 0.03, 0.035 + 0.02 * u[1], 0.035]) * size
        return Grip(wrist, pelvis @ np.array([s, 0.55 + 0.4 * u[2], -0.1]),
                     pelvis @ np.array([-s * 0.30, -0.75, -0.55]), pelvis @ np.array([-s, -0.1, -0.35]),
                     pelvis @ np.array([s, 0.1, 0.1]))
    if kind == "ear":
        head = posed.of("head")
        ear = posed.at("head") + head @ np.array([s * 0.075, -0.012, 0.045]) * size
        wrist = ear + head @ np.array([s * 0.055, -0.055, -0.085]) * size
        return Grip(wrist, np.array([s * (0.7 + 0.5 * u[0]), -0.5 + u[1], -1.0]),
                     head @ np.array([-s * 0.05, 0.38, 1.0]), head @ np.array([-s, 0.15, 0.1]),
                     head @ np.array([s, -0.35, -0.1]))
    if kind == "front":
        spine = posed.of("spine05")
        thighs = max(0.0, (posed.of("upperleg02.L") @ _DOWN)[1] * -1)  # 1 when they lie level: hands rest above them
        belly = _foremost(posed, posed.at("root")[2] + (0.06 + 0.05 * u[0] + 0.11 * thighs) * size)
        wrist = belly + spine @ np.array([s * 0.075, -0.045 - (0.03 if s > 0 else 0.0), 0.01]) * size
        return Grip(wrist, spine @ np.array([s * 1.0, 0.3, -0.15]), spine @ np.array([-s * 0.9, -0.12, -0.45]),
                     spine @ np.array([0, 1.0, -0.1]), spine @ np.array([s * 0.6, -0.5, 0.6]))
    if kind == "thigh":
        thigh = posed.of(f"upperleg02.{side}")
        along = posed.at(f"lowerleg01.{side}") - posed.at(f"upperleg01.{side}")
        top = thigh @ _AHEAD
        wrist = posed.at(f"upperleg01.{side}") + (0.62 + 0.16 * u[0]) * along + top * 0.10 * size + s * 0.01
        way = along / np.linalg.norm(along)
        return Grip(wrist, np.array([s * (0.8 + 0.6 * u[1]), 0.7, -0.4]), way + np.array([-s * 0.15, 0, -0.05]), -top,
                     top + 0.5 * way + np.array([s * 0.3, 0, 0]))
    front = 0.0
    if kind == "box":
        front = posed.at("root")[1] - _foremost(posed, posed.at("root")[2] + 0.1 * size)[1]
    return held_grip(posed, side, kind, u, front)


def _torso_slice(posed: Posture, height: float) -> np.ndarray:
    """Skin of the trunk within 2.5 cm of a height: (n, 3)."""
    points = skin(posed, np.flatnonzero(model().region[:BODY_VERTICES] == REGIONS.index("torso")))
    return points[np.abs(points[:, 2] - height) < 0.025]


def _widest(posed: Posture, side: str, height: float) -> np.ndarray:
    points = _torso_slice(posed, height)
    return points[np.argmax(points[:, 0] if side == "L" else -points[:, 0])]


def _foremost(posed: Posture, height: float) -> np.ndarray:
    points = _torso_slice(posed, height)
    front = points[np.argmin(points[:, 1])]
    return np.array([posed.at("root")[0], front[1], front[2]])
