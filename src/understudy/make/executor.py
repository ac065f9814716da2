"""Where shards are made: the seam between a run and the machines that it runs on.

An executor takes plain tasks (index ranges) and gives back plain events; it knows nothing of worlds, formats or the data
set's folder beyond the job's work folder, which its workers and the run must both see. :class:`InProcess` is the whole
contract in four lines; :class:`~understudy.make.processes.LocalProcesses` is what ships. A distributed engine over a
shared file system is a third.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from understudy.make.shard import Event, Job, Task, make_shard


class Executor(Protocol):
    def run(self, job: Job, tasks: Iterable[Task]) -> Iterator[Event]:
        """Make every task, in any order, and yield what happens; each task ends in one :class:`Shard`.

        ``tasks`` is read as workers fall free, never all at once. Closing the iterator stops all work and leaves no
        process behind. Raises what ends the whole run.
        """
        ...


@dataclass(frozen=True)
class InProcess:
    """In this very process, one shard after the other: for tests, debuggers and other people's schedulers."""

    def run(self, job: Job, tasks: Iterable[Task]) -> Iterator[Event]:
        for task in tasks:
            yield from make_shard(job, task)
