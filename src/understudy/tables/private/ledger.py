"""The ledger: the one door through which a private fit may look at the data, and what each look has cost.

Noise and selection are OpenDP's (discrete Gaussian, noisy maximum, stability histogram); costs are those of
:mod:`.accounting`, and OpenDP's own maps must say no less of the same noise. OpenDP draws its noise from the operating
system, so two private fits differ: noise that a seed could repeat would hide nothing from who knows the seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import MissingDependency, UsageError
from understudy.tables.private.accounting import (
    cost_of,
    counts_cost,
    counts_sigma,
    epsilon_by_losses,
    epsilon_of,
    selection_cost,
    selection_scale,
)

if TYPE_CHECKING:
    from understudy.tables.tilt import Scores

LEAST, MOST = 0.01, 20.0  # epsilon: below, nothing is left of the data; above, nothing of the privacy
MOST_DELTA = 1e-3
NAMES_SHARE = 0.25  # of delta, where names have to be found
_FINE = 16  # scores are counted in sixteenths of a row, so that their sensitivity is exact


@dataclass(frozen=True)
class Budget:
    """epsilon, delta : of (epsilon, delta)-differential privacy, for tables that differ by one row."""

    epsilon: float
    delta: float = 1e-6

    def __post_init__(self) -> None:
        if not LEAST <= self.epsilon <= MOST:
            why = (
                "no data can be told through so much noise"
                if self.epsilon < LEAST
                else "so large an epsilon is no protection"
            )
            raise UsageError(
                f"epsilon is out of bounds: {why}",
                where="--epsilon",
                wanted=f"from {LEAST:g} to {MOST:g}",
                got=f"{self.epsilon:g}",
                remedy="1 is a strong usual choice; leave it out for a model without differential privacy",
            )
        if not 0 < self.delta <= MOST_DELTA:
            raise UsageError(
                "delta is the chance that the promise fails, and must be far below one in the number of rows",
                where="--delta",
                wanted=f"above 0, at most {MOST_DELTA:g}",
                got=f"{self.delta:g}",
            )


def needs_public_schema(schema: object | None) -> None:
    """UsageError: there is none, and one that is guessed from the data tells of its rows past the ledger."""
    if schema is None:
        raise UsageError(
            "what columns hold must be public knowledge under differential privacy, not found in the data",
            where="--epsilon",
            wanted="--schema YAML",
            remedy="Make one with `understudy table inspect DATA -o schema.yaml`, and take out what only the data knows",
        )


@dataclass(frozen=True)
class Entry:
    """One look at the data. noise : standard deviation of counts, or the scale of a selection; rho : its cost
    rows : by how much the one who is protected moves it (L2; of counts, by how many rows), 0 of a selection
    zcdp : what OpenDP's map says of it
    """

    what: str
    mechanism: str
    noise: float
    rho: float
    delta: float = 0.0
    rows: float = 1
    zcdp: float = 0.0


@dataclass
class Ledger:
    """budget : what may be spent in all; entries : what was; neighbours : what differs by the one who is protected

    names_share : of delta, for names that come out although nobody declared them
    rows : of each look, how many rows the one who is protected may have in what is counted (a person's loans); noise is so
    many times as large.
    """

    budget: Budget
    entries: list[Entry] = field(default_factory=list)
    neighbours: str = "tables of which one has a row more"
    names_share: float = NAMES_SHARE

    rows = 1  # as :class:`Part` has it

    def __post_init__(self) -> None:
        if find_spec("opendp") is None:
            raise MissingDependency(
                "OpenDP is missing: its noise is what protects", remedy="pip install 'understudy[private]'"
            )
        self.rho = cost_of(self.budget.epsilon, self.budget.delta * (1 - self.names_share))

    @property
    def left(self) -> float:
        """Cost that may still be spent."""
        return self.rho - math.fsum(e.rho for e in self.entries)

    def counts(self, what: str, counts: np.ndarray, rho: float, rows: int = 1) -> tuple[np.ndarray, float]:
        """Noisy counts and their standard deviation, for ``rho``. counts : of any shape; each row of the data is counted in
        at most one of them, so that ``rows`` rows move them by at most ``rows`` (L2: all in one cell)."""
        return self._noisy(what, counts, rho, rows)

    def products(self, what: str, scores: Scores, states: Mapping[str, np.ndarray], rho: float) -> tuple[np.ndarray, float]:
        """Noisy sums over all rows of the products of every two columns' scores, as ``scores.pairs`` has them, and their
        standard deviation. states : column -> (n,) of each row; one row moves the sums by ``scores.reach`` at most (L2)."""
        own = scores.rows(states)
        return self._noisy(what, (own.T @ own)[scores.pairs()], rho, scores.reach)

    def _noisy(self, what: str, sums: np.ndarray, rho: float, reach: float) -> tuple[np.ndarray, float]:
        dp = _opendp()
        sigma = counts_sigma(rho, reach)
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
        look = dp.make_gaussian(*space, scale=sigma)
        cost = counts_cost(sigma, reach)
        self._spend(Entry(what, "discrete Gaussian", sigma, cost, rows=reach, zcdp=look.map(float(reach))))
        return np.array(look(sums.ravel().astype(int).tolist()), float).reshape(sums.shape), sigma

    def names(
        self, what: str, counts: Mapping[str, int], rho: float, delta: float, rows: int = 1
    ) -> tuple[dict[str, int], float]:
        """Names that enough rows have for their coming out to tell of none, with noisy counts and their standard deviation.
        counts : name -> rows; a row has one name."""
        dp = _opendp()
        sigma = counts_sigma(rho, rows)
        space = (
            dp.map_domain(dp.atom_domain(T="String"), dp.atom_domain(T="i64")),
            dp.l02inf_distance(dp.absolute_distance(T="i64")),
        )

        def above(threshold: int):
            look = dp.make_gaussian_threshold(
                *space, scale=sigma, threshold=threshold, MO="Approximate<ZeroConcentratedDivergence>"
            )
            return look, *look.map((rows, rows, rows))

        low, high = int(sigma), int(13 * sigma) + rows + 1  # beyond thirteen standard deviations no delta in use is missed
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if above(middle)[2] <= delta else (middle, high)
        threshold = high
        look, zcdp, chance = above(threshold)
        how, cost = f"names of more than {threshold} noisy rows", counts_cost(sigma, rows)
        self._spend(Entry(what, how, sigma, cost, chance, rows, zcdp))
        found = look(dict(counts))
        return {name: int(found[name]) for name in sorted(found)}, sigma

    def best(self, what: str, scores: np.ndarray, rho: float, rows: int = 1) -> int:
        """The place of (nearly) the greatest of ``scores``, each of which one row more or less moves by at most 1."""
        dp = _opendp()
        step = rows * _FINE + 1  # rounding down may add one
        scale = selection_scale(rho, step)
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
        look = dp.make_noisy_max(*space, dp.zero_concentrated_divergence(), scale=scale)
        cost = selection_cost(scale, step)
        self._spend(Entry(what, "noisy maximum", scale / _FINE, cost, rows=0, zcdp=look.map(step)))
        return int(look(np.floor(scores * _FINE).astype(int).tolist()))

    def _spend(self, entry: Entry) -> None:
        if entry.zcdp > entry.rho * (1 + 1e-9):
            raise RuntimeError(f"the accountants disagree: {entry.what} costs {entry.zcdp:g} by OpenDP, {entry.rho:g} here")
        if entry.rho > self.left + 1e-10 * self.rho:
            raise RuntimeError(f"the budget is spent: {entry.what} would cost {entry.rho:g} of {self.left:g}")
        self.entries.append(entry)

    def plain(self) -> dict[str, Any]:
        """The claim and every look behind it, for the model's file and the report."""
        dp = _opendp()
        rho, delta = math.fsum(e.rho for e in self.entries), math.fsum(e.delta for e in self.entries)
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
        zcdp = max(math.fsum(e.zcdp for e in self.entries), 1e-12)
        whole = dp.make_zCDP_to_approxDP(dp.make_gaussian(*space, scale=math.sqrt(1 / (2 * zcdp))))
        rest = self.budget.delta - delta
        second = epsilon_by_losses(
            [(e.noise, e.rows) for e in self.entries if e.rows], [e.rho for e in self.entries if not e.rows], rest
        )
        return {
            "epsilon": self.budget.epsilon,
            "delta": self.budget.delta,
            "neighbours": self.neighbours,
            "rho": rho,
            "epsilon spent": epsilon_of(rho, rest),
            "epsilon spent, second accountant": second,
            "epsilon spent, by OpenDP's looser sum": whole.map(1.0).epsilon(delta=rest),
            "delta spent on names": delta,
            "looks": [
                {"what": e.what, "how": e.mechanism, "noise": e.noise, "rho": e.rho, "delta": e.delta} for e in self.entries
            ],
        }


@dataclass
class Part:
    """A share of a ledger, for one of several linked tables. rho : of the share; rows : see :class:`Ledger`."""

    ledger: Ledger
    rho: float
    rows: int
    spent: float = 0.0

    @property
    def left(self) -> float:
        """rho of this share not spent yet."""
        return self.rho - self.spent

    def counts(self, what: str, counts: np.ndarray, rho: float) -> tuple[np.ndarray, float]:
        """As the ledger's, with noise for ``rows`` rows."""
        self._take(what, rho)
        return self.ledger.counts(what, counts, rho, self.rows)

    def names(self, what: str, counts: Mapping[str, int], rho: float, delta: float) -> tuple[dict[str, int], float]:
        """As the ledger's, with noise and threshold for ``rows`` rows."""
        self._take(what, rho)
        return self.ledger.names(what, counts, rho, delta, self.rows)

    def best(self, what: str, scores: np.ndarray, rho: float) -> int:
        """As the ledger's, with noise for ``rows`` rows."""
        self._take(what, rho)
        return self.ledger.best(what, scores, rho, self.rows)

    def _take(self, what: str, rho: float) -> None:
        if rho > self.left * (1 + 1e-9):
            raise RuntimeError(f"the share is spent: {what} would cost {rho:g} of {self.left:g}")
        self.spent += rho


def _opendp() -> SimpleNamespace:
    """What is used of OpenDP (its prelude would load polars and scikit-learn too)."""
    from opendp.combinators import make_zCDP_to_approxDP
    from opendp.domains import atom_domain, map_domain, vector_domain
    from opendp.measurements import make_gaussian, make_gaussian_threshold, make_noisy_max
    from opendp.measures import zero_concentrated_divergence
    from opendp.metrics import absolute_distance, l02inf_distance, l2_distance, linf_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    return SimpleNamespace(
        make_zCDP_to_approxDP=make_zCDP_to_approxDP,
        atom_domain=atom_domain,
        map_domain=map_domain,
        vector_domain=vector_domain,
        make_gaussian=make_gaussian,
        make_gaussian_threshold=make_gaussian_threshold,
        make_noisy_max=make_noisy_max,
        zero_concentrated_divergence=zero_concentrated_divergence,
        absolute_distance=absolute_distance,
        l02inf_distance=l02inf_distance,
        l2_distance=l2_distance,
        linf_distance=linf_distance,
    )
