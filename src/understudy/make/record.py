"""One record: the middle of the house in a handful of statements.

A record is a function of (recipe, seed, index) and nothing else. A draw that cannot be made true (its constraints cannot
be met, its photograph cannot be read) is drawn again under the next attempt's own key, a bounded number of times, and the
reasons are kept; any other error is a defect and passes through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from understudy.draws import Draws
from understudy.errors import AssetError, UnderstudyError, Unsatisfiable
from understudy.key import Key
from understudy.labels import assemble, channels
from understudy.record import Record
from understudy.scene import Skipped
from understudy.sensors.encode import encode
from understudy.signals import RGB

if TYPE_CHECKING:
    from understudy.recipe import Recipe

MAX_ATTEMPTS = 20


@dataclass(frozen=True)
class Made:
    """A record, how many draws it took, why the earlier ones were refused, and seconds by stop of its path.

    The seconds are for the eye only: nothing that is written depends on them. skipped : files that could not be used, and
    why; others were taken
    """

    record: Record
    attempts: int = 1
    refused: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Rejected:
    """No draw could be made true. ``asset`` says that the last one fell over a bad file, not over a constraint."""

    index: int
    refused: tuple[str, ...]
    asset: bool = False

    @property
    def attempts(self) -> int:
        return len(self.refused)


Outcome = Made | Rejected


def make_record(recipe: Recipe, index: int, *, max_attempts: int = MAX_ATTEMPTS) -> Outcome:
    """Record ``index`` of ``recipe``, with the same bytes whoever makes it, in whatever order.

    Raises what the world, the renderer or a label raises, except :class:`~understudy.errors.Unsatisfiable` and
    :class:`~understudy.errors.AssetError`, which lead to the next attempt.
    """
    refused: list[str] = []
    last: UnderstudyError | None = None
    for attempt in range(max_attempts):
        seconds: dict[str, float] = {}
        try:
            key, first = (Key(recipe.seed).child("record", index, a) for a in (attempt, 0))
            record, skipped = _attempt(recipe, index, key, first, seconds)
            return Made(record, attempt + 1, tuple(refused), seconds, skipped)
        except (Unsatisfiable, AssetError) as error:
            refused.append(str(error))
            last = error
    return Rejected(index, tuple(refused), isinstance(last, AssetError))


def _attempt(recipe: Recipe, index: int, key: Key, first: Key,
             seconds: dict[str, float]) -> tuple[Record, tuple[Skipped, ...]]:
    draws = Draws(key, lasting=first)
    sensors, labels = recipe.sensors, recipe.labels
    with _timed(seconds, "scene"):
        camera = sensors.camera.sample(draws.at("sensors", "camera"))
        scene = recipe.world.sample(draws.at("world", recipe.world_name), camera)
    with _timed(seconds, "picture and channels"):
        wanted = dict.fromkeys((RGB, *channels(labels.keep, recipe.tables.labels)))
        signals = sensors.renderer.render(scene, tuple(wanted), key.child("render"))
    with _timed(seconds, "labels"):
        instances, maps, facts = assemble(labels.keep, scene, signals, labels.minimum_visible_px,
                                           recipe.tables.labels)
    with _timed(seconds, "encoding"):
        picture = encode(signals[RGB], scene.camera.electronics)
    assets = tuple(dict.fromkeys((a.name, a.source, a.licence, a.sha256) for a in scene.assets))
    made = Record(index, picture, scene.categories, instances, maps, facts or None, draws.drawn, assets)
    return made, tuple(dict.fromkeys(scene.skipped))


@contextmanager
def _timed(seconds: dict[str, float], stop: str) -> Iterator[None]:
    began = perf_counter()
    yield
    seconds[stop] = perf_counter() - began
