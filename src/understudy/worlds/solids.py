"""Solids: spheres, boxes, cylinders, cones, rings and capsules on the ground under domain randomisation.

Everything varies (how many, which, sizes, places, colours, patterns, lights, distractors), so a detector trained on it has
only shape to hold on to (Tobin et al., *Domain randomization for transferring deep neural networks*, IROS 2017). Solids
stand on the ground and never run into one another.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.fields import group, one_of, param
from understudy.geometry import primitives
from understudy.geometry.cameras import level, pitch_to_horizon
from understudy.geometry.poses import apply, rotation, translation
from understudy.key import Key
from understudy.scene import (
    PART_ID,
    Camera,
    Entity,
    Environment,
    Ground,
    Keypoints,
    Material,
    Scene,
    Sun,
    Surface,
    Texture,
)
from understudy.supports import Integers as WholeNumbers
from understudy.supports import Interval, OneOf
from understudy.surroundings import FIRST_ENTITY_ID, SURROUNDINGS, Place, Surroundings
from understudy.values import Choice, Integers, LogUniform, Uniform, Value, Weighted

SHAPES = ("sphere", "box", "cylinder", "cone", "ring", "capsule")
PATTERNS = ("plain", "checks", "stripes", "dots", "speckle")
CORNERS = tuple(f"{x}_{y}_{z}" for x in ("left", "right") for y in ("near", "far") for z in ("bottom", "top"))


@dataclass(frozen=True)
class Paint:
    """What a thing's surface looks like."""

    hue: Value = param(Uniform(0, 1), Interval(0, 1), "", "hue, 0 and 1 are red")
    saturation: Value = param(Uniform(0.0, 0.9), Interval(0, 1), "", "saturation")
    value: Value = param(Uniform(0.15, 0.9), Interval(0, 1), "", "brightness")
    pattern: Value = param(Weighted((("plain", "plain", 3), *((p, p, 1) for p in PATTERNS[1:]))), OneOf(PATTERNS), "",
                           "what is painted on it")
    repeat: Value = param(Integers(1, 8), WholeNumbers(1, 64), "", "how often the pattern repeats")
    roughness: Value = param(Uniform(0.15, 0.95), Interval(0.02, 1), "", "0 mirrors, 1 is matt")
    metallic: Value = param(Weighted((("0", 0.0, 5), ("1", 1.0, 1))), Interval(0, 1), "", "1 is metal")

    def sample(self, draws: Draws) -> Material:
        hsv = [float(draws(n, getattr(self, n))) for n in ("hue", "saturation", "value")]
        pattern, repeat = draws("pattern", self.pattern), draws("repeat", self.repeat)
        roughness, metallic = draws("roughness", self.roughness), draws("metallic", self.metallic)
        srgb = np.array(colorsys.hsv_to_rgb(*hsv))
        if pattern == "plain":
            base = tuple(float(c) for c in np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4))
        else:
            base = Texture(painted(pattern, repeat, srgb, draws.key("paint")))
        return Material(base, roughness=roughness, metallic=metallic)


@dataclass(frozen=True)
class Light:
    """Sky and sun, where the surroundings bring none."""

    sky: Value = param(LogUniform(0.2, 1.2), Interval(0, 100), "", "radiance of the sky")
    warmth: Value = param(Uniform(-0.3, 0.3), Interval(-1, 1), "", "the sky's colour, from blue (-1) to yellow (1)")
    sun: Value = param(Weighted((("0", 0.0, 1), ("0.5-5", LogUniform(0.5, 5.0), 3))), Interval(0, 1000), "",
                       "irradiance of the sun; 0 is an overcast sky")
    sun_height_deg: Value = param(Uniform(12, 75), Interval(1, 90), "degrees", "the sun's height")
    sun_heading_deg: Value = param(Uniform(0, 360), Interval(0, 360), "degrees", "where the sun stands; 0 is ahead, 90 left")

    def sample(self, draws: Draws) -> tuple[Environment, Sun | None]:
        sky, warmth = draws("sky", self.sky), draws("warmth", self.warmth)
        strength = draws("sun", self.sun)
        height = math.radians(draws("sun_height_deg", self.sun_height_deg))
        heading = math.radians(draws("sun_heading_deg", self.sun_heading_deg))
        up = np.cos((np.arange(16) + 0.5) / 16 * np.pi)[:, None, None]  # 1 at the zenith
        tint = np.array([1 + 0.4 * warmth, 1.0, 1 - 0.4 * warmth])
        radiance = sky * np.where(up > 0, 0.6 + 0.4 * (1 - up) ** 3, 0.25) * tint
        environment = Environment(np.broadcast_to(radiance, (16, 32, 3)).astype(np.float32))
        if not strength:
            return environment, None
        direction = (-math.sin(heading) * math.cos(height), math.cos(heading) * math.cos(height), math.sin(height))
        colour = strength * np.array([1.0, 0.93, 0.84])
        return environment, Sun(direction, tuple(float(c) for c in colour))


@dataclass(frozen=True)
class Solids:
    """Simple bodies on the ground, one category a shape."""

    categories: ClassVar[tuple[str, ...]] = SHAPES

    count: Value = param(Integers(2, 7), WholeNumbers(0, 60), "", "how many solids")
    shape: Value = param(Choice(SHAPES), OneOf(SHAPES), "", "a solid's shape, which is its category")
    size_m: Value = param(LogUniform(0.2, 0.7), Interval(0.02, 5), "m", "a solid's largest extent")
    slenderness: Value = param(Uniform(0.45, 1.0), Interval(0.2, 1), "", "its smaller extents over the largest")
    turn_deg: Value = param(Uniform(0, 360), Interval(0, 360), "degrees", "its turn about the vertical")
    distance_m: Value = param(LogUniform(1.8, 6.0), Interval(0.3, 100), "m", "its distance ahead of the camera")
    side: Value = param(Uniform(-0.95, 0.95), Interval(-2, 2), "",
                        "its place across the picture at that distance: -1 is the left edge, 1 the right")
    paint: Paint = group(Paint, "a solid's surface")
    distractors: Value = param(Integers(0, 3), WholeNumbers(0, 30), "", "things that are seen but not labelled")
    camera_height_m: Value = param(Uniform(0.7, 2.0), Interval(0.05, 50), "m", "height of the camera")
    aim_m: Value = param(Uniform(2.5, 5.0), Interval(0.1, 1000), "m", "distance of the ground point that it looks at")
    roll_deg: Value = param(Uniform(-4, 4), Interval(-180, 180), "degrees", "the camera's roll")
    light: Light = group(Light, "sky and sun, where the surroundings bring none")
    floor: Paint = group(Paint, "the ground, where the surroundings bring none")
    surroundings: Surroundings | None = one_of(SURROUNDINGS, None, "where they stand; nothing is a plain under a sky",
                                               optional=True)

    def sample(self, draws: Draws, camera: Camera) -> Scene:
        place = self._place(draws, camera)
        height = draws("camera_height_m", self.camera_height_m)
        aim = draws("aim_m", self.aim_m)
        roll = draws("roll_deg", self.roll_deg)
        pitch = -math.degrees(math.atan2(height, aim))
        if place.horizon is not None:
            pitch, roll = pitch_to_horizon(camera.lens, place.horizon), 0.0
        camera = replace(camera, to_world=level((0, 0, place.camera_height_m or height), 0, pitch, roll))
        taken: list[tuple[float, float, float]] = []
        count = draws("count", self.count)
        solids = [self._solid(draws.each(i), camera, taken, place, i + 1, labelled=True) for i in range(count)]
        others = draws("distractors", self.distractors)
        first = max([FIRST_ENTITY_ID, *(e.id + 1 for e in place.entities)])
        solids += [self._solid(draws.at("distractor").each(i), camera, taken, place, first + i, labelled=False)
                   for i in range(others)]
        return Scene(self.categories, camera, (*solids, *place.entities), place.environment, place.sun, place.lamps,
                     place.backdrop, place.ground, place.assets)

    def _place(self, draws: Draws, camera: Camera) -> Place:
        if self.surroundings is not None:
            return self.surroundings.sample(draws.at("surroundings"), camera)
        environment, sun = self.light.sample(draws.at("light"))
        return Place(environment, sun, ground=Ground(self.floor.sample(draws.at("floor")), half_size_m=300.0))

    def _solid(self, draws: Draws, camera: Camera, taken: list, place: Place, number: int, *, labelled: bool) -> Entity:
        shape, size = draws("shape", self.shape), draws("size_m", self.size_m)
        thin, turn = draws("slenderness", self.slenderness), draws("turn_deg", self.turn_deg)
        mesh = _mesh(shape, size, thin)
        reach = float(np.linalg.norm(mesh.vertices[:, :2], axis=1).max())
        y, side = draws("distance_m", self.distance_m), draws("side", self.side)
        half = camera.lens.size_wh[0] / 2 / camera.lens.focal_px[0]
        x = side * half * y
        x, y = _free_spot(x, y, reach, taken, place.floor_m, draws.key("shift"), f"solid {number} ({shape}, {size:.2f} m)")
        taken.append((x, y, reach))
        draws.note("x_m", x)
        draws.note("y_m", y)
        pose = translation(x, y, 0) @ rotation("z", turn)
        material = self.paint.sample(draws.at("paint"))
        vertices = apply(pose, mesh.vertices).astype(np.float32)
        part = np.full(len(mesh.faces), PART_ID["other"], np.uint8)
        surface = Surface(shape, vertices, mesh.faces, material, part, uv=mesh.uv, rest=mesh.vertices, smooth=mesh.smooth)
        if not labelled:
            return Entity(number, None, (surface,))
        corners = apply(pose, primitives.box_corners(mesh.vertices)).astype(np.float32)
        points = Keypoints("cuboid8", CORNERS, corners, np.full(8, 0.02, np.float32), apart=True)
        facts = {"size_m": round(size, 4), "distance_m": round(float(np.hypot(x, y)), 4)}
        return Entity(number, shape, (surface,), (points,), facts)


def _mesh(shape: str, size: float, thin: float) -> primitives.Mesh:
    """A solid whose largest extent is ``size``; ``thin`` is its smaller ones over that."""
    small = size * thin
    if shape == "sphere":
        return primitives.sphere(size / 2)
    if shape == "box":
        return primitives.box(small, size * (1 + thin) / 2, size)
    if shape == "cylinder":
        return primitives.cylinder(small / 2, size)
    if shape == "cone":
        return primitives.cone(small / 2, size)
    if shape == "ring":
        tube = size * thin / 6
        return primitives.torus(size / 2 - tube, tube)
    return primitives.capsule(small / 4, size)


def _free_spot(x: float, y: float, reach: float, taken: list[tuple[float, float, float]],
               floor_m: tuple[float, float, float, float] | None, key: Key, what: str) -> tuple[float, float]:
    """The drawn place, or the first free one of sixty-four around it, ever farther off."""
    steps = key.normals(64, 2)
    for i, (dx, dy) in enumerate(steps):
        spread = 0.06 * i
        at = (float(x + dx * spread), float(max(y + dy * spread, 0.4 * y)))
        inside = floor_m is None or (floor_m[0] + reach <= at[0] <= floor_m[2] - reach
                                     and floor_m[1] + reach <= at[1] <= floor_m[3] - reach)
        if inside and all(math.hypot(at[0] - tx, at[1] - ty) > reach + r + 0.005 for tx, ty, r in taken):
            return at
    raise Unsatisfiable("no free place on the ground", where=what, got=f"{len(taken)} solids already there",
                        remedy="Ask for fewer or smaller solids, or a wider range of distances.")


def painted(pattern: str, repeat: int, srgb: np.ndarray, key: Key) -> np.ndarray:
    """(128, 128, 3) uint8: ``pattern`` in a colour and another drawn from ``key``, ``repeat`` times across."""
    other = key.child("other").uniforms(3)
    u, v = np.meshgrid((np.arange(128) + 0.5) / 128 * repeat, (np.arange(128) + 0.5) / 128 * repeat)
    if pattern == "checks":
        mix = ((np.floor(2 * u) + np.floor(2 * v)) % 2).astype(float)
    elif pattern == "stripes":
        mix = (np.floor(4 * u) % 2).astype(float)
    elif pattern == "dots":
        mix = ((u % 1 - 0.5) ** 2 + (v % 1 - 0.5) ** 2 < 0.09).astype(float)
    else:  # speckle
        mix = key.child("speckle").uniforms(128, 128)
    return np.clip(255 * (srgb + (other - srgb) * mix[..., None]) + 0.5, 0, 255).astype(np.uint8)
