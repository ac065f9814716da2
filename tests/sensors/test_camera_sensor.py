"""The recipe's camera, development and encoding."""

import io

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.fields import Group, Param, fields_of
from understudy.key import Key
from understudy.scene import Camera, Electronics, Lens, Optics
from understudy.sensors import SENSORS, develop, encode, metered
from understudy.sensors.camera import CameraSensor, Distortion, lens_of
from understudy.sensors.develop import FULL_WELL, motion_kernel

PLAIN = Camera(Lens((64, 48), (60, 60), (32, 24)), np.eye(4))


def camera(**electronics) -> Camera:
    return Camera(PLAIN.lens, np.eye(4), Optics(), Electronics(**electronics))


def srgb_to_linear(code: np.ndarray) -> np.ndarray:
    value = code / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def test_every_parameter_is_drawn_under_its_own_path():
    draws = Draws(Key(5))
    CameraSensor().sample(draws.at("sensor"))
    wanted = {f"sensor.{n}" for n, f in fields_of(CameraSensor).items() if isinstance(f, Param)}
    wanted |= {f"sensor.distortion.{n}" for n in fields_of(Distortion)}
    assert set(draws.drawn) == wanted
    assert isinstance(fields_of(CameraSensor)["distortion"], Group)


def test_the_same_key_gives_the_same_camera():
    one, two = (CameraSensor().sample(Draws(Key(5))) for _ in range(2))
    assert one.lens == two.lens and one.optics == two.optics and one.electronics == two.electronics
    assert np.array_equal(one.to_world, np.eye(4))
    assert "camera" in SENSORS


def test_field_of_view_is_horizontal():
    lens = lens_of((640, 480), 90.0)
    assert lens.focal_px == pytest.approx((320, 320)) and lens.centre_px == (320, 240)


def test_a_neutral_camera_gives_a_photograph_back():
    codes = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    assert np.array_equal(develop(srgb_to_linear(codes), camera(), Key(0)), codes)


def test_one_stop_doubles_the_light():
    light = np.full((8, 8, 3), 0.1, np.float32)
    assert np.array_equal(develop(light, camera(exposure_ev=1.0), Key(0)), develop(2 * light, camera(), Key(0)))


def test_white_balance_scales_red_and_blue():
    light = np.full((8, 8, 3), 0.1, np.float32)
    red, green, blue = develop(light, camera(white_balance=(1.5, 0.7)), Key(0))[0, 0]
    assert red > green > blue


def test_noise_is_that_of_the_photons():
    light = np.full((200, 200, 3), 0.2, np.float32)
    out = srgb_to_linear(develop(light, camera(iso=800), Key(3)).astype(float))
    electrons = 0.2 * FULL_WELL / 8
    assert out.std() / 0.2 == pytest.approx(electrons**-0.5, rel=0.08)
    assert out.mean() == pytest.approx(0.2, rel=0.01)
    assert not np.array_equal(develop(light, camera(iso=800), Key(3)), develop(light, camera(iso=800), Key(4)))


@pytest.mark.parametrize("length, angle", [(1.0, 0.0), (3.3, 30.0), (9.0, 90.0), (20.0, 135.0)])
def test_motion_blur_is_centred_and_keeps_light(length, angle):
    kernel = motion_kernel(length, angle).astype(float)
    at = np.arange(len(kernel)) - len(kernel) // 2
    assert kernel.sum() == pytest.approx(1, abs=1e-6)
    assert (kernel.sum(axis=0) @ at, kernel.sum(axis=1) @ at) == pytest.approx((0, 0), abs=1e-6)
    spread = np.hypot(np.sqrt(kernel.sum(axis=0) @ at**2), np.sqrt(kernel.sum(axis=1) @ at**2))
    assert spread == pytest.approx(length / 12**0.5, abs=0.45)


def test_no_motion_is_no_kernel():
    assert motion_kernel(0.0, 45.0) is None


def test_the_vignette_darkens_corners_only():
    light = np.full((48, 64, 3), 0.5, np.float32)
    out = develop(light, Camera(PLAIN.lens, np.eye(4), Optics(vignette=0.5), Electronics()), Key(0)).astype(int)
    assert out[24, 32, 1] == develop(light, PLAIN, Key(0))[24, 32, 1]
    assert out[0, 0, 1] == pytest.approx(out[-1, -1, 1]) and out[0, 0, 1] < out[24, 32, 1] - 30


def test_sharpening_moves_no_edge():
    light = np.full((20, 20, 3), 0.05, np.float32)
    light[:, 10:] = 0.5
    out = develop(light, camera(sharpen=1.0), Key(0)).astype(int)[10, :, 0]
    assert out[9] < out[0] and out[10] > out[-1]
    assert np.argmax(np.diff(out)) == 9


def test_the_meter_brings_any_light_to_the_middle():
    light = Key(1).uniforms(40, 40, 3).astype(np.float32) + 0.2
    for scale in (1e-3, 1.0, 1e3):
        assert metered(light * np.float32(scale)) == pytest.approx(metered(light), rel=1e-2)
    assert np.isfinite(metered(np.zeros((8, 8, 3), np.float32))).all()


def test_highlights_roll_off_below_white():
    light = np.full((40, 40, 3), 0.1, np.float32)
    light[0, 0], light[0, 1] = 50.0, 500.0
    out = metered(light)
    assert 0.95 < out[0, 0, 0] <= out[0, 1, 0] <= 1.0
    assert out[20, 20, 0] == pytest.approx(0.18, rel=0.05)


def test_a_jpeg_has_its_quality_and_size():
    from PIL import Image

    rgb = (Key(2).uniforms(48, 64, 3) * 255).astype(np.uint8)
    small, large = (encode(rgb, Electronics(jpeg_quality=q)) for q in (60, 95))
    assert small.suffix == ".jpg" and small.size_wh == (64, 48) and len(small.data) < len(large.data)
    with Image.open(io.BytesIO(large.data)) as image:
        assert image.format == "JPEG" and image.size == (64, 48)
    assert encode(rgb, Electronics(jpeg_quality=60)).data == small.data


def test_quality_nought_is_lossless():
    rgb = (Key(2).uniforms(48, 64, 3) * 255).astype(np.uint8)
    picture = encode(rgb, Electronics(jpeg_quality=0))
    assert picture.suffix == ".png" and np.array_equal(picture.decode(), rgb)
