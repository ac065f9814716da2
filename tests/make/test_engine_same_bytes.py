"""The same data set whatever the workers, the environment, the order, and however often it is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import engine_fakes as fakes
import pytest

from understudy.make import generate, make_record

SCRIPT = Path(fakes.__file__).with_name("engine_script.py")
RECIPE = fakes.FakeRecipe(world=fakes.Rectangles(refuse=0.3))
COUNT = 33


@pytest.fixture(scope="module")
def straight(tmp_path_factory) -> dict[str, str]:
    """The tree of an uninterrupted run in this process."""
    out = tmp_path_factory.mktemp("straight") / "out"
    generate(RECIPE, out, count=COUNT, workers=0)
    return fakes.tree(out)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_number_of_workers_makes_the_same_folder(tmp_path, straight, workers):
    report = generate(RECIPE, tmp_path / "out", count=COUNT, workers=workers)
    assert report.made == COUNT
    assert fakes.tree(tmp_path / "out") == straight


def test_hash_seed_log_level_and_working_directory_change_nothing(tmp_path, straight):
    for name, level, seed, where in (("a", "DEBUG", "1", tmp_path), ("b", "ERROR", "77", Path("/"))):
        out = tmp_path / name
        subprocess.run([sys.executable, str(SCRIPT), str(out), str(COUNT), "2", "0"], cwd=where, check=True,
                       capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed, "LEVEL": level})
        assert fakes.tree(out) == straight


def test_record_alone_is_the_record_in_the_run(tmp_path, straight):
    generate(RECIPE, tmp_path / "out", count=COUNT, workers=0)
    for index in (32, 0, 17):
        picture = make_record(RECIPE, index).record.picture
        assert (tmp_path / "out" / "images" / f"{index // 5:05d}" / f"{index:09d}.png").read_bytes() == picture.data


def test_seed_0_is_a_seed(tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        generate(fakes.FakeRecipe(seed=seed), tmp_path / name, count=4, workers=0)
    a, b, c = (fakes.tree(tmp_path / name) for name in "abc")
    assert a == b
    assert all(a[name] != c[name] for name in a if name.endswith(".png"))


def _start(out: Path, delay_s: float, count: int = COUNT) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(SCRIPT), str(out), str(count), "2", str(delay_s)],
                            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _group_is_gone(group: int) -> bool:
    for _ in range(200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def _kill_and_resume(out: Path, instants_s: list[float]) -> int:
    """Kill the whole group after each of the instants, then let a last run finish; how many met a live run."""
    met = 0
    for instant in instants_s:
        run = _start(out, 0.02)
        try:
            run.wait(timeout=instant)
        except subprocess.TimeoutExpired:
            met += 1
            kill = os.kill if met % 3 == 2 else os.killpg  # now and then the parent alone: its workers must follow it
            kill(run.pid, signal.SIGKILL)
        run.communicate()
        assert _group_is_gone(run.pid)
    last = _start(out, 0.0)
    _, said = last.communicate(timeout=120)
    assert last.returncode == 0, said.decode()
    return met


def test_killed_four_times_and_resumed(tmp_path, straight):
    assert _kill_and_resume(tmp_path / "out", [0.3, 0.7, 0.9, 1.1]) >= 1
    assert fakes.tree(tmp_path / "out") == straight


@pytest.mark.slow
def test_killed_at_twenty_random_instants_and_resumed(tmp_path, straight):
    from understudy.key import Key

    instants = [float(s) for s in 0.15 + 1.5 * Key(20).child("instants").uniforms(20)]
    for i in range(0, 20, 4):  # five runs, each killed four times at other places of its path
        _kill_and_resume(tmp_path / str(i), instants[i:i + 4])
        assert fakes.tree(tmp_path / str(i)) == straight


class Stop(BaseException):
    """The end of the process, at a chosen rename."""

    @staticmethod
    def passed_by(act, *arguments, **more):
        return act(*arguments, **more)


def _recipe(written_as: str):
    if written_as == "plain":
        return RECIPE
    from understudy.recipe import parse

    return parse("solids", overrides=["sensors.renderer=flat", "surroundings=null", "sensors.camera.size=[64, 48]",
                                      f"write={written_as}"])


@pytest.mark.parametrize("written_as", ["plain", *(pytest.param(f, marks=pytest.mark.slow)
                                                   for f in ("coco", "yolo", "webdataset"))])
def test_every_state_of_the_folder_leads_to_the_same(tmp_path, monkeypatch, written_as):
    """Stop at each rename of a run in turn: from what then lies in the folder, the next run makes the same tree."""
    recipe, rename = _recipe(written_as), os.replace
    generate(recipe, tmp_path / "whole", count=5, shard_size=2, workers=0)
    whole = fakes.tree(tmp_path / "whole")
    for stop_at in range(1000):
        left = stop_at

        def counting(source, target):
            nonlocal left
            left -= 1
            if left < 0:
                raise Stop
            return rename(source, target)

        out = tmp_path / f"{stop_at}"
        monkeypatch.setattr(os, "replace", counting)
        try:
            generate(recipe, out, count=5, shard_size=2, workers=0)
        except Stop:
            monkeypatch.setattr(os, "replace", rename)
            generate(recipe, out, count=5, shard_size=2, workers=0)
            assert fakes.tree(out) == whole, f"stopped at rename {stop_at}"
        else:
            break
    assert stop_at > 3 * 3 + 5  # three shards of three renames each, and the files of the whole data set


@pytest.mark.parametrize("written_as", ["plain", pytest.param("coco", marks=pytest.mark.slow)])
def test_every_state_of_an_extension_leads_to_the_same(tmp_path, monkeypatch, written_as):
    """The same while five records become nine: what an earlier run left (its sums, its manifest, a last shard that is not
    full) and what the killed one left must never be mistaken for each other."""
    recipe, rename, unlink = _recipe(written_as), os.replace, os.unlink
    for name, count in (("whole", 9), ("begun", 5)):
        generate(recipe, tmp_path / name, count=count, shard_size=2, workers=0)
    whole = fakes.tree(tmp_path / "whole")
    for stop_at in range(1000):
        left = stop_at

        def counting(act, *arguments, **more):
            nonlocal left
            left -= 1
            if left == -1:  # once: what puts the lock away afterwards must not be stopped too
                raise Stop
            return act(*arguments, **more)

        out = tmp_path / f"{stop_at}"
        shutil.copytree(tmp_path / "begun", out)
        monkeypatch.setattr(os, "replace", lambda *a, counting=counting: counting(rename, *a))
        monkeypatch.setattr(os, "unlink", lambda path, counting=counting, **m: (
            counting if Path(path).suffix == ".json" else Stop.passed_by)(unlink, path, **m))
        stopped = False
        try:
            generate(recipe, out, count=9, shard_size=2, workers=0)
        except Stop:
            stopped = True
        monkeypatch.setattr(os, "replace", rename)
        monkeypatch.setattr(os, "unlink", unlink)
        if not stopped:
            break
        assert generate(recipe, out, count=9, shard_size=2, workers=0).made == 9
        assert fakes.tree(out) == whole, f"stopped at change {stop_at}"
    assert stop_at > 2 * 3 + 6


def test_killed_while_it_extends_and_extended_again(tmp_path, straight):
    """Real processes, killed while 11 records become 22 and 22 become 33."""
    out = tmp_path / "out"
    generate(RECIPE, out, count=11, workers=0, shard_size=5)
    for count in (22, COUNT):
        run, before = _start(out, 0.02, count), len(list((out / "ledger").iterdir()))
        while run.poll() is None and len(list((out / "ledger").iterdir())) < before + 2:
            time.sleep(0.01)
        assert run.poll() is None
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        assert _group_is_gone(run.pid)
        last = _start(out, 0.0, count)
        assert last.wait(timeout=120) == 0
        last.communicate()
    assert fakes.tree(out) == straight


def test_a_larger_count_extends(tmp_path, straight):
    out = tmp_path / "out"
    generate(RECIPE, out, count=12, workers=0, shard_size=5)
    report = generate(RECIPE, out, count=COUNT, workers=2)
    assert report.now == COUNT - 10  # the half shard 10-11 is made again
    assert fakes.tree(out) == straight


def test_grown_by_steps_is_grown_at_once(tmp_path, straight):
    out = tmp_path / "out"
    for count in (3, 5, 6, 20, COUNT):
        generate(RECIPE, out, count=count, workers=0, shard_size=5)
    assert fakes.tree(out) == straight


@pytest.mark.parametrize("harm", ["sums", "sums of another", "manifest", "manifest of another", "row", "ledger", "stray"])
def test_an_extension_believes_no_damaged_sum(tmp_path, straight, harm):
    out = tmp_path / "out"
    generate(RECIPE, out, count=16, workers=0, shard_size=5)
    total = out / "ledger" / "total.json"
    if harm == "sums":
        total.write_text(total.read_text()[:-40])
    elif harm == "sums of another":
        generate(RECIPE, tmp_path / "other", count=11, workers=0, shard_size=5)
        total.write_text((tmp_path / "other" / "ledger" / "total.json").read_text())
    elif harm == "manifest":
        (out / "manifest.parquet").write_bytes(b"PAR1")
    elif harm == "manifest of another":
        generate(fakes.FakeRecipe(seed=1), tmp_path / "other", count=16, workers=0, shard_size=5)
        (out / "manifest.parquet").write_bytes((tmp_path / "other" / "manifest.parquet").read_bytes())
    elif harm == "row":
        (out / "ledger" / "00001.jsonl").unlink()
    elif harm == "ledger":
        (out / "ledger" / "00000.json").unlink()
    else:
        (out / "images" / "00000" / "thumbs.db").write_text("left by a file manager")
    generate(RECIPE, out, count=COUNT, workers=0)
    made = fakes.tree(out)
    made.pop("images/00000/thumbs.db", None)
    assert made == straight


def test_a_lost_file_is_made_again(tmp_path, straight):
    out = tmp_path / "out"
    generate(RECIPE, out, count=COUNT, workers=0)
    (out / "images" / "00002" / "000000011.png").unlink()
    (out / "ledger" / "00004.json").write_text("{ cut sh")
    (out / "manifest.parquet").unlink()
    assert generate(RECIPE, out, count=COUNT, workers=0).now == 10
    assert fakes.tree(out) == straight
