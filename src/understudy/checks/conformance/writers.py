"""Checks on formats: what is written reads back, the same bytes twice, whole files only, losses stated."""

from __future__ import annotations

import tempfile
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from understudy.checks.conformance.check import Check, no_global_randomness, wanted
from understudy.checks.conformance.specimens import records
from understudy.fields import Setting, fields_of
from understudy.record import Record
from understudy.writers import About
from understudy.writers.compare import differences


def writer_checks(name: str, written: Any, *, tolerance_px: float = 0.01) -> list[Check]:
    """The checks on a format: its class, or an instance. tolerance_px : rounding of boxes and points that it may do."""
    kit = _Kit(written() if isinstance(written, type) else written, tolerance_px)
    return [Check(name, check.__name__.replace("_", " "), check) for check in (
        kit.fields_are_documented, kit.reads_back_what_it_wrote, kit.losses_are_stated_and_real, kit.same_bytes_twice,
        kit.recognises_its_own, kit.a_shard_names_itself, kit.nothing_half_done_is_left, kit.finishing_again_changes_nothing,
        kit.an_empty_shard_is_no_harm, kit.tells_about_itself, kit.touches_no_global_randomness)]


@cache
def _specimens() -> tuple[Record, ...]:
    return tuple(records())


class _Kit:
    def __init__(self, written: Any, tolerance_px: float) -> None:
        self.written, self.tolerance_px = written, tolerance_px

    def about(self) -> About:
        return About("specimens", _specimens()[0].categories, ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
                     "what the conformance kit writes", "1", "abc", 7)

    def write(self, out: Path, shards: dict[int, tuple[Record, ...]]) -> dict[int, list[str]]:
        """Shards made below a work folder and renamed into place unit by unit, as a run does."""
        units = {}
        for number, some in shards.items():
            work = out / ".work" / str(number)
            work.mkdir(parents=True)
            writer = self.written.shard(work, number)
            for record in some:
                writer.add(record)
            units[number] = list(writer.close())
            for unit in units[number]:
                wanted((work / unit).exists(), f"close() names {unit}, which is not there")
                wanted(not (out / unit).exists(), f"two shards write {unit}")
                (out / unit).parent.mkdir(parents=True, exist_ok=True)
                (work / unit).rename(out / unit)
            left = [p for p in work.rglob("*") if p.is_file()]
            wanted(not left, f"close() does not name {left[:3]}")
        import shutil

        shutil.rmtree(out / ".work")
        self.written.finish(out, list(shards), self.about())
        return units

    def halves(self) -> dict[int, tuple[Record, ...]]:
        some = _specimens()
        return {0: some[:3], 1: some[3:]}

    def fields_are_documented(self) -> None:
        for name, declared in fields_of(type(self.written)).items():
            wanted(declared.doc.strip(), f"{name} has no documentation")
            wanted(isinstance(declared, Setting), f"{name} must be a setting: a format does not vary from record to record")
        for what, why in self.written.cannot_carry.items():
            wanted(what and why, f"cannot_carry says of {what!r} only {why!r}")

    def reads_back_what_it_wrote(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            self.write(out, self.halves())
            back = list(self.written.read(out))
            wanted(len(back) == len(_specimens()), f"{len(_specimens())} records were written and {len(back)} read")
            for record, other in zip(_specimens(), back):
                for what, change in differences(record, other, self.tolerance_px).items():
                    wanted(_stated(what, self.written.lost), f"record {record.index}: {what} is lost unstated: {change}")

    def losses_are_stated_and_real(self) -> None:
        """What a format says it cannot carry is no field that nobody has."""
        known = {"picture", "categories", "camera", "drawn", "assets", "index", "instances", "maps"}
        for what in self.written.lost:
            wanted(what.split(".")[0] in known, f"cannot_carry names {what!r}, which no record has")

    def same_bytes_twice(self) -> None:
        prints = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                self.write(Path(folder), self.halves())
                prints.append(_print(Path(folder)))
        one, two = prints
        differing = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
        wanted(not differing, f"written twice, these differ: {differing[:5]}")

    def recognises_its_own(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            wanted(not self.written.recognises(out), "an empty folder is taken for a data set")
            self.write(out, self.halves())
            wanted(self.written.recognises(out), "its own folder is not recognised")

    def a_shard_names_itself(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            units = self.write(Path(folder), {7: _specimens()[:2], 12: _specimens()[2:4]})
            for number, names in units.items():
                wrong = [n for n in names if f"{number:05d}" not in n]
                wanted(not wrong, f"shard {number} writes {wrong}, which do not name it: shards would overwrite each other")

    def nothing_half_done_is_left(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            self.write(out, self.halves())
            rough = [p.name for p in out.rglob("*") if p.name.startswith(".") or p.suffix in (".part", ".tmp")]
            wanted(not rough, f"unfinished files are left: {rough[:3]}")

    def finishing_again_changes_nothing(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            shards = self.halves()
            self.write(out, shards)
            before = _print(out)
            self.written.finish(out, list(shards), self.about())
            wanted(_print(out) == before, "finish() a second time gives other files")

    def an_empty_shard_is_no_harm(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.write(Path(folder), {0: (), 1: _specimens()[:1], 2: ()})
            wanted(len(list(self.written.read(Path(folder)))) == 1, "an empty shard changes what is read")

    def tells_about_itself(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.write(Path(folder), self.halves())
            told = self.written.about(Path(folder))
            wanted(told.categories == self.about().categories, f"categories come back as {told.categories}")
            wanted(tuple(told.licence) == self.about().licence, f"the licence comes back as {told.licence}")

    def touches_no_global_randomness(self) -> None:
        with tempfile.TemporaryDirectory() as folder, no_global_randomness():
            for number, some in self.halves().items():
                work = Path(folder) / str(number)
                work.mkdir()
                writer = self.written.shard(work, number)
                for record in some:
                    writer.add(record)
                writer.close()


def _stated(what: str, lost: Any) -> bool:
    """Is the loss of ``what`` stated, by itself or with what holds it?"""
    return what in lost or what.split(".")[0] in lost


def _print(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): blake2b(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}
