"""A worker process: ``python -m understudy.make.worker SOCKET PARENT``. Reads the job, then makes shard after shard."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection

from understudy.errors import RunError, UnderstudyError

TRIM_EVERY = 16  # records


def main(handle: int, parent: int) -> None:
    os.set_inheritable(handle, False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # Ctrl-C stays blocked: the parent decides
    _die_with(parent)
    line = Connection(handle)
    try:
        _serve(line)
    except (EOFError, BrokenPipeError, ConnectionResetError):  # the parent has no more work, or is gone
        return


def _serve(line: Connection) -> None:
    from understudy.make.processes import Fatal, Ready
    from understudy.make.shard import Ended, make_shard

    try:
        job = pickle.loads(line.recv_bytes())
    except EOFError:
        raise
    except Exception as error:
        line.send(Fatal(RunError("a worker process cannot load the recipe's parts",
                                 got=f"{type(error).__name__}: {error}",
                                 remedy="Define worlds, renderers and writers in a module that can be imported")))
        return
    logging.getLogger("understudy").addHandler(_Told(line))
    line.send(Ready())
    ended = 0
    while True:
        task = pickle.loads(line.recv_bytes())
        events = make_shard(job, task)
        while True:
            try:
                event = next(events, None)
            except Exception as error:
                traceback.print_exc()
                line.send(Fatal(error if isinstance(error, UnderstudyError) else _defect(error)))
                return
            if event is None:
                break
            line.send(event)
            ended += isinstance(event, Ended)
            if isinstance(event, Ended) and ended % TRIM_EVERY == 0:
                _give_back()


def _give_back() -> None:
    """Hand free memory back to the system. Records' arrays differ in size, and what the C library keeps between them creeps
    up over hundreds of records; this costs some milliseconds. Libraries that are not glibc have no such call."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class _Told(logging.Handler):
    """Warnings of the package go to the parent, which shows each once."""

    def __init__(self, line: Connection) -> None:
        super().__init__(logging.WARNING)
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        from understudy.make.shard import Said

        self._line.send(Said(record.getMessage()))


def _defect(error: Exception) -> RunError:
    return RunError(f"unexpected {type(error).__name__} in a worker: {error}",
                    remedy="This is a defect; --debug shows where")


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere the next message finds the socket closed."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, prctl(2)
    if os.getppid() != parent:
        os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
