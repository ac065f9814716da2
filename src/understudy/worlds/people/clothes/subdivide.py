"""Catmull-Clark subdivision as a matrix: the smoother, finer mesh of cloth over the coarse helper mesh.

Catmull and Clark, *Recursively generated B-spline surfaces on arbitrary topological meshes* (1978), with the usual border
rule (a border stays a cubic spline of its own). Topology never changes between figures, so the scheme is worked out once
and then applied to any figure's vertices, or to their skinning weights, as one sparse product.
"""

from __future__ import annotations

import numpy as np


def catmull_clark(quads: np.ndarray, count: int):
    """One step. quads : (m, 4) indices below ``count``.

    Returns (stencil, quads, parent): a (n, count) sparse CSR matrix whose rows sum to 1, the (4 m, 4) new quads over its
    rows, and for each the quad that it came from. Rows 0..count-1 are the moved old vertices (unused ones stay).
    """
    from scipy.sparse import coo_matrix, csr_matrix, identity, vstack

    m = len(quads)
    at_face = coo_matrix((np.full(4 * m, 0.25), (np.repeat(np.arange(m), 4), quads.ravel())), (m, count)).tocsr()
    ends = np.stack([quads, np.roll(quads, -1, 1)], -1).reshape(-1, 2)
    edges, edge_of = np.unique(np.sort(ends, 1), axis=0, return_inverse=True)
    edge_of = edge_of.reshape(m, 4)
    k = len(edges)
    middle = coo_matrix((np.full(2 * k, 0.5), (np.repeat(np.arange(k), 2), edges.ravel())), (k, count)).tocsr()
    beside = coo_matrix((np.ones(4 * m), (edge_of.ravel(), np.repeat(np.arange(m), 4))), (k, m)).tocsr()
    faces_beside = np.asarray(beside.sum(1)).ravel()
    inner = faces_beside == 2
    at_edge = _scale(np.where(inner, 0.5, 1.0)) @ middle + _scale(np.where(inner, 0.25, 0.0)) @ beside @ at_face

    valence = np.bincount(edges.ravel(), minlength=count)
    border_edges = edges[~inner]
    on_border = np.zeros(count, bool)
    on_border[border_edges.ravel()] = True
    used = valence > 0
    around_faces = coo_matrix((np.ones(4 * m), (quads.ravel(), np.repeat(np.arange(m), 4))), (count, m)).tocsr()
    around_edges = coo_matrix((np.ones(2 * k), (edges.ravel(), np.repeat(np.arange(k), 2))), (count, k)).tocsr()
    n = np.maximum(valence, 1).astype(float)
    free = used & ~on_border
    eye = identity(count, format="csr")
    moved = (_scale(np.where(free, 1 / n**2, 0)) @ around_faces @ at_face
             + _scale(np.where(free, 2 / n**2, 0)) @ around_edges @ middle
             + _scale(np.where(free, (n - 3) / n, 0)) @ eye)
    border = coo_matrix((np.full(2 * len(border_edges), 0.125), (border_edges.ravel(), border_edges[:, ::-1].ravel())),
                        (count, count)).tocsr()
    moved = moved + border + _scale(np.where(on_border, 0.75, 0)) @ eye + _scale(np.where(used, 0, 1.0)) @ eye
    e, f = count + edge_of, count + k + np.arange(m)[:, None]
    before = np.roll(e, 1, 1)
    fine = np.stack([quads, e, np.broadcast_to(f, quads.shape), before], -1).reshape(-1, 4)
    return csr_matrix(vstack([moved, at_edge, at_face])), fine, np.repeat(np.arange(m), 4)


def _scale(weights: np.ndarray):
    from scipy.sparse import diags

    return diags(weights, format="csr")
