"""Figures to dress in tests: a few bodies far apart, in a few poses far apart."""

import numpy as np

from understudy.worlds.people import body
from understudy.worlds.people.figure import Figure

_MIX = {"african": (0.9, 0.05, 0.05), "asian": (0.05, 0.9, 0.05), "caucasian": (0.05, 0.05, 0.9)}
BODIES = {  # name -> (phenotypes, ancestry, age in years)
    "man": ({"gender": 0.0, "age": 0.70, "muscle": 0.6}, "caucasian", 35),
    "heavy woman": ({"gender": 1.0, "age": 0.75, "weight": 1.0, "cupsize": 0.8}, "african", 45),
    "child": ({"gender": 0.5, "age": 0.30}, "asian", 8),
    "toddler": ({"gender": 0.5, "age": 0.05, "weight": 0.6}, "caucasian", 2),
    "thin old woman": ({"gender": 1.0, "age": 0.97, "weight": 0.15, "height": 0.7}, "african", 78),
}
_BENDS = {  # pose -> bone (both sides; the second angle is mirrored) -> turn about x, y, z in degrees
    "standing": {"upperarm01": (0, 36, 0)},
    "arms up": {"upperarm01": (0, -70, 0)},
    "sitting": {"upperleg01": (-85, 0, 0), "lowerleg01": (85, 0, 0), "upperarm01": (-20, 35, 0)},
    "striding": {"upperleg01.L": (-28, 0, 0), "lowerleg01.L": (10, 0, 0), "upperleg01.R": (18, 0, 0),
                 "lowerleg01.R": (25, 0, 0), "upperarm01": (0, 36, 0)},
}
POSES = tuple(_BENDS)


def figure(name="man", pose="standing", sole_m=0.0):
    phenotypes, kind, age = BODIES[name]
    shares = dict(zip(("african", "asian", "caucasian"), _MIX[kind]))
    rest = body.build(body.BodyShape(**phenotypes, **shares))
    model = body.model()
    turns = np.tile(np.eye(3), (len(model.bones), 1, 1))
    for bone, (x, y, z) in _BENDS[pose].items():
        for side, sign in ((".L", 1), (".R", -1)) if "." not in bone else (("", 1),):
            turns[model.bone(bone + side)] = _turn(np.deg2rad([x, sign * y, sign * z]))
    posed = body.pose(rest, body.Pose(turns))
    to_world = np.eye(4)
    to_world[2, 3] = sole_m - posed.vertices[:body.BODY_VERTICES, 2].min()
    return Figure(rest, body.place(posed, to_world), age, phenotypes["gender"], rest.bmi, rest.stature_m, 0.5, shares, -90.0,
                  pose)


def _turn(vector):
    angle = np.linalg.norm(vector)
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
