"""Two routes to the same labels: rays (path) and a rasteriser (flat) agree but for a band of one pixel along edges."""

import dataclasses

import numpy as np
import pytest

from understudy import signals
from understudy.draws import Draws
from understudy.errors import RenderError
from understudy.key import Key
from understudy.renderers import RENDERERS
from understudy.renderers.flat import Flat
from understudy.renderers.mitsuba import Path
from understudy.scene import Camera, Lens, Scene
from understudy.sensors.camera import CameraSensor, Distortion
from understudy.signals import CHANNELS, Spec
from understudy.values import Uniform
from understudy.worlds.solids import Solids

BENT = CameraSensor(size=(240, 180), distortion=Distortion(k1=Uniform(-0.3, 0.2), k2=Uniform(-0.05, 0.05)))


def edges(ids: np.ndarray) -> np.ndarray:
    """(h, w) bool: pixels with a neighbour of another id."""
    out = np.zeros(ids.shape, bool)
    across, down = ids[:, 1:] != ids[:, :-1], ids[1:] != ids[:-1]
    out[:, 1:] |= across
    out[:, :-1] |= across
    out[1:] |= down
    out[:-1] |= down
    return out


@pytest.mark.parametrize("index", range(6))
def test_both_renderers_see_the_same(index):
    draws = Draws(Key(11) / index)
    scene = Solids().sample(draws.at("world"), BENT.sample(draws.at("sensor")))
    wanted = tuple(s for s in CHANNELS.values() if s is not signals.RGB)
    path, flat = (r.render(scene, wanted, Key(0)) for r in (Path(), Flat()))
    differ = path["instance"] != flat["instance"]
    assert not (differ & ~edges(path["instance"])).any()
    assert differ.mean() < 1e-3
    same = ~differ & ~edges(path["instance"])
    solid = same & np.isfinite(path["depth"])
    assert np.array_equal(np.isfinite(path["depth"])[same], np.isfinite(flat["depth"])[same])
    body = solid & (path["instance"] > 0)
    assert np.abs(path["depth"][body] / flat["depth"][body] - 1).max() < 1e-4
    # a pixel beside a crease may see either face
    assert (np.abs(path["normal"] - flat["normal"]).max(axis=2)[solid] > 1e-2).mean() < 2e-3
    assert (np.abs(path["object"] - flat["object"]).max(axis=2)[body] > 1e-3).mean() < 2e-3
    assert (path["silhouettes"] != flat["silhouettes"]).mean() < 1e-3
    assert path["wide_area"] == pytest.approx(flat["wide_area"], rel=0.02, abs=4)


@pytest.mark.parametrize("name", sorted(RENDERERS))
def test_every_renderer_gives_exactly_what_was_wanted(name):
    from understudy.fields import resolve

    draws = Draws(Key(1))
    scene = Solids().sample(draws.at("world"), CameraSensor(size=(64, 48)).sample(draws.at("sensor")))
    renderer = resolve(RENDERERS, name)()
    got = renderer.render(scene, (signals.DEPTH, signals.RGB), Key(0))
    assert list(got) == ["depth", "rgb"]
    assert set(CHANNELS) == set(renderer.supplies)
    with pytest.raises(RenderError, match="does not give that channel"):
        renderer.render(scene, (Spec("thermal", "float32", ("h", "w"), "K", "heat"),), Key(0))


@pytest.mark.parametrize("renderer", [Flat(), Path(samples=1, denoise="off")])
def test_a_face_without_its_vertex_is_refused(renderer):
    draws = Draws(Key(1))
    scene = Solids().sample(draws.at("world"), CameraSensor(size=(64, 48)).sample(draws.at("sensor")))
    entity = scene.entities[0]
    surface = entity.surfaces[0]
    wrong = dataclasses.replace(surface, faces=surface.faces + 1)
    scene = dataclasses.replace(scene, entities=(dataclasses.replace(entity, surfaces=(wrong,)),))
    with pytest.raises(RenderError, match="a vertex that is not there"):
        renderer.render(scene, (signals.INSTANCE,), Key(0))


@pytest.mark.parametrize("renderer", [Flat(), Path(samples=1, denoise="off")])
def test_a_scene_of_nothing_is_a_picture_of_nothing(renderer):
    scene = Scene(("thing",), Camera(Lens((64, 48), (60, 60), (32, 24)), np.eye(4)), ())
    out = renderer.render(scene, tuple(CHANNELS.values()), Key(0))
    assert out["rgb"].shape == (48, 64, 3) and not out["instance"].any()
