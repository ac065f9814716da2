"""How deep a posed body runs into itself: every part of it against every other that it is not joined to."""

from __future__ import annotations

from functools import cache

import numpy as np

from understudy.worlds.people.body import BODY_VERTICES, REGIONS, PosedBody, model, vertex_normals

# Parts that are joined, whose skin touches in every body.
_JOINED = {frozenset(pair) for pair in (("head", "neck"), ("neck", "torso"), ("head", "torso"))} | {
    frozenset(f"{part}.{side}" if part != "torso" else part for part in pair) for side in "LR" for pair in
    (("torso", "upper_arm"), ("upper_arm", "lower_arm"), ("lower_arm", "hand"), ("torso", "upper_leg"),
     ("upper_leg", "lower_leg"), ("lower_leg", "foot"))}
_REACH_M = 0.08


@cache
def _parts() -> dict[str, np.ndarray]:
    """Skin vertices of each part; of the thighs and the trunk those that are no part of the crotch or the armpit."""
    m = model()
    region = m.region[:BODY_VERTICES]
    hip = m.weights[:BODY_VERTICES][:, [m.bone(f"{b}.{s}") for b in ("pelvis", "upperleg01") for s in "LR"]]
    both = (hip[:, 0::2].sum(axis=1) > 0.02) & (hip[:, 1::2].sum(axis=1) > 0.02)
    return {name: np.flatnonzero((region == i) & ~both) for i, name in enumerate(REGIONS) if name != "none"}


def self_depth(body: PosedBody) -> tuple[float, str]:
    """(metres, which parts): the deepest that a vertex of one part lies under the skin of another, 0 where none does.

    Depth is measured along the normal of the nearest vertex of the other part.
    """
    from scipy.spatial import cKDTree

    skin = body.vertices[:BODY_VERTICES]
    normals = vertex_normals(body.vertices, model().mesh("body").base_faces)
    parts = _parts()
    low = {name: skin[rows].min(axis=0) for name, rows in parts.items()}
    high = {name: skin[rows].max(axis=0) for name, rows in parts.items()}
    trees = {name: cKDTree(skin[rows]) for name, rows in parts.items()}
    worst, where = 0.0, ""
    for a in parts:
        for b in parts:
            if a == b or frozenset((a, b)) in _JOINED or (low[a] > high[b]).any() or (low[b] > high[a]).any():
                continue
            points = skin[parts[a]]
            points = points[((points >= low[b]) & (points <= high[b])).all(axis=1)]
            if not len(points):
                continue
            distance, nearest = trees[b].query(points, distance_upper_bound=_REACH_M)
            close = np.isfinite(distance)
            if not close.any():
                continue
            rows = parts[b][nearest[close]]
            way = points[close] - skin[rows]
            under = -np.einsum("ij,ij->i", way, normals[rows])
            beside = under < 0.5 * distance[close]  # past an edge of the part, not under its skin
            depth = float(np.where(beside, 0, under).max(initial=0.0))
            if depth > worst:
                worst, where = depth, f"{a} in {b}"
    return worst, where
