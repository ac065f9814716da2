"""The cache folder: where it is, and that one process builds while the others wait."""

import multiprocessing
import os
from pathlib import Path

import pytest

from understudy.assets.cache import cache_dir, cached
from understudy.errors import AssetError


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_dir() == tmp_path / "cache"
    monkeypatch.delenv("UNDERSTUDY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "understudy"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert cache_dir() == Path.home() / ".cache" / "understudy"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_dir() == Path.home() / "Library" / "Caches" / "understudy"


def test_asking_for_the_folder_makes_nothing(own_cache):
    cache_dir()
    assert not own_cache.exists()


def test_built_once(own_cache):
    built = []

    def build(path):
        built.append(path)
        path.write_text("body")

    first, second = cached("bodies/a.npz", build), cached("bodies/a.npz", build)
    assert first == second == own_cache / "bodies" / "a.npz"
    assert first.read_text() == "body" and len(built) == 1


def test_a_folder_can_be_built():
    def build(path):
        path.mkdir()
        (path / "x").write_text("1")

    assert (cached("pack", build) / "x").read_text() == "1"


def test_a_failed_build_leaves_nothing_and_may_be_tried_again(own_cache):
    def fail(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("a", fail)
    assert [p.name for p in own_cache.iterdir()] == [".a.lock"]
    assert cached("a", lambda p: p.write_text("whole")).read_text() == "whole"


def test_remains_of_a_killed_builder_are_cleared(own_cache):
    own_cache.mkdir()
    (own_cache / ".a.99999.part").mkdir()
    (own_cache / ".a.99999.part" / "half").write_text("")
    cached("a", lambda p: p.write_text("whole"))
    assert sorted(p.name for p in own_cache.iterdir()) == [".a.lock", "a"]


def test_a_builder_that_leaves_nothing_is_a_defect():
    with pytest.raises(ValueError, match="left nothing"):
        cached("a", lambda p: None)


@pytest.mark.parametrize("name", ["", "../up", "/root", "a//b", ".hidden", "a/../b", "with space"])
def test_names_stay_inside(name):
    with pytest.raises(ValueError, match="cache name"):
        cached(name, lambda p: p.write_text(""))


def test_an_unwritable_cache_is_one_message(own_cache):
    own_cache.write_text("a file where the folder should be")
    with pytest.raises(AssetError, match="UNDERSTUDY_CACHE"):
        cached("a", lambda p: p.write_text(""))


def _worker(folder: str, log: str) -> None:
    os.environ["UNDERSTUDY_CACHE"] = folder

    def build(path):
        with open(log, "a") as handle:
            handle.write("built\n")
        path.write_bytes(b"x" * 100_000)

    assert cached("shared", build).stat().st_size == 100_000


def test_many_processes_build_once(tmp_path, own_cache):
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_worker, args=(str(own_cache), str(log))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [w.exitcode for w in workers] == [0, 0, 0]
    assert log.read_text() == "built\n"
