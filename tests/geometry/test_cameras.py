"""The camera's geometry: frames, projection, distortion and its exact inverse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.geometry import cameras
from understudy.scene import Camera, Lens

COEFFICIENTS = [(0.0, 0.0, 0.0, 0.0, 0.0), (-0.25, 0.08, 0.002, -0.001, -0.01), (0.2, 0.05, -0.003, 0.002, 0.01)]


def lens(distortion=(0.0, 0.0, 0.0, 0.0, 0.0)) -> Lens:
    return Lens((640, 480), (500.0, 510.0), (322.0, 238.0), distortion)


def test_a_level_camera_sees_right_as_right_and_up_as_up():
    camera = Camera(lens(), cameras.level((0, 0, 1.5)))
    ahead, right, above = cameras.project(camera, np.array([(0, 4, 1.5), (1, 4, 1.5), (0, 4, 2.5)]))[0]
    assert ahead == pytest.approx((322, 238))
    assert right == pytest.approx((322 + 500 / 4, 238))
    assert above == pytest.approx((322, 238 - 510 / 4))


def test_heading_turns_left_and_pitch_turns_up():
    left = cameras.level((0, 0, 0), heading_deg=90)[:3, 2]
    up = cameras.level((0, 0, 0), pitch_deg=30)[:3, 2]
    assert left == pytest.approx((-1, 0, 0), abs=1e-12)
    assert up == pytest.approx((0, math.cos(math.radians(30)), 0.5))


def test_roll_is_clockwise():
    camera = Camera(lens(), cameras.level((0, 0, 0), roll_deg=10))
    above = cameras.project(camera, np.array([(0, 4, 1.0)]))[0][0]
    assert above[0] < 322  # the camera turned clockwise, so the world turns the other way


@pytest.mark.parametrize("target", [(0, 0, 1), (0, 0, -1), (3, 1, 2), (-1, -1, 0.2)])
def test_a_pose_is_a_right_handed_rotation(target):
    pose = cameras.look_at((0, 0, 0), target)
    assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    assert pose[:3, 2] == pytest.approx(np.array(target) / np.linalg.norm(target))


def test_a_camera_cannot_look_at_itself():
    with pytest.raises(ValueError, match="its own position"):
        cameras.look_at((1, 2, 3), (1, 2, 3))


def test_the_horizon_comes_where_it_was_asked():
    for horizon in (0.3, 0.5, 0.8):
        pitch = cameras.pitch_to_horizon(lens(), horizon)
        camera = Camera(lens(), cameras.level((0, 0, 2), pitch_deg=pitch))
        far = cameras.project(camera, np.array([(0, 1e9, 2)]))[0][0]
        assert far[1] == pytest.approx(horizon * 480, abs=1e-3)


@pytest.mark.parametrize("distortion", COEFFICIENTS)
def test_projection_agrees_with_opencv(distortion):
    import cv2

    points = np.stack(np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-0.8, 0.8, 9), [1.5, 3.0]), axis=-1).reshape(-1, 3)
    ours = cameras.project_camera(lens(distortion), points)
    theirs = cv2.projectPoints(points, np.zeros(3), np.zeros(3), lens().matrix, np.array(distortion))[0][:, 0]
    assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("distortion", COEFFICIENTS)
def test_unprojection_is_the_exact_inverse(distortion):
    px = cameras.pixel_centres((640, 480))
    xy = cameras.unproject(lens(distortion), px)
    back = cameras.project_camera(lens(distortion), np.concatenate([xy, np.ones((480, 640, 1))], axis=-1))
    assert np.nanmax(np.abs(back - px)) < 1e-6
    assert np.isnan(xy).sum() == 0


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.floats(-0.6, 0.6)] * 2, *[st.floats(-0.05, 0.05)] * 2, st.floats(-0.6, 0.6)))
def test_any_lens_either_inverts_or_says_nan(distortion):
    px = np.stack(np.meshgrid(np.linspace(0, 640, 33), np.linspace(0, 480, 25)), axis=-1)
    bent = lens(distortion)
    xy = cameras.unproject(bent, px)
    seen = ~np.isnan(xy[..., 0])
    back = cameras.project_camera(bent, np.concatenate([xy[seen], np.ones((seen.sum(), 1))], axis=-1))
    assert np.abs(back - px[seen]).max(initial=0) < 1e-5
    assert (np.linalg.norm(xy[seen], axis=-1) < cameras.fold_radius(distortion)).all()


def test_beyond_the_fold_nothing_has_an_image():
    barrel = (-0.6, 0.0, 0.0, 0.0, 0.0)
    radius = cameras.fold_radius(barrel)
    assert radius == pytest.approx(1 / math.sqrt(1.8))
    inside, outside = cameras.project_camera(lens(barrel), np.array([(radius * 0.99, 0, 1), (radius * 1.01, 0, 1)]))
    assert np.isfinite(inside).all() and np.isnan(outside).all()


def test_behind_the_camera_there_is_depth_but_no_pixel():
    px, depth = cameras.project(Camera(lens(), np.eye(4)), np.array([(0.1, 0.2, -3.0)]))
    assert np.isnan(px).all() and depth[0] == -3


def test_pixel_rays_pass_through_the_point():
    camera = Camera(lens(COEFFICIENTS[1]), cameras.look_at((1, 2, 3), (0, 5, 1)))
    point = np.array([(0.3, 4.0, 1.2)])
    px, depth = cameras.project(camera, point)
    origin, direction = cameras.pixel_rays(camera, px)
    assert origin + depth[:, None] * direction == pytest.approx(point, abs=1e-8)
