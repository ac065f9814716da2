"""The model of one table: what is learnt, and rows made from it, chunk by chunk."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import TableError, Unsatisfiable
from understudy.key import Key
from understudy.tables import chain, distinct, output, states
from understudy.tables.chain import CHUNK, Chain
from understudy.tables.constraints import Plan, plan
from understudy.tables.content import Names, Texts, content
from understudy.tables.expressions import Linear, Unique, parse
from understudy.tables.schema import NAMED, NUMERIC, Schema, from_plain
from understudy.tables.settings import Settings
from understudy.tables.states.blanks import Fresh
from understudy.tables.states.names import NameStates

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.conditions import Wish
    from understudy.tables.content import Content
    from understudy.tables.states import States

_ATTEMPTS = 2000  # draws of a chunk before a wish or a constraint is given up
MOST_COLUMNS = 1000


@dataclass(frozen=True)
class TableModel:
    """schema : with the bounds that constraints gave; codecs : learnt column -> its states; rows : how many were learnt
    plan : what holds by construction; context : columns given from outside (other tables', the row's before)
    private : the ledger of a fit under differential privacy (``rows`` is then noisy), else empty
    """

    name: str
    schema: Schema
    codecs: Mapping[str, States]
    chain: Chain
    plan: Plan
    rows: int
    context: tuple[str, ...] = ()
    private: Mapping[str, Any] = field(default_factory=dict)

    def chunk(
        self, number: int, n: int, key: Key, wish: Wish | None = None, given: Mapping[str, np.ndarray] | None = None
    ) -> pa.Table:
        """Rows ``number * CHUNK`` to ``+ n`` of the stream ``key``: a table in the schema's columns.

        given : states of context columns (or of others), (n,) each. Unsatisfiable: what was wished for does not come.
        """
        values, codes = self.values(number, n, key / number, wish, given)
        return output.table(values, codes, self.codecs, self.schema)

    def values(
        self,
        number: int,
        n: int,
        key: Key,
        wish: Wish | None = None,
        given: Mapping[str, np.ndarray] | None = None,
        bases: Mapping[str, np.ndarray] | None = None,
    ) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """(values, states) of a chunk's rows; rows that break a statement or the wish are drawn again.

        bases : column -> (n,) what is added to its drawn values (the instant since which a gap counts)
        """
        fixed = dict(given or {}) | (wish.states(self, number, n) if wish else {})
        whole = n if fixed else max(n, CHUNK)  # a shorter chunk is the beginning of the whole one
        values, codes, good, culprit = self._attempt(number, whole, key / 0, wish, fixed, bases)
        tally = good.sum()
        if fixed:
            left = np.flatnonzero(~good)
            for attempt in range(1, _ATTEMPTS):
                if not len(left):
                    break
                part = {c: s[left] for c, s in fixed.items()}
                new, own, fine, why = self._attempt(number, len(left), key / attempt, wish, part, bases, left)
                at = left[fine]
                for c in values:
                    values[c][at] = new[c][fine]
                for c in codes:
                    codes[c][at] = own[c][fine]
                left, culprit, tally = left[~fine], why or culprit, tally + fine.sum()
                if attempt == 200 and not tally:
                    break
            if len(left):
                raise Unsatisfiable(
                    f"{len(left)} of {n} rows cannot be made as given",
                    where=self.name,
                    wanted=culprit or "the given values",
                    got=f"given row {number * CHUNK + int(left[0]) + 1}",
                    remedy="The data never has such rows: give other values, or fewer columns",
                )
            return {c: v[:n] for c, v in values.items()}, {c: v[:n] for c, v in codes.items()}
        rows = [({c: v[good] for c, v in values.items()}, {c: v[good] for c, v in codes.items()})]
        drawn = whole
        for attempt in range(1, _ATTEMPTS):
            if tally >= n:
                break
            if attempt >= 40 and tally < attempt * 1e-4 * CHUNK:
                break
            new, own, fine, why = self._attempt(number, CHUNK, key / attempt, wish, {}, None)
            rows.append(({c: v[fine] for c, v in new.items()}, {c: v[fine] for c, v in own.items()}))
            tally, culprit, drawn = tally + fine.sum(), why or culprit, drawn + CHUNK
        if tally < n:
            raise Unsatisfiable(
                "the model (almost) never makes such rows",
                where=self.name,
                wanted=culprit,
                got=f"{int(tally)} of {drawn:,} rows drawn",
                remedy="Ask for less, or fit on data that has them",
            )
        join = {c: np.concatenate([v[c] for v, _ in rows])[:n] for c in rows[0][0]}
        return join, {c: np.concatenate([s[c] for _, s in rows])[:n] for c in rows[0][1]}

    def _attempt(
        self,
        number: int,
        n: int,
        key: Key,
        wish: Wish | None,
        given: Mapping[str, np.ndarray],
        bases: Mapping[str, np.ndarray] | None,
        which: np.ndarray | None = None,
    ) -> tuple[dict, dict, np.ndarray, str]:
        codes, possible = self.chain.draw(n, key, given)
        values = {}
        for name, codec in self.codecs.items():
            entity = isinstance(codec, Fresh) and codec.entity  # of one person in all columns of a row
            stream = key / "person" if entity else key.child(name, "value")
            values[name] = codec.decode(codes[name], stream, number * CHUNK)
        if wish:
            wish.exact(values, number, which)
        for name, base in (bases or {}).items():
            values[name] = values[name] + (base if which is None else base[which])
        self.plan.finish(values)
        for name, column in self.schema.columns.items():
            if name not in values:
                values[name] = np.full(n, np.nan) if column.kind in NUMERIC else np.full(n, None, dtype=object)
        bad, culprit = self.plan.broken(values)
        for name in (*self.plan.gaps, *self.plan.sums):
            column = self.schema.columns[name]
            off = (values[name] < (-np.inf if column.low is None else column.low)) | (
                values[name] > (np.inf if column.high is None else column.high)
            )
            bad, culprit = bad | off, f"the bounds of {name}" if off.any() else culprit
        bad |= ~possible
        if wish:
            refused, why = wish.refuses(values, codes, key.child("wish"))
            bad, culprit = bad | refused, why or culprit
        return values, codes, ~bad, culprit

    def encode(self, table: pa.Table) -> dict[str, np.ndarray]:
        """States of real (or made) rows: learnt column -> (n,); sums and laws are left out."""
        own = contents(table, self.schema, self.name)
        for name, (base, _) in self.plan.gaps.items():
            own[name] = dataclasses.replace(own[name], x=own[name].x - own[base].x)
        return {name: codec.encode(own[name]) for name, codec in self.codecs.items() if name in own}

    def plain(self, store: dict[str, np.ndarray]) -> dict[str, Any]:
        linear = {c: [s.constant, [list(t) for t in s.terms]] for c, s in self.plan.sums.items()}
        own = {
            "sums": linear,
            "gaps": {c: list(g) for c, g in self.plan.gaps.items()},
            "laws": {c: [source, table] for c, (source, table) in self.plan.laws.items()},
        }
        ledger = {"private": dict(self.private)} if self.private else {}
        return ledger | {
            "schema": self.schema.plain(),
            "rows": self.rows,
            "context": list(self.context),
            "plan": own,
            "states": {name: codec.plain() for name, codec in self.codecs.items()},
            "chain": self.chain.plain(store, self.name),
        }

    @classmethod
    def restore(cls, name: str, own: Mapping[str, Any], store: Mapping[str, np.ndarray], schema: Schema) -> TableModel:
        kept = own["plan"]
        sums = {c: Linear(s[0], tuple((sign, column) for sign, column in s[1])) for c, s in kept["sums"].items()}
        done = Plan(
            tuple(parse(text, schema) for text in schema.constraints),
            sums,
            {c: tuple(g) for c, g in kept["gaps"].items()},
            {c: tuple(v) for c, v in kept["laws"].items()},
        )
        return cls(
            name,
            schema,
            {c: states.restored(s) for c, s in own["states"].items()},
            Chain.restore(own["chain"], dict(store)),
            done,
            own["rows"],
            tuple(own["context"]),
            own.get("private", {}),
        )


def not_too_wide(table: pa.Table, name: str) -> None:
    """TableError: it has more columns than can be learnt."""
    if table.num_columns > MOST_COLUMNS:
        raise TableError(
            "too many columns to learn how each depends on the others",
            where=name,
            wanted=f"at most {MOST_COLUMNS}",
            got=table.num_columns,
            remedy="Choose some with --columns",
        )


def contents(table: pa.Table, schema: Schema, name: str) -> dict[str, Content]:
    """The content of every column that is not empty, a key or a link. TableError: table and schema do not fit."""
    fitting(table, schema, name)
    return {
        c: content(table[c], column, f"{name}.{c}")
        for c, column in schema.columns.items()
        if column.kind not in ("empty", "key", "link")
    }


def fitting(table: pa.Table, schema: Schema, name: str) -> None:
    """TableError: the table has other columns than its schema."""
    absent = [c for c in schema.columns if c not in table.column_names]
    unknown = [c for c in table.column_names if c not in schema.columns]
    if absent or unknown:
        raise TableError(
            "the schema and the data have other columns",
            where=name,
            wanted=", ".join(schema.columns),
            got=f"without {', '.join(absent)}" if absent else f"also {', '.join(unknown[:5])}",
            remedy="Make the schema again with `understudy table inspect DATA -o schema.yaml`",
        )


@dataclass(frozen=True)
class Around:
    """What other tables, and earlier rows of the same owner, have to do with a table's rows.

    context : column given from outside -> ((n,) states, how many, whether neighbours are alike)
    more : column learnt and made beside the table's own -> ((n,) states, its codec)
    previous : (n,) the owner's row before, -1: none; owner : (n,) whose row it is, for counting owners
    bases : column -> (n,) what its values count from (the instant of the row before)
    """

    context: Mapping[str, tuple[np.ndarray, int, bool]] = field(default_factory=dict)
    more: Mapping[str, tuple[np.ndarray, States]] = field(default_factory=dict)
    previous: np.ndarray | None = None
    owner: np.ndarray | None = None
    bases: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Fitted:
    """A model, and what was noted on the way."""

    model: TableModel
    notes: list[str] = field(default_factory=list)


def fit(table: pa.Table, schema: Schema, name: str, settings: Settings, key: Key, around: Around | None = None) -> Fitted:
    """Learn one table; ``around`` : what other tables have to do with it.

    TableError: fewer than two groups of owners, too many columns, or a schema that contradicts the data.
    """
    n, around = table.num_rows, around or Around()
    if n < 2 * settings.owners:
        raise TableError(
            "too few rows to say anything that points at nobody",
            where=name,
            got=n,
            wanted=f"at least {2 * settings.owners} rows: twice the owners that a value needs",
            remedy="Give more rows, or fewer --owners",
        )
    not_too_wide(table, name)
    own = contents(table, schema, name)
    for column, one in own.items():
        spec = schema.columns[column]
        if spec.kind in NUMERIC and (spec.low is not None or spec.high is not None):
            _bounds_hold(one.x, spec, f"{name}.{column}")
    done, schema, own, keep, notes = plan(schema, own, name)
    for column, base in around.bases.items():
        own[column] = dataclasses.replace(own[column], x=own[column].x - base)
    codecs: dict[str, States] = {}
    codes: dict[str, np.ndarray] = {}
    strays = np.zeros(n, bool)
    for column, one in own.items():
        spec = schema.columns[column]
        if column in done.gaps:
            spec = dataclasses.replace(spec, low=done.gaps[column][1], high=None)
        elif column in around.bases:
            spec = dataclasses.replace(spec, low=None, high=None)
        codecs[column] = states.learnt(_once_an_owner(one, around.owner), spec, settings.owners, settings.cells)
        codes[column] = codecs[column].encode(one)
        if isinstance(codec := codecs[column], NameStates):
            strays |= codec.strays(one)
    done = dataclasses.replace(done, laws={c: (s, _shared(table_, codecs[s])) for c, (s, table_) in done.laws.items()})
    for column, (own_codes, codec) in around.more.items():
        codes[column], codecs[column] = own_codes, codec
    counts = {c: codec.count for c, codec in codecs.items()}
    ordered = {c: codec.ordered for c, codec in codecs.items()}
    learnt = {}
    for column, (own_codes, count, by_order) in around.context.items():
        learnt[column], counts[column], ordered[column] = own_codes, count, by_order
    if around.previous is not None:
        for column in own:
            before = f"previous.{column}"
            learnt[before] = np.where(around.previous >= 0, codes[column][around.previous], counts[column]).astype(np.int32)
            counts[before], ordered[before] = counts[column] + 1, ordered[column]
    context = tuple(learnt)
    learnt |= codes
    if not codes:
        return Fitted(TableModel(name, schema, codecs, Chain((), {}, {}), done, n), notes)
    if not keep.all():
        learnt = {c: s[keep] for c, s in learnt.items()}
    grown = chain.learn(learnt, counts, ordered, settings, key / name, context=context, strays=strays[keep])
    return Fitted(TableModel(name, schema, codecs, grown, done, int(keep.sum()), context), notes)


def _once_an_owner(one: Content, owner: np.ndarray | None) -> Content:
    """The content with each owner's equal values kept once, so that owners are counted and not rows."""
    if owner is None or isinstance(one, Texts):
        return one
    value = one.codes if isinstance(one, Names) else np.where(one.token >= 0, -1e300 * (one.token + 1.0), one.x)
    _, code = np.unique(value, return_inverse=True)
    _, first = np.unique(owner.astype(np.int64) * (int(code.max()) + 1) + code, return_index=True)
    first.sort()
    if isinstance(one, Names):
        return dataclasses.replace(one, codes=one.codes[first])
    return dataclasses.replace(one, x=one.x[first], token=one.token[first])


def _shared(table: Mapping[str, Any], codec: States) -> dict[str, Any]:
    """A law's names that are states of their own: others have too few owners."""
    kept = set(codec.labels())
    return {name: value for name, value in table.items() if name in kept}


def _bounds_hold(x: np.ndarray, spec: Any, where: str) -> None:
    off = (x < (-np.inf if spec.low is None else spec.low)) | (x > (np.inf if spec.high is None else spec.high))
    if off.any():
        raise TableError(
            "the schema contradicts the data: values lie outside the stated bounds",
            where=f"{where}, row {int(np.argmax(off)) + 1}",
            wanted=("" if spec.low is None else f"{spec.low:g} <= ")
            + "value"
            + ("" if spec.high is None else f" <= {spec.high:g}"),
            got=f"{int(off.sum())} rows outside",
            remedy="Mend the data, or widen `low` and `high`",
        )


def rows(model: TableModel, n: int, key: Key, wish: Wish | None = None) -> Iterator[pa.Table]:
    """``n`` rows in chunks. Rows that repeat what a ``unique(...)`` statement forbids are drawn again."""
    import pyarrow as pa

    unique = model.plan.unique
    seen: dict[Unique, set] = {u: set() for u in unique}
    for number in range(-(-n // CHUNK)):
        size = min(CHUNK, n - number * CHUNK)
        if not seen:
            yield model.chunk(number, size, key, wish)
            continue
        parts, have = [], 0
        for attempt in range(200):
            one = model.chunk(number, CHUNK, key / "unique" / attempt, wish)
            keep = distinct.first(unique, distinct.columns_of(unique, one), one.num_rows, seen, size - have)
            parts.append(one.filter(pa.array(keep)))
            have += int(keep.sum())
            if have >= size:
                break
        else:
            raise Unsatisfiable(
                "not enough different rows exist",
                where=model.name,
                got=f"{have} of {size}",
                wanted=", ".join(u.text for u in unique),
            )
        yield pa.concat_tables(parts)


__all__ = ["NAMED", "Fitted", "TableModel", "contents", "fit", "from_plain", "rows"]
