"""Nothing grows with the count: a late shard costs what an early one cost, in operations and in bytes kept."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from itertools import pairwise

import engine_fakes as fakes
import pytest

from understudy.make import folder, generate, manifest
from understudy.values import Fixed

STEADY = fakes.FakeRecipe(world=fakes.Rectangles(count=Fixed(2), shade=Fixed(9)))


def test_shards_cost_the_same_number_of_operations(tmp_path, monkeypatch):
    calls, at_commit = 0, []

    def count(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    commit = folder.commit

    def counted(out, shard):
        commit(out, shard)
        at_commit.append(calls)

    monkeypatch.setattr(folder, "commit", counted)
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        generate(STEADY, tmp_path / "out", count=80, shard_size=1, workers=0)
    finally:
        sys.setprofile(before)
    costs = [b - a for a, b in pairwise(at_commit)]
    early, late = sorted(costs[9:29])[10], sorted(costs[-20:])[10]
    assert abs(late - early) / early < 0.02, (early, late)
    ledgers = [json.loads(folder.ledger_path(tmp_path / "out", n).read_text()) for n in range(80)]
    sizes = [sum(file["bytes"] for file in ledger["files"].values()) for ledger in ledgers]
    assert max(sizes) < 1.05 * min(sizes)


def test_an_extension_reads_what_is_new_and_nothing_that_stands(tmp_path, monkeypatch):
    """Ledgers and rows of the manifest: as many files are read after forty shards as after eight."""
    read: list[str] = []
    for module, name in ((folder, "read_ledger"), (manifest, "read_part")):
        really = getattr(module, name)

        def noted(path, really=really):
            read.append(path.name)
            return really(path)

        monkeypatch.setattr(module, name, noted)
    counts = []
    for standing in (8, 40):
        out = tmp_path / str(standing)
        generate(STEADY, out, count=standing, shard_size=1, workers=0)
        read.clear()
        generate(STEADY, out, count=standing + 3, workers=0)
        old = {f"{n:05d}" for n in range(standing)}
        assert sorted(name for name in read if name[:5] in old) == [  # whether any record is there; the last shard's end
            "00000.json", f"{standing - 1:05d}.json"], read
        counts.append(len(read))
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_count(tmp_path):
    held = {}

    class Weigh:
        def update(self, tally):
            if tally.ended in (200, 2000) and tally.ended not in held:
                gc.collect()
                held[tally.ended] = tracemalloc.get_traced_memory()[0]

        def say(self, line):
            return None

        def close(self):
            return None

    tracemalloc.start()
    try:
        generate(STEADY, tmp_path / "out", count=2000, workers=0, watch=Weigh())
    finally:
        tracemalloc.stop()
    assert held[2000] - held[200] < 100_000, held  # 55 bytes a record; one picture kept of each would be 6 MB
