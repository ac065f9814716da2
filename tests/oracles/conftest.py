"""Small scenes whose answers are known by formula, looked at by every renderer."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.geometry import primitives
from understudy.geometry.cameras import look_at
from understudy.geometry.poses import apply, rotation, translation
from understudy.key import Key
from understudy.renderers.flat import Flat
from understudy.renderers.mitsuba import Path
from understudy.scene import Camera, Entity, Lens, Material, Scene, Surface
from understudy.signals import CHANNELS

LABELS = tuple(spec for name, spec in CHANNELS.items() if name != "rgb")


def camera_of(distortion=(0.0, 0.0, 0.0, 0.0, 0.0), to_world=None, size=(320, 240), focal=300.0) -> Camera:
    """A camera at the origin that looks along +y, upright."""
    pose = look_at((0, 0, 0), (0, 1, 0)) if to_world is None else to_world
    return Camera(Lens(size, (focal, focal), (size[0] / 2, size[1] / 2), distortion), pose)


def body(number: int, mesh: primitives.Mesh, at, turn_deg: float = 0.0, category: str | None = "thing",
         colour=(0.5, 0.5, 0.5)) -> Entity:
    """A primitive with its middle at ``at``."""
    middle = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    pose = translation(*at) @ rotation("z", turn_deg) @ translation(*(-middle))
    vertices = apply(pose, mesh.vertices).astype(np.float32)
    surface = Surface("body", vertices, mesh.faces, Material(colour), np.full(len(mesh.faces), 15, np.uint8), uv=mesh.uv,
                      rest=mesh.vertices, smooth=mesh.smooth)
    return Entity(number, category, (surface,))


@pytest.fixture
def make():
    """The two makers above, for tests to build their scenes with."""
    return type("Make", (), {"camera": staticmethod(camera_of), "body": staticmethod(body),
                             "scene": staticmethod(lambda camera, *entities: Scene(("thing",), camera, entities))})


@pytest.fixture(params=["flat", "path"])
def labelled(request):
    """scene -> every label channel, by each renderer in turn."""
    renderer = {"flat": Flat(), "path": Path()}[request.param]
    return lambda scene: renderer.render(scene, LABELS, Key(0))
