"""A game against differential privacy: was the one row there or not?

The worst case is staged: a table in which every look at the data counts the one row alone, and an attacker who knows
everything but whether it is there, the mechanism and all of its noisy answers included (more than a model holds). What the
attacker reaches bounds epsilon from below; a bound above the claim would disprove it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from understudy.tables.private.accounting import epsilon_of
from understudy.tables.private.ledger import Budget, Ledger
from understudy.tables.tilt import Scores


@dataclass(frozen=True)
class Game:
    """claimed : epsilon; plain : lower bound from hits and false alarms alone; gaussian : the same given that the answers'
    noise is Gaussian, as it is built; possible : what the best attacker could show with runs without end; runs : of all
    """

    claimed: float
    delta: float
    plain: float
    gaussian: float
    possible: float
    hits: int
    alarms: int
    runs: int


class Overheard(Ledger):
    """A ledger whose noisy answers an attacker reads."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.heard: list[tuple[np.ndarray, float, np.ndarray]] = []

    def counts(self, what: str, counts: np.ndarray, rho: float, rows: int = 1) -> tuple[np.ndarray, float]:
        answer, sigma = super().counts(what, counts, rho, rows)
        self.heard.append((answer, sigma, moved(what, counts.shape, rows)))
        return answer, sigma

    def products(self, what: str, scores: Scores, states: Mapping[str, np.ndarray], rho: float) -> tuple[np.ndarray, float]:
        answer, sigma = super().products(what, scores, states, rho)
        self.heard.append((answer, sigma, moved_products(scores)))
        return answer, sigma


def moved(what: str, shape: tuple[int, ...], rows: int) -> np.ndarray:
    """What the one who is or is not there adds to a staged table's counts: all to the last cell; by position: one each."""
    own = np.zeros(shape)
    if what.startswith("position x "):
        own[:, -1] = 1
    else:
        own.ravel()[-1] = rows
    return own


def moved_products(scores: Scores) -> np.ndarray:
    """The same of sums of products: the one is in the last state of every column."""
    own = scores.rows({c: np.array([len(t) - 1]) for c, t in zip(scores.columns, scores.tables)})
    return (own.T @ own)[scores.pairs()]


def staged(columns: int = 3, rows: int = 400):
    """(table without the row, table with it, schema): in every column all rows say "a", and the one row says "b"."""
    import pyarrow as pa

    from understudy.tables.schema import Column, Schema

    names = [f"c{i}" for i in range(columns)]
    without = pa.table({c: ["a"] * rows for c in names})
    one = pa.concat_tables([without, pa.table({c: ["b"] for c in names})])
    return without, one, Schema({c: Column("category", names=("a", "b")) for c in names}, rows=rows)


def staged_linked(most: int = 3, rows: int = 400):
    """(tables without the person, tables with, schemas): all say "a" and have one child that says "a"; the one person says
    "b" and has ``most`` children that say "b"."""
    import pyarrow as pa

    from understudy.tables.schema import Column, Schema
    from understudy.tables.source import Tables

    who = list(range(rows))
    owners = pa.table({"id": who, "c": ["a"] * rows})
    loans = pa.table({"owner": who, "d": ["a"] * rows})
    more = pa.table({"id": [rows], "c": ["b"]}), pa.table({"owner": [rows] * most, "d": ["b"] * most})
    name = Column("category", names=("a", "b"))
    schemas = {
        "owners": Schema({"id": Column("key"), "c": name}, rows=rows),
        "loans": Schema({"owner": Column("link", parent="owners.id", most=most), "d": name}),
    }
    without = Tables({"owners": owners, "loans": loans})
    return without, Tables({t: pa.concat_tables([without.tables[t], m]) for t, m in zip(schemas, more)}), schemas


def game(
    budget: Budget,
    runs: int = 1000,
    ledger: Callable[[Budget], Overheard] = Overheard,
    confidence: float = 0.95,
    linked: bool = False,
) -> Game:
    """Play ``runs`` times, with the row in half of them. ledger : whose noise is tried (another one, to test the game)
    linked : with a person and what hangs on them instead of a row."""
    from understudy.tables.private.fit import fit
    from understudy.tables.private.linked import fit as fit_linked

    without, one, schema = staged_linked() if linked else staged()
    half = runs // 2
    scores = np.zeros((2, half))
    reach = np.zeros((2, half))
    for present, table in enumerate((without, one)):
        for i in range(half):
            book = ledger(budget)
            fit_linked(table, schema, budget, book) if linked else fit(table, schema, "staged", budget, book)
            scores[present, i], reach[present, i] = _evidence(book.heard)
    # the threshold is fixed before a run is looked at: where hits and false alarms err alike
    hits, alarms = int((scores[1] > 0).sum()), int((scores[0] > 0).sum())
    plain, gaussian = bounds(hits, alarms, half, budget.delta, confidence)
    possible = epsilon_of(float(reach.mean()) ** 2 / 2, budget.delta)
    return Game(budget.epsilon, budget.delta, plain, gaussian, possible, hits, alarms, 2 * half)


def _evidence(heard: list[tuple[np.ndarray, float, np.ndarray]]) -> tuple[float, float]:
    """Log likelihood ratio of the one being there, who alone fills the cells that they move; and the distance between
    both cases in standard deviations of all answers together."""
    ratio = sum(float((2 * answer * own - own**2).sum()) / (2 * sigma**2) for answer, sigma, own in heard)
    return ratio, math.sqrt(sum(float((own**2).sum()) / sigma**2 for _, sigma, own in heard))


def bounds(hits: int, alarms: int, n: int, delta: float, confidence: float = 0.95) -> tuple[float, float]:
    """Lower bounds on epsilon from ``hits`` of n tables with the row and ``alarms`` of n without it, by Clopper-Pearson:
    (of any mechanism, of one whose trade-off is a Gaussian's: Nasr et al., USENIX Security 2023)."""
    from scipy.stats import beta, norm

    tail = (1 - confidence) / 2  # each of the two rates errs on its own
    hit = float(beta.ppf(tail, hits, n - hits + 1)) if hits else 0.0
    alarm = float(beta.ppf(1 - tail, alarms + 1, n - alarms)) if alarms < n else 1.0
    found = [0.0]
    for more, less in ((hit, alarm), (1 - alarm, 1 - hit)):
        if more > delta and less > 0:
            found.append(math.log((more - delta) / less))
    apart = max(float(norm.ppf(hit) - norm.ppf(alarm)), 0.0)
    return max(found), epsilon_of(apart**2 / 2, delta)
