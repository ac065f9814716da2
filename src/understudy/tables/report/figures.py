"""The figures of a report, measured: plain data, ready for JSON."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import TableError
from understudy.key import Key
from understudy.tables.measure import attacks, canaries, fairness
from understudy.tables.measure.accuracy import accuracy, association
from understudy.tables.measure.groups import by_group
from understudy.tables.measure.learners import tell_apart, train_on_made
from understudy.tables.measure.lens import Lens
from understudy.tables.measure.rare import rare, rare_class
from understudy.tables.measure.shadow import shadow
from understudy.tables.private.ledger import LEAST, MOST, Budget
from understudy.tables.schema import Schema
from understudy.tables.settings import LEVELS

if TYPE_CHECKING:
    import pyarrow as pa

_FEWEST = 100
# A gate fails when its interval lies wholly beyond this: chance alone fails one in forty.
GATES = {"membership": 0.52, "singling out": 0.05, "linkability": 0.05, "inference": 0.05, "shadow": 0.55}


def audit(
    train: pa.Table,
    holdout: pa.Table,
    made: pa.Table,
    schema: Schema,
    target: str,
    key: Key,
    *,
    groups: Sequence[str] = (),
    guesses: int = 2000,
) -> dict[str, Any]:
    """Fidelity, use and attacks of any tool's made rows. TableError: too few rows to say anything."""
    for name, table in (("real", train), ("holdout", holdout), ("made", made)):
        if table.num_rows < _FEWEST:
            raise TableError(
                f"too few {name} rows to measure anything", where="audit", wanted=f"at least {_FEWEST}", got=table.num_rows
            )
    lens = Lens.on(train, schema)
    found: dict[str, Any] = {
        "rows": {"real": train.num_rows, "holdout": holdout.num_rows, "made": made.num_rows},
        "columns": list(lens.columns),
        "target": target,
    }
    found["accuracy"] = _accuracy(lens, train, holdout, made)
    area, low, high = tell_apart(lens, holdout, made)
    bound = tell_apart(lens, holdout, train)
    found["told apart"] = {"auc": [area, low, high], "bound": list(bound)}
    found["learners"] = train_on_made(lens, train, holdout, made, target)
    found["groups"] = [by_group(lens, train, holdout, made, target, group) for group in groups]
    found["rare"] = rare(lens, train, holdout, made, target)
    near = attacks.membership(lens, train, holdout, made)
    found["copies"] = {k: near[k] for k in ("exact", "exact_control", "near", "near_control")}
    risks = {
        "singling out": attacks.singling_out(lens, train, holdout, made, key / "singling", guesses),
        "linkability": attacks.linkability(lens, train, holdout, made, key / "linking", guesses),
    }
    for secret in dict.fromkeys([target, *_secrets(lens)]):
        risks[f"inference of {secret}"] = attacks.inference(
            lens, train, holdout, made, secret, key / "inference" / secret, guesses
        )
    found["attacks"] = {"membership": list(near["auc"]), **{name: dataclasses.asdict(risk) for name, risk in risks.items()}}
    found["gates"] = _gates(found)
    return found


def report(
    table: pa.Table,
    schema: Schema,
    name: str,
    privacy: str,
    target: str,
    key: Key,
    *,
    groups: Sequence[str] = (),
    refits: int = 64,
    frontier: bool = True,
    budget: Budget | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """The same of our own engine, learnt from half of ``table``, and what takes refits: shadows, canaries, the frontier.

    budget : under differential privacy instead of the level ``privacy``; its ledger is shown, the frontier is of epsilons
    say : is told, once the first model is learnt, how many are to come and about how long that takes
    """
    import pyarrow as pa

    from understudy.tables.model import fit
    from understudy.tables.source import Tables

    if table.num_rows < 2 * _FEWEST:
        raise TableError(
            "too few rows to hold half of them out", where=name, wanted=f"at least {2 * _FEWEST}", got=table.num_rows
        )
    order = key.child("split").permutation(table.num_rows)
    half = table.num_rows // 2
    train, holdout = (table.take(pa.array(part)) for part in (order[:half], order[half : 2 * half]))

    schema = dataclasses.replace(schema, target=schema.target or target)
    levels: dict[str, str | Budget] = {level: level for level in LEVELS}
    if budget:
        near = [budget.epsilon * f for f in (0.25, 0.5, 1, 2, 4) if LEAST <= budget.epsilon * f <= MOST]
        levels = {f"epsilon {e:g}": dataclasses.replace(budget, epsilon=e) for e in near}
        privacy = f"epsilon {budget.epsilon:g}"

    def made_by(rows: pa.Table, level: str, seed: int):
        how = levels[level]
        options = {"budget": how} if isinstance(how, Budget) else {"privacy": how, "seed": seed}
        known = dataclasses.replace(schema, rows=schema.rows and rows.num_rows)  # public of the whole, so of each part
        model = fit(Tables({name: rows}), schema={name: known}, **options)
        return model, model.sample(rows.num_rows, seed=seed)[name]

    made_by(train.slice(0, _FEWEST), privacy, 0)  # what is imported on the way is no cost of a model
    start = time.perf_counter()
    first, made = made_by(train, privacy, 0)
    one_s = time.perf_counter() - start
    others = 1 + frontier * (len(levels) - 1)
    say(
        f"one model of {half:,} rows took {_span(one_s)}; {others} like it"
        + (f" and {refits} of half as many rows are" if refits else " are")
        + f" to come: about {_span(1.3 * one_s * (others + 0.6 * refits))}, and as long as a minute for the attacks"
    )
    found = audit(train, holdout, made, schema, target, key, groups=groups)
    found["privacy"] = privacy
    lens = Lens.on(train, schema)
    case = rare_class(lens, train, target)
    if case is not None and case in getattr(first.only.codecs[target], "names", ()):  # asked for as a user would ask
        found["rare"] = rare(lens, train, holdout, first.sample(half // 4, seed=2, given={target: case})[name], target)
    if groups and fairness.available():
        pool = first.sample(4 * train.num_rows, seed=1)[name]
        found["fairness"] = [_fairness(Lens.on(train, schema), train, holdout, made, pool, target, g) for g in groups]
    if first.only.private:
        found["ledger"] = dict(first.only.private)

    def refit(rows: pa.Table, number: int):
        model, own = made_by(rows, privacy, number)
        return own, lambda known: model.only.chain.log_likelihood(model.only.encode(known))

    if refits:
        found["shadow"] = {n: dataclasses.asdict(s) for n, s in shadow(train, lens, refit, key / "shadow", refits).items()}
    with_canaries, marks = canaries.planted(train, schema, key / "canaries")
    found["canaries"] = {
        "planted": canaries.COUNT,
        "columns": len(marks),
        "came out": canaries.came_out(made_by(with_canaries, privacy, 1)[1], marks),
    }
    if frontier:
        found["frontier"] = {}
        for level in levels:
            own = made if level == privacy else made_by(train, level, 0)[1]
            (a, sizes), (b, _) = lens.bins(own), lens.bins(holdout)
            found["frontier"][level] = {
                "2-way": accuracy(a, b, sizes, 2)[0],
                "3-way": accuracy(a, b, sizes, 3)[0],
                "membership": list(attacks.membership(lens, train, holdout, own)["auc"]),
            }
    found["gates"] = _gates(found)
    return found


def _span(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _fairness(
    lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table, pool: pa.Table, target: str, group: str
) -> dict[str, Any]:
    """By group, of learners trained on real rows, on made rows, and on made rows balanced by group and label."""
    sources = {"real": train, "made": made}
    at = lens.columns.index(target)
    if not lens.numeric[at] and len(lens.names[at]) == 2:
        sources["balanced"] = fairness.balanced(lens, pool, target, group)
    found = fairness.fairness(lens, sources, holdout, target, group)
    return found | {"balancing": fairness.changes(found)} if found else {}


def _accuracy(lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table) -> dict[str, Any]:
    (a, sizes), (b, _), (c, _) = lens.bins(made), lens.bins(holdout), lens.bins(train)
    found: dict[str, Any] = {}
    for ways in (1, 2, 3):
        own, each = accuracy(a, b, sizes, ways)
        bound, _ = accuracy(c, b, sizes, ways)
        spread = [accuracy(a[:, part::5], b[:, part::5], sizes, ways)[0] for part in range(5)] if ways < 3 else []
        found[f"{ways}-way"] = {"made": own, "bound": bound, "spread of fifths": float(np.std(spread)) if spread else None}
        if ways == 1:
            found["columns"] = {lens.columns[k[0]]: v for k, v in each.items()}
        if ways == 2:
            found["pairs"] = {
                f"{lens.columns[i]} x {lens.columns[j]}": v for (i, j), v in sorted(each.items(), key=lambda p: p[1])[:10]
            }
    real, fake = association(b, sizes), association(a, sizes)
    found["association"] = {
        "largest difference": float(np.abs(real - fake).max()),
        "mean difference": float(np.abs(real - fake).mean()),
        "bound": float(np.abs(real - association(c, sizes)).mean()),
        "real": real.round(3).tolist(),
        "made": fake.round(3).tolist(),
    }
    found["shares"] = {
        c_: [np.bincount(t[i], minlength=sizes[i]).tolist() for t in (b, a)] for i, c_ in enumerate(lens.columns)
    }
    found["labels"] = {c_: _labels(lens, i, sizes[i]) for i, c_ in enumerate(lens.columns)}
    return found


def _labels(lens: Lens, at: int, size: int) -> list[str]:
    if lens.numeric[at]:
        return [*(f"tenth {i + 1}" for i in range(size - 1)), "missing"]
    names = list(lens.names[at][:10])
    return [*(f"name {i + 1}" for i in range(len(names))), *[""] * (10 - len(names)), "another", "missing"]


def _secrets(lens: Lens) -> list[str]:
    """The column that is hardest to guess blindly, beside the target: the widest quantity."""
    wide = sorted(
        (c for c, numeric in zip(lens.columns, lens.numeric) if numeric),
        key=lambda c: -len(np.unique(lens.ranked[lens.columns.index(c)])),
    )
    return wide[:1]


def _gates(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each gate: the figure with its interval, the limit, and whether it held. Distance to the closest record is no gate."""
    gates = {"membership": (*found["attacks"]["membership"], GATES["membership"])}
    for name, risk in found["attacks"].items():
        if name != "membership":
            limit = GATES[name.partition(" of ")[0]]
            gates[name] = (risk["risk"], risk["low"], risk["high"], limit)
    for name, own in found.get("shadow", {}).items():
        if "made rows" in name:
            gates[f"shadow refits, {name}"] = (own["auc"], own["low"], own["high"], GATES["shadow"])
    done = {
        n: {"value": v, "low": low, "high": high, "limit": limit, "held": low <= limit}
        for n, (v, low, high, limit) in gates.items()
    }
    if "canaries" in found:
        out = found["canaries"]["came out"]
        done["canaries that came out"] = {"value": out, "low": out, "high": out, "limit": 0, "held": out == 0}
    return done
