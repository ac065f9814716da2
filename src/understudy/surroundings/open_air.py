"""Open air: a ground to the horizon under a sky with a sun, and houses, trees, hedges and posts in the distance; or a
street, with a road between pavements, houses in rows along it and cars at its kerbs.

The hour is the sun's height and heading; the sky's colour and brightness and the sun's follow from it (see
:mod:`~understudy.surroundings.light`). The ground before the camera is free, apart from a few things off to the sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from understudy.assets.patterns import GROUNDS, noise
from understudy.draws import Draws
from understudy.fields import param
from understudy.geometry import primitives
from understudy.geometry.primitives import Mesh
from understudy.key import Key
from understudy.scene import Camera, Entity, Environment, Material, Sun
from understudy.supports import Integers as WholeNumbers
from understudy.supports import Interval, OneOf
from understudy.surroundings import FIRST_ENTITY_ID, Place
from understudy.surroundings.light import LUMINANCE, clear_sky, clouded, sun_direction, sunlight
from understudy.surroundings.street import Street, laid, off, parked
from understudy.surroundings.street_furniture import STREET_FURNITURE
from understudy.surroundings.things import (
    Piece,
    crown,
    entity,
    floating,
    painted,
    panel,
    patterned,
    reach_of,
    slab,
    tile_of,
    turned,
)
from understudy.values import Choice, Integers, LogUniform, Uniform, Value, Weighted

_SUN_OVER_SKY = 6.0  # irradiance of the sun outside the air over the clear sky's on level ground
_PATH_M = 4.5  # half the width of the ground that a street leaves free
_LOW = ("bollard", "planter", "crates", "bin", "barrier")  # what may stand before a figure
_FREE_M = 9.0  # half the width of the free ground, and its depth before the houses begin


@dataclass(frozen=True)
class OpenAir:
    """Outdoors, by day."""

    sun_height_deg: Value = param(Uniform(8.0, 70.0), Interval(1, 90), "degrees", "the sun over the horizon: the hour")
    sun_heading_deg: Value = param(Uniform(0.0, 360.0), Interval(0, 360), "degrees",
                                   "where the sun stands: 0 is ahead of the camera, 90 to its left")
    turbidity: Value = param(LogUniform(2.0, 5.5), Interval(1.8, 10), "", "haze: 2 is a deep blue sky, 6 a milky one")
    cloud: Value = param(Weighted((("0", 0.0, 2), ("0-0.7", Uniform(0.0, 0.7), 3), ("1", 1.0, 1.5))), Interval(0, 1), "",
                         "share of the sky under clouds; at 1 the sun is hidden")
    ground: Value = param(Choice(GROUNDS), OneOf(GROUNDS), "", "the ground's pattern")
    street: Value = param(Weighted((("no", "no", 2.0), ("along", "along", 1.0), ("across", "across", 1.0))),
                          OneOf(("no", "along", "across")), "",
                          "a street that runs along the view or across it, its pavements of the ground's pattern")
    cars: Value = param(Integers(0, 7), WholeNumbers(0, 40), "", "cars at the kerbs of a street")
    houses: Value = param(Integers(0, 9), WholeNumbers(0, 60), "", "houses in the distance")
    trees: Value = param(Integers(0, 14), WholeNumbers(0, 200), "", "trees and bushes")
    posts: Value = param(Integers(0, 4), WholeNumbers(0, 40), "", "lamp posts, bollards and boxes at the sides")
    occluders: Value = param(Weighted((("0", 0, 3), ("1", 1, 1))), WholeNumbers(0, 6), "",
                             "low things between the camera and the free ground, off to a side")
    distractors: Value = param(Weighted((("0", 0, 3), ("1-5", Integers(1, 5), 1))), WholeNumbers(0, 40), "",
                               "simple bodies that hang in the air in the distance")

    def sample(self, draws: Draws, camera: Camera) -> Place:
        """Lay out the place around the camera, which stands at the origin and looks towards +y."""
        environment, sun = self._light(draws)
        numbers = iter(range(FIRST_ENTITY_ID, FIRST_ENTITY_ID + 10_000))
        street = laid(draws.key("street"), draws("street", self.street))
        cars, houses = draws("cars", self.cars), draws("houses", self.houses)
        things = [_ground(next(numbers), draws.key("ground"), draws("ground", self.ground), street)]
        things += _houses(numbers, draws.key("houses"), houses, street)
        beside = [*_trees(numbers, draws.key("trees"), draws("trees", self.trees), street),
                  *_posts(numbers, draws.key("posts"), draws("posts", self.posts), street)]
        near, before = _occluders(numbers, draws.key("occluders"), draws("occluders", self.occluders))
        floor = (-_FREE_M, before, _FREE_M, _FREE_M)
        if street is not None:
            floor = street.free(-_PATH_M, before, _PATH_M, _FREE_M)
            beside = [e for e in (*parked(numbers, draws.key("cars"), cars, street), *beside) if off(e, floor)]
        things += beside
        for i in range(draws("distractors", self.distractors)):
            key = draws.key("distractor", i)
            u = key.child("place").uniforms(4)
            pieces, materials = floating(key, 0.2 + 0.8 * u[0])
            y = _FREE_M + 1.5 + 10 * u[1]
            things.append(entity(next(numbers), "distractor", pieces, materials, (2 * u[2] - 1) * y * 0.7, y, 360 * u[0],
                                 1 + 4 * u[3]))
        return Place(environment, sun, entities=(*things, *near), floor_m=floor, things=tuple(STREET_FURNITURE))

    def _light(self, draws: Draws) -> tuple[Environment, Sun | None]:
        height, heading = draws("sun_height_deg", self.sun_height_deg), draws("sun_heading_deg", self.sun_heading_deg)
        turbidity, cloud = draws("turbidity", self.turbidity), draws("cloud", self.cloud)
        sky = clouded(clear_sky(height, heading, turbidity, (128, 256)), cloud, draws.key("cloud"))
        through = sunlight(height, turbidity)
        grey = sky.copy()
        grey[64:] = 0.25 * sky[:64].mean(axis=(0, 1))  # what a grey earth sends back, seen beyond the ground's end
        direction = sun_direction(height, heading)
        shade = float(np.clip(1.3 - 1.3 * cloud, 0, 1))
        balance = np.sqrt(_white(sky, through * shade, direction[2]))  # a camera takes part of the hour's tint away
        environment = Environment((grey / balance).astype(np.float32))
        power = np.pi * _SUN_OVER_SKY * shade * through / balance
        if power @ LUMINANCE < 0.02:
            return environment, None
        return environment, Sun(direction, tuple(float(c) for c in power), 0.53 + 3 * cloud)


def _white(sky: np.ndarray, sun: np.ndarray, up: float) -> np.ndarray:
    """(3,) the colour, of luminance 1, of the light on level ground."""
    light = sky[:len(sky) // 2].mean(axis=(0, 1)) + _SUN_OVER_SKY * up * sun
    return np.maximum(light / max(float(light @ LUMINANCE), 1e-6), 0.05)


def _ground(number: int, key: Key, name: str, street: Street | None) -> Entity:
    """Patterned near the camera; farther off a coarse, calmer pattern, then one colour, so that nothing sparkles."""
    material = patterned(key, name, 256, "earth" if name == "clouds" else None)
    mean = material.base_color.pixels.reshape(-1, 3).mean(axis=0)
    calm = mean * (0.9 + 0.2 * noise(key.child("calm"), 128, 8, 3)[..., None])
    far = Material(type(material.base_color)(np.clip(calm, 0, 255).astype(np.uint8)), roughness=material.roughness)
    plain = Material(tuple(float(c) for c in ((mean / 255 + 0.055) / 1.055) ** 2.4), roughness=0.95)
    tile = tile_of(name)
    rings = ((0.0, 14.0, 0, tile), (14.0, 60.0, 1, 6 * tile), (60.0, 400.0, 2, 1.0))
    pieces: list[Piece] = []
    for inner, outer, which, size in rings:
        strips = ((-outer, outer, inner, outer), (-outer, outer, -outer, -inner),
                  (-outer, -inner, -inner, inner), (inner, outer, -inner, inner))
        for x0, x1, y0, y1 in strips if inner else ((-outer, outer, -outer, outer),):
            for low, high in [(y0, y1)] if street is None else street.beside(y0, y1):
                pieces.append((panel([(x0, low, 0), (x1, low, 0), (x1, high, 0), (x0, high, 0)], size), which))
    materials = [material, far, plain]
    if street is not None:
        paved, more = street.paved(key.child("road"), len(materials))
        pieces, materials = pieces + paved, materials + more
    return entity(number, "ground", pieces, materials, 0, 0, street.turn_deg if street else 0.0)


def _houses(numbers: Iterator[int], key: Key, count: int, street: Street | None) -> list[Entity]:
    """Blocks with rows of windows, some under a pitched roof, along both sides and across the end of the view; in a street,
    in rows along it."""
    placed, row = [], street.row() if street else None
    for i in range(count):
        at = key.child(i)
        u = at.child("size").uniforms(7)
        wide, deep, floors = 6 + 10 * u[0], 6 + 6 * u[1], 1 + int(4 * u[2] ** 2)
        high = 3.0 * floors + 0.4
        if row:
            x, y, turn = row.place(wide, deep, float(u[3]))
        else:
            y = 14 + 45 * u[3]
            x = (2 * u[4] - 1) * (8 + 0.8 * y)
            if abs(x) < 6 + wide / 2 and y < 24:  # leave the view open near by
                y = 24 + 20 * u[3]
            turn = 16 * (u[6] - 0.5)
        a, b = wide / 2, deep / 2
        pieces: list[Piece] = [(slab((-a, a), (-b, b), (0, high), 1.1), 0)]
        columns = max(2, int(wide / 2.4))
        for f in range(floors):
            for c in range(columns):
                wx, wz = -a + wide * (c + 0.5) / columns, 1.0 + 3.0 * f
                tall = 1.3 if (f or c != columns // 2) else 2.0
                wz = wz if tall < 2 else 0.05
                pieces.append((slab((wx - 0.5, wx + 0.5), (-b - 0.03, -b), (wz, wz + tall)), 1))
                pieces.append((slab((wx - 0.6, wx + 0.6), (-b - 0.08, -b), (wz - 0.08, wz)), 2))
        if u[5] < 0.6:
            pieces.append((_roof(a + 0.3, b + 0.4, high, 1.2 + 2 * u[6]), 3))
        else:
            pieces.append((slab((-a - 0.1, a + 0.1), (-b - 0.1, b + 0.1), (high, high + 0.3)), 2))
        name = at.child("wall").choice(("brick", "plaster", "concrete", "planks"))
        glass = Material((0.03, 0.04, 0.05), roughness=0.08, specular=0.8)
        materials = [patterned(at.child("wall"), name, 128, "wall"), glass, painted(at.child("trim"), "wall"),
                     patterned(at.child("roof"), "tiles", 64, "earth")]
        placed.append(entity(next(numbers), "house", pieces, materials, float(x), float(y), float(turn)))
    return placed


def _roof(a: float, b: float, foot: float, rise: float) -> Mesh:
    """A pitched roof over [-a, a] x [-b, b], its ridge along x."""
    p = np.array([(-a, -b, foot), (a, -b, foot), (a, 0, foot + rise), (-a, 0, foot + rise), (a, b, foot), (-a, b, foot)])
    corners = np.concatenate([p[[0, 1, 2, 3]], p[[4, 5, 3, 2]], p[[1, 4, 2]], p[[5, 0, 3]], p[[0, 5, 4, 1]]])
    faces = [(0, 1, 2), (0, 2, 3), (4, 5, 6), (4, 6, 7), (8, 9, 10), (11, 12, 13), (14, 15, 16), (14, 16, 17)]
    uv = (corners[:, [0, 1]] / 2).astype(np.float32)
    return Mesh(corners.astype(np.float32), np.array(faces, np.int32), uv, smooth=False)


def _trees(numbers: Iterator[int], key: Key, count: int, street: Street | None) -> list[Entity]:
    """Trees and bushes with lumpy crowns, at the sides and in the distance; in a street along its kerbs."""
    bark, leaves = painted(key.child("bark"), "earth"), [
        patterned(key.child("leaves", k), "grass", 128, "foliage") for k in range(min(count, 3))]
    placed = []
    for i in range(count):
        at = key.child(i)
        u = at.child("size").uniforms(6)
        y = 5 + 45 * u[0] ** 1.5
        side = 1 if u[1] > 0.5 else -1
        x = side * (3.2 + 0.5 * y) * (0.75 + abs(2 * u[1] - 1))
        if u[3] < 0.3:  # a bush
            radius = 0.5 + 0.7 * u[4]
            pieces: list[Piece] = [(crown(at.child("crown"), radius, 0.85 * radius), 1)]
        else:
            high, radius = 3 + 5 * u[4], 1.1 + 1.4 * u[5]
            pieces = [(turned(primitives.cone(0.12 + 0.05 * high / 3, high * 1.1, 10), 0, 0, 0), 0),
                      (crown(at.child("crown"), radius, high), 1),
                      (crown(at.child("crown2"), radius * 0.7, high + 0.6 * radius), 1)]
        reach = reach_of(pieces)
        if y < _FREE_M + reach and abs(x) < _FREE_M + reach:
            x = side * (_FREE_M + reach + 0.1 + 2 * u[2])
        if street is not None:
            x, y = street.kerbside(float(u[0]), float(u[1]), 0.6)
        placed.append(entity(next(numbers), "tree", pieces, [bark, leaves[i % len(leaves)]], float(x), float(y), 360 * u[2]))
    return placed


def _posts(numbers: Iterator[int], key: Key, count: int, street: Street | None) -> list[Entity]:
    """Lamp posts, bollards and boxes at the sides; in a street along its kerbs."""
    placed = []
    for i in range(count):
        at = key.child(i)
        u = at.child("size").uniforms(4)
        y = 3 + 18 * u[0]
        x = (1 if u[1] > 0.5 else -1) * (_FREE_M + 0.8 + 3 * u[2])
        if street is not None:
            x, y = street.kerbside(float(u[0]), float(u[1]), 0.3)
        if u[3] < 0.4:
            pieces: list[Piece] = [(turned(primitives.cylinder(0.06, 4.5, 16), 0, 0, 0), 0),
                                   (slab((-0.1, 0.1), (-0.5, 0.1), (4.5, 4.6)), 1)]
        elif u[3] < 0.7:
            pieces = [(turned(primitives.cylinder(0.09, 0.95, 20), 0, 0, 0), 0),
                      (turned(primitives.sphere(0.1, 10, 20), 0, 0, 0.9), 1)]
        else:
            pieces = [(slab((-0.4, 0.4), (-0.25, 0.25), (0, 1.1)), 0),
                      (slab((-0.43, 0.43), (-0.28, 0.28), (1.1, 1.16)), 1)]
        placed.append(entity(next(numbers), "post", pieces, [painted(at.child("post")), painted(at.child("head"))],
                             float(x), float(y), 90 * u[1]))
    return placed


def _occluders(numbers: Iterator[int], key: Key, count: int) -> tuple[list[Entity], float]:
    """Low things off to a side before the free ground, and where that then begins (y, m)."""
    placed, before = [], 0.7
    for i in range(count):
        at = key.child(i)
        u = at.child("place").uniforms(4)
        y = 1.5 + 0.8 * u[0]
        x = (1 if u[1] > 0.5 else -1) * (0.25 + 0.3 * u[2]) * y
        if u[3] < 0.4:
            radius = 0.3 + 0.25 * u[0]
            pieces: list[Piece] = [(crown(at.child("bush"), radius, 0.8 * radius), 0)]
            materials = [patterned(at.child("leaf"), "grass", 128, "foliage")]
        else:
            pieces, materials, _, _ = STREET_FURNITURE[at.child("kind").choice(_LOW)](at.child("thing"))
        reach = reach_of(pieces)
        placed.append(entity(next(numbers), "occluder", pieces, materials, float(x), float(y), 360 * u[2]))
        before = max(before, y + reach + 0.05)
    return placed, before
