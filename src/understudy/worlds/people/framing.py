"""Framing: from where the camera sees the figures, and where they stand.

The first figure is the subject: the shot says how large it is in the picture, from a portrait to a distant figure, and the
camera's distance, height and pitch follow. In a photograph the horizon is given, so there the pitch follows the horizon and
the camera's height the shot. The others stand around the subject, on the ground, never inside one another; how much they
hide of one another is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.fields import param
from understudy.geometry.cameras import level, pitch_to_horizon, project_camera, to_camera
from understudy.scene import Camera, Entity
from understudy.supports import Boolean, Interval, OneOf
from understudy.surroundings import Place
from understudy.values import LogUniform, Normal, Uniform, Value, Weighted

# Shot -> share of the picture's height that the subject's whole stature would span: least and most.
SHOTS = {"portrait": (2.2, 4.2), "half": (1.25, 2.0), "full": (0.6, 0.9), "distant": (0.2, 0.55),
         "far": (0.06, 0.2)}
GAP_M = 0.06  # between the footprints of two figures
_DIRECTIONS = 32
_CANDIDATES = 32
_LOWEST_CAMERA_M = 0.25
_NEAREST_M = 0.45


@dataclass(frozen=True)
class Framing:
    """How the figures are in the picture."""

    shot: Value = param(Weighted((("portrait", "portrait", 1.5), ("half", "half", 2.0), ("full", "full", 4.0),
                                  ("distant", "distant", 2.5))), OneOf(tuple(SHOTS)), "", "how near the subject is")
    size: Value = param(Uniform(0, 1), Interval(0, 1), "", "how large, from the shot's smallest to its largest")
    across: Value = param(Uniform(0.2, 0.8), Interval(0, 1), "", "where the subject is, 0 is left, 1 right")
    down: Value = param(Uniform(0, 1), Interval(0, 1), "", "how low in the picture the subject is, where there is room")
    cut_by_border: Value = param(Weighted((("no", False, 4.0), ("yes", True, 1.0))), Boolean(), "",
                                 "the left or right border cuts the subject")
    camera_height_m: Value = param(Normal(1.5, 0.25, 0.5, 2.4), Interval(0.1, 20), "m",
                                   "height of the camera, where the shot and the place leave it free")
    roll_deg: Value = param(Normal(0, 1.5, -6, 6), Interval(-45, 45), "degrees",
                            "roll of the camera, where no photograph is")
    in_focus: Value = param(Weighted((("yes", True, 15.0), ("no", False, 1.0))), Boolean(), "",
                            "the camera focuses on the subject; else at its own focus_m")
    facing_deg: Value = param(
        Weighted((("front", Normal(0, 22, -60, 60), 6.0), ("left", Uniform(45, 135), 1.3),
                  ("right", Uniform(-135, -45), 1.3), ("away", Uniform(135, 225), 1.2))), Interval(-360, 360), "degrees",
        "turn of a figure away from facing the camera, to its left")
    depth: Value = param(LogUniform(0.75, 1.7), Interval(0.2, 10), "", "distance of another figure over the subject's")
    overlap: Value = param(Weighted((("apart", 0.0, 3.0), ("some", Uniform(0.05, 0.7), 2.0))), Interval(0, 1), "",
                           "share of the smaller figure's box that another one's box should cover")


@dataclass(frozen=True)
class Spot:
    """Where a figure stands: x, y in metres and its heading (degrees counter-clockwise from +x, seen from above)."""

    x: float
    y: float
    heading_deg: float

    @property
    def to_world(self) -> np.ndarray:
        """(4, 4), from the stance frame (facing -y) to the world."""
        turn = math.radians(self.heading_deg + 90)
        out = np.eye(4)
        out[:2, :2] = [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
        out[:2, 3] = self.x, self.y
        return out


@dataclass(frozen=True)
class Shape:
    """What framing needs of a figure, in the stance frame.

    points : (n, 3) m, a sample of its surface with all extremes; eye_m : height of the eyes; footprint : (k, 2), points of
    the ground that it covers (a seat's corners too)
    """

    points: np.ndarray
    eye_m: float
    footprint: np.ndarray

    @property
    def height_m(self) -> float:
        return float(self.points[:, 2].max())


def arrange(draws: Draws, how: Framing, camera: Camera, place: Place,
            shapes: Sequence[Shape]) -> tuple[Camera, list[Spot]]:
    """The camera and a spot for each figure; the first is the subject.

    Each spot depends on the figures before it only. Raises Unsatisfiable when there is no room for one.
    """
    drawn = {name: draws(name, getattr(how, name)) for name in
             ("shot", "size", "across", "down", "cut_by_border", "camera_height_m", "roll_deg")}
    facing = [draws.each(i)("facing_deg", how.facing_deg) for i in range(len(shapes))]
    if not shapes:
        return replace(camera, to_world=_aimed(camera, place, drawn["camera_height_m"], 0.0, drawn["roll_deg"])), []
    low, high = SHOTS[drawn["shot"]]
    share = low * (high / low) ** drawn["size"]
    subject = shapes[0]
    lens = camera.lens
    wanted = max(lens.focal_px[1] * subject.height_m / (share * lens.size_wh[1]), _NEAREST_M)

    def seen_from(distance: float) -> tuple[Camera, Spot]:
        reached = lens.focal_px[1] * subject.height_m / (distance * lens.size_wh[1])
        aimed = replace(camera, to_world=_pose(camera, place, subject, reached, distance, drawn))
        return aimed, _subject_spot(aimed, place, subject, distance, facing[0], drawn)

    distance = _on_floor(wanted, place)
    if wanted < distance:  # nearer than the floor begins: allowed where nothing stands
        if clear(place.entities, subject, seen_from(wanted)[1]):
            distance = wanted
    camera, spot = seen_from(distance)
    if draws("in_focus", how.in_focus):  # a figure blurred before a sharp photograph teaches that people are blurred
        camera = replace(camera, optics=replace(camera.optics, focus_m=distance))
    draws.note("share_reached", round(lens.focal_px[1] * subject.height_m / (distance * lens.size_wh[1]), 4))
    draws.note("distance_m", round(distance, 4))
    spots = [spot]
    for i in range(1, len(shapes)):
        at = draws.each(i)
        spots.append(_beside(at, camera, place, shapes[: i + 1], spots, distance * at("depth", how.depth),
                             at("overlap", how.overlap), facing[i]))
    return camera, spots


def _on_floor(distance: float, place: Place) -> float:
    if place.floor_m is None:
        return distance
    near, far = max(place.floor_m[1], 0.0) + _NEAREST_M, place.floor_m[3] - _NEAREST_M
    if near > far:
        raise Unsatisfiable("the floor ahead of the camera is too small to stand on", where="framing", got=place.floor_m)
    return min(max(distance, near), far)


def clear(entities: Sequence[Entity], shape: Shape, spot: Spot) -> bool:
    """Whether a footprint keeps clear of the boxes around things (a room's shell, which holds the whole floor, aside)."""
    ground = shape.footprint @ spot.to_world[:2, :2].T + spot.to_world[:2, 3]
    low, high = ground.min(axis=0) - GAP_M, ground.max(axis=0) + GAP_M
    for entity in entities:
        ends = [(s.vertices.min(axis=0), s.vertices.max(axis=0)) for s in entity.surfaces]
        first, last = np.min([a for a, _ in ends], axis=0), np.max([b for _, b in ends], axis=0)
        around = (first[:2] < low).all() and (last[:2] > high).all() and (last[:2] - first[:2] > 2.0).all()
        if not around and first[2] < shape.height_m and (first[:2] < high).all() and (last[:2] > low).all():
            return False
    return True


def _pose(camera: Camera, place: Place, subject: Shape, share: float, distance: float, drawn: dict) -> np.ndarray:
    """Camera height and pitch that put the subject where the shot wants it."""
    lens = camera.lens
    near = drawn["shot"] in ("portrait", "half")
    tall = subject.height_m
    if near:  # the eyes are the target; the feet are out of the picture
        top = 0.06 + share * (tall - subject.eye_m) / tall
        target, at = subject.eye_m, top + (0.16 if drawn["shot"] == "portrait" else 0.10) * drawn["down"]
    else:  # the feet are the target
        lowest, highest = 0.955, min(share + 0.035, 0.955)
        target, at = 0.0, highest + (lowest - highest) * drawn["down"]
    if place.horizon is not None:
        # a point at the camera's height lies on the horizon, so its height over the target says how far below it that is
        height = target + (at - place.horizon) * tall / share
        usual = place.camera_height_m or drawn["camera_height_m"]
        if not near:  # keep the photograph's camera where the whole figure then fits
            feet = place.horizon + share * usual / tall
            if feet <= 0.97 and feet - share >= 0.02:
                height = usual
        return _aimed(camera, place, max(height, _LOWEST_CAMERA_M), 0.0, 0.0)
    height = place.camera_height_m or drawn["camera_height_m"]
    if near:  # photographers meet the eyes
        height = max(0.3 * height + 0.7 * subject.eye_m, _LOWEST_CAMERA_M)
    up = math.atan2(target - height, distance)
    below_centre = math.atan2(at * lens.size_wh[1] - lens.centre_px[1], lens.focal_px[1])
    return _aimed(camera, place, height, math.degrees(up + below_centre), drawn["roll_deg"])


def _aimed(camera: Camera, place: Place, height: float, pitch: float, roll: float) -> np.ndarray:
    if place.horizon is not None:
        pitch, roll = pitch_to_horizon(camera.lens, place.horizon), 0.0
    return level((0.0, 0.0, height), 0.0, pitch, roll)


def _subject_spot(camera: Camera, place: Place, subject: Shape, distance: float, facing: float, drawn: dict) -> Spot:
    width = camera.lens.size_wh[0]
    spot = Spot(_x_at(camera, drawn["across"] * width, distance), distance, -90.0)
    spot = _turned(spot, facing)
    left, _, right, _ = box(camera, subject, spot)
    if drawn["cut_by_border"]:  # a third to two thirds of the figure stay inside, and the trunk's middle always does
        inside = (1 / 3 + drawn["size"] / 3) * (right - left)
        middle = drawn["across"] * width
        shift = (min(width - inside - left, 0.97 * width - middle) if drawn["across"] >= 0.5
                 else max(inside - right, 0.03 * width - middle))
    elif right - left < 0.98 * width:
        shift = max(0.0, 0.01 * width - left) - max(0.0, right - 0.99 * width)
    else:
        shift = width / 2 - (left + right) / 2
    x = spot.x + shift * distance / camera.lens.focal_px[0]
    return replace(spot, x=_within(x, place, 0))


def _beside(draws: Draws, camera: Camera, place: Place, shapes: Sequence[Shape], spots: Sequence[Spot], distance: float,
            overlap: float, facing: float) -> Spot:
    """A spot for the last of ``shapes`` among ``spots``: of random candidates that are free, the one whose overlap with
    the others in the picture is nearest to what was drawn, and most of which is in the picture."""
    width, height = camera.lens.size_wh
    mine = shapes[-1]
    taken = [box(camera, shape, spot) for shape, spot in zip(shapes, spots)]
    best, best_cost = None, math.inf
    for i, (across, deeper) in enumerate(draws.key("candidates").uniforms(_CANDIDATES, 2)):
        back = 3.0 * (i / _CANDIDATES) ** 2  # where it is crowded in front there is room behind
        y = _on_floor(distance * (0.85 + 0.3 * deeper) + back, place)
        spot = _turned(Spot(_within(_x_at(camera, (1.2 * across - 0.1) * width, y), place, 0), y, -90.0), facing)
        if not all(apart(mine, spot, shape, other) for shape, other in zip(shapes, spots)):
            continue
        here = box(camera, mine, spot)
        hidden = max(_covered(here, other) for other in taken)
        seen = _covered(here, (0.0, 0.0, width, height), of_first=True)
        cost = abs(hidden - overlap) + 1.5 * max(0.0, 0.6 - seen) + 0.1 * back
        if cost < best_cost:
            best, best_cost = spot, cost
    if best is None:
        raise Unsatisfiable("there is no free ground for another figure", where="framing",
                            got=f"{len(spots)} figures and {_CANDIDATES} places tried")
    return best


def _turned(spot: Spot, facing: float) -> Spot:
    """The same spot, facing the camera but for ``facing`` degrees."""
    return replace(spot, heading_deg=math.degrees(math.atan2(-spot.y, -spot.x)) + facing)


def _within(value: float, place: Place, axis: int) -> float:
    if place.floor_m is None:
        return value
    return min(max(value, place.floor_m[axis] + 0.35), place.floor_m[axis + 2] - 0.35)


def _x_at(camera: Camera, u: float, y: float) -> float:
    return (u - camera.lens.centre_px[0]) / camera.lens.focal_px[0] * y


def box(camera: Camera, shape: Shape, spot: Spot) -> tuple[float, float, float, float]:
    """The figure's box in pixels (left, top, right, bottom), not cut by the picture.

    What comes nearer than subjects stand, such as a sitter's knees on both sides of the camera, counts as that far away.
    """
    local = to_camera(camera, shape.points @ spot.to_world[:3, :3].T + spot.to_world[:3, 3])
    local[:, 2] = np.maximum(local[:, 2], _NEAREST_M)
    pixels = project_camera(replace(camera.lens, distortion=(0.0,) * 5), local)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def px_per_m(camera: Camera, shape: Shape, spot: Spot) -> float:
    """Pixels to a metre across the line of sight, where the figure is nearest to the camera."""
    world = shape.points @ spot.to_world[:3, :3].T + spot.to_world[:3, 3]
    depth = (world - camera.to_world[:3, 3]) @ camera.to_world[:3, 2]
    return max(camera.lens.focal_px) / max(float(depth.min()), 0.1)


def _covered(a: Sequence[float], b: Sequence[float], *, of_first: bool = False) -> float:
    """Area common to two boxes over that of the smaller one (or of the first)."""
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (a, b)]
    return wide / max(areas[0] if of_first else min(areas), 1e-9)


def apart(a: Shape, at_a: Spot, b: Shape, at_b: Spot) -> bool:
    """Whether two figures' footprints are at least GAP_M apart along one of 32 directions (separating axes)."""
    angle = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    axes = np.stack([np.cos(angle), np.sin(angle)])
    first, second = (shape.footprint @ spot.to_world[:2, :2].T + spot.to_world[:2, 3]
                     for shape, spot in ((a, at_a), (b, at_b)))
    return bool(((second @ axes).min(axis=0) - (first @ axes).max(axis=0)).max() >= GAP_M)
