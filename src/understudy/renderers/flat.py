"""The quick renderer: the same labels by another route, and plain shaded colour without path tracing.

It needs NumPy alone. Its label channels come from a rasteriser (:mod:`understudy.renderers.raster`) where ``path`` asks
rays, so the two prove each other; its colour (diffuse light, no shadow) is for tests, previews of a layout and machines
without Mitsuba.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from understudy import signals
from understudy.errors import RenderError
from understudy.geometry.cameras import pixel_centres, unproject
from understudy.geometry.poses import rotate
from understudy.key import Key
from understudy.renderers.channels import LABEL_CHANNELS, Hits, in_front_of_lamps, label_channels
from understudy.renderers.raster import View, nearest
from understudy.renderers.texels import base_colour
from understudy.renderers.triangles import Triangles, triangles_of
from understudy.scene import Environment, Scene
from understudy.sensors import develop, metered
from understudy.signals import Signals, Spec


@dataclass(frozen=True)
class Flat:
    """Labels by rasterising, colour by diffuse shading."""

    supplies: ClassVar[frozenset[str]] = LABEL_CHANNELS | {signals.RGB.name}

    def render(self, scene: Scene, wanted: tuple[Spec, ...], key: Key) -> Signals:
        unknown = [s.name for s in wanted if s.name not in self.supplies]
        if unknown:
            raise RenderError("this renderer does not give that channel", where="flat", wanted=sorted(self.supplies),
                              got=unknown)
        triangles = triangles_of(scene)
        seen = nearest(triangles.points, triangles.faces, View(scene.camera.lens))
        hits = in_front_of_lamps(scene, triangles, Hits(*seen))
        out = label_channels(scene, triangles, hits, wanted)
        if signals.RGB in wanted:
            linear = _shade(scene, triangles, hits)
            if scene.backdrop is None:
                linear = metered(linear)
            out[signals.RGB] = develop(linear, scene.camera, key.child("sensor"))
        return Signals({spec: out[spec] for spec in wanted}, where="flat")


def _shade(scene: Scene, triangles: Triangles, hits: Hits) -> np.ndarray:
    """(h, w, 3) float32 linear: base colour times the light that falls on it, over the backdrop or the sky."""
    w, h = scene.camera.lens.size_wh
    world = label_channels(scene, triangles, hits, (signals.NORMAL, signals.UV))
    normal = rotate(scene.camera.to_world, world[signals.NORMAL].reshape(-1, 3)[hits.pixel]).astype(np.float32)
    uv = world[signals.UV].reshape(-1, 2)[hits.pixel]
    colour = base_colour(triangles, triangles.piece[hits.face], uv)
    if scene.backdrop is not None:
        linear = scene.backdrop.radiance.reshape(-1, 3).astype(np.float32)
    else:
        xy = unproject(scene.camera.lens, pixel_centres((w, h))).reshape(-1, 2)
        ahead = rotate(scene.camera.to_world, np.concatenate([xy, np.ones((len(xy), 1))], axis=1))
        linear = looked_up(scene.environment, ahead)
    linear = linear.copy()
    linear[hits.pixel] = colour * _light(scene, normal) / np.float32(np.pi)
    return linear.reshape(h, w, 3)


def _light(scene: Scene, normal: np.ndarray) -> np.ndarray:
    """(k, 3) float32 irradiance at surfaces with these world normals (k, 3); lamps count as a faint even light."""
    total = np.full(normal.shape, 0.2 if scene.environment is None else 0.0, np.float32)
    if scene.environment is not None:
        total += irradiance(scene.environment, normal)
    if scene.sun is not None:
        facing = np.maximum(normal @ np.asarray(scene.sun.direction, np.float32), 0)
        total += facing[:, None] * np.asarray(scene.sun.irradiance, np.float32)
    for lamp in scene.lamps:
        total += np.float32(0.1) * np.asarray(lamp.radiance, np.float32)
    return total


def looked_up(environment: Environment | None, direction: np.ndarray) -> np.ndarray:
    """(k, 3) float32: the radiance that comes from world directions (k, 3), not normalised; black without environment."""
    if environment is None:
        return np.zeros(direction.shape, np.float32)
    h, w = environment.radiance.shape[:2]
    d = np.nan_to_num(direction, nan=1.0)
    polar = np.arctan2(np.hypot(d[:, 0], d[:, 1]), d[:, 2]) / np.pi
    around = np.arctan2(d[:, 1], d[:, 0]) / (2 * np.pi) % 1.0
    return environment.radiance[np.minimum((polar * h).astype(int), h - 1), np.minimum((around * w).astype(int), w - 1)]


def irradiance(environment: Environment, normal: np.ndarray) -> np.ndarray:
    """(k, 3) float32: light that falls on surfaces with world normals (k, 3), within about a hundredth of its mean.

    Second-order spherical harmonics (Ramamoorthi & Hanrahan, *An efficient representation for irradiance environment
    maps*, SIGGRAPH 2001).
    """
    radiance = environment.radiance.astype(np.float64)
    h, w = radiance.shape[:2]
    polar, around = (np.arange(h) + 0.5) / h * np.pi, (np.arange(w) + 0.5) / w * 2 * np.pi
    sine = np.sin(polar)[:, None]
    directions = np.stack([sine * np.cos(around), sine * np.sin(around),
                           np.broadcast_to(np.cos(polar)[:, None], (h, w))], axis=-1)
    solid_angle = sine * (np.pi / h) * (2 * np.pi / w)
    basis = _harmonics(directions.reshape(-1, 3))
    light = basis.T @ (radiance * solid_angle[..., None]).reshape(-1, 3)
    cosine = np.array([np.pi, *[2 * np.pi / 3] * 3, *[np.pi / 4] * 5])[:, None]
    return np.maximum(_harmonics(normal.astype(np.float64)) @ (light * cosine), 0).astype(np.float32)


def _harmonics(d: np.ndarray) -> np.ndarray:
    """(k, 9): the real spherical harmonics up to order two at unit directions (k, 3)."""
    x, y, z = d.T
    return np.stack([np.full(len(d), 0.282095), 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y,
                     1.092548 * y * z, 0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y)], axis=1)
