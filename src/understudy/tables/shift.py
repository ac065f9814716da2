"""Another population to test a learner on: ``--where "age > 60" --set "diabetes=2x"``.

The model makes rows of that population; real rows that belong to it are reweighted to its shares; both together estimate how
often the learner is right, group by group, with what each estimate rests on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import MissingDependency, TableError, UsageError
from understudy.key import Key
from understudy.tables import output
from understudy.tables.expressions import parse
from understudy.tables.measure import blend
from understudy.tables.measure.groups import group_of
from understudy.tables.measure.lens import Lens

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from understudy.tables.model import Model

Predictor = Callable[["pd.DataFrame"], Sequence[Any]]
SUPPORTED = 30  # real rows' worth behind an estimate that is called supported
_PILOT = 8192


def predictor(path: str, trusted: Sequence[str] = ()) -> Predictor:
    """A learner from a file (``.joblib``, ``.pkl``: runs code, so load your own only; ``.skops``) or ``module:function``.

    trusted : types that skops may make beside those that it trusts by itself
    """
    file = Path(path)
    if file.suffix in (".joblib", ".pkl", ".pickle", ".skops"):
        if not file.is_file():
            raise UsageError("there is no such file", where=path, wanted="a learner's file")
        learner = _skops(file, trusted) if file.suffix == ".skops" else _joblib(file)
    elif ":" in path:
        learner = _imported(path)
    else:
        raise UsageError("this names no learner", where=path, wanted=".joblib, .pkl, .skops, or module:function")
    said = getattr(learner, "predict", learner)
    if not callable(said):
        raise UsageError(
            "this is no learner", where=path, wanted="something with predict(frame)", got=type(learner).__name__
        )
    return said


def _joblib(file: Path) -> Any:
    try:
        import joblib
    except ImportError:
        raise MissingDependency("joblib is missing", remedy="pip install 'understudy[tables]'") from None
    try:
        return joblib.load(file)
    except Exception as error:  # a pickle may raise whatever it likes
        raise UsageError("the learner cannot be read", where=file, got=type(error).__name__) from None


def _skops(file: Path, trusted: Sequence[str]) -> Any:
    try:
        from skops import io
    except ImportError:
        raise MissingDependency("skops is missing: it reads .skops files", remedy="pip install skops") from None
    try:
        strange = sorted(set(io.get_untrusted_types(file=file)) - set(trusted))
        if not strange:
            return io.load(file, trusted=list(trusted))
    except Exception as error:  # a broken file may raise whatever it likes
        raise UsageError("the learner cannot be read", where=file, got=type(error).__name__) from None
    raise UsageError(
        "the file holds types that skops does not trust: reading them may run code",
        where=file,
        got=", ".join(strange[:5]),
        remedy=f"If you know where it comes from: --trust {','.join(strange[:5])}",
    )


def _imported(path: str) -> Any:
    import importlib
    import sys

    module, _, name = path.partition(":")
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError("this cannot be imported", where=path, got=str(error)) from None
    finally:
        sys.path.remove(here)


def shares(model: Model, where: Sequence[str], settings: Sequence[str], key: Key) -> dict[str, dict[str, float]]:
    """``COLUMN=2x`` (the rarer of two names), ``COLUMN:NAME=2x`` or ``COLUMN:NAME=30%`` as wanted shares of all the column's
    names, the others in proportion; measured on rows that the model makes ``where``. UsageError: it cannot be so."""
    asked = [re.fullmatch(r"\s*([^:=]+?)\s*(?::\s*([^=]*?)\s*)?=\s*([\d.]+)\s*(x|%)\s*", text) for text in settings]
    for text, found in zip(settings, asked):
        if not found:
            raise UsageError(
                "a share is set by a factor or in per cent",
                where=text,
                wanted="COLUMN=2x, COLUMN:NAME=2x or COLUMN:NAME=30%",
            )
    if not asked:
        return {}
    pilot = next(iter(model.sample(_PILOT, seed=key.integer(0, 2**31), where=list(where)).values()))
    wanted = {}
    for text, found in zip(settings, asked):
        assert found is not None
        column, name, amount, unit = found.groups()
        if column not in pilot.column_names:
            raise UsageError("no column has this name", where=text, wanted=", ".join(pilot.column_names[:12]), got=column)
        have = Counter(_text(v) for v in pilot[column].to_pylist() if v is not None)
        if name is None:
            if len(have) != 2:
                raise UsageError("say which name", where=text, wanted=f"{column}:NAME=...", got=f"{len(have)} names")
            name = min(have, key=lambda n: have[n])
        if name not in have:
            raise TableError("the model never makes this", where=text, wanted=", ".join(sorted(have)[:12]), got=name)
        share = have[name] / have.total()
        to = share * float(amount) if unit == "x" else float(amount) / 100
        if not 0 <= to <= 1 or (to < 1 and len(have) == 1):
            raise UsageError("such a share cannot be", where=text, wanted="at most 100 %", got=f"{to:.0%} (now {share:.1%})")
        rest = have.total() - have[name]
        wanted[column] = {n: to if n == name else (1 - to) * c / rest for n, c in have.items()}
    return wanted


def shifted(
    model: Model,
    learner: Predictor,
    target: str,
    *,
    where: Sequence[str] = (),
    settings: Sequence[str] = (),
    real: pa.Table | None = None,
    groups: Sequence[str] = (),
    n: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """How often ``learner`` is right about ``target`` in the population, in all and by group of ``groups``.

    real : rows that neither model nor learner has seen; without them nothing says how far off made rows are
    """
    key = Key(seed) / "shift"
    schema = model.only.schema
    for column in (target, *groups):
        if column not in schema.columns:
            raise UsageError("no column has this name", where=column, wanted=", ".join(list(schema.columns)[:12]))
    wanted = shares(model, where, settings, key)
    asked = {k: v for k, v in (("where", list(where)), ("shares", wanted)) if v}
    made = next(iter(model.sample(n, seed=seed, **asked).values()))
    real = None if real is None else output.typed(real, schema, "real")
    rows, weight = _members(model, real, where, wanted)
    lens = Lens.on(real if real is not None else made, schema)
    if target not in lens.columns or lens.numeric[lens.columns.index(target)]:
        raise UsageError("the learner is judged on names", where=target, wanted="a column of kind category or ordered")
    sides = [(made, np.ones(made.num_rows)), (rows, weight)]
    right = [_right(learner, table, target) if table.num_rows else np.zeros(0, bool) for table, _ in sides]
    masks = [_masks(lens, table, [c for c in lens.columns if c != target]) for table, _ in sides]
    names = list(dict.fromkeys([*masks[0], *masks[1]]))
    held = [[m.get(name, np.zeros(t.num_rows, bool)) for name in names] for m, (t, _) in zip(masks, sides)]
    by_made, by_real = ([blend.share(r[m], w[m]) for m in own] for own, r, (_, w) in zip(held, right, sides))
    shared = by_real[0].variance + by_made[0].variance  # the first group is everybody
    off = blend.offset(by_real, by_made, shared)
    found = []
    for name, m, r in zip(names, by_made, by_real):
        column, label = name
        if column and column not in groups:
            continue
        value, low, high, part = blend.blended(r, m, off)
        found.append(
            {
                "group": f"{column}: {label}" if column else "all",
                "real rows": r.worth,
                "real": None if r.worth == 0 else r.value,
                "made": None if m.worth == 0 else m.value,
                "estimate": value,
                "interval": [low, high],
                "share of real rows": part,
                "supported": r.worth >= SUPPORTED,
                "made rows": m.worth,
                "made rows' part": blend.verdict(r, m, off),
            }
        )
    return {
        "target": target,
        "where": list(where),
        "set": list(settings),
        "shares": wanted,
        "made rows": made.num_rows,
        "real rows": rows.num_rows,
        "offset": None if off is None else {"mean": off.mean, "spread": off.spread**0.5},
        "groups": found,
    }


def _members(
    model: Model, real: pa.Table | None, where: Sequence[str], wanted: Mapping[str, Mapping[str, float]]
) -> tuple[pa.Table, np.ndarray]:
    """Real rows of the population, and their weights, raked to the wanted shares."""
    import pyarrow as pa

    from understudy.tables.constraints import plain_values
    from understudy.tables.single import contents

    schema = model.only.schema
    if real is None:
        return pa.table({c: pa.array([], pa.string()) for c in schema.columns}), np.zeros(0)
    values = {c: plain_values(v) for c, v in contents(real, schema, "real").items()}
    inside = np.ones(real.num_rows, bool)
    for text in where:
        inside &= parse(text, schema).holds(values, missing=False)
    rows = real.take(pa.array(np.flatnonzero(inside)))
    weight = np.ones(rows.num_rows)
    texts = {c: np.array([None if v is None else _text(v) for v in rows[c].to_pylist()], object) for c in wanted}
    for _ in range(50 if rows.num_rows else 0):
        for column, share in wanted.items():
            have = {name: weight[texts[column] == name].sum() for name in share}
            total = sum(have.values())
            for name, to in share.items():
                weight[texts[column] == name] *= to * total / have[name] if have[name] > 0 else 1.0
            weight[~np.isin(texts[column].astype(str), list(share))] = 0.0
    return rows, weight


def _masks(lens: Lens, table: pa.Table, columns: Sequence[str]) -> dict[tuple[str, str], np.ndarray]:
    """(column, group) -> (n,) bool; ("", "") is all rows."""
    found = {("", ""): np.ones(table.num_rows, bool)}
    for column in columns if table.num_rows else ():
        own = np.array(group_of(lens, table, column), object)
        for label in sorted(set(own)):
            found[column, label] = own == label
    return found


def _right(learner: Predictor, table: pa.Table, target: str) -> np.ndarray:
    """(n,) bool."""
    frame = table.drop_columns([target]).to_pandas()
    try:
        said = list(learner(frame))
    except Exception as error:  # a learner may raise whatever it likes; the message may quote rows, its kind does not
        raise TableError(
            "the learner fails on such rows",
            where=f"predict(frame of {', '.join(list(frame.columns)[:8])})",
            got=type(error).__name__,
            remedy="Give a learner that takes the table's columns as they are (a pipeline), but for the target",
        ) from None
    if len(said) != table.num_rows:
        raise TableError("the learner says something else than one label a row", wanted=table.num_rows, got=len(said))
    return np.array([_text(a) == _text(b) for a, b in zip(said, table[target].to_pylist())], bool)


def _text(value: Any) -> str:
    """A label as text: 1, 1.0 and "1" are the same, and True is "true" as in a model's states."""
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value)
