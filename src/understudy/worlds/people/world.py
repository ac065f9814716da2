"""The people world: digital humans, dressed and posed, somewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from understudy.draws import Draws
from understudy.fields import group, one_of, param
from understudy.scene import Camera, Entity, Scene, Surface
from understudy.supports import Integers as WholeNumbers
from understudy.surroundings import FIRST_ENTITY_ID, SURROUNDINGS, Surroundings
from understudy.values import Value, Weighted
from understudy.worlds.people import framing, population
from understudy.worlds.people import pose as posing
from understudy.worlds.people.anatomy import keypoints
from understudy.worlds.people.backpack import WORN_IN, backpack
from understudy.worlds.people.body import BODY_VERTICES, place
from understudy.worlds.people.cabin import cabin
from understudy.worlds.people.clothes import Clothes
from understudy.worlds.people.eyewear import Eyewear
from understudy.worlds.people.figure import Detail, Figure
from understudy.worlds.people.hair import Hair
from understudy.worlds.people.held import held
from understudy.worlds.people.population import Body, Person
from understudy.worlds.people.pose import Posing, Stance
from understudy.worlds.people.props import Occluders, seat_under, seated
from understudy.worlds.people.skin import Complexion, Skin
from understudy.worlds.people.things import Things
from understudy.worlds.people.wardrobe import IN_THE_HEAD, Dress, Wardrobe


@dataclass(frozen=True)
class _Cast:
    """One figure before it has a place: who it is, what it wears, how it stands (its soles at z = 0)."""

    person: Person
    complexion: Complexion
    outfit: Dress
    stance: Stance
    shape: framing.Shape
    backpack: bool


@dataclass(frozen=True)
class People:
    """Digital humans in surroundings of your choice."""

    categories: ClassVar[tuple[str, ...]] = ("person",)

    count: Value = param(Weighted((("1", 1, 6.0), ("2", 2, 3.0), ("3", 3, 1.5), ("4", 4, 0.6), ("5", 5, 0.4))),
                         WholeNumbers(0, 12), "", "how many figures")
    body: Body = group(Body, "who a figure is: age, gender, build, ancestry")
    skin: Skin = group(Skin, "skin, eyes, brows and beard")
    hair: Hair = group(Hair, "hair on the head")
    eyewear: Eyewear = group(Eyewear, "glasses")
    clothes: Clothes = group(Clothes, "what a figure wears")
    pack: Wardrobe = group(Wardrobe, "clothes and hair of an asset pack of yours")
    pose: Posing = group(Posing, "what a figure does")
    framing: framing.Framing = group(framing.Framing, "how the figures are in the picture")
    occluders: Occluders = group(Occluders, "things that stand in front")
    things: Things = group(Things, "unlabelled things that stand among the figures")
    surroundings: Surroundings = one_of(SURROUNDINGS, "photographs", "where they are")

    def sample(self, draws: Draws, camera: Camera) -> Scene:
        """Draw figures, a place, and how the camera sees them."""
        where = self.surroundings.sample(draws.at("surroundings"), camera)
        count = draws.ordered("count", self.count)
        cast = [self._cast(draws.each(i)) for i in range(count)]
        camera, spots = framing.arrange(draws.at("framing"), self.framing, camera, where, [c.shape for c in cast])
        entities: list[Entity] = []
        free = max([FIRST_ENTITY_ID, *(e.id + 1 for e in where.entities)])
        for i, (one, spot) in enumerate(zip(cast, spots)):
            at = draws.each(i)
            figure = self._entity(at, i + 1, one, spot, Detail(framing.px_per_m(camera, one.shape, spot)))
            entities.append(figure)
            if one.stance.family == "driving" and one.stance.seat is not None:
                entities.append(cabin(at.key("car"), one.stance.seat, one.shape.height_m, spot, free + i))
                entities.append(held(at.key("held"), "wheel", place(one.stance.body, spot.to_world), "L", free + 70 + i))
            elif one.stance.seat is not None:
                entities.append(seat_under(at.key("seat"), one.stance.seat, spot, free + i))
            if one.backpack:
                worn = backpack(at.key("backpack"), figure.surfaces, place(one.stance.body, spot.to_world), free + 82 + i)
                entities += [] if worn is None else [worn]
            if one.stance.held is not None:
                thing, side = one.stance.held
                entities.append(held(at.key("held"), thing, place(one.stance.body, spot.to_world), side, free + 50 + i))
        if cast:
            entities += self.occluders.sample(draws.at("occluders"), camera, where, cast[0].shape, spots[0], free + count)
        entities += self.things.sample(draws.at("things"), camera, where, [c.shape for c in cast], spots, free + 100)
        assets = (*where.assets, *(a for c in cast for a in (*c.stance.assets, *c.outfit.assets)))
        return Scene(self.categories, camera, (*entities, *where.entities), where.environment, where.sun, where.lamps,
                     where.backdrop, where.ground, assets,
                     tuple(s for c in cast for s in (*c.stance.skipped, *c.outfit.skipped)))

    def _cast(self, at: Draws) -> _Cast:
        person = population.sample(at.at("body"), self.body)
        ours = self.clothes.choose(at.at("clothes"), person.age, person.gender)
        complexion = self.skin.choose(at.at("skin"), person.ancestry)
        outfit = self.pack.choose(at.at("pack"), ours, person.rest, person.gender, complexion.tone)
        stance = posing.sample(at.at("pose"), person.rest, self.pose, person.age)
        lift = outfit.sole_m(person.rest)
        up = np.eye(4)
        up[2, 3] = lift
        stance = replace(stance, body=place(stance.body, up))
        if stance.seat is not None:
            stance = replace(stance, seat=replace(stance.seat, top_m=stance.seat.top_m + lift))
        bag = ours.backpack and stance.family in WORN_IN
        at.at("clothes").note("worn_backpack", bag)
        return _Cast(person, complexion, outfit, stance, _shape(stance), bag)

    def _entity(self, at: Draws, number: int, one: _Cast, spot: framing.Spot, detail: Detail) -> Entity:
        person, rest = one.person, one.person.rest
        figure = Figure(rest, place(one.stance.body, spot.to_world), person.age, person.gender, rest.bmi, rest.stature_m,
                        person.muscle, person.ancestry, spot.heading_deg, one.stance.family, detail)
        clothes = one.outfit.surfaces(figure)
        style, colour, single_hair = self.hair.choose(at.at("hair"), figure)
        complexion = one.complexion
        style = one.outfit.style(style)
        if one.outfit.hair is None:
            hair = self.hair.surfaces(at.at("hair"), figure, style, colour, complexion.rgb, clothes.surfaces,
                                      one.outfit.hat)
        else:
            hair = one.outfit.hair_surfaces(figure, colour)
        painted = one.outfit.skin
        skin = self.skin.surfaces(at.at("skin"), figure, complexion, clothes.covered, hair_rgb=tuple(single_hair),
                                  hair_colour=colour, painted=None if painted is None else painted.pixels,
                                  without=[name for name in IN_THE_HEAD if name in one.outfit.pieces])
        eyewear = self.eyewear.surfaces(at.at("eyewear"), figure)
        surfaces: tuple[Surface, ...] = (*skin.surfaces, *hair.surfaces, *eyewear.surfaces, *clothes.surfaces)
        facts = {
            "age": round(person.age, 1), "gender": person.presentation, "height_m": round(rest.stature_m, 3),
            "bmi": round(rest.bmi, 1), "pose": one.stance.family, "arms": one.stance.arms,
            "distance_m": round(float(np.hypot(spot.x, spot.y)), 3),
            **{f"ancestry_{name}": round(share, 3) for name, share in person.ancestry.items()},
            **skin.facts, **hair.facts, **eyewear.facts, **clothes.facts,
        }
        return Entity(number, "person", surfaces, keypoints(figure.posed), facts)


def _shape(stance: Stance) -> framing.Shape:
    """What framing needs to know: some skin vertices and the extremes, with room for clothes around the footprint."""
    from scipy.spatial import ConvexHull

    skin = stance.body.vertices[:BODY_VERTICES]
    columns = np.ascontiguousarray(skin.T)
    extremes = [f(column) for f in (np.argmin, np.argmax) for column in columns]
    points = np.concatenate([skin[::12], skin[extremes]]).astype(np.float64)
    eyes = (stance.body.head("eye.L") + stance.body.head("eye.R")) / 2
    middle = points[:, :2].mean(axis=0)
    footprint = points[:, :2] + 0.02 * np.sign(points[:, :2] - middle)
    shape = framing.Shape(points, float(eyes[2]), footprint[ConvexHull(footprint).vertices])
    return shape if stance.seat is None else seated(shape, stance.seat)
