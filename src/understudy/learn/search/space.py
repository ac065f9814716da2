"""The axes that a search moves: a rendered pool's own drawn values, narrowed or reweighted. Nothing is rendered for it.

A numeric axis is narrowed to a window of its distribution: ``centre`` and ``width`` are shares of its quantiles, so width 1
is the pool as it is. A text axis has the binary logarithm of a factor for each of its values, 0 as it is. A candidate is the
pool's pictures with importance weights (its density over the pool's).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import UsageError
from understudy.key import Key

if TYPE_CHECKING:
    from understudy.learn.cache import Store

NARROWEST = 0.4
_FACTOR = 2.0  # most doublings or halvings of a text's weight
_MOST_TEXTS = 6
DUMMY = "(dummy)"


@dataclass(frozen=True)
class Axis:
    """One drawn path of the pool. values : (n,) float with NaN where it was not drawn, or texts with None."""

    path: str
    values: np.ndarray

    @property
    def numeric(self) -> bool:
        return self.values.dtype.kind == "f"

    @cached_property
    def _drawn(self) -> np.ndarray:
        """(n,) bool: the pictures where the path was drawn."""
        return ~np.isnan(self.values) if self.numeric else np.array([v is not None for v in self.values])

    @cached_property
    def _places(self) -> np.ndarray:
        """(n,) each number's place among all that were drawn, in (-1, 1); 0 where it was not drawn."""
        from scipy.stats import rankdata

        places = np.zeros(len(self.values))
        places[self._drawn] = (2 * rankdata(self.values[self._drawn]) - 1) / self._drawn.sum() - 1
        return places

    @cached_property
    def texts(self) -> list[str]:
        """The values of a text axis, commonest first."""
        found, counts = np.unique([v for v in self.values if v is not None], return_counts=True)
        return [str(found[i]) for i in np.argsort(-counts, kind="stable")][:_MOST_TEXTS]

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """{parameter: (least, greatest)}."""
        if self.numeric:
            return {f"{self.path}:centre": (0.0, 1.0), f"{self.path}:width": (NARROWEST, 1.0)}
        return {f"{self.path}:{text}": (-_FACTOR, _FACTOR) for text in self.texts}

    def weights(self, params: Mapping[str, float]) -> np.ndarray:
        """(n,) the candidate's density over the pool's, up to a factor; 1 where the path was not drawn."""
        if not self.numeric:
            factor = {text: 2.0 ** params[f"{self.path}:{text}"] for text in self.texts}
            return np.array([1.0 if v is None else factor.get(str(v), 1.0) for v in self.values])
        low, high = self._window(params)
        with np.errstate(invalid="ignore"):
            return np.where(np.isnan(self.values) | ((self.values >= low) & (self.values <= high)), 1.0, 0.0)

    def held(self, rows: np.ndarray) -> np.ndarray:
        """(d,) what these pictures of the pool hold along the axis.

        Of numbers, by their place in the pool from -1 (least) to 1: the mean, and the mean of Legendre's second polynomial
        (are they in the middle or at both ends). Of texts, each but the commonest: its share, from -1 to 1. Where the axis
        is not always drawn, also the share of pictures where it is.
        """
        drawn = rows[self._drawn[rows]]
        count = max(len(drawn), 1)
        if self.numeric:
            places = self._places[drawn]
            found = [places.sum() / count, _bent(places).sum() / count]
        else:
            found = [2 * (self.values[drawn] == text).sum() / count - 1 for text in self.texts[1:]]
        return np.array(found if self._drawn.all() else [*found, 2 * len(drawn) / max(len(rows), 1) - 1])

    def recipe_value(self, params: Mapping[str, float]) -> str:
        """What a recipe would say, as YAML: a window as ``uniform`` or ``integers``, factors as ``weighted``; "" where
        nothing changes."""
        if self.numeric:
            if params[f"{self.path}:width"] > 0.98:
                return ""
            low, high = self._window(params)
            known = self.values[~np.isnan(self.values)]
            if (known == np.round(known)).all():  # whole numbers are drawn there
                return f"{{integers: [{int(np.ceil(low))}, {int(np.floor(high))}]}}"
            return f"{{uniform: [{low:.5g}, {high:.5g}]}}"
        share = {t: float(np.mean([v == t for v in self.values if v is not None])) for t in self.texts}
        told = ", ".join(f"{t}: {share[t] * 2.0 ** params[f'{self.path}:{t}']:.3g}" for t in self.texts)
        return f"{{weighted: {{{told}}}}}"

    @property
    def recipe_path(self) -> str:
        """The recipe's place: the drawn path without the number of the instance."""
        return re.sub(r"\[\d+\]", "", self.path)

    def _window(self, params: Mapping[str, float]) -> tuple[float, float]:
        width = params[f"{self.path}:width"]
        start = params[f"{self.path}:centre"] * (1 - width)
        low, high = np.nanquantile(self.values, (start, min(start + width, 1.0)))
        return float(low), float(high)


def pool_axes(store: Store, paths: Sequence[str]) -> list[Axis]:
    """The axes of a pool's pictures. UsageError where nothing says what was drawn, and as :func:`axes_of`."""
    from understudy.learn.realism.judge import drawn_of

    if not (drawn := drawn_of(store)):
        raise UsageError("a pool needs its drawn values", where=store.name, wanted="manifest.parquet beside it",
                         remedy="Make the pool with `understudy generate`, with broad distributions")
    return axes_of(drawn, paths)


def axes_of(drawn: Mapping[str, Sequence], paths: Sequence[str]) -> list[Axis]:
    """The axes that are asked for, by a whole drawn path or the end of one. UsageError for what is not drawn or constant."""
    found = []
    for asked in paths:
        plain = [p for p in drawn if p == asked or re.sub(r"\[\d+\]", "", p) == asked]
        ends = plain or [p for p in drawn if re.sub(r"\[\d+\]", "", p).endswith("." + asked)]
        if len(ends) != 1:
            some = ends or [p for p in drawn if asked.rpartition(".")[2] in p]
            raise UsageError(f"--tune {asked} is {'several drawn paths' if ends else 'no drawn path of the pool'}",
                             wanted=", ".join(sorted(some)[:8]) or "a column of manifest.parquet", got=asked)
        column = drawn[ends[0]]
        known = [v for v in column if v is not None]
        if len(set(map(str, known))) < 2:
            raise UsageError(f"--tune {asked} never varies in the pool", remedy="Render the pool with a distribution there")
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in known):
            values = np.array([np.nan if v is None else float(v) for v in column])
        else:
            values = np.array([None if v is None else str(v) for v in column], object)
        found.append(Axis(ends[0], values))
    return found


def ranges_of(axes: Sequence[Axis]) -> dict[str, tuple[float, float]]:
    """Every parameter of the search, a dummy that moves nothing among them: the null line of the importance report."""
    joined = {DUMMY: (0.0, 1.0)}
    for axis in axes:
        joined |= axis.ranges
    return joined


def held(axes: Sequence[Axis], points: Sequence[Mapping[str, float] | None],
         rows: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """{axis: (points, d)} what candidates hold along each axis, by the rows of the pool that each one's training has, the
    dummy's own number among them. None is the pool as it is, which has no dummy and takes its middle.

    Weights alone do not say it: windows may leave so few pictures that a text's factors choose nothing among them.
    """
    dummy = np.array([0.0 if p is None else 2 * p[DUMMY] - 1 for p in points])
    idle = np.column_stack([dummy, np.where([p is None for p in points], 0.0, _bent(dummy))])
    return {axis.path: np.array([axis.held(r) for r in rows]) for axis in axes} | {DUMMY: idle}


def _bent(x: np.ndarray) -> np.ndarray:
    """Legendre's second polynomial: what a straight line cannot say, on -1 to 1."""
    return 1.5 * x**2 - 0.5


def chosen_rows(axes: Sequence[Axis], params: Mapping[str, float] | None, n: int, count: int, key: Key) -> np.ndarray:
    """``count`` of the pool's n pictures (fewer where the weights leave fewer), drawn by weight without putting back
    (Efraimidis and Spirakis, 2006). None for the pool as it is."""
    weights = np.ones(n)
    for axis in axes if params is not None else ():
        weights = weights * axis.weights(params)
    with np.errstate(divide="ignore"):
        order = np.log(key.child("rows").uniforms(n) + 1e-300) / weights
    order[weights <= 0] = -np.inf
    kept = int(min(count, (weights > 0).sum()))
    return np.sort(np.argsort(-order, kind="stable")[:kept])


def effective(axes: Sequence[Axis], params: Mapping[str, float], n: int) -> float:
    """The effective number of pictures that the weights leave (Kish)."""
    weights = np.ones(n)
    for axis in axes:
        weights = weights * axis.weights(params)
    return float(weights.sum() ** 2 / max((weights**2).sum(), 1e-300))
