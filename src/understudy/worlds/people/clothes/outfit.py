"""An outfit on a figure: layers over one another, cut, sewn and posed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from understudy.key import Key
from understudy.scene import Material, Surface
from understudy.worlds.people import body
from understudy.worlds.people.clothes import shell, shoes, skirts
from understudy.worlds.people.clothes.canvas import canvas
from understudy.worlds.people.clothes.coordinates import skin_coordinates
from understudy.worlds.people.clothes.creases import TILE_M
from understudy.worlds.people.clothes.fabric import Choice, Colour, colour_name
from understudy.worlds.people.clothes.garments import GARMENTS, WAIST, Cut, collar_levels, levels
from understudy.worlds.people.clothes.headwear import Headwear
from understudy.worlds.people.clothes.tailor import carried, cut_out, sew
from understudy.worlds.people.figure import Figure, Worn

_COVER_M = 0.035  # how far inside its border a garment hides the skin
_OVER_M = 0.034  # least distance of a coat from the legs, which wear trousers
_LAYER_M = 0.004  # least distance between two layers


@dataclass(frozen=True)
class Item:
    """One garment as chosen."""

    name: str
    cut: Cut
    ease: shell.Ease
    cloth: Choice


@dataclass(frozen=True)
class Shoes:
    """A pair of shoes as chosen."""

    kind: str
    last: shoes.Last
    upper: Choice
    sole: Colour


@dataclass(frozen=True)
class Outfit:
    """What a figure wears: items from the inside out (lower body, upper body, outerwear); a backpack is a thing of its own
    over it."""

    items: tuple[Item, ...]
    shoes: Shoes | None
    tucked: bool
    key: Key
    headwear: Headwear | None = None
    backpack: bool = False

    def sole_m(self, stature_m: float) -> float:
        """How far the soles lift a figure of this stature off the ground."""
        return 0.0 if self.shoes is None else self.shoes.last.sole_m * shell.size_of(stature_m)

    def facts(self) -> dict[str, str]:
        """What labels say of it."""
        facts = {"garments": ", ".join(item.name for item in self.items),
                 "shoes": self.shoes.kind if self.shoes else "barefoot",
                 "headwear": self.headwear.kind if self.headwear else "none"}
        for item in self.items:
            slot = GARMENTS[item.name].part
            facts[f"{slot}_colour"] = colour_name(item.cloth.colours[0])
            facts[f"{slot}_pattern"] = item.cloth.pattern
        return facts

    def surfaces(self, figure: Figure) -> Worn:
        """The clothes on a posed figure, and the base vertices of the skin that they hide."""
        m = shell.measure(figure)
        covered = np.zeros(len(skin_coordinates().arm), bool)
        out: list[Surface] = []
        under, waistband = m.rest, None
        draped: dict[str, np.ndarray] = {}
        for item in self.items:
            garment = GARMENTS[item.name]
            cloth = shell.drape(m, item.ease)
            cloth = shell.fold(m, cloth, item.ease.folds_m, self.key.child(item.name))
            if garment.part == "bottom":
                waistband = item.cut.top
                draped["bottom"] = cloth
                if not garment.skirt:
                    under = cloth
            elif self.tucked and waistband is not None:
                cloth = shell.tuck(m, cloth, draped["bottom"], waistband, _LAYER_M)
                under = cloth
            else:
                cloth = shell.outside(m, cloth, under, _LAYER_M * m.size)
                under = cloth
            draped[garment.part] = cloth
        skirt = None
        for item in self.items:
            material = item.cloth.material(figure.detail)
            garment = GARMENTS[item.name]
            cloth = draped[garment.part]
            limit = item.cut
            if garment.skirt:
                waist = item.cut.top if garment.part == "bottom" else WAIST
                inner = draped["top"] if self.tucked else m.rest
                inner = inner if garment.part == "bottom" else cloth
                skirt = skirts.hang(self.key.child("skirt"), figure, m, inner, waist)
                out.append(_skirt(figure, m, skirt, item, waist, material))
                covered |= _hidden_by_skirt(item.cut.bottom, waist)
                if garment.part == "bottom":
                    continue
                limit = Cut(item.cut.sleeve, item.cut.neck, 1.0, WAIST - 0.05)
            elif garment.part in ("top", "outerwear") and skirt is not None and not self.tucked:
                cloth = _over_skirt(m, cloth, skirt)
            out.append(_sewn(m, cloth, item, limit, material))
            if item.cut.neck == "collar":
                out.append(_collar(m, cloth, item, material))
            covered |= np.min(levels(limit, skin_coordinates()), 0) > _COVER_M + item.ease.loose_m
        if self.shoes:
            made, hidden = _shod(figure, m, self.shoes)
            out += made
            covered |= hidden
        if self.headwear:
            made, hidden = self.headwear.surfaces(figure, self.headwear.cloth.material(figure.detail))
            out += made
            covered |= hidden
        return Worn(tuple(out), covered, self.facts())


@cache
def _canvas_charts(fine: bool):
    c = canvas(fine)
    return carried(c.body_face, c.body_bary)


@cache
def _skirt_charts(fine: bool):
    s = skirts.skirt_mesh(fine)
    return carried(s.body_face, s.body_bary)


def _sewn(m: shell.Measures, cloth: np.ndarray, item: Item, cut: Cut, material: Material) -> Surface:
    return _cut_and_sew(item.name, GARMENTS[item.name].part, m, cloth, levels(cut, m.canvas.at), material,
                        1 / TILE_M, hem_m=0.0025 + 0.2 * item.ease.gap_m)


def _collar(m: shell.Measures, cloth: np.ndarray, item: Item, material: Material) -> Surface:
    level = collar_levels(item.cut, m.canvas.at)
    off = 0.004 + 0.007 * np.clip(level[0] / 0.03, 0, 1)  # it stands up at the neck and lies over the garment below
    raised = cloth + (off * m.size)[:, None] * m.normals
    return _cut_and_sew("collar", GARMENTS[item.name].part, m, raised, level, material, 1 / TILE_M,
                        hem_m=0.003, facing_m=0.008)


def _cut_and_sew(name: str, part: str, m: shell.Measures, cloth: np.ndarray, level: list[np.ndarray], material: Material,
                 per_m: float, hem_m: float, facing_m: float = 0.02) -> Surface:
    length = cut_out(m.canvas, level)
    rest = cloth[length.vertices]
    chart, chart_uv = _canvas_charts(m.canvas.fine)
    return sew(name, part, length, posed=shell.move(m.moves[length.vertices], rest), rest=rest, per_m=per_m, chart=chart,
               chart_uv=chart_uv, material=material, hem_m=hem_m * m.size, facing_m=facing_m * m.size)


def _skirt(figure: Figure, m: shell.Measures, cloth: np.ndarray, item: Item, waist: float,
           material: Material) -> Surface:
    s = skirts.skirt_mesh(m.canvas.fine)
    gap = _OVER_M if GARMENTS[item.name].part == "outerwear" else 0.010
    posed = skirts.settle(m, skirts.moves(figure, m.canvas.fine), cloth, waist, gap)
    z = s.xyz[:, 2]
    length = cut_out(s, (waist - z, z - item.cut.bottom))
    chart, chart_uv = _skirt_charts(m.canvas.fine)
    return sew("skirt", GARMENTS[item.name].part, length, posed=posed[length.vertices], rest=cloth[length.vertices],
               per_m=1 / TILE_M, chart=chart, chart_uv=chart_uv, material=material)


def _hidden_by_skirt(bottom: float, waist: float) -> np.ndarray:
    at = skin_coordinates()
    z = at.xyz[:, 2]
    return (z < waist - _COVER_M) & (z > max(bottom, -0.30) + 0.10) & (at.arm < 0)


def _over_skirt(m: shell.Measures, cloth: np.ndarray, skirt: np.ndarray) -> np.ndarray:
    """A top that hangs over a skirt: pushed outside the skirt's vertices near it."""
    rows, index = _canvas_to_skirt(m.canvas.fine)
    normal = m.normals[rows]
    short = np.einsum("ij,ij->i", skirt[index] - cloth[rows], normal) + 0.012 * m.size
    cloth = cloth.copy()
    cloth[rows] += np.clip(short, 0, 0.08)[:, None] * normal
    c = m.canvas
    for _ in range(c.rounds(3)):
        smooth = 0.5 * cloth + 0.5 * (c.smooth @ cloth)
        cloth = np.where((c.at.xyz[:, 2] < 0.25)[:, None] & (c.at.arm < 0)[:, None], smooth, cloth)
    return cloth


@cache
def _canvas_to_skirt(fine: bool):
    from scipy.spatial import cKDTree

    c, s = canvas(fine), skirts.skirt_mesh(fine)
    rows = np.flatnonzero((c.at.arm < 0) & (c.at.xyz[:, 2] < 0.19) & (c.at.xyz[:, 2] > -0.15))
    return rows, cKDTree(s.xyz).query(c.at.xyz[rows])[1]


def _shod(figure: Figure, m: shell.Measures, pair: Shoes) -> tuple[list[Surface], np.ndarray]:
    cloth, upper = shoes.shape(m, pair.last, float(figure.posed.rest_vertices[:body.BODY_VERTICES, 2].min()))
    level = shoes.levels(pair.last, m.canvas.at)
    made = [
        _cut_and_sew("shoes", "shoes", m, cloth, [*level, upper], pair.upper.material(figure.detail), 10.0, hem_m=0.004,
                     facing_m=0.012),
        _cut_and_sew("soles", "shoes", m, cloth, [*level, -upper], Material(pair.sole, roughness=0.7, specular=0.3), 10.0,
                     hem_m=0.001, facing_m=0.003),
    ]
    return made, np.min(shoes.levels(pair.last, skin_coordinates()), 0) > 0.015
