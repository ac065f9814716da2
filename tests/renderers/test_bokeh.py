"""The noise of defocus goes, what is in focus stays bit for bit, and a blurred edge keeps its place and its light."""

import dataclasses

import numpy as np
import pytest

from understudy.geometry.cameras import confusion_px, look_at
from understudy.renderers.channels import Hits
from understudy.renderers.mitsuba.bokeh import settled
from understudy.renderers.triangles import triangles_of
from understudy.scene import Camera, Entity, Lens, Material, Optics, Scene, Surface

LENS = Lens((64, 48), (60.0, 60.0), (32.0, 24.0))
CAMERA = Camera(LENS, look_at((0, 0, 0), (0, 1, 0)), Optics(aperture_m=0.1, focus_m=2.0))


def wall(distance: float, camera: Camera = CAMERA, left_only: bool = False):
    """A wall that fills the picture, or its left half, and what each pixel sees of it."""
    vertices = np.array([(-20, distance, -20), (20, distance, -20), (20, distance, 20), (-20, distance, 20)], np.float32)
    faces = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    entity = Entity(1, "thing", (Surface("wall", vertices, faces, Material(), np.zeros(2, np.uint8)),))
    scene = Scene(("thing",), camera, (entity,))
    pixel = np.arange(64 * 48)
    pixel = pixel[pixel % 64 < 32] if left_only else pixel
    k = len(pixel)
    return scene, triangles_of(scene), Hits(pixel, np.zeros(k, np.int64), np.full((k, 2), 1 / 3, np.float32))


@pytest.mark.parametrize("distance", [0.8, 2.0, 3.0, 50.0, np.inf])
def test_the_circle_of_confusion_by_the_thin_lens(distance):
    wanted = abs(1 / distance - 1 / 2.0) * 0.05 * 60
    assert confusion_px(CAMERA, np.array(distance)) == pytest.approx(wanted, abs=1e-6)


def test_noise_out_of_focus_is_averaged_and_in_focus_nothing_changes():
    picture = np.random.default_rng(0).random((48, 64, 3)).astype(np.float32)
    blurred = dataclasses.replace(CAMERA, optics=Optics(aperture_m=0.4, focus_m=2.0))
    out = settled(picture, *wall(0.5, blurred))  # 18 px
    assert out.std() < 0.2 * picture.std() and out.mean() == pytest.approx(picture.mean(), rel=0.01)
    for camera, distance in ((blurred, 2.0), (dataclasses.replace(CAMERA, optics=Optics(0.0, 2.0)), 0.5)):
        assert settled(picture, *wall(distance, camera)) is picture


def test_what_is_in_focus_gives_no_light_to_what_is_not():
    """Left half far out of focus and dark, right half nothing at all, far away, in focus and bright: neither spills."""
    camera = dataclasses.replace(CAMERA, optics=Optics(aperture_m=0.4, focus_m=1e6))
    left = np.arange(64) < 32
    picture = np.repeat(np.tile(np.where(left, 0.1, 9.0).astype(np.float32), (48, 1))[..., None], 3, axis=2)
    out = settled(picture, *wall(0.5, camera, left_only=True))
    assert out is not picture and out == pytest.approx(picture, rel=1e-5)
