"""DensePose charts over the body: which of 24 parts a face belongs to, and where on it.

Part numbers follow DensePose-COCO (Güler et al., CVPR 2018): 1 torso back, 2 torso front, 3 right hand, 4 left hand,
5 left foot, 6 right foot, 7/8 upper leg right/left back, 9/10 front, 11/12 lower leg right/left back, 13/14 front,
15/16 upper arm left/right front, 17/18 back, 19/20 lower arm left/right front, 21/22 back, 23/24 head right/left.

DensePose's own (u, v) are defined on SMPL's mesh, which has no free licence. Ours are stated here and nowhere else: every
part is a tube around an axis; **v runs along the axis** from 0 at the end nearer the pelvis to 1 at the far end, **u runs
around it**. On half tubes (front and back) u goes from 0 at the subject's right edge to 1 at the left; on the head's
halves from 0 at the face's midline to 1 at the back's; on hands and feet once around, from the front. All are measured on
the neutral body at rest, so the same spot has the same (part, u, v) in every figure and pose.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

# segment: (name of the bones that belong to it start with one of these, axis from this joint, to this joint)
_LIMBS = {
    "upper_leg": (("upperleg",), "upperleg01", "lowerleg01"),
    "lower_leg": (("lowerleg",), "lowerleg01", "foot"),
    "foot": (("foot", "toe"), "foot", "toe3-3"),
    "upper_arm": (("upperarm",), "upperarm01", "lowerarm01"),
    "lower_arm": (("lowerarm",), "lowerarm01", "wrist"),
    "hand": (("wrist", "finger", "metacarpal"), "wrist", "finger3-3"),
}
_HEAD = ("neck02", "neck03", "head", "eye")
# (segment, side) -> (chart of the back or of the whole tube, chart of the front)
_CHARTS = {
    ("torso", ""): (1, 2), ("hand", "R"): (3, 3), ("hand", "L"): (4, 4), ("foot", "L"): (5, 5), ("foot", "R"): (6, 6),
    ("upper_leg", "R"): (7, 9), ("upper_leg", "L"): (8, 10), ("lower_leg", "R"): (11, 13), ("lower_leg", "L"): (12, 14),
    ("upper_arm", "L"): (17, 15), ("upper_arm", "R"): (18, 16), ("lower_arm", "L"): (21, 19),
    ("lower_arm", "R"): (22, 20), ("head", ""): (23, 24),
}


def segment_of_bone(bone: str) -> tuple[str, str]:
    """("upper_leg", "L") for ``upperleg01.L``; everything that is no limb and no head is the torso."""
    stem, _, side = bone.partition(".")
    for segment, (starts, _, _) in _LIMBS.items():
        if stem.startswith(starts):
            return segment, side
    return ("head", "") if stem.startswith(_HEAD) else ("torso", "")


@lru_cache(maxsize=1)
def body_charts() -> tuple[np.ndarray, np.ndarray]:
    """Chart (m,) uint8 and chart coordinates (m, 3, 2) float32 of the faces of the body's skin mesh, ``mesh("body")``.

    Read-only; the same for every figure. A garment's face takes those of the skin face beneath it.
    """
    from understudy.worlds.people.body import BodyShape, build, model

    m = model()
    neutral = build(BodyShape())
    chart, uv = charts(neutral.vertices, m.mesh("body").base_faces, list(m.bones), neutral.heads, m.weights)
    chart.flags.writeable = uv.flags.writeable = False
    return chart, uv


def charts(
    template: np.ndarray, faces: np.ndarray, bones: list[str], heads: np.ndarray, weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Chart and chart coordinates of every face.

    template : (n, 3) m, the neutral body at rest, z up, facing -y; faces : (m, 3); bones : b names; heads : (b, 3) joint
    positions; weights : (n, b) skinning. Returns chart (m,) uint8 in 1-24 and (m, 3, 2) float32.
    """
    segments = [segment_of_bone(b) for b in bones]
    kinds = list(_CHARTS)
    share = np.stack([weights[:, [s == kind for s in segments]].sum(1) for kind in kinds], axis=1)
    face_kind = share[faces].sum(1).argmax(1)
    joint = {b: heads[i] for i, b in enumerate(bones)}
    chart = np.zeros(len(faces), np.uint8)
    uv = np.zeros((len(faces), 3, 2), np.float32)
    for k, (segment, side) in enumerate(kinds):
        mine = np.flatnonzero(face_kind == k)
        if mine.size:
            chart[mine], uv[mine] = _tube(template[faces[mine]], segment, side, joint)
    return chart, uv


def _tube(corners: np.ndarray, segment: str, side: str, joint: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(m, 3, 3) corners of one segment's faces -> chart (m,), uv (m, 3, 2)."""
    flat = corners.reshape(-1, 3)
    if segment in _LIMBS:
        _, a, b = _LIMBS[segment]
        origin, along = joint[f"{a}.{side}"], joint[f"{b}.{side}"] - joint[f"{a}.{side}"]
    else:
        origin, along = np.array([0, flat[:, 1].mean(), 0]), np.array([0, 0, 1.0])
    along = along / np.linalg.norm(along)
    front = np.array([0, 0, 1.0]) if segment == "foot" else np.array([0, -1.0, 0])
    front = front - along * (front @ along)
    front /= np.linalg.norm(front)
    left = np.cross(along, front) * (1 if along[2] >= 0 else -1)  # towards the subject's left, whichever way the axis runs
    if left[0] < 0:
        left = -left
    offset = corners - origin
    height = offset @ along
    low, high = height.min(), height.max()
    v = (height - low) / (high - low)
    x, y = offset @ left, offset @ front
    back_chart, front_chart = _CHARTS[segment, side]
    if segment == "head":
        is_left = x.mean(1) >= 0
        u = np.abs(np.arctan2(x, y)) / np.pi
        u = np.where((x >= 0) == is_left[:, None], u, np.rint(u))  # a corner across the midline lies on the edge
        return np.where(is_left, 24, 23), np.stack([u, v], -1)
    if back_chart == front_chart:
        u = (np.arctan2(x, y) / (2 * np.pi)) % 1.0
        wraps = np.ptp(u, axis=1) > 0.5
        u = np.where(wraps[:, None] & (u < 0.5), 1.0, u)
        return np.full(len(corners), back_chart), np.stack([u, v], -1)
    is_front = y.mean(1) >= 0
    depth = np.where(is_front[:, None], y, -y).clip(0)
    u = 1.0 - np.arctan2(depth, x) / np.pi
    return np.where(is_front, front_chart, back_chart), np.stack([u, v], -1)
