"""How well random figures are dressed: skin that comes through cloth, hair that comes through hats, and what dressing costs.

    python bench/figures_dressed.py [--figures 500] [--seed 77] [--sheet worst.png]

The default recipe's population, poses and clothes, three figures in four with something on the head, half of them as coarse
as the picture shows a distant one. Each is looked at from around with the rasteriser. Prints a table: n, seed, CPU time.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from understudy import signals
from understudy.draws import Draws
from understudy.errors import Unsatisfiable
from understudy.geometry.cameras import look_at
from understudy.key import Key
from understudy.renderers.flat import Flat
from understudy.scene import PART_ID, PARTS, Camera, Entity, Lens, Material, Scene, Surface
from understudy.worlds.people import body, pose
from understudy.worlds.people.clothes import Clothes, Outfit, headwear
from understudy.worlds.people.clothes.coordinates import skin_coordinates
from understudy.worlds.people.clothes.garments import GARMENTS, WAIST, levels
from understudy.worlds.people.clothes.shoes import levels as shoe_levels
from understudy.worlds.people.figure import Detail, Figure, Worn
from understudy.worlds.people.hair import Hair
from understudy.worlds.people.population import Body
from understudy.worlds.people.population import sample as sample_person
from understudy.worlds.people.pose import Posing
from understudy.worlds.people.wardrobe import Dress

INSIDE_M = 0.010  # skin this far inside a garment's border belongs beneath it
THROUGH_M = 0.03  # cloth this close behind such skin means that the skin came through it
HEADS = ("none", *headwear.HEADWEAR)


@dataclass(frozen=True)
class Seen:
    """Pixels of cloth, of skin that came through it and of hair that came through a hat, each by part of the clothes."""

    cloth: Counter
    skin: Counter
    hair: Counter

    @property
    def share(self) -> float:
        return self.skin.total() / max(self.cloth.total(), 1)


def beneath(outfit: Outfit) -> np.ndarray:
    """(V,) bool: base vertices that the outfit's cloth lies over."""
    at = skin_coordinates()
    under = np.zeros(len(at.arm), bool)
    for item in outfit.items:
        if GARMENTS[item.name].skirt:
            z = at.xyz[:, 2]
            top = item.cut.top if item.cut.top < 0.5 else WAIST
            under |= (z < top - INSIDE_M) & (z > max(item.cut.bottom, -0.30) + 0.04) & (at.arm < 0)
            if item.cut.top < 0.5:
                continue
            inside = np.min(levels(replace(item.cut, bottom=WAIST - 0.05), at), 0)
        else:
            inside = np.min(levels(item.cut, at), 0)
        under |= inside > INSIDE_M
    if outfit.shoes:
        under |= np.min(shoe_levels(outfit.shoes.last, at), 0) > INSIDE_M
    if outfit.headwear:
        under |= headwear.inside(outfit.headwear.kind, at.xyz) > INSIDE_M
    return under


def poke(figure: Figure, outfit: Outfit, hair: Sequence[Surface] = (), views: int = 4, px: int = 320) -> Seen:
    """What comes through over ``views`` around the figure, ``px`` pixels tall each."""
    worn = outfit.surfaces(figure)
    skin, middle, height = skin_of(figure, worn, outfit)
    cloth, through, tufts = Counter(), Counter(), Counter()
    for k in range(views):
        camera = around(middle, height, k, views, px)
        seen, only = (look(camera, surfaces) for surfaces in ((*skin, *hair, *worn.surfaces), worn.surfaces))
        dressed = only["part"] > 0
        near = dressed.copy()
        near[dressed] = only["depth"][dressed] - seen["depth"][dressed] < THROUGH_M * height
        cloth.update(only["part"][dressed].tolist())
        through.update(only["part"][near & (seen["part"] == PART_ID["other"])].tolist())
        hats = near & (only["part"] == PART_ID["hat"])
        tufts.update(only["part"][hats & (seen["part"] == PART_ID["hair"])].tolist())
    return Seen(cloth, through, tufts)


def skin_of(figure: Figure, worn: Worn, outfit: Outfit) -> tuple[list[Surface], np.ndarray, float]:
    """The skin that shows, "other" where it belongs beneath cloth; the figure's middle and its largest extent."""
    faces = body.model().mesh("body").base_faces
    shown = ~worn.covered[faces].all(1)
    under = beneath(outfit)[faces].all(1) & shown
    v = figure.posed.vertices[:body.BODY_VERTICES]
    skin = [Surface(name, v, faces[rows].astype(np.int32), Material(), np.full(rows.sum(), PART_ID[part], np.uint8))
            for name, rows, part in (("skin", shown & ~under, "skin"), ("under", under, "other")) if rows.any()]
    return skin, 0.5 * (v.min(0) + v.max(0)), float(np.ptp(v, 0).max())


def around(middle: np.ndarray, height: float, k: int, views: int, px: int) -> Camera:
    """The ``k``-th of ``views`` cameras on a circle, a little above the middle."""
    turn = 2 * np.pi * (k + 0.3) / views
    away = np.array([np.cos(turn), np.sin(turn), 0.15])
    eye = middle + away / np.linalg.norm(away) * 4 * height
    return Camera(Lens((px, px), (3.6 * px, 3.6 * px), (px / 2, px / 2)), look_at(tuple(eye), tuple(middle)))


def look(camera: Camera, surfaces: Sequence[Surface]) -> dict:
    scene = Scene(("person",), camera, (Entity(1, "person", tuple(surfaces)),))
    return Flat().render(scene, (signals.PART, signals.DEPTH), Key(0))


def dressed(key: Key, fineness: Detail) -> tuple[Figure, Outfit, Sequence[Surface], float]:
    """A random figure, what it wears, its hair, and the CPU seconds of dressing it."""
    for attempt in range(20):
        draws = Draws(key / attempt)
        try:
            person = sample_person(draws.at("body"), Body())
            stance = pose.sample(draws.at("pose"), person.rest, Posing(), person.age)
            break
        except Unsatisfiable:
            continue
    figure = Figure(person.rest, stance.body, person.age, person.gender, person.rest.bmi, person.rest.stature_m,
                    person.muscle, person.ancestry, -90.0, stance.family, fineness)
    outfit = Clothes().choose(draws.at("clothes"), person.age, person.gender)
    kind = HEADS[key.child("head").integer(0, len(HEADS) - 1)]
    hat = headwear.chosen(key.child("hat"), kind)
    outfit = replace(outfit, headwear=hat)
    start = time.process_time()
    worn = outfit.surfaces(figure)
    seconds = time.process_time() - start
    style, colour, _ = Hair().choose(draws.at("hair"), figure)
    style = Dress(outfit).style(style)
    hair = Hair().surfaces(draws.at("hair"), figure, style, colour, np.full(3, 0.3), worn.surfaces, kind if hat else None)
    return figure, outfit, hair.surfaces, seconds


def sheet(numbers: Sequence[int], seed: int, path: Path, px: int = 420) -> None:
    """The figures ``numbers`` by part, skin that belongs beneath cloth in red."""
    import cv2

    grey = np.array([[40 + 13 * k] * 3 for k in range(len(PARTS))], np.uint8)
    grey[PART_ID["other"]] = (0, 0, 255)
    tiles = []
    for i in numbers:
        figure, outfit, hair, _ = dressed(Key(seed) / i, detail(i))
        worn = outfit.surfaces(figure)
        skin, middle, height = skin_of(figure, worn, outfit)
        tiles.append(np.concatenate([
            grey[look(around(middle, height, k, 3, px), (*skin, *hair, *worn.surfaces))["part"]]
            for k in range(3)], 1))
    cv2.imwrite(str(path), np.concatenate(tiles))


def detail(i: int) -> Detail:
    return Detail() if i % 2 == 0 else Detail(190.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--figures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--sheet", type=Path, help="PNG of the worst ten")
    args = parser.parse_args()
    rows, seconds = [], []
    for i in range(args.figures):
        figure, outfit, hair, cost = dressed(Key(args.seed) / i, detail(i))
        rows.append((poke(figure, outfit, hair, views=3, px=240), i, outfit.facts()))
        seconds.append(cost)
    cloth, skin, tufts = (sum((getattr(r[0], name) for r in rows), Counter()) for name in ("cloth", "skin", "hair"))
    shares = np.sort([r[0].share for r in rows])
    print(f"| {args.figures} random figures, seed {args.seed} | aim | measured |")
    print("|---|---|---|")
    print(f"| skin through cloth, of the cloth's pixels | under 0.2 % | {100 * skin.total() / cloth.total():.4f} % |")
    for part in sorted(cloth):
        print(f"| ... of {PARTS[part]} | | {100 * skin[part] / cloth[part]:.4f} % of {cloth[part]} |")
    hat = PART_ID["hat"]
    print(f"| hair before a hat's cloth | | {100 * tufts[hat] / max(cloth[hat], 1):.3f} % of {cloth[hat]} |")
    print(f"| figures above 0.2 % | | {int((shares > 0.002).sum())}, the worst {100 * shares[-1]:.2f} % |")
    print(f"| dressing one figure | under 150 ms | {1000 * float(np.median(seconds)):.0f} ms (median, CPU) |")
    rows.sort(key=lambda r: -r[0].share)
    for seen, i, facts in rows[:10]:
        where = {PARTS[part]: count for part, count in seen.skin.items()}
        print(f"figure {i}: {100 * seen.share:.3f} %, {where}, {facts['garments']}, {facts['shoes']}, {facts['headwear']}")
    if args.sheet:
        sheet([i for _, i, _ in rows[:10]], args.seed, args.sheet)


if __name__ == "__main__":
    main()
