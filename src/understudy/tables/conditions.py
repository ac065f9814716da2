"""What a user asks of the rows: columns given, wanted shares, conditions.

::

    --given income=>50K          every row has it; the other columns follow it as they do in the data
    --given-file seeds.csv       one made row for each row of the file; empty fields are filled in
    --shares sex=Male:1,Female:1      other shares of a column, the rest as it depends on it ("age=..30:1,30..60:2,60..:1")
    --where "age > 60"           rows that hold it
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from understudy.errors import TableError, UsageError
from understudy.key import Key
from understudy.tables.chain import CHUNK
from understudy.tables.content import Numbers, content
from understudy.tables.expressions import Statement, _constant, parse
from understudy.tables.schema import NUMERIC
from understudy.tables.states.names import NameStates
from understudy.tables.states.numbers import NumberStates

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.single import TableModel

_PILOT = 4  # chunks that say what shares the model has on its own
_LEAST_KEPT = 1e-3


@dataclass(frozen=True)
class Wish:
    """fixed : column -> (states, values) for all rows (length 1) or row by row (nan and None: not given)
    conditions : statements that rows must hold; odds : column -> (states,) how much oftener a state is wanted, at most 1
    """

    fixed: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    conditions: tuple[Statement, ...] = ()
    odds: Mapping[str, np.ndarray] = field(default_factory=dict)

    def states(self, model: TableModel, number: int, n: int) -> dict[str, np.ndarray]:
        """(n,) states of given columns in a chunk, -1 where open."""
        return {
            c: np.full(n, own[0]) if len(own) == 1 else own[number * CHUNK : number * CHUNK + n]
            for c, (own, _) in self.fixed.items()
        }

    def exact(self, values: dict[str, np.ndarray], number: int, which: np.ndarray | None) -> None:
        """Put the given values themselves where only their state was used."""
        for c, (own, exact) in self.fixed.items():
            n = len(values[c])
            rows = np.arange(n) if which is None else which
            at = np.zeros(n, int) if len(own) == 1 else number * CHUNK + rows
            values[c] = np.where(own[at] >= 0, exact[at], values[c])

    def refuses(
        self, values: Mapping[str, np.ndarray], states: Mapping[str, np.ndarray], key: Key
    ) -> tuple[np.ndarray, str]:
        """(n,) bool rows to draw again, and why."""
        n = len(next(iter(states.values())))
        bad, why = np.zeros(n, bool), ""
        for statement in self.conditions:
            held = statement.holds(values, missing=False)
            bad |= ~held
            why = why if held.all() else statement.text
        if self.odds:
            chance = np.ones(n)
            for c, odds in self.odds.items():
                chance *= odds[states[c]]
            bad |= key.uniforms(n) >= chance
            why = why or f"other shares of {', '.join(self.odds)}"
        return bad, why


def wish(
    model: TableModel,
    *,
    given: Mapping[str, object] | None = None,
    rows: pa.Table | None = None,
    where: Sequence[str] = (),
    shares: Mapping[str, Mapping[str, float]] | None = None,
    key: Key | None = None,
) -> Wish | None:
    """What to ask of ``model``; UsageError or TableError where it cannot be asked."""
    fixed: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, value in (given or {}).items():
        fixed[name] = _fixed(model, name, _one(value))
        _inside(model, name, fixed[name][1][0])
    if rows is not None:
        for name in rows.column_names:
            fixed[name] = _fixed(model, name, rows[name])
    conditions = tuple(parse(text, model.schema) for text in where)
    done = Wish(fixed, conditions)
    if shares:
        done = Wish(fixed, conditions, _odds(model, shares, done, key or Key(0)))
    return done if fixed or conditions or shares else None


def _one(value: object) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array([pa.array([str(value)])])


def _inside(model: TableModel, name: str, value: object) -> None:
    """UsageError: every row is to have a quantity that the data never comes near."""
    codec, plain = model.codecs[name], model.schema.columns[name].kind in ("number", "integer", "latitude", "longitude")
    if not isinstance(codec, NumberStates) or codec.cells is None or not isinstance(value, float) or value != value:
        return
    low, high = float(codec.cells.low.min()), float(codec.cells.high.max())
    if not low <= value <= high:
        raise UsageError(
            "the data (almost) never has such a value, so nothing is known of such rows",
            where=name,
            wanted=f"from {low:.10g} to {high:.10g}" if plain else "one between the model's first and last",
            remedy="Give a value inside; --given-file makes rows beyond as the nearest ones",
        )


def _fixed(model: TableModel, name: str, values: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """States and values of a given column; -1 where nothing is given."""
    from understudy.tables.constraints import plain_values

    column = _learnt(model, name)
    codec = model.codecs[name]
    own = content(values, column, f"given {name}") if not isinstance(codec, NameStates) else _names(values, column)
    exact = plain_values(own)
    open_ = own.token == 0 if isinstance(own, Numbers) else np.array([v is None for v in exact])
    states = codec.encode(own).astype(np.int64)
    if isinstance(codec, NameStates):
        known = {*codec.names, *codec.spare}
        strange = np.array([v is not None and v not in known for v in exact])
        if strange.any():
            raise TableError(
                "a given name is none that the model has learnt",
                where=f"{name}, given row {int(np.argmax(strange)) + 1}",
                wanted=", ".join(str(v) for v in codec.names if v)[:300],
            )
    return np.where(open_, -1, states), exact


def _names(values: pa.ChunkedArray, column):
    import dataclasses

    return content(values, dataclasses.replace(column, kind="category"), "given")


def _learnt(model: TableModel, name: str):
    if name not in model.schema.columns:
        import difflib

        near = difflib.get_close_matches(name, list(model.schema.columns), 1)
        raise UsageError(
            "no column has this name",
            where=name,
            wanted=", ".join(list(model.schema.columns)[:12]),
            remedy=f"Did you mean {near[0]}?" if near else None,
        )
    if name not in model.codecs or not isinstance(model.codecs[name], NameStates | NumberStates) or name in model.plan.gaps:
        raise UsageError(
            "the column is computed or made afresh and cannot be given",
            where=name,
            remedy="Give the columns that it follows from, or use --where",
        )
    return model.schema.columns[name]


def _odds(model: TableModel, shares: Mapping[str, Mapping[str, float]], base: Wish, key: Key) -> dict[str, np.ndarray]:
    """How often to keep a row by each column's state so that the shares come out (raking on a pilot of the model)."""
    pilot: dict[str, list[np.ndarray]] = {c: [] for c in shares}
    for number in range(_PILOT):
        codes = model.values(number, CHUNK, key / "pilot" / number, Wish({}, base.conditions) if base.conditions else None)[
            1
        ]
        for c in shares:
            _learnt(model, c)
            pilot[c].append(codes[c])
    states = {c: np.concatenate(parts) for c, parts in pilot.items()}
    bins = {c: _bins(model, c, wanted) for c, wanted in shares.items()}
    weight = np.ones(len(next(iter(states.values()))))
    total = {c: np.ones(model.codecs[c].count) for c in shares}
    for _ in range(100):
        off = 0.0
        for c, (group, share) in bins.items():
            have = np.bincount(group[states[c]], weights=weight, minlength=len(share) + 1)[:-1]
            if ((have == 0) & (share > 0)).any():
                lost = list(shares[c])[int(np.argmax((have == 0) & (share > 0)))]
                raise TableError(
                    "the model never makes what is wanted",
                    where=c,
                    wanted=f"a share of {lost}",
                    got=f"none in {len(weight):,} rows",
                    remedy="Fit on data that has it",
                )
            factor = np.where(have > 0, share / np.maximum(have / weight.sum(), 1e-300), 0.0)
            step = np.append(factor, 0.0)[group]
            total[c] *= step
            weight = weight * step[states[c]]
            off = max(off, float(np.abs(factor[share > 0] - 1).max()))
        if off < 1e-6:
            break
    most = float(weight.max())
    if weight.mean() / most < _LEAST_KEPT:
        raise TableError(
            "the wanted shares lie too far from the data",
            where=", ".join(shares),
            wanted="at least one row in a thousand to be kept",
            got=f"{weight.mean() / most:.1e}",
            remedy="Ask for shares nearer to the data's, or give the column with --given",
        )
    peak = {c: t.max() for c, t in total.items()}
    odds = {c: t / peak[c] for c, t in total.items()}
    first = next(iter(odds))
    odds[first] = odds[first] * float(np.prod(list(peak.values())) / most)  # the likeliest row is always kept
    return odds


def _bins(model: TableModel, name: str, wanted: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """(states,) the bin of each state (the last number: none), and (bins,) the wanted shares."""
    share = np.array(list(wanted.values()), float)
    if (share < 0).any() or share.sum() <= 0:
        raise UsageError("shares are positive", where=name, got=", ".join(f"{v:g}" for v in share))
    codec, column = model.codecs[name], model.schema.columns[name]
    group = np.full(codec.count, len(share), np.int64)
    for n, text in enumerate(wanted):
        if column.kind in NUMERIC and (edge := re.fullmatch(r"(.*)\.\.(.*)", text)):
            low, high = (_constant(e, [], name) if e.strip() else s * np.inf for e, s in zip(edge.groups(), (-1, 1)))
            assert isinstance(codec, NumberStates) and codec.cells is not None
            middle = (codec.cells.low + codec.cells.high) / 2
            group[len(codec.marks) :][(middle >= low) & (middle < high)] = n
        else:
            group[_fixed(model, name, _one(text))[0][0]] = n
    return group, share / share.sum()
