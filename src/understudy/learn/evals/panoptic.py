"""Panoptic quality: recognition and segmentation in one figure (Kirillov et al., *Panoptic segmentation*, CVPR 2019).

A found segment and a wanted one of the same class match where their IoU is above one half, so no two can match the same.
PQ of a class is the sum of the matches' IoUs over (matches + half of the found ones that match nothing + half of the wanted
ones that nothing matches); it is SQ (the matches' mean IoU) times RQ (an F1). PQ of a data set is the mean over its classes.

Pixels that are not labelled count for nobody: they are taken out of a found segment's area, and a found segment that matches
nothing is not held against it where more than half of it lies there, or on an ignored region of its class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from understudy.learn.evals.bootstrap import Figure, figure
from understudy.learn.evals.things import Ground

VOID = -1
"""The segment number of a pixel that is not labelled; 0 is a pixel of no segment."""
_LEFT = 0.5  # of a mask's area that better answers must leave for it to become a segment


@dataclass(frozen=True)
class Segments:
    """A picture in segments. numbers : (h, w) int32, 0 none, VOID; classes : {segment: class number from 1}; ignored :
    segments of the truth that are neither wanted nor punished (crowds)"""

    numbers: np.ndarray
    classes: Mapping[int, int]
    ignored: frozenset[int] = field(default=frozenset())


def counts(truth: Segments, found: Segments, classes: int) -> np.ndarray:
    """(classes, 4) float64 of one picture: sum of the matches' IoUs, matches, found ones too many, wanted ones missed."""
    table = np.zeros((classes, 4))
    wide = int(found.numbers.max(initial=0)) + 2  # VOID is -1
    pairs = np.bincount(((truth.numbers.astype(np.int64) + 1) * wide + found.numbers + 1).ravel())
    area_t, area_f, both = {}, {}, {}
    for code in np.flatnonzero(pairs).tolist():
        t, f, n = code // wide - 1, code % wide - 1, int(pairs[code])
        area_t[t], area_f[f] = area_t.get(t, 0) + n, area_f.get(f, 0) + n
        both[t, f] = n
    met_t, met_f = set(), set()
    for (t, f), n in both.items():
        if t not in truth.classes or f not in found.classes or t in truth.ignored or truth.classes[t] != found.classes[f]:
            continue
        iou = n / (area_t[t] + area_f[f] - n - both.get((VOID, f), 0))
        if iou > 0.5:
            table[truth.classes[t] - 1, :2] += (iou, 1)
            met_t.add(t)
            met_f.add(f)
    for f, c in found.classes.items():
        if f in met_f or f not in area_f:
            continue
        excused = both.get((VOID, f), 0) + sum(both.get((t, f), 0) for t in truth.ignored if truth.classes[t] == c)
        table[c - 1, 2] += excused / area_f[f] <= 0.5
    for t, c in truth.classes.items():
        table[c - 1, 3] += t not in met_t and t not in truth.ignored and t in area_t
    return table


def quality(tables: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float, float]:
    """(PQ, SQ, RQ), means over the classes that are wanted or found, of (n, classes, 4) pictures' counts, picture i counted
    ``weights[i]`` times. NaN where there is nothing at all."""
    whole = tables.sum(0) if weights is None else np.tensordot(np.asarray(weights, float), tables, 1)
    iou, right, wrong, missed = whole.T
    size = right + 0.5 * wrong + 0.5 * missed
    there = size > 0
    if not there.any():
        return float("nan"), float("nan"), float("nan")
    sq = np.divide(iou, right, out=np.zeros_like(iou), where=right > 0)[there]
    return float((iou[there] / size[there]).mean()), float(sq.mean()), float((right[there] / size[there]).mean())


def figures(tables: np.ndarray) -> dict[str, Figure]:
    """PQ, SQ and RQ with intervals over pictures."""
    return {name: figure(lambda w, i=i: quality(tables, w)[i], len(tables), draws=300)
            for i, name in enumerate(("PQ", "SQ", "RQ"))}


def of_map(classes: np.ndarray, unlabelled: int) -> Segments:
    """(h, w) uint8 class numbers, 0 the background: one segment for each class, as of stuff."""
    numbers = classes.astype(np.int32)
    numbers[classes == unlabelled] = VOID
    return Segments(numbers, {int(c): int(c) for c in np.unique(classes) if c not in (0, unlabelled)})


def of_things(ground: Ground, thresholds: Sequence[float]) -> np.ndarray:
    """(n, classes, 4) counts of each picture from COCO's masks: answers from their class's threshold on, the best first,
    where an answer gets the pixels that better ones left and is none where they left it less than half."""
    order = {c["id"]: i for i, c in enumerate(ground.categories, start=1)}
    by_picture = [{image["id"]: [] for image in ground.images} for _ in range(2)]
    for lists, entries in zip(by_picture, (ground.annotations, ground.answers)):
        for entry in entries:
            if entry["category_id"] in order:
                lists[entry["image_id"]].append(entry)
    tables = []
    for image in ground.images:
        size = image["height"], image["width"]
        wanted = sorted(by_picture[0][image["id"]], key=lambda a: -a["area"])  # small ones on top
        numbers, classes = np.zeros(size, np.int32), {}
        for n, entry in enumerate(wanted, start=1):
            numbers[_mask(entry)] = n
            classes[n] = order[entry["category_id"]]
        ignored = frozenset(n for n, entry in enumerate(wanted, start=1) if entry["iscrowd"])
        truth = Segments(numbers, classes, ignored)
        best = sorted(by_picture[1][image["id"]], key=lambda a: -a["score"])
        numbers, classes = np.zeros(size, np.int32), {}
        for n, entry in enumerate(best, start=1):
            if entry["score"] < thresholds[order[entry["category_id"]] - 1]:
                continue
            mask = _mask(entry)
            free = mask & (numbers == 0)
            if free.any() and free.sum() >= _LEFT * mask.sum():
                numbers[free] = n
                classes[n] = order[entry["category_id"]]
        tables.append(counts(truth, Segments(numbers, classes), len(order)))
    return np.stack(tables)


def _mask(entry: Mapping) -> np.ndarray:
    from pycocotools import mask as coco

    return coco.decode(dict(entry["segmentation"])).astype(bool)
