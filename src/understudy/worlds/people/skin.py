"""Skin and eyes: the visible body, painted.

Skin tone follows the ten steps of the Monk Skin Tone scale (Monk, *The Monk Skin Tone Scale*, 2019; published by Google,
2022). The scale's colours are swatches as seen; as a reflectance a swatch is scaled down (measured skin reflects 0.1 to
0.65 of red light) and takes on blood's red, more where it is light.

Two pieces of one skin: the face, with texture coordinates of its own (an unwrapped cylinder around the head, half a
millimetre a pixel), and the rest in MakeHuman's atlas. Both are painted per figure from masks that belong to the topology
and are made once a process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from understudy.assets.palettes import srgb_encode_fast
from understudy.assets.patterns import noise
from understudy.draws import Draws
from understudy.fields import param
from understudy.key import Key
from understudy.scene import PART_ID, Material, Surface, Texture
from understudy.supports import Integers, Interval, OneOf
from understudy.values import Uniform, Value, Weighted
from understudy.worlds.people import body, facial_hair
from understudy.worlds.people.clothes.tailor import body_charts
from understudy.worlds.people.eyes import IRIS, eye_surfaces
from understudy.worlds.people.face_map import BODY_PX, FACE_M, FACE_PX, FaceMasks, body_masks, face_map, face_masks
from understudy.worlds.people.figure import Figure, Worn
from understudy.worlds.people.thinning import Thinned, cell_m, thinned

MONK_SRGB = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
# reflectance over swatch for each step: light swatches are much brighter than light skin, dark ones are not
_REFLECTS = (0.70, 0.69, 0.68, 0.70, 0.76, 0.98, 1.08, 1.12, 1.15, 1.12)
_ATLAS_M = 0.6  # half the skin along a side of MakeHuman's atlas: nothing on the body is sharp
_TONE_OF = {"african": (7.9, 1.2), "asian": (4.3, 1.1), "caucasian": (2.7, 1.1)}  # mean and spread on the scale
_SPECULAR = 0.35  # an index of refraction of 1.4 (Tuchin, *Tissue Optics*)
_BEARDS = ("auto", "none", "stubble", "moustache", "goatee", "full")


@dataclass(frozen=True)
class Complexion:
    """tone : step of the Monk scale; rgb : (3,) linear reflectance."""

    tone: int
    rgb: np.ndarray


@dataclass(frozen=True)
class Skin:
    """Skin, eyes and the face's hair that is painted (brows, stubble, beard)."""

    tone: Value = param(0, Integers(0, 10), "step", "Monk skin tone, 1 lightest to 10 darkest; 0 suits the ancestry")
    iris: Value = param("auto", OneOf(("auto", *IRIS)), "", "colour of the iris; auto suits the skin tone")
    beard: Value = param("auto", OneOf(_BEARDS), "", "beard; auto gives one to a share of grown men")
    freckles: Value = param(Weighted((("none", 0.0, 3.0), ("some", Uniform(0.1, 1.0), 1.0))), Interval(0, 1), "",
                            "how freckled the face is (seen on light skin)")
    flush: Value = param(Uniform(0.2, 1.0), Interval(0, 2), "", "redness of cheeks, nose and ears")
    gloss: Value = param(Uniform(0.38, 0.58), Interval(0.1, 1), "", "roughness of the skin; oily skin is below 0.4")
    makeup: Value = param(Uniform(0, 1), Interval(0, 1), "", "lip colour of women, where it is above 0.6")

    def choose(self, draws: Draws, figure: Figure) -> Complexion:
        """The colour of the bare skin."""
        tone = draws.ordered("tone", self.tone) or _tone_of(draws.key("tone"), figure.ancestry)
        draws.note("monk_tone", tone)
        return Complexion(int(tone), _reflectance(tone, draws.key("shade")))

    def surfaces(self, draws: Draws, figure: Figure, complexion: Complexion, covered: np.ndarray | None = None, *,
                 hair_rgb: Sequence[float] = (0.03, 0.02, 0.012), hair_colour: str = "dark brown") -> Worn:
        """The skin that is not ``covered`` ((V,) bool), the eyes and the mouth. ``hair_rgb``: linear colour of brows and
        beard, ``hair_colour`` its name."""
        tone, rgb = complexion.tone, complexion.rgb
        iris = draws("iris", self.iris)
        iris = _iris_of(draws.key("iris"), tone) if iris == "auto" else iris
        beard = draws("beard", self.beard)
        beard = _beard_of(draws.key("beard"), figure) if beard == "auto" else beard
        look = _Look(rgb=np.array(rgb), tone=tone, hair=np.array(hair_rgb), beard=beard,
                     freckles=draws("freckles", self.freckles) * float(tone <= 4),
                     flush=draws("flush", self.flush), age=figure.age, gender=figure.gender,
                     makeup=draws("makeup", self.makeup))
        gloss = draws("gloss", self.gloss)
        key = draws.key("paint")
        surfaces = [*_skin_surfaces(key, figure, covered, look, gloss), *eye_surfaces(draws.key("eyes"), figure, iris),
                    *facial_hair.grown(draws.key("hairs"), figure, beard, hair_colour, look.hair)]
        return Worn(tuple(surfaces), None, {"skin_tone": int(tone), "iris": iris, "beard": beard})


@dataclass(frozen=True)
class _Look:
    rgb: np.ndarray
    tone: int
    hair: np.ndarray
    beard: str
    freckles: float
    flush: float
    age: float
    gender: float
    makeup: float


def monk_rgb(tone: float) -> np.ndarray:
    """Linear colour of a step (or between two steps) of the scale, as published."""
    steps = np.array([[int(h[k:k + 2], 16) / 255 for k in (0, 2, 4)] for h in MONK_SRGB])
    linear = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    return np.array([np.interp(tone, np.arange(1, 11), linear[:, c]) for c in range(3)])


def _reflectance(tone: int, key: Key) -> np.ndarray:
    within = float(np.clip(tone + 0.5 * (key.child("within").uniform() - 0.5), 1, 10))
    warm = key.child("warm").uniform(-1, 1)
    light = float(np.clip((8 - within) / 4, 0, 1))
    blood = light * np.array([1.0, 0.82 - 0.05 * warm, 0.74 - 0.07 * warm]) \
        + (1 - light) * np.array([1.32, 0.96, 0.76 - 0.05 * warm])
    return np.clip(monk_rgb(within) * blood * np.interp(within, np.arange(1, 11), _REFLECTS), 0.008, 0.9)


def _tone_of(key: Key, ancestry: Mapping[str, float]) -> int:
    names = list(_TONE_OF)
    total = sum(ancestry.get(n, 0) for n in names) or 1.0
    mean = sum(ancestry.get(n, 0) / total * _TONE_OF[n][0] for n in names)
    spread = sum(ancestry.get(n, 0) / total * _TONE_OF[n][1] for n in names)
    return int(np.clip(round(mean + spread * key.normal()), 1, 10))


def _iris_of(key: Key, tone: int) -> str:
    light = max(0.0, (4.5 - tone) / 3.5)
    shares = {"dark brown": 1.0, "brown": 0.9, "hazel": 0.5 * light, "green": 0.35 * light, "blue": 1.3 * light,
              "grey": 0.4 * light}
    return list(shares)[key.weighted(list(shares.values()))]


def _beard_of(key: Key, figure: Figure) -> str:
    if figure.gender > 0.35 or figure.age < 17:
        return "none"
    young = figure.age < 22
    weights = (0.55, 0.3, 0.03, 0.05, 0.07) if young else (0.42, 0.27, 0.05, 0.09, 0.17)
    return _BEARDS[1:][key.weighted(weights)]


def _skin_surfaces(key: Key, figure: Figure, covered, look: _Look, gloss: float) -> list[Surface]:
    fm = face_map()
    mesh = body.model().mesh("body")
    base_faces = mesh.base_faces
    chart, chart_uv = body_charts()
    shown = np.ones(len(base_faces), bool) if covered is None else ~covered[base_faces].all(1)
    normals = figure.posed.normals
    part = np.where(fm.is_face, PART_ID["face"], PART_ID["skin"]).astype(np.uint8)
    face_colour, face_bump = paint_face(key.child("face"), look, face_masks(figure.detail.texels(FACE_M, FACE_PX)))
    face = Material(face_colour, roughness=gloss, specular=_SPECULAR, bump=face_bump, bump_m=0.0012)
    size = figure.detail.texels(_ATLAS_M, BODY_PX, 64)
    skin = Material(paint_body(key.child("body"), look, size), roughness=gloss + 0.06, specular=_SPECULAR)
    lining = Material((0.24, 0.06, 0.055), roughness=0.35)
    out = []
    for name, material, which in (("face", face, shown & fm.in_map), ("skin", skin, shown & ~fm.in_map & ~fm.mouth),
                                  ("mouth", lining, fm.mouth)):
        mesh_at = _thinned(name, cell_m(figure.detail))
        kept = which[mesh_at.rows]
        rows = mesh_at.rows[kept]
        out.append(_piece(name, figure, normals, mesh_at.faces[kept], mesh_at.base, mesh_at.uv, material, part[rows],
                          chart[rows], chart_uv[rows]))
    for name, material in (("teeth", Material((0.62, 0.57, 0.48), roughness=0.22)),
                           ("tongue", Material((0.34, 0.13, 0.12), roughness=0.4))):
        inside = body.model().mesh(name)
        count = len(inside.faces)
        out.append(_piece(name, figure, normals, inside.faces, inside.base, inside.uv, material,
                          np.full(count, PART_ID["face"], np.uint8), np.zeros(count, np.uint8),
                          np.zeros((count, 3, 2), np.float32)))
    return [s for s in out if len(s.faces)]


@cache
def _thinned(name: str, cell: float) -> Thinned:
    """The face's mesh, or the skin's, which is the mouth's too, as fine as a grid of ``cell`` metres."""
    mesh = face_map() if name == "face" else body.model().mesh("body")
    return thinned(mesh.faces, mesh.base, mesh.uv, cell)


def _piece(name, figure, normals, faces, base, uv, material, part, chart, chart_uv) -> Surface:
    used = np.zeros(len(base), bool)
    used[faces.ravel()] = True
    number = np.cumsum(used) - 1
    rows = base[used]
    return Surface(name, figure.posed.vertices[rows], number[faces].astype(np.int32), material, part,
                   uv=np.ascontiguousarray(uv[used], np.float32), rest=figure.posed.rest_vertices[rows].astype(np.float32),
                   chart=chart, chart_uv=chart_uv, normals=normals[rows].astype(np.float32))


def paint_face(key: Key, look: _Look, fm: FaceMasks) -> tuple[Texture, Texture]:
    """Colour and relief of the face, as large as its masks."""
    n = len(fm.lips)
    px, near = n / FACE_PX, n == FACE_PX
    light = float(np.clip((7 - look.tone) / 6, 0, 1))
    grown = float(np.clip((look.age - 12) / 8, 0, 1))
    old = float(np.clip((look.age - 42) / 40, 0, 1))
    mottle = noise(key.child("mottle"), n, 12, 4) - np.float32(0.5)
    skin = _ground(look.rgb, mottle)
    flush = look.flush * (0.3 + 0.7 * light)
    _darken(skin, fm.cheeks, 0.6 * flush * np.array([0.02, 0.26, 0.24]))
    _darken(skin, fm.nose, 0.5 * flush * np.array([0.02, 0.26, 0.24]))
    _darken(skin, fm.eyes_round, (0.10 + 0.14 * old) * np.array([0.7, 1.0, 0.9]))
    if look.freckles > 0:
        spots = _spots(key.child("freckles"), n, int(160 + 700 * look.freckles), 1.1 * px)
        _darken(skin, np.clip(spots, 0, 1) * np.clip(fm.cheeks * 1.6 + fm.nose, 0, 1), np.array([0.22, 0.4, 0.5]))
    moles = key.child("moles").integer(0, 4) + int(10 * old)
    if moles:
        _darken(skin, np.clip(_spots(key.child("moles"), n, moles, 1.6 * px), 0, 1), np.array([0.36, 0.5, 0.57]))
    lined = fm.creases * (np.float32(0.6) + noise(key.child("lines"), n, 9, 1))
    creases = lined * np.float32(old) + fm.folds * np.float32(0.22 * grown)
    _darken(skin, creases, 0.16 * np.array([0.7, 1, 1]))
    blotch = noise(key.child("blotches"), n, 5, 3) - np.float32(0.5)
    skin *= 1 - np.float32(0.10 + 0.16 * old) * blotch[..., None] * np.array([0.25, 1.0, 0.9], np.float32)
    grit = noise(key.child("grit"), n, n // 2, 1) - np.float32(0.5)
    skin *= 1 + np.float32(0.05 + 0.05 * grown) * grit[..., None]
    if old > 0.3:  # age spots
        spots = _spots(key.child("age spots"), n, int(26 * old), 2.6 * px)
        _darken(skin, np.clip(spots, 0, 1) * np.clip(2 * blotch + 0.6, 0, 1), np.array([0.10, 0.20, 0.26]))
    lip = look.rgb * (np.array([0.80, 0.46, 0.48]) * light + (1 - light) * np.array([0.85, 0.62, 0.66]))
    if look.gender > 0.6 and look.age > 15 and look.makeup > 0.6:
        hue = key.child("lipstick").choice(((0.42, 0.03, 0.05), (0.30, 0.05, 0.08), (0.45, 0.14, 0.13), (0.22, 0.02, 0.06)))
        lip = 0.35 * lip + 0.65 * np.array(hue)
    _mix(skin, lip, 0.8 * fm.lips)
    _mix(skin, look.rgb * 0.18, 0.75 * fm.mouth_line)
    _mix(skin, look.rgb * 0.3, 0.6 * fm.nostrils)
    _mix(skin, np.minimum(look.hair, 0.02) * 0.6, fm.lashes * (0.65 + 0.3 * (look.gender > 0.5)))
    hairs = noise(key.child("strands"), n, (24, min(170, n)), 2) - np.float32(0.5)
    strength = (0.55 + 0.45 * grown) * (0.75 + 0.25 * (0.5 + 0.5 * (look.gender < 0.5)))
    brow = np.clip(fm.brows * (np.float32(strength) + hairs * np.float32(1.3)), 0, 1)
    grey = float(np.clip((look.age - 60) / 25, 0, 1)) * 0.6
    brow_rgb = (1 - grey) * look.hair * 0.8 + grey * np.array([0.35, 0.34, 0.33])
    _mix(skin, brow_rgb, (0.55 if near else 0.92) * brow)  # near, there are hairs over it
    # pores: fine pits, deepest on nose, cheeks and forehead; lips have furrows across
    pits = np.maximum(noise(key.child("pits"), n, n // 2, 1) - np.float32(0.55), 0)
    oily = np.float32(0.35) + np.float32(0.65) * np.maximum(fm.nose, fm.cheeks)
    rough = (0.25 + 0.75 * grown) * (1 + 0.6 * old)
    relief = np.float32(0.5) + 0.16 * rough * (noise(key.child("pores"), n, min(128, n), 2) - np.float32(0.5))
    relief -= rough * 0.55 * oily * pits * (1 - fm.lips)
    relief += 0.10 * fm.lips * (noise(key.child("furrows"), n, (8, n // 3), 1) - np.float32(0.5))
    relief += 0.06 * mottle + 0.12 * brow - 0.42 * creases
    if look.beard != "none":
        where = {"stubble": fm.beard, "full": fm.beard, "moustache": fm.moustache,
                 "goatee": np.maximum(fm.moustache, fm.chin)}[look.beard]
        thick = np.float32(0.42 if look.beard == "stubble" else 0.93)
        grain = noise(key.child("beard"), n, (min(90, n), min(150, n)), 2)
        area = np.clip(where * (thick + (grain - np.float32(0.5)) * (np.float32(1.35) - where) * np.float32(1.4)), 0, 0.97)
        _mix(skin, brow_rgb, area * (1.15 - 0.45 * grain))
        relief += 0.35 * area * grain
    return _texture(skin), Texture(np.clip(relief * 255, 0, 255).astype(np.uint8))


def paint_body(key: Key, look: _Look, n: int) -> Texture:
    """Colour of everything but the face, in MakeHuman's atlas."""
    masks = body_masks(n)
    mottle = noise(key.child("mottle"), n, 16, 3) - np.float32(0.5)
    skin = _ground(look.rgb, mottle)
    dark = float(np.clip((look.tone - 4) / 5, 0, 1))
    _mix(skin, np.maximum(look.rgb * 1.2, np.array([0.36, 0.21, 0.16])), masks["palm"] * np.float32(0.1 + 0.75 * dark))
    _darken(skin, masks["joint"], 0.5 * look.flush * np.array([0.0, 0.16, 0.14]))
    _mix(skin, 0.6 * look.rgb + 0.4 * np.array([0.62, 0.42, 0.38]), 0.7 * masks["nail"])
    return _texture(skin)


def _ground(rgb: np.ndarray, mottle: np.ndarray) -> np.ndarray:
    """Bare skin, (h, w, 3) float32, a little uneven in its blood."""
    return np.asarray(rgb, np.float32) * (1 + mottle[..., None] * np.array([0.07, 0.10, 0.10], np.float32))


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns where a mask is not nearly 0: most are small."""
    rows, columns = (np.flatnonzero(mask.max(axis=axis) > 0.004) for axis in (1, 0))
    return (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)) if rows.size else (slice(0), slice(0))


def _mix(image: np.ndarray, colour: np.ndarray, amount: np.ndarray) -> None:
    """Lay ``colour`` over ``image`` in place, by ``amount`` (h, w)."""
    box = _box(amount)
    a = np.clip(amount[box], 0, 1).astype(np.float32)[..., None]
    image[box] += a * (np.asarray(colour, np.float32) - image[box])


def _darken(image: np.ndarray, mask: np.ndarray, by: np.ndarray) -> None:
    """Take the share ``by`` (3,) of light away in place, by ``mask`` (h, w)."""
    box = _box(mask)
    image[box] *= 1 - mask[box].astype(np.float32)[..., None] * np.asarray(by, np.float32)


def _texture(linear: np.ndarray) -> Texture:
    return Texture((srgb_encode_fast(np.clip(linear, 0, 1)) * 255 + 0.5).astype(np.uint8))


def _spots(key: Key, n: int, count: int, radius_px: float) -> np.ndarray:
    import cv2

    image = np.zeros((n, n), np.float32)
    if count == 0:
        return image
    u = key.child("at").uniforms(count, 3)
    np.add.at(image, ((u[:, 0] * n).astype(int), (u[:, 1] * n).astype(int)), 0.4 + u[:, 2])
    image = cv2.GaussianBlur(image, (0, 0), radius_px) * (2 * math.pi * radius_px**2)
    return image


__all__ = ["MONK_SRGB", "Skin", "monk_rgb"]
