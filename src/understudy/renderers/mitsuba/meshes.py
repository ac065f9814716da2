"""Surfaces as Mitsuba meshes with a principled material, and the bare mesh that label rays are asked of."""

from __future__ import annotations

import numpy as np

from understudy.renderers.mitsuba.stage import aligned
from understudy.renderers.triangles import Piece, Triangles
from understudy.scene import Material, Texture

_FAINT = 1e-5  # a lobe's weight that is as good as none but keeps the lobe compiled in


def hit_scene(mi, triangles: Triangles):
    """A Mitsuba scene of all triangles as one mesh: a hit's ``prim_index`` is the face's number.

    Embree's robust mode lets no ray slip between two triangles, and it builds its tree in a third of the time.
    """
    mesh = _mesh(mi, "all", triangles.vertices, triangles.faces)
    return mi.load_dict({"type": "scene", "all": mesh, "embree_use_robust_intersections": True})


def seen_mesh(mi, triangles: Triangles, piece: Piece):
    """One surface with its material.

    Every mesh has normals and texture coordinates, so that all share one compiled kernel: flat faces get corners of their
    own.
    """
    surface = piece.surface
    faces = np.asarray(surface.faces, np.int32)
    vertices, uv = triangles.vertices[piece.vertices], surface.uv
    if surface.smooth:
        normals = triangles.vertex_normals[piece.vertices]
    else:
        flat = triangles.face_normals[piece.faces]
        normals = np.repeat(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-30), 3, axis=0)
        vertices, uv = vertices[faces.ravel()], None if uv is None else uv[faces.ravel()]
        faces = np.arange(len(vertices), dtype=np.int32).reshape(-1, 3)
    if uv is None:
        uv = np.zeros((len(vertices), 2), np.float32)
    return _mesh(mi, "surface", vertices, faces, normals, uv, bsdf(mi, surface.material, mapped=surface.uv is not None))


def bsdf(mi, material: Material, mapped: bool = True):
    """The material, seen from both sides.

    Every material has the same lobes (a weight of nearly nothing where it has none of one), and plain colours are textures
    of one texel: whatever their values, they share one compiled kernel. ``mapped`` says that there are texture
    coordinates; without them a texture counts as its mean colour.
    """
    base = material.base_color
    spec = {"type": "principled", "base_color": _colour(mi, base, mapped),
            "roughness": max(0.03, float(material.roughness)), "specular": max(_FAINT, float(material.specular)),
            "metallic": max(_FAINT, float(material.metallic)), "sheen": max(_FAINT, float(material.sheen))}
    if material.bump is not None and material.bump_m and mapped:
        height = {"type": "bitmap", "raw": True, "bitmap": mi.Bitmap(np.ascontiguousarray(_grey(material.bump)))}
        spec = {"type": "bumpmap", "arbitrary": height, "scale": float(material.bump_m), "nested": spec}
    return mi.load_dict({"type": "twosided", "nested": spec})


def _colour(mi, base, mapped: bool) -> dict:
    if isinstance(base, Texture):
        pixels = base.pixels
        if mapped:
            return {"type": "bitmap", "bitmap": mi.Bitmap(np.ascontiguousarray(pixels)), "raw": pixels.ndim == 2}
        texel = (pixels.reshape(-1, *pixels.shape[2:]).mean(axis=0) + 0.5).astype(np.uint8)
        return {"type": "bitmap", "bitmap": mi.Bitmap(np.broadcast_to(texel, (1, 1, 3)).copy())}
    linear = np.clip(np.asarray(base, np.float64), 0, 1)
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return {"type": "bitmap", "bitmap": mi.Bitmap((srgb * 255 + 0.5).astype(np.uint8).reshape(1, 1, 3))}


def _grey(texture: Texture) -> np.ndarray:
    """(h, w, 1) uint8."""
    pixels = texture.pixels
    return (pixels if pixels.ndim == 2 else pixels.mean(axis=2).astype(np.uint8))[..., None]


def _mesh(mi, name: str, vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray | None = None,
          uv: np.ndarray | None = None, material=None):
    props = mi.Properties()
    if material is not None:
        props["mesh_bsdf"] = material
    mesh = mi.Mesh(name, len(vertices), len(faces), has_vertex_normals=normals is not None,
                   has_vertex_texcoords=uv is not None, props=props)
    params = mi.traverse(mesh)
    params["vertex_positions"] = aligned(np.asarray(vertices, np.float32))
    params["faces"] = aligned(np.asarray(faces, np.uint32))
    if normals is not None:
        params["vertex_normals"] = aligned(np.asarray(normals, np.float32))
    if uv is not None:  # ours has v upwards, Mitsuba's textures begin at the top
        params["vertex_texcoords"] = aligned(np.stack([uv[:, 0], 1 - uv[:, 1]], axis=1).astype(np.float32))
    params.update()
    return mesh
