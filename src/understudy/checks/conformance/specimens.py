"""Small scenes and records that every renderer, label and format must cope with."""

from __future__ import annotations

import dataclasses

import numpy as np

from understudy.geometry import primitives
from understudy.geometry.cameras import level
from understudy.key import Key
from understudy.record import Record
from understudy.scene import (
    PART_ID,
    Camera,
    Electronics,
    Entity,
    Environment,
    Keypoints,
    Lens,
    Material,
    Scene,
    Sun,
    Surface,
)
from understudy.sensors.encode import encode
from understudy.signals import CHANNELS, RGB, Signals, Spec

CATEGORIES = ("ball", "block", "absent")


def camera_of(size_wh: tuple[int, int] = (160, 120), jpeg_quality: int = 90) -> Camera:
    """A level camera at a standing person's eyes, at the origin, looking along +y."""
    w, h = size_wh
    return Camera(Lens(size_wh, (0.9 * w, 0.9 * w), (w / 2, h / 2)), level((0.0, 0.0, 1.4)),
                  electronics=Electronics(jpeg_quality=jpeg_quality))


def scenes() -> dict[str, Scene]:
    """Scenes by name: nothing at all, one pixel, two things and an unlabelled one, a thing cut by the border."""
    ball, block = _ball(1, (-0.35, 3.0, 0.8), 0.5), _block(2, (0.25, 3.6, 0.6), 0.9)
    return {
        "empty": _scene(),
        "one pixel": _scene(_ball(1, (0.053, 12.0, 1.36), 0.05)),
        "two and a bystander": _scene(ball, block, _block(100_001, (0.0, 2.4, 0.9), 0.25, labelled=False)),
        "cut by the border": _scene(_ball(7, (1.55, 3.0, 1.2), 0.6), _block(3, (0.0, 3.5, 0.2), 0.6)),
        "behind the camera": _scene(_ball(1, (0.0, -3.0, 1.0), 0.5)),
        "hidden": _scene(_ball(1, (0.0, 6.0, 1.4), 0.1), _block(2, (0.0, 2.5, 0.9), 1.0)),
    }


def mirrored(scene: Scene) -> Scene:
    """The scene in a mirror at x = 0, faces turned so that they still look outside."""
    flip = np.array([-1, 1, 1], np.float32)

    def surface(s: Surface) -> Surface:
        return dataclasses.replace(s, vertices=s.vertices * flip, faces=np.ascontiguousarray(s.faces[:, ::-1]),
                                   rest=None if s.rest is None else s.rest * flip)

    return dataclasses.replace(scene, entities=tuple(
        dataclasses.replace(e, surfaces=tuple(map(surface, e.surfaces)),
                            keypoints=tuple(dataclasses.replace(k, xyz_m=k.xyz_m * flip) for k in e.keypoints))
        for e in scene.entities))


def signals_of(scene: Scene, wanted: tuple[Spec, ...] = tuple(CHANNELS.values())) -> Signals:
    """All channels of a scene, from the quick renderer."""
    from understudy.renderers.flat import Flat

    return Flat().render(scene, wanted, Key(0))


def records() -> list[Record]:
    """Complete records of the scenes, with every label there is, lossless and JPEG pictures, and awkward draws."""
    from understudy.labels import LABELS, assemble

    made = []
    for index, scene in enumerate(scenes().values()):
        camera = camera_of(jpeg_quality=0 if index % 2 else 88)
        scene = dataclasses.replace(scene, camera=dataclasses.replace(scene.camera, electronics=camera.electronics))
        signals = signals_of(scene)
        instances, maps, facts = assemble(tuple(LABELS), scene, signals)
        made.append(Record(index, encode(signals[RGB], scene.camera.electronics), scene.categories, instances, maps, facts,
                           {"world.count": len(instances), "world.name": "Zoë \"x\" <b>", "world.none": None,
                            "world.size_m[0]": 0.1 + 0.2, "world.on": bool(index % 2)},
                           (("a photograph", "somewhere", "CC0-1.0", "0" * 64),)))
    return made


def _scene(*entities: Entity) -> Scene:
    sky = np.full((8, 16, 3), 0.6, np.float32)
    return Scene(CATEGORIES, camera_of(), entities, Environment(sky), Sun((0.3, -0.5, 0.81), (1.5, 1.4, 1.3)))


def _entity(number: int, category: str | None, mesh: primitives.Mesh, at: tuple[float, float, float]) -> Entity:
    vertices = (mesh.vertices + np.array(at, np.float32)).astype(np.float32)
    faces = len(mesh.faces)
    surface = Surface("body", vertices, mesh.faces, Material((0.6, 0.3, 0.2)), np.full(faces, PART_ID["other"], np.uint8),
                      uv=mesh.uv, rest=mesh.vertices, chart=np.full(faces, 1 + number % 24, np.uint8),
                      chart_uv=np.clip(mesh.uv, 0, 1)[mesh.faces].astype(np.float32), smooth=mesh.smooth)
    middle = vertices.mean(0)
    points = Keypoints("specimen", ("middle", "top"), np.array([middle, [*middle[:2], vertices[:, 2].max()]], np.float32),
                       np.array([0.6, 0.1], np.float32))
    return Entity(number, category, (surface,), (points,) if category else (),
                  {"size_m": float(np.ptp(vertices[:, 0])), "name": f"thing {number}", "whole": True} if category else {})


def _ball(number: int, at: tuple[float, float, float], radius: float) -> Entity:
    return _entity(number, "ball", primitives.sphere(radius, 12, 24), (at[0], at[1], at[2] - radius))


def _block(number: int, at: tuple[float, float, float], side: float, labelled: bool = True) -> Entity:
    return _entity(number, "block" if labelled else None, primitives.box(side, side, side), at)
