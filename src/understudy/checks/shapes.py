"""Rules on the picture, boxes, masks, areas and fractions of one record."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from understudy.checks.exhibit import Exhibit, Rule, said, short
from understudy.checks.finding import Finding
from understudy.geometry.boxes import box_of_mask


def picture_decodes(x: Exhibit) -> Iterator[Finding]:
    if isinstance(x.pixels, str):
        yield said(x, "picture-unreadable", None, "the picture cannot be decoded", got=x.pixels)


def picture_size(x: Exhibit) -> Iterator[Finding]:
    if isinstance(x.pixels, str):
        return
    h, w = x.pixels.shape[:2]
    if (w, h) != tuple(x.record.picture.size_wh):
        yield said(x, "picture-size", None, "the picture has another size than its labels", short(x.record.picture.size_wh),
                   short((w, h)))


def mask_empty(x: Exhibit) -> Iterator[Finding]:
    for i in x.record.instances:
        if i.id in x.masks and not x.masks[i.id].any():
            yield said(x, "mask-empty", i, "the mask has no pixel")


def box_tight(x: Exhibit) -> Iterator[Finding]:
    yield from _tight(x, "box-tight", x.masks, "xyxy_px", "mask")


def amodal_box_tight(x: Exhibit) -> Iterator[Finding]:
    yield from _tight(x, "amodal-box-tight", x.amodal, "amodal_xyxy_px", "amodal mask")


def area(x: Exhibit) -> Iterator[Finding]:
    for i in x.record.instances:
        if i.id not in x.masks or i.area_px is None:
            continue
        count = int(x.masks[i.id].sum())
        if not math.isfinite(i.area_px) or abs(i.area_px - count) > max(0.5, x.tolerance.area * count):
            yield said(x, "area", i, "the area is not the mask's", count, f"{i.area_px:g}")


def masks_disjoint(x: Exhibit) -> Iterator[Finding]:
    if not x.tolerance.disjoint:
        return
    owner = np.zeros(x.record.picture.size_wh[::-1], np.int64)
    for i in x.record.instances:
        if i.id not in x.masks:
            continue
        shared = x.masks[i.id] & (owner > 0)
        if shared.any():
            other = int(owner[shared][0])
            yield said(x, "masks-disjoint", i, f"{int(shared.sum())} pixels belong to instance {other} as well",
                       "one instance for each pixel")
        owner[x.masks[i.id]] = i.id


def modal_in_amodal(x: Exhibit) -> Iterator[Finding]:
    for i in x.record.instances:
        if i.id in x.masks and i.id in x.amodal:
            outside = int((x.masks[i.id] & ~x.amodal[i.id]).sum())
            if outside:
                yield said(x, "modal-in-amodal", i, "what is seen lies outside the whole silhouette", "0 pixels outside",
                           outside)


def visible_fraction(x: Exhibit) -> Iterator[Finding]:
    for i in x.record.instances:
        if i.visible_fraction is None:
            continue
        if not 0 <= i.visible_fraction <= 1:
            yield said(x, "visible-fraction", i, "the visible fraction is no fraction", "0 to 1", i.visible_fraction)
        elif i.id in x.masks and i.id in x.amodal and x.amodal[i.id].any():
            ratio = x.masks[i.id].sum() / x.amodal[i.id].sum()
            if abs(min(ratio, 1.0) - i.visible_fraction) > x.tolerance.fraction:
                yield said(x, "visible-fraction", i, "the visible fraction is not seen area / amodal area", f"{ratio:.4f}",
                           f"{i.visible_fraction:.4f}")


def truncation(x: Exhibit) -> Iterator[Finding]:
    for i in x.record.instances:
        if i.truncation is None:
            continue
        if not 0 <= i.truncation <= 1:
            yield said(x, "truncation", i, "the truncation is no fraction", "0 to 1", i.truncation)
        elif i.truncation > 0.02 and i.id in x.amodal and x.amodal[i.id].any():
            whole = x.amodal[i.id]
            if not (whole[0].any() or whole[-1].any() or whole[:, 0].any() or whole[:, -1].any()):
                yield said(x, "truncation", i, "cut by the border without touching it", "0 or a silhouette at the border",
                           f"{i.truncation:.3f}")


def attributes(x: Exhibit) -> Iterator[Finding]:
    for i in x.record.instances:
        for name, value in i.attributes.items():
            if not isinstance(value, str | bool | int | float) or (isinstance(value, float) and not math.isfinite(value)):
                yield said(x, "attributes", i, f"attribute {name} is no finite number, text or truth value", got=repr(value))


def _tight(x: Exhibit, rule: str, masks: dict[int, np.ndarray], field: str, what: str) -> Iterator[Finding]:
    for i in x.record.instances:
        given = getattr(i, field)
        tight = box_of_mask(masks[i.id]) if i.id in masks else None
        if given is None or tight is None:
            continue
        off = np.abs(np.subtract(given, tight)).max()
        if not off <= x.tolerance.box_px:
            yield said(x, rule, i, f"the box is not tight around the {what}", short(tight), short(given))


RULES = (
    Rule("picture-unreadable", "picture can be decoded", picture_decodes),
    Rule("picture-size", "picture has the size that its labels say", picture_size),
    Rule("mask-empty", "mask has at least one pixel", mask_empty),
    Rule("box-tight", "box touches its mask on all four sides", box_tight),
    Rule("amodal-box-tight", "amodal box touches its amodal mask on all four sides", amodal_box_tight),
    Rule("area", "area is the number of the mask's pixels", area),
    Rule("masks-disjoint", "pixel belongs to one instance at most (labels made here)", masks_disjoint),
    Rule("modal-in-amodal", "modal mask lies within the amodal mask", modal_in_amodal),
    Rule("visible-fraction", "visible fraction is seen area / amodal area", visible_fraction),
    Rule("truncation", "truncation lies in [0, 1], and what is cut touches the border", truncation),
    Rule("attributes", "attribute is a finite number, a text or a truth value", attributes),
)
