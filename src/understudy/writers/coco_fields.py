"""Instances as COCO annotations, and back: masks, key points, DensePose.

Boxes are xywh in COCO, xyxy in records. ``understudy`` is the one key that holds what COCO has no field for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from understudy.record import DensePose, Instance, PointSet, Rle
from understudy.writers.files import number
from understudy.writers.points import WHOLE_BODY_PARTS

# DensePose's 24 charts fall into the 14 coarse parts of ``dp_masks``: torso, right hand, left hand, left foot, right foot,
# upper leg right, left, lower leg right, left, upper arm left, right, lower arm left, right, head.
COARSE_OF_CHART = np.array([0, 1, 1, 2, 3, 4, 5, 6, 7, 6, 7, 8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 14], np.uint8)
DP_MASK_SIZE = 256
DP_POINTS_ACROSS = 16  # points on the longer side of the regular grid; COCO's annotators placed about a hundred a person


def xywh(xyxy: Sequence[float]) -> list[float]:
    x0, y0, x1, y1 = (float(v) for v in xyxy)
    return [number(v) for v in (x0, y0, x1 - x0, y1 - y0)]


def rle_json(mask: Rle) -> dict:
    return {"size": [int(n) for n in mask.size_hw], "counts": mask.counts.decode("ascii")}


def rle_of(plain: Mapping[str, Any]) -> Rle:
    return Rle((int(plain["size"][0]), int(plain["size"][1])), plain["counts"].encode("ascii"))


def segmentation(mask: Rle, pixels: np.ndarray) -> list | dict:
    """Polygons where they say exactly the same as the mask (no hole), else the run-length code."""
    from understudy.geometry import polygons

    rings, holes = polygons.outlines(pixels)
    if holes or not np.array_equal(polygons.rasterise(rings, pixels.shape), pixels):
        return rle_json(mask)
    return [ring.ravel().tolist() for ring in rings]


def keypoints(xyv: np.ndarray) -> list[float]:
    """Flat x, y, v; a point with v = 0 is 0, 0, 0, as COCO defines."""
    kept = np.where(xyv[:, 2:] > 0, xyv, np.float32(0)).astype(np.float32)
    return [number(v) for v in kept.ravel().astype(str).astype(float).tolist()]


def whole_body_fields(xyv: np.ndarray) -> dict[str, Any]:
    """COCO-WholeBody's fields of the 133 points: the body's 17, then each part with its ``_valid`` and box."""
    fields: dict[str, Any] = {"keypoints": keypoints(xyv[:17]), "num_keypoints": int((xyv[:17, 2] > 0).sum())}
    for part, (first, last) in WHOLE_BODY_PARTS.items():
        points = xyv[first:last]
        labelled = points[points[:, 2] > 0]
        fields[f"{part}_valid"] = bool(len(labelled))
        fields[f"{part}_kpts"] = keypoints(points)
        if part != "foot":
            box = (*labelled[:, :2].min(axis=0), *labelled[:, :2].max(axis=0)) if len(labelled) else (0, 0, 0, 0)
            fields[f"{part}_box"] = xywh([float(str(v)) for v in box])
    return fields


def points_json(points: PointSet) -> dict[str, Any]:
    """What the standard fields leave out: where the points with v = 0 are, and the metric positions."""
    plain: dict[str, Any] = {"convention": points.convention}
    outside = {str(k): points.xyv[k, :2] for k in np.flatnonzero(points.xyv[:, 2] <= 0) if points.xyv[k, :2].any()}
    if outside:
        plain["outside"] = outside
    if points.xyz_m is not None:
        plain["xyz_m"] = np.asarray(points.xyz_m, np.float32).ravel()
    return plain


def points_of(plain: Mapping[str, Any], names: Sequence[str], flat: Sequence[float]) -> PointSet:
    """The point set back from :func:`points_json` and the standard field's flat x, y, v."""
    xyv = triples(flat)
    for k, xy in plain.get("outside", {}).items():
        xyv[int(k), :2] = xy
    xyz = plain.get("xyz_m")
    return PointSet(plain["convention"], tuple(names), xyv, None if xyz is None else triples(xyz))


def triples(flat: Sequence[float]) -> np.ndarray:
    """Three numbers a point: (k, 3) float32. ValueError where one is no finite number of that size."""
    with np.errstate(over="ignore"):
        points = np.array(flat, np.float32).reshape(-1, 3)
    if not np.isfinite(points).all():
        raise ValueError("a key point holds something that is no finite number")
    return points


def densepose_fields(densepose: DensePose, xyxy: Sequence[float]) -> dict[str, Any]:
    """COCO-DensePose's fields.

    dp_masks : 14 run-length codes, each 256 x 256 over the box (nearest sample; an absent part is [])
    dp_x, dp_y : points of a regular grid over the box, in [0, 255]: 255 * (pixel centre - box corner) / box side
    dp_I, dp_U, dp_V : chart 1-24 and coordinates in [0, 1] there (the record's 8 bits over 255)
    """
    bx, by = float(xyxy[0]), float(xyxy[1])
    bw, bh = float(xyxy[2]) - bx, float(xyxy[3]) - by
    x0, y0, x1, y1 = densepose.xyxy_px
    columns = np.clip(np.floor(bx + (np.arange(DP_MASK_SIZE) + 0.5) / DP_MASK_SIZE * bw - x0).astype(int), 0, x1 - x0 - 1)
    rows = np.clip(np.floor(by + (np.arange(DP_MASK_SIZE) + 0.5) / DP_MASK_SIZE * bh - y0).astype(int), 0, y1 - y0 - 1)
    coarse = COARSE_OF_CHART[densepose.iuv[..., 0]][np.ix_(rows, columns)]
    present = set(np.unique(coarse).tolist())
    masks = [rle_json(Rle.encode(coarse == part)) if part in present else [] for part in range(1, 15)]
    step = max(1, -(-max(x1 - x0, y1 - y0) // DP_POINTS_ACROSS))
    r, c = (g.ravel() for g in np.mgrid[step // 2:y1 - y0:step, step // 2:x1 - x0:step])
    on = densepose.iuv[r, c, 0] > 0
    r, c = r[on], c[on]
    chart, u, v = densepose.iuv[r, c].T
    return {
        "dp_masks": masks,
        "dp_I": [int(i) for i in chart],
        "dp_U": np.round(u / 255, 6).tolist(),
        "dp_V": np.round(v / 255, 6).tolist(),
        "dp_x": np.round(255 * (c + x0 + 0.5 - bx) / bw, 4).tolist(),
        "dp_y": np.round(255 * (r + y0 + 0.5 - by) / bh, 4).tolist(),
    }


def extras(instance: Instance) -> dict[str, Any]:
    """The ``understudy`` key of an annotation: what COCO has no field for. Absent facts are left out."""
    plain: dict[str, Any] = {"instance": instance.id}
    if instance.amodal_mask is not None:
        plain["amodal_segmentation"] = rle_json(instance.amodal_mask)
    if instance.amodal_xyxy_px is not None:
        plain["amodal_bbox"] = xywh(instance.amodal_xyxy_px)
    for name in ("visible_fraction", "truncation"):
        if getattr(instance, name) is not None:
            plain[name] = getattr(instance, name)
    if instance.attributes:
        plain["attributes"] = dict(instance.attributes)
    return plain
