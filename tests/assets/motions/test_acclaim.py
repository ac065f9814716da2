"""ASF and AMC files: a skeleton and its motion; a broken one is one message with the file and the remedy."""

import numpy as np
import pytest

from understudy.assets.motions import clip, library
from understudy.assets.motions.acclaim import read_amc
from understudy.errors import AssetError

ASF = """:version 1.10
:name TEST
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name upper
    direction 1 0 0
    length 2
    axis 0 0 90 XYZ
    dof rx rz
    limits (-10 10)
           (-10 10)
  end
  begin
    id 2
    name lower
    direction 1 0 0
    length 3
    axis 0 0 0 XYZ
    dof rz
  end
:hierarchy
  begin
    root upper
    upper lower
  end
"""
AMC = """#comment
:FULLY-SPECIFIED
:DEGREES
1
root 0 0 0 0 0 0
upper 0 0
lower 0
2
root 1 2 3 0 0 90
upper 0 90
lower -90
"""


@pytest.fixture
def pair(tmp_path):
    (tmp_path / "07.asf").write_text(ASF)
    (tmp_path / "07_01.amc").write_text(AMC)
    return tmp_path


def test_joints_are_where_the_skeleton_and_the_angles_put_them(pair):
    motion = read_amc(pair / "07_01.amc")
    assert motion.names == ("root", "upper", "lower", "lower.end")
    np.testing.assert_allclose(motion.rest, [[0, 0, 0], [0, 0, 0], [2, 0, 0], [5, 0, 0]])
    np.testing.assert_allclose(motion.joints[0], motion.rest, atol=1e-6)
    # root turns +x to +y, upper turns by another 90 (to -x), lower back by 90 (to +y)
    np.testing.assert_allclose(motion.joints[1], [[1, 2, 3], [1, 2, 3], [-1, 2, 3], [-1, 5, 3]], atol=1e-5)


def test_a_bones_angles_turn_about_its_own_axes(pair):
    (pair / "07_01.amc").write_text(AMC.replace("root 1 2 3 0 0 90", "root 0 0 0 0 0 0").replace("upper 0 90", "upper 90 0"))
    turned = read_amc(pair / "07_01.amc").turned(1)[1]
    # its x axis is the world's y: a quarter turn about y takes z to x
    np.testing.assert_allclose(turned @ [0, 0, 1], [1, 0, 0], atol=1e-6)


def test_radians_are_radians(pair):
    (pair / "07_01.amc").write_text(AMC.replace(":DEGREES", ":RADIANS").replace("90", str(np.pi / 2)))
    np.testing.assert_allclose(read_amc(pair / "07_01.amc").joints[1][3], [-1, 5, 3], atol=1e-4)


@pytest.mark.parametrize(("which", "change", "told"), [
    ("amc", ("lower -90", "tail -90"), "the bone is not in the skeleton"),
    ("amc", ("lower -90", "lower -90 3"), "a bone's values are not what the skeleton says (wanted 1 values"),
    ("amc", ("lower -90\n", ""), "a bone is missing from a frame"),
    ("amc", ("lower -90", "lower minus"), "this is no number"),
    ("amc", (AMC, ""), "there is no frame in this motion"),
    ("amc", ("1\nroot", "root"), "a bone comes before the first frame"),
    ("asf", (ASF, "nonsense"), "this is no Acclaim skeleton"),
    ("asf", ("direction 1 0 0", ""), "a bone has no direction"),
    ("asf", ("upper lower", ""), "a bone does not hang from the root"),
    ("asf", ("upper lower", "lower lower"), "a bone does not hang from the root"),
    ("asf", ("length 2", "length two"), "this is no number"),
    ("asf", ("direction 1 0 0", "direction 1 0"), "a bone's direction is too short (wanted 3 numbers, got 2 of upper"),
    ("asf", ("axis 0 0 90 XYZ", "axis 0 0 90 XYY"), "a bone's axes are in no order"),
    ("asf", ("axis 0 0 90 XYZ", "axis 0 0"), "a bone's axis is too short"),
])
def test_a_broken_file_is_one_message(pair, which, change, told):
    path = pair / ("07.asf" if which == "asf" else "07_01.amc")
    path.write_text(path.read_text().replace(*change, 1))
    with pytest.raises(AssetError) as error:
        read_amc(pair / "07_01.amc")
    assert told in str(error.value) and str(path) in str(error.value) and error.value.remedy


def test_a_bone_that_may_not_turn_stays_even_where_the_motion_names_it(pair):
    skeleton = pair / "07.asf"
    skeleton.write_text(ASF[:ASF.index("name lower")] + ASF[ASF.index("name lower"):].replace("dof rz", "", 1))
    (pair / "07_01.amc").write_text("\n".join("lower" if line.startswith("lower ") else line for line in AMC.splitlines()))
    np.testing.assert_allclose(read_amc(pair / "07_01.amc").joints[1][3], [-4, 2, 3], atol=1e-5)


def test_a_motion_without_its_skeleton_says_where_to_put_it(tmp_path):
    (tmp_path / "07_01.amc").write_text(AMC)
    with pytest.raises(AssetError, match=r"wanted 07\.asf beside it, got 0 \.asf files"):
        read_amc(tmp_path / "07_01.amc")


def test_a_folder_of_motions(pair):
    (pair / "deeper").mkdir()
    (pair / "deeper" / "x.BVH").write_text("")
    (pair / "LICENCE").write_text("# CC0-1.0\n")
    files = library(pair)
    assert files.names == ("07_01.amc", "deeper/x.BVH") and files.licence == "CC0-1.0"
    assert library(pair / "07_01.amc").names == ("07_01.amc",)
    assert clip(pair / "07_01.amc").frames == 2
    with pytest.raises(AssetError, match=r"x\.BVH"):
        clip(pair / "deeper" / "x.BVH")


def test_a_folder_without_motions_says_so(tmp_path):
    with pytest.raises(AssetError, match="holds no motions"):
        library(tmp_path)
    with pytest.raises(AssetError, match="cannot be opened"):
        library(tmp_path / "absent")
    with pytest.raises(AssetError, match="no motion file"):
        clip(tmp_path / "a.fbx")
