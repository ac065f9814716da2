"""Figures into a photograph: lit by its light, casting shadow on its ground, as sharp and as noisy as it is."""

from __future__ import annotations

import math

import numpy as np

from understudy.geometry.cameras import confusion_px
from understudy.key import Key
from understudy.renderers.channels import Hits
from understudy.renderers.mitsuba.bokeh import settled
from understudy.renderers.mitsuba.defocus import defocused
from understudy.renderers.mitsuba.grain import grainy
from understudy.renderers.mitsuba.shadow import shadow_ratio
from understudy.renderers.mitsuba.upsampled import filled
from understudy.renderers.triangles import Triangles
from understudy.scene import Backdrop, Camera, Scene

_FEATHER_PX = 1.6  # the gaussian blend's softening
_EDGE_PX = 8  # room around figures for the denoiser and the means of defocus
_PULL = 0.2  # how far the poisson blend draws a figure towards its surroundings: all the way hides small ones


def into_photograph(mi, bare, scene: Scene, triangles: Triangles, hits: Hits, quality, key: Key) -> np.ndarray:
    """(h, w, 3) float32 linear. ``quality`` is the Path renderer, ``bare`` the figures' hit scene."""
    backdrop = scene.backdrop
    ground = np.array(backdrop.radiance, np.float32)
    if quality.shadow_samples:
        ratio = shadow_ratio(mi, bare, scene, quality.shadow_samples, key.child("shadow"))
        ground = ground if ratio is None else ground * ratio
    ground = defocused(ground, scene.camera, backdrop.noise, key.child("backdrop"))
    if not len(hits.pixel):
        return ground
    at, light, cover = _figures(mi, bare, scene, triangles, hits, quality, key)
    seen = np.zeros(ground.shape[:2], bool)
    seen.reshape(-1)[hits.pixel] = True
    light, cover = blended(light, cover, seen[at], ground[at], backdrop)
    if backdrop.noise:
        light = grainy(light, cover, backdrop.noise, key.child("grain"))
    out = ground.copy()
    out[at] = light + (1 - cover[..., None]) * ground[at]
    return out


def _figures(mi, bare, scene: Scene, triangles: Triangles, hits: Hits, quality,
             key: Key) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """Rows and columns that hold all that figures change; there their light (h, w, 3), times their coverage, and that
    coverage (h, w)."""
    import cv2

    w, h = scene.camera.lens.size_wh
    seen = np.zeros((h, w), np.uint8)
    seen.reshape(-1)[hits.pixel] = 1
    margin = 1 + math.ceil(_defocus_px(scene.camera, triangles))
    touched = cv2.dilate(seen, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)).astype(bool)
    pixels = np.flatnonzero(touched)
    block = quality.block(_px_per_m(scene, triangles, hits))
    paths = quality.paths(mi, bare, scene, triangles, hits, pixels, key.child("paths"), sky=False, rows=block)
    at = _around(touched, _EDGE_PX + math.ceil(3 * _softness(scene.backdrop)), block)
    inside = touched[at]

    def mapped(values: np.ndarray) -> np.ndarray:
        out = np.zeros((*inside.shape, *values.shape[1:]), np.float32)
        out[inside] = values
        return out

    light, cover = mapped(paths.light), mapped(paths.cover)
    if quality.denoise != "off":
        albedo, normal = mapped(paths.albedo), mapped(paths.normal)
        for box in _boxes(cover > 0, block):
            light[box] = quality.denoised(light[box], cover[box], albedo[box], normal[box], block)
        light *= (cover > 0)[..., None]
        both = settled(np.dstack([light, cover]), scene, triangles, hits, at)
        light, cover = both[..., :3], both[..., 3]
    return at, light, cover


def _px_per_m(scene: Scene, triangles: Triangles, hits: Hits) -> float:
    """Pixels to a metre of the middle one of what is seen."""
    ahead = triangles.points[triangles.faces[hits.face[::7], 0], 2]
    return float(scene.camera.lens.focal_px[0] / np.median(ahead))


def _around(mask: np.ndarray, margin: int, block: int) -> tuple[slice, slice]:
    """Rows and columns of what is true in (h, w), and so many pixels around it, from the beginning of a block on."""
    ends = (np.flatnonzero(mask.any(axis=axis))[[0, -1]] for axis in (1, 0))
    return tuple(slice(max(int(first) - margin, 0) // block * block, int(last) + 1 + margin) for first, last in ends)


def _softness(backdrop: Backdrop) -> float:
    """Standard deviation (px) by which figures are blurred as they are laid over the photograph."""
    return math.hypot(backdrop.blur_px, _FEATHER_PX) if backdrop.blend == "gaussian" else backdrop.blur_px


def blended(light: np.ndarray, cover: np.ndarray, seen: np.ndarray, ground: np.ndarray,
            backdrop: Backdrop) -> tuple[np.ndarray, np.ndarray]:
    """Light and coverage laid out as ``backdrop.blend`` says; see :class:`~understudy.scene.Backdrop`.

    Every blend keeps the figure where it is: labels do not change.
    """
    import cv2

    if backdrop.blend == "poisson":
        own = light / np.maximum(cover, 1e-3)[..., None]
        light = (own + _PULL * membrane(ground - own, cover)) * cover[..., None]
        light = np.maximum(light, 0)
    if backdrop.blend == "hard":
        own = light / np.maximum(cover, 1e-3)[..., None]
        return filled(own, cover > 0.02) * seen[..., None], seen.astype(np.float32)
    sigma = _softness(backdrop)
    if sigma < 0.2:
        return light, cover
    blur = cv2.GaussianBlur(np.dstack([light, cover]), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return blur[..., :3], blur[..., 3]


def membrane(difference: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """(h, w, 3): ``difference`` along the figures' edges carried smoothly over their inside.

    Gradient-domain blending (Pérez et al., *Poisson image editing*, SIGGRAPH 2003) adds the harmonic surface through the
    edge's differences. Here that surface is drawn by averaging over a pyramid, coarse to fine, which is close to it.
    """
    import cv2

    weight = ((cover > 0.05) & (cover < 0.95)).astype(np.float32)
    known = np.dstack([difference * weight[..., None], weight])
    levels = [known]
    while min(levels[-1].shape[:2]) > 1:
        levels.append(cv2.resize(levels[-1], (max(1, levels[-1].shape[1] // 2), max(1, levels[-1].shape[0] // 2)),
                                 interpolation=cv2.INTER_AREA))
    surface = levels[-1][..., :3] / np.maximum(levels[-1][..., 3:], 1e-6)
    for level in reversed(levels[:-1]):
        surface = cv2.resize(surface, (level.shape[1], level.shape[0]), interpolation=cv2.INTER_LINEAR)
        share = np.minimum(1, 8 * level[..., 3:])
        surface = surface * (1 - share) + share * level[..., :3] / np.maximum(level[..., 3:], 1e-6)
    return surface


def _defocus_px(camera: Camera, triangles: Triangles) -> float:
    """Radius of the largest blur circle of any vertex in front of the camera."""
    if not camera.optics.aperture_m:
        return 0.0
    z = (triangles.vertices - camera.to_world[:3, 3]) @ camera.to_world[:3, 2]
    z = z[z > 0.1]
    if not len(z):
        return 0.0
    return float(min(confusion_px(camera, z).max(), 32.0))


def _boxes(mask: np.ndarray, block: int) -> list[tuple[slice, slice]]:
    """Boxes of whole blocks (but at the mask's ends) that together hold ``mask``, with a margin for the denoiser to see the
    edge; near ones are joined."""
    import cv2

    grown = cv2.dilate(mask.astype(np.uint8), np.ones((2 * _EDGE_PX + 1, 2 * _EDGE_PX + 1), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(grown)
    boxes = [(x // block * block, y // block * block, -(-(x + bw) // block) * block, -(-(y + bh) // block) * block)
             for x, y, bw, bh, _ in stats[1:count].tolist()]
    joined = True
    while joined:  # overlapping boxes would be denoised twice
        joined = False
        for i in range(len(boxes)):
            for j in range(i + 1, len(boxes)):
                a, b = boxes[i], boxes[j]
                if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]:
                    boxes[i] = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
                    del boxes[j]
                    joined = True
                    break
            if joined:
                break
    return [(slice(y0, y1), slice(x0, x1)) for x0, y0, x1, y1 in boxes]
