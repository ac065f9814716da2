"""Creases of cloth, and the seams at which its texture ends."""

import numpy as np
import pytest

from understudy.key import Key
from understudy.scene import Texture
from understudy.worlds.people.body import model
from understudy.worlds.people.clothes.canvas import _limb_of_faces, canvas, refined
from understudy.worlds.people.clothes.coordinates import locate
from understudy.worlds.people.clothes.creases import TILE_M, creased
from understudy.worlds.people.clothes.fabric import CLOTHS
from understudy.worlds.people.figure import Detail

GREY = Texture(np.full((64, 64, 3), 120, np.uint8))


def test_creases_shade_cloth_without_making_it_darker_and_repeat_without_a_seam():
    colour, height, height_m = creased(Key(1), GREY, 6, 0.02, None, 0.0, Detail(400.0))
    pixels = colour.pixels.astype(float)
    assert pixels.shape == (384, 384, 3) and height.pixels.shape == (192, 192) and height_m == 0.02
    assert pixels.mean() == pytest.approx(120, abs=3) and 15 < pixels.std() < 50
    assert np.corrcoef(pixels[::2, ::2, 0].ravel(), height.pixels.ravel())[0, 1] > 0.98  # dark where it is deep
    step = np.abs(np.diff(pixels[..., 0], axis=0)).max()
    assert np.abs(pixels[0, :, 0] - pixels[-1, :, 0]).max() <= step
    assert np.abs(pixels[:, 0, 0] - pixels[:, -1, 0]).max() <= np.abs(np.diff(pixels[..., 0], axis=1)).max()


def test_a_weave_lies_on_the_creases():
    weave = Texture(np.tile(np.array([[0, 255]], np.uint8), (64, 32)))
    _, bare, _ = creased(Key(1), GREY, 6, 0.02, None, 0.0, Detail(400.0))
    _, both, height_m = creased(Key(1), GREY, 6, 0.02, weave, 0.002, Detail(400.0))
    assert height_m == pytest.approx(0.022)
    wide = np.kron(bare.pixels, np.ones((2, 2)))
    lengths = [both.pixels.astype(float) / 255 * height_m, wide / 255 * 0.02]
    assert (lengths[0] - lengths[1])[:, 1::2].mean() == pytest.approx(0.002, abs=2e-4)
    assert (lengths[0] - lengths[1])[:, ::2].mean() == pytest.approx(0, abs=2e-4)


def test_every_pattern_fits_a_creased_tile_a_whole_number_of_times():
    for name, cloth in CLOTHS.items():
        assert TILE_M / cloth.tile_m == pytest.approx(round(TILE_M / cloth.tile_m)), name


@pytest.mark.parametrize("fine", [True, False])
def test_seams_between_limbs_run_more_evenly_and_no_face_is_turned_over(fine):
    stencil, faces, xyz, _ = refined("tights", fine)
    limb = _limb_of_faces(faces, locate(xyz, stencil @ model().weights))
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    owner = {}
    for (a, b), k in zip(np.sort(ends, 1).tolist(), np.tile(limb, 3).tolist()):
        owner.setdefault((a, b), set()).add(k)
    beside = {}
    for (a, b), limbs in owner.items():
        if len(limbs) == 2:
            beside.setdefault(a, []).append(b)
            beside.setdefault(b, []).append(a)
    assert len(beside) > 50

    def turns(at):
        inside = [(n[0], v, n[1]) for v, n in beside.items() if len(n) == 2]
        a, b = (np.array([at[v] - at[u] for u, v, _ in inside]), np.array([at[w] - at[v] for _, v, w in inside]))
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        return np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()

    c = canvas(fine)
    assert turns(c.at.xyz) < 0.75 * turns(xyz)
    before, after = (np.cross(p[faces[:, 1]] - p[faces[:, 0]], p[faces[:, 2]] - p[faces[:, 0]]) for p in (xyz, c.at.xyz))
    assert ((before * after).sum(1) > 0).all() and np.isfinite(c.corner_uv).all()
