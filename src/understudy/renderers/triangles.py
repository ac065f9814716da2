"""All surfaces of a scene as one list of triangles, with what each face and corner knows.

Every renderer traces this one list and names what it saw by the number of a face, so channels are gathered in one place
(:mod:`understudy.renderers.channels`) and cannot differ between renderers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from understudy.errors import RenderError
from understudy.geometry.cameras import project_camera, to_camera
from understudy.scene import Camera, Entity, Ground, Scene, Surface


@dataclass(frozen=True)
class Piece:
    """One surface's place in the list: its vertices and faces are these ranges; ``entity`` is None for the ground."""

    surface: Surface
    entity: Entity | None
    vertices: slice
    faces: slice


@dataclass(frozen=True)
class Triangles:
    """n vertices and m faces, before a camera.

    vertices : (n, 3) float32, m, world
    faces : (m, 3) int32 into ``vertices``
    piece : (m,) int32 into ``pieces``
    """

    pieces: tuple[Piece, ...]
    vertices: np.ndarray
    faces: np.ndarray
    piece: np.ndarray
    camera: Camera

    @cached_property
    def points(self) -> np.ndarray:
        """(n, 3) float64: the vertices in the camera's frame, m."""
        return to_camera(self.camera, self.vertices)

    @cached_property
    def image(self) -> np.ndarray:
        """(2, n) float64: columns and rows of the picture where the vertices fall, px; nan where they have no image."""
        return np.ascontiguousarray(project_camera(self.camera.lens, self.points).T)

    def per_piece(self, value, dtype: str) -> np.ndarray:
        """(len(pieces),) array of ``value(piece)``."""
        return np.array([value(p) for p in self.pieces], dtype)

    @cached_property
    def corners(self) -> np.ndarray:
        """(m, 3, 3) float32: the corners of each face, m, world."""
        return self.vertices[self.faces]

    @cached_property
    def face_normals(self) -> np.ndarray:
        """(m, 3) float32, length twice the face's area, outwards."""
        x, y, z = np.ascontiguousarray(self.vertices.T)[:, self.faces.T]  # each (3 corners, m)
        ux, uy, uz = x[1] - x[0], y[1] - y[0], z[1] - z[0]
        vx, vy, vz = x[2] - x[0], y[2] - y[0], z[2] - z[0]
        return np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=1)

    @cached_property
    def vertex_normals(self) -> np.ndarray:
        """(n, 3) float32 unit: the surface's own where it has them, else the mean of the adjoining faces weighted by area.

        0 where a vertex has no area.
        """
        n = len(self.vertices)
        bare = np.flatnonzero(self.per_piece(lambda p: p.surface.normals is None, "bool")[self.piece])
        at, adjoining = self.faces[bare].T.ravel(), self.face_normals[bare]
        total = np.stack([np.bincount(at, np.tile(adjoining[:, i], 3), n) for i in range(3)], axis=1)
        length = np.linalg.norm(total, axis=1, keepdims=True)
        normals = (total / np.where(length > 0, length, 1)).astype(np.float32)
        for p in self.pieces:
            if p.surface.normals is not None:
                normals[p.vertices] = p.surface.normals
        return normals

    def per_vertex(self, value, width: int) -> np.ndarray:
        """(n, width) float32 of ``value(surface)``, 0 where a surface has none (None)."""
        out = np.zeros((len(self.vertices), width), np.float32)
        for p in self.pieces:
            array = value(p.surface)
            if array is not None:
                out[p.vertices] = array
        return out

    def part_of(self, entity: Entity) -> tuple[slice, np.ndarray]:
        """One entity's range of vertices and its faces (k, 3) int32 into that range; its pieces lie together."""
        found = [p for p in self.pieces if p.entity is not None and p.entity.id == entity.id]
        if not found:
            return slice(0, 0), np.zeros((0, 3), np.int32)
        vertices = slice(found[0].vertices.start, found[-1].vertices.stop)
        return vertices, self.faces[found[0].faces.start:found[-1].faces.stop] - vertices.start


def triangles_of(scene: Scene) -> Triangles:
    """Everything that is seen: the entities in order of id, then the ground unless a Backdrop stands for it."""
    found = [(entity, surface) for entity in sorted(scene.entities, key=lambda e: e.id) for surface in entity.surfaces]
    if scene.ground is not None and scene.backdrop is None:
        found.append((None, ground_surface(scene.ground)))
    pieces, vertices, faces = [], [], []
    v = f = 0
    for entity, surface in found:
        _check(entity, surface)
        n, m = len(surface.vertices), len(surface.faces)
        if m == 0:
            continue
        pieces.append(Piece(surface, entity, slice(v, v + n), slice(f, f + m)))
        vertices.append(np.asarray(surface.vertices, np.float32))
        faces.append(np.asarray(surface.faces, np.int32) + v)
        v, f = v + n, f + m
    piece = np.repeat(np.arange(len(pieces), dtype=np.int32), [p.faces.stop - p.faces.start for p in pieces])
    return Triangles(tuple(pieces),
                     np.concatenate(vertices) if pieces else np.zeros((0, 3), np.float32),
                     np.concatenate(faces) if pieces else np.zeros((0, 3), np.int32), piece, scene.camera)


def ground_surface(ground: Ground) -> Surface:
    """The plane z = 0 as two triangles; its texture repeats every metre."""
    s = ground.half_size_m
    xy = np.array([(-s, -s), (s, -s), (s, s), (-s, s)], np.float32)
    return Surface("ground", np.concatenate([xy, np.zeros((4, 1), np.float32)], axis=1),
                   np.array([(0, 1, 2), (0, 2, 3)], np.int32), ground.material, np.zeros(2, np.uint8), uv=xy, smooth=False)


def _check(entity: Entity | None, surface: Surface) -> None:
    where = f"entity {entity.id if entity else 0}, surface {surface.name}"
    faces, n = surface.faces, len(surface.vertices)
    if len(faces) and (int(faces.min()) < 0 or int(faces.max()) >= n):
        raise RenderError("a face names a vertex that is not there", where=where, wanted=f"0 to {n - 1}",
                          got=f"{faces.min()} to {faces.max()}")
    if not np.isfinite(surface.vertices).all():
        raise RenderError("a vertex is not a finite point", where=where)
    if len(surface.part) != len(faces):
        raise RenderError("a part is wanted for each face", where=where, wanted=len(faces), got=len(surface.part))
