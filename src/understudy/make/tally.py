"""The count of a run, kept from its events: what the progress bar shows, the report says, and what ends a hopeless run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from understudy.make.shard import Began, Ended, Event, Shard

MOST_REASONS = 200  # a reason may name its record: the tally must not grow with the count


@dataclass
class Tally:
    """Records by what became of them. ``before``: those that stood in the folder when the run began, by kind."""

    wanted: int
    before: Counter[str] = field(default_factory=Counter)
    committed: Counter[str] = field(default_factory=Counter)
    redrawn: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    lost_in_a_row: set[int] = field(default_factory=set)
    last_reason: str = ""
    began: float = field(default_factory=monotonic)
    _in_hand: dict[int, list[Ended]] = field(default_factory=dict)

    def saw(self, event: Event) -> None:
        match event:
            case Began(shard):
                self._in_hand[shard] = []
            case Ended():
                self._in_hand[event.shard].append(event)
                self.seconds.update(event.seconds)
                if event.kind == "ok":
                    self.lost_in_a_row.clear()
                else:
                    self.lost_in_a_row.add(event.index)
                    self.last_reason = event.why
            case Shard():
                for ended in self._in_hand.pop(event.number):
                    self.committed[ended.kind] += 1
                    self.redrawn += ended.refused
                    if ended.kind != "ok":
                        reason = f"{ended.kind}: {ended.why}"
                        self.reasons[reason if reason in self.reasons or len(self.reasons) < MOST_REASONS else "others"] += 1

    def of(self, kind: str) -> int:
        """Records of this kind in the folder, committed now or before."""
        return self.before[kind] + self.committed[kind]

    @property
    def ended(self) -> int:
        """Records done in this run, committed or in hand."""
        return self.committed.total() + sum(map(len, self._in_hand.values()))

    @property
    def elapsed_s(self) -> float:
        return monotonic() - self.began


class Watch(Protocol):
    """Who is told how a run goes on."""

    def update(self, tally: Tally) -> None: ...

    def say(self, line: str) -> None: ...

    def close(self) -> None: ...


class Silent:
    """Nobody."""

    def update(self, tally: Tally) -> None:
        return None

    def say(self, line: str) -> None:
        return None

    def close(self) -> None:
        return None
