"""The body's topology: what all bodies share, whatever their shape and pose.

Bones, regions, meshes and vertex groups of MakeHuman's base mesh (hm08), read from the body pack.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from understudy.worlds.people.body_pack import BODY_VERTICES, Pack, load_pack

# Body regions, one id each, and the bones whose skin they are (by prefix).
REGIONS = ("none", "head", "neck", "torso", "upper_arm.L", "upper_arm.R", "lower_arm.L", "lower_arm.R", "hand.L", "hand.R",
           "upper_leg.L", "upper_leg.R", "lower_leg.L", "lower_leg.R", "foot.L", "foot.R")
_REGION_OF_BONE = {"head": "head", "eye": "head", "neck": "neck", "root": "torso", "pelvis": "torso", "spine": "torso",
                   "clavicle": "torso", "shoulder": "torso", "upperarm": "upper_arm", "lowerarm": "lower_arm",
                   "wrist": "hand", "finger": "hand", "metacarpal": "hand", "upperleg": "upper_leg",
                   "lowerleg": "lower_leg", "foot": "foot", "toe": "foot"}


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh over base vertices, split along the seams of its texture.

    base : (n,) int32, the base vertex of each mesh vertex (``posed.vertices[mesh.base]`` are the mesh's positions)
    faces : (m, 3) int32 into the n mesh vertices, counter-clockwise from outside
    uv : (n, 2) float32
    region : (m,) uint8, an index into REGIONS for each face
    """

    base: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    region: np.ndarray

    @cached_property
    def base_faces(self) -> np.ndarray:
        """(m, 3) int32, the same triangles in base vertices."""
        return self.base[self.faces]

    @cached_property
    def corners(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first, second and third base vertex of each triangle: three times (m,) int64."""
        return tuple(self.base_faces[:, k].astype(np.int64) for k in range(3))


class BodyModel:
    """What all bodies share: the pack's arrays, meshes, groups and names. Get it from :func:`model`."""

    def __init__(self, pack: Pack) -> None:
        self.arrays, self.facts = pack.arrays, pack.facts
        self.bones: tuple[str, ...] = tuple(pack.facts["bones"])
        self.parents: tuple[int, ...] = tuple(pack.facts["parents"])
        self.facial_actions: tuple[str, ...] = tuple(pack.facts["facial_actions"])
        self.local_changes: tuple[str, ...] = tuple(pack.facts["local_changes"])
        self.local_change = {name: place for place, name in enumerate(self.local_changes)}
        self._bone = {name: i for i, name in enumerate(self.bones)}

    def bone(self, name: str) -> int:
        """Index of a bone (KeyError if there is none of that name)."""
        return self._bone[name]

    @cached_property
    def weights(self) -> np.ndarray:
        """(V, B) float32, how much each bone moves each vertex; rows add up to 1."""
        return np.array(self.arrays["skin_weights"])

    @cached_property
    def ends(self) -> np.ndarray:
        """(k,) int64 skin vertices of crown and soles: the body's highest and lowest points at rest, whatever its shape."""
        z = self.arrays["template_vertices"][:BODY_VERTICES, 2]
        return np.flatnonzero((z > z.max() - 0.05) | (z < z.min() + 0.025))

    @cached_property
    def end_heights(self) -> np.ndarray:
        """(624, k) float32, how far the phenotype targets lift the vertices in :attr:`ends`."""
        return np.ascontiguousarray(self.arrays["phenotype_shapes"][:, self.ends, 2])

    @cached_property
    def main_bone(self) -> np.ndarray:
        """(V,) int64, the bone that moves each vertex most."""
        return np.argmax(self.weights, axis=1)

    @cached_property
    def region(self) -> np.ndarray:
        """(V,) uint8, an index into REGIONS for each base vertex."""
        return np.argmax(self._region_weights, axis=1).astype(np.uint8)

    @cached_property
    def _region_weights(self) -> np.ndarray:
        of_bone = np.zeros((len(self.bones), len(REGIONS)), np.float32)
        for i, bone in enumerate(self.bones):
            stem, _, side = bone.partition(".")
            kind = _REGION_OF_BONE[stem.split("-")[0].rstrip("0123456789")]
            of_bone[i, REGIONS.index(kind if kind in REGIONS else f"{kind}.{side}")] = 1
        return self.weights @ of_bone

    @cache  # noqa: B019 (a model lives as long as the process)
    def mesh(self, name: str) -> Mesh:
        """One of "body", "eye.L", "eye.R", "eyelashes.L", "eyelashes.R", "teeth", "tongue", "hair", "tights", "skirt"."""
        base, faces, uv = (self.arrays[f"mesh_{name}_{part}"] for part in ("base", "faces", "uv"))
        region = np.argmax(self._region_weights[base[faces]].sum(axis=1), axis=1).astype(np.uint8)
        return Mesh(base, faces, uv, region)

    @cache  # noqa: B019
    def group(self, name: str) -> np.ndarray:
        """Base vertices of one of MakeHuman's groups ("body", "helper-tights", "joint-l-eye" ...): (n,) int64."""
        return np.concatenate([np.arange(a, b + 1) for a, b in self.facts["vertex_groups"][name]])


@cache
def model() -> BodyModel:
    """The body model, loaded once per process."""
    return BodyModel(load_pack())


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(n, 3) float32 unit normals, weighted by the area of the faces around each vertex; zero where there is none."""
    corners = np.ascontiguousarray(faces.T)
    places = np.ascontiguousarray(vertices.T)[:, corners]  # (axis, corner, face)
    (ux, uy, uz), (vx, vy, vz) = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    cross = (uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx)
    total = np.stack([np.bincount(corners.ravel(), np.tile(part, 3), len(vertices)) for part in cross])
    length = np.sqrt(total[0] ** 2 + total[1] ** 2 + total[2] ** 2)
    return np.ascontiguousarray((total / np.where(length > 0, length, 1)).T, np.float32)
