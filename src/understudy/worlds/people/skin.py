"""Skin and eyes: the visible body, painted.

Skin tone follows the ten steps of the Monk Skin Tone scale (Monk, *The Monk Skin Tone Scale*, 2019; published by Google,
2022). The scale's colours are swatches as seen; as a reflectance a swatch is scaled down (measured skin reflects 0.1 to
0.65 of red light) and takes on blood's red, more where it is light.

Two pieces of one skin: the face, with texture coordinates of its own (an unwrapped cylinder around the head, half a
millimetre a pixel), and the rest in MakeHuman's atlas. Both are painted per figure from masks that belong to the topology
and are made once a process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from understudy.draws import Draws
from understudy.fields import param
from understudy.key import Key
from understudy.scene import PART_ID, Material, Surface, Texture
from understudy.supports import Integers, Interval, OneOf
from understudy.values import Uniform, Value, Weighted
from understudy.worlds.people import body, facial_hair
from understudy.worlds.people.clothes.tailor import body_charts
from understudy.worlds.people.eyes import IRIS, eye_surfaces
from understudy.worlds.people.face_map import BODY_PX, FACE_M, FACE_PX, face_map, face_masks
from understudy.worlds.people.figure import Figure, Worn
from understudy.worlds.people.skin_paint import Look, paint_body, paint_face
from understudy.worlds.people.thinning import Thinned, cell_m, thinned

MONK_SRGB = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
# reflectance over swatch for each step: light swatches are much brighter than light skin, the darkest much darker than dark
# skin; L* then runs from 71 to 26
_REFLECTS = (0.58, 0.58, 0.56, 0.60, 0.65, 0.94, 1.07, 1.31, 1.82, 2.39)
_ATLAS_M = 0.6  # half the skin along a side of MakeHuman's atlas: nothing on the body is sharp
_TONE_OF = {"african": (7.9, 1.2), "asian": (4.3, 1.1), "caucasian": (2.7, 1.1)}  # mean and spread on the scale
_SPECULAR = 0.35  # an index of refraction of 1.4 (Tuchin, *Tissue Optics*)
TEETH = Material((0.62, 0.57, 0.48), roughness=0.22)
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
    gloss: Value = param(Uniform(0.42, 0.62), Interval(0.1, 1), "", "roughness of the skin; oily skin is below 0.4")
    makeup: Value = param(Uniform(0, 1), Interval(0, 1), "", "lip colour of women, where it is above 0.6")

    def choose(self, draws: Draws, ancestry: Mapping[str, float]) -> Complexion:
        """The colour of the bare skin."""
        tone = draws.ordered("tone", self.tone) or _tone_of(draws.key("tone"), ancestry)
        draws.note("monk_tone", tone)
        return Complexion(int(tone), _reflectance(tone, draws.key("shade")))

    def surfaces(self, draws: Draws, figure: Figure, complexion: Complexion, covered: np.ndarray | None = None, *,
                 hair_rgb: Sequence[float] = (0.03, 0.02, 0.012), hair_colour: str = "dark brown",
                 painted: np.ndarray | None = None, without: Collection[str] = ()) -> Worn:
        """The skin that is not ``covered`` ((V,) bool), the eyes and the mouth. ``hair_rgb``: linear colour of brows and
        beard, ``hair_colour`` its name. ``painted``: (n, n, 3) uint8 sRGB in the atlas of MakeHuman's body, in place of
        ours; ``without``: which of our "teeth" and "eyes" something else stands for."""
        tone, rgb = complexion.tone, complexion.rgb
        iris = draws("iris", self.iris)
        iris = _iris_of(draws.key("iris"), tone) if iris == "auto" else iris
        beard = draws("beard", self.beard)
        beard = _beard_of(draws.key("beard"), figure) if beard == "auto" else beard
        look = Look(rgb=np.array(rgb), tone=tone, hair=np.array(hair_rgb), beard=beard,
                     freckles=draws("freckles", self.freckles) * float(tone <= 4),
                     flush=draws("flush", self.flush), age=figure.age, gender=figure.gender,
                     makeup=draws("makeup", self.makeup))
        gloss = draws("gloss", self.gloss)
        key = draws.key("paint")
        eyes = [] if "eyes" in without else eye_surfaces(draws.key("eyes"), figure, iris)
        surfaces = [*_skin_surfaces(key, figure, covered, look, gloss, painted, "teeth" not in without), *eyes,
                    *facial_hair.grown(draws.key("hairs"), figure, beard, hair_colour, look.hair)]
        return Worn(tuple(surfaces), None, {"skin_tone": int(tone), "iris": iris, "beard": beard})


def monk_rgb(tone: float) -> np.ndarray:
    """Linear colour of a step (or between two steps) of the scale, as published."""
    steps = np.array([[int(h[k:k + 2], 16) / 255 for k in (0, 2, 4)] for h in MONK_SRGB])
    linear = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
    return np.array([np.interp(tone, np.arange(1, 11), linear[:, c]) for c in range(3)])


def _reflectance(tone: int, key: Key) -> np.ndarray:
    within = float(np.clip(tone + 0.5 * (key.child("within").uniform() - 0.5), 1, 10))
    return _mean_reflectance(within, key.child("warm").uniform(-1, 1))


def _mean_reflectance(within: float, warm: float) -> np.ndarray:
    """Linear reflectance of a step or between two; warm : -1 to 1"""
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


def step_light() -> np.ndarray:
    """(10,) luminance of the skin of each step."""
    return np.array([_mean_reflectance(float(tone), 0.0) for tone in range(1, 11)]) @ np.array([0.2126, 0.7152, 0.0722])


def _skin_surfaces(key: Key, figure: Figure, covered, look: Look, gloss: float, painted: np.ndarray | None,
                   own_teeth: bool) -> list[Surface]:
    fm = face_map()
    mesh = body.model().mesh("body")
    base_faces = mesh.base_faces
    chart, chart_uv = body_charts()
    shown = np.ones(len(base_faces), bool) if covered is None else ~covered[base_faces].all(1)
    normals = figure.posed.normals
    part = np.where(fm.is_face, PART_ID["face"], PART_ID["skin"]).astype(np.uint8)
    lining = Material((0.24, 0.06, 0.055), roughness=0.35)
    pieces: list[tuple[str, Material, np.ndarray]] = [("mouth", lining, fm.mouth)]
    if painted is None:
        face_colour, face_bump = paint_face(key.child("face"), look, face_masks(figure.detail.texels(FACE_M, FACE_PX)))
        face = Material(face_colour, roughness=gloss, specular=_SPECULAR, bump=face_bump, bump_m=0.0012)
        size = figure.detail.texels(_ATLAS_M, BODY_PX, 64)
        skin = Material(paint_body(key.child("body"), look, size), roughness=gloss + 0.06, specular=_SPECULAR)
        pieces = [("face", face, shown & fm.in_map), ("skin", skin, shown & ~fm.in_map & ~fm.mouth), *pieces]
    else:
        skin = Material(Texture(painted), roughness=gloss + 0.03, specular=_SPECULAR)
        pieces = [("skin", skin, shown & ~fm.mouth), *pieces]
    out = []
    for name, material, which in pieces:
        mesh_at = _thinned(name, cell_m(figure.detail))
        kept = which[mesh_at.rows]
        rows = mesh_at.rows[kept]
        out.append(_piece(name, figure, normals, mesh_at.faces[kept], mesh_at.base, mesh_at.uv, material, part[rows],
                          chart[rows], chart_uv[rows]))
    for name, material in (("teeth", TEETH), ("tongue", Material((0.34, 0.13, 0.12), roughness=0.4))):
        if name == "teeth" and not own_teeth:
            continue
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


__all__ = ["MONK_SRGB", "TEETH", "Skin", "monk_rgb", "step_light"]
