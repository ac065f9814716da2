"""How many workers this machine carries: the cores that may be used, and the memory that they need."""

from __future__ import annotations

import os
from pathlib import Path

WORKER_BYTES = 1_500_000_000  # what a worker may grow to (measured in bench/)


def default_workers(root: Path = Path("/")) -> int:
    """One worker a core, as far as memory goes; at least 1.

    Counts the cores of this process's affinity and, in a container, of its CPU quota (cgroup v2 ``cpu.max``); memory is
    what the kernel calls available, or the container's limit where that is less. ``root`` is for tests.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _line(root / "sys/fs/cgroup/cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = min(cores, max(1, int(quota) // int(period)))
    room = [int(text) for text in (_available(root), _line(root / "sys/fs/cgroup/memory.max")) if text.isdigit()]
    return max(1, min([cores, *(r // WORKER_BYTES for r in room)]))


def _available(root: Path) -> str:
    """MemAvailable in bytes, as digits; empty where the kernel does not say."""
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return ""
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), "")
    return f"{found}000" if found else ""


def _line(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
