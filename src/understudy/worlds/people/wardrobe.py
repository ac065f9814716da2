"""Wearing the pieces of an asset pack: clothes, shoes, hats and hair of MakeHuman's kind, on any body in any pose.

A piece hangs from the base mesh's vertices, so it follows the body's shape; it is skinned with their weights, so it follows
the pose; it hides the skin that its file says. Pieces whose shape lies in a transparent texture (brows, lashes) are cut out
along it, and are not worn without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from understudy.assets import packs
from understudy.assets.packs import Pack, Piece
from understudy.draws import Draws
from understudy.errors import AssetError
from understudy.fields import setting
from understudy.key import Key
from understudy.scene import PART_ID, AssetUse, Material, Skipped, Surface, Texture
from understudy.supports import Interval, Text
from understudy.worlds.people.body import REGIONS, RestBody, model, vertex_normals
from understudy.worlds.people.clothes import Outfit, fabric
from understudy.worlds.people.clothes.canvas import beneath, sparse
from understudy.worlds.people.clothes.headwear import HAIR_UNDER
from understudy.worlds.people.clothes.tailor import carried
from understudy.worlds.people.figure import Figure, Worn
from understudy.worlds.people.hair_colours import strands, texture

_LEGS = tuple(f"{part}_leg.{side}" for part in ("upper", "lower") for side in "LR")
_FEET = ("foot.L", "foot.R")
_LENGTH_M = 0.1  # MakeHuman's unit
_SEE_THROUGH = ("eyebrows", "eyelashes")
_CUT = 0.5  # a face is cut away where its texture is less opaque than this


@dataclass(frozen=True)
class Wardrobe:
    """Clothes and hair of an asset pack, worn by a share of the figures."""

    name: str | None = setting(None, Text("a pack that was added with `understudy assets add`", optional=True), "",
                               "the pack; nothing wears our own things alone")
    outfits: float = setting(0.5, Interval(0, 1), "", "share of figures who wear its clothes, where some suit them")
    shoes: float = setting(0.5, Interval(0, 1), "", "share of figures who wear its shoes")
    hats: float = setting(0.1, Interval(0, 1), "", "share of figures who wear its hats")
    hair: float = setting(0.3, Interval(0, 1), "", "share of figures who have its hair")
    brows: float = setting(0.3, Interval(0, 1), "", "share who have its eyebrows, where the pack has their textures")
    lashes: float = setting(0.3, Interval(0, 1), "", "share who have its eyelashes, where the pack has their textures")

    def check_assets(self) -> None:
        """AssetError where the pack was not added."""
        if self.name is not None:
            packs.load(self.name)

    def choose(self, draws: Draws, ours: Outfit, rest: RestBody, gender: float) -> Dress:
        """What a figure of this gender presentation wears: ours, with what it takes from the pack in its place."""
        if self.name is None:
            return Dress(ours)
        pack = packs.load(self.name)
        chosen: dict[str, Fitted] = {}
        skipped: list[Skipped] = []
        for slot, share in (("outfit", self.outfits), ("shoes", self.shoes), ("hat", self.hats), ("hair", self.hair),
                            ("eyebrows", self.brows), ("eyelashes", self.lashes)):
            key = draws.key(slot)
            if key.child("any").uniform() >= share or (slot == "hair" and "hat" in chosen):  # hair would come through
                continue
            there = [p for p in pack.pieces if _suits(p, gender) and p.kind == (slot if slot in packs.KINDS else "clothes")]
            for i in key.child("order").permutation(len(there)):
                piece = there[int(i)]
                try:
                    fitted = fit(pack, piece)
                except AssetError as error:
                    skipped.append(Skipped(f"{pack.name}/{piece.file}", str(error)))
                    continue
                if fitted.slot == slot and (slot not in _SEE_THROUGH or fitted.clear):
                    chosen[slot] = fitted
                    break
        for slot in ("outfit", "shoes", "hat", "hair", *_SEE_THROUGH):
            draws.note(slot, chosen[slot].piece.name if slot in chosen else "none")
        items, shoes = (() if "outfit" in chosen else ours.items), (None if "shoes" in chosen else ours.shoes)
        hat = None if "hat" in chosen else ours.headwear
        return Dress(replace(ours, items=items, shoes=shoes, headwear=hat), chosen, draws.key("look"), tuple(skipped))


def _suits(piece: Piece, gender: float) -> bool:
    """Whether the tags or the name say that it is for women or men, and the figure presents as such (or between)."""
    said = {*piece.tags, *piece.name.split("-")}
    if "female" in said:
        return gender > 0.3
    return gender < 0.7 if "male" in said else True


@dataclass(frozen=True, eq=False)
class Fitted:
    """A piece made ready for any body.

    stencil : (n, V) sparse, its points from base vertices; offsets : (n, 3) m, in our axes; scales : for x, y, z two base
    vertices and the distance in metres for which offsets are meant; weights : (n, B) sparse
    faces : (m, 3) over its points; corner : (c,) point of each corner, corner_faces (m, 3), uv (c, 2)
    hidden : (k,) base vertices; slot : "outfit", "shoes", "hat" or "hair"; part : (m,) ids of PARTS
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

    def at_rest(self, vertices: np.ndarray) -> np.ndarray:
        """(n, 3) float32 points on a body at rest, given its (V, 3) base vertices."""
        size = [abs(float(vertices[a, axis] - vertices[b, axis])) / length if length else 1.0
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
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
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
        name = {"shoes": "shoes", "hat": "hat", "hair": "hair", "eyebrows": "face", "eyelashes": "face"}.get(slot, "other")
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
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum()
    a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    flat = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()
    return float(np.sqrt(flat / area)) if flat > 1e-9 and area > 1e-9 else 1.0


@dataclass(frozen=True)
class Dress:
    """What a figure wears: our outfit, and pieces of a pack by slot."""

    ours: Outfit
    pieces: Mapping[str, Fitted] = field(default_factory=dict)
    key: Key | None = None
    skipped: tuple[Skipped, ...] = ()

    @property
    def assets(self) -> tuple[AssetUse, ...]:
        return tuple(AssetUse(f"{p.pack}/{p.piece.name}", f"makehuman pack {p.pack}", p.piece.licence, p.piece.sha256)
                     for p in self.pieces.values())

    @property
    def hair(self) -> Fitted | None:
        return None if self.ours.headwear else self.pieces.get("hair")

    def style(self, style: str) -> str:
        """What is left of a hairstyle under what is on the head."""
        under = "buzz" if "hat" in self.pieces else HAIR_UNDER[self.ours.headwear.kind] if self.ours.headwear else style
        return "bald" if style == "bald" else under

    def sole_m(self, rest: RestBody) -> float:
        """How far the soles lift a figure off the ground."""
        shoes = self.pieces.get("shoes")
        if shoes is None:
            return self.ours.sole_m(rest.stature_m)
        return max(0.0, float(rest.vertices[:, 2][model().ends].min() - shoes.at_rest(rest.vertices)[:, 2].min()))

    def surfaces(self, figure: Figure) -> Worn:
        """The clothes on a posed figure (hair apart), and the base vertices of the skin that they hide."""
        worn = self.ours.surfaces(figure)
        if not self.pieces or self.key is None:
            return worn
        covered = worn.covered.copy() if worn.covered is not None else np.zeros(len(figure.posed.vertices), bool)
        out, facts = list(worn.surfaces), dict(worn.facts)
        for slot, piece in self.pieces.items():
            if slot == "hair":
                continue
            if slot == "outfit" and piece.texture is None:  # cut from two cloths
                for name in ("top", "bottom"):
                    material = _material(self.key.child(slot, name), piece, figure)
                    out.append(worn_surface(piece, figure, material, piece.part == PART_ID[name]))
            else:
                out.append(worn_surface(piece, figure, _material(self.key.child(slot), piece, figure)))
            covered[piece.hidden] = True
            name = piece.piece.name
            if slot in _SEE_THROUGH:
                continue
            facts["shoes" if slot == "shoes" else "garments"] = (
                name if slot != "hat" else ", ".join(filter(None, (str(facts.get("garments", "")), name))))
        return Worn(tuple(out), covered, facts)

    def hair_surfaces(self, figure: Figure, colour: str) -> Worn:
        """The pack's hair in a colour of ours (its own, where the pack has its texture)."""
        piece = self.pieces["hair"]
        if piece.texture is not None:
            material = _painted(piece)
        else:
            material = Material(texture(strands(self.key.child("strands"), colour)), roughness=0.45, specular=0.4)
        return Worn((worn_surface(piece, figure, material),), None, {"hair": piece.piece.name, "hair_colour": colour})


def worn_surface(piece: Fitted, figure: Figure, material: Material, faces: np.ndarray | None = None) -> Surface:
    """A piece, or some of its faces ((m,) bool), on a posed figure."""
    posed = figure.posed
    rest = piece.at_rest(posed.rest_vertices)
    moves = (piece.weights @ posed.transforms[:, :3, :].reshape(-1, 12).astype(np.float32)).reshape(-1, 3, 4)
    points = np.einsum("nij,nj->ni", moves[:, :, :3], rest) + moves[:, :, 3]
    normals = vertex_normals(points, piece.faces)
    keep = _opaque(piece) if piece.clear else np.ones(len(piece.faces), bool)
    keep = keep if faces is None else keep & faces
    uv = piece.uv if piece.texture is not None else piece.uv / np.float32(piece.uv_per_m * _tile_m(material))
    return Surface(piece.slot, points[piece.corner].astype(np.float32), piece.corner_faces[keep], material, piece.part[keep],
                   uv=uv, rest=rest[piece.corner], chart=piece.chart[keep], chart_uv=piece.chart_uv[keep],
                   normals=normals[piece.corner])


def _tile_m(material: Material) -> float:
    """How large a texture of ours is meant to be, m."""
    return 0.25 if isinstance(material.base_color, Texture) else 1.0


@lru_cache(maxsize=64)
def _opaque(piece: Fitted) -> np.ndarray:
    """(m,) bool: faces whose middle is opaque in the texture."""
    h, w = piece.texture.shape[:2]
    uv = piece.uv[piece.corner_faces].mean(axis=1)
    column = np.clip((uv[:, 0] % 1.0) * w, 0, w - 1).astype(int)
    row = np.clip((1 - uv[:, 1] % 1.0) * h, 0, h - 1).astype(int)
    return piece.texture[row, column, 3] > _CUT * 255


def _material(key: Key, piece: Fitted, figure: Figure) -> Material:
    if piece.texture is not None:
        return _painted(piece)
    if piece.slot == "shoes":
        return fabric.choose(key, "leather", "plain").material(figure.detail)
    cloth = ("twill", "wool", "shirting", "jersey", "denim")[key.child("cloth").integer(0, 4)]
    return fabric.choose(key.child("fabric"), cloth, "plain").material(figure.detail)


def _painted(piece: Fitted) -> Material:
    return Material(Texture(np.ascontiguousarray(piece.texture[..., :3])), roughness=0.7)
