"""What the committed shards come to, kept in ``ledger/total.json`` so that a run that adds to a large data set need not read
every ledger again.

A total is a function of its shards alone, so it is the same however the data set came about. It covers whole shards only:
the last one, if it holds fewer records than its size, grows when the data set does. Before a total is believed the files
that it counts are looked for, by name and size (no file is read); one that is missing, short or new makes the run go
through the ledgers one by one, which finds the shard.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from zlib import crc32

from understudy.make.manifest import joined, natural
from understudy.make.shard import part_name, shard_name

TOTAL = "total.json"


@dataclass
class Total:
    """Shards [0, ``shards``) in sum.

    counts : records by what became of them; columns : the manifest's columns and kinds (None: nothing but nulls)
    assets : how many records used each (name, source, licence, sha256); kinds_of_files : (top folder, suffix)
    skipped : how many records passed over each file that could not be used (name, why)
    units : what commits renamed into place, ``*`` for the shard's name, and the ranges of shards that have it
    files, bytes, names : how many files there are below the units, their size, and a sum over their names and sizes
    """

    shards: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    columns: dict[str, str | None] = field(default_factory=dict)
    assets: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    kinds_of_files: set[tuple[str, str]] = field(default_factory=set)
    units: dict[str, list[list[int]]] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0
    names: int = 0

    def add(self, entry: Mapping[str, Any], ledger_bytes: int, columns: Mapping[str, str | None]) -> None:
        """One more shard: its ledger, that file's size, and its part of the manifest."""
        number = self.shards
        self.shards += 1
        self.counts += Counter(ok=entry["made"], rejected=len(entry["rejected"]), failed=len(entry["failed"]))
        for name, kind in columns.items():
            self.columns[name] = joined((self.columns.get(name), kind))
        for *asset, times in entry["assets"]:
            self.assets[tuple(asset)] += times
        for *asset, times in entry.get("skipped", ()):  # absent in what earlier builds wrote
            self.skipped[tuple(asset)] += times
        ledger = f"ledger/{shard_name(number)}.json"
        for unit in (*entry["units"], ledger, part_name(number)):
            ranges = self.units.setdefault(unit.replace(shard_name(number), "*"), [])
            if ranges and ranges[-1][1] == number:
                ranges[-1][1] = number + 1
            else:
                ranges.append([number, number + 1])
        for name, size in ((ledger, ledger_bytes), *((n, facts["bytes"]) for n, facts in entry["files"].items())):
            self._weigh(name, size)
            self.kinds_of_files.add((name.partition("/")[0] if "/" in name else "", PurePosixPath(name).suffix))

    def _weigh(self, name: str, size: int) -> None:
        self.files += 1
        self.bytes += size
        self.names = (self.names + crc32(f"{name} {size}".encode(errors="surrogateescape"))) % 2**64

    def stands(self, out: Path) -> bool:
        """Are the very files there that were counted, in the sizes that they had?"""
        found = Total()
        try:
            for unit, ranges in self.units.items():
                for first, stop in ranges:
                    for number in range(first, stop):
                        name = unit.replace("*", shard_name(number))
                        for path, size in _files(f"{out}/{name}", name):
                            found._weigh(path, size)
        except OSError:
            return False
        return (found.files, found.bytes, found.names) == (self.files, self.bytes, self.names)

    def covers(self, name: str) -> bool:
        """Is this path (relative to the data set's folder) one that a shard brought?"""
        if name in self.units:
            return True
        for digits in re.findall(r"\d{5,}", name):
            number = int(digits)
            ranges = self.units.get(name.replace(digits, "*"), ()) if shard_name(number) == digits else ()
            if any(first <= number < stop for first, stop in ranges):
                return True
        return False

    def copy(self) -> Total:
        return Total.of(self.plain())

    def plain(self) -> dict[str, Any]:
        """As JSON holds it, the same for the same shards."""
        return {
            "shards": self.shards, "counts": {kind: self.counts[kind] for kind in ("ok", "rejected", "failed")},
            "files": self.files, "bytes": self.bytes, "names": f"{self.names:016x}",
            "units": dict(sorted(self.units.items())), "kinds_of_files": [list(k) for k in sorted(self.kinds_of_files)],
            "columns": dict(sorted(self.columns.items(), key=lambda item: natural(item[0]))),
            "assets": [[*asset, times] for asset, times in sorted(self.assets.items())],
            "skipped": [[*asset, times] for asset, times in sorted(self.skipped.items())],
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Total:
        """Back from :meth:`plain`; KeyError, TypeError or ValueError where it is none."""
        return cls(
            int(plain["shards"]), Counter({str(k): int(n) for k, n in plain["counts"].items()}),
            dict(plain["columns"]), Counter({(a, b, c, d): int(n) for a, b, c, d, n in plain["assets"]}),
            Counter({(a, b): int(n) for a, b, n in plain["skipped"]}),
            {(top, suffix) for top, suffix in plain["kinds_of_files"]},
            {unit: [[int(a), int(b)] for a, b in ranges] for unit, ranges in plain["units"].items()},
            int(plain["files"]), int(plain["bytes"]), int(plain["names"], 16))


def read_total(out: Path) -> tuple[Total, str]:
    """The total that an earlier run left and still stands, and the checksum of the manifest that it left; an empty one
    where there is none."""
    try:
        plain = json.loads((out / "ledger" / TOTAL).read_text(encoding="utf-8"))
        total, manifest = Total.of(plain), str(plain["manifest"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Total(), ""
    return (total, manifest) if total.stands(out) else (Total(), "")


def _files(path: str, name: str) -> Iterator[tuple[str, int]]:
    """(name, size) of a file, or of every file below a folder."""
    try:
        entries = os.scandir(path)
    except NotADirectoryError:
        yield name, Path(path).stat().st_size
        return
    with entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(entry.path, f"{name}/{entry.name}")
            else:
                yield f"{name}/{entry.name}", entry.stat().st_size
