"""A second opinion on made people, from models trained on real ones: MediaPipe's faces, face mesh, poses, hands.

    python bench/second_opinion.py DATASET --python MEDIAPIPE_PYTHON [--most N] [--sheet WORST.png] [--json OUT.json]

DATASET is a folder that Understudy reads, with the 133 whole-body key points. MEDIAPIPE_PYTHON is the Python of an
environment of its own with ``mediapipe==0.10.21``, whose package carries its models.

* Detection: a face that looks at the camera (both eyes, nose and mouth seen, at least 24 pixels high) counts as found when
  a box of either face detector covers it (intersection over union above 0.3).
* Face error: mean distance of 51 landmarks (brows, nose, eyes, lips) over the distance of the outer corners of the eyes.
* Body error: mean distance of the seen points of COCO's 17 over the distance from shoulders to hips.
* Hands: those of which at least 16 of 21 points are seen, at least 32 pixels across; their error is the mean distance of the 21 over the larger side of the points' box.

A low detection rate means that the people do not look like people; a landmark that is always shifted one way means that the
conventions differ: the mean shifts are printed. Rates have Wilson 95 % intervals; the worst ten go onto a sheet, ours green
and theirs red.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import tempfile
from collections.abc import Callable, Iterable
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
_REGIONS = {"brows": range(17, 27), "nose": range(27, 36), "eyes": range(36, 48), "lips": range(48, 68), "jaw": range(17)}
_LEAST_FACE_PX, _LEAST_BODY_PX, _LEAST_HAND_PX, _LEAST_HAND_SEEN = 24.0, 48.0, 32.0, 16
_HANDS = {"left": slice(91, 112), "right": slice(112, 133)}  # of the 133; MediaPipe's 21 are in the same order
_FINGERS = {"wrist": range(1), **{name: range(1 + 4 * k, 5 + 4 * k)
                                  for k, name in enumerate(("thumb", "index", "middle", "ring", "little"))}}


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


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a rate (Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


def overlap(a: Iterable[float], b: Iterable[float]) -> float:
    """Intersection over union of two xyxy boxes."""
    (ax, ay, aX, aY), (bx, by, bX, bY) = a, b
    common = max(0.0, min(aX, bX) - max(ax, bx)) * max(0.0, min(aY, bY) - max(ay, by))
    return common / ((aX - ax) * (aY - ay) + (bX - bx) * (bY - by) - common)


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
    inside = (points[:, :2] >= 0).all() and (points[:, :2] < size_wh).all()
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


def report(people: list[Person]) -> dict:
    """Figures for all and for each group."""
    out = {"all": figures(people)}
    for kind in ("skin tone", "age", "gender", "hair"):
        for name in sorted({p.group[kind] for p in people}):
            out[f"{kind} {name}"] = figures([p for p in people if p.group[kind] == name])
    return out


def figures(people: list[Person]) -> dict:
    faces, bodies = [p for p in people if p.face is not None], [p for p in people if p.body is not None]
    hands = [h for p in people for h in p.hands]
    row: dict = {"faces": len(faces), "bodies": len(bodies), "hands": len(hands)}
    for name, of, hit in (("face_detected", faces, lambda p: p.detected),
                          ("face_mesh", faces, lambda p: p.face_marks is not None),
                          ("pose", bodies, lambda p: p.body_marks is not None),
                          ("hand", hands, lambda h: h.found is not None)):
        hits = sum(map(hit, of))
        row[name] = {"hits": hits, "of": len(of), "interval": wilson(hits, len(of))}
    row["face_error"] = spread([p.face_error for p in faces])
    row["body_error"] = spread([p.body_error for p in bodies])
    row["hand_error"] = spread([h.error for h in hands])
    return row


def spread(values: list[float | None]) -> dict | None:
    """Median with the distribution-free 95 % interval of it, and the 90th percentile."""
    known = np.sort([v for v in values if v is not None])
    n = len(known)
    if n == 0:
        return None
    reach = 0.98 * math.sqrt(n)
    low, high = max(0, math.floor(n / 2 - reach)), min(n - 1, math.ceil(n / 2 + reach))
    return {"median": float(np.median(known)), "interval": (float(known[low]), float(known[high])),
            "p90": float(np.percentile(known, 90)), "n": n}


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
    if not offsets:
        return {}
    table = np.array(offsets)
    mean = table.mean(0)
    left = np.linalg.norm(table - mean, axis=2).mean(0)
    return {name: (float(mean[list(r), 0].mean()), float(mean[list(r), 1].mean()), float(left[list(r)].mean()))
            for name, r in _REGIONS.items()}


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
    if not offsets:
        return {}
    table = np.array(offsets)
    mean = table.mean(0)
    left = np.linalg.norm(table - mean, axis=2).mean(0)
    return {name: (float(mean[list(r), 0].mean()), float(mean[list(r), 1].mean()), float(left[list(r)].mean()))
            for name, r in _FINGERS.items()}


def joint_shifts(people: list[Person]) -> dict[str, tuple[float, float, float]]:
    """Mean offset of theirs from ours by pair of joints, in pixels over the trunk's: outwards (to the joint's own side, across
    the trunk) and down along it; and the error that is left without it."""
    pairs = {name: (5 + 2 * k, 6 + 2 * k) for k, name in enumerate(("shoulders", "elbows", "wrists", "hips", "knees", "ankles"))}
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
    return {name: (float(np.median(a[:, 0])), float(np.median(a[:, 1])), float(np.median(np.linalg.norm(a - np.median(a, 0), axis=1))))
            for name, rows in offsets.items() if rows for a in (np.array(rows),)}


def sheet(people: list[Person], dataset: Path, path: Path, count: int = 10) -> None:
    """The worst: faces not detected first, then by face error, then by body error."""
    import cv2

    def badness(p: Person) -> float:
        if p.face is not None:
            return (10.0 if not p.detected else 0.0) + (5.0 if p.face_marks is None else p.face_error)
        return 2.0 if p.body_marks is None else (p.body_error or 0.0)

    worst = sorted((p for p in people if p.face or p.body), key=badness, reverse=True)[:count]
    wanted = {p.record for p in worst}
    images = {r.index: cv2.imdecode(np.frombuffer(r.picture.data, np.uint8), 1) for r in read(dataset) if r.index in wanted}
    tiles = []
    for p in worst:
        image = images[p.record]
        x0, y0, x1, y1 = p.face or p.body
        side = max(x1 - x0, y1 - y0) * (2.0 if p.face else 1.2)
        x0, y0, scale = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2, 320 / side
        tile = cv2.warpAffine(image, np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]]), (320, 320))
        theirs = p.face_marks if p.face else p.body_marks
        for points, colour in ((p.marks if p.face else p.coco, (0, 220, 0)), (theirs, (0, 0, 255))):
            for x, y in () if points is None else (points - (x0, y0)) * scale:
                cv2.circle(tile, (round(x), round(y)), 2, colour, -1, cv2.LINE_AA)
        text = f"{p.record} tone {p.group['skin tone']} age {p.group['age']} {p.group['hair']} {badness(p):.2f}"
        cv2.putText(tile, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.zeros((320, 320, 3), np.uint8)] * (-len(tiles) % 5)
    cv2.imwrite(str(path), np.concatenate([np.concatenate(tiles[i:i + 5], 1) for i in range(0, len(tiles), 5)]))


def hand_sheet(people: list[Person], dataset: Path, path: Path, count: int = 10) -> None:
    """The worst hands: those not found first, then by error."""
    import cv2

    def badness(hand: Hand) -> float:
        return 9.0 if hand.error is None else hand.error

    worst = sorted(((p, h) for p in people for h in p.hands), key=lambda one: badness(one[1]), reverse=True)[:count]
    wanted = {p.record for p, _ in worst}
    images = {r.index: cv2.imdecode(np.frombuffer(r.picture.data, np.uint8), 1) for r in read(dataset) if r.index in wanted}
    tiles = []
    for p, hand in worst:
        side = 2.0 * hand.size
        low, scale = hand.marks.min(0) / 2 + hand.marks.max(0) / 2 - side / 2, 320 / side
        tile = cv2.warpAffine(images[p.record], np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]]), (320, 320))
        for points, colour in ((hand.marks, (0, 220, 0)), (hand.found, (0, 0, 255))):
            for x, y in () if points is None else (points - low) * scale:
                cv2.circle(tile, (round(x), round(y)), 2, colour, -1, cv2.LINE_AA)
        text = f"{p.record} {hand.side} tone {p.group['skin tone']} {badness(hand):.2f}"
        cv2.putText(tile, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.zeros((320, 320, 3), np.uint8)] * (-len(tiles) % 5)
    cv2.imwrite(str(path), np.concatenate([np.concatenate(tiles[i:i + 5], 1) for i in range(0, len(tiles), 5)]))


def line(name: str, row: dict) -> str:
    def rate(key: str) -> str:
        one = row[key]
        if not one["of"]:
            return "-"
        return f"{one['hits'] / one['of']:.0%} [{one['interval'][0]:.0%}, {one['interval'][1]:.0%}] of {one['of']}"

    def error(key: str) -> str:
        one = row[key]
        return "-" if one is None else f"{one['median']:.3f} [{one['interval'][0]:.3f}, {one['interval'][1]:.3f}]"

    cells = (rate("face_detected"), rate("face_mesh"), error("face_error"), rate("pose"), error("body_error"),
             rate("hand"), error("hand_error"))
    return " | ".join((name, *cells))


def second_opinion(dataset: Path, python: str, most: int, say: Callable[[str], None] = print) -> tuple[dict, list[Person]]:
    with tempfile.TemporaryDirectory() as folder:
        people, jobs = asked(dataset, most, Path(folder))
        (Path(folder) / "jobs.json").write_text(json.dumps(jobs))
        peer = Path(__file__).with_name("second_opinion_peer.py")
        command = [python, str(peer), f"{folder}/jobs.json", f"{folder}/out.json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the peer failed ({python}): {done.stderr[-800:]}")
        found = answered(people, json.loads((Path(folder) / "out.json").read_text()))
    figures_ = report(found)
    say("group | face detected | face mesh found | face error | pose found | body error | hands found | hand error")
    for name, row in figures_.items():
        say(line(name, row))
    for region, (x, y, left) in shifts(found).items():
        say(f"shift of {region}: {x:+.3f} along the eyes, {y:+.3f} down; left without it {left:.3f}")
    for finger, (x, y, left) in finger_shifts(found).items():
        say(f"shift of {finger}: {x:+.3f} outwards, {y:+.3f} towards the thumb; left without it {left:.3f}")
    for joint, (x, y, left) in joint_shifts(found).items():
        say(f"shift of {joint}: {x:+.3f} outwards, {y:+.3f} down the trunk; left without it {left:.3f}")
    return figures_, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--python", required=True, help="Python of an environment with mediapipe==0.10.21")
    parser.add_argument("--most", type=int, default=10**9, help="pictures")
    parser.add_argument("--sheet", type=Path, help="PNG of the worst ten")
    parser.add_argument("--hands", type=Path, help="PNG of the worst ten hands")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures_, found = second_opinion(args.dataset, args.python, args.most)
    if args.sheet:
        sheet(found, args.dataset, args.sheet)
    if args.hands:
        hand_sheet(found, args.dataset, args.hands)
    if args.json:
        args.json.write_text(json.dumps(figures_, indent=1) + "\n")


if __name__ == "__main__":
    main()
