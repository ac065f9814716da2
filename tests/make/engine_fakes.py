"""A world of grey rectangles, its renderer, a format and a recipe: quick, exact, and able to misbehave on demand."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import logging
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from understudy.errors import AssetError, Unsatisfiable
from understudy.labels import LABELS
from understudy.record import Record
from understudy.scene import AssetUse, Camera, Electronics, Entity, Lens, Scene
from understudy.signals import CHANNELS, Signals
from understudy.values import Choice, Integers, Uniform
from understudy.writers import About

W, H = 48, 32


@dataclass(frozen=True)
class Rectangles:
    """``trouble``: record index -> what goes wrong there (see :meth:`_misbehave`), -1 for every record."""

    categories = ("thing", "never seen")
    count: object = Integers(1, 3)
    shade: object = Uniform(0, 255)
    refuse: float = 0.0
    trouble: Mapping[int, str] = field(default_factory=dict)
    once: Path | None = None

    def sample(self, draws, camera) -> Scene:
        colour = draws("colour", Choice(("red", "green")))
        count = draws("count", self.count)
        if draws("luck", Uniform(0, 1)) < self.refuse:
            raise Unsatisfiable("no luck")
        self._misbehave(draws)
        entities = []
        for i in range(count):
            one = draws.each(i)
            attributes = {"shade": one("shade", self.shade), "x": one("x", Integers(0, W - 9)),
                          "y": one("y", Integers(0, H - 9))}
            entities.append(Entity(i + 1, "thing", (), attributes=attributes))
        asset = AssetUse(f"{colour}.jpg", "somewhere", "CC0-1.0", hashlib.sha256(colour.encode()).hexdigest())
        return Scene(self.categories, camera, tuple(entities), assets=(asset,))

    def _misbehave(self, draws) -> None:
        for index, what in self.trouble.items():
            if index != -1 and draws._key not in _keys_of(index):
                continue
            if self.once is not None:
                try:
                    (self.once / f"{index}").touch(exist_ok=False)
                except FileExistsError:
                    continue
            if what == "raise":
                raise IndexError("a defect in the world")
            if what == "asset":
                raise AssetError("cannot be read", where="photo.jpg")
            if what == "never":
                raise Unsatisfiable("it cannot be")
            if what == "warn":
                logging.getLogger("understudy.fakes").warning("mind the step")
            if what == "sleep":
                time.sleep(600)
            if what == "exit":
                os._exit(3)
            if what == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if what == "full":
                raise OSError(errno.ENOSPC, "No space left on device", "somewhere")


def _keys_of(index: int):
    from understudy.key import Key

    return {Key(seed).child("record", index, attempt, "world", "rectangles") for seed in (0, 1, 7) for attempt in range(20)}


@dataclass(frozen=True)
class Painter:
    """Rectangles in front of each other in order of id; noise from the render key."""

    supplies = frozenset({"rgb", "instance"})
    delay_s: float = 0.0

    def render(self, scene, wanted, key) -> Signals:
        time.sleep(self.delay_s)
        rgb = (key.child("noise").uniforms(H, W, 3) * 40).astype(np.uint8)
        instance = np.zeros((H, W), np.uint32)
        for e in scene.entities:
            x, y = e.attributes["x"], e.attributes["y"]
            instance[y:y + 8, x:x + 8] = e.id
            rgb[y:y + 8, x:x + 8] = int(e.attributes["shade"])
        made = {"rgb": rgb, "instance": instance}
        return Signals({CHANNELS[s.name]: made[s.name] for s in wanted})


@dataclass(frozen=True)
class Sensor:
    quality: int = 0

    def sample(self, draws) -> Camera:
        fov = draws("fov_deg", Uniform(40, 70))
        focal = W / 2 / np.tan(np.radians(fov / 2))
        lens = Lens((W, H), (focal, focal), (W / 2, H / 2))
        return Camera(lens, np.eye(4), electronics=Electronics(jpeg_quality=self.quality))


@dataclass(frozen=True)
class Plain:
    """Pictures in a folder a shard, labels in a JSON file a shard, an index over all. ``breaks``: index -> how."""

    cannot_carry = {"maps": "a test's format"}
    breaks: Mapping[int, str] = field(default_factory=dict)
    style: str = "short"

    def shard(self, root: Path, number: int) -> _PlainShard:
        return _PlainShard(root, number, self.breaks)

    def finish(self, out: Path, shards: Sequence[int], about: About) -> None:
        temporary = out / ".work" / "index.part"
        temporary.parent.mkdir(exist_ok=True)
        with temporary.open("w") as file:
            file.write(json.dumps({"categories": about.categories, "seed": about.seed}) + "\n")
            for number in shards:
                file.write((out / "labels" / f"{number:05d}.json").read_text())
        temporary.replace(out / "index.jsonl")

    def read(self, path: Path) -> Iterator[Record]:
        raise AssertionError("not asked of this fake")

    def recognises(self, path: Path) -> bool:
        return (path / "index.jsonl").exists()


class _PlainShard:
    def __init__(self, root: Path, number: int, breaks: Mapping[int, str]) -> None:
        self._root, self._name, self._breaks, self._labels = root, f"{number:05d}", breaks, []
        (root / "images" / self._name).mkdir(parents=True)
        (root / "labels").mkdir()

    def add(self, record: Record) -> None:
        path = self._root / "images" / self._name / f"{record.index:09d}{record.picture.suffix}"
        path.write_bytes(record.picture.data)
        broken = self._breaks.get(record.index)
        if broken == "full":  # the real thing: the kernel's own answer
            with open("/dev/full", "wb") as file:
                file.write(b"x" * 100_000)
        elif broken == "raise":
            raise ValueError("this format cannot say that")
        self._labels.append({"file": path.name, "boxes": [i.xyxy_px for i in record.instances]})

    def close(self) -> list[str]:
        (self._root / "labels" / f"{self._name}.json").write_text("".join(json.dumps(x) + "\n" for x in self._labels))
        return [f"images/{self._name}", f"labels/{self._name}.json"]


@dataclass(frozen=True)
class FakeRecipe:
    """Has what the engine reads of a recipe."""

    name: str = "rectangles in grey"
    seed: int = 0
    count: int = 12
    world: Rectangles = Rectangles()
    world_name: str = "rectangles"
    renderer: Painter = Painter()
    camera: Sensor = Sensor()
    keep: tuple[str, ...] = ("boxes", "masks")
    write: Plain = Plain()
    write_name: str = "plain"

    @property
    def sensors(self):
        return SimpleNamespace(camera=self.camera, renderer=self.renderer)

    @property
    def tables(self):
        return SimpleNamespace(labels=LABELS)

    @property
    def labels(self):
        return SimpleNamespace(keep=self.keep, minimum_visible_px=1)

    @property
    def digest(self) -> str:
        world = dataclasses.replace(self.world, trouble={}, once=None)
        return hashlib.sha256(repr((self.name, world, self.camera, self.keep)).encode()).hexdigest()

    def plain(self) -> dict:
        return {"name": self.name, "seed": self.seed, "count": self.count,
                "world": {"rectangles": {"count": self.world.count.plain(), "refuse": self.world.refuse}},
                "write": {self.write_name: {"style": getattr(self.write, "style", "")}}}

    def to_yaml(self, folder: Path | None = None) -> str:
        return json.dumps(self.plain()) + "\n"


def find_no_fault(records) -> list[str]:
    return []


def find_fault_in_three(records) -> list[str]:
    return ["box and mask disagree" for r in records if r.index == 3]


def tree(out: Path) -> dict[str, str]:
    """Every file below ``out`` and its checksum."""
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(out.rglob("*")) if p.is_file()}
