"""Clothes: what a figure wears, as meshes of their own over the body.

``Clothes.choose`` settles what is worn, before the figure is posed (soles lift it); ``Outfit.surfaces`` makes the meshes for
the posed figure. ``Clothes.surfaces`` does both.
"""

from __future__ import annotations

from dataclasses import dataclass

from understudy.draws import Draws
from understudy.fields import param
from understudy.key import Key
from understudy.supports import Interval, OneOf
from understudy.values import Value
from understudy.worlds.people.clothes import fabric, headwear
from understudy.worlds.people.clothes.garments import BOTTOMS, DRESSES, GARMENTS, OUTERWEAR, TOPS
from understudy.worlds.people.clothes.headwear import HEADWEAR
from understudy.worlds.people.clothes.outfit import Item, Outfit, Shoes
from understudy.worlds.people.clothes.shoes import SHOES
from understudy.worlds.people.figure import Figure, Worn

_UPPER = ("auto", *TOPS, *DRESSES)
_LOWER = ("auto", *BOTTOMS)
_OVER = ("auto", "none", *OUTERWEAR)
_FEET = ("auto", "barefoot", *SHOES)
_PATTERNS = ("auto", *dict.fromkeys(p for cloth in fabric.CLOTHS.values() for p in cloth.patterns))
_TUCKABLE = ("shirt", "tank top", "t-shirt", "long-sleeved top", "short-sleeved shirt")
_COLOURS = ("auto", *fabric.COLOURS)


@dataclass(frozen=True)
class Clothes:
    """What figures wear. Everything that is ``auto`` suits age and gender and the rest of the outfit."""

    top: Value = param("auto", OneOf(_UPPER), "", "upper body; a dress leaves no room for a lower garment")
    bottom: Value = param("auto", OneOf(_LOWER), "", "lower body")
    outerwear: Value = param("auto", OneOf(_OVER), "", "over the top")
    shoes: Value = param("auto", OneOf(_FEET), "", "on the feet")
    headwear: Value = param("auto", OneOf(("auto", "none", *HEADWEAR)), "", "on the head; most press the hair down")
    top_pattern: Value = param("auto", OneOf(_PATTERNS), "", "pattern of the upper garment's cloth")
    bottom_pattern: Value = param("auto", OneOf(_PATTERNS), "", "pattern of the lower garment's cloth")
    top_colour: Value = param("auto", OneOf(_COLOURS), "", "main colour of the upper garment")
    bottom_colour: Value = param("auto", OneOf(_COLOURS), "", "main colour of the lower garment")
    tucked: Value = param(0.25, Interval(0, 1), "", "chance that a top that can be tucked in is")
    backpack: Value = param(0.05, Interval(0, 1), "", "chance that who stands, walks or runs, from five years on, wears one")

    def choose(self, draws: Draws, age: float, gender: float) -> Outfit:
        """What a figure of this age (years) and gender (0 masculine to 1 feminine) wears."""
        wanted = {name: draws(name, getattr(self, name)) for name in (
            "top", "bottom", "outerwear", "shoes", "headwear",
            "top_pattern", "bottom_pattern", "top_colour", "bottom_colour", "tucked", "backpack")}
        key = draws.key("wear")
        top, bottom = _garments(key, age, gender, wanted["top"], wanted["bottom"])
        over = wanted["outerwear"] if wanted["outerwear"] != "auto" else _outerwear(key.child("over"), top, age)
        if GARMENTS[over].skirt if over != "none" else False:  # one thing that hangs is enough
            over = "jacket" if top in DRESSES or bottom == "skirt" else over
        feet = wanted["shoes"] if wanted["shoes"] != "auto" else _footwear(key.child("feet"), top, bottom, age, gender)
        items = []
        if bottom:
            items.append(_item(key.child("bottom"), bottom, wanted["bottom_pattern"], wanted["bottom_colour"]))
        items.append(_item(key.child("top"), top, wanted["top_pattern"], wanted["top_colour"]))
        if over != "none":
            items.append(_item(key.child("outerwear"), over, "auto", "auto"))
        can = bottom is not None and top in _TUCKABLE and over == "none"
        tucked = bool(can and (GARMENTS[bottom].skirt or key.child("tucked").uniform() < wanted["tucked"]))
        head = wanted["headwear"] if wanted["headwear"] != "auto" else _headwear(key.child("head"), age, gender, over)
        hat = headwear.chosen(key.child("head"), head)
        shoes = None if feet == "barefoot" else _shoes(key.child("shoes"), feet)
        for slot, worn in (("top", top), ("bottom", bottom or "none"), ("outerwear", over), ("shoes", feet),
                           ("headwear", head)):
            draws.note(f"worn_{slot}", worn)
        bag = bool(age >= 5 and key.child("backpack").uniform() < wanted["backpack"])
        return Outfit(tuple(items), shoes, tucked, key.child("folds"), hat, bag)

    def surfaces(self, draws: Draws, figure: Figure) -> Worn:
        """Choose and dress in one step."""
        return self.choose(draws, figure.age, figure.gender).surfaces(figure)


def _item(key: Key, name: str, pattern: str, colour: str) -> Item:
    garment = GARMENTS[name]
    cloths = list(garment.cloths)
    cloth = cloths[key.child("cloth").weighted([garment.cloths[c] for c in cloths])]
    if pattern != "auto" and pattern not in fabric.CLOTHS[cloth].patterns:  # another cloth may come in this pattern
        cloth = next((c for c in cloths if pattern in fabric.CLOTHS[c].patterns), cloth)
    return Item(name, garment.cut(key.child("cut")), garment.ease(key.child("ease")),
                fabric.choose(key.child("fabric"), cloth, pattern, colour, garment.part == "top"))


def _garments(key: Key, age: float, gender: float, top: str, bottom: str) -> tuple[str, str | None]:
    feminine = float(min(max(gender, 0.0), 1.0))
    if top == "auto":
        weights = {"t-shirt": 5.0, "long-sleeved top": 1.6, "shirt": 1.6 if age > 12 else 0.4, "short-sleeved shirt": 0.7,
                   "jumper": 1.3, "hoodie": 1.4 if age < 45 else 0.4, "tank top": 0.35 + 0.5 * feminine}
        if bottom == "auto":
            weights["dress"], weights["sleeveless dress"] = 2.0 * feminine**3, 0.9 * feminine**3
        if age < 3:
            weights["t-shirt"] += 3.0
        top = _weighed(key.child("upper"), weights)
    if top in DRESSES:
        return top, None
    if bottom == "auto":
        young = age < 13
        weights = {"trousers": 2.4 if not young else 1.6, "jeans": 3.2, "joggers": 0.7 + (1.2 if young else 0.0),
                   "shorts": 1.0 + (1.0 if young else 0.0), "leggings": 1.6 * feminine**3 + 0.02,
                   "skirt": 1.8 * feminine**3 + 0.003}
        bottom = _weighed(key.child("lower"), weights)
    return top, bottom


def _outerwear(key: Key, top: str, age: float) -> str:
    chance = 0.34 if top in ("t-shirt", "shirt", "long-sleeved top", "jumper") else 0.12 if top == "hoodie" else 0.0
    if age < 2 or key.child("any").uniform() >= chance:
        return "none"
    return _weighed(key.child("kind"), {"jacket": 2.0, "closed jacket": 1.2, "coat": 0.9 if age > 8 else 0.0})


def _headwear(key: Key, age: float, gender: float, over: str) -> str:
    out = 0.16 if over != "none" else 0.05
    if key.child("any").uniform() >= out:
        return "none"
    return _weighed(key.child("kind"), {"cap": 1.2, "beanie": 1.0 if over != "none" else 0.3,
                                        "headscarf": 0.8 * gender if age > 11 else 0.0})


def _footwear(key: Key, top: str, bottom: str | None, age: float, gender: float) -> str:
    if age < 1:
        return _weighed(key, {"barefoot": 2.0, "slippers": 1.0})
    bare = bottom in ("shorts", "skirt") or bottom is None
    return _weighed(key, {"sneakers": 4.0, "shoes": 2.2 if age > 12 else 0.6, "boots": 0.3 if bare else 1.0,
                          "slippers": 0.9 * gender if bare else 0.25, "barefoot": 0.06})


def _shoes(key: Key, kind: str) -> Shoes:
    dark = key.child("dark").uniform() < (0.8 if kind in ("shoes", "boots") else 0.35)
    colour = "auto"
    if dark:
        colour = _weighed(key.child("tone"), {"black": 5.0, "brown": 2.5, "grey": 0.8, "navy": 0.8})
    elif kind == "sneakers":
        colour = _weighed(key.child("tone"), {"white": 4.0, "grey": 1.5, "navy": 1.0, "red": 0.6, "black": 1.0, "auto": 1.5})
    upper = fabric.choose(key.child("upper"), "leather", "plain", colour)
    sole = fabric.COLOURS["white"] if kind == "sneakers" and key.child("sole").uniform() < 0.75 else (0.022, 0.019, 0.017)
    return Shoes(kind, SHOES[kind](key.child("last")), upper, sole)


def _weighed(key: Key, weights: dict[str, float]) -> str:
    names = list(weights)
    return names[key.weighted([weights[n] for n in names])]


__all__ = ["Clothes", "Item", "Outfit", "Shoes"]
