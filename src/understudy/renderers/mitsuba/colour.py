"""Path-traced light of a list of pixels."""

from __future__ import annotations

import numpy as np

from understudy.key import Key
from understudy.renderers.mitsuba.light import emitters
from understudy.renderers.mitsuba.meshes import seen_mesh
from understudy.renderers.mitsuba.rays import sampled_rays
from understudy.renderers.triangles import Triangles
from understudy.scene import Scene


def lit_scene(mi, scene: Scene, triangles: Triangles):
    """The Mitsuba scene that colour is traced in: every surface with its material, and the lights."""
    entries = {"type": "scene", **emitters(mi, scene.environment, scene.sun, scene.lamps)}
    for i, piece in enumerate(triangles.pieces):
        entries[f"piece{i}"] = seen_mesh(mi, triangles, piece)
    return mi.load_dict(entries)


def traced(mi, lit, scene: Scene, pixels: np.ndarray, samples: int, max_depth: int, key: Key,
           sky: bool) -> tuple[np.ndarray, np.ndarray]:
    """Mean radiance (k, 3) and coverage (k,) float32 of ``pixels`` (k,) flat indices.

    Radiance is the mean over all samples, those that met nothing counting as black, or as the environment where ``sky``.
    Coverage is the share of samples that met a surface.
    """
    import drjit as dr

    if not len(pixels):
        return np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
    integrator = mi.load_dict({"type": "path", "max_depth": max_depth, "rr_depth": 100, "hide_emitters": not sky})
    sampler = mi.load_dict({"type": "independent"})
    n = len(pixels) * samples
    sampler.seed(int(key.words(1)[0]) & 0x7FFFFFFF, n)
    ray = sampled_rays(mi, scene.camera, pixels, samples, sampler)
    light, valid, _ = integrator.sample(lit, sampler, ray, None, True)
    light = dr.select(dr.isfinite(dr.sum(light)), light, 0)
    parts = [light.x, light.y, light.z, dr.select(valid, mi.Float(1), 0)]
    dr.eval(parts)  # one kernel for all: each block sum on its own would trace the paths again
    sums = [dr.block_sum(c, samples) for c in parts]
    table = np.stack([np.array(s) for s in sums], axis=1) / np.float32(samples)
    return table[:, :3], table[:, 3]
