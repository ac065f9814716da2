"""Train, fine-tune, evaluate, predict: what the commands do, for Python. Torch is loaded when one of them is called."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import MissingDependency, RunError, UsageError
from understudy.learn.budget import Budget
from understudy.learn.measure import Measured
from understudy.learn.training_record import (
    Tell,
    card_of,
    made_folder,
    opening,
    told_point,
    versions,
    write_training,
    written_text,
)


@dataclass(frozen=True)
class Request:
    """A training. data : what is learned from; mix : (data set, share of the pictures shown, pictures used or None for all);
    validation : real pictures that choose the checkpoint; init : a model to start from; count : pictures of ``data`` that
    are used (of a made set the first, of a real one a random choice that grows with the count); rows : only these of
    ``data``, by their position in it; augment : full, or light; adapt : coral, dann or fda, to the real pictures
    ``unlabelled``, or ""."""

    data: Path
    out: Path
    task: str = "semantic"
    classes: tuple[str, ...] | None = None
    mix: tuple[tuple[Path, float, int | None], ...] = ()
    validation: Path | None = None
    init: Path | None = None
    size: str = "tiny"
    side: int = 160
    budget: Budget = Budget(images=40_000)
    seed: int = 0
    batch: int = 16
    rate: float = 3e-3
    precision: str = "auto"
    threads: int = 1
    count: int | None = None
    rows: tuple[int, ...] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    allow_overlap: bool = False
    augment: str = "full"
    adapt: str = ""
    unlabelled: Path | None = None


@dataclass(frozen=True)
class Trained:
    """What a training left: the model's file, its card, why it stopped early, if it did, and what to do."""

    model: Path
    card: Mapping[str, Any]
    broken: str = ""
    remedy: str = ""


def need_torch() -> None:
    """MissingDependency, with the command that installs it, where torch or safetensors is absent."""
    try:
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingDependency(f"learning needs the package {error.name}", remedy="pip install torch --index-url "
                                "https://download.pytorch.org/whl/cpu && pip install 'understudy[learn]'") from error


def train(request: Request, tell: Tell) -> Trained:
    """Train a model and write ``out``: model.safetensors, run.json, curve.csv, report.html.

    A loss that is no number and memory that runs out stop it: what was learned until then is kept, ``broken`` says why.
    """
    need_torch()
    from understudy.key import Key
    from understudy.learn import foreign
    from understudy.learn.classes import chosen
    from understudy.learn.mixture import Mixture
    from understudy.learn.native import loop, model_file
    from understudy.learn.native.network import Spec, built, weights
    from understudy.learn.prepare import prepare, strength_for
    from understudy.learn.sources import open_source
    from understudy.learn.validation import score
    from understudy.writers.points import mirror

    single_threaded_images()
    if request.init is not None and foreign.recognises(request.init):
        from understudy.learn import foreign_training

        return foreign_training.train(request, tell)
    network = seen = None
    if request.init is not None:
        network, _, seen = model_file.load(request.init)
        spec, classes = network.spec, network.spec.classes
    else:
        classes = chosen((source := open_source(request.data)).categories, request.classes, source.path)
        spec = None
    prepared = prepare(request.data, spec.task if spec else request.task, classes, spec.side if spec else request.side,
                       mix=request.mix, validation=request.validation, count=request.count,
                       points=spec.points if spec else None, renamed=request.renamed,
                       allow_overlap=request.allow_overlap, seen=seen, rows=request.rows)
    if network is None:
        spec = Spec(request.task, classes, request.size, request.side, prepared.points)
        network = built(spec, request.seed)
    twins = mirror(spec.points)
    strength, told = strength_for(spec.task, spec.classes, spec.points, twins, request.augment)
    for message in (*prepared.messages, *told):
        tell(message)
    out = request.out
    made_folder(out)
    settings = loop.Settings(request.budget, request.batch, request.rate, precision=request.precision,
                             threads=request.threads)
    tell(opening(prepared, spec, weights(network), request))
    mixture = Mixture(prepared.parts, Key(request.seed).child("train"), spec.side, strength)
    alignment, target = _adaptation(request, network, mixture, tell)
    checked = prepared.validation
    validate = None if checked is None else (lambda net: score(net, checked.store, checked.number))

    fitted = loop.fit(network, mixture, settings, twins, validate, told_point(spec, tell), alignment)
    card = card_of(request, spec, prepared, settings, fitted, weights(network), strength)
    if target is not None:
        card["adapted"] = {"method": request.adapt, "unlabelled": str(request.unlabelled), "pictures": len(target.images)}
    photographs = prepared.seen if target is None else prepared.seen.and_trained(target.hashes)
    model = out / "model.safetensors"
    model_file.save(model, fitted.network, card, photographs if seen is None else seen.joined(photographs))
    write_training(out, card, fitted.curve)
    return Trained(model, card, fitted.broken, fitted.remedy)


def evaluate(model: Path, real: Path, out: Path | None, tell: Tell, *, renamed: Mapping[str, str] | None = None,
             allow_overlap: bool = False, threads: int = 1) -> Measured:
    """Score a model on real pictures; with ``out`` write evaluation.json, table.npz and report.html there.

    UsageError for a made data set, DatasetError for photographs that the model was trained on or chosen by.
    """
    need_torch()
    import torch

    from understudy.learn import duplicates
    from understudy.learn.classes import agree
    from understudy.learn.measure import measure
    from understudy.learn.prepare import refuse_made
    from understudy.learn.report import evaluation_report
    from understudy.learn.sources import open_source

    torch.set_num_threads(threads)
    single_threaded_images()
    network, card, seen = _opened(model, tell)
    source = open_source(real)
    refuse_made(source, "evaluate")
    agreement = agree(network.spec.classes, source.categories, source.path, renamed)
    if not allow_overlap:
        hashes, names = _hashes(source)
        for known, what, one in ((seen.trained, "the training of the model", "a training photograph"),
                                 (seen.chose, "the validation that chose the model", "a validation photograph")):
            duplicates.refuse(duplicates.overlaps(hashes, names, known, [one] * len(known)), what, real)
    start = time.process_time()
    measured = measure(network, source, agreement)
    for message in measured.messages:
        tell(message)
    if out is not None:
        made_folder(out)
        plain = {"model": str(model), "data": str(real), "task": measured.task,
                 "figures": {name: f.plain() for name, f in measured.figures.items()},
                 "slices": [{"name": s.name, "groups": {g: f.plain() for g, f in s.groups.items()},
                             "gap": s.gap.plain() if s.gap else None, "best": s.best, "worst": s.worst}
                            for s in measured.slices],
                 "messages": list(measured.messages), "cpu_s": round(time.process_time() - start, 1), "training": card,
                 "versions": versions()}
        written_text(out / "evaluation.json", json.dumps(plain, indent=1) + "\n")
        np.savez_compressed(out / "table.npz", **measured.table)
        written_text(out / "report.html", evaluation_report(measured, card))
    return measured


def predict(model: Path, images: Sequence[Path], out: Path, tell: Tell, *, threads: int = 1) -> int:
    """Answer for pictures (files and folders): masks as PNG in ``out`` (semantic), else ``out/predictions.json`` in
    COCO's results form with file names. The number of pictures; those that cannot be read are told and left out."""
    need_torch()
    import torch
    from PIL import Image

    from understudy.errors import DatasetError
    from understudy.learn.native.answer import class_map, found_things
    from understudy.record import Rle
    from understudy.writers.files import picture_of, pictures_below, read_bytes

    torch.set_num_threads(threads)
    single_threaded_images()
    network, _, _ = _opened(model, tell)
    files = [(root, f) for root in images for f in (pictures_below(root) if root.is_dir() else [root])]
    if not files:
        raise DatasetError("there is no picture", where=", ".join(map(str, images)))
    made_folder(out)
    answers, done = [], 0
    for root, file in files:
        name = file.relative_to(root) if root.is_dir() else Path(file.name)
        try:
            image = picture_of(read_bytes(file), file).decode()
        except (DatasetError, OSError) as error:
            tell(f"left out: {error}")
            continue
        done += 1
        if network.spec.task == "semantic":
            target = (out / name).with_suffix(".png")
            made_folder(target.parent)
            Image.fromarray(class_map(network, image)).save(target)
            continue
        found = found_things(network, image)
        for i in range(len(found.score)):
            x0, y0, x1, y1 = (round(float(v), 2) for v in found.xyxy[i])
            answer: dict[str, Any] = {"file_name": str(name), "category": network.spec.classes[found.number[i] - 1],
                                      "category_id": int(found.number[i]), "score": round(float(found.score[i]), 5),
                                      "bbox": [x0, y0, round(x1 - x0, 2), round(y1 - y0, 2)]}
            if found.masks is not None:
                code = Rle.encode(found.masks[i])
                answer["segmentation"] = {"size": list(code.size_hw), "counts": code.counts.decode()}
            if found.points is not None:
                answer["keypoints"] = [round(float(v), 3) for v in found.points[i].ravel()]
            answers.append(answer)
    if not done:
        raise DatasetError("no picture could be read", where=", ".join(map(str, images)))
    if network.spec.task != "semantic":
        written_text(out / "predictions.json", json.dumps({"classes": list(network.spec.classes),
                                                     "points": list(network.spec.points), "answers": answers}))
    else:
        written_text(out / "classes.txt", "\n".join(network.spec.classes) + "\n")
    return done


def _opened(model: Path, tell: Tell):
    """(network, card, photographs behind it) of our own model or of a folder of ``transformers``."""
    from understudy.learn import duplicates, foreign
    from understudy.learn.native import model_file

    if not foreign.recognises(model):
        return model_file.load(model)
    network, card = foreign.load(model)
    from understudy.learn.foreign_training import photographs_of

    seen = photographs_of(model)
    tell(f"{model}: {card['size']}. Nobody knows here which photographs {'it' if seen is None else 'its first weights'} "
         "learned from; yours may be among them")
    return network, card, duplicates.none_seen() if seen is None else seen


def single_threaded_images() -> None:
    """OpenCV's own threads would make CPU-seconds depend on the machine; one is as fast at these sizes."""
    import cv2

    cv2.setNumThreads(1)


def _adaptation(request: Request, network, mixture, tell: Tell):
    """(the extra loss or None, the unlabelled pictures or None); the mixture's made pictures are restyled for fda."""
    if not request.adapt:
        return None, None
    from understudy.key import Key
    from understudy.learn.augment import Strength
    from understudy.learn.fourier import Restyler
    from understudy.learn.native.alignment import METHODS, Alignment
    from understudy.learn.prepare import stored_side
    from understudy.learn.unlabelled import need_unlabelled, open_unlabelled

    if request.adapt not in (*METHODS, "fda"):
        raise UsageError("there is no such adaptation", wanted=", ".join((*METHODS, "fda")), got=request.adapt)
    side = network.spec.side
    target = open_unlabelled(need_unlabelled(request.unlabelled, request.adapt), stored_side(side), tell)
    if request.adapt == "fda":
        mixture.restyle = Restyler(target.images)
        return None, target
    real = target.mixture(Key(request.seed).child("unlabelled"), side, Strength())
    return Alignment(request.adapt, network, real, request.seed), target


def _hashes(source) -> tuple[np.ndarray, list[str]]:
    from understudy.learn.duplicates import perceptual_hash

    names = source.names()
    found, told = [], []
    for record in source.records(lambda error: None):
        found.append(perceptual_hash(record.picture.decode()))
        told.append(names.get(record.index, f"picture {record.index}"))
    return np.array(found, np.uint8).reshape(-1, 32), told


def check_out(out: Path) -> None:
    """UsageError if ``out`` already holds a model or is a file: nothing is overwritten unasked."""
    if out.is_file() or (out / "model.safetensors").exists():
        raise UsageError("is there already", where=out, remedy="Choose another folder with -o")


def stopped(trained: Trained) -> None:
    """RunError for a training that broke off, after everything was kept."""
    if trained.broken:
        raise RunError(f"training stopped: {trained.broken}", where=trained.model,
                       remedy=f"The last good averaged weights are kept there. {trained.remedy}")
