"""What a user sees of a run."""

from __future__ import annotations

import io

import engine_fakes as fakes
import pytest

from understudy.make import generate
from understudy.make.progress import Progress, _span
from understudy.make.shard import Began, Ended, Shard
from understudy.make.tally import MOST_REASONS, Tally


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shard(number, *kinds):
    yield Began(number)
    for i, kind in enumerate(kinds):
        yield Ended(number, 10 * number + i, kind, why="because")


def test_a_tally_forgets_what_a_shard_said_when_it_begins_again():
    tally = Tally(10)
    for event in (*shard(0, "ok", "failed"), *shard(1, "ok"), *shard(0, "ok", "failed", "ok")):
        tally.saw(event)
    assert tally.ended == 4
    assert tally.committed.total() == 0
    tally.saw(Shard(0, None, (), {}))
    assert (tally.of("ok"), tally.of("failed"), tally.ended) == (2, 1, 4)
    assert tally.reasons == {"failed: because": 1}


def test_losses_in_a_row_are_counted_once_each():
    tally = Tally(10)
    for _ in range(3):
        for event in shard(0, "failed", "rejected"):
            tally.saw(event)
    assert len(tally.lost_in_a_row) == 2
    for event in shard(1, "ok"):
        tally.saw(event)
    assert not tally.lost_in_a_row


def test_reasons_do_not_grow_without_end():
    tally = Tally(1000)
    tally.saw(Began(0))
    for i in range(1000):
        tally.saw(Ended(0, i, "failed", why=f"record {i}"))
    tally.saw(Shard(0, None, (), {}))
    assert len(tally.reasons) == MOST_REASONS + 1
    assert tally.reasons["others"] == 1000 - MOST_REASONS


def test_a_bar_on_a_terminal():
    screen = Terminal()
    progress = Progress(screen)
    generate(fakes.FakeRecipe(world=fakes.Rectangles(trouble={3: "never"})), "data",
             count=12, workers=0, watch=progress)
    progress.close()
    last = screen.getvalue().split("\r\x1b[K")[-1].splitlines()
    text = screen.getvalue()
    assert "░" * 24 + "   0%  0/12" in text
    assert "█" * 24 + " 100%  12/12" in text and "1 rejected" in text
    assert "writing the indexes" in last


def test_plain_lines_elsewhere():
    paper = io.StringIO()
    generate(fakes.FakeRecipe(), "data", count=6, workers=0, watch=Progress(paper))
    assert "\r" not in paper.getvalue() and "\x1b" not in paper.getvalue()
    assert paper.getvalue().splitlines()[0].split() == ["0%", "0/6"]


def test_a_workers_warning_reaches_the_user_once(tmp_path):
    paper = io.StringIO()
    recipe = fakes.FakeRecipe(world=fakes.Rectangles(trouble={1: "warn", 2: "warn", 7: "warn"}))
    generate(recipe, tmp_path / "out", count=12, workers=2, watch=Progress(paper))
    assert paper.getvalue().count("mind the step") == 1


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (185, "3 min 05 s"), (7800, "2 h 10 min"),
                                               (270000, "3 d 3 h")])
def test_spans(seconds, text):
    assert _span(seconds) == text


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

