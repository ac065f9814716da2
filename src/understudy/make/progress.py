"""The progress of a run on a terminal: one line, redrawn; plain lines where there is no terminal."""

from __future__ import annotations

import shutil
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TextIO

from understudy.make.tally import Tally

REDRAW_S, LINE_S = 0.1, 15.0
# The rate shown is that of the last so many seconds: workers warm up, and then the average would lie for long.
WINDOW_S = 60.0


class Progress:
    """Watches a run and writes to ``stream`` (standard error): a bar on a terminal, else a line now and then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._live = stream, stream.isatty()
        self._shown_at, self._open = -1e9, False
        self._samples: deque[tuple[float, int]] = deque()
        self.tally: Tally | None = None

    def update(self, tally: Tally) -> None:
        self.tally = tally
        now, done = monotonic(), tally.ended
        if self._samples and done < self._samples[-1][1]:  # a shard begins again
            self._samples.clear()
        if not self._samples or now - self._samples[-1][0] > 0.5 or done == tally.wanted:
            self._samples.append((now, done))
        while now - self._samples[0][0] > WINDOW_S and len(self._samples) > 2:
            self._samples.popleft()
        first = self._shown_at < 0
        if not first and now - self._shown_at < (REDRAW_S if self._live else LINE_S):
            return
        self._shown_at = now
        self._show(self._line(tally))

    def say(self, line: str) -> None:
        self.close()
        self._write(f"{line}\n")

    def close(self) -> None:
        """End the bar's line, its last state shown."""
        if self._open and self.tally:
            self._show(self._line(self.tally))
            self._write("\n")
            self._open = False

    def _show(self, line: str) -> None:
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r\x1b[K{line[:width]}")
            self._open = True
        else:
            self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        with suppress(OSError):  # whoever read along is gone, or the log's disk is full: no reason to end a run
            self._stream.write(text)
            self._stream.flush()

    def _line(self, tally: Tally) -> str:
        done = tally.before.total() + tally.ended
        share = done / tally.wanted
        facts = [f"{done}/{tally.wanted}"]
        rate = self._rate()
        if rate > 0:
            facts.append(f"{rate:.1f} pictures/s" if rate >= 0.1 else f"{60 * rate:.1f} pictures/min")
            if done < tally.wanted:
                facts.append(f"{_span((tally.wanted - done) / rate)} left")
        facts += [f"{n} {kind}" for kind in ("rejected", "failed") if (n := tally.of(kind))]
        text = "  ".join(facts)
        if not self._live:
            return f"{share:4.0%}  {text}"
        filled = int(24 * share)
        return f"{'█' * filled}{'░' * (24 - filled)} {share:4.0%}  {text}"

    def _rate(self) -> float:
        (t0, n0), (t1, n1) = self._samples[0], self._samples[-1]
        return (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0


def _span(seconds: float) -> str:
    """A duration as one reads it: ``48 s``, ``3 min 05 s``, ``2 h 10 min``, ``4 d 3 h``."""
    s = round(seconds)
    if s < 60:
        return f"{s} s"
    if s < 3600:
        return f"{s // 60} min {s % 60:02d} s"
    if s < 86400:
        return f"{s // 3600} h {s % 3600 // 60:02d} min"
    return f"{s // 86400} d {s % 86400 // 3600} h"
