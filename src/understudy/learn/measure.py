"""Measuring a network on a real data set: figures with intervals, slices, the worst pictures, a table to pair later."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import DatasetError, UsageError
from understudy.learn.classes import Agreement
from understudy.learn.evals import panoptic
from understudy.learn.evals import regions as region_scores
from understudy.learn.evals import things as thing_scores
from understudy.learn.evals.bootstrap import Figure
from understudy.learn.evals.slices import Slice, picture_facts, sliced
from understudy.learn.mask_folder import UNLABELLED
from understudy.learn.sources import Source
from understudy.record import Record

if TYPE_CHECKING:
    from understudy.learn.native.network import Network

MAIN = {"semantic": "mIoU", "box": "AP50", "mask": "AP50", "keypoint": "AP50"}
"""The figure that a task is judged by."""


@dataclass(frozen=True)
class Shown:
    """A picture with what was wanted and found, both (h, w) uint8 or boxes (n, 4), to be drawn in a report."""

    name: str
    score: float
    image: bytes
    truth: np.ndarray
    found: np.ndarray


@dataclass(frozen=True)
class Measured:
    """What a network scores on a data set.

    figures : by name, the task's main one first; table : arrays to resample and to pair with another model's, by name
    """

    task: str
    data: str
    figures: Mapping[str, Figure]
    slices: Sequence[Slice]
    worst: Sequence[Shown]
    table: Mapping[str, np.ndarray]
    messages: Sequence[str] = field(default=())
    curve: np.ndarray | None = None

    @property
    def main(self) -> Figure:
        return self.figures[MAIN[self.task]]


def measure(network: Network, source: Source, agreement: Agreement, worst: int = 24) -> Measured:
    """Score ``network`` on every picture of ``source``. DatasetError where there is nothing to score."""
    problems: list[str] = []
    names = source.names()
    records = source.records(lambda error: problems.append(str(error)))
    if network.spec.task == "semantic":
        measured = _regions(network, source, records, agreement, names, worst)
    else:
        measured = _things(network, source, records, agreement, names, worst)
    left = [f"{len(problems)} pictures or labels left out, the first: {problems[0]}"] if problems else []
    return Measured(**{**vars(measured), "messages": [*agreement.messages, *measured.messages, *left]})


def truth_map(record: Record, number: Sequence[int]) -> np.ndarray | None:
    """(h, w) uint8 class numbers, 255 where not to be counted; None if an instance has no mask. Small things on top."""
    w, h = record.picture.size_wh
    truth = np.zeros((h, w), np.uint8)
    for instance in sorted(record.instances, key=lambda i: -(i.area_px or 0)):
        if instance.mask is None:
            return None
        truth[instance.mask.decode()] = UNLABELLED if instance.ignore else number[instance.category_id - 1]
    return truth


def _regions(network, source: Source, records, agreement: Agreement, names, worst: int) -> Measured:
    from understudy.learn.native.answer import class_map

    classes = network.spec.classes
    matrices, facts, kept, segments = [], [], [], []
    shares: list[tuple[int, float, dict[str, object]]] = []
    unlabelled = 0
    for record in records:
        truth = truth_map(record, agreement.number)
        if truth is None:
            unlabelled += 1
            continue
        image = record.picture.decode()
        found = class_map(network, image)
        for instance in record.instances:
            number = agreement.number[instance.category_id - 1]
            if number and not instance.ignore:
                own = instance.mask.decode()
                shares.append((len(matrices), float((found[own] == number).mean()), _instance_facts(instance, record)))
        matrices.append(region_scores.confusion(truth, found, len(classes)))
        segments.append(panoptic.counts(*(panoptic.of_map(m, UNLABELLED) for m in (truth, found)), len(classes)))
        facts.append(picture_facts(image) | {"covered": float(((truth > 0) & (truth < UNLABELLED)).mean())}
                     | _scalars(record.drawn))
        kept.append((names.get(record.index, f"picture {record.index}"), record.picture.data, truth.shape,
                     zlib.compress(truth.tobytes(), 1), zlib.compress(found.tobytes(), 1)))
    if not matrices:
        raise DatasetError("no picture has masks to compare with", where=source.path)
    table = np.stack(matrices)
    counted = [0, *(c for c in range(1, len(classes) + 1) if c in agreement.number)]
    each = np.array([region_scores.mean_iou(m[None], None, counted) for m in table])
    shown = []
    for i in np.argsort(each, kind="stable")[:worst]:
        name, data, shape, truth, found = kept[i]
        shown.append(Shown(name, float(each[i]), data, *(np.frombuffer(zlib.decompress(z), np.uint8).reshape(shape)
                                                         for z in (truth, found))))
    n = len(table)
    slices = _slices(facts, np.arange(n), n, lambda m, w: region_scores.mean_iou(table, w * m, counted), "picture: ")
    if shares:
        which, covered = np.array([s[0] for s in shares]), np.array([s[1] for s in shares])
        if len(shares) > n or source.kind != "masks":  # where regions are no things, a region's share says nothing new
            slices += _slices([s[2] for s in shares], which, n, lambda m, w: _mean_of(covered, w[which] * m), "found of: ")
    messages = [f"{unlabelled} pictures without masks left out"] if unlabelled else []
    figures = region_scores.figures(table, classes, counted) | panoptic.figures(np.stack(segments))
    return Measured("semantic", str(source.path), figures, slices, shown,
                    {"confusion": table, "counted": np.array(counted)}, messages)


def _things(network, source: Source, records, agreement: Agreement, names, worst: int) -> Measured:
    from understudy.learn.native.answer import found_things

    task, spec = network.spec.task, network.spec
    if source.kind == "masks":
        raise UsageError("a folder of masks has no separate things", where=source.path, wanted="a data set with boxes",
                         remedy="Measure a semantic model on it")
    gathered = _Gathered()
    for record in records:
        image = record.picture.decode()
        if not _complete(record, task, spec.points):
            gathered.unlabelled += 1
            continue
        within = np.array([i.xyxy_px for i in record.instances if not i.ignore], float).reshape(-1, 4)
        _gather(gathered, record, image, found_things(network, image, within), agreement, task, spec.points,
                names.get(record.index, f"picture {record.index}"))
    if not gathered.images:
        raise DatasetError(f"no picture has what {task} is measured by", where=source.path)
    if all(a["iscrowd"] for a in gathered.annotations):
        raise DatasetError("no instance of the model's classes is labelled, so there is nothing to find", where=source.path,
                           wanted=f"one of {', '.join(spec.classes[:8])}", got=f"{len(gathered.images)} pictures without")
    categories = [{"id": i, "name": n, **({"keypoints": list(spec.points), "skeleton": []} if spec.points else {})}
                  for i, n in enumerate(spec.classes, start=1) if n in agreement.shared]
    kept = {c["id"] for c in categories}
    ground = thing_scores.Ground(gathered.images, gathered.annotations, categories,
                                 [a for a in gathered.answers if a["category_id"] in kept], task, spec.points)
    figures, found = thing_scores.figures(ground)
    n = len(gathered.images)
    threshold = [thing_scores.best_threshold(m) for m in found]
    if task == "mask":  # segments need one score to cut at; precision, recall and these take the one with the best F1
        figures |= panoptic.figures(panoptic.of_things(ground, [t[0] for t in threshold]))
    slices = _slices(gathered.facts, np.arange(n), n,
                     lambda m, w: _nan_mean([thing_scores.average_precision(f, w * m, slice(0, 1)) for f in found]),
                     "picture: ")
    truth = {a["id"]: i for i, a in enumerate(gathered.annotations)}
    met = np.concatenate([m.met >= t[0] for m, t in zip(found, threshold)]) if found else np.zeros(0, bool)
    which = np.concatenate([m.picture_of for m in found]) if found else np.zeros(0, np.int64)
    own = [gathered.instances[truth[int(a)]] for m in found for a in m.truth]
    if own:
        slices += _slices(own, which, n, lambda m, w: _mean_of(met.astype(float), w[which] * m), "found of: ")
    missed = np.bincount(which[~met], minlength=n) / np.maximum(np.bincount(which, minlength=n), 1)
    false = np.zeros(n)
    for m, t in zip(found, threshold):
        wrong = (m.score >= t[0]) & ~m.right[0] & ~m.left_out[0]
        false += np.bincount(m.picture[wrong], minlength=n)
    badness = missed + 0.5 * false
    shown = [gathered.shown(i, float(-badness[i]), min((t[0] for t in threshold), default=1.0))
             for i in np.argsort(-badness, kind="stable")[:worst]]
    table = {}
    for c, m in zip(categories, found):
        table |= {f"{c['id']}.{name}": getattr(m, name) for name in ("picture", "score", "right", "left_out", "wanted")}
    messages = [f"{gathered.unlabelled} pictures without {task} labels left out"] if gathered.unlabelled else []
    messages += [f"{c['name']}: at score {t[0]:.2f} precision {t[1]:.2f}, recall {t[2]:.2f} (best F1 {t[3]:.2f}, IoU .5)"
                 for c, t in zip(categories, threshold)]
    return Measured(task, str(source.path), figures, slices, shown, table, messages)


@dataclass
class _Gathered:
    """COCO's lists while pictures pass by."""

    images: list[dict[str, Any]] = field(default_factory=list)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    facts: list[dict[str, object]] = field(default_factory=list)
    instances: list[dict[str, object]] = field(default_factory=list)
    pictures: list[tuple[str, bytes]] = field(default_factory=list)
    unlabelled: int = 0

    def shown(self, i: int, score: float, threshold: float) -> Shown:
        number = self.images[i]["id"]
        name, data = self.pictures[i]
        truth = [a["bbox"] for a in self.annotations if a["image_id"] == number and not a["iscrowd"]]
        found = [a["bbox"] for a in self.answers if a["image_id"] == number and a["score"] >= threshold]
        return Shown(name, score, data, *(np.array(b, float).reshape(-1, 4) for b in (truth, found)))


def _complete(record: Record, task: str, points: tuple[str, ...]) -> bool:
    """Whether the picture's labels suffice: masks for masks, the model's points for key points."""
    if task == "mask":
        return all(i.mask is not None for i in record.instances)
    if task == "keypoint":
        return all(any(p.names == points for p in i.points) for i in record.instances if not i.ignore)
    return True


def _gather(got: _Gathered, record: Record, image: np.ndarray, found, agreement: Agreement, task: str,
            points: tuple[str, ...], name: str) -> None:
    from understudy.record import Rle

    number = len(got.images) + 1
    w, h = record.picture.size_wh
    got.images.append({"id": number, "width": w, "height": h})
    got.pictures.append((name, record.picture.data))
    got.facts.append(picture_facts(image) | {"instances": len(record.instances)} | _scalars(record.drawn))
    for instance in record.instances:
        class_number = agreement.number[instance.category_id - 1]
        if not class_number:
            continue
        x0, y0, x1, y1 = instance.xyxy_px
        entry = {"id": len(got.annotations) + 1, "image_id": number, "category_id": class_number,
                 "bbox": [x0, y0, x1 - x0, y1 - y0], "area": instance.area_px or (x1 - x0) * (y1 - y0),
                 "iscrowd": int(instance.ignore)}
        if instance.mask is not None:
            entry["segmentation"] = {"size": list(instance.mask.size_hw), "counts": instance.mask.counts}
        own = next((p for p in instance.points if p.names == points), None) if task == "keypoint" else None
        if task == "keypoint":
            flat = np.zeros((len(points), 3)) if own is None else own.xyv.astype(float)
            entry |= {"keypoints": flat.ravel().tolist(), "num_keypoints": int((flat[:, 2] > 0).sum())}
        got.annotations.append(entry)
        got.instances.append(_instance_facts(instance, record))
    for i in range(len(found.score)):
        x0, y0, x1, y1 = (float(v) for v in found.xyxy[i])
        answer = {"image_id": number, "category_id": int(found.number[i]), "score": float(found.score[i]),
                  "bbox": [x0, y0, x1 - x0, y1 - y0]}
        if found.masks is not None:
            code = Rle.encode(found.masks[i])
            answer["segmentation"] = {"size": list(code.size_hw), "counts": code.counts}
        if found.points is not None:
            answer["keypoints"] = found.points[i].astype(float).ravel().tolist()
        got.answers.append(answer)


def _instance_facts(instance, record: Record) -> dict[str, object]:
    """What slices go by: size over the picture's, how much is seen and cut, and every attribute."""
    w, h = record.picture.size_wh
    x0, y0, x1, y1 = instance.xyxy_px
    return {"size (box over picture)": (x1 - x0) * (y1 - y0) / (w * h), "visible fraction": instance.visible_fraction,
            "truncation": instance.truncation, **dict(instance.attributes)}


def _slices(facts: Sequence[Mapping[str, object]], which: np.ndarray, n: int, score, prefix: str) -> list[Slice]:
    names = list(dict.fromkeys(name for fact in facts for name in fact))
    found = (sliced(prefix + name, [fact.get(name) for fact in facts], which, n, score) for name in names)
    return [s for s in found if s is not None]


def _scalars(drawn: Mapping[str, Any]) -> dict[str, object]:
    return {k: v for k, v in drawn.items() if isinstance(v, int | float | str) and "[" not in k}


def _mean_of(values: np.ndarray, weights: np.ndarray) -> float:
    total = weights.sum()
    return float((values * weights).sum() / total) if total else float("nan")


def _nan_mean(values: Sequence[float]) -> float:
    kept = [v for v in values if np.isfinite(v)]
    return float(np.mean(kept)) if kept else float("nan")
