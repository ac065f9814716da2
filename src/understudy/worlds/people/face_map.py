"""Where on the skin things are: masks for painting, made once a process from the body model's topology.

The face is unwrapped onto a cylinder around the head, measured on the template: u runs with the angle from -83 degrees
(the subject's right) to +83, v with height. The same vertex has the same place in every figure, so a mask drawn once
through iBUG's 68 points fits every face.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from understudy.worlds.people import body

FACE_PX = 512  # the face's texture where it is near
BODY_PX = 256  # the body's, where it is near
FACE_M = 0.238  # the height that it spans on the template
_ANGLE = 1.45
_Z = (0.612, 0.85)
_AXIS_Y = -0.055


@dataclass(frozen=True)
class FaceMap:
    """faces (f, 3) int32 of all skin faces over ``base`` (V,), whose ``uv`` (V, 2) are the face's; in_map, is_face, mouth :
    (f,) bool: painted with the face's texture; part of the face proper; lining of the mouth."""

    faces: np.ndarray
    base: np.ndarray
    uv: np.ndarray
    in_map: np.ndarray
    is_face: np.ndarray
    mouth: np.ndarray


@dataclass(frozen=True)
class FaceMasks:
    """Where on the face's texture things are: square float32 masks in [0, 1]."""

    lips: np.ndarray
    mouth_line: np.ndarray
    brows: np.ndarray
    lashes: np.ndarray
    nostrils: np.ndarray
    cheeks: np.ndarray
    nose: np.ndarray
    eyes_round: np.ndarray
    creases: np.ndarray
    folds: np.ndarray
    beard: np.ndarray
    moustache: np.ndarray
    chin: np.ndarray


@lru_cache(maxsize=1)
def face_map() -> FaceMap:
    model = body.model()
    template = np.array(model.arrays["template_vertices"], float)
    mesh = model.mesh("body")
    faces = mesh.base_faces
    angle = np.arctan2(template[:, 0], -(template[:, 1] - _AXIS_Y))
    uv = np.stack([(angle + _ANGLE) / (2 * _ANGLE), (template[:, 2] - _Z[0]) / (_Z[1] - _Z[0])], 1)
    atlas = mesh.uv[mesh.faces].mean(1)
    mouth = (atlas[:, 0] > 0.74) & (atlas[:, 1] < 0.15)
    middle = template[faces].mean(1)
    a = np.abs(angle[faces]).max(1)
    in_map = ~mouth & (a < 1.32) & (middle[:, 2] > 0.635) & (uv[faces][:, :, 1].min(1) > 0.0)
    in_map &= ~((middle[:, 2] < 0.66) & (middle[:, 1] > -0.085))  # the throat belongs to the neck
    is_face = in_map & (middle[:, 2] < 0.79) & (a < 1.15)
    return FaceMap(faces.astype(np.int32), np.arange(len(template)), uv.astype(np.float32), in_map, is_face, mouth)


@lru_cache(maxsize=5)
def face_masks(size: int) -> FaceMasks:
    """The masks, ``size`` pixels square (FACE_PX, halved any number of times)."""
    import cv2

    if size == FACE_PX:
        return FaceMasks(**_masks(_points(face_map().uv.astype(float))))
    fine = vars(face_masks(FACE_PX))
    return FaceMasks(**{name: cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) for name, mask in fine.items()})


def _points(uv: np.ndarray) -> np.ndarray:
    """iBUG's 68 points in pixels of the face's texture: (68, 2) x right, y down."""
    from understudy.worlds.people.anatomy import FACE_VERTICES

    return uv[np.array(FACE_VERTICES)] * [FACE_PX, -FACE_PX] + [0, FACE_PX]


def _masks(p: np.ndarray) -> dict[str, np.ndarray]:
    n = FACE_PX
    mm = n / 238.0  # pixels a millimetre of height

    def down(mm_down: float, mm_right: float = 0.0) -> np.ndarray:
        return np.array([mm_right * mm, mm_down * mm])

    def both(mask):
        return np.maximum(mask, mask[:, ::-1])

    lips = _fill([p[48:60]], 1.3)
    mouth_line = _stroke([np.concatenate([[p[48]], p[60:65], [p[54]]])], 1.1 * mm * 0.7, 0.8)
    brow_right = p[17:22]
    thick = np.array([0.4, 1.0, 1.25, 1.35, 1.0]) * 3.3 * mm
    lift = np.array([[0, 0.35], [0, 0.35], [0, 0.45], [0, 0.5], [0, 0.5]]) * thick[:, None]
    brows = both(_fill([np.concatenate([brow_right - lift, (brow_right + lift)[::-1]])], 1.6))
    upper, lower = p[36:40], np.array([p[39], p[40], p[41], p[36]])
    lashes = both(np.maximum(_stroke([upper], 1.5 * mm, 0.7), 0.35 * _stroke([lower], 0.8 * mm, 0.8)))
    nostrils = both(_blob(0.5 * p[32] + 0.5 * p[31] + down(-1.2), (2.6 * mm, 1.5 * mm)))
    eye = p[36:42].mean(0)
    eyes_round = both(_blob(eye + down(3), (17 * mm, 10 * mm)))
    cheek = np.array([0.6 * eye[0] + 0.4 * p[2][0], p[30][1] + 2 * mm])
    cheeks = both(_blob(cheek, (20 * mm, 15 * mm)))
    nose = _blob(p[30] + down(1), (11 * mm, 9 * mm))
    corner = p[36] + down(0, -4)
    feet = [np.array([corner, corner + down(dy, -9)]) for dy in (-6, -1, 4)]
    top = p[19][1]
    brow_lines = [np.stack([np.linspace(n / 2 - 32 * mm, n / 2 + 32 * mm, 12),
                            top - d * mm + 2.5 * mm * np.cos(np.linspace(-2.4, 2.4, 12))], 1) for d in (9, 16, 23)]
    fold = np.array([p[31] + down(-3, -6), 0.5 * (p[31] + p[48]) + down(0, -8), p[48] + down(3, -6)])
    folds = both(_faded(_stroke([fold], 1.8 * mm, 3.4), fold[1], 13 * mm))
    bags = both(_stroke([lower + down(4.5)], 1.2 * mm, 2.6))
    lines = _stroke(brow_lines, 0.8 * mm, 1.8) * np.clip(1.5 * _blob((n / 2, top - 16 * mm), (20 * mm, 14 * mm)), 0, 1)
    creases = np.clip(both(_faded(_stroke(feet, 0.7 * mm, 1.3), corner, 9 * mm)) + lines + folds + bags, 0, 1)
    jaw = p[1:16]
    upper_edge = np.array([p[15] + down(-6, 9), p[15] + down(-4, -1), p[14] + down(0, -10), p[54] + down(-2, 8),
                           p[35] + down(6, 5), p[33] + down(4), p[31] + down(6, -5), p[48] + down(-2, -8),
                           p[2] + down(0, 10), p[1] + down(-4, 1), p[1] + down(-6, -9)])
    lower_edge = jaw + down(12)
    beard = _fill([np.concatenate([lower_edge, upper_edge])], 8.0) * (1 - _fill([p[48:60]], 1.5))
    lip_top = np.array([p[48], p[49], p[50], p[51], p[52], p[53], p[54]])
    moustache = _fill([np.concatenate([lip_top + down(-0.5), lip_top[::-1] * [1, 0] + [0, p[33][1] + 4 * mm]])], 4.0)
    moustache *= 1 - _fill([p[48:60]], 1.2)
    middle = 0.45 * p[57] + 0.55 * p[8]
    chin = np.clip(1.6 * _blob(middle + down(3), (13 * mm, 13 * mm)) - 0.25, 0, 1) * (1 - _fill([p[48:60]], 2.0))
    side = np.array([p[48] + down(-3), p[48] + down(6, -1), p[6] + down(0, 3)])
    chin = np.maximum(chin, both(_stroke([side], 5 * mm, 5.0)))
    return {"lips": lips, "mouth_line": mouth_line, "brows": brows, "lashes": lashes, "nostrils": nostrils, "cheeks": cheeks,
            "nose": nose, "eyes_round": eyes_round, "creases": creases, "folds": folds, "beard": beard,
            "moustache": moustache, "chin": chin}


def _fill(polygons, blur_px: float) -> np.ndarray:
    import cv2

    image = np.zeros((FACE_PX, FACE_PX), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(image, [np.round(np.asarray(polygon) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return cv2.GaussianBlur(image.astype(np.float32) / 255, (0, 0), blur_px)


def _stroke(lines, width_px: float, blur_px: float) -> np.ndarray:
    import cv2

    image = np.zeros((FACE_PX, FACE_PX), np.uint8)
    for line in lines:
        cv2.polylines(image, [np.round(np.asarray(line) * 16).astype(np.int32)], False, 255, max(1, round(width_px)),
                      cv2.LINE_AA, 4)
    return cv2.GaussianBlur(image.astype(np.float32) / 255, (0, 0), blur_px)


def _faded(mask: np.ndarray, centre, reach_px: float) -> np.ndarray:
    """A mask that is strongest at ``centre``."""
    return mask * _blob(centre, (reach_px, reach_px))


def _blob(centre, sigma) -> np.ndarray:
    y, x = np.mgrid[:FACE_PX, :FACE_PX].astype(np.float32)
    return np.exp(-0.5 * (((x - centre[0]) / sigma[0]) ** 2 + ((y - centre[1]) / sigma[1]) ** 2)).astype(np.float32)


@lru_cache(maxsize=4)
def body_masks(size: int) -> Mapping[str, np.ndarray]:
    """Masks in MakeHuman's atlas, (size, size) float32: palms and soles, nails, knuckles with ears and elbows."""
    import cv2

    if size < BODY_PX:
        fine = body_masks(BODY_PX)
        return MappingProxyType({name: cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
                                 for name, mask in fine.items()})
    model = body.model()
    mesh = model.mesh("body")
    template = np.array(model.arrays["template_vertices"], float)
    normal = body.vertex_normals(template, mesh.base_faces)
    region = np.array([body.REGIONS[r] for r in model.region])
    weight = model.weights
    tip = sum(weight[:, model.bone(f"finger{k}-3.{s}")] for k in range(1, 6) for s in "LR")
    palm = np.zeros(len(template))
    for side, sign in (("L", 1.0), ("R", -1.0)):
        hand = region == f"hand.{side}"
        wrist, knuckle = (np.array(model.arrays["template_heads"][model.bone(f"{b}.{side}")], float)
                          for b in ("wrist", "finger3-1"))
        thumb = np.array(model.arrays["template_heads"][model.bone(f"finger2-1.{side}")], float) \
            - np.array(model.arrays["template_heads"][model.bone(f"finger5-1.{side}")], float)
        inner = np.cross(knuckle - wrist, thumb) * sign
        inner /= np.linalg.norm(inner)
        palm[hand] = np.clip(normal[hand] @ inner * 1.6, -1, 1)
    sole = np.where(np.char.startswith(region, "foot"), np.clip((-normal[:, 2] - 0.3) * 2, 0, 1), 0)
    joint = np.where(np.char.startswith(region, "hand"), 0.5, 0.0)
    joint[(region == "head") & (np.abs(template[:, 0]) > 0.072) & (np.abs(template[:, 2] - 0.715) < 0.04)] = 1.0
    nail = tip * (palm < -0.45)
    values = np.stack([np.maximum(np.clip(palm, 0, 1), sole), nail, joint], 1)
    baked = _bake(mesh.uv, mesh.faces, values[mesh.base], size)
    return MappingProxyType({"palm": baked[..., 0], "nail": baked[..., 1], "joint": baked[..., 2]})


def _bake(uv: np.ndarray, faces: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Vertex values (n, c) painted over texture coordinates: (size, size, c) float32, islands grown by some pixels."""
    import cv2

    steps = 5
    i, j = np.meshgrid(np.arange(steps + 1), np.arange(steps + 1), indexing="ij")
    inside = (i + j) <= steps
    bary = np.stack([i[inside], j[inside], steps - i[inside] - j[inside]], 1) / steps
    at = np.einsum("sk,fkc->fsc", bary, uv[faces]).reshape(-1, 2)
    value = np.einsum("sk,fkc->fsc", bary, values[faces]).reshape(-1, values.shape[1])
    x = np.clip((at[:, 0] * size).astype(int), 0, size - 1)
    y = np.clip(((1 - at[:, 1]) * size).astype(int), 0, size - 1)
    cell = y * size + x
    count = np.bincount(cell, minlength=size * size)
    out = np.stack([np.bincount(cell, value[:, c], size * size) for c in range(values.shape[1])], 1)
    out = (out / np.maximum(count, 1)[:, None]).reshape(size, size, -1).astype(np.float32)
    known = (count > 0).reshape(size, size).astype(np.float32)
    for _ in range(4):
        spread, weight = cv2.blur(out * known[..., None], (3, 3)), cv2.blur(known, (3, 3))
        grown = spread / np.maximum(weight, 1e-6)[..., None]
        out = np.where(known[..., None] > 0, out, np.where(weight[..., None] > 0, grown, 0))
        known = np.maximum(known, (weight > 0).astype(np.float32))
    return out
