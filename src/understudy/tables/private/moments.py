"""All pairs of columns in one look, a few numbers each: what the rounds have no budget to measure pair by pair.

A pair told with a count for each cell takes a good part of the budget, so that most pairs are never told and come out as
unrelated as the model takes them for. One number for a pair, the mean product of a score of either column, costs so little
that all pairs can be told at once: each row's scores are shrunk to a square sum that is fixed beforehand, which bounds what
it adds to all products together. Scores come from what is known already: ranks and their squares where states have an order,
and for names the directions in which made rows say that they depend on other columns (multiple correspondence analysis:
Greenacre 1984). Made rows are then weighed so that they have these moments (:mod:`understudy.tables.tilt`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from understudy.key import Key
from understudy.tables.private.domains import Found, projected
from understudy.tables.private.ledger import Ledger
from understudy.tables.tilt import Scores, Tilt, fitted

if TYPE_CHECKING:
    from understudy.tables.chain import Chain
    from understudy.tables.private.learn import Learnt

SHARE = 0.18  # of the whole budget
LEAST_COLUMNS = 3  # with more than one group; of fewer, the rounds tell all there is
SCORED = 2  # scores of a column, at most
LIMIT = 0.8  # of the mean square sum of made rows' scores
UNIT = 8  # scores are told in eighths of a standard deviation
_CAP = 2.5  # standard deviations
_SURE = 1.3  # standard deviations of noise that a moment must tell beyond what the model has
_SOFT = 0.25  # of its variance, by which a moment gives way: columns that say nearly the same would amplify noise
_MADE = 10_000


def tilted(learnt: Learnt, found: Mapping[str, Found], total: float, ledger: Ledger) -> Chain:
    """The learnt chain with a tilt, for all that is left in ``ledger``. total : noisy number of rows"""
    parts = {c: part for c, part in learnt.parts.items() if part.max() > 0}
    made, _ = learnt.chain.draw(_MADE, Key(0) / "made" / "moments", {})
    scores = scored({c: found[c] for c in parts}, parts, made, total)
    told, sigma = ledger.products(
        "products of scores of all pairs of columns", scores, {c: found[c].codes for c in parts}, ledger.left
    )
    rows = scores.rows(made)
    a, b = scores.pairs()
    products = rows[:, a] * rows[:, b]
    have = products.mean(0)
    off = told / total - have
    off *= 1 - np.minimum((_SURE * sigma / total / np.maximum(np.abs(off), 1e-9)) ** 2, 1)  # a garrote
    held = np.hstack([np.eye(int(p.max()) + 1)[p[made[c]]][:, 1:] for c, p in parts.items()])
    scale = UNIT**2  # numbers near one
    weights, level = fitted(products / scale, held, (have + off) / scale, _SOFT)
    square = np.zeros((rows.shape[1],) * 2)
    square[a, b] = weights[: len(a)] / scale
    ends = np.cumsum([0, *(int(p.max()) for p in parts.values())]) + len(a)
    alone = tuple(np.concatenate([[0.0], weights[i:j]])[p] for p, i, j in zip(parts.values(), ends, ends[1:]))
    margins = tuple(learnt.shares.items())
    used = {c: learnt.parts[c] for columns, _ in margins for c in columns}
    return replace(learnt.chain, correction=Tilt(scores, square, alone, -level, margins, used))


def scored(
    found: Mapping[str, Found], parts: Mapping[str, np.ndarray], made: Mapping[str, np.ndarray], total: float
) -> Scores:
    """Scores of every column, from noisy counts and made rows alone. parts : column -> (states,) groups"""
    ones = {c: np.eye(int(p.max()) + 1)[p[made[c]]] for c, p in parts.items()}
    white = {c: (one - one.mean(0)) / np.sqrt(np.maximum(one.mean(0), 1e-4)) for c, one in ones.items()}
    tables = []
    for c, own in found.items():
        counts = projected(own.counts, total)
        share = counts / counts.sum()
        if own.states.ordered:
            middle = np.cumsum(share) - share / 2 - 0.5
            raw = [middle, middle**2][:SCORED]
        else:
            others = np.hstack([w for other, w in white.items() if other != c])
            main = np.linalg.svd(white[c].T @ others)[0]
            many = min(SCORED, ones[c].shape[1] - 1)
            raw = list((main[:, :many] / np.sqrt(np.maximum(ones[c].mean(0), 1e-4))[:, None])[parts[c]].T)
        tables.append(np.round(UNIT * _standard(raw, share)).astype(np.int64))
    columns = tuple(found)
    square = sum((t[made[c]] ** 2).sum(1) for c, t in zip(columns, tables))
    return Scores(columns, tuple(tables), max(round(LIMIT * float(np.mean(square))), 1))


def _standard(raw: list[np.ndarray], share: np.ndarray) -> np.ndarray:
    """(states, scores): one after the other uncorrelated, with mean 0, variance 1 where ``share`` of rows has each state,
    and none far off."""
    done: list[np.ndarray] = []
    for own in raw:
        own = own - share @ own
        for other in done:
            own = own - (share * own) @ other / max(share @ other**2, 1e-9) * other
        own = np.clip(own / max(np.sqrt(share @ own**2), 1e-3), -_CAP, _CAP)
        done.append(own - share @ own)
    return np.array(done).T
