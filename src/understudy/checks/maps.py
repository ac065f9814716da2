"""Rules on whole-picture labels: depth, normals, ids, parts, DensePose."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from understudy.checks.exhibit import Exhibit, Rule, said
from understudy.checks.finding import Finding
from understudy.geometry.boxes import box_of_mask
from understudy.scene import PARTS


def depth(x: Exhibit) -> Iterator[Finding]:
    """Metres above 0 wherever an instance is seen; elsewhere a surface or inf, never nan."""
    array = x.record.maps.get("depth")
    if array is None:
        return
    if np.isnan(array).any() or (array <= 0).any():
        yield said(x, "depth", None, "a depth is not a number or not ahead of the camera", "above 0, or inf",
                   f"{int((np.isnan(array) | (array <= 0)).sum())} pixels")
        return
    for i in x.record.instances:
        if i.id in x.masks:
            holes = int((~np.isfinite(array[x.masks[i.id]])).sum())
            if holes:
                yield said(x, "depth", i, "seen, but without a depth", "finite depth", f"{holes} pixels of inf")


def normals(x: Exhibit) -> Iterator[Finding]:
    array = x.record.maps.get("normals")
    if array is None:
        return
    length = np.sqrt(sum(array[..., k] * array[..., k] for k in range(3)))
    wrong = ~((np.abs(length - 1) < 0.02) | (length == 0))
    if wrong.any():
        yield said(x, "normals", None, "a normal has another length than 1", "1, or 0 where there is nothing",
                   f"{float(length[wrong][0]):.3f} in {int(wrong.sum())} pixels")
    elif x.seen is not None and (length[x.seen] == 0).any():
        yield said(x, "normals", None, "seen, but without a normal", "unit vectors",
                   f"{int((length[x.seen] == 0).sum())} pixels of 0")


def instance_map(x: Exhibit) -> Iterator[Finding]:
    array = x.record.maps.get("instances")
    if array is None:
        return
    listed = {i.id for i in x.record.instances}
    flat = array.ravel()
    runs = np.flatnonzero(flat[1:] != flat[:-1]) + 1  # where another id begins: no sorting of all pixels
    mapped = {*flat[:1].tolist(), *flat[runs].tolist()} - {0}
    if mapped != listed:
        yield said(x, "instance-map", None, "the instance map and the list of instances differ", sorted(listed),
                   sorted(mapped))
        return
    for i in x.record.instances:
        if i.id in x.masks:
            off = np.count_nonzero((array == i.id) ^ x.masks[i.id])
            if off:
                yield said(x, "instance-map", i, "the instance map and the mask differ", "the same pixels",
                           f"{off} pixels differ")


def semantic_map(x: Exhibit) -> Iterator[Finding]:
    array = x.record.maps.get("semantic")
    if array is None:
        return
    if array.max(initial=0) > len(x.record.categories):
        yield said(x, "semantic-map", None, "the semantic map holds a category that is not listed",
                   f"0 to {len(x.record.categories)}", int(array.max()))
        return
    for i in x.record.instances:
        if i.id in x.masks:
            off = int((array[x.masks[i.id]] != i.category_id).sum())
            if off:
                yield said(x, "semantic-map", i, "the semantic map shows another category", i.category_id, f"{off} pixels")
    if x.seen is not None and (array[~x.seen] > 0).any():
        yield said(x, "semantic-map", None, "the semantic map shows a category where no instance is seen", 0,
                   f"{int((array[~x.seen] > 0).sum())} pixels")


def part_map(x: Exhibit) -> Iterator[Finding]:
    array = x.record.maps.get("parts")
    if array is None:
        return
    if array.max(initial=0) >= len(PARTS):
        yield said(x, "part-map", None, "the part map holds an unknown part", f"0 to {len(PARTS) - 1}", int(array.max()))
    elif x.seen is not None and ((array > 0) != x.seen).any():
        yield said(x, "part-map", None, "parts are not exactly where instances are seen", "the same pixels",
                   f"{int(((array > 0) != x.seen).sum())} pixels differ")


def densepose(x: Exhibit) -> Iterator[Finding]:
    w, h = x.record.picture.size_wh
    for i in x.record.instances:
        if i.densepose is None:
            continue
        x0, y0, x1, y1 = i.densepose.xyxy_px
        iuv = i.densepose.iuv
        if not (0 <= x0 < x1 <= w and 0 <= y0 < y1 <= h) or iuv.shape != (y1 - y0, x1 - x0, 3):
            yield said(x, "densepose", i, "the DensePose array does not fit its box", (y1 - y0, x1 - x0, 3), iuv.shape)
            continue
        chart = iuv[..., 0]
        if chart.max(initial=0) > 24:
            yield said(x, "densepose", i, "a DensePose chart is unknown", "0 to 24", int(chart.max()))
        if (iuv[chart == 0][:, 1:] > 0).any():
            yield said(x, "densepose", i, "surface coordinates where there is no chart", "u = v = 0")
        if i.id in x.masks:
            outside = int(((chart > 0) & ~x.masks[i.id][y0:y1, x0:x1]).sum())
            tight = box_of_mask(x.masks[i.id])
            if outside:
                yield said(x, "densepose", i, "a chart lies outside the mask", "0 pixels", outside)
            elif tight is not None and np.abs(np.subtract(tight, (x0, y0, x1, y1))).max() > x.tolerance.box_px:
                yield said(x, "densepose", i, "the DensePose box is not the mask's", tight, (x0, y0, x1, y1))


RULES = (
    Rule("depth", "depth is above 0, and finite wherever an instance is seen", depth),
    Rule("normals", "normal has length 1 wherever an instance is seen", normals),
    Rule("instance-map", "id of the instance map is listed, with the same pixels as its mask", instance_map),
    Rule("semantic-map", "pixel of the semantic map shows the category of the instance seen there", semantic_map),
    Rule("part-map", "pixel of an instance, and no other, has a part", part_map),
    Rule("densepose", "DensePose chart is 1 to 24, inside the mask, on the mask's box", densepose),
)
