"""A small world with a field of every kind, and tables that need nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from understudy.fields import group, one_of, param, setting
from understudy.labels import LABELS
from understudy.recipe import Tables
from understudy.supports import Boolean, Integers, Interval, Many, OneOf, Text, Vector
from understudy.values import Integers as WholeNumbers
from understudy.values import LogUniform, Normal, Uniform, Value, Weighted

_TESTS = Path(__file__).parents[1]
GOLDEN = sorted((_TESTS / "golden" / "recipe_errors").glob("*.yaml"))  # bad recipes whose whole error text is kept
CORPUS = sorted((_TESTS / "corpus").glob("*.yaml"))  # bad recipes that must be refused, and no more


@dataclass(frozen=True)
class Meadow:
    """Grass to the horizon."""

    grass_m: Value = param(0.1, Interval(0, 2), "m", "height of the grass")


@dataclass(frozen=True)
class Pond:
    """Water."""

    depth_m: Value = param(Uniform(0.2, 1.0), Interval(0, 10), "m", "depth of the water")
    pictures: str | None = setting(None, Text("a folder of pictures", optional=True, path=True), "", "pictures of ponds")


PLACES = {"meadow": Meadow, "pond": Pond}


@dataclass(frozen=True)
class Plumage:
    """A bird's feathers."""

    colour: Value = param(Weighted((("brown", "brown", 3), ("white", "white", 1))), OneOf(("brown", "white", "black")), "",
                          "colour of the feathers")
    tint: Value = param((0.5, 0.5, 0.5), Vector(3, 0, 1), "", "a colour laid over it")
    shiny: Value = param(False, Boolean(), "", "do they shine?")


@dataclass(frozen=True)
class Birds:
    """Birds in a place."""

    categories: ClassVar[tuple[str, ...]] = ("bird",)

    count: Value = param(WholeNumbers(1, 3), Integers(0, 50), "", "how many birds")
    age: Value = param(Weighted((("0-1", Uniform(0, 1), 1), ("1-20", Uniform(1, 20), 2))), Interval(0, 20), "years", "age")
    span_m: Value = param(Normal(0.4, 0.1, 0.1, 1.0), Interval(0.05, 3), "m", "distance between the wings' tips")
    turn_deg: Value = param(0, Interval(-180, 180), "degrees", "where they look")
    light: Value = param(LogUniform(0.1, 10), Interval(0.01, 100), "", "how bright it is")
    drift: Value = param(0.0, Interval(), "", "a number without bounds")
    share: Value = param(0.5, Interval(0, 1), "", "share of birds that fly")
    plumage: Plumage = group(Plumage, "the feathers")
    place: Any = one_of(PLACES, "meadow", "where they are")
    perch: Any = one_of(PLACES, None, "a second place", optional=True)
    songs: tuple[str, ...] = setting(("trill",), Many(("trill", "chirp", "call")), "", "what they sing")
    motto: str = setting("none", Text("text"), "", "any text")
    size: tuple[int, int] = setting((8, 6), Vector(2, 1, 100, whole=True), "px", "columns and rows")
    heavy: bool = setting(False, Boolean(), "", "heavier than air?")

    def __post_init__(self) -> None:
        if self.heavy is True and self.motto == "light":
            raise ValueError("a heavy bird has no light motto")


@dataclass(frozen=True)
class Painter:
    """Draws everything."""

    supplies: ClassVar[frozenset[str]] = frozenset({
        "rgb", "instance", "category", "part", "depth", "normal", "uv", "object", "iuv", "silhouettes", "wide_area"})
    samples: int = setting(4, Integers(1, 4096), "", "rays a pixel")


@dataclass(frozen=True)
class Sketch:
    """Draws outlines only."""

    supplies: ClassVar[frozenset[str]] = frozenset({"rgb", "instance"})


@dataclass(frozen=True)
class Ledger:
    """A format."""

    cannot_carry: ClassVar[dict[str, str]] = {}
    exact: bool = setting(False, Boolean(), "", "keep floats")


@dataclass(frozen=True)
class Album:
    """Another format."""

    cannot_carry: ClassVar[dict[str, str]] = {"masks": "it has no place for them"}


TABLES = Tables(worlds={"birds": Birds}, surroundings=PLACES, renderers={"path": Painter, "sketch": Sketch}, labels=LABELS,
                writers={"coco": Album, "ledger": Ledger})
