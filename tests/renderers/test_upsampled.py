"""Denoising at a half and a third of the resolution: nothing lost where light is even, edges and colours kept, and close to
the full resolution."""

import numpy as np
import pytest

from understudy.key import Key
from understudy.renderers.mitsuba.denoise import denoised
from understudy.renderers.mitsuba.upsampled import small_denoised

H, W = 61, 83  # odd, so that the rim is tested too


def disc():
    """A disc's antialiased coverage, checked colours of one pixel's edge, a normal that turns; all premultiplied."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    cover = np.clip(25.0 - np.hypot(x - 40.3, y - 30.1), 0, 1).astype(np.float32)
    checks = (((x // 9) + (y // 9)) % 2)[..., None]
    colour = np.where(checks > 0, np.float32([0.7, 0.3, 0.1]), np.float32([0.1, 0.2, 0.6])).astype(np.float32)
    tilt = (x - 40) / 60
    normal = np.stack([tilt, 0 * tilt, np.sqrt(1 - tilt**2)], axis=2).astype(np.float32)
    return cover, colour, normal


@pytest.mark.parametrize("block", [2, 3])
def test_even_light_on_a_checked_disc_comes_back_with_sharp_checks_and_edge(block):
    cover, colour, normal = disc()
    light = 0.8 * colour * cover[..., None]
    out = small_denoised(light, cover, colour * cover[..., None], normal * cover[..., None], "fast", block)
    assert out.shape == light.shape and out.dtype == np.float32
    assert np.abs(out - light).mean() < 0.01 and np.abs(out - light).max() < 0.12
    assert (out[cover == 0] == 0).all()


@pytest.mark.parametrize("block", [2, 3])
def test_noise_goes_and_the_result_is_near_that_of_the_full_resolution(block):
    cover, colour, normal = disc()
    shade = (0.3 + 0.7 * normal[..., 2:]) * colour * cover[..., None]
    noisy = shade * (-np.log(np.maximum(Key(3).uniforms(H, W, 3), 1e-6))).astype(np.float32)  # mean 1, deviation 1
    maps = (colour * cover[..., None], normal * cover[..., None])
    half, full = small_denoised(noisy, cover, *maps, "fast", block), denoised(noisy, *maps, "fast")
    before, after, best = (float(np.sqrt(((v - shade) ** 2)[cover > 0].mean())) for v in (noisy, half, full))
    assert after < 0.3 * before and after < 1.5 * best


@pytest.mark.parametrize("block", [2, 3])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (1, 40)])
def test_the_smallest_crops_are_survived(shape, block):
    one = np.ones(shape, np.float32)
    flat = np.full((*shape, 3), 0.5, np.float32)
    out = small_denoised(flat, one, flat, flat, "fast", block)
    assert out.shape == flat.shape and np.isfinite(out).all()
