"""A figure: one person of a scene, as body, clothes, hair and skin look at it.

The world (``People``) makes a Figure, and each room adds to it, reading only what is here:

* ``skin.Skin().surfaces(draws, figure, covered)``: the visible skin and eyes, without the faces in ``covered``;
* ``hair.Hair().surfaces(draws, figure, skin)``: hair, brows, lashes and beard;
* ``clothes.Clothes().surfaces(draws, figure)``: garments, and what they hide.

Every vertex is float32 in the world frame; rest positions (the object channel) come from ``posed.rest_vertices``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from understudy.scene import Surface
from understudy.worlds.people.body import PosedBody, RestBody

_TEXELS_A_PIXEL = 1.25  # twice as many left pictures the same to 0.02 dB


@dataclass(frozen=True)
class Detail:
    """How finely a figure is made: as finely as the picture can show it.

    px_per_m : pixels to a metre where the figure is nearest to the camera; without a picture, no end of them
    """

    px_per_m: float = math.inf

    def texels(self, span_m: float, most: int, least: int = 32) -> int:
        """Side of a texture that spans ``span_m``: ``most``, halved while it keeps five texels to four pixels."""
        side = most
        while side > least and side / 2 >= _TEXELS_A_PIXEL * self.px_per_m * span_m:
            side //= 2
        return side

    def shows(self, size_m: float, pixels: float = 1) -> bool:
        """Whether something of this size is at least so many pixels."""
        return self.px_per_m * size_m >= pixels


@dataclass(frozen=True)
class Figure:
    """One person, posed and standing in the world.

    age : years; gender : 0 masculine to 1 feminine presentation; bmi : kg/m², measured on the mesh; height_m : stature
    ancestry : shares of MakeHuman's three morphs ("african", "asian", "caucasian"), adding up to 1
    heading_deg : direction that the pelvis faces, counter-clockwise from the world's +x seen from above (-90 looks
        along -y, towards a camera at the origin)
    family : pose family ("standing", "walking", "sitting" ...)
    detail : how finely it is made
    """

    rest: RestBody
    posed: PosedBody
    age: float
    gender: float
    bmi: float
    height_m: float
    muscle: float
    ancestry: Mapping[str, float]
    heading_deg: float = -90.0
    family: str = "standing"
    detail: Detail = Detail()


@dataclass(frozen=True)
class Worn:
    """What one room put on a figure.

    surfaces : meshes to show
    covered : (V,) bool, base vertices of the skin that are hidden; a skin face with all three corners covered is not shown
    facts : plain scalars for the figure's attributes and the manifest ("garments", "hair", "skin_tone" ...)
    """

    surfaces: tuple[Surface, ...] = ()
    covered: np.ndarray | None = None
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)
