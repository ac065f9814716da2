"""Packs: read as the format says, kept whole, broken and foreign files told and skipped."""

import numpy as np
import pytest

from understudy.assets import packs
from understudy.assets.packs.mhclo import read_mhclo
from understudy.assets.packs.obj import read_obj
from understudy.cli import main
from understudy.errors import AssetError, UsageError

OBJ = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\nf 1/1 2/2 3/3 4/4\n"
MHCLO = """# This asset was explicitly released as CC0 in september 2020.
basemesh hm08
tag Female
name Square
obj_file square.obj
x_scale 100 200 2.0
verts 0
material square.mhmat
 1 2 3 0.5 0.25 0.25 0.1 0.2 0.3
 7
 8 9 10 1.0 0.0 0.0
 11
delete_verts
5 - 8 12
"""


@pytest.fixture
def pack(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_ASSETS", str(tmp_path / "kept"))
    folder = tmp_path / "base" / "clothes" / "square"
    folder.mkdir(parents=True)
    (folder / "square.mhclo").write_text(MHCLO)
    (folder / "square.obj").write_text(OBJ)
    return tmp_path / "base"


def mhclo(pack):
    return pack / "clothes" / "square" / "square.mhclo"


def test_a_binding_is_what_the_file_says(pack):
    bound = read_mhclo(mhclo(pack))
    np.testing.assert_array_equal(bound.corners, [[1, 2, 3], [7, 7, 7], [8, 9, 10], [11, 11, 11]])
    np.testing.assert_allclose(bound.shares, [[0.5, 0.25, 0.25], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(bound.offsets[0], [0.1, 0.2, 0.3])
    assert bound.scales[0] == (100, 200, 2.0) and bound.tags == ("Female",) and bound.licence == "CC0-1.0"
    np.testing.assert_array_equal(bound.hidden, [5, 6, 7, 8, 12])


def test_a_mesh_is_cut_into_triangles_with_its_texture(tmp_path):
    (tmp_path / "a.obj").write_text(OBJ + "f -4//1 -3//1 -2//1\n")
    mesh = read_obj(tmp_path / "a.obj")
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3], [0, 1, 2]])
    assert mesh.uv is None, "a face without texture coordinates: the mesh has none"
    (tmp_path / "a.obj").write_text(OBJ)
    np.testing.assert_array_equal(read_obj(tmp_path / "a.obj").uv_faces, [[0, 1, 2], [0, 2, 3]])


def test_what_is_kept_is_what_was_read(pack):
    added = packs.add("mine", pack)
    assert packs.load("mine") == added and packs.names() == ["mine"] and not added.skipped
    piece, = added.pieces
    assert (piece.name, piece.kind, piece.licence, piece.tags) == ("square", "clothes", "CC0-1.0", ("female",))
    kept = packs.arrays(added, piece)
    np.testing.assert_array_equal(kept["hidden"], [5, 6, 7, 8, 12])
    assert kept["uv"].shape == (4, 2) and "texture" not in kept
    assert not [p for p in packs.assets_dir().iterdir() if p.name.startswith(".")], "nothing half-made stays"


def test_a_texture_comes_along(pack):
    from PIL import Image

    (pack / "clothes" / "square" / "square.mhmat").write_text("name x\ndiffuseTexture cloth.png\n")
    Image.new("RGBA", (8, 4), (200, 100, 50, 0)).save(pack / "clothes" / "square" / "cloth.png")
    added = packs.add("mine", pack)
    assert packs.arrays(added, added.pieces[0])["texture"].shape == (4, 8, 4)


@pytest.mark.parametrize(("change", "told"), [
    (("basemesh hm08", "basemesh alpha_7"), "it is made for another base mesh (wanted hm08, got alpha_7)"),
    ((" 11\n", " 19158\n"), "it is made for another base mesh (wanted base vertices below 19158, got 19158)"),
    (("obj_file square.obj\n", ""), "it names no mesh"),
    (("obj_file square.obj", "obj_file gone.obj"), "the file cannot be read"),
    ((" 7\n", " 7 8\n"), "neither one base vertex nor three"),
    ((" 7\n", " 7 8 9 a b c\n"), "is no list of numbers"),
    ((" 7\n", ""), "the mesh and its binding do not belong together (wanted 3 points"),
    ((MHCLO[MHCLO.index(" 1 2 3"):], ""), "it binds no vertex"),
    (("x_scale 100 200 2.0", "x_scale 100 200"), "a scale is not two base vertices and a length"),
    (("5 - 8 12", "- 8 12"), "the list of hidden vertices is broken"),
])
def test_a_broken_binding_is_skipped_with_one_message(pack, change, told):
    other = pack / "hair" / "good"
    other.mkdir(parents=True)
    (other / "good.mhclo").write_text(MHCLO)
    (other / "square.obj").write_text(OBJ)
    mhclo(pack).write_text(MHCLO.replace(*change, 1))
    added = packs.add("mine", pack)
    assert [p.kind for p in added.pieces] == ["hair"]
    (file, why), = added.skipped
    assert file == "clothes/square/square.mhclo" and told in why and why.endswith(("out", "download", "name"))


@pytest.mark.parametrize("broken", [
    "", "v 1 2\nf 1 1 1\n", "v 0 0 0\nf 1 2 3\n", "v a b c\n", "v nan 0 0\nf 1 1 1\n", "\x00\x01"])
def test_a_broken_mesh_is_one_message(tmp_path, broken):
    (tmp_path / "a.obj").write_text(broken)
    with pytest.raises(AssetError, match="the mesh is broken"):
        read_obj(tmp_path / "a.obj")


def test_poses_come_along_and_broken_ones_do_not(pack):
    (pack / "poses").mkdir()
    (pack / "poses" / "bad.bvh").write_text("HIERARCHY\n")
    (pack / "poses" / "good.bvh").write_text(
        "HIERARCHY\nROOT r\n{\nOFFSET 0 0 0\nCHANNELS 3 Xrotation Yrotation Zrotation\n}\n"
        "MOTION\nFrames: 1\nFrame Time: 1\n0 0 0\n")
    added = packs.add("mine", pack)
    assert added.poses == ("good.bvh",) and [f for f, _ in added.skipped] == ["poses/bad.bvh"]


def skin_in(pack, name, size, text="diffuseTexture {name}.png\ntag Female\n# license: CC0\n"):
    from PIL import Image

    folder = pack / "skins" / name
    folder.mkdir(parents=True)
    (folder / f"{name}.mhmat").write_text(text.format(name=name))
    if size:
        Image.new("RGB", size, (180, 120, 90)).save(folder / f"{name}.png")


def test_skins_come_along_and_what_is_none_does_not(pack):
    skin_in(pack, "pale", (300, 300))
    skin_in(pack, "banner", (600, 300))
    skin_in(pack, "gone", None)
    skin_in(pack, "blank", (300, 300), "roughness 0.5\n")
    (pack / "clothes" / "square" / "square.mhmat").write_text("diffuseTexture x.png\n")  # a material of clothes is no skin
    added = packs.add("mine", pack)
    (skin,) = (p for p in added.pieces if p.kind == "skins")
    assert (skin.name, skin.tags, skin.licence) == ("pale", ("female",), "CC0")
    assert packs.arrays(added, skin)["texture"].shape == (300, 300, 3)
    why = dict(added.skipped)
    assert set(why) == {f"skins/{n}/{n}.mhmat" for n in ("banner", "gone", "blank")}
    banner = why["skins/banner/banner.mhmat"]
    assert "a square of 256 pixels or more" in banner and "600x300" in banner
    assert "picture is missing" in why["skins/gone/gone.mhmat"] and "names no picture" in why["skins/blank/blank.mhmat"]


def test_where_nothing_can_be_worn_the_files_are_named(pack, tmp_path):
    folder = tmp_path / "bad"
    folder.mkdir()
    for i in range(5):
        (folder / f"{i}.mhclo").write_text("nothing")
    with pytest.raises(AssetError, match=r"0.mhclo: .*1.mhclo: .*; and 2 more"):
        packs.add("bad", folder)


def test_a_folder_without_anything_is_refused_and_keeps_the_old_pack(pack, tmp_path):
    packs.add("mine", pack)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AssetError, match="nothing in this folder can be worn"):
        packs.add("mine", tmp_path / "empty")
    assert packs.load("mine").pieces
    with pytest.raises(AssetError, match="no such folder"):
        packs.add("mine", tmp_path / "gone")
    with pytest.raises(UsageError, match="no name for a pack"):
        packs.add("../mine", pack)


def test_a_damaged_pack_and_an_unknown_one_say_how_to_mend_it(pack):
    added = packs.add("mine", pack)
    (added.root / added.pieces[0].file).write_bytes(b"nonsense")
    with pytest.raises(AssetError, match="Add the pack again"):
        packs.arrays(added, added.pieces[0])
    (added.root / "pack.json").write_text("{")
    with pytest.raises(AssetError, match="damaged"):
        packs.load("mine")
    with pytest.raises(AssetError, match="understudy assets add"):
        packs.load("other")


def test_the_command(pack, capsys):
    assert main(["assets", "list"]) == 0 and "no pack was added" in capsys.readouterr().out
    assert main(["assets", "add", "makehuman", str(pack)]) == 0
    assert "1 clothes; licences: CC0-1.0 (1)" in capsys.readouterr().out
    assert main(["assets", "list", "makehuman"]) == 0
    assert "square" in capsys.readouterr().out
    assert main(["assets", "remove", "makehuman"]) == 0 and packs.names() == []
    assert main(["assets", "add", "makehuman", str(pack / "nothing")]) == 1
