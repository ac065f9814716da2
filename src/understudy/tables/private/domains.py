"""What may come out of a column, found without looking at the data but through the ledger.

Public, and free: all that the schema says (kinds, formats, bounds, names, texts that mean missing). Everything else is
looked for privately:

    names that are not declared       a stability histogram: those that many rows have
    bounds that are not declared      a noisy histogram over octaves of the number line (years, for dates)
    how a quantity is spread          a noisy histogram over a grid that only those bounds decide
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from understudy.tables.content import DAY_S, Content, Names, Numbers
from understudy.tables.private.ledger import Ledger, Part
from understudy.tables.schema import NAMED, NUMERIC, Column
from understudy.tables.states import States
from understudy.tables.states.cells import Cells
from understudy.tables.states.names import RARE, NameStates
from understudy.tables.states.numbers import NumberStates

CELLS = 96  # of the grid of a quantity
WIDTHS = (1.5, 2, 3, 4, 6, 8, 12)  # of triangles, in cells, by which counts of neighbours may be averaged
UNITS = 128  # so many whole numbers are told one by one
QUANTITY = 10  # states that a quantity's share of the budget is reckoned by: neighbours tell of each other
UNDECLARED = 24  # the same of a column whose names must be found: less noise brings out rarer names
BOUNDS = 0.2  # of a quantity's share, for bounds that are not declared
MARKED = 2.5  # standard deviations of noise that a missing value must have to be made
SURE = 4.5  # standard deviations of noise that an octave, or a run of them, must have: of a thousand, noise lifts none
LONGEST = 8  # octaves or years that may be sure together
_OCTAVES = (-20, 50)
_YEARS = (1900, 2101)


def weight(column: Column) -> float:
    """What share of the budget for columns alone one gets: its error adds up over its states, and is least in sum over all
    columns where shares go by the number of states to the power of two thirds (Lagrange)."""
    if column.kind in NUMERIC:
        return QUANTITY ** (2 / 3)
    return (UNDECLARED if open_names(column) else len(_declared(column)) + 1) ** (2 / 3)


def open_names(column: Column) -> bool:
    """Whether its names have to be found in the data, which takes a part of delta."""
    return column.kind in NAMED and not _declared(column)


def _declared(column: Column) -> tuple[str, ...]:
    return ("false", "true") if column.stored == "bool" else column.order or column.names


@dataclass(frozen=True)
class Found:
    """codes : (n,) the state of each row, still secret; counts : (states,) noisy rows of each state, sigma their standard
    deviation; open : the last count is what the others leave of all rows
    """

    states: States
    codes: np.ndarray
    counts: np.ndarray
    sigma: float
    open: bool = False


def found(
    name: str, content: Content, column: Column, ledger: Ledger | Part, rho: float, delta: float, total: float
) -> Found:
    """States of a column for ``rho``; ``delta`` is for undeclared names; total : noisy rows in all."""
    if isinstance(content, Numbers):
        return _quantity(name, content, column, ledger, rho)
    assert isinstance(content, Names)
    declared = _declared(column)
    if declared:
        place = {label: n for n, label in enumerate(declared, 1)}  # a name that is not declared is missing
        codes = np.array([*(place.get(label, 0) for label in content.labels), 0])[content.codes]
        what, seen = f"{name}: rows of each name", np.bincount(codes, minlength=len(declared) + 1)
        counts, sigma = ledger.counts(what, seen, rho)
        states = NameStates((None, *declared), column.kind == "ordered")
        return Found(states, codes, _cleared(counts, 1, sigma), sigma)
    owners = np.bincount(content.codes + 1, minlength=len(content.labels) + 1)
    marked = {"": int(owners[0])} | {"=" + label: int(n) for label, n in zip(content.labels, owners[1:])}
    noisy, sigma = ledger.names(f"{name}: names, and rows of each", marked, rho, delta)
    states = NameStates((*(text[1:] if text else None for text in noisy), RARE), False)
    counts = np.array([*noisy.values(), max(total - sum(noisy.values()), 0.0)])
    return Found(states, states.encode(content), counts, sigma, open=True)


def _quantity(name: str, content: Numbers, column: Column, ledger: Ledger | Part, rho: float) -> Found:
    low, high, looked = _bounds(name, content.x[content.token < 0], column, ledger, BOUNDS * rho)
    states = NumberStates(("", *column.tokens), grid(low, high, column), _digits(column), low, high)
    codes = states.encode(content)
    counts, sigma = ledger.counts(
        f"{name}: rows of each cell", np.bincount(codes, minlength=states.count), (1 - BOUNDS * looked) * rho
    )
    marks = len(states.marks)
    counts[marks:] = smoothed(counts[marks:], sigma)
    return Found(states, codes, _cleared(counts, marks, sigma), sigma)


def smoothed(counts: np.ndarray, sigma: float) -> np.ndarray:
    """Noisy counts of neighbouring cells, averaged with their neighbours as widely as Stein's unbiased estimate of the
    squared error (Annals of Statistics 1981), which the noise's known size gives without the truth, says is best."""
    at = np.arange(len(counts))
    best, least = counts, len(counts) * sigma**2
    for width in WIDTHS:
        kernel = np.maximum(1 - np.abs(at[:, None] - at) / width, 0)
        kernel /= kernel.sum(1, keepdims=True)
        own = kernel @ counts
        error = ((counts - own) ** 2).sum() + sigma**2 * (2 * np.trace(kernel) - len(counts))
        if error < least:
            best, least = own, error
    return best


def _cleared(counts: np.ndarray, marks: int, sigma: float) -> np.ndarray:
    """Counts without marks (what is missing, texts among numbers) that noise alone may have brought about."""
    own = counts.copy()
    own[:marks][own[:marks] < MARKED * sigma] = 0
    return own


def _digits(column: Column) -> int:
    return column.decimals if column.kind in ("number", "latitude", "longitude") else 0


def _bounds(name: str, x: np.ndarray, column: Column, ledger: Ledger | Part, rho: float) -> tuple[float, float, bool]:
    """Least and greatest value that is made, and whether it took a look at the data."""
    known = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0), "time": (0.0, DAY_S - 1)}.get(column.kind)
    low, high = known or (None, None)
    low, high = (column.low if column.low is not None else low), (column.high if column.high is not None else high)
    if low is not None and high is not None:
        return low, high, False
    dated = column.kind in ("date", "datetime")
    edges = _years(column) if dated else _octaves()
    edges = np.unique(np.clip(edges, -np.inf if low is None else low, np.inf if high is None else high))
    counts, sigma = ledger.counts(
        f"{name}: rows of each {'year' if dated else 'octave'}",
        np.histogram(np.clip(x, edges[0], np.nextafter(edges[-1], edges[0])), edges)[0],
        rho,
    )
    first, last = held(counts, sigma)
    step = 10.0 ** -_digits(column)
    least, most = math.ceil(edges[first] / step) * step, math.ceil(edges[last + 1] / step) * step
    return least + 0.0, max(most - step * (high is None), least), True


def held(counts: np.ndarray, sigma: float) -> tuple[int, int]:
    """The first and the last piece that hold rows beyond noise, by themselves or with their neighbours: a tail spread over
    many octaves is sure although none of them is. Of runs of pieces that are, the shortest count."""
    total = np.concatenate([[0.0], np.cumsum(counts)])
    found: list[tuple[int, int]] = []
    for length in range(1, min(LONGEST, len(counts)) + 1):
        for start in np.flatnonzero(total[length:] - total[:-length] > SURE * sigma * math.sqrt(length)).tolist():
            if not any(start <= a and b <= start + length - 1 for a, b in found):
                found.append((start, start + length - 1))
    if not found:
        return (int(np.argmax(counts)),) * 2
    return min(a for a, _ in found), max(b for _, b in found)


def _octaves() -> np.ndarray:
    """Powers of two on both sides of zero, and a narrow piece for zero itself."""
    powers = 2.0 ** np.arange(*_OCTAVES)
    return np.concatenate([-powers[::-1], powers])


def _years(column: Column) -> np.ndarray:
    days = np.array([f"{year}-01-01" for year in range(*_YEARS)], "datetime64[D]").astype(float)
    return days * (DAY_S if column.kind == "datetime" else 1.0)


def grid(low: float, high: float, column: Column) -> Cells:
    """Cells from ``low`` to ``high``: whole numbers one by one where there are few, else even pieces; where the range has
    zero in it, or more than three octaves, half of the pieces follow the octaves, and zero stands alone."""
    step = 10.0 ** -_digits(column)
    many = (high - low) / step + 1
    if many <= UNITS:
        values = np.round(low + step * np.arange(math.floor(many + 1e-9)), 12)
        return _cells(values - step / 2, values, values)
    plain = column.kind not in ("number", "integer") or (low * high > 0 and abs(math.log2(high / low)) <= 3)
    if plain:
        edges = np.unique(np.round(np.linspace(low, high, CELLS + 1) / step) * step)
        return _cells(edges[:-1], edges[:-1], edges[1:])
    even = np.linspace(low, high, CELLS // 2 + 1)
    sides = [even[(even >= step) | (even <= -step)], [low, high]]
    if high > 0:
        sides.append(_pieces(max(low, step), high))
    if low < 0:
        sides.append(-_pieces(max(-high, step), -low))
    edges = np.unique(np.round(np.concatenate(sides) / step) * step)
    if not low <= 0 <= high:
        return _cells(edges[:-1], edges[:-1], edges[1:])
    below, above = edges[edges < 0], edges[edges > 0]
    lows = np.concatenate([below, [0.0], above[:-1]])
    highs = np.concatenate([below[1:], [-step] * bool(len(below)), [0.0], above[1:]])
    return _cells(np.where(lows == 0, -step / 2, lows), lows, highs)


def _pieces(low: float, high: float) -> np.ndarray:
    """Edges at equal ratios, over at most 24 octaves."""
    return 2.0 ** np.linspace(math.log2(max(low, high * 2.0**-24)), math.log2(high), CELLS // 2 + 1)


def _cells(first: np.ndarray, lows: np.ndarray, highs: np.ndarray) -> Cells:
    """Cells that begin at ``first`` and whose values are made from ``lows`` to ``highs``."""
    none = np.zeros(0)
    return Cells(np.concatenate([[-np.inf], first[1:]]), lows, highs, none, none, none.astype(np.int64))


def projected(counts: np.ndarray, total: float) -> np.ndarray:
    """Noisy counts as counts of ``total`` rows: the nearest that are nowhere below zero (Duchi et al., ICML 2008)."""
    ranked = np.sort(counts)[::-1]
    over = (np.cumsum(ranked) - total) / np.arange(1, len(counts) + 1)
    shift = over[np.flatnonzero(ranked > over)[-1]]
    return np.maximum(counts - shift, 0.0)
