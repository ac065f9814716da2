"""How many workers a machine carries."""

import os

import pytest

from understudy.make.machine import default_workers


@pytest.mark.parametrize(("cpu", "limit", "available_kb", "workers"), [
    (None, None, None, 64), ("max 100000", "max", 999_000_000, 64), ("250000 100000", None, None, 2),
    ("50000 100000", None, None, 1), (None, "6500000000", 999_000_000, 4), (None, "max", 3_200_000, 2),
    (None, None, 100_000, 1), ("800000 100000", "16000000000", 32_000_000, 8),
])
def test_cores_quota_and_memory(tmp_path, monkeypatch, cpu, limit, available_kb, workers):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)))
    for name, text in (("sys/fs/cgroup/cpu.max", cpu), ("sys/fs/cgroup/memory.max", limit),
                       ("proc/meminfo", available_kb and f"MemTotal: 1 kB\nMemAvailable:   {available_kb} kB\n")):
        if text:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(f"{text}\n")
    assert default_workers(tmp_path) == workers


def test_this_machine():
    assert 1 <= default_workers() <= len(os.sched_getaffinity(0))
