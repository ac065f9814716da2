"""A room: floor, walls, ceiling, windows, lamps, furniture along the walls, pictures, things hanging in the air.

Domain randomisation in a plausible layout: everything varies in size, material and light, but furniture stands against
walls, pictures hang on them, and the middle of the floor is free for people. The side behind the camera is open, and the
light of the rest of the building comes in through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from understudy.assets.patterns import FLOORS, WALLS
from understudy.draws import Draws
from understudy.fields import param
from understudy.geometry.primitives import Mesh
from understudy.key import Key
from understudy.scene import Camera, Entity, Environment, Lamp, Material
from understudy.supports import Boolean, Interval, OneOf
from understudy.supports import Integers as WholeNumbers
from understudy.surroundings import FIRST_ENTITY_ID, Place
from understudy.surroundings.furniture import FURNITURE
from understudy.surroundings.light import blackbody, soft_boxes
from understudy.surroundings.things import (
    Piece,
    entity,
    floating,
    painted,
    panel,
    patterned,
    reach_of,
    slab,
    tile_of,
)
from understudy.values import Choice, Integers, LogUniform, Uniform, Value, Weighted

_OPEN_M = -1.2  # how far behind the camera the walls reach
_MOTIFS = ("marble", "clouds", "gradient", "floral", "terrazzo", "checks", "plaid", "stripes")  # of pictures
_LOW = ("table", "chair", "boxes", "sofa", "plant")  # what may stand between the camera and the figures


@dataclass(frozen=True)
class Room:
    """Indoors: the camera stands in a furnished room."""

    width_m: Value = param(Uniform(3.2, 7.0), Interval(2, 40), "m", "from wall to wall")
    depth_m: Value = param(Uniform(4.0, 10.0), Interval(2.5, 60), "m", "from the camera to the wall ahead")
    height_m: Value = param(Uniform(2.35, 3.4), Interval(2, 12), "m", "from floor to ceiling")
    off_centre: Value = param(Uniform(-0.25, 0.25), Interval(-0.45, 0.45), "",
                              "how far the camera stands right of the middle, over the width")
    ceiling: Value = param(Weighted((("yes", True, 4), ("no", False, 1))), Boolean(), "", "a ceiling, else open above")
    floor: Value = param(Choice(FLOORS), OneOf(FLOORS), "", "the floor's pattern")
    walls: Value = param(Weighted((("plaster", "plaster", 5), *((n, n, 1) for n in WALLS[1:]))), OneOf(WALLS), "",
                         "the walls' pattern")
    furniture: Value = param(Integers(3, 9), WholeNumbers(0, 60), "", "pieces of furniture along the walls")
    pictures: Value = param(Integers(0, 5), WholeNumbers(0, 40), "", "pictures on the walls")
    windows: Value = param(Integers(0, 2), WholeNumbers(0, 6), "", "windows, which light the room")
    lamps: Value = param(Integers(1, 3), WholeNumbers(0, 12), "", "lights below the ceiling")
    occluders: Value = param(Weighted((("0", 0, 3), ("1", 1, 1), ("2", 2, 0.4))), WholeNumbers(0, 6), "",
                             "low things between the camera and the free floor, off to a side")
    distractors: Value = param(Weighted((("0", 0, 3), ("1-6", Integers(1, 6), 2))), WholeNumbers(0, 40), "",
                               "simple bodies that hang in the air near the walls")
    kelvin: Value = param(LogUniform(2700.0, 6500.0), Interval(1700, 20000), "K", "colour of the lamps")
    daylight: Value = param(LogUniform(0.3, 1.8), Interval(0, 100), "", "the windows' light over the lamps'")
    ambient: Value = param(LogUniform(0.5, 1.8), Interval(0, 20), "",
                           "light from the rest of the building over the lamps' (0 leaves shadows black)")

    def sample(self, draws: Draws, camera: Camera) -> Place:
        """Build the room around the camera, which stands at the origin and looks towards +y."""
        width, depth, high = (float(draws(n, getattr(self, n))) for n in ("width_m", "depth_m", "height_m"))
        left = -width * (0.5 + draws("off_centre", self.off_centre))
        shell = _Shell(left, left + width, depth, high)
        numbers = iter(range(FIRST_ENTITY_ID, FIRST_ENTITY_ID + 10_000))
        covered = draws("ceiling", self.ceiling)
        glow = np.maximum(blackbody(draws("kelvin", self.kelvin)), 0.05)
        balance = glow**0.65  # a camera takes most of the lamps' tint away
        colour = balance ** (0.35 / 0.65)
        patterns = draws("floor", self.floor), draws("walls", self.walls)
        things = [shell.built(next(numbers), *patterns, covered, draws.key("shell"))]
        lamps = [shell.lamp(draws.key("lamp", i), colour) for i in range(draws("lamps", self.lamps))]
        walls = _Walls(shell)
        daylight = draws("daylight", self.daylight)
        for i in range(draws("windows", self.windows)):
            found = walls.window(next(numbers), draws.key("window", i), daylight / balance)
            if found is not None:
                things.append(found[0])
                lamps.append(found[1])
        draws.note("windows_placed", len(things) - 1)  # what finds no free wall is left out
        furniture = walls.furnished(numbers, draws.key("furniture"), draws("furniture", self.furniture))
        draws.note("furniture_placed", len(furniture))
        pictures = walls.hung(numbers, draws.key("pictures"), draws("pictures", self.pictures))
        draws.note("pictures_placed", len(pictures))
        things += furniture + pictures
        things += walls.floating(numbers, draws.key("distractors"), draws("distractors", self.distractors))
        end = shell.depth - walls.deep_back - 0.15
        near, before = shell.occluders(numbers, draws.key("occluders"), draws("occluders", self.occluders), end - 1.2)
        ambient = soft_boxes(draws.key("ambient"), tuple(colour)) * np.float32(draws("ambient", self.ambient))
        return Place(Environment(ambient), lamps=tuple(lamps), things=tuple(FURNITURE), entities=(*things, *near),
                     floor_m=(shell.left + walls.deep_left + 0.15, before, shell.right - walls.deep_right - 0.15, end))


@dataclass(frozen=True)
class _Shell:
    """The empty room."""

    left: float
    right: float
    depth: float
    high: float

    def built(self, number: int, floor: str, walls: str, covered: bool, key: Key) -> Entity:
        x0, x1, y0, y1, z = self.left, self.right, _OPEN_M, self.depth, self.high
        tile = tile_of(walls)
        pieces: list[Piece] = [
            (panel([(x0, y0, 0), (x1, y0, 0), (x1, y1, 0), (x0, y1, 0)], tile_of(floor)), 0),
            (panel([(x0, y1, 0), (x1, y1, 0), (x1, y1, z), (x0, y1, z)], tile), 1),
            (panel([(x0, y0, 0), (x0, y1, 0), (x0, y1, z), (x0, y0, z)], tile), 2),
            (panel([(x1, y1, 0), (x1, y0, 0), (x1, y0, z), (x1, y1, z)], tile), 2),
            *[(slab(x, y, (0, 0.05 + 0.08 * key.child("skirting").uniform())), 3)
              for x, y in (((x0, x1), (y1 - 0.015, y1)), ((x0, x0 + 0.015), (y0, y1)), ((x1 - 0.015, x1), (y0, y1)))],
        ]
        if covered:
            pieces.append((panel([(x0, y1, z), (x1, y1, z), (x1, y0, z), (x0, y0, z)], 2.5), 4))
        wall = patterned(key.child("wall"), walls, 256)
        other = wall if key.child("same").uniform() < 0.7 else painted(key.child("side"), "wall")
        materials = [patterned(key.child("floor"), floor, 256), wall, other, painted(key.child("skirt"), "wall"),
                     painted(key.child("ceiling"), "wall")]
        return entity(number, "room", pieces, [_matt(m) if i != 0 else m for i, m in enumerate(materials)], 0, 0)

    def lamp(self, key: Key, colour: np.ndarray) -> Lamp:
        """A shining panel below the ceiling."""
        u = key.uniforms(5)
        x, y = self.left + (0.2 + 0.6 * u[0]) * (self.right - self.left), 0.3 + (0.85 * self.depth - 0.3) * u[1]
        half = np.array([0.1 + 0.35 * u[2], 0.1 + 0.35 * u[3]])
        pose = np.eye(4)
        pose[:3, 0], pose[:3, 1], pose[:3, 2] = (half[0], 0, 0), (0, -half[1], 0), (0, 0, -1)
        pose[:3, 3] = (x, y, self.high - 0.03)
        power = (4 + 8 * u[4]) / (4 * half[0] * half[1])
        return Lamp(pose, tuple(float(c) for c in power * colour))

    def occluders(self, numbers: Iterator[int], key: Key, count: int, end: float) -> tuple[list[Entity], float]:
        """Things off to a side nearer than ``end``, and where the free floor then begins (y, m)."""
        placed, before = [], 0.7
        for i in range(count):
            at = key.child(i)
            u = at.child("place").uniforms(4)
            pieces, materials, _, _ = FURNITURE[at.child("kind").choice(_LOW)](at.child("thing"))
            reach = reach_of(pieces)
            y = 1.3 + 0.7 * float(u[0]) + 0.5 * reach
            side = -1 if (u[1] < 0.5) == (i % 2 == 0) else 1
            x = side * (0.35 + 0.45 * u[2]) * y * 0.6
            x = float(min(max(x, self.left + reach), self.right - reach))
            if y + reach > end or np.hypot(x, y) < reach + 0.7:
                continue  # too large for this room
            placed.append(entity(next(numbers), "occluder", pieces, materials, x, y, 360 * u[3]))
            before = max(before, y + reach + 0.05)
        return placed, before


class _Walls:
    """The three walls and what has been put against each, so that nothing stands in another thing or before a window.

    A wall is a run of metres (left and right: along y; back: along x). deep_* is how far its furniture reaches in.
    """

    def __init__(self, shell: _Shell) -> None:
        self.shell = shell
        self.taken: dict[str, list[tuple[float, float, float, float]]] = {"left": [], "right": [], "back": []}
        self.deep_left = self.deep_right = self.deep_back = 0.05

    def _span(self, wall: str) -> tuple[float, float]:
        s = self.shell
        return (s.left, s.right) if wall == "back" else (0.9, s.depth)

    def _free(self, wall: str, key: Key, half: float, low: float, top: float) -> float | None:
        """A place along the wall for something this wide between these heights, or None."""
        begin, end = self._span(wall)
        if end - begin < 2 * half + 0.1:
            return None
        for u in key.child("at").uniforms(12):
            at = float(begin + half + 0.05 + (end - begin - 2 * half - 0.1) * u)
            if all(at + half <= b0 or at - half >= b1 or top <= z0 or low >= z1 for b0, b1, z0, z1 in self.taken[wall]):
                self.taken[wall].append((at - half, at + half, low, top))
                return at
        return None

    def _at(self, wall: str, along: float, off: float) -> tuple[float, float, float]:
        """x, y and turn of a thing with its back to the wall, its middle ``off`` metres from it."""
        s = self.shell
        if wall == "back":
            return along, s.depth - off, 0.0
        return (s.left + off, along, 90.0) if wall == "left" else (s.right - off, along, -90.0)

    def furnished(self, numbers: Iterator[int], key: Key, count: int) -> list[Entity]:
        placed = []
        for i in range(count):
            at = key.child(i)
            kind = at.child("kind").choice(tuple(FURNITURE))
            pieces, materials, a, b = FURNITURE[kind](at.child("thing"))
            wall = ("back", "left", "right")[at.child("wall").weighted((2, 1, 1))]
            if b > 0.5 and wall != "back":  # a bed along the room would fill it
                wall = "back"
            if 2 * b + 2.2 > self.shell.depth:
                continue
            top = float(max(m.vertices[:, 2].max() for m, _ in pieces))
            along = self._free(wall, at, a, 0.0, top)
            if along is None:
                continue
            x, y, turn = self._at(wall, along, b + 0.03)
            if kind in ("chair", "plant", "boxes", "lamp"):
                turn += 40 * (at.child("turn").uniform() - 0.5)
            placed.append(entity(next(numbers), kind, pieces, materials, x, y, turn))
            self._reaches(wall, placed[-1])
        return placed

    def _reaches(self, wall: str, thing: Entity) -> None:
        """Keep people clear of what stands against the wall."""
        points = np.concatenate([s.vertices for s in thing.surfaces])
        s = self.shell
        into = {"left": points[:, 0] - s.left, "right": s.right - points[:, 0], "back": s.depth - points[:, 1]}[wall]
        name = f"deep_{wall}"
        setattr(self, name, max(getattr(self, name), float(into.max())))

    def floating(self, numbers: Iterator[int], key: Key, count: int) -> list[Entity]:
        """Bodies in the air close to a wall, beside or behind where people stand."""
        placed = []
        for i in range(count):
            at = key.child(i)
            u = at.child("place").uniforms(4)
            pieces, materials = floating(at, 0.12 + 0.28 * u[0])
            reach = 1.05 * max(float(np.linalg.norm(m.vertices, axis=1).max()) for m, _ in pieces)
            wide = self.shell.right - self.shell.left
            wall = ("back", "left", "right")[at.child("wall").weighted((2, 1, 1) if wide > 4 else (1, 0, 0))]
            begin, end = self._span(wall)
            x, y, _ = self._at(wall, begin + reach + (end - begin - 2 * reach) * u[1], reach + 0.05)
            z = reach + max(self.shell.high - 2 * reach, 0.0) * u[2]
            placed.append(entity(next(numbers), "distractor", pieces, materials, x, y, 360 * u[3], z))
            self._reaches(wall, placed[-1])
        return placed

    def hung(self, numbers: Iterator[int], key: Key, count: int) -> list[Entity]:
        """Pictures in frames, at the height of eyes."""
        placed = []
        for i in range(count):
            at = key.child(i)
            u = at.child("size").uniforms(4)
            a, half, middle = 0.12 + 0.45 * u[0], 0.12 + 0.35 * u[1], 1.4 + 0.35 * u[2]
            half = min(half, self.shell.high - middle - 0.1)
            wall = ("back", "left", "right")[at.child("wall").weighted((2, 1, 1))]
            along = self._free(wall, at, a, middle - half, middle + half)
            if along is None or half < 0.08:
                continue
            x, y, turn = self._at(wall, along, 0.0)
            f = 0.02 + 0.03 * u[3]
            pieces: list[Piece] = [(slab((-a, a), (-0.02, 0), (-half, half), 2.2 * max(a, half)), 1),
                                   *[(slab(xs, (-0.035, 0), zs), 0) for xs, zs in (
                                       ((-a - f, a + f), (half, half + f)), ((-a - f, a + f), (-half - f, -half)),
                                       ((-a - f, -a), (-half, half)), ((a, a + f), (-half, half)))]]
            name = at.child("motif").choice(_MOTIFS)
            materials = [painted(at.child("frame"), "wood"), patterned(at.child("motif"), name, 128, "paint")]
            placed.append(entity(next(numbers), "picture", pieces, materials, x, y, turn, middle))
        return placed

    def window(self, number: int, key: Key, daylight: np.ndarray) -> tuple[Entity, Lamp] | None:
        """A bright opening with a frame, and the lamp that it is."""
        u = key.child("size").uniforms(4)
        a, sill = 0.35 + 0.7 * u[0], 0.85 if u[1] < 0.7 else 0.05
        top = min(self.shell.high - 0.2, 2.1 + 0.3 * u[2])
        wall = ("left", "right", "back")[key.child("wall").weighted((2, 2, 1))]
        along = self._free(wall, key, a + 0.1, sill - 0.05, top + 0.1)
        if along is None:
            return None
        x, y, turn = self._at(wall, along, 0.0)
        middle, half = (sill + top) / 2, (top - sill) / 2
        bars = [((-a - 0.05, a + 0.05), (half, half + 0.05)), ((-a - 0.05, a + 0.05), (-half - 0.05, -half)),
                ((-a - 0.05, -a), (-half, half)), ((a, a + 0.05), (-half, half)), ((-0.025, 0.025), (-half, half))]
        if u[3] < 0.5:
            bars.append(((-a, a), (half * 0.3 - 0.02, half * 0.3 + 0.02)))
        pieces: list[Piece] = [(slab(xs, (-0.05, 0), zs), 0) for xs, zs in bars]
        if key.child("curtain").uniform() < 0.4:
            pieces += [(_curtain(end * (a + 0.02), end, 0.22, half), 1) for end in (-1, 1)]
        thing = entity(number, "window", pieces, [painted(key.child("frame"), "wall"),
                                                  patterned(key.child("cloth"), "plain", 64)], x, y, turn, middle)
        pose = np.eye(4)
        across = {"left": (0, 1, 0), "right": (0, -1, 0), "back": (1, 0, 0)}[wall]
        inward = {"left": (1, 0, 0), "right": (-1, 0, 0), "back": (0, -1, 0)}[wall]
        pose[:3, 0], pose[:3, 1], pose[:3, 2] = np.multiply(across, a), (0, 0, half), inward
        pose[:3, 3] = np.array([x, y, middle]) + 0.012 * np.asarray(inward)
        light = daylight * 2.5 * np.asarray(blackbody(5500 + 3000 * key.child("sky").uniform()))
        return thing, Lamp(pose, tuple(float(c) for c in light))


def _curtain(x: float, end: int, wide: float, half: float) -> Mesh:
    """A hanging cloth in folds, beside a window."""
    t = np.linspace(0, 1, 25)
    xs, ys = x + end * wide * (t - 0.5), -0.09 + 0.025 * np.sin(t * 6 * 2 * np.pi)
    low = np.stack([xs, ys, np.full(25, -half - 0.15)], 1)
    points = np.concatenate([low, low + np.array([0, 0, 2 * half + 0.2])]).astype(np.float32)
    i = np.arange(24)
    faces = np.concatenate([np.stack([i, i + 1, i + 26], 1), np.stack([i, i + 26, i + 25], 1)])
    if end < 0:
        faces = faces[:, ::-1]
    uv = np.stack([np.tile(t * 2 * wide, 2), np.repeat((0.0, 4 * half), 25)], 1)
    return Mesh(points, faces.astype(np.int32), uv.astype(np.float32))


def _matt(material: Material) -> Material:
    """Walls and ceilings do not mirror."""
    return Material(material.base_color, roughness=max(material.roughness, 0.6), specular=0.3)
