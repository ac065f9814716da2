"""The same data set whatever the workers, the environment, the order, and however often it is killed."""

from __future__ import annotations

import os
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


def _start(out: Path, delay_s: float) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(SCRIPT), str(out), str(COUNT), "2", str(delay_s)],
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
    """Kill the whole group after each of the instants, then let a last run finish; how many kills met a live run."""
    met = 0
    for instant in instants_s:
        run = _start(out, 0.02)
        try:
            run.wait(timeout=instant)
        except subprocess.TimeoutExpired:
            met += 1
            os.killpg(run.pid, signal.SIGKILL)
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


def test_killed_between_any_two_changes_of_the_folder(tmp_path, straight, monkeypatch):
    """Stop in-process at each rename in turn: every intermediate state of the folder leads on to the same tree."""
    rename = Path.replace
    done = 0

    class Stop(BaseException):
        pass

    for stop_at in range(400):
        seen = 0

        def counting(self, target):
            nonlocal seen
            if seen == stop_at:  # noqa: B023
                raise Stop
            seen += 1
            return rename(self, target)

        out = tmp_path / "out" if stop_at % 3 else tmp_path / f"out{stop_at}"  # most stops pile up in one folder
        monkeypatch.setattr(Path, "replace", counting)
        try:
            generate(RECIPE, out, count=COUNT, workers=0)
        except Stop:
            monkeypatch.setattr(Path, "replace", rename)
            if stop_at % 3 == 0:
                generate(RECIPE, out, count=COUNT, workers=0)
                assert fakes.tree(out) == straight, f"stopped at rename {stop_at}"
                done += 1
        else:
            monkeypatch.setattr(Path, "replace", rename)
            assert fakes.tree(out) == straight
            if stop_at % 3 == 0:
                break
    assert done >= 8


def test_a_larger_count_extends(tmp_path, straight):
    out = tmp_path / "out"
    generate(RECIPE, out, count=12, workers=0, shard_size=5)
    report = generate(RECIPE, out, count=COUNT, workers=2)
    assert report.now == COUNT - 10  # the half shard 10-11 is made again
    assert fakes.tree(out) == straight


def test_a_lost_file_is_made_again(tmp_path, straight):
    out = tmp_path / "out"
    generate(RECIPE, out, count=COUNT, workers=0)
    (out / "images" / "00002" / "000000011.png").unlink()
    (out / "ledger" / "00004.json").write_text("{ cut sh")
    (out / "manifest.parquet").unlink()
    assert generate(RECIPE, out, count=COUNT, workers=0).now == 10
    assert fakes.tree(out) == straight
