"""A chain of conditional trees, the model of one table: each column is made from a tree on those before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from understudy.key import Key
from understudy.tables import correction, dependence, trees
from understudy.tables.correction import Correction
from understudy.tables.grid import Grid
from understudy.tables.settings import Settings
from understudy.tables.tilt import Tilt
from understudy.tables.trees import Tree

CHUNK = 8192  # rows that are drawn together: a made row is a function of model, seed and its number's chunk
_PREDICTORS = 40  # a tree looks at most at so many earlier columns, those that know most
PARTICLES = 32
_FEW = 4  # rows that are drawn for each whose given columns come first, so that it can be chosen by its weight


@dataclass(frozen=True)
class Chain:
    """order : every column, given ones first; trees : column -> its conditional (of a private model: a table)
    laws : column -> (column, (states,) its state)
    context : columns that are always given from outside (a parent's, an earlier event's)
    correction : the weight of whole rows, if it was learnt
    """

    order: tuple[str, ...]
    trees: Mapping[str, Tree | Grid]
    laws: Mapping[str, tuple[str, np.ndarray]]
    context: tuple[str, ...] = ()
    correction: Correction | Tilt | None = None

    def draw(
        self, n: int, key: Key, given: Mapping[str, np.ndarray], particles: int = PARTICLES
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """States of ``n`` rows, and (n,) bool whether what is given was possible.

        given : column -> (n,) states; -1 where a row leaves it open. Given columns that come first cost little; others are
        honoured by a particle filter: ``particles`` rows are drawn for each, weighted by how likely they make what is
        given, and one is kept. The correction weighs whole rows: of these, or, where nothing is given, of somewhat more
        rows than are wanted.
        """
        if self.correction is None or given:
            return self._drawn(n, key, given, particles)
        states, possible = self._drawn(math.ceil(n * self.correction.pool), key, given, particles)
        kept = self.correction.kept(states, n, self.order, key)
        return {c: s[kept] for c, s in states.items()}, possible[kept]

    def _drawn(
        self, n: int, key: Key, given: Mapping[str, np.ndarray], particles: int
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        late = [c for c in self.order if c in given and not self._free(c, given)]
        corrected = self.correction is not None and bool(given)
        m = particles if late else _FEW if corrected else 1
        rows = n * m
        states: dict[str, np.ndarray] = {}
        possible = np.ones(n, bool)
        for name in self.order:
            wanted = np.repeat(given[name], m) if name in given else None
            if name in self.context:
                states[name] = wanted
                continue
            chance, own = self._column(name, states, rows, key.child(name), wanted)
            states[name] = own
            if name in late:
                weight = chance.reshape(n, m)
                possible &= weight.sum(1) > 0
                kept = _resampled(weight, key.child(name, "kept"))
                states = {c: s[kept] for c, s in states.items()}
        if corrected:
            kept = _resampled(np.exp(self.correction.logs(states)).reshape(n, m), key.child("corrected"))
            states = {c: s[kept] for c, s in states.items()}
        if m > 1:
            states = {c: s[::m] for c, s in states.items()}
        return states, possible

    def _free(self, name: str, given: Mapping[str, np.ndarray]) -> bool:
        """Whether everything before ``name`` is given for all rows: then it needs no weighing."""
        before = self.order[: self.order.index(name)]
        return name in self.context or all(c in given and (c in self.context or (given[c] >= 0).all()) for c in before)

    def _column(
        self, name: str, states: dict[str, np.ndarray], rows: int, key: Key, wanted: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(rows,) the chance of what is wanted, 1 where nothing is; and the states."""
        chance = np.ones(rows)
        if name in self.laws:
            source, table = self.laws[name]
            own = table[states[source]]
            if wanted is not None:
                chance = np.where((wanted >= 0) & (wanted != own), 0.0, 1.0)
        else:
            tree = self.trees[name]
            leaf = tree.leaves(states, rows)
            own = tree.draw(leaf, _even(leaf, key))
            if wanted is not None:
                chance = np.where(wanted >= 0, tree.chance(leaf, np.maximum(wanted, 0)), 1.0)
        return chance, own if wanted is None else np.where(wanted >= 0, wanted, own).astype(np.int32)

    def log_likelihood(self, states: Mapping[str, np.ndarray]) -> np.ndarray:
        """(n,) log probability of rows of states, at least 1e-9 a column (a law that is broken: the same)."""
        n = len(next(iter(states.values())))
        total = np.zeros(n)
        for name in self.order:
            if name in self.context:
                continue
            if name in self.laws:
                source, table = self.laws[name]
                chance = np.where(table[states[source]] == states[name], 1.0, 0.0)
            else:
                chance = self.trees[name].chance(self.trees[name].leaves(dict(states), n), states[name])
            total += np.log(np.maximum(chance, 1e-9))
        if self.correction is not None:
            total += np.minimum(self.correction.logs(states), math.log(self.correction.pool))
        return total

    def plain(self, store: dict[str, np.ndarray], name: str) -> dict[str, Any]:
        """JSON; arrays go to ``store``."""
        for i, (_column, (_, table)) in enumerate(self.laws.items()):
            store[f"{name}.law.{i}"] = table
        own = {column: tree.plain(store, f"{name}.tree.{self.order.index(column)}") for column, tree in self.trees.items()}
        corrected = {"correction": self.correction.plain(store, f"{name}.correction")} if self.correction else {}
        return corrected | {
            "order": list(self.order),
            "context": list(self.context),
            "trees": own,
            "laws": [[column, source] for column, (source, _) in self.laws.items()],
            "arrays": name,
        }

    @classmethod
    def restore(cls, own: dict[str, Any], store: dict[str, np.ndarray]) -> Chain:
        laws = {column: (source, store[f"{own['arrays']}.law.{i}"]) for i, (column, source) in enumerate(own["laws"])}
        learnt = {c: (Grid if "sizes" in t else Tree).restore(t, store) for c, t in own["trees"].items()}
        weighed = own.get("correction")
        corrected = weighed and (Tilt if "tilt" in weighed else Correction).restore(weighed, store)
        return cls(tuple(own["order"]), learnt, laws, tuple(own["context"]), corrected)


def learn(
    states: Mapping[str, np.ndarray],
    counts: Mapping[str, int],
    ordered: Mapping[str, bool],
    settings: Settings,
    key: Key,
    context: Sequence[str] = (),
    first: Sequence[str] = (),
    strays: np.ndarray | None = None,
) -> Chain:
    """Learn a sequence from states (column -> (n,) int32).

    context : columns that will be given from outside; first : columns to make before the others
    strays : (n,) bool, rows that stand in a state which is not theirs: names too rare for one of their own
    """
    names = list(states)
    n = len(states[names[0]])
    information = dependence.mutual_information(states, counts, ordered)
    order = dependence.sequence(names, information, [*context, *(c for c in first if c not in context)])
    order, laws = dependence.determined(states, counts, order, free=context, strays=strays)
    sample = np.arange(n) if n <= trees._GROWN_ON else np.sort(key.child("grown").permutation(n)[: trees._GROWN_ON])
    grown = {}
    for place, name in enumerate(order):
        if name in context or name in laws:
            continue
        known = information[names.index(name)]
        before = [c for c in order[:place] if counts[c] > 1 and not (c in laws and counts[laws[c][0]] > 1)]
        before = sorted(before, key=lambda c: -known[names.index(c)])[:_PREDICTORS]
        before = tuple(c for c in order if c in before)
        if not before or counts[name] < 2:
            grown[name] = trees.root(np.maximum(np.bincount(states[name], minlength=counts[name]), 1e-9))
        else:
            grown[name] = trees.grow(dict(states), dict(counts), dict(ordered), name, before, settings, sample)
    done = Chain(tuple(order), grown, laws, tuple(context))
    free = [c for c in order if c not in laws and counts[c] > 1]
    if context or n < correction.LEAST or len(free) < 2 or not settings.boosts:
        return done
    some = sample[: correction.MOST]
    many = max(len(some), min(correction.TIMES * n, correction.ENOUGH))
    made, _ = done.draw(many, key / "corrected", {})
    own = correction.learn({c: states[c][some] for c in free}, {c: made[c] for c in free}, settings)
    return replace(done, correction=own)


def _even(leaf: np.ndarray, key: Key) -> np.ndarray:
    """(n,) uniform numbers, spread evenly over the rows of each leaf (systematic sampling): each is uniform, together they
    miss the leaf's shares by less than one row."""
    n, size = len(leaf), np.bincount(leaf)
    bits = n.bit_length(), max(64 - len(size).bit_length(), n.bit_length())
    low = key.child("order").words(n) & np.uint64(2 ** bits[1] - 2 ** bits[0])  # below the leaf, above the row's number
    ranked = np.sort(leaf.astype(np.uint64) << np.uint64(bits[1]) | low | np.arange(n, dtype=np.uint64))
    order = (ranked & np.uint64(2 ** bits[0] - 1)).astype(np.int64)
    ranked = leaf[order]
    shift = key.child("shift").uniforms(len(size))[ranked]
    u = np.zeros(n)
    u[order] = (np.arange(n) - (np.cumsum(size) - size)[ranked] + shift) / size[ranked]
    return u


def _resampled(weight: np.ndarray, key: Key) -> np.ndarray:
    """(n * m,) rows kept: within each group of m, systematic by weight; a group without weight keeps all."""
    n, m = weight.shape
    total = weight.sum(1, keepdims=True)
    share = np.where(total > 0, weight / np.where(total > 0, total, 1), 1.0 / m)
    ends = np.cumsum(share, axis=1)
    ends[:, -1] = 1.0
    u = (np.arange(m)[None] + key.uniforms(n, 1)) / m
    flat = (ends + np.arange(n)[:, None]).ravel()
    picked = np.minimum(np.searchsorted(flat, (u + np.arange(n)[:, None]).ravel(), side="right"), n * m - 1)
    # after systematic picking neighbours are alike; which of them becomes the row is decided by a turn of each group
    turn = (key.child("turn").uniforms(n) * m).astype(int)
    return picked.reshape(n, m)[np.arange(n)[:, None], (np.arange(m)[None] + turn[:, None]) % m].ravel()
