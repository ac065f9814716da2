"""``unique(...)``: no two rows of a table are the same in the named columns, links of linked tables included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError, Unsatisfiable
from understudy.tables.expressions import Unique

if TYPE_CHECKING:
    import pyarrow as pa

_ATTEMPTS = 200
Rows = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]  # values, states


def first(
    unique: Iterable[Unique],
    columns: Mapping[str, np.ndarray],
    n: int,
    seen: Mapping[Unique, set] | None = None,
    most: int | None = None,
) -> np.ndarray:
    """(n,) bool: rows that repeat no row kept before them. What is missing repeats nothing (as in SQL).

    seen : rows kept by earlier calls, to which these are added; most : keep no more than so many
    """
    keep = np.zeros(n, bool)
    own = [(u, set() if seen is None else seen[u]) for u in unique]
    lists = {c: columns[c].tolist() for u, _ in own for c in u.columns if c in columns}
    left = n if most is None else most
    for i in range(n):
        if not left:
            break
        rows = [tuple(lists[c][i] for c in u.columns if c in lists) for u, _ in own]
        missing = [any(v is None or v != v for v in row) for row in rows]
        keep[i] = all(gone or row not in known for row, gone, (_, known) in zip(rows, missing, own))
        if keep[i]:
            left -= 1
            for row, (_, known) in zip(rows, own):
                known.add(row)
    return keep


def columns_of(unique: Iterable[Unique], table: pa.Table) -> dict[str, np.ndarray]:
    """The columns that ``unique`` names, as (n,) objects."""
    return {c: np.array(table[c].to_pylist(), object) for u in unique for c in u.columns}


def hold_in(unique: Iterable[Unique], table: pa.Table, where: str) -> None:
    """TableError: a statement that the data's own rows break; the message names a row, never a value."""
    columns = columns_of(unique, table)
    for one in unique:
        keep = first([one], columns, table.num_rows)
        if not keep.all():
            raise TableError(
                f"the schema contradicts the data: {one.text}",
                where=f"{where}, row {int(np.argmin(keep)) + 1}",
                wanted="every row to hold it",
                got=f"{int((~keep).sum())} of {table.num_rows} rows that do not",
                remedy="Mend the data, or take the constraint away",
            )


def filled(unique: tuple[Unique, ...], n: int, draw: Callable[[int], Rows], where: str) -> Rows:
    """``n`` different rows. draw : attempt -> rows (values and states); Unsatisfiable: there are not so many."""
    values, states = draw(0)
    for attempt in range(1, _ATTEMPTS):
        keep = np.flatnonzero(first(unique, values, len(next(iter(values.values())))))[:n]
        values, states = ({c: v[keep] for c, v in part.items()} for part in (values, states))
        if len(keep) == n:
            return values, states
        more = draw(attempt)
        values, states = (
            {c: np.concatenate([v, new[c]]) for c, v in old.items()} for old, new in zip((values, states), more)
        )
    raise Unsatisfiable(
        "not enough different rows exist", where=where, got=f"{len(keep)} of {n}", wanted=", ".join(u.text for u in unique)
    )
