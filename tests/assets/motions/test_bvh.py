"""BVH files: read as the format says; a broken one is one message with the file, the line and the remedy."""

import numpy as np
import pytest

from understudy.assets.motions.bvh import read_bvh
from understudy.errors import AssetError

ARM = """HIERARCHY
ROOT hips
{
  OFFSET 1 2 3
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT arm
  {
    OFFSET 0 10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 5 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.033
0 0 0 0 0 0 0 0 0
7 8 9 90 0 0 90 0 0
"""


def written(tmp_path, text):
    path = tmp_path / "arm.bvh"
    path.write_text(text)
    return path


def test_joints_are_where_the_format_says(tmp_path):
    clip = read_bvh(written(tmp_path, ARM))
    assert clip.names == ("hips", "arm", "arm.end") and clip.frames == 2
    np.testing.assert_allclose(clip.rest, [[0, 0, 0], [0, 10, 0], [5, 10, 0]])
    np.testing.assert_allclose(clip.joints[0], clip.rest, atol=1e-6)
    # a quarter turn about z takes +y to -x; the second quarter takes the arm's +x to -x
    np.testing.assert_allclose(clip.joints[1], [[7, 8, 9], [-3, 8, 9], [-8, 8, 9]], atol=1e-5)


def test_rotations_are_applied_in_the_order_of_the_channels(tmp_path):
    text = ARM.replace("7 8 9 90 0 0 90 0 0", "0 0 0 90 90 0 0 0 0")
    turned = read_bvh(written(tmp_path, text)).turned(1)[0]
    np.testing.assert_allclose(turned @ [0, 0, 1], [1, 0, 0], atol=1e-6)  # Z(90) · X(90) takes z to +x (by way of -y)


@pytest.mark.parametrize("endings", ["\r\n", "\n\n", " \n"])
def test_line_ends_do_not_matter(tmp_path, endings):
    assert read_bvh(written(tmp_path, ARM.replace("\n", endings))).frames == 2


@pytest.mark.parametrize(("change", "told"), [
    (("HIERARCHY", "HIERARCH"), "the skeleton is broken (wanted HIERARCHY, got 'HIERARCH')"),
    (("ROOT hips\n{", "ROOT hips\n"), "the skeleton is broken (wanted {"),
    (("OFFSET 0 10 0", "OFFSET 0 ten 0"), "this is no number (wanted a finite number, got 'ten')"),
    (("OFFSET 0 10 0", "OFFSET 0 nan 0"), "this is no number"),
    (("Zrotation Xrotation Yrotation\n  JOINT", "Zrotation Xrotation Wrotation\n  JOINT"), "this is no channel"),
    (("MOTION", ""), "the skeleton is broken (wanted MOTION"),
    (("Frames: 2", "Frames: two"), "the number of frames is wrong"),
    (("Frames: 2", "Frames: 0"), "the number of frames is wrong"),
    (("Frames: 2", "Frames: 3"), "the motion is not what the skeleton says (wanted 3 frames of 9 numbers, got 18 numbers)"),
    (("7 8 9 90 0 0 90 0 0", "7 8 9 90 0 0 90 0 x"), "this is no number"),
    (("MOTION", "ROOT second\n{\nOFFSET 0 0 0\n}\nMOTION"), "the file holds more than one figure"),
    ((ARM, ""), "the skeleton is broken (wanted HIERARCHY, got the file's end)"),
    ((ARM, "\x00\x01\x02PNG"), "the skeleton is broken"),
    ((ARM[ARM.index("MOTION"):], ""), "the skeleton is broken (wanted MOTION"),
])
def test_a_broken_file_is_one_message(tmp_path, change, told):
    path = written(tmp_path, ARM.replace(*change, 1))
    with pytest.raises(AssetError) as error:
        read_bvh(path)
    assert told in str(error.value) and str(path) in str(error.value) and error.value.remedy


def test_every_cut_of_a_good_file_is_refused_or_read(tmp_path):
    """A file cut anywhere: either one message or, where the cut took nothing that counts, the motion."""
    for cut in range(0, len(ARM) - 20, 3):
        path = written(tmp_path, ARM[:cut])
        with pytest.raises(AssetError):
            read_bvh(path)
