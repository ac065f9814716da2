"""Which columns know of each other: mutual information, the order of a sequence, exact dependencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from understudy.tables.trees import groups

_GROUPS = 12
_ROWS = 20_000
_LOOK = 2_000


def mutual_information(
    states: Mapping[str, np.ndarray], counts: Mapping[str, int], ordered: Mapping[str, bool]
) -> np.ndarray:
    """(d, d) nats between columns, less what chance alone would give ((a - 1)(b - 1) / 2n); 0 on the diagonal."""
    names = list(states)
    coarse, widths = [], []
    for name in names:
        own = states[name][:_ROWS]
        table = groups(np.bincount(own, minlength=counts[name]), _GROUPS) if ordered[name] else np.arange(counts[name])
        coarse.append(table[own])
        widths.append(int(table.max()) + 1)
    found = np.zeros((len(names), len(names)))
    for i in range(len(names)):
        for j in range(i):
            a, b, n = widths[i], widths[j], len(coarse[i])
            joint = np.bincount(coarse[i] * b + coarse[j], minlength=a * b).reshape(a, b) / n
            apart = joint.sum(1)[:, None] * joint.sum(0)
            own = joint > 0
            nats = float((joint[own] * np.log(joint[own] / apart[own])).sum()) - (a - 1) * (b - 1) / 2 / n
            found[i, j] = found[j, i] = max(nats, 0.0)
    return found


def sequence(names: Sequence[str], information: np.ndarray, first: Sequence[str] = ()) -> list[str]:
    """Columns in the order in which they are made: what knows most of the others goes first (after ``first``)."""
    total = information.sum(1)
    return [*first, *sorted((n for n in names if n not in first), key=lambda n: (-total[names.index(n)], names.index(n)))]


def determined(
    states: Mapping[str, np.ndarray],
    counts: Mapping[str, int],
    order: Sequence[str],
    free: Sequence[str] = (),
    strays: np.ndarray | None = None,
) -> tuple[list[str], dict[str, tuple[str, np.ndarray]]]:
    """Columns whose state follows exactly from another's: the order with each right after what it follows from, and
    name -> (that column, (its states,) the state).

    ``free`` columns are given from outside and are never determined; strays : (n,) bool, rows that stand in a state which
    is not theirs, and so break no law
    """
    proper = np.ones(len(states[order[0]]), bool) if strays is None else ~strays
    found: dict[str, tuple[str, np.ndarray]] = {}
    for place, name in enumerate(order):
        if name in free or counts[name] < 2:
            continue
        for other, source in enumerate(order):
            wider = counts[source] > counts[name] or (counts[source] == counts[name] and other < place)
            chance = counts[name] == 2 and counts[source] > 40  # two states against many: more likely chance than law
            if (
                wider
                and not chance
                and 2 < counts[source] <= 512
                and (table := _law(states, counts, source, name, proper)) is not None
            ):
                found[name] = (source, table)
                break
    return _after(order, {name: source for name, (source, _) in found.items()}), found


def _law(
    states: Mapping[str, np.ndarray], counts: Mapping[str, int], source: str, name: str, proper: np.ndarray
) -> np.ndarray | None:
    """(states of source,) the one state of ``name`` that goes with each, if there is but one in ``proper`` rows."""
    a, b = counts[source], counts[name]
    for rows in (slice(0, _LOOK), slice(None)):  # most pairs fail on the first rows
        pairs = states[source][rows] * b + states[name][rows]
        table = np.bincount(pairs[proper[rows]], minlength=a * b).reshape(a, b)
        if ((table > 0).sum(1) > 1).any():
            return None
    return np.bincount(pairs, minlength=a * b).reshape(a, b).argmax(1).astype(np.int32)


def _after(order: Sequence[str], sources: Mapping[str, str]) -> list[str]:
    done: list[str] = []

    def place(name: str) -> None:
        done.append(name)
        for other in order:
            if sources.get(other) == name:
                place(other)

    for name in order:
        if name not in sources:
            place(name)
    return done
