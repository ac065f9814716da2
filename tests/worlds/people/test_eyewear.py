"""Glasses: before the eyes, on the ears, off the skin, and carried by the head."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from understudy.draws import Draws
from understudy.key import Key
from understudy.scene import PART_ID
from understudy.values import Fixed
from understudy.worlds.people import body
from understudy.worlds.people.anatomy import FACE_VERTICES
from understudy.worlds.people.eyewear import FRAMES, Eyewear, _auto


def worn(figure, name):
    return {s.name: s for s in Eyewear(glasses=Fixed(name)).surfaces(Draws(Key(1)), figure).surfaces}


@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_on_every_head(dress_figures, name):
    for who in dress_figures.BODIES:
        figure = dress_figures.figure(who)
        found = worn(figure, name)
        assert set(found) == ({"glasses", "lenses"} if FRAMES[name].dark else {"glasses"})
        rim = found["glasses"]
        assert set(np.unique(rim.part)) == {PART_ID["glasses"]} and np.isfinite(rim.vertices).all()
        assert np.allclose(np.linalg.norm(rim.normals, axis=1), 1, atol=1e-3)
        at = figure.posed.vertices[list(FACE_VERTICES)]
        assert rim.vertices[:, 1].min() < at[36:48, 1].min()  # the face looks along -y
        assert rim.vertices[:, 2].max() < at[17:27, 2].max() + 0.03 and rim.vertices[:, 2].min() > at[48, 2]
        skin = figure.posed.vertices[:body.BODY_VERTICES]
        front = rim.vertices[rim.vertices[:, 1] < at[[0, 16], 1].mean() - 0.02]
        near = cKDTree(skin).query(front)[1]
        depth = ((front - skin[near]) * figure.posed.normals[near]).sum(1)
        assert (depth < -0.003).mean() < 0.06, who


def test_a_lens_lies_between_the_eye_and_whom_it_looks_at(dress_figures):
    figure = dress_figures.figure()
    lens = worn(figure, "sunglasses")["lenses"]
    for side in "LR":
        eye = figure.posed.vertices[body.model().mesh(f"eye.{side}").base].mean(0)
        mine = lens.vertices[np.sign(lens.vertices[:, 0]) == np.sign(eye[0])]
        assert mine[:, 1].max() < eye[1] and (mine[:, [0, 2]].min(0) < eye[[0, 2]]).all()
        assert (mine[:, [0, 2]].max(0) > eye[[0, 2]]).all()
    assert (lens.normals[:, 1] < 0).all()


def test_more_of_the_old_wear_glasses_and_no_infant_does():
    def share(age):
        return np.mean([_auto(Key(i), age) != "none" for i in range(400)])

    assert share(2) == 0 and 0.17 < share(20) < 0.33 and 0.55 < share(70) < 0.75  # 0, 25 and 65 %, 3.5 sigma
