"""The key point conventions that file formats know: COCO's 17 and COCO-WholeBody's 133, by name.

A record's point sets bring their own names; these lists only tell which of them a trainer's standard file can hold.
Sources: COCO's person_keypoints annotations (Lin et al., ECCV 2014); COCO-WholeBody's data format (Jin et al., *Whole-Body
Human Pose Estimation in the Wild*, ECCV 2020): 17 body, 6 foot, 68 face, 21 left hand, 21 right hand, in that order.
"""

from __future__ import annotations

from collections.abc import Sequence

from understudy.record import Instance, PointSet

COCO_17 = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
           "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
           "right_ankle")
SKELETON_17 = ((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10),
               (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7))
"""Pairs of point numbers from 1, as COCO's category entry lists them."""

WHOLE_BODY_PARTS = {"foot": (17, 23), "face": (23, 91), "lefthand": (91, 112), "righthand": (112, 133)}
"""Where each part's points lie in the 133; the body's 17 come first."""


def body_17(instance: Instance) -> PointSet | None:
    """The set of COCO's 17 points, or None."""
    return next((p for p in instance.points if p.names == COCO_17), None)


def whole_body(instance: Instance) -> PointSet | None:
    """The set of COCO-WholeBody's 133 points, or None."""
    return next((p for p in instance.points if is_whole_body(p.names)), None)


def is_whole_body(names: Sequence[str]) -> bool:
    return len(names) == 133 and tuple(names[:17]) == COCO_17


def mirror(names: Sequence[str]) -> list[int]:
    """For each point the number of its mirror twin (left and right swapped), itself where it has none.

    Twins are told by ``left`` and ``right`` in their names. The face's 68 points carry numbers instead: iBUG's order
    mirrors as listed here.
    """
    at = {name: i for i, name in enumerate(names)}
    swapped = str.maketrans({"\0": "right", "\1": "left"})
    twins = []
    for i, name in enumerate(names):
        twin = name.replace("left", "\0").replace("right", "\1").translate(swapped)
        twins.append(at.get(twin, i))
    if is_whole_body(names):
        first = WHOLE_BODY_PARTS["face"][0]
        for a, b in _FACE_TWINS:
            twins[first + a], twins[first + b] = first + b, first + a
    return twins


_FACE_TWINS = (
    *((i, 16 - i) for i in range(8)),                        # jaw
    *((17 + i, 26 - i) for i in range(5)),                   # brows
    (31, 35), (32, 34),                                      # nostrils
    (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46),  # eyes
    (48, 54), (49, 53), (50, 52), (59, 55), (58, 56),        # outer lips
    (60, 64), (61, 63), (67, 65),                            # inner lips
)
