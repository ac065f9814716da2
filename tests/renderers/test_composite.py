"""Figures in photographs: what is left alone, what is darkened, what each blend may change."""

import dataclasses

import numpy as np
import pytest

from understudy import signals
from understudy.geometry import primitives
from understudy.geometry.cameras import look_at
from understudy.geometry.poses import apply, translation
from understudy.key import Key
from understudy.renderers.mitsuba import Path, meshes
from understudy.renderers.mitsuba.composite import blended, filled, membrane
from understudy.renderers.mitsuba.grain import grainy
from understudy.renderers.mitsuba.shadow import BOUNCE, shadow_ratio
from understudy.renderers.mitsuba.variant import mitsuba
from understudy.renderers.triangles import triangles_of
from understudy.scene import (
    Backdrop,
    Camera,
    Electronics,
    Entity,
    Environment,
    Ground,
    Lens,
    Material,
    Scene,
    Sun,
    Surface,
)

W, H = 160, 120
LOSSLESS = Electronics(jpeg_quality=0)
PHOTO = (0.1 + 0.4 * Key(5).uniforms(H, W, 3)).astype(np.float32)


def camera() -> Camera:
    return Camera(Lens((W, H), (140.0, 140.0), (W / 2, H / 2)), look_at((0, -4, 1.6), (0, 0, 0.3)), electronics=LOSSLESS)


def standing(at=(0.0, 0.0), height=1.0, colour=(0.6, 0.3, 0.2)) -> Entity:
    mesh = primitives.cylinder(0.2, height)
    vertices = apply(translation(*at, 0), mesh.vertices).astype(np.float32)
    part = np.full(len(mesh.faces), 15, np.uint8)
    return Entity(1, "thing", (Surface("post", vertices, mesh.faces, Material(colour), part, uv=mesh.uv),))


def scene(blend="soft", **lights) -> Scene:
    lights = lights or {"environment": Environment(np.full((16, 32, 3), 0.5, np.float32))}
    return Scene(("thing",), camera(), (standing(),), backdrop=Backdrop(PHOTO, blend=blend), ground=Ground(), **lights)


def ratio_of(scene: Scene, samples=64) -> np.ndarray:
    mi = mitsuba()
    return shadow_ratio(mi, meshes.hit_scene(mi, triangles_of(scene)), scene, samples, Key(0))


def rgb(scene: Scene, **settings) -> np.ndarray:
    return Path(**settings).render(scene, (signals.RGB,), Key(0))["rgb"].astype(int)


def test_far_from_the_figure_the_photograph_is_untouched():
    with_figure, without = rgb(scene()), rgb(dataclasses.replace(scene(), entities=()))
    assert np.array_equal(with_figure[:24], without[:24])
    assert not np.array_equal(with_figure, without)


def test_an_even_sky_darkens_only_around_the_foot():
    ratio = ratio_of(scene())
    foot = apply(np.linalg.inv(camera().to_world), np.array([(0.0, -0.25, 0.0)]))[0]
    x, y = int(W / 2 + 140 * foot[0] / foot[2]), int(H / 2 + 140 * foot[1] / foot[2])
    assert ratio[y, x].max() < 0.8
    assert (ratio[:24] == 1).all() and ratio[:, :5].min() > 0.97
    assert ratio.max() <= 1 and ratio.min() >= BOUNCE - 1e-6


def test_the_shadow_lies_away_from_the_sun():
    for direction, darker in (((-1, 0, 0.7), "right"), ((1, 0, 0.7), "left")):
        ratio = ratio_of(scene(sun=Sun(direction, (3.0, 3.0, 3.0)))).mean(axis=2)
        left, right = ratio[60:, :W // 2 - 12].min(), ratio[60:, W // 2 + 12:].min()
        assert (right < 0.5) == (darker == "right") and (left < 0.5) == (darker == "left")


def test_the_shadow_of_the_sun_ends_where_geometry_says():
    """A post of 1 m under a sun at 45 degrees throws 1 m of shadow; bound: one fine cell and the sun's width."""
    ratio = ratio_of(scene(sun=Sun((-1, 0, 1), (3.0, 3.0, 3.0)))).mean(axis=2)
    for reach, dark in ((0.6, True), (1.5, False)):
        local = apply(np.linalg.inv(camera().to_world), np.array([(reach, 0.0, 0.0)]))[0]
        x, y = int(W / 2 + 140 * local[0] / local[2]), int(H / 2 + 140 * local[1] / local[2])
        assert (ratio[y, x] < 0.5) == dark


def test_a_coloured_sky_throws_a_coloured_shadow():
    """A blue sky and a yellow sun: where the sun is blocked, what is left is bluer."""
    blue = Environment(np.broadcast_to(np.array([0.1, 0.2, 0.6], np.float32), (16, 32, 3)).copy())
    ratio = ratio_of(scene(environment=blue, sun=Sun((-1, 0, 1), (4.0, 3.0, 1.0))))
    dark = ratio[ratio[..., 0] < 0.5]
    assert len(dark) > 50 and dark[:, 2].mean() > 1.1 * dark[:, 0].mean()


def test_no_shadow_when_none_is_wanted():
    plain = rgb(scene(), shadow_samples=0)
    bare = rgb(dataclasses.replace(scene(), entities=()))
    seen = Path().render(scene(), (signals.INSTANCE,), Key(0))["instance"] > 0
    near = np.zeros((H, W), bool)
    rows, cols = np.nonzero(seen)
    near[rows.min() - 3:rows.max() + 4, cols.min() - 3:cols.max() + 4] = True
    assert np.array_equal(plain[~near], bare[~near])


@pytest.mark.parametrize("blend", ["soft", "hard", "gaussian", "poisson"])
def test_every_blend_keeps_the_labels(blend):
    wanted = (signals.INSTANCE, signals.DEPTH, signals.SILHOUETTES)
    plain = Path().render(scene(), wanted, Key(0))
    other = Path().render(scene(blend), wanted, Key(0))
    assert all(np.array_equal(plain[s], other[s]) for s in wanted)
    figure = rgb(scene(blend))[plain["instance"] > 0]
    photo = rgb(dataclasses.replace(scene(), entities=()))[plain["instance"] > 0]
    assert np.abs(figure - photo).mean() > 10  # the figure shows


def test_a_hard_edge_is_hard_and_a_soft_one_is_between():
    ground = np.zeros((9, 9, 3), np.float32)
    cover = np.zeros((9, 9), np.float32)
    cover[3:6, 3:6] = 1
    cover[3, 3:6] = 0.5
    light = cover[..., None] * np.float32(0.8) * np.ones(3, np.float32)
    seen = cover >= 0.5
    for blend, blur in (("hard", 0.0), ("soft", 0.0), ("soft", 1.0), ("gaussian", 0.0)):
        out, weight = blended(light, cover, seen, ground, Backdrop(ground, blur_px=blur, blend=blend))
        assert weight.min() >= 0 and weight.max() <= 1 + 1e-6
        share = out.sum() / weight.sum() / 3
        assert share == pytest.approx(0.8, rel=1e-4)  # a blend moves light, it makes none
        assert set(np.unique(weight)) <= {0.0, 1.0} or blend != "hard"
        assert (weight.sum() == pytest.approx(cover.sum(), rel=0.05)) or blend == "hard"


def test_the_membrane_is_the_edges_difference():
    cover = np.zeros((64, 64), np.float32)
    cover[16:48, 16:48] = 1
    cover[16:48, [16, 47]] = cover[[16, 47], 16:48] = 0.5
    surface = membrane(np.full((64, 64, 3), 0.25, np.float32), cover)
    assert surface[20:44, 20:44] == pytest.approx(0.25, abs=1e-3)
    slope = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (64, 64, 3)).copy()
    inside = membrane(slope, cover)[32, 18:46, 0]
    assert (np.diff(inside) > -0.02).all() and inside[-1] - inside[0] > 0.2


def test_grain_has_the_photographs_strength():
    cover = np.ones((100, 100), np.float32)
    light = np.full((100, 100, 3), 0.3, np.float32)
    out = grainy(light, cover, 0.02, Key(3))
    srgb = 1.055 * out ** (1 / 2.4) - 0.055
    assert srgb.std() == pytest.approx(0.02, rel=0.05)
    assert np.array_equal(grainy(light, np.zeros((100, 100), np.float32), 0.02, Key(3)), light)


def test_filling_takes_the_mean_of_known_neighbours():
    values = np.zeros((3, 3, 3), np.float32)
    values[0, 0], values[2, 2] = 1, 3
    known = values[..., 0] > 0
    out = filled(values, known)
    assert out[1, 1, 0] == 2 and out[0, 0, 0] == 1 and out[0, 1, 0] == 1


def test_a_figure_behind_the_camera_leaves_the_photograph():
    behind = dataclasses.replace(scene(), entities=(standing((0, -8)),))
    assert np.array_equal(rgb(behind, shadow_samples=0), rgb(dataclasses.replace(behind, entities=())))
