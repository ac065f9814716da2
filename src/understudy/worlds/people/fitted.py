"""Pieces of an asset pack made ready for any body: bound to the base mesh, skinned, with charts and parts.

A piece hangs from the base mesh's vertices, so it follows the body's shape; it is skinned with their weights, so it follows
the pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from understudy.assets import packs
from understudy.assets.packs import Pack, Piece
from understudy.errors import AssetError
from understudy.geometry.primitives import doubled_normals
from understudy.scene import PART_ID, Material, Surface
from understudy.worlds.people.body import REGIONS, model, vertex_normals
from understudy.worlds.people.clothes.canvas import beneath, sparse
from understudy.worlds.people.clothes.tailor import carried
from understudy.worlds.people.figure import Figure

_LEGS = tuple(f"{part}_leg.{side}" for part in ("upper", "lower") for side in "LR")
_FEET = ("foot.L", "foot.R")
_LENGTH_M = 0.1  # MakeHuman's unit
_CUT = 0.5  # a face is cut away where its texture is less opaque than this


@dataclass(frozen=True, eq=False)
class Fitted:
    """A piece made ready for any body.

    stencil : (n, V) sparse, its points from base vertices; offsets : (n, 3) m, in our axes; scales : for x, y, z two base
    vertices and the distance in metres for which offsets are meant; weights : (n, B) sparse
    faces : (m, 3) over its points; corner : (c,) point of each corner, corner_faces (m, 3), uv (c, 2)
    hidden : (k,) base vertices; slot : "outfit", "shoes", "hat", "hair", "teeth" ...; part : (m,) ids of PARTS
    chart, chart_uv : of the body beneath each face; uv_per_m : texture units in a metre of cloth
    """

    pack: str
    piece: Piece
    slot: str
    stencil: Any
    offsets: np.ndarray
    scales: tuple[tuple[int, int, float], ...]
    weights: Any
    faces: np.ndarray
    corner: np.ndarray
    corner_faces: np.ndarray
    uv: np.ndarray
    uv_per_m: float
    hidden: np.ndarray
    part: np.ndarray
    chart: np.ndarray
    chart_uv: np.ndarray
    texture: np.ndarray | None

    @property
    def clear(self) -> bool:
        """Whether its texture says where it is transparent."""
        return self.texture is not None and self.texture.shape[2] == 4

    def at_rest(self, vertices: np.ndarray, neutral: np.ndarray | None = None) -> np.ndarray:
        """(n, 3) float32 points on a body at rest, given its (V, 3) base vertices. ``neutral``: those without a facial
        expression, on which sizes are measured (an open mouth makes no larger teeth)."""
        sized = vertices if neutral is None else neutral
        size = [abs(float(sized[a, axis] - sized[b, axis])) / length if length else 1.0
                for axis, (a, b, length) in enumerate(self.scales)]
        return (self.stencil @ vertices + self.offsets * np.array(size)).astype(np.float32)


@lru_cache(maxsize=64)
def fit(pack: Pack, piece: Piece) -> Fitted:
    """A piece of a pack, read and bound to the body model. Raises AssetError for a damaged one."""
    from scipy.sparse import csr_matrix

    kept = packs.arrays(pack, piece)
    try:
        corners, shares, faces = kept["corners"], kept["shares"], kept["faces"]
        offsets = _ours(kept["offsets"]) * _LENGTH_M
        x, up, ahead = ((int(a), int(b), float(length) * _LENGTH_M) for a, b, length in kept["scales"])
        hidden, uv, uv_faces = kept["hidden"], kept.get("uv"), kept.get("uv_faces")
    except (KeyError, ValueError) as error:
        raise AssetError("a piece of the pack is damaged", where=f"{pack.name}/{piece.file}",
                         remedy="Add the pack again") from error
    m = model()
    n = len(corners)
    stencil = csr_matrix((shares.ravel(), (np.repeat(np.arange(n), 3), corners.ravel())), (n, len(m.weights)))
    weights = np.clip(stencil @ m.weights, 0, None)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    template = np.array(m.arrays["template_vertices"], float)
    points = stencil @ template + offsets
    face, bary = beneath(points[faces], template, m.mesh("body").base_faces)
    chart, chart_uv = carried(face, bary)
    regions = m.mesh("body").region[face]
    slot = _slot(piece, regions, points[faces])
    if uv is None or uv_faces is None:
        uv, uv_faces = np.zeros((1, 2), np.float32), np.zeros_like(faces)
    pairs, corner_faces = np.unique(np.stack([faces.ravel(), uv_faces.ravel()], 1), axis=0, return_inverse=True)
    corner_faces = corner_faces.reshape(-1, 3).astype(np.int32)
    return Fitted(pack.name, piece, slot, stencil, offsets, (x, ahead, up), sparse(weights), faces.astype(np.int32),
                  pairs[:, 0], corner_faces, uv[pairs[:, 1]].astype(np.float32), _uv_per_m(points[faces], uv[uv_faces]),
                  hidden,
                  _parts(slot, regions, faces), chart, chart_uv, kept.get("texture"))


def _ours(points: np.ndarray) -> np.ndarray:
    """MakeHuman's axes (x left, y up, z ahead) as ours."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)


def _slot(piece: Piece, regions: np.ndarray, corners: np.ndarray) -> str:
    if piece.kind != "clothes":
        return piece.kind
    area = np.linalg.norm(doubled_normals(corners), axis=1)
    share = np.bincount(regions, area, len(REGIONS)) / area.sum()

    def of(*names: str) -> float:
        return float(sum(share[REGIONS.index(name)] for name in names))

    if of(*_FEET) > 0.5 or any("shoe" in tag for tag in piece.tags):
        return "shoes"
    if of("head", "neck") > 0.7:
        return "hat"
    return "outfit" if of(*_LEGS) > 0.15 and of("torso") > 0.15 else "other"


def _parts(slot: str, regions: np.ndarray, faces: np.ndarray) -> np.ndarray:
    if slot != "outfit":
        name = {"shoes": "shoes", "hat": "hat", "hair": "hair", "eyebrows": "face", "eyelashes": "face",
                "teeth": "face", "eyes": "eyes"}.get(slot, "other")
        return np.full(len(regions), PART_ID[name], np.uint8)
    # a garment is a connected piece of the mesh: it is trousers if most of it lies over legs
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n = int(faces.max()) + 1
    ends = faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    _, garment = connected_components(coo_matrix((np.ones(len(ends)), ends.T), (n, n)), directed=False)
    garment = garment[faces[:, 0]]
    over_legs = np.isin(regions, [REGIONS.index(name) for name in (*_LEGS, *_FEET)])
    legs = (np.bincount(garment, over_legs) > 0.5 * np.bincount(garment))[garment]
    return np.where(legs, PART_ID["bottom"], PART_ID["top"]).astype(np.uint8)


def _uv_per_m(corners: np.ndarray, uv: np.ndarray) -> float:
    """Texture units to a metre, by area; 1 where there is no texture."""
    area = np.linalg.norm(doubled_normals(corners), axis=1).sum()
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    flat = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()
    return float(np.sqrt(flat / area)) if flat > 1e-9 and area > 1e-9 else 1.0


def worn_surface(piece: Fitted, figure: Figure, material: Material, faces: np.ndarray | None = None,
                 tile_m: float = 0.25) -> Surface:
    """A piece, or some of its faces ((m,) bool), on a posed figure. tile_m : side of a texture that is not its own."""
    posed = figure.posed
    rest = piece.at_rest(posed.rest_vertices, posed.rest.vertices)
    moves = (piece.weights @ posed.transforms[:, :3, :].reshape(-1, 12).astype(np.float32)).reshape(-1, 3, 4)
    points = np.einsum("nij,nj->ni", moves[:, :, :3], rest) + moves[:, :, 3]
    normals = vertex_normals(points, piece.faces)
    keep = _opaque(piece) if piece.clear else np.ones(len(piece.faces), bool)
    keep = keep if faces is None else keep & faces
    uv = piece.uv if piece.texture is not None else piece.uv / np.float32(piece.uv_per_m * tile_m)
    return Surface(piece.slot, points[piece.corner].astype(np.float32), piece.corner_faces[keep], material, piece.part[keep],
                   uv=uv, rest=rest[piece.corner], chart=piece.chart[keep], chart_uv=piece.chart_uv[keep],
                   normals=normals[piece.corner])


@lru_cache(maxsize=64)
def _opaque(piece: Fitted) -> np.ndarray:
    """(m,) bool: faces whose middle is opaque in the texture."""
    h, w = piece.texture.shape[:2]
    uv = piece.uv[piece.corner_faces].mean(axis=1)
    column = np.clip((uv[:, 0] % 1.0) * w, 0, w - 1).astype(int)
    row = np.clip((1 - uv[:, 1] % 1.0) * h, 0, h - 1).astype(int)
    return piece.texture[row, column, 3] > _CUT * 255
