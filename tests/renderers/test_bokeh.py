"""The noise of defocus goes, what is in focus stays bit for bit, and a blurred edge keeps its place and its light."""

import dataclasses

import numpy as np
import pytest

from understudy.geometry.cameras import look_at
from understudy.renderers.channels import Hits
from understudy.renderers.mitsuba.bokeh import blur_radius_px, settled
from understudy.renderers.triangles import triangles_of
from understudy.scene import Camera, Entity, Lens, Material, Optics, Scene, Surface

LENS = Lens((64, 48), (60.0, 60.0), (32.0, 24.0))
CAMERA = Camera(LENS, look_at((0, 0, 0), (0, 1, 0)), Optics(aperture_m=0.1, focus_m=2.0))


def wall(distance: float):
    """A wall that fills the picture, and what each pixel sees of it."""
    vertices = np.array([(-20, distance, -20), (20, distance, -20), (20, distance, 20), (-20, distance, 20)], np.float32)
    faces = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
    entity = Entity(1, "thing", (Surface("wall", vertices, faces, Material(), np.zeros(2, np.uint8)),))
    triangles = triangles_of(Scene(("thing",), CAMERA, (entity,)))
    k = 64 * 48
    return triangles, Hits(np.arange(k), np.zeros(k, np.int64), np.full((k, 2), 1 / 3, np.float32))


@pytest.mark.parametrize("distance", [0.8, 2.0, 3.0, 50.0])
def test_the_circle_of_confusion_by_the_thin_lens(distance):
    triangles, hits = wall(distance)
    wanted = abs(1 / distance - 1 / 2.0) * 0.05 * 60
    assert blur_radius_px(CAMERA, triangles, hits) == pytest.approx(wanted, abs=1e-4)


def test_nothing_is_far_away():
    triangles, _ = wall(2.0)
    none = Hits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2), np.float32))
    assert blur_radius_px(CAMERA, triangles, none) == pytest.approx(0.05 * 60 / 2.0)


def test_noise_out_of_focus_is_averaged_and_in_focus_nothing_changes():
    picture = np.random.default_rng(0).random((48, 64, 3)).astype(np.float32)
    blurred = dataclasses.replace(CAMERA, optics=Optics(aperture_m=0.4, focus_m=2.0))
    triangles, hits = wall(0.5)  # 18 px
    out = settled(picture, blurred, triangles, hits)
    assert out.std() < 0.2 * picture.std() and out.mean() == pytest.approx(picture.mean(), rel=0.01)
    for camera, distance in ((blurred, 2.0), (dataclasses.replace(CAMERA, optics=Optics(0.0, 2.0)), 0.5)):
        triangles, hits = wall(distance)
        assert settled(picture, camera, triangles, hits) is picture


def test_what_is_in_focus_gives_no_light_to_what_is_not():
    """Left half in focus and bright, right half far out of focus and dark: neither spills into the other."""
    triangles, hits = wall(2.0)
    right = hits.pixel % 64 >= 32
    near = np.where(right, np.float32(6.0), np.float32(0.0))
    picture = np.repeat(np.where(right, 0.1, 9.0).astype(np.float32).reshape(48, 64, 1), 3, axis=2)
    from understudy.renderers.mitsuba import bokeh

    whole = bokeh.blur_radius_px
    bokeh.blur_radius_px = lambda *_: near.reshape(48, 64)
    try:
        out = settled(picture, CAMERA, triangles, hits)
    finally:
        bokeh.blur_radius_px = whole
    assert out == pytest.approx(picture, rel=1e-5)
