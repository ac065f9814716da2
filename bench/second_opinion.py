"""A second opinion on made people, from models trained on real ones: MediaPipe's faces, face mesh, poses, hands.

    python bench/second_opinion.py DATASET --python MEDIAPIPE_PYTHON [--most N] [--sheet WORST.png] [--json OUT.json]

DATASET is a folder that Understudy reads, with the 133 whole-body key points. MEDIAPIPE_PYTHON is the Python of an
environment of its own with ``mediapipe==0.10.21``, whose package carries its models.

* Detection: a face that looks at the camera (both eyes, nose and mouth seen, at least 24 pixels high) counts as found when
  a box of either face detector covers it (intersection over union above 0.3).
* Face error: mean distance of 51 landmarks (brows, nose, eyes, lips) over the distance of the outer corners of the eyes.
* Body error: mean distance of the seen points of COCO's 17 over the distance from shoulders to hips.
* Hands: those of which at least 16 of 21 points are seen, at least 32 pixels across; their error is the mean distance of the
  21 over the larger side of the points' box.

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
from collections.abc import Callable
from pathlib import Path

import numpy as np
from second_opinion_people import Person, answered, asked
from second_opinion_sheets import hand_sheet, sheet
from second_opinion_shifts import finger_shifts, joint_shifts, shifts


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a rate (Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    p = hits / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


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
