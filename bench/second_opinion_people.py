"""Made people and what a second opinion found of them: the true points, the jobs for the peer, the distances."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from understudy.record import Instance
from understudy.writers import read

# MediaPipe's 468 -> iBUG's 68, by meaning
IBUG = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
        71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
        33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
        61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87)
# BlazePose's 33 -> COCO's 17
COCO = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
_INNER = slice(17, 68)  # without the jaw, whose points are no corners of anything
_LEAST_FACE_PX, _LEAST_BODY_PX, _LEAST_HAND_PX, _LEAST_HAND_SEEN = 24.0, 48.0, 32.0, 16
_HANDS = {"left": slice(91, 112), "right": slice(112, 133)}  # of the 133; MediaPipe's 21 are in the same order


@dataclass(frozen=True)
class Hand:
    """One made hand. marks : (21, 2) true points, pixels; found : (21, 2) what was found, or None"""

    side: str
    marks: np.ndarray
    found: np.ndarray | None = None

    @property
    def box(self) -> list[float]:
        return [*map(float, self.marks.min(0)), *map(float, self.marks.max(0))]

    @property
    def size(self) -> float:
        return float(np.ptp(self.marks, axis=0).max())

    @property
    def error(self) -> float | None:
        return None if self.found is None else float(np.linalg.norm(self.found - self.marks, axis=1).mean() / self.size)


@dataclass(frozen=True)
class Person:
    """One made person and what was found, in pixels.

    face, body : true boxes, None where there is nothing to ask; marks : (68, 2) iBUG; coco : (17, 2), seen : (17,) bool
    """

    record: int
    group: dict[str, str]
    face: list[float] | None
    body: list[float] | None
    marks: np.ndarray
    coco: np.ndarray
    seen: np.ndarray
    detected: bool = False
    face_marks: np.ndarray | None = None
    body_marks: np.ndarray | None = None
    hands: tuple[Hand, ...] = ()

    @property
    def face_error(self) -> float | None:
        if self.face_marks is None:
            return None
        scale = np.linalg.norm(self.marks[36] - self.marks[45])
        return float(np.linalg.norm(self.face_marks - self.marks, axis=1)[_INNER].mean() / scale)

    @property
    def body_error(self) -> float | None:
        if self.body_marks is None or not self.seen.any():
            return None
        return float(np.linalg.norm(self.body_marks - self.coco, axis=1)[self.seen].mean() / trunk_px(self.coco))


def trunk_px(coco: np.ndarray) -> float:
    """Distance from the middle of the shoulders to the middle of the hips, (17, 2) -> pixels."""
    return float(np.linalg.norm(coco[5:7].mean(0) - coco[11:13].mean(0)))


def groups_of(instance: Instance) -> dict[str, str]:
    """The groups that a person is counted in."""
    facts = instance.attributes
    age, tone = float(facts.get("age", -1)), int(facts.get("skin_tone", 0))
    bands = ((3, "0-2"), (13, "3-12"), (31, "13-30"), (61, "31-60"), (200, "61+"))
    tones = ((3, "1-3"), (6, "4-6"), (8, "7-8"), (10, "9-10"))
    return {"age": next(name for most, name in bands if age < most),
            "skin tone": next(name for most, name in tones if tone <= most),
            "gender": str(facts.get("gender", "?")), "hair": str(facts.get("hair", "?"))}


def person(record: int, instance: Instance, size_wh: tuple[int, int]) -> Person | None:
    """What is asked about a person, or None where its points are not all kept."""
    points = {p.convention: p.xyv for p in instance.points}
    if "coco_wholebody_133" not in points:
        return None
    whole = points["coco_wholebody_133"]
    coco, marks = whole[:17], whole[23:91]
    inside = (marks[:, :2] >= 0).all() and (marks[:, :2] < size_wh).all()
    looks = (marks[[36, 39, 42, 45, 30, 48, 54], 2] == 2).all() and inside
    low, high = marks[17:, :2].min(0), marks[17:, :2].max(0)
    chin = marks[8, 1]
    face = [float(low[0]), float(low[1]), float(high[0]), float(max(high[1], chin))]
    wide, tall = face[2] - face[0], face[3] - face[1]
    face = [face[0] - 0.15 * wide, face[1] - 0.1 * tall, face[2] + 0.15 * wide, face[3]] if looks else None
    if face is not None and face[3] - face[1] < _LEAST_FACE_PX:
        face = None
    x0, y0, x1, y1 = instance.xyxy_px
    whole_body = (coco[:, 2] >= 1).all() and y1 - y0 >= _LEAST_BODY_PX
    body = [float(v) for v in (x0, y0, x1, y1)] if whole_body else None
    hands = tuple(hand for side, rows in _HANDS.items() if (hand := asked_hand(side, whole[rows], size_wh)) is not None)
    if face is None and body is None and not hands:
        return None
    return Person(record, groups_of(instance), face, body, marks[:, :2].astype(float), coco[:, :2].astype(float),
                  coco[:, 2] == 2, hands=hands)


def asked_hand(side: str, points: np.ndarray, size_wh: tuple[int, int]) -> Hand | None:
    """A hand, from its (21, 3) points, or None where too little of it is seen."""
    inside = (points[:, 2] > 0).all() and (points[:, :2] >= 0).all() and (points[:, :2] < size_wh).all()
    hand = Hand(side, points[:, :2].astype(float))
    return hand if inside and (points[:, 2] == 2).sum() >= _LEAST_HAND_SEEN and hand.size >= _LEAST_HAND_PX else None


def asked(dataset: Path, most: int, folder: Path) -> tuple[list[list[Person]], list[dict]]:
    """People by picture, and the jobs for the peer; pictures are written to ``folder``."""
    people, jobs = [], []
    for record in read(dataset):
        if len(people) >= most:
            break
        here = [p for i in record.instances if (p := person(record.index, i, record.picture.size_wh)) is not None]
        if not here:
            continue
        path = folder / f"{record.index}{record.picture.suffix}"
        path.write_bytes(record.picture.data)
        people.append(here)
        jobs.append({"path": str(path), "people": [{"face": p.face, "body": p.body, "hands": [h.box for h in p.hands]}
                                                       for p in here]})
    return people, jobs


def overlap(a: Iterable[float], b: Iterable[float]) -> float:
    """Intersection over union of two xyxy boxes."""
    (ax, ay, aX, aY), (bx, by, bX, bY) = a, b
    common = max(0.0, min(aX, bX) - max(ax, bx)) * max(0.0, min(aY, bY) - max(ay, by))
    return common / ((aX - ax) * (aY - ay) + (bX - bx) * (bY - by) - common)


def answered(people: list[list[Person]], answers: list[dict]) -> list[Person]:
    """The people with what the peer found."""
    out = []
    for here, answer in zip(people, answers, strict=True):
        for one, got in zip(here, answer["people"], strict=True):
            hit = one.face is not None and any(overlap(one.face, box[:4]) > 0.3 for box in answer["faces"])
            face = None if got["face"] is None else np.array(got["face"])[list(IBUG)]
            body = None if got["body"] is None else np.array(got["body"])[list(COCO)]
            hands = tuple(replace(hand, found=None if marks is None else np.array(marks))
                          for hand, marks in zip(one.hands, got["hands"], strict=True))
            out.append(replace(one, detected=hit, face_marks=face, body_marks=body, hands=hands))
    return out
