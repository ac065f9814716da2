"""Poses: what a figure does, drawn by name, anatomically possible and in touch with the ground.

A family decides legs and trunk, a pattern the arms; head, gaze and face come on top. Standing and sitting feet are planted
flat by inverse kinematics with the weight over them; walking and running follow gait curves and touch the ground with the
foot that carries.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from understudy.assets.motions import library
from understudy.draws import Draws
from understudy.errors import AssetError, Unsatisfiable
from understudy.fields import param, setting
from understudy.scene import AssetUse, Skipped
from understudy.supports import Boolean, Interval, OneOf, Text
from understudy.values import Choice, Normal, Uniform, Value, Weighted
from understudy.worlds.people import gait, mocap
from understudy.worlds.people.arms import PATTERNS, settle
from understudy.worlds.people.arms import angles as arm_angles
from understudy.worlds.people.body import BODY_VERTICES, REGIONS, PosedBody, RestBody, model, place
from understudy.worlds.people.body import pose as pose_body
from understudy.worlds.people.contact import Foot, centre_of_mass, lower_foot, lowest, plant, soles
from understudy.worlds.people.crouch import crouching, lunging
from understudy.worlds.people.face import EXPRESSIONS, actions
from understudy.worlds.people.grips import HELD, suited
from understudy.worlds.people.penetration import self_depth
from understudy.worlds.people.skeleton import Posture, Skeleton, clamp, hold, posture, rotation, skeleton, within_limits

DEPTH_M = 0.02  # how deep one part of a body may lie in another
CONTACT_M = 0.01  # a sole this near the ground carries
SEATS = ("block", "stool", "chair", "wheelchair")
FAMILIES = ("standing", "walking", "running", "sitting", "crouching", "lunging", "driving", "motion")


def _shares(**weights: float) -> Weighted:
    return Weighted(tuple((name, name, float(w)) for name, w in weights.items()))


@dataclass(frozen=True)
class Posing:
    """What the figure does."""

    family: Value = param(_shares(standing=6, walking=3, running=0.5, sitting=1.5, crouching=0.3), OneOf(FAMILIES), "",
                          "pose family; motion takes a frame of one of `motions`")
    motions: str | None = setting(None, Text("a folder of BVH or AMC files, or one file", optional=True, path=True), "",
                                  "motion files, as a source of poses for the family motion")
    moment: Value = param(Uniform(0, 1), Interval(0, 1), "", "which frame of a motion, from its first (0) to its last (1)")
    arms: Value = param(
        _shares(hanging=6, akimbo=1, hand_on_hip=1, reaching=1, reaching_both=0.5, waving=0.7, arms_up=0.3, phone=0.8,
                hands_in_front=1.2, bent=1.2, spread=0.4, texting=0.8, drinking=0.5, holding_cup=0.5, carrying=0.8,
                carrying_box=0.4, hand_on_chin=0.4, cane=0.6), OneOf(tuple(p for p in PATTERNS if p != "hands_on_thighs")),
        "", "what the arms do (walking, running and sitting mostly keep their own); no canes below 50 years, nothing in the "
        "hands of children below 6")
    arms_free: Value = param(Uniform(0, 1), Interval(0, 1), "",
                             "a walking or sitting figure follows `arms` instead of its family's arms when above 0.7")
    side: Value = param(Choice(("left", "right")), OneOf(("left", "right")), "", "side of a one-sided gesture")
    holds: Value = param(True, Boolean(), "", "hands hold what their pattern says (cup, phone, bag, box, wheel, cane)")
    seat: Value = param("auto", OneOf(("auto", *SEATS)), "", "what a sitting figure sits on; auto is seldom a wheelchair")
    crouch: Value = param(Uniform(0, 1), Interval(0, 1), "", "how low a crouching figure is")
    phase: Value = param(Uniform(0, 1), Interval(0, 1), "cycles", "moment of the gait cycle, from the left heel's strike")
    stride: Value = param(Uniform(0.65, 1.2), Interval(0.2, 1.4), "", "length of the stride over an average one")
    arm_swing: Value = param(Uniform(0.5, 1.4), Interval(0, 2), "", "how far arms swing over an average walker")
    stance_width: Value = param(Uniform(0.75, 1.9), Interval(0.6, 3), "hip widths", "distance between a stander's ankles")
    stagger: Value = param(Normal(0, 0.06, -0.2, 0.2), Interval(-0.3, 0.3), "statures", "how far the left foot is ahead")
    toes_out: Value = param(Uniform(-3, 18), Interval(-10, 30), "degrees", "how far feet point outwards")
    weight_shift: Value = param(Normal(0, 0.4, -1, 1), Interval(-1, 1), "", "weight on the left (1) or right (-1) leg")
    bend: Value = param(Normal(0, 6, -8, 35), Interval(-15, 45), "degrees", "forward bend of the trunk")
    lean: Value = param(Normal(0, 4, -14, 14), Interval(-20, 20), "degrees", "sideways bend of the trunk, to the left")
    twist: Value = param(Normal(0, 8, -28, 28), Interval(-30, 30), "degrees", "turn of the trunk, to the left")
    head_turn: Value = param(Normal(0, 22, -62, 62), Interval(-65, 65), "degrees", "turn of the head, to the left")
    head_nod: Value = param(Normal(-3, 8, -25, 30), Interval(-30, 40), "degrees", "nod of the head, down")
    head_tilt: Value = param(Normal(0, 5, -20, 20), Interval(-25, 25), "degrees", "tilt of the head, to the left")
    gaze_turn: Value = param(Normal(0, 9, -25, 25), Interval(-30, 30), "degrees", "turn of the eyes, to the left")
    gaze_nod: Value = param(Normal(1, 6, -15, 18), Interval(-20, 20), "degrees", "turn of the eyes, down")
    expression: Value = param(_shares(neutral=4, smile=3, laugh=1, talk=1.5, frown=0.7, surprise=0.4, squint=0.6),
                              OneOf(tuple(EXPRESSIONS)), "", "what the face does")
    expression_strength: Value = param(Uniform(0.25, 1), Interval(0, 1), "", "how much of it")
    blink: Value = param(Weighted((("open", 0.0, 12.0), ("half", Uniform(0.2, 0.7), 1.0), ("shut", 1.0, 0.6))),
                         Interval(0, 1), "", "how far the eyelids are closed")

    def check_assets(self) -> None:
        """AssetError where poses are to come from motion files and there are none."""
        if self.motions is not None:
            library(self.motions)
        elif "motion" in self.family.reach():
            raise AssetError("poses of the family motion need files", where="world.people.pose.motions", got="nothing",
                             wanted="a folder of BVH or AMC files", remedy="Name one, or leave motion out of pose.family")


@dataclass(frozen=True)
class Seat:
    """What a sitting figure sits on, in the stance frame: (x0, y0, x1, y1) m, its top's height, one of SEATS or "auto"."""

    rectangle_m: tuple[float, float, float, float]
    top_m: float
    kind: str = "auto"


@dataclass(frozen=True)
class Stance:
    """A posed body in the stance frame: facing -y, the ground z = 0, the middle of the hips above the origin.

    planted : sides whose foot stands on the ground ("L", "R"); held : what is held, and by the hand of which side
    """

    body: PosedBody
    family: str
    arms: str
    planted: tuple[str, ...]
    posture: Posture
    seat: Seat | None = None
    held: tuple[str, str] | None = None
    assets: tuple[AssetUse, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def sample(draws: Draws, rest: RestBody, how: Posing, age: float = 30.0) -> Stance:
    """Draw a pose for ``rest``; who is not a year old sits. Raises Unsatisfiable when the drawn values make an impossible
    one."""
    drawn = {name: draws(name, getattr(how, name)) for name in Posing.__dataclass_fields__ if name != "motions"}
    family = drawn["family"] if age >= 1 else "sitting"
    draws.note("family_used", family)
    skel = skeleton(rest)
    if family == "motion":
        taken = mocap.take(draws.at("motion"), how.motions, drawn["moment"], skel)
        posed = settle(taken.posed, {"L": "hang", "R": "hang"}, taken.angles, draws.key("grip"))
        stance = _finished(rest, posed, drawn, family, "as filmed", taken.planted, taken.sits, taken.asset, taken.skipped)
        depth, where = self_depth(stance.body)
        if depth > DEPTH_M:  # filmed on another body
            raise Unsatisfiable("the filmed pose drives this body into itself", where=taken.asset.name, got=where)
        return stance
    wanted = suited(drawn["arms"], family, age)
    own = {"sitting": "hands_on_thighs", "crouching": "hands_on_thighs", "lunging": "akimbo"}.get(family, "swinging")
    arms = wanted if family in ("standing", "driving") or drawn["arms_free"] > 0.7 else own
    key = draws.key("arms")
    angles = _head(drawn) | {"spine.flexion": drawn["bend"], "spine.bend": drawn["lean"], "spine.turn": drawn["twist"]}
    kinds = {}
    if arms != "swinging":
        first, second = PATTERNS[arms]
        left, right = (first, second) if drawn["side"] == "left" else (second, first)
        kinds = {"L": left, "R": right}
        if family == "driving":  # the free hand stays on the wheel
            kinds = {side: "wheel" if kind in ("hang", "front") else kind for side, kind in kinds.items()}
        for side, kind in kinds.items():
            angles |= arm_angles(kind, side, key.child(side))
        if "text" in kinds.values():  # who reads a telephone looks at it
            angles |= {"neck.flexion": clamp("neck.flexion", 20 + 0.4 * drawn["head_nod"])}
            angles |= {name: 0.25 * angles[name] for name in ("neck.turn", "neck.bend")}
        if {"mouth", "chin"} & set(kinds.values()):
            angles |= {name: 0.4 * angles[name] for name in ("neck.turn", "neck.bend")}
        if "ear" in kinds.values():  # who is on the phone does not look over a shoulder
            angles |= {name: 0.4 * angles[name] for name in ("neck.turn", "neck.bend", "neck.flexion")}
    else:
        kinds = {"L": "hang", "R": "hang"}
    posed, planted, angles = _FAMILY[family](skel, angles, drawn)
    posed = settle(posed, kinds, angles, key.child("grip"))
    stance = _finished(rest, posed, drawn, family, arms, planted, family in ("sitting", "driving"))
    holds = HELD.get(arms, "") if drawn["holds"] else ""
    holds = "" if holds == "wheel" and family == "driving" else holds  # it belongs to the car
    draws.note("held", holds)
    return replace(stance, held=(holds, drawn["side"][0].upper()) if holds else None)


def _finished(rest: RestBody, posed: Posture, drawn: dict, family: str, arms: str, planted: tuple[str, ...], sits: bool,
              asset: AssetUse | None = None, skipped: tuple[Skipped, ...] = ()) -> Stance:
    """The posture with gaze and face, its lowest sole on the ground, and what it sits on."""
    outside = within_limits(posed, slack=4.0)
    if outside:
        raise Unsatisfiable("a joint leaves its range of motion", where="pose", got="; ".join(outside[:3]))
    posed = _gaze(posed, drawn)
    body = pose_body(rest, posed.pose(actions(drawn["expression"], drawn["expression_strength"], drawn["blink"],
                                              drawn["gaze_turn"], drawn["gaze_nod"])))
    feet = planted or ("L", "R")
    if family == "motion":  # hands or knees may carry too
        ground = float(body.vertices[:BODY_VERTICES, 2].min())
    else:
        ground = min(float(body.vertices[soles(s), 2].min()) for s in feet)
    lift = np.eye(4)
    lift[2, 3] = -ground
    body = place(body, lift)
    if family == "motion":
        planted = tuple(s for s in planted if float(body.vertices[soles(s), 2].min()) <= CONTACT_M)
    seat = _seat(body, drawn["seat"]) if sits else None
    return Stance(body, family, arms, planted, posed, seat, None, () if asset is None else (asset,), skipped)


def _head(drawn: dict) -> dict[str, float]:
    level = -0.5 * drawn["bend"]  # who bends forward lifts the head
    return {"neck.turn": drawn["head_turn"], "neck.flexion": clamp("neck.flexion", drawn["head_nod"] + level),
            "neck.bend": drawn["head_tilt"]}


def _gaze(posed: Posture, drawn: dict) -> Posture:
    look = posed.of("head") @ rotation(x=drawn["gaze_nod"], z=drawn["gaze_turn"])
    return hold(posed, {"eye.L": look, "eye.R": look})


def _standing(skel: Skeleton, angles: dict[str, float], drawn: dict) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    rest = skel.rest
    hip = skel.length("upperleg01.L", "upperleg01.R")
    half, ahead = drawn["stance_width"] * hip / 2, drawn["stagger"] * rest.stature_m / 2
    shift = drawn["weight_shift"]
    pelvis = rotation(y=-2.5 * shift, z=0.35 * math.degrees(math.atan2(-2 * ahead, 4 * half)))
    angles = angles | {"spine.bend": clamp("spine.bend", angles["spine.bend"] + 2.5 * shift)}
    middle = np.array([0.55 * half * shift, 0.0, skel.heads[0][2] + rest.stature_m])
    balance = 0.0
    for _ in range(2):  # the second time the feet stand under the body's centre of mass
        feet = {"L": Foot(half, balance - ahead, drawn["toes_out"]), "R": Foot(-half, balance + ahead, drawn["toes_out"])}
        posed, root = plant(skel, angles, pelvis, middle, feet)
        # the ankles stand behind the middle of the feet by about a quarter of their length
        balance = float((centre_of_mass(posed) - posed.joints[0] + root)[1]) + 0.035 * rest.stature_m / 1.7
    return posed, ("L", "R"), angles


def _sitting(skel: Skeleton, angles: dict[str, float], drawn: dict) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    size = skel.rest.stature_m / 1.7
    thigh, shank = skel.length("upperleg01.L", "lowerleg01.L"), skel.length("lowerleg01.L", "foot.L")
    pelvis = rotation(x=-8.0)  # the pelvis rolls back on a seat
    angles = angles | {"spine.flexion": clamp("spine.flexion", angles["spine.flexion"] + 12.0)}
    knees = shank + 0.075 * size  # height of the knee over the ground with an upright shank
    slope = math.radians(3 + 10 * drawn["stride"])  # the thigh falls a little towards the hip or the knee
    height = knees - thigh * math.sin(slope) * (drawn["arm_swing"] - 1.0)
    forward = thigh * math.cos(slope) + 0.35 * drawn["stagger"] * size
    half = drawn["stance_width"] * skel.length("upperleg01.L", "upperleg01.R") / 2
    half = max(half, 0.5 * _thigh_width(skel))
    hips = np.mean([skel.at("upperleg01.L"), skel.at("upperleg01.R")], axis=0) - skel.heads[0]
    root = np.array([0.0, 0.0, height - (pelvis @ hips)[2]])
    ahead = drawn["stagger"] * skel.rest.stature_m / 2
    feet = {"L": Foot(half, -forward - ahead, drawn["toes_out"]), "R": Foot(-half, -forward + ahead, drawn["toes_out"])}
    posed, _ = plant(skel, angles, pelvis, root, feet)
    return posed, ("L", "R"), angles


def _thigh_width(skel: Skeleton) -> float:
    """Width of one thigh at rest, half way to the knee, m."""
    m = model()
    mine = np.flatnonzero(m.region[:BODY_VERTICES] == REGIONS.index("upper_leg.L"))
    points = skel.rest.vertices[mine]
    middle = 0.5 * (skel.at("upperleg01.L")[2] + skel.at("lowerleg01.L")[2])
    slab = points[np.abs(points[:, 2] - middle) < 0.03 * skel.rest.stature_m]
    return float(np.ptp(slab[:, 0]))


def _passing(skel: Skeleton) -> float:
    """Degrees by which each leg stands out so that wide thighs pass one another."""
    thigh, hips = skel.length("upperleg01.L", "lowerleg01.L"), skel.length("upperleg01.L", "upperleg01.R")
    short = max(_thigh_width(skel) - hips, 0.0)
    return min(math.degrees(math.asin(min(0.5 * short / (0.45 * thigh), 1.0))), 10.0)


def _walking(skel: Skeleton, angles: dict[str, float], drawn: dict) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    return _moving(skel, angles, drawn, gait.walk, gait.WALK_STANCE)


def _running(skel: Skeleton, angles: dict[str, float], drawn: dict) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    return _moving(skel, angles, drawn, gait.run, gait.RUN_STANCE)


def _moving(skel, angles, drawn, cycle, stance) -> tuple[Posture, tuple[str, ...], dict[str, float]]:
    steps = cycle(drawn["phase"], drawn["stride"], drawn["arm_swing"])
    steps |= {f"hip.abduction.{side}": _passing(skel) for side in "LR"}
    together = steps | {k: v for k, v in angles.items() if k not in steps}
    for name in ("spine.flexion", "spine.bend", "spine.turn", "neck.turn", "neck.flexion", "neck.bend"):
        together[name] = clamp(name, steps.get(name, 0.0) + (0.5 if name.startswith("spine") else 1.0) * angles.get(name, 0))
    arms = [k for k in angles if k.startswith(("shoulder", "elbow", "forearm", "wrist", "clavicle"))]
    together |= {k: angles[k] for k in arms}
    for side in ("L", "R"):
        for f in range(2, 6):
            together.setdefault(f"finger.curl.{f}.{side}", 22.0 + 4 * f)
    pelvis = rotation(x=3.0, z=-5.0 * drawn["stride"] * math.cos(2 * math.pi * drawn["phase"]))
    posed = posture(skel, together, pelvis)
    down = gait.feet_down(drawn["phase"], stance)
    if not down:  # in flight: the lower foot has just left the ground
        return posed, down, together
    for _ in range(2):  # carrying feet come down to the lowest one; where a leg is too short, that one comes up
        heights = {s: lowest(posed, s) for s in ("L", "R")}
        for side in down:
            posed = lower_foot(posed, side, heights[side] - min(heights.values()))
        heights = {s: lowest(posed, s) for s in ("L", "R")}
        floor = max(heights[s] for s in down)
        for side in ("L", "R"):
            posed = lower_foot(posed, side, min(0.0, heights[side] - floor))
    return posed, down, together


_FAMILY = {"standing": _standing, "sitting": _sitting, "walking": _walking, "running": _running,
           "crouching": crouching, "lunging": lunging, "driving": _sitting}


def _seat(body: PosedBody, kind: str) -> Seat:
    """A seat under the buttocks and the near half of the thighs, a centimetre pressed in."""
    m = model()
    region = m.region[:BODY_VERTICES]
    size = body.rest.stature_m / 1.7
    mine = np.isin(region, [REGIONS.index(n) for n in ("torso", "upper_leg.L", "upper_leg.R")])
    points = body.vertices[:BODY_VERTICES][mine]
    hip = (body.head("upperleg01.L") + body.head("upperleg01.R")) / 2
    under = points[(np.abs(points[:, 1] - hip[1]) < 0.2 * size) & (points[:, 2] < hip[2])]
    top = float(under[:, 2].min()) + 0.012 * size
    wide = max(0.19 * size, float(np.abs(under[:, 0]).max()) * 0.9)
    return Seat((-wide, float(hip[1]) - 0.24 * size, wide, float(points[:, 1].max()) + 0.02), top, kind)


def turned(stance: Stance, to_world: np.ndarray) -> Stance:
    """The same stance somewhere else: ``to_world`` (4, 4) moves the body; the seat stays in the stance frame."""
    return replace(stance, body=place(stance.body, to_world))
