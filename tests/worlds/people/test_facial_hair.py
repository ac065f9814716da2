"""Brows, lashes and beards: on the skin, out of the eyes, moved by the face, and only where they can be seen."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from understudy.key import Key
from understudy.scene import PART_ID
from understudy.worlds.people import body, facial_hair
from understudy.worlds.people.anatomy import FACE_VERTICES
from understudy.worlds.people.figure import Detail

RGB = np.array([0.03, 0.02, 0.01])


def hairs(figure, beard="none", px_per_m=np.inf, seed=0):
    figure = replace(figure, detail=Detail(px_per_m))
    return {s.name: s for s in facial_hair.grown(Key(seed), figure, beard, "brown", RGB)}


def test_what_is_grown_is_what_can_be_seen(dress_figures):
    man = dress_figures.figure()
    assert set(hairs(man, "full")) == {"brows", "lashes", "beard"}
    assert set(hairs(man, "full", 300.0)) == {"beard"}
    assert set(hairs(man, "stubble", 300.0)) == set() == set(hairs(man, "full", 60.0))
    assert set(hairs(man)) == {"brows", "lashes"}


def test_hairs_are_sound_and_count_as_face(dress_figures):
    for who in dress_figures.BODIES:
        for s in hairs(dress_figures.figure(who), "full").values():
            assert np.isfinite(s.vertices).all() and s.faces.max() < len(s.vertices) and len(s.faces) <= 9000
            assert set(np.unique(s.part)) == {PART_ID["face"]} and len(s.chart) == len(s.faces)
            assert np.allclose(np.linalg.norm(s.normals, axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("beard", ["stubble", "moustache", "goatee", "full"])
def test_beards_grow_from_the_lower_face_and_not_from_the_lips(dress_figures, beard):
    man = dress_figures.figure()
    surface = hairs(man, beard)["beard"]
    at = man.posed.vertices[list(FACE_VERTICES)]
    nose = at[30, 2]
    roots = surface.vertices[surface.uv[:, 1] < 0.4]  # the texture's root end
    assert (roots[:, 2] < nose + 0.03).all()
    skin = man.posed.vertices[:body.BODY_VERTICES]
    assert cKDTree(skin).query(roots)[0].max() < 0.02
    lips = at[60:68].mean(0)
    assert np.linalg.norm(roots - lips, axis=1).min() > 0.004


def test_brows_lie_on_their_own_side_and_lashes_before_the_eyes(dress_figures):
    found = hairs(dress_figures.figure())
    posed = dress_figures.figure().posed.vertices
    at = posed[list(FACE_VERTICES)]
    brows = found["brows"].vertices
    assert (np.abs(brows[:, 0]) > 0.004).mean() > 0.98  # not across the nose
    assert np.median(brows[brows[:, 0] > 0], 0) == pytest.approx(at[22:27].mean(0), abs=0.012)
    eye = posed[body.model().mesh("eye.L").base]
    lashes = found["lashes"].vertices
    left = lashes[lashes[:, 0] > 0]
    radius = np.ptp(eye[:, 0]) / 2
    assert np.linalg.norm(left - eye.mean(0), axis=1).min() > 0.85 * radius
    assert left[:, 1].min() < eye[:, 1].min()  # they stand out in front (the face looks along -y)


def test_the_same_key_grows_the_same_hairs(dress_figures):
    one, two = (hairs(dress_figures.figure(), "goatee", seed=3) for _ in range(2))
    for name, s in one.items():
        assert s.vertices.tobytes() == two[name].vertices.tobytes()
