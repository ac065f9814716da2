"""Poses out of files: a posture written as BVH in a foreign skeleton comes back, and bad files are passed over."""

from dataclasses import replace

import numpy as np
import pytest

from understudy.draws import Draws
from understudy.errors import AssetError
from understudy.key import Key
from understudy.values import Fixed
from understudy.worlds.people import pose
from understudy.worlds.people.body import BODY_VERTICES, BodyShape, build
from understudy.worlds.people.contact import soles
from understudy.worlds.people.pose import Posing
from understudy.worlds.people.retarget import frame
from understudy.worlds.people.skeleton import angles_of, posture, skeleton, within_limits

# A Mixamo-like skeleton in centimetres, y up, arms spread: name, parent, offset.
MIXAMO = (
    ("mixamorig:Hips", None, (0, 100, 0)), ("mixamorig:Spine", 0, (0, 10, 0)), ("mixamorig:Spine1", 1, (0, 15, 0)),
    ("mixamorig:Neck", 2, (0, 25, 0)), ("mixamorig:Head", 3, (0, 10, 0)),
    ("mixamorig:LeftShoulder", 2, (5, 20, 0)), ("mixamorig:LeftArm", 5, (12, 0, 0)),
    ("mixamorig:LeftForeArm", 6, (28, 0, 0)),
    ("mixamorig:LeftHand", 7, (25, 0, 0)),
    ("mixamorig:RightShoulder", 2, (-5, 20, 0)), ("mixamorig:RightArm", 9, (-12, 0, 0)),
    ("mixamorig:RightForeArm", 10, (-28, 0, 0)), ("mixamorig:RightHand", 11, (-25, 0, 0)),
    ("mixamorig:LeftUpLeg", 0, (9, -5, 0)), ("mixamorig:LeftLeg", 13, (0, -42, 0)), ("mixamorig:LeftFoot", 14, (0, -42, 0)),
    ("mixamorig:LeftToeBase", 15, (0, -8, 14)),
    ("mixamorig:RightUpLeg", 0, (-9, -5, 0)), ("mixamorig:RightLeg", 17, (0, -42, 0)),
    ("mixamorig:RightFoot", 18, (0, -42, 0)),
    ("mixamorig:RightToeBase", 19, (0, -8, 14)),
)


def bvh(angles=None, rename=lambda n: n):
    """One frame: (x, y, z) degrees by joint's short name, applied as Z · X · Y."""
    lines, rows = ["HIERARCHY"], []

    def put(i, depth):
        name, parent, offset = MIXAMO[i]
        lines.append(f"{'ROOT' if parent is None else 'JOINT'} {rename(name)}")
        lines.append("{")
        lines.append("OFFSET " + " ".join(map(str, offset)))
        lines.append("CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation" if parent is None
                     else "CHANNELS 3 Zrotation Xrotation Yrotation")
        x, y, z = (angles or {}).get(name.partition(":")[2], (0, 0, 0))
        rows.extend(offset if parent is None else ())
        rows.extend((z, x, y))
        children = [k for k, row in enumerate(MIXAMO) if row[1] == i]
        for k in children:
            put(k, depth + 1)
        if not children:
            tip = np.array(offset) / 3 if name.endswith("Hand") else (0, 5, 0)
            lines.append("End Site { OFFSET " + " ".join(map(str, tip)) + " }")
        lines.append("}")

    put(0, 0)
    return "\n".join([*lines, "MOTION", "Frames: 1", "Frame Time: 0.04", " ".join(map(str, rows))])


@pytest.fixture(scope="module")
def skel():
    return skeleton(build(BodyShape()))


def read(tmp_path, angles=None):
    from understudy.assets.motions.bvh import read_bvh

    path = tmp_path / "one.bvh"
    path.write_text(bvh(angles))
    return read_bvh(path)


def test_spread_arms_are_spread_arms(tmp_path, skel):
    seen = frame(read(tmp_path), 0, skel)
    posed = posture(skel, seen.angles, seen.pelvis)
    for side, s in (("L", 1), ("R", -1)):
        along = posed.at(f"lowerarm01.{side}") - posed.at(f"upperarm01.{side}")
        np.testing.assert_allclose(along / np.linalg.norm(along), [s, 0, 0], atol=0.06)
        shank = posed.at(f"foot.{side}") - posed.at(f"lowerleg01.{side}")
        np.testing.assert_allclose(shank / np.linalg.norm(shank), [0, 0, -1], atol=0.06)
    assert set(seen.down) == {"L", "R"} == set(seen.flat) and seen.clamped_deg == 0


@pytest.mark.parametrize(("joint", "turned", "angle", "degrees"), [
    ("LeftUpLeg", (-40, 0, 0), "hip.flexion.L", 40), ("RightLeg", (60, 0, 0), "knee.flexion.R", 60),
    ("LeftForeArm", (0, -70, 0), "elbow.flexion.L", 70), ("RightForeArm", (0, 70, 0), "elbow.flexion.R", 70),
    ("RightUpLeg", (0, 0, -20), "hip.abduction.R", 20), ("Spine1", (0, 20, 0), "spine.turn", 20),
    ("Head", (0, 30, 0), "neck.turn", 30), ("Head", (20, 0, 0), "neck.flexion", 20), ("LeftArm", (0, 0, -60),
                                                                                      "shoulder.elevation.L", 30),
])
def test_a_turn_of_a_joint_is_the_anatomical_angle(tmp_path, skel, joint, turned, angle, degrees):
    seen = frame(read(tmp_path, {joint: turned}), 0, skel)
    assert seen.angles[angle] == pytest.approx(degrees, abs=3)
    assert angles_of(posture(skel, seen.angles, seen.pelvis))[angle] == pytest.approx(degrees, abs=4)


def test_which_way_the_file_faces_does_not_matter(tmp_path, skel):
    ahead = frame(read(tmp_path, {"LeftUpLeg": (-40, 0, 0)}), 0, skel)
    aside = frame(read(tmp_path, {"LeftUpLeg": (-40, 0, 0), "Hips": (0, 137, 0)}), 0, skel)
    np.testing.assert_allclose(ahead.pelvis, aside.pelvis, atol=1e-5)
    assert all(aside.angles[name] == pytest.approx(value, abs=0.01) for name, value in ahead.angles.items())


def test_what_no_joint_can_do_is_brought_into_its_range_and_told(tmp_path, skel):
    seen = frame(read(tmp_path, {"LeftLeg": (170, 0, 0)}), 0, skel)
    assert seen.angles["knee.flexion.L"] == 138 and seen.clamped_deg == pytest.approx(32, abs=1)
    assert not within_limits(posture(skel, seen.angles, seen.pelvis), slack=1)


def taken(folder, seed=1, rest=None):
    draws = Draws(Key(seed))
    how = replace(Posing(), family=Fixed("motion"), motions=str(folder))
    stance = pose.sample(draws.at("pose"), rest or build(BodyShape()), how)
    return stance, draws.drawn


def test_bad_files_are_passed_over_noted_and_counted(tmp_path):
    (tmp_path / "good.bvh").write_text(bvh({"LeftUpLeg": (-30, 0, 0)}))
    (tmp_path / "cut.bvh").write_text(bvh()[:700])
    (tmp_path / "dog.bvh").write_text(bvh(rename=lambda n: n.replace("Hand", "Paw").replace("Leg", "Bone")))
    whys = set()
    for seed in range(6):
        stance, drawn = taken(tmp_path, seed)
        assert drawn["pose.motion.clip"] == "good.bvh" and stance.assets[0].name == "good.bvh"
        assert drawn["pose.motion.passed_over"] == "; ".join(s.name for s in stance.skipped)
        whys |= {s.why for s in stance.skipped}
    assert len(whys) == 2
    told = next(w for w in whys if "dog.bvh" in w)
    assert "no joint of this skeleton is the left thigh" in told and "Rename its joints" in told


def test_a_folder_of_nothing_but_bad_files_is_an_error(tmp_path):
    (tmp_path / "bad.bvh").write_text("bad")
    with pytest.raises(AssetError, match="no motion of this folder can be used"):
        taken(tmp_path)
    with pytest.raises(AssetError, match="need files"):
        replace(Posing(), family=Fixed("motion")).check_assets()
    replace(Posing(), family=Fixed("standing")).check_assets()


def test_feet_are_on_the_ground_whoever_takes_the_pose(tmp_path):
    stride = {"LeftUpLeg": (-30, 0, 0), "RightUpLeg": (20, 0, 0), "RightLeg": (15, 0, 0), "LeftLeg": (10, 0, 0)}
    (tmp_path / "step.bvh").write_text(bvh(stride))
    for shape in (BodyShape(), BodyShape(age=0.33), BodyShape(weight=1.2, height=0.2)):
        stance, _ = taken(tmp_path, rest=build(shape))
        assert abs(stance.body.vertices[:BODY_VERTICES, 2].min()) < 0.002
        assert stance.planted
        for side in stance.planted:
            assert abs(stance.body.vertices[soles(side), 2].min()) <= 0.01
        assert not within_limits(stance.posture, slack=4)


def test_the_same_draws_take_the_same_pose(tmp_path):
    (tmp_path / "a.bvh").write_text(bvh())
    (tmp_path / "b.bvh").write_text(bvh({"LeftArm": (0, 0, -60)}))
    one, two = (taken(tmp_path, 3)[0] for _ in range(2))
    assert one.body.vertices.tobytes() == two.body.vertices.tobytes()
    assert {taken(tmp_path, seed)[1]["pose.motion.clip"] for seed in range(8)} == {"a.bvh", "b.bvh"}
