"""Path tracing where nothing can be compiled (no LLVM, no GPU): Mitsuba's own integrator and camera, interpreted.

It gives what :mod:`~understudy.renderers.mitsuba.paths` gives, several times slower. The picture is traced through a
pinhole that is wide enough and then bent as the lens bends it: each pixel takes the nearest of the traced ones, so that
noise stays noise for the denoiser and colour is off by half a pixel at most. Labels never come this way.
"""

from __future__ import annotations

import math

import numpy as np

from understudy import signals
from understudy.geometry.cameras import pixel_centres, unproject
from understudy.key import Key
from understudy.renderers.channels import Hits, label_channels
from understudy.renderers.mitsuba.light import far_radiance
from understudy.renderers.mitsuba.meshes import seen_mesh
from understudy.renderers.mitsuba.paths import Traced
from understudy.renderers.texels import base_colour
from understudy.renderers.triangles import Triangles
from understudy.scene import Scene


def traced_plainly(mi, scene: Scene, triangles: Triangles, hits: Hits, pixels: np.ndarray, samples: int, max_depth: int,
                   key: Key, sky: bool) -> Traced:
    """As :func:`~understudy.renderers.mitsuba.paths.traced`; the guides are those of the pixels' centres."""
    camera = scene.camera
    w, h = camera.lens.size_wh
    xy = np.nan_to_num(unproject(camera.lens, pixel_centres((w, h))))
    scale = max(camera.lens.focal_px)
    half_x, half_y = (float(np.abs(xy[..., i]).max()) + 0.5 / scale for i in range(2))
    film_w, film_h = (max(2, math.ceil(2 * half * scale - 1e-6)) for half in (half_x, half_y))
    half_y = half_x * film_h / film_w  # square pixels
    to_world = camera.to_world @ np.diag((-1.0, -1.0, 1.0, 1.0))  # Mitsuba's camera has x to the left and y up
    lens = {"type": "perspective"}
    if camera.optics.aperture_m:
        lens = {"type": "thinlens", "aperture_radius": camera.optics.aperture_m / 2, "focus_distance": camera.optics.focus_m}
    sensor = {**lens, "fov": math.degrees(2 * math.atan(half_x)), "fov_axis": "x",
              "to_world": mi.ScalarTransform4f(to_world),
              "film": {"type": "hdrfilm", "width": film_w, "height": film_h, "pixel_format": "rgba",
                       "component_format": "float32", "rfilter": {"type": "box"}},
              "sampler": {"type": "independent", "sample_count": samples}}
    entries = {"type": "scene", "sensor": sensor, **emitters(mi, scene),
               "integrator": {"type": "path", "max_depth": max_depth, "rr_depth": 1000, "hide_emitters": not sky}}
    for i, piece in enumerate(triangles.pieces):
        entries[f"piece{i}"] = seen_mesh(mi, triangles, piece)
    image = np.array(mi.render(mi.load_dict(entries), seed=int(key.words(1)[0]) & 0x7FFFFFFF), np.float32)
    image = np.where(np.isfinite(image).all(axis=2, keepdims=True), image, 0)
    at = ((xy / (half_x, half_y) + 1) / 2 * (film_w, film_h)).astype(np.int64)
    bent = image[np.clip(at[..., 1], 0, film_h - 1), np.clip(at[..., 0], 0, film_w - 1)].reshape(-1, 4)[pixels]
    albedo, normal = (v.reshape(-1, 3)[pixels] for v in guides(scene, triangles, hits))
    cover = np.ones(len(bent), np.float32) if sky else np.clip(bent[:, 3], 0, 1)  # the sky is not told from surfaces
    return Traced(bent[:, :3], np.zeros_like(bent[:, :3]), cover, albedo, normal)


def guides(scene: Scene, triangles: Triangles, hits: Hits) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (h, w, 3) and normal (h, w, 3) float32 at the pixels' centres, both 0 where nothing is seen."""
    maps = label_channels(scene, triangles, hits, (signals.NORMAL, signals.UV))
    normal, uv = maps[signals.NORMAL], maps[signals.UV].reshape(-1, 2)[hits.pixel]
    albedo = np.zeros(normal.shape, np.float32)
    albedo.reshape(-1, 3)[hits.pixel] = base_colour(triangles, triangles.piece[hits.face], uv)
    return albedo, normal


def emitters(mi, scene: Scene) -> dict:
    """The scene's lights as entries of a Mitsuba scene."""
    out: dict = {}
    radiance = far_radiance(scene.environment, scene.sun)
    if radiance is not None:
        # Mitsuba's map runs clockwise seen from above, with y up and the first column at -z: mirror it, turn y to z.
        to_world = np.array([(0, 0, -1, 0), (-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1)], float)
        out["environment"] = {"type": "envmap", "bitmap": mi.Bitmap(np.ascontiguousarray(radiance[:, ::-1])),
                              "to_world": mi.ScalarTransform4f(to_world)}
    for i, lamp in enumerate(scene.lamps):
        shine = {"type": "rgb", "value": [float(c) for c in lamp.radiance]}
        out[f"lamp{i}"] = {"type": "rectangle", "to_world": mi.ScalarTransform4f(np.asarray(lamp.to_world, float)),
                           "bsdf": {"type": "diffuse", "reflectance": {"type": "rgb", "value": [0.0, 0.0, 0.0]}},
                           "emitter": {"type": "area", "radiance": shine}}
    return out
