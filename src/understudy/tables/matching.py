"""Matching: a made parent for each row that has one beside its main parent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from understudy.tables.schema import NUMERIC
from understudy.tables.states.blanks import Fresh

if TYPE_CHECKING:
    from understudy.key import Key
    from understudy.tables.references import Link
    from understudy.tables.single import TableModel

POSITIONS = 8  # the first seven of a parent's rows are told apart, the others taken together
_ROOMY = 5  # rows a parent, on average, from which what a row wants counts for more than how many its parent may have


def matched(
    name: str,
    link: Link,
    model: TableModel,
    own: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    codes: Mapping[str, np.ndarray],
    n: int,
    key: Key,
) -> np.ndarray:
    """(n,) a made parent for each row: rows and the parents' free places are both sorted by what is wanted and given, and
    paired in that order; a parent has as many places as its own made count says, stretched to the number of rows."""
    counts = np.maximum(np.nan_to_num(values[link.count(name)]), 0).astype(int)
    counts = counts if counts.sum() else np.ones(len(counts), int)
    places = np.repeat(np.arange(len(counts)), counts)
    slot = np.minimum(np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts), POSITIONS - 1)
    prefix = f"{link.column}>"
    by = [c for c in model.chain.order if c.startswith(prefix) and not c.endswith(">slot") and c[len(prefix) :] in codes]
    wants = own[f"{prefix}slot"]
    codec = model.codecs[f"{prefix}slot"]
    absent = (wants < len(codec.marks)) if codec.marks and codec.marks[0] == "" else np.zeros(n, bool)
    rows = np.flatnonzero(~absent)
    if not len(rows):
        return np.full(n, -1)
    wants = {c: _as_parent(model, c, own[c][rows]) for c in by}
    gives = {c: codes[c[len(prefix) :]][places] for c in by}
    at = np.full(n, -1)
    if counts.mean() >= _ROOMY:
        at[rows] = places[_roomy(list(wants.values()), list(gives.values()), key)]
        return at
    wanted_slot = np.nan_to_num(codec.decode(own[f"{prefix}slot"], key, 0))[rows]
    row_order = np.lexsort((key.child("rows").words(len(rows)), *(wants[c] for c in reversed(by)), wanted_slot))
    few = len(places) < len(rows)
    stretched = (
        np.arange(len(rows)) * len(places) // len(rows)
        if few
        else np.sort(key.child("places").permutation(len(places))[: len(rows)])
    )
    tie = key.child("tie").words(len(stretched))
    place_order = np.lexsort((tie, *(gives[c][stretched] for c in reversed(by)), slot[stretched]))
    at[rows[row_order]] = places[stretched][place_order]
    return at


def _roomy(wants: list[np.ndarray], gives: list[np.ndarray], key: Key) -> np.ndarray:
    """(rows,) a place for each row where parents have room for many: one that gives all that is wanted, else all but the
    last wish, and so on; rows of one wish are spread evenly over its places."""
    n, m = len(wants[0]) if wants else 0, len(gives[0]) if gives else 0
    found = np.full(n, -1)
    for depth in range(len(wants), -1, -1):
        left = np.flatnonzero(found < 0)
        if not len(left):
            break
        both = np.stack(
            [np.concatenate([w[left], g]) for w, g in zip(wants[:depth], gives[:depth])] or [np.zeros(len(left) + m)]
        )
        group = np.unique(both, axis=1, return_inverse=True)[1].ravel()
        asked, given = group[: len(left)], group[len(left) :]
        order_ = np.lexsort((key.child("places", depth).words(m), given))
        begin, end = (np.searchsorted(given[order_], asked, side=side) for side in ("left", "right"))
        room = end - begin
        turn = np.zeros(len(left), np.int64)
        by = np.argsort(asked, kind="stable")
        ranked = asked[by]
        fresh = np.concatenate([[True], ranked[1:] != ranked[:-1]])
        turn[by] = np.arange(len(by)) - np.maximum.accumulate(np.where(fresh, np.arange(len(by)), 0))
        total = np.bincount(asked)[asked]
        some = room > 0
        found[left[some]] = order_[begin[some] + turn[some] * room[some] // total[some]]
    return found


def _as_parent(model: TableModel, column: str, own: np.ndarray) -> np.ndarray:
    """The parent's own states that a wanted column's states stand for."""
    names = [-1 if name is None or not str(name).isdigit() else int(name) for name in model.codecs[column].names]
    return np.array(names)[own]


def slots(at: np.ndarray) -> np.ndarray:
    """(n,) how many rows before refer to the same parent."""
    by = np.argsort(at, kind="stable")
    ranked = at[by]
    first = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    place = np.arange(len(at)) - np.maximum.accumulate(np.where(first, np.arange(len(at)), 0))
    out = np.zeros(len(at), np.int64)
    out[by] = place
    return out


def brought(
    model: TableModel,
    prefix: str,
    values: Mapping[str, np.ndarray],
    codes: Mapping[str, np.ndarray],
    n: int,
    key: Key,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """(values, states) of the rows that ``n`` made rows bring: theirs under ``prefix``, and what is made afresh."""
    own = {c: c[len(prefix) :] for c in values if c.startswith(prefix)}
    made = {short: values[c].copy() for c, short in own.items()}
    states_ = {short: codes[c].copy() for c, short in own.items()}
    for name, column in model.schema.columns.items():
        codec = model.codecs.get(name)
        if isinstance(codec, Fresh):
            stream = key / "person" if codec.entity else key.child(name, "value")
            states_[name] = np.zeros(n, np.int32)
            made[name] = codec.decode(states_[name], stream, 0)
        elif name not in made:
            made[name] = np.full(n, np.nan) if column.kind in NUMERIC else np.full(n, None, dtype=object)
    return made, states_
