"""Wearing the pieces of an asset pack: clothes, shoes, hats and hair of MakeHuman's kind, on any body in any pose.

A piece (``fitted``) hides the skin that its file says. Pieces whose shape lies in a transparent texture (brows, lashes) are
cut out along it, and are not worn without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from understudy.assets import packs
from understudy.assets.packs import Piece
from understudy.draws import Draws
from understudy.errors import AssetError
from understudy.fields import setting
from understudy.key import Key
from understudy.scene import PART_ID, AssetUse, Material, Skipped, Texture
from understudy.supports import Interval, Text
from understudy.worlds.people.body import RestBody, model
from understudy.worlds.people.clothes import Outfit, fabric
from understudy.worlds.people.clothes.creases import TILE_M
from understudy.worlds.people.clothes.headwear import hair_under
from understudy.worlds.people.eyes import WET
from understudy.worlds.people.figure import Figure, Worn
from understudy.worlds.people.fitted import Fitted, fit, worn_surface
from understudy.worlds.people.hair_colours import strands, texture
from understudy.worlds.people.pack_skins import PackSkin, skin_of
from understudy.worlds.people.skin import TEETH, step_light

_SEE_THROUGH = ("eyebrows", "eyelashes")
IN_THE_HEAD = ("teeth", "eyes")
"""What a figure has in place of our own, not over it."""


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
    teeth: float = setting(0.3, Interval(0, 1), "", "share of figures who have its teeth")
    eyes: float = setting(0.3, Interval(0, 1), "", "share of figures who have its eyes, where the pack has their textures")
    skins: float = setting(0.5, Interval(0, 1), "", "share of figures who have its skins, where one is about as light")
    lashes: float = setting(0.3, Interval(0, 1), "", "share who have its eyelashes, where the pack has their textures")

    def check_assets(self) -> None:
        """AssetError where the pack was not added."""
        if self.name is not None:
            packs.load(self.name)

    def choose(self, draws: Draws, ours: Outfit, rest: RestBody, gender: float,
               tone: int = 1) -> Dress:
        """What a figure of this gender presentation and skin tone (a step of the Monk scale) wears: ours, with what it takes
        from the pack in its place."""
        if self.name is None:
            return Dress(ours)
        pack = packs.load(self.name)
        chosen: dict[str, Fitted] = {}
        skipped: list[Skipped] = []
        for slot, share in (("outfit", self.outfits), ("shoes", self.shoes), ("hat", self.hats), ("hair", self.hair),
                            ("eyebrows", self.brows), ("eyelashes", self.lashes), ("teeth", self.teeth),
                            ("eyes", self.eyes)):
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
                if fitted.slot == slot and (slot not in _SEE_THROUGH or fitted.clear) and (
                        slot != "eyes" or fitted.texture is not None):
                    chosen[slot] = fitted
                    break
        for slot in ("outfit", "shoes", "hat", "hair", *_SEE_THROUGH, *IN_THE_HEAD):
            draws.note(slot, chosen[slot].piece.name if slot in chosen else "none")
        items, shoes = (() if "outfit" in chosen else ours.items), (None if "shoes" in chosen else ours.shoes)
        hat = None if "hat" in chosen else ours.headwear
        skin = self._skin(draws.key("skins"), pack, gender, tone, skipped)
        draws.note("skin", "none" if skin is None else skin.piece.name)
        return Dress(replace(ours, items=items, shoes=shoes, headwear=hat), chosen, draws.key("look"), tuple(skipped), skin)

    def _skin(self, key: Key, pack: packs.Pack, gender: float, tone: int, skipped: list[Skipped]) -> PackSkin | None:
        """One of the pack's skins that suits; what cannot serve is put on ``skipped``."""
        if key.child("any").uniform() >= self.skins:
            return None
        there = [p for p in pack.pieces if p.kind == "skins" and _suits(p, gender)]
        for i in key.child("order").permutation(len(there)):
            try:
                skin = skin_of(pack, there[int(i)])
            except AssetError as error:
                skipped.append(Skipped(f"{pack.name}/{there[int(i)].file}", str(error)))
                continue
            if skin.suits(tone, step_light()):
                return skin
        return None


def _suits(piece: Piece, gender: float) -> bool:
    """Whether the tags or the name say that it is for women or men, and the figure presents as such (or between)."""
    said = {*piece.tags, *piece.name.split("-")}
    if "female" in said:
        return gender > 0.3
    return gender < 0.7 if "male" in said else True


@dataclass(frozen=True)
class Dress:
    """What a figure wears: our outfit, and pieces of a pack by slot."""

    ours: Outfit
    pieces: Mapping[str, Fitted] = field(default_factory=dict)
    key: Key | None = None
    skipped: tuple[Skipped, ...] = ()
    skin: PackSkin | None = None

    @property
    def assets(self) -> tuple[AssetUse, ...]:
        worn = (*self.pieces.values(), *(() if self.skin is None else (self.skin,)))
        return tuple(AssetUse(f"{p.pack}/{p.piece.name}", f"makehuman pack {p.pack}", p.piece.licence, p.piece.sha256)
                     for p in worn)

    @property
    def hair(self) -> Fitted | None:
        return None if self.ours.headwear else self.pieces.get("hair")

    def style(self, style: str) -> str:
        """What is left of a hairstyle under what is on the head."""
        if "hat" in self.pieces:  # of any shape
            return "bald" if style == "bald" else "buzz"
        return style if self.hat is None else hair_under(self.hat, style)

    @property
    def hat(self) -> str | None:
        """Which of our own hats is worn."""
        return self.ours.headwear.kind if self.ours.headwear else None

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
            if slot == "teeth":
                out.append(worn_surface(piece, figure, _painted(piece) if piece.texture is not None else TEETH))
                continue
            if slot == "eyes":
                out.append(worn_surface(piece, figure, replace(WET, base_color=_painted(piece).base_color)))
                facts["iris"] = piece.piece.name
                continue
            if slot == "outfit" and piece.texture is None:  # cut from two cloths
                for name in ("top", "bottom"):
                    material = _material(self.key.child(slot, name), piece, figure)
                    out.append(worn_surface(piece, figure, material, piece.part == PART_ID[name], TILE_M))
            else:
                out.append(worn_surface(piece, figure, _material(self.key.child(slot), piece, figure), tile_m=TILE_M))
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


def _material(key: Key, piece: Fitted, figure: Figure) -> Material:
    if piece.texture is not None:
        return _painted(piece)
    if piece.slot == "shoes":
        return fabric.choose(key, "leather", "plain").material(figure.detail)
    cloth = ("twill", "wool", "shirting", "jersey", "denim")[key.child("cloth").integer(0, 4)]
    return fabric.choose(key.child("fabric"), cloth, "plain").material(figure.detail)


def _painted(piece: Fitted) -> Material:
    return Material(Texture(np.ascontiguousarray(piece.texture[..., :3])), roughness=0.7)
