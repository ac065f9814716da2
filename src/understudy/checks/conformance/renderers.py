"""Checks on renderers: exactly the channels asked for, labels that no sampler's key can move, the same bytes twice."""

from __future__ import annotations

from typing import Any

import numpy as np

from understudy.checks.conformance.check import Check, no_global_randomness, wanted
from understudy.checks.conformance.declared import walk
from understudy.checks.conformance.specimens import mirrored, scenes
from understudy.errors import RenderError
from understudy.key import Key
from understudy.signals import CHANNELS, RGB, Spec

# Pixels on a silhouette, where a ray through the centre grazes the edge, may fall to either side after a mirror's rounding.
_EDGE_SHARE = 2e-3


def renderer_checks(name: str, renderer: Any) -> list[Check]:
    """The checks on a renderer: its class, or an instance (a quick quality setting makes them quick)."""
    kit = _Kit(renderer() if isinstance(renderer, type) else renderer)
    return [Check(name, check.__name__.replace("_", " "), check) for check in (
        kit.fields_are_documented, kit.supplies_known_channels, kit.gives_exactly_what_is_wanted,
        kit.refuses_what_it_does_not_supply, kit.same_key_same_bytes, kit.labels_do_not_depend_on_the_key,
        kit.touches_no_global_randomness, kit.ids_are_those_of_the_scene, kit.empty_scenes_render,
        kit.a_mirrored_scene_is_a_mirrored_picture, kit.depth_and_normals_lie_where_something_is)]


class _Kit:
    def __init__(self, renderer: Any) -> None:
        self.renderer = renderer
        self.specs = tuple(s for n, s in CHANNELS.items() if n in renderer.supplies)
        self.labels = tuple(s for s in self.specs if s is not RGB)

    def fields_are_documented(self) -> None:
        for path, declared, _ in walk(self.renderer):
            wanted(declared.doc.strip(), f"{'.'.join(path)} has no documentation")

    def supplies_known_channels(self) -> None:
        unknown = set(self.renderer.supplies) - set(CHANNELS)
        wanted(not unknown, f"supplies names unknown channels {sorted(unknown)}")
        wanted({"rgb", "instance"} <= set(self.renderer.supplies), "a renderer gives rgb and instance at least")

    def gives_exactly_what_is_wanted(self) -> None:
        scene = scenes()["two and a bystander"]
        for some in (*((s,) for s in self.labels), (RGB,), self.specs):
            got = set(self.renderer.render(scene, some, Key(1)))
            wanted(got == {s.name for s in some}, f"asked for {[s.name for s in some]}, got {sorted(got)}")

    def refuses_what_it_does_not_supply(self) -> None:
        foreign = Spec("smell", "float32", ("h", "w"), "-", "none has it")
        try:
            self.renderer.render(scenes()["empty"], (foreign,), Key(1))
        except RenderError:
            return
        raise AssertionError("a channel that it does not supply must raise RenderError")

    def same_key_same_bytes(self) -> None:
        scene = scenes()["two and a bystander"]
        first = self.renderer.render(scene, self.specs, Key(3))
        self.renderer.render(scenes()["cut by the border"], self.specs, Key(4))
        again = self.renderer.render(scene, self.specs, Key(3))
        for spec in self.specs:
            wanted(np.array_equal(first[spec], again[spec], equal_nan=spec.dtype.startswith("float")),
                   f"{spec.name} differs when the same scene is rendered again")

    def labels_do_not_depend_on_the_key(self) -> None:
        scene = scenes()["two and a bystander"]
        one, two = (self.renderer.render(scene, self.labels, Key(seed)) for seed in (5, 6))
        alone = self.renderer.render(scene, (*self.labels, RGB), Key(7))
        for spec in self.labels:
            for other in (two, alone):
                wanted(np.array_equal(one[spec], other[spec]),
                       f"{spec.name} changes with the key, or with what else is asked")

    def touches_no_global_randomness(self) -> None:
        with no_global_randomness():
            self.renderer.render(scenes()["two and a bystander"], self.specs, Key(8))

    def ids_are_those_of_the_scene(self) -> None:
        for name, scene in scenes().items():
            got = self.renderer.render(scene, self.labels, Key(9))
            known = {e.id for e in scene.entities} | {0}
            found = set(map(int, np.unique(got["instance"])))
            wanted(found <= known, f"{name}: the instance channel holds {sorted(found - known)[:5]}, which are no entities")
            if "category" in got:
                by_id = {e.id: scene.category_id(e) for e in scene.entities} | {0: 0}
                expected = np.vectorize(by_id.__getitem__, otypes=[np.uint16])(got["instance"])
                wanted(np.array_equal(got["category"], expected), f"{name}: the category channel is not the instance's")

    def empty_scenes_render(self) -> None:
        for name in ("empty", "behind the camera"):
            got = self.renderer.render(scenes()[name], self.specs, Key(10))
            wanted(not got["instance"].any(), f"{name}: something is seen where nothing is")

    def a_mirrored_scene_is_a_mirrored_picture(self) -> None:
        for name in ("two and a bystander", "cut by the border", "hidden"):
            scene = scenes()[name]
            one, two = (self.renderer.render(s, self.labels, Key(11))["instance"] for s in (scene, mirrored(scene)))
            off = float((one != two[:, ::-1]).mean())
            wanted(off <= _EDGE_SHARE, f"{name}: {off:.2%} of the pixels differ from the mirrored scene's")

    def depth_and_normals_lie_where_something_is(self) -> None:
        got = self.renderer.render(scenes()["two and a bystander"], self.labels, Key(12))
        some = got["instance"] > 0
        if "depth" in got:
            wanted(np.isfinite(got["depth"][some]).all() and (got["depth"][some] > 0).all(), "a thing seen has no depth")
        if "normal" in got:
            length = np.linalg.norm(got["normal"][some], axis=-1)
            wanted(np.abs(length - 1).max() < 1e-3, "a normal has another length than 1")
            wanted((got["normal"][some][:, 2] < 0.02).all(), "a normal looks away from the camera")
        if "part" in got:
            wanted((got["part"][some] > 0).all(), "a thing seen has no part")
