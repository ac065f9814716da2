"""How long to train: a number of pictures shown, or of CPU-seconds. Never wall time, which depends on the neighbours."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from understudy.errors import UsageError

_FORM = re.compile(r"(\d+(?:\.\d+)?)(k?)(img|images|s|cpus)", re.ASCII)


@dataclass(frozen=True)
class Budget:
    """images : pictures to show, or None; cpu_s : seconds of this process's CPU time, or None. One of the two is set."""

    images: int | None = None
    cpu_s: float | None = None

    def __str__(self) -> str:
        return f"{self.images}img" if self.images is not None else f"{self.cpu_s:g}s"

    def started(self) -> Spent:
        return Spent(self, time.process_time())


@dataclass
class Spent:
    """A budget that is being used up."""

    budget: Budget
    start_s: float
    images: int = 0

    @property
    def cpu_s(self) -> float:
        return time.process_time() - self.start_s

    @property
    def share(self) -> float:
        """How much of it is used: 0 to 1."""
        if self.budget.images is not None:
            return min(self.images / self.budget.images, 1.0)
        return min(self.cpu_s / self.budget.cpu_s, 1.0)


def parse_budget(text: str) -> Budget:
    """``40000img``, ``40kimg``, ``300s`` (CPU-seconds). UsageError for anything else."""
    match = _FORM.fullmatch(text.strip())
    value = float(match[1]) * (1000 if match[2] else 1) if match else 0.0
    if not match or not 1 <= value <= 1e9:
        raise UsageError("the budget is not understood", wanted="pictures shown (40000img, 40kimg) or CPU-seconds (300s)",
                         got=repr(text))
    return Budget(images=int(value)) if match[3].startswith("im") else Budget(cpu_s=value)
