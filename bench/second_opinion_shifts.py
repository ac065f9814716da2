"""Where a second opinion's landmarks lie beside ours on average, in the body's own axes: conventions, not mistakes."""

from __future__ import annotations

import numpy as np
from second_opinion_people import Person

_REGIONS = {"brows": range(17, 27), "nose": range(27, 36), "eyes": range(36, 48), "lips": range(48, 68), "jaw": range(17)}
_FINGERS = {"wrist": range(1), **{name: range(1 + 4 * k, 5 + 4 * k)
                                  for k, name in enumerate(("thumb", "index", "middle", "ring", "little"))}}


def shifts(people: list[Person]) -> dict[str, tuple[float, float, float]]:
    """Mean offset of theirs from ours by region in the face's own axes (along the eyes, down), over the eyes' distance, and
    the error that is left without it."""
    offsets = []
    for p in people:
        if p.face_marks is None:
            continue
        along = p.marks[45] - p.marks[36]
        scale = np.linalg.norm(along)
        along = along / scale
        axes = np.stack([along, [-along[1], along[0]]])
        offsets.append((p.face_marks - p.marks) @ axes.T / scale)
    return _by_region(offsets, _REGIONS)


def finger_shifts(people: list[Person]) -> dict[str, tuple[float, float, float]]:
    """Mean offset of theirs from ours by finger in the hand's own axes (from the wrist to the middle finger's knuckle, and
    towards the thumb), over the hand's size, and the error that is left without it. Hands found within a quarter of their
    size alone: the others were taken for something else."""
    offsets = []
    for hand in (h for p in people for h in p.hands if h.error is not None and h.error < 0.25):
        out = hand.marks[9] - hand.marks[0]
        out = out / max(float(np.linalg.norm(out)), 1e-6)
        across = np.array([-out[1], out[0]])
        across = across if across @ (hand.marks[5] - hand.marks[17]) > 0 else -across
        offsets.append((hand.found - hand.marks) @ np.stack([out, across]).T / hand.size)
    return _by_region(offsets, _FINGERS)


def _by_region(offsets: list[np.ndarray], regions: dict[str, range]) -> dict[str, tuple[float, float, float]]:
    """Of (points, 2) offsets, one a person: each region's mean along both axes, and the mean length that is left."""
    if not offsets:
        return {}
    table = np.array(offsets)
    mean = table.mean(0)
    left = np.linalg.norm(table - mean, axis=2).mean(0)
    return {name: (float(mean[list(r), 0].mean()), float(mean[list(r), 1].mean()), float(left[list(r)].mean()))
            for name, r in regions.items()}


def joint_shifts(people: list[Person]) -> dict[str, tuple[float, float, float]]:
    """Median offset of theirs from ours by pair of joints, over the trunk's length: outwards (to the joint's own side) and
    down the trunk; and the error that is left without it. Bodies seen from the front or the back alone."""
    names = ("shoulders", "elbows", "wrists", "hips", "knees", "ankles")
    pairs = {name: (5 + 2 * k, 6 + 2 * k) for k, name in enumerate(names)}
    offsets: dict[str, list[np.ndarray]] = {name: [] for name in pairs}
    for p in people:
        if p.body_marks is None:
            continue
        down = p.coco[11:13].mean(0) - p.coco[5:7].mean(0)
        size = float(np.linalg.norm(down))
        across = p.coco[5] - p.coco[6]  # towards the subject's left
        if size < 1 or np.linalg.norm(across) < 0.35 * size:  # seen from the side, outwards is no direction
            continue
        across = across - down * (across @ down) / size**2
        axes = np.stack([across / np.linalg.norm(across), down / size])
        for name, (left, right) in pairs.items():
            for joint, sign in ((left, 1), (right, -1)):
                if p.seen[joint]:
                    offsets[name].append(axes @ (p.body_marks[joint] - p.coco[joint]) / size * [sign, 1])
    out = {}
    for name, rows in offsets.items():
        if rows:
            middle = np.median(rows, axis=0)
            out[name] = (float(middle[0]), float(middle[1]), float(np.median(np.linalg.norm(rows - middle, axis=1))))
    return out
