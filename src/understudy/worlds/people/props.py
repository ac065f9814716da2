"""Things around figures that carry no label: what sitters sit on, and what stands in front of the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from understudy.assets.palettes import palette
from understudy.assets.patterns import pattern
from understudy.draws import Draws
from understudy.fields import param
from understudy.geometry import primitives
from understudy.geometry.poses import apply, rotation, translation
from understudy.key import Key
from understudy.scene import PART_ID, Camera, Entity, Material, Surface
from understudy.supports import Integers as WholeNumbers
from understudy.supports import Interval, OneOf
from understudy.surroundings import Place
from understudy.surroundings.street_furniture import ANYWHERE
from understudy.surroundings.things import entity, reach_of
from understudy.values import Integers, Uniform, Value, Weighted
from understudy.worlds.people.framing import Shape, Spot
from understudy.worlds.people.framing import box as picture_box
from understudy.worlds.people.pose import SEATS, Seat
from understudy.worlds.people.wheelchair import BESIDE_M, wheelchair

OCCLUDERS = ("furniture", "box", "pole", "panel")
_CLEAR_M = 0.35  # between furniture and who is behind it or sees it
_SEAT_CLOTHS = ("plain", "planks", "wood", "herringbone", "corduroy", "stripes")
_COVERS = ("plain", "wood", "brick", "concrete", "planks", "stripes", "plaster")


@dataclass(frozen=True)
class Occluders:
    """Simple unlabelled things that stand between the camera and the figures."""

    count: Value = param(Weighted((("0", 0, 6.0), ("1-2", Integers(1, 2), 1.0))), WholeNumbers(0, 10), "",
                         "how many things stand in front")
    kind: Value = param(Weighted((("furniture", "furniture", 5.0), ("box", "box", 1.0), ("pole", "pole", 1.0),
                                  ("panel", "panel", 1.0))), OneOf(OCCLUDERS), "",
                        "what stands there; where there is no room for furniture, a box")
    nearness: Value = param(Uniform(0.35, 0.8), Interval(0.1, 0.95), "", "its distance over the subject's")
    hides: Value = param(Uniform(0.1, 0.5), Interval(0.02, 1), "", "share of the subject's width that it hides")
    rises: Value = param(Uniform(0.15, 0.8), Interval(0.02, 1.5), "", "how high it rises over the subject's height")

    def sample(self, draws: Draws, camera: Camera, place: Place, subject: Shape, spot: Spot,
               first_id: int) -> tuple[Entity, ...]:
        """Things in front of the subject, each hiding some of it."""
        out = []
        for i in range(draws("count", self.count)):
            at = draws.each(i)
            drawn = {name: at(name, getattr(self, name)) for name in ("kind", "nearness", "hides", "rises")}
            key = at.key("look")
            left, top, right, bottom = picture_box(camera, subject, spot)
            y = spot.y * drawn["nearness"]
            if drawn["kind"] == "furniture":
                made = _furniture(key, camera, place.things or tuple(ANYWHERE), y, spot, (left, right), drawn["hides"],
                                  first_id + i)
                if made is not None:
                    out.append(made)
                    continue
            wide = drawn["hides"] * (right - left)
            middle = left + key.child("across").uniform() * (right - left)
            per_px = y / camera.lens.focal_px[0]
            x = (middle - camera.lens.centre_px[0]) * per_px
            across = max(wide * per_px, 0.02)
            high = _height_at(camera, y, bottom - drawn["rises"] * (bottom - top))
            if drawn["kind"] == "pole":
                across, high = min(across, 0.14), max(high, 2.4)
                mesh = primitives.cylinder(across / 2, high, 32)
            else:
                mesh = primitives.box(across, 0.04 if drawn["kind"] == "panel" else max(0.15, 0.6 * across), max(high, 0.05))
            turn = translation(x, y, 0) @ rotation("z", key.child("turn").uniform(-25, 25))
            material = painted(key.child("paint"), _COVERS, "paint")
            out.append(Entity(first_id + i, None, (_surface(drawn["kind"], mesh, turn, material),)))
        return tuple(out)


def _furniture(key: Key, camera: Camera, names: tuple[str, ...], y: float, spot: Spot, ends_px: tuple[float, float],
               hides: float, number: int) -> Entity | None:
    """A piece of furniture ``y`` metres ahead that reaches over ``hides`` of the subject's width, which lies between columns
    ``ends_px``, from one side; None where camera or subject stands in its way."""
    pieces, materials, _, _ = ANYWHERE[key.child("piece").choice(names)](key.child("furniture"))
    reach = reach_of(pieces)
    y = min(y, spot.y - reach - _CLEAR_M)
    if y < reach + _CLEAR_M:
        return None
    side = 1 if key.child("side").uniform() < 0.5 else -1  # which end of the subject it covers
    left, right = ends_px
    edge = (right - hides * (right - left)) if side > 0 else (left + hides * (right - left))
    x = (edge - camera.lens.centre_px[0]) * y / camera.lens.focal_px[0] + side * reach
    return entity(number, "thing", pieces, materials, x, y, key.child("turn").uniform(0, 360))


def _height_at(camera: Camera, y: float, v_px: float) -> float:
    """Height over the ground of what the picture's middle column shows at row ``v_px``, ``y`` metres ahead."""
    lens = camera.lens
    ray = camera.to_world[:3, :3] @ np.array([0, (v_px - lens.centre_px[1]) / lens.focal_px[1], 1.0])
    return float(camera.to_world[2, 3] + ray[2] / ray[1] * (y - camera.to_world[1, 3]))


def seat_under(key: Key, seat: Seat, spot: Spot, number: int) -> Entity:
    """What a figure sits on, its top at the seat's height: a block, a stool on legs, a chair with a back, a wheelchair."""
    x0, y0, x1, y1 = seat.rectangle_m
    wide, deep, top = x1 - x0, y1 - y0, max(seat.top_m, 0.05)
    at = spot.to_world @ translation((x0 + x1) / 2, (y0 + y1) / 2, 0)
    kind = SEATS[key.child("kind").weighted((1.0, 1.0, 1.5, 0.15))] if seat.kind == "auto" else seat.kind
    if kind == "wheelchair":
        return wheelchair(key.child("wheelchair"), seat, spot, number)
    cover = painted(key.child("cover"), _SEAT_CLOTHS, "cloth")
    frame = painted(key.child("frame"), ("plain", "wood"), "wood")
    if kind == "block":
        return Entity(number, None, (_surface("seat", primitives.box(wide, deep, top), at, cover),))
    thick = min(0.06, 0.4 * top)
    parts = [_surface("seat", primitives.box(wide, deep, thick), at @ translation(0, 0, top - thick), cover)]
    leg = primitives.box(0.035, 0.035, top - thick)
    for sx in (-1, 1):
        for sy in (-1, 1):
            parts.append(_surface("leg", leg, at @ translation(sx * (wide / 2 - 0.03), sy * (deep / 2 - 0.03), 0), frame))
    if kind == "chair":
        back = primitives.box(wide, 0.03, 0.45)
        parts.append(_surface("back", back, at @ translation(0, deep / 2 + 0.02, top - thick), frame))
    return Entity(number, None, tuple(parts))


def painted(key: Key, patterns: tuple[str, ...], kind: str) -> Material:
    """A material in one of some patterns and natural colours of a kind."""
    name = key.child("pattern").choice(patterns)
    colours = palette(key.child("colours"), kind, 2)
    rough = key.child("rough").uniform(0.35, 0.9)
    if name == "plain":
        return Material(colours[0], roughness=rough)
    return Material(pattern(name, key.child("texture"), 128, colours), roughness=rough)


def _surface(name: str, mesh: primitives.Mesh, to_world: np.ndarray, material: Material) -> Surface:
    vertices = apply(to_world, mesh.vertices).astype(np.float32)
    size = float(np.ptp(mesh.vertices, axis=0).max())
    return Surface(name, vertices, mesh.faces, material, np.full(len(mesh.faces), PART_ID["other"], np.uint8),
                   uv=mesh.uv * np.float32(math.ceil(size / 0.5)), rest=mesh.vertices.astype(np.float32), smooth=mesh.smooth)


def seated(shape: Shape, seat: Seat) -> Shape:
    """The same shape with the seat's corners on its footprint."""
    x0, y0, x1, y1 = seat.rectangle_m
    room = BESIDE_M if seat.kind == "wheelchair" else 0.0
    x0, x1, y1 = x0 - room, x1 + room, y1 + 2 * room
    corners = np.array([(x0, y0), (x1, y0), (x1, y1 + 0.05), (x0, y1 + 0.05)])
    return replace(shape, footprint=np.concatenate([shape.footprint, corners]))
