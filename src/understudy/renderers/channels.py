"""Label channels, gathered from which face each pixel's centre saw. Every renderer shares this; nothing here is filtered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from understudy import signals
from understudy.geometry.cameras import to_camera
from understudy.geometry.poses import apply
from understudy.renderers.raster import View, fragments
from understudy.renderers.silhouettes import amodal, wide_areas
from understudy.renderers.triangles import Triangles
from understudy.scene import Scene
from understudy.signals import Spec

LAMP_DEPTH_M = 0.05
# The channels that come from geometry alone: all but the picture.
LABEL_CHANNELS = frozenset(signals.CHANNELS) - {signals.RGB.name}


@dataclass(frozen=True)
class Hits:
    """What the pixels' centres saw; pixels that saw nothing are absent.

    pixel : (k,) flat index, row by row; face : (k,) into Triangles.faces
    weights : (k, 2) float32, barycentric weights of the face's second and third corners
    hidden : (j,) flat indices of pixels where a lamp hides a surface
    """

    pixel: np.ndarray
    face: np.ndarray
    weights: np.ndarray
    hidden: np.ndarray | None = None


def in_front_of_lamps(scene: Scene, triangles: Triangles, hits: Hits) -> Hits:
    """The hits that no lamp hides: what lies behind a shining rectangle is not seen, and has no label.

    A surface within LAMP_DEPTH_M behind it is the lamp's own body and stands for it.
    """
    if not scene.lamps or not len(hits.pixel):
        return hits
    square = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], np.float64)
    corners = np.concatenate([apply(np.asarray(lamp.to_world, float), square) for lamp in scene.lamps])
    starts = 4 * np.arange(len(scene.lamps))[:, None, None]
    faces = (starts + np.array([(0, 1, 2), (0, 2, 3)])).reshape(-1, 3)
    w, h = scene.camera.lens.size_wh
    nearest_lamp = np.full(w * h, np.inf)
    for pixel, _, z, _ in fragments(to_camera(scene.camera, corners), faces, View(scene.camera.lens)):
        np.minimum.at(nearest_lamp, pixel, z)
    depth = _Gather(scene, triangles, hits).depth().ravel()[hits.pixel]
    kept = depth <= nearest_lamp[hits.pixel] + LAMP_DEPTH_M
    if kept.all():
        return hits
    return Hits(hits.pixel[kept], hits.face[kept], hits.weights[kept], hits.pixel[~kept])


def label_channels(scene: Scene, triangles: Triangles, hits: Hits, wanted: tuple[Spec, ...]) -> dict[Spec, np.ndarray]:
    """The ``wanted`` label channels (:data:`LABEL_CHANNELS`; others are left out), each as its Spec says."""
    gather = _Gather(scene, triangles, hits)
    makers = {signals.INSTANCE: gather.instance, signals.CATEGORY: gather.category, signals.PART: gather.part,
              signals.DEPTH: gather.depth, signals.NORMAL: gather.normal, signals.UV: gather.uv,
              signals.OBJECT: gather.object, signals.IUV: gather.iuv}
    out = {spec: makers[spec]() for spec in wanted if spec in makers}
    if signals.SILHOUETTES in wanted or signals.SILHOUETTES_WIDE in wanted:
        instance = out[signals.INSTANCE] if signals.INSTANCE in out else gather.instance()
        depth = out[signals.DEPTH] if signals.DEPTH in out else gather.depth()
        if hits.hidden is not None:  # a lamp is nearer than anything that may be behind it
            depth = depth.copy()
            depth.ravel()[hits.hidden] = 0
        shapes = amodal(scene, triangles, instance, depth)
        if signals.SILHOUETTES in wanted:
            out[signals.SILHOUETTES] = shapes
        if signals.SILHOUETTES_WIDE in wanted:
            out[signals.SILHOUETTES_WIDE] = wide_areas(scene, triangles, shapes)
    return out


def _taken(rows: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(d, k) of (n, d) at (k,): each coordinate in a run of its own."""
    return np.stack([column[at] for column in np.ascontiguousarray(rows.T)])


class _Gather:
    """One picture's look-ups: from (pixel, face, weights) to maps."""

    def __init__(self, scene: Scene, triangles: Triangles, hits: Hits) -> None:
        self.scene, self.triangles, self.hits = scene, triangles, hits
        w, h = scene.camera.lens.size_wh
        self.size_hw = (h, w)
        self.corner = np.take(np.ascontiguousarray(triangles.faces.T), hits.face, axis=1)  # (3, k)
        self.piece = triangles.piece[hits.face]
        b, c = (np.ascontiguousarray(w, np.float32) for w in hits.weights.T)
        self.weights = 1 - b - c, b, c

    def instance(self) -> np.ndarray:
        return self._map(self.triangles.per_piece(lambda p: p.entity.id if p.entity else 0, "uint32")[self.piece])

    def category(self) -> np.ndarray:
        scene = self.scene
        return self._map(self.triangles.per_piece(lambda p: scene.category_id(p.entity) if p.entity else 0,
                                                  "uint16")[self.piece])

    def part(self) -> np.ndarray:
        parts = [np.asarray(p.surface.part, np.uint8) for p in self.triangles.pieces]
        return self._map((np.concatenate(parts) if parts else np.zeros(0, np.uint8))[self.hits.face])

    def depth(self) -> np.ndarray:
        to_world = self.scene.camera.to_world
        z = (self.triangles.vertices - to_world[:3, 3]) @ to_world[:3, 2]
        return self._map(self._blended(z).astype(np.float32), np.inf)

    def normal(self) -> np.ndarray:
        """Towards the camera: the back of an open surface (the inside of a skirt) shows its own side's normal."""
        triangles, to_world = self.triangles, self.scene.camera.to_world
        flat = _taken(triangles.face_normals, self.hits.face)
        smooth = triangles.per_piece(lambda p: p.surface.smooth, "bool")[self.piece]
        away = _taken(triangles.vertices - to_world[:3, 3].astype(np.float32), self.corner[0])
        bent = self._blend(triangles.vertex_normals)
        turned = np.where(flat[0] * away[0] + flat[1] * away[1] + flat[2] * away[2] > 0, np.float32(-1), np.float32(1))
        smooth = smooth & ((bent * bent).sum(axis=0) > 1e-6)  # between corners that look opposite ways there is none
        normal = np.where(smooth, bent, flat) * turned
        normal = to_world[:3, :3].T.astype(np.float32) @ normal  # world to camera: the inverse turn
        length = np.sqrt((normal * normal).sum(axis=0))
        return self._map((normal / np.where(length > 0, length, 1)).T)

    def uv(self) -> np.ndarray:
        return self._map(self._blend(self.triangles.per_vertex(lambda s: s.uv, 2)).T)

    def object(self) -> np.ndarray:
        rest = self.triangles.per_vertex(lambda s: s.vertices if s.rest is None else s.rest, 3)
        return self._map(self._blend(rest).T)

    def iuv(self) -> np.ndarray:
        out = np.zeros((len(self.hits.face), 3), np.float32)
        pieces = self.triangles.pieces
        charted = [p.surface.chart is not None and p.surface.chart_uv is not None for p in pieces]
        at = np.flatnonzero(np.array(charted, bool)[self.piece])
        if len(at):
            shown = [p for p, has in zip(pieces, charted) if has]
            before = np.cumsum([0, *(len(p.surface.chart) for p, has in zip(pieces, charted) if has)])
            shift = np.zeros(len(pieces), np.int64)  # from a face's number to its place among those that have charts
            shift[charted] = before[:-1] - [p.faces.start for p in shown]
            face = self.hits.face[at] + shift[self.piece[at]]
            chart = np.concatenate([p.surface.chart for p in shown])[face]
            corners = _taken(np.concatenate([p.surface.chart_uv.reshape(-1, 6) for p in shown]), face)
            weights = [weight[at] for weight in self.weights]
            out[at, 0] = chart
            for axis in (0, 1):
                along = sum(weight * corners[2 * k + axis] for k, weight in enumerate(weights))
                out[at, 1 + axis] = np.where(chart > 0, np.clip(along, 0, 1), 0)
        return self._map(out)

    def _blend(self, per_vertex: np.ndarray) -> np.ndarray:
        """(n, d) at the vertices -> (d, k) at the hits: column by column, which is many times as fast as row by row."""
        return np.stack([self._blended(column) for column in np.ascontiguousarray(per_vertex.T)])

    def _blended(self, per_vertex: np.ndarray) -> np.ndarray:
        """(n,) at the vertices -> (k,) at the hits."""
        a, b, c = (weight * per_vertex[corner] for weight, corner in zip(self.weights, self.corner))
        return a + b + c

    def _map(self, values: np.ndarray, nothing: float = 0) -> np.ndarray:
        h, w = self.size_hw
        out = np.full((h * w, *values.shape[1:]), nothing, values.dtype)
        out[self.hits.pixel] = values
        return out.reshape(h, w, *values.shape[1:])
