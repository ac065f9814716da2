"""Photographs as a place: deterministic, lit from the brighter side, unharmed by bad files, honest about people."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from understudy.assets.palettes import srgb_decode
from understudy.draws import Draws
from understudy.errors import AssetError
from understudy.key import Key
from understudy.scene import Camera
from understudy.sensors.camera import lens_of
from understudy.surroundings.evidence import blur_sigma, brightness, horizon_row, noise_sigma
from understudy.surroundings.light import LUMINANCE, environment_from_photo, irradiance
from understudy.surroundings.painted import painted_photograph
from understudy.surroundings.photographs import BLENDS, Photographs

SIZE = (160, 120)
CAMERA = Camera(lens_of(SIZE, 60), np.eye(4))


def landscape(seed: int, wh=(240, 180)) -> np.ndarray:
    """Sky over a busy, dark, green ground; no skin colours."""
    w, h = wh
    rng = np.random.default_rng(seed)
    image = np.full((h, w, 3), (150, 190, 235), np.uint8)
    image[h // 3:] = rng.integers(20, 90, (h - h // 3, w, 1), np.uint8) * np.array([0.6, 1, 0.5])
    return image


@pytest.fixture
def folder(tmp_path):
    for i in range(4):
        Image.fromarray(landscape(i)).save(tmp_path / f"{i}.png")
    return tmp_path


def sample(surroundings, seed=0):
    draws = Draws(Key(seed))
    return surroundings.sample(draws, CAMERA), draws.drawn


def test_a_place_is_a_function_of_key_and_folder(folder):
    one, drawn = sample(Photographs(folder=str(folder)))
    two, again = sample(Photographs(folder=str(folder)))
    assert drawn == again and np.array_equal(one.backdrop.radiance, two.backdrop.radiance)
    assert np.array_equal(one.environment.radiance, two.environment.radiance) and one.sun == two.sun
    assert one.backdrop.radiance.shape == (120, 160, 3) and one.backdrop.radiance.dtype == np.float32
    assert one.backdrop.blend in BLENDS and 0.2 < one.horizon < 0.65 and one.ground is not None
    assert one.assets[0].name == drawn["photo"] and len(one.assets[0].sha256) == 64


def test_every_photograph_has_its_turn(folder):
    assert len({sample(Photographs(folder=str(folder)), seed)[1]["photo"] for seed in range(40)}) == 4


@pytest.mark.parametrize("seed", range(4))
def test_without_a_folder_places_are_painted(seed):
    place, drawn = sample(Photographs(), seed)
    assert drawn["photo"] == "painted" and place.assets == ()
    assert np.isfinite(place.backdrop.radiance).all() and place.backdrop.radiance.std() > 0.005
    assert np.isfinite(place.environment.radiance).all() and (place.environment.radiance >= 0).all()


def test_bad_photographs_are_passed_over_and_told(folder):
    (folder / "0.png").write_bytes(b"")
    (folder / "1.png").write_bytes(b"not a picture")
    told = [sample(Photographs(folder=str(folder)), seed)[1] for seed in range(20)]
    assert {d["photo"] for d in told} == {"2.png", "3.png"}
    reasons = " ".join(d["passed_over"] for d in told)
    assert "0.png: the file is empty" in reasons and "1.png: the photograph cannot be decoded" in reasons


def test_when_none_is_usable_the_message_lists_why(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.jpg").write_bytes(b"")
    with pytest.raises(AssetError, match=r"no usable photograph .*the file is empty; .*and 2 more") as caught:
        sample(Photographs(folder=str(tmp_path)))
    assert "\n" not in str(caught.value)


def test_photographs_with_skin_are_passed_over_unless_trusted(tmp_path):
    face = landscape(0)
    rows, columns = np.mgrid[:180, :240]
    face[np.hypot((rows - 110) / 1.2, columns - 120) < 30] = (205, 150, 120)
    Image.fromarray(face).save(tmp_path / "a.png")
    Image.fromarray(landscape(1)).save(tmp_path / "b.png")
    whole = replace(Photographs(folder=str(tmp_path)), share=1.0)
    assert {sample(whole, s)[1]["photo"] for s in range(12)} == {"b.png"}
    assert {sample(replace(whole, people="trust"), s)[1]["photo"] for s in range(12)} == {"a.png", "b.png"}


def side_lit(left: float, right: float) -> np.ndarray:
    ramp = np.linspace(left, right, 160, dtype=np.float32)
    return np.broadcast_to(ramp[None, :, None], (120, 160, 3)).copy()


def test_light_comes_from_the_brighter_side():
    """A photograph bright on the left lights the left side of a figure: -x is the camera's left."""
    for left, right, sign in ((0.9, 0.05, -1), (0.05, 0.9, 1)):
        lighting = environment_from_photo(side_lit(left, right), 0.4, Key(3), sun_share=0.4)
        from_left, from_right = (irradiance(lighting.environment, None, (x, 0, 0)) @ LUMINANCE for x in (-1, 1))
        assert (from_right - from_left) * sign > 0.3 * min(from_left, from_right)
        assert lighting.sun is not None and lighting.sun.direction[0] * sign > 0
        assert lighting.sun.direction[2] > 0.3 and np.linalg.norm(lighting.sun.direction) == pytest.approx(1)


def test_mirror_swaps_the_light(folder):
    image = (side_lit(0.95, 0.2) * 255).astype(np.uint8)
    image[..., 2] = image[..., 2] // 2 + 60
    for i in range(4):
        Image.fromarray(image).save(folder / f"{i}.png")
    for mirror, sign in ((False, 1), (True, -1)):
        place, _ = sample(Photographs(folder=str(folder), mirror=mirror, people="trust", share=1.0))
        left, right = (irradiance(place.environment, None, (x, 0, 0)).sum() for x in (-1, 1))
        assert (left - right) * sign > 0


@pytest.mark.parametrize("level", [0.06, 0.18, 0.5])
def test_a_grey_figure_is_as_bright_as_the_photograph(level):
    """35 % reflectance in the light of an even photograph has about the photograph's own brightness."""
    rng = np.random.default_rng(0)
    photo = (level * rng.uniform(0.7, 1.3, (120, 160, 1)) * np.ones(3)).astype(np.float32)
    lighting = environment_from_photo(photo, 0.4, Key(0))
    seen = np.mean([0.35 / np.pi * irradiance(lighting.environment, lighting.sun, n) @ LUMINANCE
                    for n in ((0, -1, 0), (0.7, -0.7, 0), (-0.7, -0.7, 0))])
    assert 0.6 * level < seen < 1.4 * level
    assert 0.04 <= min(lighting.ground_albedo) and max(lighting.ground_albedo) <= 0.75


def test_black_and_white_photographs_still_light():
    for value in (0.0, 1.0):
        lighting = environment_from_photo(np.full((120, 160, 3), value, np.float32), 0.4, Key(0))
        assert np.isfinite(lighting.environment.radiance).all() and np.isfinite(lighting.ground_albedo).all()


@pytest.mark.parametrize("sigma", [0.004, 0.01, 0.03, 0.06])
def test_noise_is_measured(sigma):
    rng = np.random.default_rng(1)
    plane = np.linspace(0.3, 0.7, 320)[None] + np.linspace(-0.1, 0.1, 240)[:, None]
    noisy = (plane + sigma * rng.standard_normal((240, 320))).astype(np.float32)
    assert noise_sigma(noisy) == pytest.approx(sigma, rel=0.12)


def disks(blur: float) -> np.ndarray:
    import cv2

    rng = np.random.default_rng(2)
    big = np.full((960, 1280), 0.2, np.float32)
    for _ in range(30):
        cv2.circle(big, tuple(int(v) for v in rng.integers(0, (1280, 960))), int(rng.integers(60, 240)),
                   float(rng.uniform(0.05, 0.95)), -1)
    soft = cv2.GaussianBlur(big, (0, 0), blur * 4) if blur else big
    return cv2.resize(soft, (320, 240), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("blur", [0.0, 0.6, 1.0, 1.5, 2.0, 3.0])
def test_blur_is_measured(blur):
    assert blur_sigma(disks(blur)) == pytest.approx(blur, abs=0.15)
    grainy = disks(blur) + 0.01 * np.random.default_rng(3).standard_normal((240, 320)).astype(np.float32)
    assert blur_sigma(grainy) == pytest.approx(blur, abs=0.2 + 0.2 * blur)


def test_flat_pictures_have_no_blur_and_no_noise():
    flat = np.full((64, 64), 0.5, np.float32)
    assert blur_sigma(flat) == 0 and noise_sigma(flat) == 0
    assert noise_sigma(np.zeros((64, 64), np.float32)) == 0 and noise_sigma(np.zeros((8, 8), np.float32)) == 0


def test_the_sky_tells_the_horizon():
    assert horizon_row(brightness(landscape(0))) == pytest.approx(1 / 3, abs=0.05)
    assert horizon_row(np.random.default_rng(0).random((120, 160), np.float32)) is None


def test_painted_photographs_repeat_and_differ():
    first, horizon, _ = painted_photograph(Key(1), SIZE, 140.0, 1.5)
    again, _, _ = painted_photograph(Key(1), SIZE, 140.0, 1.5)
    assert np.array_equal(first, again) and first.shape == (120, 160, 3) and 0.25 < horizon < 0.55
    assert len({painted_photograph(Key(i), SIZE, 140.0, 1.5)[0].tobytes() for i in range(10)}) == 10


def test_nobody_stands_behind_a_painted_wall():
    floors = [painted_photograph(Key(i), SIZE, 140.0, 1.5)[2] for i in range(24)]
    assert any(f is None for f in floors) and any(f is not None for f in floors)
    for seed in range(24):
        place, _ = sample(Photographs(mirror=False), seed)
        other, _ = sample(Photographs(mirror=True), seed)
        if place.floor_m is None:
            assert other.floor_m is None
            continue
        x0, y0, x1, y1 = place.floor_m
        assert x0 < 0 < x1 and y0 == 0 < 4 <= y1 <= 11
        assert other.floor_m == (-x1, y0, -x0, y1)


@pytest.mark.parametrize("size", [(16, 16), (64, 200), (333, 77)])
def test_painted_photographs_come_in_any_size(size):
    for seed in range(8):
        assert painted_photograph(Key(seed), size, 0.9 * max(size), 1.5)[0].shape == (size[1], size[0], 3)


def test_linear_light_is_decoded_srgb(folder):
    place, _ = sample(Photographs(folder=str(folder), share=1.0, mirror=False))
    sky = place.backdrop.radiance[2, 80]
    assert np.allclose(sky, srgb_decode(np.array([150, 190, 235], np.uint8)), atol=0.01)
