"""One way to look at tables of the same columns: as bins, as features for learners, as points for distances."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError
from understudy.tables.content import Names, Numbers, content
from understudy.tables.schema import NAMED, NUMERIC, Schema

if TYPE_CHECKING:
    import pyarrow as pa

_BINS = 10
_NAMES = 10


@dataclass(frozen=True)
class Lens:
    """columns : those that are looked at (quantities, dates, names); edges : of quantities, nine inner quantiles
    names : of named columns, commonest first; ranked : of quantities, the sorted values of the reference
    """

    schema: Schema
    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    edges: tuple[np.ndarray, ...]
    names: tuple[tuple[str, ...], ...]
    ranked: tuple[np.ndarray, ...]

    @classmethod
    def on(cls, reference: pa.Table, schema: Schema) -> Lens:
        """A lens ground on the reference table (the real rows)."""
        columns = tuple(c for c, spec in schema.columns.items() if spec.kind in (*NUMERIC, *NAMED))
        if not columns:
            raise TableError("no column can be compared", wanted="quantities, dates or names", where="report")
        numeric, edges, names, ranked = [], [], [], []
        for c in columns:
            own = _content(reference, c, schema)
            if isinstance(own, Numbers):
                x = np.sort(own.x[~np.isnan(own.x)])
                edges.append(_edges(x) if len(x) else np.zeros(0))
                names.append(())
                ranked.append(x)
            else:
                owners = np.bincount(own.codes[own.codes >= 0], minlength=len(own.labels))
                edges.append(np.zeros(0))
                names.append(tuple(own.labels[i] for i in np.argsort(-owners, kind="stable")))
                ranked.append(np.zeros(0))
            numeric.append(isinstance(own, Numbers))
        return cls(schema, columns, tuple(numeric), tuple(edges), tuple(names), tuple(ranked))

    def bins(self, table: pa.Table) -> tuple[np.ndarray, list[int]]:
        """(d, n) bins (ten quantiles, or the ten commonest names, another name, missing), and their number a column."""
        out, sizes = [], []
        for c, numeric, edges, names in zip(self.columns, self.numeric, self.edges, self.names):
            own = _content(table, c, self.schema)
            if numeric:
                x = own.x
                out.append(np.where(np.isnan(x), len(edges) + 1, np.searchsorted(edges, x, side="right")))
                sizes.append(len(edges) + 2)
            else:
                place = {name: n for n, name in enumerate(names[:_NAMES])}
                coded = np.array([*(place.get(label, _NAMES) for label in own.labels), _NAMES + 1], np.int64)
                out.append(coded[own.codes])
                sizes.append(_NAMES + 2)
        return np.array(out), sizes

    def features(self, table: pa.Table, leave: Sequence[str] = ()) -> tuple[np.ndarray, np.ndarray]:
        """(n, d) float64 for learners (missing: nan; names by their rank), and (d,) bool which are names."""
        out, named = [], []
        for c, numeric, names in zip(self.columns, self.numeric, self.names):
            if c in leave:
                continue
            own = _content(table, c, self.schema)
            if numeric:
                out.append(own.x)
            else:
                place = {name: float(n) for n, name in enumerate(names)}
                coded = np.array([*(place.get(label, float(len(names))) for label in own.labels), np.nan])
                out.append(coded[own.codes])
            named.append(not numeric)
        return np.array(out).T, np.array(named, bool)

    def points(self, table: pa.Table, columns: Sequence[str] | None = None) -> np.ndarray:
        """(n, p) float32: quantities by their rank in [0, 1], names as corners; a difference in one name is 1, as far as a
        quantity's two ends."""
        out = []
        for c, numeric, names, ranked in zip(self.columns, self.numeric, self.names, self.ranked):
            if columns is not None and c not in columns:
                continue
            own = _content(table, c, self.schema)
            if numeric:
                middle = (
                    (np.searchsorted(ranked, own.x) + np.searchsorted(ranked, own.x, side="right")) / 2 / max(len(ranked), 1)
                )
                absent = np.isnan(own.x)
                out.append(np.where(absent, 0.5, middle)[:, None])
                out.append(absent[:, None] * 0.5)
            else:
                labels = np.array(
                    [*(list(names).index(x) if x in names else len(names) for x in own.labels), len(names) + 1]
                )
                corners = np.eye(len(names) + 2) * np.sqrt(0.5)
                out.append(corners[labels[own.codes]])
        return np.hstack(out).astype(np.float32)


def _edges(x: np.ndarray) -> np.ndarray:
    """Inner edges of tenths of sorted values; a value that fills a tenth and more, such as nought, is a bin of its own."""
    tenths, times = np.unique(np.quantile(x, np.linspace(0, 1, _BINS + 1)[1:-1]), return_counts=True)
    return np.unique(np.concatenate([tenths, np.nextafter(tenths[times > 1], np.inf)]))


def _content(table: pa.Table, column: str, schema: Schema) -> Numbers | Names:
    """A column read leniently: made tables may hold names that the real one has not, or texts among numbers."""
    spec = schema.columns[column]
    if column not in table.column_names:
        raise TableError("a table lacks a column", where="report", wanted=column, got=", ".join(table.column_names[:12]))
    lenient = dataclasses.replace(spec, stray=True) if spec.kind in NUMERIC else dataclasses.replace(spec, kind="category")
    own = content(table[column], lenient, column)
    assert isinstance(own, Numbers | Names)
    return own
