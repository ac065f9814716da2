"""Learning under differential privacy: measure marginals with noise, those that the model gets most wrong first.

1. Each column alone (and, where nothing about it is declared, its names or bounds): :mod:`.domains`.
2. Rounds, after AIM (McKenna, Mullins, Sheldon, Miklau, VLDB 2022): a noisy maximum picks the pair of columns whose marginal
   the model misses by most beyond what noise would add; it is measured with discrete Gaussian noise, and the model is fitted
   anew. A pair that teaches less than its noise makes the rounds after it fewer and better.
3. The model becomes a chain of conditionals, from which rows are made as from any other model.

The data comes in as counts only, and through the ledger only.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from understudy.tables import trees
from understudy.tables.chain import Chain
from understudy.tables.grid import Grid
from understudy.tables.private.domains import Found, projected
from understudy.tables.private.junction import Clique, Estimate, Junction, Measured, eliminated, estimate, junction, maximal
from understudy.tables.private.ledger import Ledger, Part

# Chosen on the census table (8 splits of 10,000 rows, epsilon 1); docs/tables.md has another table that had no say in it.
GROUPS = 12  # of a column's states, in pairs
SELECTION = 0.1  # of a round's share, for the choice
ROUNDS = 2.5  # a column, that are planned for
PENALTY = 0.6  # share of the noise that a pair must beat: some of it is taken out again
TARGET = 2.0  # how much more a pair with the target counts
MOST_CELLS = 6000  # of a clique


@dataclass(frozen=True)
class Given:
    """A column of the parent's rows that a child's are made from. part : (states,) the group of each state
    codes : (n,) its state for each row, still secret; made : (m,) the same of made rows, which tell nothing
    """

    part: np.ndarray
    codes: np.ndarray
    made: np.ndarray


@dataclass(frozen=True)
class Learnt:
    """chain : conditionals; parts : column -> (states,) the group of each state
    shares : columns that were measured together -> the model's shares of their groups
    """

    chain: Chain
    parts: Mapping[str, np.ndarray]
    shares: Mapping[tuple[str, ...], np.ndarray]


def learn(
    found: Mapping[str, Found],
    total: float,
    ledger: Ledger | Part,
    target: str = "",
    context: Mapping[str, Given] | None = None,
    spared: float = 0.0,
) -> Learnt:
    """A chain learnt for what is left in ``ledger``. total : noisy number of rows; target : what is to be predicted
    spared : cost that is not to be spent, where there are enough columns for :mod:`.moments`
    context : columns that rows are made from: how these hang together among each other is known from made rows, for nothing
    """
    context = context or {}
    names = [*context, *found]
    parts = [*(g.part for g in context.values()), *(grouped(f, total) for f in found.values())]
    sizes = tuple(int(part.max()) + 1 for part in parts)
    own = [_alone(i, f, parts[i], sizes[i]) for i, f in enumerate(found.values(), len(context))]
    known = Known([g.part[g.made] for g in context.values()], sizes, total, min(float(m.sigma.min()) for m in own))
    measured = [known.marginal((i,)) for i in range(len(context))] + own
    model = estimate(junction(sizes, [m.columns for m in measured], len(context)), measured, total)
    codes = [*(g.codes for g in context.values()), *(f.codes for f in found.values())]
    if len(names) > 1:
        at = names.index(target) if target in names else -1
        truth = _truth([part[c] for part, c in zip(parts, codes)], sizes, len(context))
        model = _rounds(names, truth, measured, model, total, ledger, at, known, spared)
    chain = _chain(names, model, parts, [projected(f.counts, total) for f in found.values()])
    shares = {tuple(names[i] for i in c): model.marginal(c) for c in sorted({m.columns for m in measured})}
    return Learnt(chain, dict(zip(names, parts)), shares)


@dataclass(frozen=True)
class Known:
    """Groups of made rows, column by column. sigma : the noise that their counts are taken to have, so that they weigh as
    much as the best of what is measured."""

    made: Sequence[np.ndarray]
    sizes: Sequence[int]
    total: float
    sigma: float

    def marginal(self, columns: Clique) -> Measured:
        """Counts of ``columns`` as the made rows have them."""
        sizes = [self.sizes[i] for i in columns]
        cells = np.ravel_multi_index([self.made[i] for i in columns], sizes)
        counts = np.bincount(cells, minlength=math.prod(sizes)).reshape(sizes) * (self.total / len(cells))
        return Measured(columns, counts, np.array(self.sigma))


def grouped(found: Found, total: float) -> np.ndarray:
    """(states,) the group of each state: heavy ones alone, neighbours together, rare names together."""
    counts = projected(found.counts, total)
    if found.states.ordered:
        return trees.groups(counts, GROUPS)
    order = np.argsort(-counts, kind="stable")
    least = max(0.01 * total, 2 * found.sigma)
    kept = [int(i) for i in order[: GROUPS - 1] if counts[i] >= least]
    group = np.full(len(counts), len(kept), np.int64)
    group[kept] = np.arange(len(kept))
    return np.unique(group, return_inverse=True)[1]


def _alone(i: int, found: Found, part: np.ndarray, size: int) -> Measured:
    """A column's own counts by group."""
    sigma = np.full(len(part), found.sigma)
    if found.open:
        sigma[-1] *= math.sqrt(max(len(part) - 1, 1))
    counts = np.bincount(part, weights=found.counts, minlength=size)
    return Measured((i,), counts, np.sqrt(np.bincount(part, weights=sigma**2, minlength=size)))


def _truth(rows: Sequence[np.ndarray], sizes: Sequence[int], given: int) -> dict[Clique, np.ndarray]:
    """Pair of columns, of which one at most is given -> rows of each pair of groups, exactly: for the ledger's eyes only."""
    return {
        (a, b): np.bincount(rows[a] * sizes[b] + rows[b], minlength=sizes[a] * sizes[b]).reshape(sizes[a], sizes[b])
        for a, b in itertools.combinations(range(len(sizes)), 2)
        if b >= given
    }


def _rounds(
    names: Sequence[str],
    truth: Mapping[Clique, np.ndarray],
    measured: list[Measured],
    model: Estimate,
    total: float,
    ledger: Ledger | Part,
    target: int,
    known: Known,
    spared: float,
) -> Estimate:
    """Choose, measure and fit until the budget is spent but for ``spared``."""
    sizes, given = model.tree.sizes, len(known.made)
    each = (ledger.left - spared) / (ROUNDS * (len(names) - given))
    while (left := ledger.left - spared) > 1e-8 * ledger.rho:
        if left < 2 * each:
            each = left * (1 - 1e-9)
        sigma = ledger.rows * math.sqrt(1 / (2 * (1 - SELECTION) * each))
        noise = PENALTY * math.sqrt(2 / math.pi) * sigma
        can, told = _possible(list(truth), [m.columns for m in measured], sizes, given), model.pairs()
        scores = [
            (np.abs(truth[p] - total * told[p]).sum() - noise * truth[p].size) / (TARGET if target not in (-1, *p) else 1.0)
            for p in can
        ]
        pair = can[ledger.best("which pair the model misses most", np.array(scores), SELECTION * each)]
        what = f"{names[pair[0]]} x {names[pair[1]]}: rows of each pair"
        counts, sigma = ledger.counts(what, truth[pair], (1 - SELECTION) * each)
        before = total * told[pair]
        measured.append(Measured(pair, before + denoised(counts - before, sigma), np.array(sigma)))
        model = estimate(_tree(sizes, measured, known), measured, total, model.factors, steps=25)
        if np.abs(total * model.marginal(pair) - before).sum() <= noise * before.size:
            each *= 4
    return estimate(model.tree, measured, total, model.factors, steps=100)


def _tree(sizes: Sequence[int], measured: list[Measured], known: Known) -> Junction:
    """The junction tree of what is measured; given columns that it puts together are added to that as they are known."""
    given = len(known.made)
    tree = junction(sizes, [m.columns for m in measured], given)
    together = {tuple(c for c in clique if c < given) for _, clique in tree.steps}
    have = {m.columns for m in measured}
    measured += [known.marginal(c) for c in sorted(together) if len(c) > 1 and c not in have]
    return tree


def denoised(off: np.ndarray, sigma: float) -> np.ndarray:
    """What is left of a matrix when noise of ``sigma`` is taken out of its singular values (Gavish, Donoho, IEEE Trans.
    Inf. Theory 2017: the best shrinkage for squared error). How two columns depend on each other has few of them."""
    u, s, v = np.linalg.svd(off, full_matrices=False)
    unit, beta = sigma * math.sqrt(max(off.shape)), min(off.shape) / max(off.shape)
    y = np.maximum(s / unit, 1e-12)
    kept = np.where(y > 1 + math.sqrt(beta), np.sqrt(np.maximum((y**2 - beta - 1) ** 2 - 4 * beta, 0)) / y, 0)
    return (u * (kept * unit)) @ v


def _possible(pairs: Sequence[Clique], groups: Sequence[Clique], sizes: Sequence[int], given: int) -> list[Clique]:
    """Pairs that may join ``groups`` without a clique of more than MOST_CELLS cells."""
    near = [1 << i for i in range(len(sizes))]
    for group in groups:
        for i in group:
            near[i] |= sum(1 << j for j in group)
    known = maximal([mask for _, mask in eliminated(near, sizes, given)])
    can = []
    for a, b in pairs:
        both = 1 << a | 1 << b
        if not any(both & mask == both for mask in known):
            more = list(near)
            more[a] |= both
            more[b] |= both
            if max(_cells(mask, sizes) for _, mask in eliminated(more, sizes, given)) > MOST_CELLS:
                continue
        can.append((a, b))
    return can


def _cells(mask: int, sizes: Sequence[int]) -> int:
    return math.prod(size for i, size in enumerate(sizes) if mask >> i & 1)


def _chain(names: Sequence[str], model: Estimate, parts: Sequence[np.ndarray], fine: Sequence[np.ndarray]) -> Chain:
    """Columns against the order of elimination, each given those that it was eliminated from; given ones, which have no
    counts of their own in ``fine``, first."""
    tree, given = model.tree, len(names) - len(fine)
    own = [(i, clique) for i, clique in reversed(tree.steps) if i >= given]
    used = {c for _, clique in own for c in clique if c < given}
    order = [*sorted(used), *(i for i, _ in own)]
    grids = {}
    for i, clique in own:
        before = [c for c in clique if c != i]
        joint = np.moveaxis(model.marginal(clique), clique.index(i), -1).reshape(-1, tree.sizes[i])
        joint = np.where(joint.sum(1, keepdims=True) > 1e-12, joint, joint.sum(0))
        states = fine[i - given] + 1e-9
        within = states / np.bincount(parts[i], weights=states)[parts[i]]
        chance = (joint / joint.sum(1, keepdims=True))[:, parts[i]] * within
        grids[names[i]] = Grid(
            tuple(names[c] for c in before),
            tuple(parts[c].astype(np.int32) for c in before),
            tuple(tree.sizes[c] for c in before),
            trees.cumulative(chance),
        )
    return Chain(tuple(names[i] for i in order), grids, {}, tuple(names[i] for i in sorted(used)))
