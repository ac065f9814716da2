"""The path renderer's light: energy, directions of light, agreement with Mitsuba's own integrator, determinism."""

import dataclasses
import hashlib
import subprocess
import sys

import numpy as np
import pytest

from understudy import signals
from understudy.draws import Draws
from understudy.geometry import primitives
from understudy.geometry.cameras import look_at, pixel_centres, pixel_rays
from understudy.geometry.poses import apply, rotation, translation
from understudy.key import Key
from understudy.renderers.flat import Flat, irradiance
from understudy.renderers.mitsuba import Path, meshes, paths, stage
from understudy.renderers.mitsuba.light import far_radiance
from understudy.renderers.mitsuba.variant import mitsuba
from understudy.renderers.triangles import triangles_of
from understudy.scene import Camera, Entity, Environment, Lamp, Lens, Material, Scene, Sun, Surface, Texture
from understudy.sensors.camera import CameraSensor
from understudy.worlds.solids import Solids

CAMERA = Camera(Lens((64, 64), (64.0, 64.0), (32.0, 32.0)), look_at((0, -3, 0), (0, 0, 0)))
MATT = Material((1.0, 1.0, 1.0), roughness=1.0, specular=0.0)


def ball(material: Material, radius: float = 0.8) -> Entity:
    mesh = primitives.sphere(radius, 64, 128)
    vertices = (mesh.vertices - (0, 0, radius)).astype(np.float32)
    part = np.full(len(mesh.faces), 15, np.uint8)
    return Entity(1, "thing", (Surface("ball", vertices, mesh.faces, material, part, uv=mesh.uv),))


def environment(value: float = 1.0) -> Environment:
    return Environment(np.full((16, 32, 3), value, np.float32))


def light_of(scene: Scene, samples: int = 64, depth: int = 6, sky: bool = True) -> paths.Traced:
    mi = mitsuba()
    triangles = triangles_of(scene)
    w, h = scene.camera.lens.size_wh
    laid = stage.stage_of(mi, scene, triangles, meshes.hit_scene(mi, triangles))
    return paths.traced(laid, scene.camera, np.arange(w * h), samples, depth, Key(1), sky)


def scene_of(material: Material, **lights) -> Scene:
    return Scene(("thing",), CAMERA, (ball(material),), **lights)


def test_white_furnace():
    """A white matt ball in an even environment cannot be told from it: its mean is 1 within noise."""
    traced = light_of(scene_of(MATT, environment=environment()))
    assert traced.cover.max() == 1 and traced.cover.min() == 0
    assert traced.light[traced.cover == 1].mean() == pytest.approx(1.0, abs=0.005)
    assert traced.shown[traced.cover == 0] == pytest.approx(1.0)
    assert not traced.light[traced.cover == 0].any() and not traced.shown[traced.cover == 1].any()


def test_the_sky_is_shown_without_steps_between_its_pixels():
    """Brightness that grows from row to row grows evenly down the picture."""
    rows = np.linspace(0, 1, 16, dtype=np.float32)
    radiance = np.repeat(np.repeat(rows[:, None, None], 32, axis=1), 3, axis=2)
    scene = dataclasses.replace(scene_of(MATT, environment=Environment(radiance)), entities=())
    shown = light_of(scene, samples=16).shown.reshape(64, 64, 3)
    middle = shown[:, 30:34].mean(axis=(1, 2))
    polar = np.arccos(pixel_rays(scene.camera, pixel_centres((64, 64)))[1][:, 32] @ (0, 0, 1.0)
                      / np.linalg.norm(pixel_rays(scene.camera, pixel_centres((64, 64)))[1][:, 32], axis=1))
    assert middle == pytest.approx(np.interp(polar / np.pi * 16 - 0.5, np.arange(16), rows), abs=0.004)


@pytest.mark.parametrize("roughness, metallic", [(0.05, 1.0), (0.4, 1.0), (0.3, 0.0), (1.0, 0.0)])
def test_no_material_gives_more_than_it_gets(roughness, metallic):
    material = Material((1.0, 1.0, 1.0), roughness=roughness, metallic=metallic, specular=0.5)
    inside = light_of(scene_of(material, environment=environment())).light
    middle = inside.reshape(64, 64, 3)[20:44, 20:44]
    assert middle.mean() < 1.01
    assert middle.mean() > (0.95 if roughness < 0.1 else 0.6)  # a smooth metal mirrors nearly all; roughness loses some


def test_a_grey_ball_has_its_albedo():
    traced = light_of(scene_of(dataclasses.replace(MATT, base_color=(0.2, 0.5, 0.8)), environment=environment()))
    core = traced.light.reshape(64, 64, 3)[28:36, 28:36].mean(axis=(0, 1))
    assert core == pytest.approx((0.2, 0.5, 0.8), abs=0.012)  # 8-bit colour and noise
    assert traced.albedo.reshape(64, 64, 3)[32, 32] == pytest.approx((0.2, 0.5, 0.8), abs=0.004)


@pytest.mark.parametrize("direction, brighter", [((-1, 0, 0), "left"), ((1, 0, 0), "right"), ((0, 0, 1), "top"),
                                                 ((0, 0, -1), "bottom")])
def test_light_from_one_side_lights_that_side(direction, brighter):
    image = light_of(scene_of(MATT, sun=Sun(direction, (3.0, 3.0, 3.0)))).light.reshape(64, 64, 3).mean(axis=2)
    halves = {"left": image[:, :32], "right": image[:, 32:], "top": image[:32], "bottom": image[32:]}
    other = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[brighter]
    assert halves[brighter].mean() > 50 * halves[other].mean()


@pytest.mark.parametrize("column, axis, sign", [(0, 0, 1), (8, 1, 1), (16, 0, -1), (24, 1, -1)])
def test_an_environments_columns_run_counter_clockwise_from_x(column, axis, sign):
    radiance = np.zeros((16, 32, 3), np.float32)
    radiance[7:9, [(column - 1) % 32, column]] = 1
    normals = np.array([(1, 0, 0), (0, 1, 0), (-1, 0, 0), (0, -1, 0)], np.float32)
    wanted = np.zeros(3)
    wanted[axis] = sign
    flat = irradiance(Environment(radiance), normals).mean(axis=1)
    assert normals[flat.argmax()] == pytest.approx(wanted)
    camera = dataclasses.replace(CAMERA, to_world=look_at(tuple(3 * wanted), (0, 0, 0)))
    lit = light_of(Scene(("thing",), camera, (ball(MATT),), environment=Environment(radiance)), sky=False).light
    unlit = light_of(Scene(("thing",), dataclasses.replace(CAMERA, to_world=look_at(tuple(-3 * wanted), (0, 0, 0))),
                           (ball(MATT),), environment=Environment(radiance)), sky=False).light
    assert lit.mean() > 5 * unlit.mean()


def test_row_nought_of_an_environment_is_above():
    radiance = np.zeros((16, 32, 3), np.float32)
    radiance[:2] = 1
    image = light_of(scene_of(MATT, environment=Environment(radiance)), sky=False).light.reshape(64, 64, 3)
    assert image[:32].mean() > 5 * image[32:].mean()


def test_the_sun_brings_its_irradiance():
    """A matt white plane that faces the sun sends out irradiance / pi."""
    sun = Sun((0.3, -1.0, 0.2), (2.0, 1.0, 0.5))
    total = far_radiance(None, sun)
    polar = (np.arange(len(total)) + 0.5) / len(total) * np.pi
    solid = np.sin(polar)[:, None] * (np.pi / total.shape[0]) * (2 * np.pi / total.shape[1])
    assert (total * solid[..., None]).sum(axis=(0, 1)) == pytest.approx((2.0, 1.0, 0.5), rel=1e-5)
    towards = np.array(sun.direction) / np.linalg.norm(sun.direction)
    mesh = primitives.box(4, 4, 0.01)
    pose = look_at((0, 0, 0), tuple(towards))
    vertices = apply(pose, mesh.vertices - (0, 0, 0.005)).astype(np.float32)
    plate = Entity(1, "thing", (Surface("plate", vertices, mesh.faces, MATT, np.zeros(12, np.uint8), smooth=False),))
    camera = dataclasses.replace(CAMERA, to_world=look_at(tuple(2 * towards), (0, 0, 0)))
    core = light_of(Scene(("thing",), camera, (plate,), sun=sun), samples=32).light.reshape(64, 64, 3)[24:40, 24:40]
    assert core.mean(axis=(0, 1)) * np.pi == pytest.approx((2.0, 1.0, 0.5), rel=0.02)


def test_a_lamp_lights_by_its_form_factor():
    """A small lamp straight above a matt plane: radiance · area · albedo / (pi · distance²), within noise."""
    mesh = primitives.box(4, 4, 0.01)
    vertices = (mesh.vertices - (0, 0, 0.01)).astype(np.float32)
    plate = Entity(1, "thing", (Surface("plate", vertices, mesh.faces, MATT, np.zeros(12, np.uint8), smooth=False),))
    down = translation(0, 0, 2) @ rotation("x", 180) @ np.diag((0.1, 0.1, 1, 1))
    camera = dataclasses.replace(CAMERA, to_world=look_at((0, -2, 1.0), (0, 0, 0)))
    scene = Scene(("thing",), camera, (plate,), lamps=(Lamp(down, (10.0, 5.0, 1.0)),))
    core = light_of(scene, samples=64, depth=2).light.reshape(64, 64, 3)[31:33, 31:33].mean(axis=(0, 1))
    assert core == pytest.approx(np.array([10.0, 5.0, 1.0]) * 0.04 / (np.pi * 4), rel=0.04)


def test_texture_coordinates_have_v_upwards():
    """The texture's first row is at v = 1: on a ball, at its top; both renderers agree."""
    pixels = np.full((32, 8, 3), (0, 0, 255), np.uint8)
    pixels[:16] = (255, 0, 0)
    scene = scene_of(dataclasses.replace(MATT, base_color=Texture(pixels)), environment=environment())
    albedo = light_of(scene, samples=4).albedo.reshape(64, 64, 3)
    assert albedo[22, 32, 0] > 0.9 and albedo[42, 32, 2] > 0.9
    flat = Flat().render(scene, (signals.RGB,), Key(0))["rgb"]
    assert flat[22, 32, 0] > flat[22, 32, 2] and flat[42, 32, 2] > flat[42, 32, 0]


def test_it_agrees_with_mitsubas_own_integrator():
    """The mean light of a diffuse scene, here and by Mitsuba's path integrator, within three standard errors."""
    import drjit as dr

    mi = mitsuba()
    radiance = np.zeros((32, 64, 3), np.float32)
    radiance[4:8, 10:20] = 8.0
    radiance += 0.2
    base = Scene(("thing",), CAMERA, (ball(dataclasses.replace(MATT, base_color=(0.6, 0.6, 0.6))),
                                      dataclasses.replace(ball(MATT, 0.3), id=2)), environment=Environment(radiance))
    shifted = apply(translation(0.9, -0.6, 0.2), base.entities[1].surfaces[0].vertices).astype(np.float32)
    second = dataclasses.replace(base.entities[1].surfaces[0], vertices=shifted)
    scene = dataclasses.replace(base, entities=(base.entities[0], dataclasses.replace(base.entities[1], surfaces=(second,))))
    ours = light_of(scene, samples=128, depth=4, sky=False).light
    # Mitsuba's environment runs clockwise with y up; its pixels are blended, so compare on a smooth scene only by the mean
    to_world = mi.ScalarTransform4f(np.array([(0, 0, -1, 0), (-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1)], float))
    entries = {"type": "scene", "sky": {"type": "envmap", "bitmap": mi.Bitmap(np.ascontiguousarray(radiance[:, ::-1])),
                                        "to_world": to_world}}
    for i, entity in enumerate(scene.entities):
        surface = entity.surfaces[0]
        props = mi.Properties()
        value = list(surface.material.base_color)
        props["mesh_bsdf"] = mi.load_dict({"type": "diffuse", "reflectance": {"type": "rgb", "value": value}})
        mesh = mi.Mesh(f"m{i}", len(surface.vertices), len(surface.faces), props=props)
        params = mi.traverse(mesh)
        params["vertex_positions"] = surface.vertices.ravel()
        params["faces"] = surface.faces.astype(np.uint32).ravel()
        params.update()
        entries[f"m{i}"] = mesh
    from understudy.renderers.mitsuba.rays import sampled_rays
    from understudy.renderers.mitsuba.sequence import Sequence

    n = 64 * 64 * 128
    sampler = mi.load_dict({"type": "independent"})
    sampler.seed(5, n)
    ray = sampled_rays(mi, CAMERA, np.arange(64 * 64), 128, Sequence(mi, np.arange(64 * 64), 64, 128, 9))
    integrator = mi.load_dict({"type": "path", "max_depth": 4, "rr_depth": 99, "hide_emitters": True})
    light, _, _ = integrator.sample(mi.load_dict(entries), sampler, mi.RayDifferential3f(ray), None, True)
    dr.eval(light)
    theirs = np.array(light.y).reshape(128, -1).mean(axis=0)
    lit = (ours[:, 1] > 0) & (theirs > 0)
    assert ours[lit, 1].mean() == pytest.approx(theirs[lit].mean(), rel=0.015)


def solids(index: int) -> Scene:
    draws = Draws(Key(3) / index)
    return Solids().sample(draws.at("world"), CameraSensor(size=(96, 72)).sample(draws.at("sensor")))


def digest_of(index: int) -> str:
    every = Path().render(solids(index), tuple(signals.CHANNELS.values()), Key(3) / index / "render")
    return hashlib.sha256(b"".join(every[name].tobytes() for name in sorted(every))).hexdigest()


def test_the_same_bytes_twice_whatever_came_between():
    first = digest_of(0)
    digest_of(1)
    assert digest_of(0) == first


def test_the_same_bytes_in_a_fresh_process():
    folder = str(__file__).rsplit("/", 1)[0]
    code = f"import sys; sys.path.insert(0, {folder!r}); import test_path_light as t; print(t.digest_of(0))"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert fresh.stdout.strip() == digest_of(0)


def test_labels_do_not_depend_on_the_key():
    names = tuple(s for s in signals.CHANNELS.values() if s is not signals.RGB)
    one, two = (Path().render(solids(0), names, Key(k)) for k in (1, 2))
    assert all(np.array_equal(one[s], two[s]) for s in names)
