"""The kit itself: a sound entry passes every check, and each planted fault fails the check that is there for it."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from understudy.checks.conformance import (
    label_checks,
    renderer_checks,
    surroundings_checks,
    unlisted,
    world_checks,
    writer_checks,
)
from understudy.checks.conformance.check import digest, no_global_randomness
from understudy.checks.conformance.specimens import records, scenes
from understudy.errors import Unsatisfiable
from understudy.fields import group, param, setting
from understudy.geometry.cameras import level
from understudy.labels import Answers, answers
from understudy.labels.boxes import boxes
from understudy.renderers.flat import Flat
from understudy.scene import Lens, Material, Scene
from understudy.signals import DEPTH, INSTANCE, RGB, Signals
from understudy.supports import Integers, Interval, Text
from understudy.surroundings import Place
from understudy.values import Uniform, Value
from understudy.writers.coco import Coco


@dataclass(frozen=True)
class Look:
    """How a marble looks."""

    shade: Value = param(Uniform(0, 1), Interval(0, 1), "", "brightness")


@dataclass(frozen=True)
class Marbles:
    """One marble somewhere: the smallest sound world."""

    categories: ClassVar[tuple[str, ...]] = ("ball", "block", "absent")

    height_m: Value = param(Uniform(0.2, 1), Interval(0, 5), "m", "how high it lies")
    count: Value = param(1, Integers(0, 3), "", "how many")
    look: Look = group(Look, "its look")

    def sample(self, draws, camera):
        height, count = draws("height_m", self.height_m), draws("count", self.count)
        shade = draws.at("look")("shade", self.look.shade)
        ball = scenes()["two and a bystander"].entities[0]
        surface = replace(ball.surfaces[0], material=Material((shade,) * 3),
                          vertices=ball.surfaces[0].vertices + np.array([0, 0, height], np.float32))
        entities = tuple(replace(ball, id=n + 1, surfaces=(surface,)) for n in range(count))
        return Scene(self.categories, replace(camera, to_world=level((0.0, 0.0, 1.4))), entities)


def failing(checks):
    """The names of the checks that fail."""
    failed = set()
    for check in checks:
        try:
            check()
        except AssertionError:
            failed.add(check.name)
    return failed


def test_a_sound_world_passes():
    assert failing(world_checks("marbles", Marbles)) == set()


def test_checks_have_names_of_their_own():
    checks = world_checks("marbles", Marbles)
    assert len({str(c) for c in checks}) == len(checks) and str(checks[0]) == "marbles-fields_are_declared"


class Unsteady(Marbles):
    """Another scene each time."""

    times: ClassVar[list[int]] = []

    def sample(self, draws, camera):
        self.times.append(1)
        scene = super().sample(draws, camera)
        return replace(scene, camera=replace(camera, to_world=level((0.0, 0.0, 1.4 + 0.01 * len(self.times)))))


class Hashed(Marbles):
    """Follows PYTHONHASHSEED."""

    def sample(self, draws, camera):
        order = " ".join({"north", "east", "south", "west", "up", "down", "left", "right"})  # one in thousands is another's
        scene = super().sample(draws, camera)
        return replace(scene, entities=tuple(replace(e, attributes={"sides": order}) for e in scene.entities))


class Constant(Marbles):
    """Always the same scene."""

    def sample(self, draws, camera):
        super().sample(draws, camera)
        return Scene(self.categories, replace(camera, to_world=level((0.0, 0.0, 1.4))), ())


class Global(Marbles):
    """Draws from the global state."""

    def sample(self, draws, camera):
        random.random()
        return super().sample(draws, camera)


class Outside(Marbles):
    """Notes a height that no height may be."""

    def sample(self, draws, camera):
        scene = super().sample(draws, camera)
        draws._memory["height_m"] = 99.0
        return scene


class Twins(Marbles):
    """Two entities with one number."""

    def sample(self, draws, camera):
        scene = super().sample(draws, camera)
        return replace(scene, entities=scene.entities * 2)


class Unlisted(Marbles):
    """A thing of a category that is not stated."""

    def sample(self, draws, camera):
        scene = super().sample(draws, camera)
        return replace(scene, entities=tuple(replace(e, category="cat") for e in scene.entities))


class Zoomed(Marbles):
    """Changes the lens."""

    def sample(self, draws, camera):
        scene = super().sample(draws, camera)
        return replace(scene, camera=replace(scene.camera, lens=Lens((160, 120), (500.0, 500.0), (80.0, 60.0))))


class Doubles(Marbles):
    """Gives vertices as doubles."""

    def sample(self, draws, camera):
        scene = super().sample(draws, camera)
        return replace(scene, entities=tuple(replace(e, surfaces=tuple(
            replace(s, vertices=s.vertices.astype(float)) for s in e.surfaces)) for e in scene.entities))


class Impossible(Marbles):
    """Cannot be made true."""

    def sample(self, draws, camera):
        raise Unsatisfiable("never")


@dataclass(frozen=True)
class Idle(Marbles):
    """Declares a field that does nothing."""

    weight_kg: Value = param(Uniform(0, 1), Interval(0, 1), "kg", "its weight")


class Deaf(Marbles):
    """Draws a height of its own, whatever the recipe says."""

    def sample(self, draws, camera):
        own = dataclasses.replace(self, height_m=Uniform(0.2, 1))
        return Marbles.sample(own, draws, camera)


@dataclass(frozen=True)
class Undocumented(Marbles):
    """Says nothing of a field."""

    colour: str = setting("red", Text())


@dataclass
class Thawed:
    """Can be changed."""

    categories: ClassVar[tuple[str, ...]] = ("ball",)

    def sample(self, draws, camera):
        return Marbles().sample(draws, camera)


@pytest.mark.parametrize(("world", "check"), [
    (Unsteady, "same key same scene"), (Hashed, "fresh process same scene"), (Constant, "scenes differ"),
    (Global, "touches no global randomness"), (Outside, "draws lie in their support"), (Idle, "every parameter is drawn"),
    (Deaf, "fixed values are honoured"), (Twins, "entities are numbered"), (Unlisted, "categories are stated"),
    (Zoomed, "keeps the lens"), (Doubles, "surfaces are sound"), (Undocumented, "fields are declared"),
    (Thawed, "is frozen")])
def test_a_faulty_world_fails_the_check_for_its_fault(world, check):
    found = next(c for c in world_checks("faulty", world) if c.name == check)
    with pytest.raises(AssertionError):
        found()


def test_a_world_that_cannot_be_made_true_ends():
    with pytest.raises(AssertionError, match="20 draws: never"):
        world_checks("faulty", Impossible)[2]()


@dataclass(frozen=True)
class Meadow:
    """The smallest surroundings."""

    horizon: Value = param(Uniform(0.2, 0.8), Interval(0, 1), "", "where the horizon lies")

    def sample(self, draws, camera):
        return Place(horizon=draws("horizon", self.horizon))


class Crowded(Meadow):
    """Numbers its things like the world's."""

    def sample(self, draws, camera):
        return replace(super().sample(draws, camera), entities=scenes()["two and a bystander"].entities[:1])


def test_surroundings():
    assert failing(surroundings_checks("meadow", Meadow)) == set()
    assert failing(surroundings_checks("crowded", Crowded)) == {"entities are numbered"}


@dataclass(frozen=True)
class Bent:
    """Flat, with its signals bent by ``bend(signals, key, scene)``."""

    bend: object = None
    supplies: ClassVar = Flat.supplies

    def render(self, scene, wanted, key):
        got = Flat().render(scene, wanted, key)
        return self.bend(got, wanted, key, scene)


def with_channel(spec, change):
    def bend(got, wanted, key, scene):
        arrays = {s: got[s].copy() for s in wanted}
        if spec in wanted:
            change(arrays[spec], key, scene)
        return Signals(arrays)
    return bend


def _shift(array, key, scene):
    array[:] = np.roll(array, 3, axis=1)


@pytest.mark.parametrize(("bend", "check"), [
    (lambda got, wanted, key, scene: Flat().render(scene, tuple({*wanted, DEPTH}), key), "gives exactly what is wanted"),
    (with_channel(DEPTH, lambda a, key, scene: np.add(a, np.float32(key.uniform()), out=a)),
     "labels do not depend on the key"),
    (with_channel(INSTANCE, lambda a, key, scene: np.copyto(a, 9)), "ids are those of the scene"),
    (with_channel(INSTANCE, lambda a, key, scene: np.copyto(a, 9)), "empty scenes render"),
    (with_channel(INSTANCE, _shift), "a mirrored scene is a mirrored picture"),
    (with_channel(DEPTH, lambda a, key, scene: np.copyto(a, np.inf)), "depth and normals lie where something is"),
    (with_channel(RGB, lambda a, key, scene: np.copyto(a, random.randint(0, 255))), "touches no global randomness"),
])
def test_a_faulty_renderer_fails_the_check_for_its_fault(bend, check, monkeypatch):
    monkeypatch.setattr("understudy.checks.conformance.renderers.walk", lambda entry: [])
    found = next(c for c in renderer_checks("bent", Bent(bend)) if c.name == check)
    with pytest.raises(AssertionError):
        found()


@answers(RGB)
def _by_colour(scene, signals):
    """Looks at colours."""
    return Answers()


@answers(INSTANCE)
def _greedy(scene, signals):
    """Reads what it does not declare."""
    return Answers(maps={"depth": signals[DEPTH]})


@answers(INSTANCE)
def _global(scene, signals):
    """Draws."""
    return Answers(camera={"luck": random.random()})


@answers(INSTANCE)
def _foreign(scene, signals):
    """Gives a field that no instance has."""
    return Answers({e.id: {"mood": "good"} for e in scene.labelled})


@answers(INSTANCE)
def _hasty(scene, signals):
    """Answers about things that nobody sees, in an empty scene too."""
    return Answers({1: {"area_px": 3.0}})


@answers(INSTANCE)
def _one_sided(scene, signals):
    """Boxes that stay where they are in a mirror."""
    return Answers({e.id: {"xyxy_px": (0.0, 0.0, 5.0, 5.0)} for e in scene.labelled})


@pytest.mark.parametrize(("label", "check"), [
    (_by_colour, "needs known channels and no colour"), (_greedy, "reads only what it needs"),
    (_global, "has no randomness"), (_foreign, "answers fit a record"), (_hasty, "nothing seen is no answer"),
    (_one_sided, "a mirror moves nothing else")])
def test_a_faulty_label_fails_the_check_for_its_fault(label, check):
    assert failing(label_checks("boxes", boxes)) == set()
    assert check in failing(label_checks("faulty", label))


class Lossy(Coco):
    """Forgets every second instance."""

    def shard(self, root, number):
        writer = super().shard(root, number)
        add = writer.add
        writer.add = lambda record: add(replace(record, instances=record.instances[::2]))
        return writer


class Nameless(Coco):
    """Every shard is shard 0."""

    def shard(self, root, number):
        return super().shard(root, 0)


class Untidy(Coco):
    """Leaves a file behind."""

    def finish(self, out, shards, about):
        super().finish(out, shards, about)
        (out / "index.json.part").write_text("half")


class Clocked(Coco):
    """Writes what time it is."""

    times: ClassVar[list[int]] = []

    def finish(self, out, shards, about):
        super().finish(out, shards, about)
        self.times.append(1)
        (out / "made.txt").write_text(str(len(self.times)))


class Blind(Coco):
    """Knows no folder for its own."""

    def recognises(self, path):
        return False


@pytest.mark.parametrize(("written", "check"), [
    (Lossy, "reads back what it wrote"), (Nameless, "a shard names itself"), (Untidy, "nothing half done is left"),
    (Clocked, "same bytes twice"), (Clocked, "finishing again changes nothing"), (Blind, "recognises its own")])
def test_a_faulty_format_fails_the_check_for_its_fault(written, check):
    found = next(c for c in writer_checks("faulty", written) if c.name == check)
    with pytest.raises(AssertionError):
        found()


def test_a_file_that_no_table_names_is_found(tmp_path):
    folder = tmp_path / "worlds"
    folder.mkdir()
    (folder / "birds.py").write_text("class Birds:\n    categories = ('bird',)\n    def sample(self, draws, camera): ...\n")
    (folder / "feathers.py").write_text("class Feather:\n    def grow(self): ...\n")
    assert unlisted(folder, {}, "worlds") == ["worlds/birds.py: Birds is not in WORLDS"]
    assert unlisted(folder, {"birds": "understudy.worlds.birds:Birds"}, "worlds") == []
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "mood.py").write_text("@answers(INSTANCE)\ndef mood(scene, signals): ...\n")
    assert unlisted(labels, {}, "labels") == ["labels/mood.py: mood is not in LABELS"]


def test_digests_tell_values_types_and_order_apart():
    things = [1, 1.0, True, "1", [1], {"a": 1}, None, b"1", np.zeros(2, np.float32), np.zeros(2), np.zeros((1, 2)),
              ["a", "b"], ["b", "a"], ["ab"], {"a": 1, "b": 2}, {"b": 2, "a": 1}]
    assert len({digest(t) for t in things}) == len(things)
    with pytest.raises(AssertionError, match="plain facts"):
        digest(object())


def test_global_randomness_comes_back_after_the_ban():
    with no_global_randomness(), pytest.raises(AssertionError, match=r"numpy\.random\.default_rng was called"):
        np.random.default_rng(3)
    assert 0 <= random.random() < 1


def test_specimens_are_what_they_claim():
    from understudy.checks.audit import audit_records

    made = records()
    assert [len(r.instances) for r in made] == [0, 1, 2, 2, 0, 1]
    assert made[1].instances[0].area_px == 1.0
    assert max(i.truncation for i in made[3].instances) > 0.1
    assert [f for f in audit_records(made) if f.rule != "picture-twice"] == []
