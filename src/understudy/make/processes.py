"""Shards in worker processes on this machine, one thread each.

A worker is a fresh interpreter (never a fork, so it inherits no renderer's state) that is sent the job once and then one
task after another over a socket. It may die (killed, out of memory, a crash in native code) or hang; the record it was at
is known, because it tells before it tries. The shard is then made again by a fresh worker, and a record that cost
``MAX_DEATHS`` workers is left out and becomes a ledger line. Workers end when their parent does, so a killed run leaves
none behind, and they never touch the data set itself: only the run puts shards in place.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from time import monotonic
from typing import IO

from understudy.errors import RunError, UsageError
from understudy.make.shard import Ended, Event, Job, Said, Shard, Task, Trying

MAX_DEATHS = 3
START_S = 120.0  # a fresh interpreter on a laden machine
# One thread a worker: workers = cores beats one worker with many threads. OIDN pins its threads to the first cores unless
# told not to, which would set all workers on one core.
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OIDN_NUM_THREADS",
                                     "OPENCV_FOR_THREADS_NUM", "UNDERSTUDY_THREADS")} | {"OIDN_SET_AFFINITY": "0"}


@dataclass(frozen=True)
class Ready:
    """A worker's first message: it has read the job."""


@dataclass(frozen=True)
class Fatal:
    """A worker's last message: what ends the whole run."""

    error: Exception


@dataclass(frozen=True)
class LocalProcesses:
    """Worker processes on this machine.

    workers : how many at once
    patience_s : a worker silent for this long is taken to hang, and killed; generous, since a worker's first record
        may build caches
    recycle_after : records after which a worker is replaced, so that no library's leak can grow
    debug : workers speak on this process's standard error instead of into a file
    """

    workers: int
    patience_s: float = 900.0
    recycle_after: int = 2000
    debug: bool = False

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError("at least one worker is needed", got=self.workers)

    def run(self, job: Job, tasks: Iterable[Task]) -> Iterator[Event]:
        parcel = _parcel(job)
        fresh, again = iter(tasks), deque[Task]()
        deaths: Counter[tuple[int, int | None]] = Counter()
        said: set[str] = set()  # what one worker warns of, all do
        stillborn = 0
        crew: dict[Connection, _Worker] = {}

        def next_task() -> Task | None:
            return again.popleft() if again else next(fresh, None)

        try:
            while True:
                while len(crew) < self.workers and (task := next_task()) is not None:
                    worker = _start(parcel, self.debug)
                    crew[worker.line] = worker
                    worker.give(task)
                if not crew:
                    return
                deadline = min(w.heard + self._patience(w) for w in crew.values())
                for line in wait(list(crew), timeout=max(0.0, deadline - monotonic())):
                    worker = crew[line]
                    try:
                        event = line.recv()
                    except (EOFError, OSError):
                        del crew[line]
                        cause = worker.bury(grace_s=2.0)
                        if worker.ready:
                            again.append(_second_try(worker, cause, 1, deaths))
                            continue
                        stillborn += 1
                        again.append(worker.task)
                        if stillborn >= MAX_DEATHS:
                            raise RunError("the worker processes die as they start", got=cause,
                                           remedy=worker.last_words) from None
                        continue
                    worker.heard = monotonic()
                    match event:
                        case Fatal(error):
                            raise error
                        case Ready():
                            worker.ready, stillborn = True, 0
                            continue
                        case Said(text):
                            if text in said:
                                continue
                            said.add(text)
                        case Trying(_, index):
                            worker.at = index
                        case Ended():
                            worker.at, worker.made = None, worker.made + 1
                        case Shard():  # the next task first: the worker must not wait for the commit
                            worker.task = next_task() if worker.made < self.recycle_after else None
                            if worker.task is None:
                                del crew[line]
                                worker.bury(grace_s=10.0)
                            else:
                                worker.give(worker.task)
                    yield event
                for line, worker in list(crew.items()):
                    if monotonic() - worker.heard > self._patience(worker) and not line.poll():
                        del crew[line]
                        worker.bury()
                        # a hang costs far more than a crash: one second chance
                        cause = f"no sign of life for {self.patience_s:g} s"
                        again.append(_second_try(worker, cause, MAX_DEATHS - 1, deaths))
        finally:
            for worker in crew.values():
                worker.process.kill()
            for worker in crew.values():
                worker.bury()

    def _patience(self, worker: _Worker) -> float:
        return self.patience_s if worker.ready else max(self.patience_s, START_S)


def _parcel(job: Job) -> bytes:
    try:
        return pickle.dumps(job)
    except Exception as error:
        raise UsageError("the recipe's parts cannot be sent to worker processes", got=f"{type(error).__name__}: {error}",
                         remedy="Define worlds, renderers and writers at the top of a module of their own") from error


def _second_try(worker: _Worker, cause: str, weight: int, deaths: Counter) -> Task:
    """The dead worker's task, without the record that it was at if that has cost too many."""
    task, index = worker.task, worker.at
    deaths[task.number, index] += weight
    if deaths[task.number, index] < MAX_DEATHS:
        return task
    if index is None:
        raise RunError(f"shard {task.number} cannot be finished: its workers die between records", got=cause,
                       remedy=worker.last_words)
    if cause == "SIGKILL":
        cause += ", as when memory runs out"
    return replace(task, skip={**task.skip, index: f"its worker died of it, time and again ({cause})"})


@dataclass
class _Worker:
    """A worker process. ``at``: the record that it is trying; ``made``: records it has ended; ``heard``: when last."""

    process: subprocess.Popen
    line: Connection
    log: IO[bytes] | None
    task: Task | None = None
    heard: float = field(default_factory=monotonic)
    ready: bool = False
    at: int | None = None
    made: int = 0
    words: list[str] = field(default_factory=list)

    def give(self, task: Task) -> None:
        self.task, self.at, self.heard = task, None, monotonic()
        self.tell(pickle.dumps(task))

    def tell(self, message: bytes) -> None:
        try:
            self.line.send_bytes(message)
        except OSError:  # it died this moment; reading the line will tell, with the task in hand
            return

    def bury(self, grace_s: float = 0.0) -> str:
        """See that it is dead, killed if it takes longer than ``grace_s``; of what it died."""
        self.line.close()
        try:
            code = self.process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.log is not None:
            self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - 500))
            self.words = self.log.read().decode(errors="replace").strip().splitlines()[-1:]
            self.log.close()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    @property
    def last_words(self) -> str | None:
        """The last line that it left on standard error, once buried."""
        return f"Its last words: {self.words[0]}" if self.words else None


def _start(parcel: bytes, debug: bool) -> _Worker:
    """A fresh interpreter at the other end of a socket, single-threaded, deaf to Ctrl-C (its parent decides)."""
    ours, theirs = Pipe()
    log = None if debug else tempfile.TemporaryFile()
    path = os.pathsep.join(p or str(Path.cwd()) for p in sys.path)
    process = None
    try:
        # Blocked signals stay blocked across exec; and a Ctrl-C at this moment waits until the child is known.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "understudy.make.worker", str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL, stdout=log if log else sys.__stderr__, stderr=log, pass_fds=[theirs.fileno()],
                env={**os.environ, **ONE_THREAD, "PYTHONPATH": path})
        finally:
            theirs.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        worker = _Worker(process, ours, log)
        worker.tell(parcel)
        return worker
    except BaseException:
        if process is not None:
            process.kill()
            process.wait()
        raise
