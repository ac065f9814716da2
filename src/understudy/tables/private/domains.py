"""What may come out of a column, found without looking at the data but through the ledger.

Public, and free: all that the schema says (kinds, formats, bounds, names, texts that mean missing). Everything else is
looked for privately:

    names that are not declared       a stability histogram: those that many rows have
    bounds that are not declared      a noisy histogram over octaves of the number line (years, for dates)
    how a quantity is spread          a noisy histogram over cells that only bounds and the first histogram decide
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

CELLS = 96  # of a quantity, about
EVEN = 0.25  # of its cells, shared out evenly among pieces of the line; the rest by their rows
WIDTHS = (1.5, 2, 3, 4, 6, 8, 12)  # of triangles, in cells, by which counts of neighbours may be averaged
UNITS = 128  # so many whole numbers are told one by one
QUANTITY = 10  # states that a quantity's share of the budget is reckoned by: neighbours tell of each other
UNDECLARED = 24  # the same of a column whose names must be found: less noise brings out rarer names
BOUNDS = 0.35  # of a quantity's share, for pieces of the line
MARKED = 2.5  # standard deviations of noise that a missing value must have to be made
SURE = 4.5  # standard deviations of noise that an octave, or a run of them, must have: of a thousand, noise lifts none
LONGEST = 8  # octaves or years that may be sure together
DATED = ("date", "datetime")
_GREATEST = 49  # octaves
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
    low, high = _stated(column)
    step = 10.0 ** -_digits(column)
    line = pieces(column, low, high)
    known = low is not None and high is not None
    looked = not known or (line[-1] - line[0]) / step > UNITS
    rough, noise, rest = np.ones(len(line) - 1), np.full(len(line) - 1, np.inf), rho
    if looked:
        x = np.clip(content.x[content.token < 0], line[0], np.nextafter(line[-1], -np.inf))
        what = f"{name}: rows of each {'year' if column.kind in DATED else 'octave'}"
        rough, sigma = ledger.counts(what, np.histogram(x, line)[0], BOUNDS * rho)
        noise, rest = np.full(len(rough), sigma), (1 - BOUNDS) * rho
        if not known:  # rows beyond the bounds count where they are clipped to
            first, last = held(rough, sigma)
            begin = np.array([0, *range(first + 1, last + 1)])
            line, noise = line[first : last + 2], sigma * np.sqrt(np.diff([*begin, len(rough)]))
            rough = np.add.reduceat(rough, begin)
    cells, home = divided(line, rough, step)
    states = NumberStates(("", *column.tokens), cells, _digits(column), float(cells.low[0]), float(cells.high[-1]))
    codes = states.encode(content)
    counts, sigma = ledger.counts(f"{name}: rows of each cell", np.bincount(codes, minlength=states.count), rest)
    marks = len(states.marks)
    own = agreed(counts[marks:], sigma, home, rough, noise)
    runs = [np.flatnonzero(home == piece) for piece in range(len(rough))] if looked else [np.arange(len(own))]
    for run in runs:
        counts[marks + run] = smoothed(own[run], sigma)
    return Found(states, codes, _cleared(counts, marks, sigma), sigma)


def agreed(counts: np.ndarray, sigma: float, home: np.ndarray, rough: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Noisy counts of cells, moved as one in each piece of the line so that their sum agrees with the count of the piece as
    far as either is sure (least squares). sigma : of each cell's count; home : (cells,) the piece of each; rough, noise :
    counts of pieces and their standard deviations, infinite where nobody looked
    """
    many = np.bincount(home, minlength=len(rough))
    off = rough - np.bincount(home, weights=counts, minlength=len(rough))
    return counts + (off * sigma**2 / (many * sigma**2 + noise**2))[home]


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


def _stated(column: Column) -> tuple[float | None, float | None]:
    """Bounds that are public: those of the schema, or of the kind."""
    known = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0), "time": (0.0, DAY_S - 1)}.get(column.kind)
    low, high = known or (None, None)
    return (column.low if column.low is not None else low), (column.high if column.high is not None else high)


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


def pieces(column: Column, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Edges of pieces of the line between public bounds, if there are any, halfway between values that can be: years of
    dates, otherwise octaves on both sides of zero, which is a piece of its own."""
    step = 10.0 ** -_digits(column)
    if column.kind in DATED:
        days = np.array([f"{year}-01-01" for year in range(*_YEARS)], "datetime64[D]").astype(float)
        edges = days * (DAY_S if column.kind == "datetime" else 1.0) - step / 2
    else:
        above = step * (2.0 ** np.arange(_GREATEST - math.floor(math.log2(step))) - 0.5)
        edges = np.concatenate([-above[::-1], above])
    least, most = (-np.inf if low is None else low - step / 2), (np.inf if high is None else high + step / 2)
    inner = edges[(edges > least) & (edges < most)]
    return np.unique([*([] if low is None else [least]), *inner, *([] if high is None else [most])])


def divided(line: np.ndarray, rough: np.ndarray, step: float) -> tuple[Cells, np.ndarray]:
    """Pieces of the line cut into cells, and (cells,) the piece of each: values one by one where there are few; otherwise
    pieces with more rows into more cells, so that no value that many rows have is lost in a wide one. rough : noisy rows of
    each piece
    """
    if (line[-1] - line[0]) / step <= UNITS:
        many = np.round(np.diff(line) / step)
    else:
        share = projected(rough, max(float(rough.sum()), 1.0))
        many = np.round(CELLS * (EVEN / len(share) + (1 - EVEN) * share / share.sum()))
    inner = [np.linspace(a, b, int(n) + 1) for a, b, n in zip(line[:-1], line[1:], np.maximum(many, 1))]
    edges = np.unique((np.round(np.concatenate(inner) / step - 0.5) + 0.5) * step)
    low, high = edges[:-1].copy(), edges[1:].copy()
    one = high - low < 1.5 * step
    low[one] = high[one] = np.round((low + high)[one] / 2 / step) * step + 0.0
    none = np.zeros(0)
    cells = Cells(np.concatenate([[-np.inf], edges[1:-1]]), low, high, none, none, none.astype(np.int64))
    return cells, np.searchsorted(line[1:-1], (edges[:-1] + edges[1:]) / 2)


def grid(low: float, high: float, column: Column) -> Cells:
    """Cells that public bounds alone decide."""
    line = pieces(column, low, high)
    return divided(line, np.ones(len(line) - 1), 10.0 ** -_digits(column))[0]


def projected(counts: np.ndarray, total: float) -> np.ndarray:
    """Noisy counts as counts of ``total`` rows: the nearest that are nowhere below zero (Duchi et al., ICML 2008)."""
    ranked = np.sort(counts)[::-1]
    over = (np.cumsum(ranked) - total) / np.arange(1, len(counts) + 1)
    shift = over[np.flatnonzero(ranked > over)[-1]]
    return np.maximum(counts - shift, 0.0)
