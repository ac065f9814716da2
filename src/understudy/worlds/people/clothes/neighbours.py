"""Who lies beside whom on a triangle mesh: its edges, its border, and means of neighbours as sparse matrices."""

from __future__ import annotations

import numpy as np


def on_border(faces: np.ndarray, n: int) -> np.ndarray:
    """(n,) bool: the ends of edges that one face has to itself."""
    edges, times = edges_of(faces)
    border = np.zeros(n, bool)
    border[edges[times == 1].ravel()] = True
    return border


def edges_of(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, 2) edges, the smaller end first, and how many faces have each."""
    first, second = (faces[:, [k, (k + 1) % 3, (k + 2) % 3]].T.ravel().astype(np.int64) for k in (0, 1))
    beyond = int(faces.max(initial=0)) + 1
    keys, times = np.unique(np.minimum(first, second) * beyond + np.maximum(first, second), return_counts=True)
    return np.stack(np.divmod(keys, beyond), axis=1), times


def neighbour_average(faces: np.ndarray, n: int, xyz: np.ndarray | None = None):
    """(n, n) sparse: the mean of a vertex's neighbours; on a border, of its neighbours on the border.

    With (n, 3) places the mean is weighted by mean value coordinates (Floater, *Mean value coordinates*, 2003), which leaves
    a vertex of a flat mesh where it is, however unevenly its neighbours lie: cloth is smoothed without sliding over itself.
    """
    edges, times = edges_of(faces)
    border = on_border(faces, n)
    if xyz is None:
        pairs, weight = np.concatenate([edges, edges[:, ::-1]]), None
        single = np.concatenate([times, times]) == 1
    else:
        pairs, weight = _mean_value(faces, np.asarray(xyz, float))
        ordered = np.sort(pairs, 1)
        single = np.isin(ordered[:, 0] * n + ordered[:, 1], (edges @ [n, 1])[times == 1])
    kept = ~border[pairs[:, 0]] | single
    return pair_average(pairs[kept], n, None if weight is None else weight[kept])


def _mean_value(faces: np.ndarray, xyz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(6 m, 2) pairs of neighbours, twice where two faces share them, and what each face adds to the pair's weight."""
    pairs, weights = [], []
    for k in range(3):
        here, right, left = (faces[:, (k + turn) % 3] for turn in range(3))
        a, b = xyz[right] - xyz[here], xyz[left] - xyz[here]
        la, lb = (np.maximum(np.linalg.norm(x, axis=1), 1e-9) for x in (a, b))
        half = np.tan(0.5 * np.arccos(np.clip((a * b).sum(1) / (la * lb), -0.999, 0.999)))
        pairs += [np.stack([here, right], 1), np.stack([here, left], 1)]
        weights += [half / la, half / lb]
    return np.concatenate(pairs), np.concatenate(weights)


def pair_average(pairs: np.ndarray, n: int, weight: np.ndarray | None = None):
    """(n, n) sparse: of each first of (k, 2) pairs, the mean of its seconds, each with its (k,) weight."""
    from scipy.sparse import coo_matrix, diags

    weight = np.ones(len(pairs)) if weight is None else weight
    graph = coo_matrix((weight, (pairs[:, 0], pairs[:, 1])), (n, n)).tocsr()
    total = np.asarray(graph.sum(1)).ravel()
    return (diags(1 / np.where(total > 0, total, 1)) @ graph).tocsr()
