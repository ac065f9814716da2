"""Checks on worlds and surroundings: pure functions of their key, honest about their fields, plain in what they give."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from understudy.checks.conformance.check import Check, digest, no_global_randomness, wanted
from understudy.checks.conformance.declared import entries, fixed, of_axis, walk
from understudy.checks.conformance.specimens import camera_of
from understudy.draws import Draws
from understudy.errors import AssetError, Unsatisfiable
from understudy.fields import Group, Param, Setting, Slot, fields_of
from understudy.key import Key
from understudy.scene import PARTS, Scene
from understudy.surroundings import FIRST_ENTITY_ID
from understudy.values import Fixed

ATTEMPTS = 20


def world_checks(name: str, world: Any, *, seldom: Iterable[str] = (), records: int = 12) -> list[Check]:
    """The checks on a world.

    world : its class, or an instance where it needs settings; seldom : dotted paths of parameters that are rightly drawn
    in few records only; records : how many are sampled to see every parameter drawn
    """
    kit = _Kit(name, world() if isinstance(world, type) else world, frozenset(seldom), records)
    return [Check(name, check.__name__.replace("_", " "), check) for check in (
        kit.fields_are_declared, kit.is_frozen, kit.same_key_same_scene, kit.fresh_process_same_scene, kit.scenes_differ,
        kit.touches_no_global_randomness, kit.draws_lie_in_their_support, kit.every_parameter_is_drawn,
        kit.fixed_values_are_honoured, kit.categories_are_stated, kit.entities_are_numbered, kit.surfaces_are_sound,
        kit.keeps_the_lens)]


def surroundings_checks(name: str, surroundings: Any, *, seldom: Iterable[str] = (), records: int = 8) -> list[Check]:
    """The checks on surroundings; arguments as for :func:`world_checks`."""
    kit = _Kit(name, surroundings() if isinstance(surroundings, type) else surroundings, frozenset(seldom), records)
    return [Check(name, check.__name__.replace("_", " "), check) for check in (
        kit.fields_are_declared, kit.is_frozen, kit.same_key_same_scene, kit.fresh_process_same_scene, kit.scenes_differ,
        kit.touches_no_global_randomness, kit.draws_lie_in_their_support, kit.every_parameter_is_drawn,
        kit.fixed_values_are_honoured, kit.entities_are_numbered, kit.surfaces_are_sound)]


def sampled(entry: Any, index: int, seed: int = 0) -> tuple[Any, dict[str, Any]]:
    """What ``entry`` gives for record ``index``, and what was drawn; draws that cannot be made true are drawn again."""
    why: Exception | None = None
    for attempt in range(ATTEMPTS):
        draws = Draws(Key(seed).child("conformance", index, attempt))
        try:
            return entry.sample(draws, camera_of()), draws.drawn
        except (Unsatisfiable, AssetError) as error:
            why = error
    raise AssertionError(f"record {index} could not be made true in {ATTEMPTS} draws: {why}")


class _Kit:
    """The checks on one entry; its methods are the demands."""

    def __init__(self, name: str, entry: Any, seldom: frozenset[str], records: int) -> None:
        self.name, self.entry, self.seldom, self.records = name, entry, seldom, records
        self.sample = lru_cache(maxsize=4)(lambda index: sampled(self.entry, index))  # a scene of people is large

    def fields_are_declared(self) -> None:
        for path, declared, _ in walk(self.entry):
            where = ".".join(path)
            wanted(declared.doc.strip(), f"{where} has no documentation")
            if isinstance(declared, Param | Setting):
                wanted(hasattr(declared.support, "contains") and declared.support.describe(), f"{where} has no support")
            if isinstance(declared, Param):
                value = getattr_path(self.entry, path)
                wanted(hasattr(value, "draw"), f"{where} holds {value!r}, which cannot be drawn")
                outside = [r for r in value.reach() if not declared.support.contains(r)]
                wanted(not outside, f"{where} reaches {outside[:1]} outside {declared.support.describe()}")
        wanted(type(self.entry).__doc__, f"{type(self.entry).__name__} has no docstring")

    def is_frozen(self) -> None:
        for part in (self.entry, *(v for _, d, v in walk(self.entry) if isinstance(d, Group | Slot) and v is not None)):
            wanted(dataclasses.is_dataclass(part) and type(part).__dataclass_params__.frozen,
                   f"{type(part).__name__} is no frozen dataclass")
            fields_of(type(part))

    def same_key_same_scene(self) -> None:
        again = sampled(self.entry, 0)
        wanted(digest(again) == digest(self.sample(0)), "the same key gave two different scenes, or two different draws")

    def fresh_process_same_scene(self) -> None:
        """Another interpreter with another hash seed, another folder and a chatty log gives the same scene."""
        import pickle
        import tempfile

        program = ("import sys,pickle,logging;logging.basicConfig(level=10,stream=sys.stderr);sys.path[:0]=pickle.load("
                   "sys.stdin.buffer);entry=pickle.load(sys.stdin.buffer);from understudy.checks.conformance import worlds;"
                   "print(worlds.digest(worlds.sampled(entry,0)))")
        given = pickle.dumps(sys.path) + pickle.dumps(self.entry)
        with tempfile.TemporaryDirectory() as elsewhere:
            done = subprocess.run([sys.executable, "-c", program], input=given, capture_output=True, cwd=elsewhere,
                                  env={**os.environ, "PYTHONHASHSEED": "4242"}, check=False)
        wanted(done.returncode == 0, f"a fresh process failed: {done.stderr.decode(errors='replace')[-600:]}")
        wanted(done.stdout.decode().split()[-1] == digest(self.sample(0)), "a fresh process gave another scene")

    def scenes_differ(self) -> None:
        digests = {digest(self.sample(i)[0]) for i in range(4)}
        wanted(len(digests) == 4, f"4 records gave {len(digests)} different scenes")

    def touches_no_global_randomness(self) -> None:
        with no_global_randomness():
            sampled(self.entry, 1)

    def draws_lie_in_their_support(self) -> None:
        slots = entries(self.entry)
        for index in range(4):
            _, drawn = self.sample(index)
            for path, declared, value in walk(self.entry):
                if not isinstance(declared, Param):
                    continue
                columns = of_axis(drawn, path, slots)
                whole = [v for c, v in columns.items() if not c.rpartition(".")[2].split("[")[0].isdigit()]
                for v in whole:
                    wanted(declared.support.contains(v),
                           f"{'.'.join(path)} drew {v!r}, outside {declared.support.describe()}")
                wanted(columns or value is not None, f"{'.'.join(path)} holds nothing")

    def every_parameter_is_drawn(self) -> None:
        """A field that no record ever draws changes nothing: the recipe that sets it is not obeyed."""
        slots = entries(self.entry)
        missing = {path for path, declared, _ in walk(self.entry) if isinstance(declared, Param)}
        missing = {p for p in missing if ".".join(p) not in self.seldom}
        for index in range(self.records):
            _, drawn = self.sample(index)
            missing = {p for p in missing if not of_axis(drawn, p, slots)}
            if not missing:
                return
        wanted(not missing, f"no record of {self.records} draws {', '.join(sorted(map('.'.join, missing)))}")

    def fixed_values_are_honoured(self) -> None:
        """Every parameter fixed to what record 0 drew for its first member: record 1 draws each as it was fixed."""
        slots = entries(self.entry)
        _, drawn = self.sample(0)
        values: dict[tuple[str, ...], Any] = {}
        for path, declared, _ in walk(self.entry):
            columns = of_axis(drawn, path, slots) if isinstance(declared, Param) else {}
            if columns and declared.support.contains(first := next(iter(columns.values()))):
                values[path] = Fixed(first)
        _, again = sampled(fixed(self.entry, values), 1)
        for path, value in values.items():
            got = {v for v in of_axis(again, path, slots).values() if v != value.value}
            wanted(not got, f"{'.'.join(path)} was fixed to {value.value!r} and drew {sorted(map(str, got))[:3]}")

    def categories_are_stated(self) -> None:
        categories = type(self.entry).__dict__.get("categories", getattr(self.entry, "categories", None))
        wanted(isinstance(categories, tuple) and categories and all(isinstance(c, str) and c for c in categories),
               f"categories must be a tuple of names, got {categories!r}")
        wanted(len(set(categories)) == len(categories), "a category is there twice")
        for index in range(4):
            scene, _ = self.sample(index)
            wanted(scene.categories == categories, f"a scene lists {scene.categories}, the world {categories}")
            for e in scene.entities:
                wanted(e.category is None or e.category in categories, f"entity {e.id}: {e.category} is not listed")

    def entities_are_numbered(self) -> None:
        for index in range(4):
            scene, _ = self.sample(index)
            ids = [e.id for e in scene.entities]
            wanted(len(set(ids)) == len(ids) and all(1 <= i < 2**32 for i in ids), f"ids must be unique and from 1: {ids}")
            if not isinstance(scene, Scene):
                wanted(all(i >= FIRST_ENTITY_ID for i in ids), f"surroundings count from {FIRST_ENTITY_ID}: {ids}")
            for e in scene.entities:
                for key, value in e.attributes.items():
                    wanted(isinstance(value, str | bool | int) or (isinstance(value, float) and np.isfinite(value)),
                           f"attribute {key} of entity {e.id} is {value!r}")

    def surfaces_are_sound(self) -> None:
        for index in range(4):
            scene, _ = self.sample(index)
            for e in scene.entities:
                for s in e.surfaces:
                    _sound(s, f"record {index}, entity {e.id}, {s.name}")
                for k in e.keypoints:
                    wanted(k.xyz_m.shape == (len(k.names), 3) and k.radius_m.shape == (len(k.names),),
                           f"entity {e.id}: {k.convention} has points of shape {k.xyz_m.shape} for {len(k.names)} names")
                    wanted(np.isfinite(k.xyz_m).all() and (k.radius_m > 0).all(),
                           f"entity {e.id}: a key point is not finite")

    def keeps_the_lens(self) -> None:
        given = camera_of()
        for index in range(4):
            scene, _ = self.sample(index)
            wanted(scene.camera.lens == given.lens, "the camera's lens comes from the recipe; a world moves it only")
            pose = scene.camera.to_world
            wanted(pose.shape == (4, 4) and np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-6)
                   and np.linalg.det(pose[:3, :3]) > 0, "the camera's pose is no rigid motion")


def getattr_path(entry: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        entry = getattr(entry, name)
    return entry


def _sound(s: Any, where: str) -> None:
    n, m = len(s.vertices), len(s.faces)
    wanted(s.vertices.dtype == np.float32 and s.vertices.shape == (n, 3), f"{where}: vertices are (n, 3) float32")
    wanted(np.isfinite(s.vertices).all(), f"{where}: a vertex is not finite")
    wanted(s.faces.dtype == np.int32 and s.faces.shape == (m, 3) and m > 0, f"{where}: faces are (m, 3) int32")
    wanted(s.faces.min() >= 0 and s.faces.max() < n, f"{where}: a face names a vertex that is not there")
    wanted(s.part.dtype == np.uint8 and s.part.shape == (m,) and s.part.max() < len(PARTS), f"{where}: part is (m,) uint8")
    wanted((s.part > 0).all(), f"{where}: a face has no part")
    for name, shape, kind in (("uv", (n, 2), np.float32), ("rest", (n, 3), np.float32), ("chart", (m,), np.uint8),
                              ("chart_uv", (m, 3, 2), np.float32)):
        array = getattr(s, name)
        wanted(array is None or (array.shape == shape and array.dtype == kind and np.isfinite(array).all()),
               f"{where}: {name} is {shape} {np.dtype(kind)}, got {None if array is None else (array.shape, array.dtype)}")
    wanted(s.chart is None or s.chart.max(initial=0) <= 24, f"{where}: a chart is above 24")
