"""Attacks on made rows, each with a control: the same attack on people whom the model never saw.

Membership by nearness, and Anonymeter's three (Giomi et al., PETS 2023): singling out, linking, inferring an attribute. What
an attack reaches beyond its control is what the made rows give away of those behind the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from understudy.key import Key
from understudy.tables.measure import intervals

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.measure.lens import Lens

_BLOCK = 2000


@dataclass(frozen=True)
class Risk:
    """hits of n guesses about those behind the model and about the control; the risk beyond it with its 95 % interval."""

    hits: int
    control: int
    n: int
    risk: float
    low: float
    high: float


def nearest(points: np.ndarray, made: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) distances (squared) to the nearest made points, and which they are. points, made : (n, p), (m, p) float32."""
    square = (made**2).sum(1)
    distances, which = [], []
    for start in range(0, len(points), _BLOCK):
        own = points[start : start + _BLOCK]
        apart = square - 2 * own @ made.T
        apart += (own**2).sum(1)[:, None]
        at = np.argpartition(apart, k - 1, axis=1)[:, :k] if k > 1 else apart.argmin(1)[:, None]
        near = np.take_along_axis(apart, at, 1)
        order = np.argsort(near, axis=1)
        distances.append(np.take_along_axis(near, order, 1))
        which.append(np.take_along_axis(at, order, 1))
    return np.maximum(np.concatenate(distances), 0), np.concatenate(which)


def membership(
    lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table
) -> dict[str, tuple[float, float, float] | float]:
    """Members are called those nearest to a made row: area under the ROC curve with interval (0.5: no better than chance).

    Also the shares of exact and near copies (a distance below what one row in a hundred of the holdout has) of both.
    """
    points = lens.points(made)
    near = nearest(lens.points(train), points)[0][:, 0]
    far = nearest(lens.points(holdout), points)[0][:, 0]
    edge = float(np.quantile(far, 0.01))
    return {
        "auc": intervals.auc(-near, -far),
        "closer": float((near < np.median(far)).mean()),
        "exact": _copied(lens, train, made),
        "exact_control": _copied(lens, holdout, made),
        "near": float((near <= edge).mean()),
        "near_control": float((far <= edge).mean()),
    }


def _copied(lens: Lens, table: pa.Table, made: pa.Table) -> float:
    """Share of rows that a made row equals in every column."""
    known = {row.tobytes() for row in np.nan_to_num(_codes(lens, made), nan=-1e300)}
    return float(np.mean([row.tobytes() in known for row in np.nan_to_num(_codes(lens, table), nan=-1e300)]))


def singling_out(
    lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table, key: Key, guesses: int = 2000, width: int = 4
) -> Risk:
    """Statements true of exactly one made row ("job is X, age at least 71, income at most ..."), and how often they are true
    of exactly one real row. Half of the columns' own rare or extreme values alone, as far as there are any, then
    combinations of ``width`` columns."""
    tables = [_codes(lens, t) for t in (made, train, holdout)]
    middle = np.nanmedian(tables[0], axis=0)
    singles = _single_columns(tables[0], lens.numeric)
    order = key.child("singles").permutation(len(singles))[: guesses // 2]
    queries = [singles[i] for i in order]
    d, tried = len(lens.columns), 0
    while len(queries) < guesses and tried < 40 * guesses:
        u = (key.child("row", tried).uniforms(512) * len(tables[0])).astype(int)
        for n, row in enumerate(u.tolist()):
            columns = key.child("columns", tried, n).permutation(d)[: min(width, d)]
            query = tuple(
                (int(c), _side(lens.numeric[c], tables[0][row, c], middle[c]), float(tables[0][row, c])) for c in columns
            )
            if _matches(tables[0], query) == 1:
                queries.append(query)
            if len(queries) >= guesses:
                break
        tried += 512
    return _risk([_matches(tables[1], q) == 1 for q in queries], [_matches(tables[2], q) == 1 for q in queries])


def linkability(lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table, key: Key, targets: int = 2000) -> Risk:
    """Someone knows half of a person's columns, and elsewhere the other half of somebody's: does the same made row lie
    nearest to both? Then the two are linked."""
    order = key.child("halves").permutation(len(lens.columns))
    halves = [[lens.columns[i] for i in part] for part in (order[: len(order) // 2], order[len(order) // 2 :])]
    clouds = [lens.points(made, half) for half in halves]
    hits = []
    for table, name in ((train, "train"), (holdout, "holdout")):
        some = _some(table, key / name, targets)
        first, second = (nearest(lens.points(some, half), cloud)[1][:, 0] for half, cloud in zip(halves, clouds))
        hits.append((first == second).tolist())
    return _risk(*hits)


def inference(
    lens: Lens, train: pa.Table, holdout: pa.Table, made: pa.Table, secret: str, key: Key, targets: int = 2000
) -> Risk:
    """Someone knows all of a person but ``secret``, and takes it from the nearest made row; a quantity counts as found
    within a twentieth of it."""
    known = [c for c in lens.columns if c != secret]
    at = lens.columns.index(secret)
    cloud, answers = lens.points(made, known), _codes(lens, made)[:, at]
    hits = []
    for table, name in ((train, "train"), (holdout, "holdout")):
        some = _some(table, key / name, targets)
        guess = answers[nearest(lens.points(some, known), cloud)[1][:, 0]]
        truth = _codes(lens, some)[:, at]
        found = np.abs(guess - truth) <= 0.05 * np.abs(truth) if lens.numeric[at] else guess == truth
        hits.append((found | (np.isnan(guess) & np.isnan(truth))).tolist())
    return _risk(*hits)


def _some(table: pa.Table, key: Key, n: int) -> pa.Table:
    import pyarrow as pa

    return table.take(pa.array(key.permutation(table.num_rows)[:n]))


def _codes(lens: Lens, table: pa.Table) -> np.ndarray:
    return lens.features(table)[0]


def _side(numeric: bool, value: float, middle: float) -> str:
    if np.isnan(value):
        return "missing"
    return "is" if not numeric else ">=" if value >= middle else "<="


def _single_columns(made: np.ndarray, numeric: tuple[bool, ...]) -> list[tuple[tuple[int, str, float], ...]]:
    """Values that one made row has alone, and the least and greatest of quantities."""
    found = []
    for c in range(made.shape[1]):
        own = made[:, c][~np.isnan(made[:, c])]
        values, owners = np.unique(own, return_counts=True)
        found += [((c, "is", float(v)),) for v in values[owners == 1]]
        if numeric[c] and len(values):
            found += [((c, "<=", float(values[0])),), ((c, ">=", float(values[-1])),)]
    return found


def _matches(table: np.ndarray, query: tuple[tuple[int, str, float], ...]) -> int:
    """How many rows a statement is true of."""
    rows = None
    for column, side, value in query:
        own = table[:, column] if rows is None else table[rows, column]
        true = (
            np.isnan(own)
            if side == "missing"
            else own == value
            if side == "is"
            else own >= value
            if side == ">="
            else own <= value
        )
        rows = np.flatnonzero(true) if rows is None else rows[true]
        if not len(rows):
            return 0
    return 0 if rows is None else len(rows)


def _risk(attack: list[bool], control: list[bool]) -> Risk:
    hits, held = int(sum(attack)), int(sum(control))
    return Risk(hits, held, len(attack), *intervals.risk(hits, held, len(attack), len(control)))
