"""From the paths of a command to parts that can be mixed: classes agreed on, labels checked, photographs compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from understudy.errors import DatasetError, UsageError
from understudy.key import Key
from understudy.learn import duplicates
from understudy.learn.augment import LIGHT, Strength
from understudy.learn.cache import Store, open_store
from understudy.learn.classes import agree, plain
from understudy.learn.mixture import Part
from understudy.learn.sources import Source, open_source

TASKS = ("semantic", "box", "mask", "keypoint")


@dataclass(frozen=True)
class Prepared:
    """What is to be learned from: parts of a mixture, the real validation or None, and what the user should know."""

    parts: tuple[Part, ...]
    validation: Part | None
    points: tuple[str, ...]
    messages: tuple[str, ...]

    @property
    def seen(self) -> duplicates.Photographs:
        """Every real picture among the parts and in the validation."""
        nothing = duplicates.none_seen()
        real = [p.store.hashes[p.store.rows] for p in self.parts if not p.store.made]
        real += [open_source(p.store.name).behind for p in self.parts if p.store.made]
        chose = nothing.chose if self.validation is None else self.validation.store.hashes[self.validation.store.rows]
        return duplicates.Photographs(np.concatenate([nothing.trained, *real]), chose)


def parse_mix(text: str) -> tuple[Path, float, int | None]:
    """``DIR=0.15``: a data set and its share of the pictures shown, and how many of its pictures (None for all)."""
    path, equals, share = text.rpartition("=")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not equals or not path or not 0 < value < 1:
        raise UsageError("--mix is not understood", wanted="DIR=SHARE with a share between 0 and 1", got=repr(text))
    return Path(path), value, None


def stored_side(side: int) -> int:
    """Pixels kept for a network that sees ``side``: a fifth more, so that a crop is no blur."""
    return side * 6 // 5


def part_of(source: Source, task: str, classes: Sequence[str], side: int, share: float, *, count: int | None = None,
            points: tuple[str, ...] = (), renamed: Mapping[str, str] | None = None,
            ) -> tuple[Part, tuple[str, ...]]:
    """A part of a mixture, and messages. Pictures without the labels of the task are left out; DatasetError if none is
    left, or nothing of the classes is in them."""
    agreement = agree(classes, source.categories, source.path, renamed)
    store = open_store(source, stored_side(side), count if source.made else None)
    messages, unlabelled = list(agreement.messages), 0
    if store.problems:
        messages.append(f"{source.path}: {len(store.problems)} pictures or labels left out, the first: {store.problems[0]}")
    if source.kind == "masks" and task != "semantic":
        raise UsageError(f"a folder of masks has no separate things, so it cannot teach {task}", where=source.path,
                         wanted="a data set with boxes", remedy="Use --task semantic")
    if task in ("semantic", "mask"):
        unlabelled = int((~store.masked).sum())
        if unlabelled:
            messages.append(f"{source.path}: {unlabelled} of {len(store)} pictures left out: they have no masks")
            store = store.only(np.flatnonzero(store.masked))
    if count is not None and count > len(store):
        messages.append(f"{source.path}: {count:,} pictures are asked for, and there are {len(store):,}")
    store = subset(store, count)
    if task == "keypoint" and store.point_names != points:
        raise DatasetError("has other key points" if store.point_names else "has no key points", where=source.path,
                           wanted=_few(points), got=_few(store.point_names))
    part = Part(store, share, agreement.number)
    _refuse_empty(part, task, source.path, classes, unlabelled)
    return part, tuple(messages)


def subset(store: Store, count: int | None) -> Store:
    """``count`` of the store's pictures in an order that is random and always the same, so that 20 are among the 50."""
    if count is None or count >= len(store):
        return store
    return store.only(np.sort(Key(0).child("subset", len(store)).permutation(len(store))[:count]))


def prepare(data: Path, task: str, classes: Sequence[str], side: int, *, mix: Sequence[tuple[Path, float, int | None]] = (),
            validation: Path | None = None, count: int | None = None, points: tuple[str, ...] | None = None,
            renamed: Mapping[str, str] | None = None, allow_overlap: bool = False,
            seen: duplicates.Photographs | None = None, rows: Sequence[int] | None = None) -> Prepared:
    """Open everything that a training needs. points : a model's; by default the data set's.
    seen : the photographs behind a model to start from; rows : only these of ``data``."""
    total = sum(share for _, share, _ in mix)
    if total >= 1:
        raise UsageError("the shares of --mix leave nothing for the data set itself", wanted="a sum below 1",
                         got=f"{total:g}")
    source = open_source(data)
    if points is None:
        points = () if task != "keypoint" else open_store(
            source, stored_side(side), count if source.made else None).point_names
    messages: list[str] = []
    parts = []
    for path, share, limit in [(data, 1 - total, count), *mix]:
        opened = source if path == data else open_source(path)
        part, told = part_of(opened, task, classes, side, share, count=limit, points=points, renamed=renamed)
        if rows is not None and not parts:  # the data set itself comes first
            part = replace(part, store=replace(part.store, rows=np.intersect1d(part.store.rows, np.asarray(rows, np.int64))))
            _refuse_empty(part, task, path, classes)
        parts.append(part)
        messages += told
    checked = None
    if validation is not None:
        opened = open_source(validation)
        refuse_made(opened, "--val")
        checked, told = part_of(opened, task, classes, side, 1.0, points=points, renamed=renamed)
        messages += told
        if not allow_overlap:
            for part in parts:
                _refuse_overlap(part.store, checked.store)
            if seen is not None:
                pairs = duplicates.overlaps(checked.store.hashes, names_of(checked.store), seen.trained,
                                            ["a photograph of the model's training"] * len(seen.trained))
                duplicates.refuse(pairs, "the training of the model", validation)
    return Prepared(tuple(parts), checked, points, tuple(messages))


def refuse_made(source: Source, what: str) -> None:
    """A made data set where a real one is wanted: a score on it would say nothing, so there is none."""
    if source.made:
        raise UsageError(f"{what} needs real pictures, and a recipe made these: a score on made pictures is no result",
                         where=source.path, remedy="Name a data set of real labelled photographs")


def names_of(store: Store) -> list[str]:
    """A name for each picture of the store, for messages."""
    known = open_source(store.name).names()
    return [known.get(int(i), f"picture {int(i)}") for i in store.index[store.rows]]


def strength_for(task: str, classes: Sequence[str], points: Sequence[str],
                 twins: Sequence[int], augment: str = "full") -> tuple[Strength, list[str]]:
    """The augmentation of a task, and why it does not mirror if it does not: left and right must be exchangeable.
    augment : full or light."""
    if augment not in ("full", "light"):
        raise UsageError("there is no such augmentation", wanted="full, light", got=augment)
    strength = LIGHT if augment == "light" else Strength() if task == "semantic" else Strength(scale=(0.5, 1.1))
    sided = [c for c in classes if {"left", "right"} & set(c.casefold().replace("-", " ").replace("_", " ").split())]
    if sided:
        return replace(strength, flip=False), [f"pictures are not mirrored: {sided[0]!r} tells left from right"]
    if len(points) > 1 and list(twins) == list(range(len(points))) and not _all_central(points):
        return replace(strength, flip=False), ["pictures are not mirrored: the key points' names name no left and right"]
    return strength, []


def _all_central(points: Sequence[str]) -> bool:
    return all(plain(p) in {"nose", "neck", "head", "top", "centre", "center", "middle", "pelvis", "chin"} for p in points)


def _refuse_overlap(training: Store, checked: Store) -> None:
    if training.made:
        return
    pairs = duplicates.overlaps(checked.hashes[checked.rows], names_of(checked), training.hashes[training.rows],
                                names_of(training))
    duplicates.refuse(pairs, training.name, checked.name)


def _refuse_empty(part: Part, task: str, where: Path, classes: Sequence[str], unlabelled: int = 0) -> None:
    """DatasetError where nothing can be learned. unlabelled : pictures that were left out for want of the task's labels."""
    store, number = part.store, np.array((0, *part.number))
    own = np.zeros(len(store.category), bool)
    for row in store.rows.tolist():
        own[store.labels_of(row)] = True
    counted = own & ~store.ignored & (number[store.category] > 0)
    if not len(store):
        raise DatasetError(f"no picture has the labels that {task} learns from", where=where,
                           wanted="every instance with its mask", remedy="Where there are boxes, pass --task box")
    if not counted.any():
        raise DatasetError("there is nothing to learn from: no instance of the classes is labelled", where=where,
                           wanted=f"one of {', '.join(classes[:8])}", got=f"{len(store)} pictures with labels of the task",
                           remedy=f"{unlabelled} pictures have no masks: to learn from their boxes, pass --task box"
                           if unlabelled else "")
    if task == "semantic":
        values = np.unique(part.table[np.asarray(store.regions[store.rows])])
        if len(values[values < 255]) < 2:
            raise DatasetError("every labelled pixel is of one class, so nothing can be told apart", where=where)
    if task == "keypoint" and not (store.points[counted][..., 2] > 0).any():
        raise DatasetError("no key point is labelled", where=where)


def _few(names: Sequence[str]) -> str:
    return f"{len(names)} points ({', '.join(names[:4])}{' ...' if len(names) > 4 else ''})" if names else "none"
