"""The path-traced renderer, on Mitsuba 3 (Jakob et al., 2022): colour by path tracing, labels by rays at pixel centres.

Two settings share one scene. Without a Backdrop everything is traced and denoised. With one, only the figures' pixels and
the ground that they darken are: figures go into the photograph (:mod:`~understudy.renderers.mitsuba.composite`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from understudy import signals
from understudy.errors import RenderError
from understudy.fields import setting
from understudy.key import Key
from understudy.renderers.channels import LABEL_CHANNELS, Hits, in_front_of_lamps, label_channels
from understudy.renderers.raster import View, nearest
from understudy.renderers.triangles import Triangles, triangles_of
from understudy.scene import Scene
from understudy.sensors import develop, metered
from understudy.signals import Signals, Spec
from understudy.supports import Integers, OneOf

_CLOSE_PX_PER_M = 300.0  # as where cloth and skin are made fine


@dataclass(frozen=True)
class Path:
    """Path tracing with Mitsuba 3. The defaults are fast; noise is removed by Open Image Denoise."""

    supplies: ClassVar[frozenset[str]] = LABEL_CHANNELS | {signals.RGB.name}

    samples: int = setting(2, Integers(1, 65536), "", "paths a pixel")
    max_depth: int = setting(4, Integers(1, 64), "", "longest path, in segments: 2 is direct light alone")
    denoise: str = setting("auto", OneOf(("auto", "off", "fast", "balanced", "high")), "",
                           "Open Image Denoise's effort; auto is fast at half the resolution (a third for close figures in "
                           "photographs), laid back over the full one")
    shadow_samples: int = setting(8, Integers(0, 4096), "",
                                  "rays to the light from each ground point of a photograph; 0 casts no shadow")

    def render(self, scene: Scene, wanted: tuple[Spec, ...], key: Key) -> Signals:
        unknown = [s.name for s in wanted if s.name not in self.supplies]
        if unknown:
            raise RenderError("this renderer does not give that channel", where="path", wanted=sorted(self.supplies),
                              got=unknown)
        from understudy.renderers.mitsuba import meshes, rays
        from understudy.renderers.mitsuba.variant import mitsuba

        mi = mitsuba()
        triangles = triangles_of(scene)
        w, h = scene.camera.lens.size_wh
        bare = meshes.hit_scene(mi, triangles)
        if mi.variant().startswith("scalar"):  # rays one by one would take seconds
            hits = Hits(*nearest(triangles.points, triangles.faces, View(scene.camera.lens)))
        else:
            pixels = np.arange(w * h) if scene.backdrop is None else _reached(scene, triangles)
            hits = rays.centre_hits(mi, bare, scene.camera, pixels)
        hits = in_front_of_lamps(scene, triangles, hits)
        out = label_channels(scene, triangles, hits, wanted)
        if signals.RGB in wanted:
            out[signals.RGB] = develop(self._light(mi, bare, scene, triangles, hits, key), scene.camera, key.child("sensor"))
        return Signals({spec: out[spec] for spec in wanted}, where="path")

    def _light(self, mi, bare, scene: Scene, triangles: Triangles, hits: Hits, key: Key) -> np.ndarray:
        """(h, w, 3) float32: the light that arrives at the sensor."""
        from understudy.renderers.mitsuba.bokeh import settled
        from understudy.renderers.mitsuba.composite import into_photograph

        if scene.backdrop is not None:
            return into_photograph(mi, bare, scene, triangles, hits, self, key)
        w, h = scene.camera.lens.size_wh
        paths = self.paths(mi, bare, scene, triangles, hits, np.arange(w * h), key.child("paths"), sky=True)
        light, shown, albedo, normal = (v.reshape(h, w, 3) for v in (paths.light, paths.shown, paths.albedo, paths.normal))
        picture = shown + self.denoised(light, paths.cover.reshape(h, w), albedo, normal)
        return metered(picture if self.denoise == "off" else settled(picture, scene, triangles, hits))

    def block(self, px_per_m: float) -> int:
        """Side (px) of the blocks over which light is denoised on a figure that has so many pixels to a metre: under a
        centimetre of it, and two pixels at least."""
        if self.denoise != "auto":
            return 1
        return 3 if px_per_m >= _CLOSE_PX_PER_M else 2

    def denoised(self, light: np.ndarray, cover: np.ndarray, albedo: np.ndarray, normal: np.ndarray,
                 block: int = 2) -> np.ndarray:
        """``light`` (h, w, 3) without its noise; all maps are float32 and premultiplied by ``cover`` (h, w)."""
        from understudy.renderers.mitsuba.denoise import denoised
        from understudy.renderers.mitsuba.upsampled import small_denoised

        if self.denoise == "auto":
            return small_denoised(light, cover, albedo, normal, "fast", block)
        return denoised(light, albedo, normal, self.denoise)

    def paths(self, mi, bare, scene: Scene, triangles: Triangles, hits: Hits, pixels: np.ndarray, key: Key, *, sky: bool,
              rows: int = 1):
        """The :class:`~understudy.renderers.mitsuba.paths.Traced` light of ``pixels``, compiled or, failing that, plain.

        rows : of so many rows of the picture one holds paths beyond direct light (where compiled)
        """
        if mi.variant().startswith("scalar"):
            from understudy.renderers.mitsuba.plain import traced_plainly

            return traced_plainly(mi, scene, triangles, hits, pixels, self.samples, self.max_depth, key, sky)
        from understudy.renderers.mitsuba.paths import traced
        from understudy.renderers.mitsuba.stage import stage_of

        return traced(stage_of(mi, scene, triangles, bare), scene.camera, pixels, self.samples, self.max_depth, key, sky,
                      rows)


def _reached(scene: Scene, triangles: Triangles) -> np.ndarray:
    """(k,) flat indices of the pixels within reach of any entity's box: the only ones that can see something."""
    from understudy.renderers.silhouettes import reach

    w, h = scene.camera.lens.size_wh
    mask = np.zeros((h, w), bool)
    for entity in scene.entities:
        box = reach(triangles, triangles.part_of(entity)[0])
        if box is not None:
            mask[box] = True
    return np.flatnonzero(mask)
