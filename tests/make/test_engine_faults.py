"""What goes wrong on the way: each ends in one clear message or a ledger line, in bounded time, and nothing made is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import engine_fakes as fakes
import pytest

from understudy.errors import FolderBusy, FolderTaken, RunError, UsageError, WriteError
from understudy.make import Made, Rejected, generate, make_record
from understudy.make.processes import LocalProcesses
from understudy.make.run import HOPELESS

SCRIPT = Path(fakes.__file__).with_name("engine_script.py")


def ledger(out: Path, kind: str) -> list[dict]:
    return [line for path in sorted((out / "ledger").glob("[0-9]*.json")) for line in json.loads(path.read_text())[kind]]


def recipe(**world) -> fakes.FakeRecipe:
    return fakes.FakeRecipe(world=fakes.Rectangles(**world))


# --- one record


def test_a_refused_draw_is_drawn_again_under_its_own_key():
    outcomes = [make_record(recipe(refuse=0.5), i) for i in range(20)]
    assert all(isinstance(o, Made) for o in outcomes)
    assert any(o.attempts > 1 for o in outcomes)
    for outcome in outcomes:
        assert len(outcome.refused) == outcome.attempts - 1
        assert outcome.record.drawn["world.rectangles.luck"] >= 0.5
    calm = make_record(recipe(), 3).record.drawn
    assert set(calm) > {"sensors.camera.fov_deg", "world.rectangles.count", "world.rectangles.shade[0]"}


def test_attempts_are_bounded_and_the_reasons_kept():
    outcome = make_record(recipe(trouble={2: "never"}), 2, max_attempts=7)
    assert outcome == Rejected(2, ("it cannot be",) * 7)
    assert make_record(recipe(trouble={2: "asset"}), 2).asset


def test_a_defect_passes_through():
    with pytest.raises(IndexError, match="a defect"):
        make_record(recipe(trouble={2: "raise"}), 2)


# --- ledger lines


@pytest.mark.parametrize("workers", [0, 2])
def test_lost_records_become_ledger_lines_and_the_rest_is_made(tmp_path, workers):
    troubled = recipe(trouble={2: "raise", 4: "never", 9: "asset"})
    report = generate(troubled, tmp_path / "out", count=14, workers=workers)
    assert (report.made, report.rejected, report.failed) == (11, 1, 2)
    assert ledger(tmp_path / "out", "rejected") == [{"index": 4, "refused": ["it cannot be"] * 20}]
    assert ledger(tmp_path / "out", "failed") == [{"index": 2, "why": "IndexError: a defect in the world"},
                                                  {"index": 9, "refused": ["photo.jpg: cannot be read"] * 20}]
    assert not (tmp_path / "out" / "images" / "00000" / "000000002.png").exists()
    assert {"rejected: it cannot be", "failed: IndexError: a defect in the world"} < set(report.reasons)


def test_a_passing_fault_of_the_machine_costs_nothing(tmp_path):
    (tmp_path / "flags").mkdir()
    generate(recipe(), tmp_path / "calm", count=6, workers=0)
    report = generate(recipe(trouble={3: "raise"}, once=tmp_path / "flags"), tmp_path / "out", count=6, workers=0)
    assert report.failed == 0
    assert fakes.tree(tmp_path / "out") == fakes.tree(tmp_path / "calm")


def test_failed_records_are_made_again_when_asked(tmp_path):
    generate(recipe(), tmp_path / "calm", count=6, workers=0)
    assert generate(recipe(trouble={3: "raise"}), tmp_path / "out", count=6, workers=0).failed == 1
    assert generate(recipe(), tmp_path / "out", count=6, workers=0).failed == 1  # not unasked
    assert generate(recipe(), tmp_path / "out", count=6, workers=0, retry_failed=True).failed == 0
    assert fakes.tree(tmp_path / "out") == fakes.tree(tmp_path / "calm")


def test_a_record_that_the_format_cannot_write_is_left_out_whole(tmp_path):
    broken = fakes.FakeRecipe(write=fakes.Plain(breaks={3: "raise"}))
    report = generate(broken, tmp_path / "out", count=6, workers=0)
    assert (report.made, report.failed) == (5, 1)
    assert ledger(tmp_path / "out", "failed")[0]["why"] == "writing it: ValueError: this format cannot say that"
    assert not (tmp_path / "out" / "images" / "00000" / "000000003.png").exists()  # half-written, and gone


@pytest.mark.parametrize("workers", [0, 1])
def test_a_record_with_wrong_labels_is_left_out(tmp_path, workers):
    report = generate(recipe(), tmp_path / "out", count=6, workers=workers, audit=fakes.find_fault_in_three)
    assert (report.made, report.failed) == (5, 1)
    assert ledger(tmp_path / "out", "failed") == [{"index": 3, "why": "its labels are wrong: box and mask disagree"}]


# --- hopeless runs


@pytest.mark.parametrize("what", ["raise", "never", "asset"])
def test_a_world_that_always_raises_ends_the_run(tmp_path, what):
    with pytest.raises(RunError, match=f"{HOPELESS} records in a row came to nothing.*(defect|cannot)"):
        generate(recipe(trouble={-1: what}), tmp_path / "out", count=100_000, shard_size=5, workers=2)
    assert len(ledger(tmp_path / "out", "failed") + ledger(tmp_path / "out", "rejected")) >= 5


def test_a_small_run_without_one_record_fails(tmp_path):
    with pytest.raises(RunError, match=r"not one record could be made.*got rejected: it cannot be"):
        generate(recipe(trouble={-1: "never"}), tmp_path / "out", count=3, workers=0)


# --- workers that die


@pytest.mark.parametrize(("what", "cause"), [("kill", "SIGKILL, as when memory runs out"), ("exit", "exit code 3")])
def test_a_record_that_kills_its_workers_is_isolated(tmp_path, what, cause):
    report = generate(recipe(trouble={3: what}), tmp_path / "out", count=12, workers=2)
    assert (report.made, report.failed) == (11, 1)
    assert ledger(tmp_path / "out", "failed") == [
        {"index": 3, "why": f"its worker died of it, time and again ({cause})"}]


def test_a_killed_worker_is_replaced(tmp_path):
    (tmp_path / "flags").mkdir()
    generate(recipe(), tmp_path / "calm", count=12, workers=0)
    generate(recipe(trouble={1: "kill", 8: "kill"}, once=tmp_path / "flags"), tmp_path / "out", count=12, workers=2)
    assert fakes.tree(tmp_path / "out") == fakes.tree(tmp_path / "calm")


def test_a_hanging_worker_is_killed_and_replaced(tmp_path):
    (tmp_path / "flags").mkdir()
    generate(recipe(), tmp_path / "calm", count=6, workers=0)
    hanging = recipe(trouble={1: "sleep"}, once=tmp_path / "flags")
    generate(hanging, tmp_path / "out", count=6, executor=LocalProcesses(1, patience_s=6.0))
    assert fakes.tree(tmp_path / "out") == fakes.tree(tmp_path / "calm")


def test_recycled_workers_make_the_same(tmp_path):
    generate(recipe(), tmp_path / "calm", count=12, workers=0)
    generate(recipe(), tmp_path / "out", count=12, executor=LocalProcesses(1, recycle_after=5))
    assert fakes.tree(tmp_path / "out") == fakes.tree(tmp_path / "calm")


def test_workers_that_cannot_start_end_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RunError, match=r"die as they start.*exit code 1"):
        generate(recipe(), tmp_path / "out", count=6, workers=2)


def test_a_recipe_that_cannot_be_sent_is_refused(tmp_path):
    class Local(fakes.Rectangles):
        pass

    with pytest.raises(UsageError, match=r"cannot be sent.*in a module|cannot be sent.*of their own"):
        generate(fakes.FakeRecipe(world=Local()), tmp_path / "out", count=6, workers=1)


# --- disks and folders


@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_is_one_message_and_keeps_what_is_made(tmp_path, workers):
    generate(fakes.FakeRecipe(), tmp_path / "calm", count=20, workers=0)
    full = fakes.FakeRecipe(write=fakes.Plain(breaks={12: "full"}))
    with pytest.raises(WriteError, match=r"No space left on device.*What was finished before is kept"):
        generate(full, tmp_path / "out", count=20, workers=workers)
    assert sorted(p.name for p in tmp_path.joinpath("out").iterdir() if p.name.startswith(".")) == []
    for path, digest in fakes.tree(tmp_path / "out").items():
        assert fakes.tree(tmp_path / "calm")[path] == digest
    generate(fakes.FakeRecipe(), tmp_path / "out", count=20, workers=0)
    assert fakes.tree(tmp_path / "out") == fakes.tree(tmp_path / "calm")


def test_a_disk_that_fills_up_elsewhere_than_in_writing(tmp_path):
    with pytest.raises(WriteError, match="No space left"):
        generate(recipe(trouble={3: "full"}), tmp_path / "out", count=6, workers=1)


@pytest.mark.parametrize("where", ["/proc/understudy", "/dev/null/under", "/dev/null"])
def test_a_folder_that_cannot_be_written(where):
    with pytest.raises((WriteError, FolderTaken)) as caught:
        generate(recipe(), where, count=3, workers=0)
    assert where in str(caught.value)


def test_a_size_that_cannot_fit_is_refused_before_anything_is_made(tmp_path):
    with pytest.raises(RunError, match="would not fit on this disk"):
        generate(recipe(), tmp_path / "out", count=10**9, workers=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", [{"count": 0}, {"count": 10**9 + 1}, {"workers": -1}, {"shard_size": 0}])
def test_numbers_out_of_range(tmp_path, wrong):
    with pytest.raises(UsageError, match="is out of range"):
        generate(recipe(), tmp_path / "out", **wrong)


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("all my work")
    with pytest.raises(FolderTaken, match=r"no run of understudy made.*thesis\.txt"):
        generate(recipe(), tmp_path, count=3, workers=0)
    (tmp_path / "run.json").write_text('{"something": "else"}')
    with pytest.raises(FolderTaken, match="not the work of understudy"):
        generate(recipe(), tmp_path, count=3, workers=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.json", "thesis.txt"]


@pytest.mark.parametrize(("other", "named"), [
    (fakes.FakeRecipe(seed=1), "seed is 0 there and 1 here"),
    (fakes.FakeRecipe(world=fakes.Rectangles(refuse=0.1)), r"world\.rectangles\.refuse is 0\.0 there and 0\.1 here"),
    (fakes.FakeRecipe(write=fakes.Plain(style="long")), "style is short there and long here"),
])
def test_another_runs_folder_is_refused_and_says_what_differs(tmp_path, other, named):
    generate(recipe(), tmp_path / "out", count=3, workers=0)
    before = fakes.tree(tmp_path / "out")
    with pytest.raises(FolderTaken, match=named):
        generate(other, tmp_path / "out", count=3, workers=0)
    assert fakes.tree(tmp_path / "out") == before


def test_another_shard_size_or_other_versions_are_refused(tmp_path):
    generate(recipe(), tmp_path / "out", count=3, workers=0)
    with pytest.raises(FolderTaken, match="shard_size is 5 there and 2 here"):
        generate(recipe(), tmp_path / "out", count=3, workers=0, shard_size=2)
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    run["versions"]["numpy"] = "1.0"
    (tmp_path / "out" / "run.json").write_text(json.dumps(run))
    with pytest.raises(FolderTaken, match=r"versions\.numpy is 1\.0 there"):
        generate(recipe(), tmp_path / "out", count=3, workers=0)


def test_a_folder_without_one_record_is_anybodys(tmp_path):
    with pytest.raises(RunError, match="not one record"):
        generate(recipe(trouble={-1: "asset"}), tmp_path / "out", count=7, workers=0)
    other = fakes.FakeRecipe(seed=1)
    assert generate(other, tmp_path / "out", count=3, workers=0).made == 3
    generate(other, tmp_path / "calm", count=3, workers=0)
    assert fakes.tree(tmp_path / "out") == fakes.tree(tmp_path / "calm")


def test_a_folder_without_one_record_but_with_other_files_is_not(tmp_path):
    with pytest.raises(RunError, match="not one record"):
        generate(recipe(trouble={-1: "asset"}), tmp_path / "out", count=3, workers=0)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(FolderTaken):
        generate(fakes.FakeRecipe(seed=1), tmp_path / "out", count=3, workers=0)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_smaller_count_is_refused(tmp_path):
    generate(recipe(), tmp_path / "out", count=12, workers=0)
    with pytest.raises(UsageError, match=r"wanted -n 7, got 12 already made"):
        generate(recipe(), tmp_path / "out", count=7, workers=0)


def test_two_runs_at_once(tmp_path):
    slow = fakes.FakeRecipe(renderer=fakes.Painter(delay_s=0.01))
    said = []

    class Second:
        def update(self, tally):
            if tally.ended == 3 and not said:
                other = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path / "out"), "6", "1", "0"],
                                       capture_output=True, text=True)
                said.append((other.returncode, other.stderr))

        def say(self, line):
            return None

        def close(self):
            return None

    report = generate(slow, tmp_path / "out", count=6, workers=0, watch=Second())
    code, message = said[0]
    assert code == 1 and "FolderBusy" in message and f"process {os.getpid()}" in message
    assert report.made == 6  # the first one went on undisturbed
    with pytest.raises(FolderBusy):
        from understudy.make.folder import held

        with held(tmp_path / "out"), held(tmp_path / "out"):
            pass
