"""The tone curve: fixed points, rising, undone exactly; a photograph developed by the same camera is itself again."""

import numpy as np
import pytest

from understudy.assets.palettes import srgb_decode
from understudy.key import Key
from understudy.scene import Camera, Electronics, Lens
from understudy.sensors import develop
from understudy.sensors.tone import contrasted, uncontrasted

X = np.linspace(0, 1, 513)


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.8, 0.95])
def test_it_keeps_black_middle_and_white_rises_and_is_undone(amount):
    y = contrasted(X, amount)
    assert y[[0, 256, 512]] == pytest.approx([0, 0.5, 1])
    assert (np.diff(y) > 0).all()
    assert (y[X < 0.5] <= X[X < 0.5]).all() and (y[X > 0.5] >= X[X > 0.5]).all()
    assert np.abs(uncontrasted(y, amount) - X).max() < 1e-5


@pytest.mark.parametrize("amount", [0.0, 0.4, 0.9])
def test_a_photograph_taken_back_to_light_and_developed_is_itself(amount):
    photo = (Key(4).uniforms(40, 60, 3) * 256).astype(np.uint8)
    camera = Camera(Lens((60, 40), (60.0, 60.0), (30.0, 20.0)), np.eye(4), electronics=Electronics(contrast=amount))
    light = srgb_decode(uncontrasted(photo.astype(np.float32) / 255, amount))
    assert np.abs(develop(light, camera, Key(0)).astype(int) - photo).max() <= 1
