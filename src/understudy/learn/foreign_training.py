"""Training networks of ``transformers``: RT-DETR, D-FINE, SegFormer and Mask2Former by their own losses, ViTPose, which has
none in the package, by the squared difference of its heat maps.

The same pictures, budgets, averaged weights, real validation and photographs' hashes as our own networks. What comes out is
a folder that the package reads (``config.json``, ``model.safetensors``, ``preprocessor_config.json``) with our ``run.json``,
``curve.csv``, ``report.html`` and ``photographs.json`` in it. A graphics card is used where torch sees one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import DatasetError, UsageError
from understudy.learn import foreign
from understudy.learn.augment import framed_labels
from understudy.learn.classes import chosen, plain
from understudy.learn.duplicates import Photographs, none_seen
from understudy.learn.mixture import Mixture, Sample
from understudy.learn.pose_crops import heat_maps, pose_crops
from understudy.learn.thing_targets import in_frame

if TYPE_CHECKING:
    from torch import Tensor

PHOTOGRAPHS = "photographs.json"
"""In a folder that was trained here: hashes of the real photographs behind the weights."""
_IGNORED = 255


def fitting(path: Path, categories: Sequence[str], only: Sequence[str] | None, points: tuple[str, ...], data: Path,
            renamed: dict[str, str], seed: int) -> tuple[foreign.Foreign, dict[str, Any], list[str]]:
    """The network in ``path``, its card and messages, with a last layer for the data set: its own where that knows the data
    set's classes (or key points), else a new random one."""
    network, card = foreign.load(path)
    wanted = [renamed.get(c, c) for c in chosen(categories, only, data)]
    if network.spec.task == "keypoint":
        if points == network.spec.points:
            return network, card, []
        if not points:
            raise DatasetError("has no key points", where=data)
        return *_with_new_head(path, points, seed), [f"{path}: gets a new last layer for {len(points)} key points"]
    known = {plain(c) for c in network.spec.classes}
    if all(plain(c) in known for c in wanted) or len(known) == len(wanted) == 1:
        return network, card, []
    labels = ("background", *wanted) if network.spec.task == "semantic" else tuple(wanted)
    return *_with_new_head(path, labels, seed), [f"{path}: gets a new last layer, for {', '.join(wanted[:6])}"]


def _with_new_head(path: Path, labels: Sequence[str], seed: int) -> tuple[foreign.Foreign, dict[str, Any]]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return foreign.load(path, labels)


def frame_side(network: foreign.Foreign) -> int:
    """Pixels of the square frames that it learns from: a pose network's crops are parts of them."""
    return max(network.scaling.size_hw) * (2 if network.top_down else 1)


def loss_of(network: foreign.Foreign, mixture: Mixture, batch: int, twins: Sequence[int] | None,
            precision: str) -> Callable[[int, float], Tensor]:
    """The loss of step ``number``: what :func:`understudy.learn.native.loop.fit_by` wants."""
    import torch

    device = network.device
    ask = {"box": _boxes, "semantic": _regions, "mask": _masks}.get(network.spec.task)
    label = {int(n): i for i, n in reversed(list(enumerate(network.numbers))) if n}  # the model's own label by our number

    def loss(step: int, share: float) -> Tensor:
        del share
        images, samples = mixture.batch(step, batch)
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
            if ask is None:
                u = mixture.key.child("instance", step).uniforms(batch)
                return _points_loss(network, images, samples, u, twins, device)
            asked = ask(samples, mixture.side, label, network)
            asked = {name: value.to(device) if isinstance(value, torch.Tensor) else _moved(value, device)
                     for name, value in asked.items()}
            x = torch.cat([network.scaling(image) for image in images]).to(device)
            return network.model(pixel_values=x, **asked).loss

    return loss


def _moved(value: list, device) -> list:
    return [{k: v.to(device) for k, v in one.items()} if isinstance(one, dict) else one.to(device) for one in value]


def _boxes(samples: Sequence[Sample], side: int, label: dict[int, int], network) -> dict[str, Any]:
    """Centres and sizes in shares of the frame."""
    import torch

    del side, network
    found = []
    for sample in samples:
        cut, number, asked = in_frame(sample)
        x0, y0, x1, y1 = cut[asked].T
        boxes = np.stack([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], 1).astype(np.float32)
        labels = np.array([label[int(n)] for n in number[asked]], np.int64)
        found.append({"class_labels": torch.from_numpy(labels), "boxes": torch.from_numpy(boxes)})
    return {"labels": found}


def _regions(samples: Sequence[Sample], side: int, label: dict[int, int], network) -> dict[str, Any]:
    """Each pixel's label; background is one of the model's labels, or not asked for."""
    import torch

    background = np.flatnonzero(network.numbers == 0)
    table = np.full(256, _IGNORED, np.uint8)
    table[0] = background[0] if len(background) else _IGNORED
    for number, own in label.items():
        table[number] = own
    maps = [table[s.part.table[framed_labels(s.part.store.regions[s.row], s.seen, side)]] for s in samples]
    return {"labels": torch.from_numpy(np.stack(maps).astype(np.int64))}


def _masks(samples: Sequence[Sample], side: int, label: dict[int, int], network) -> dict[str, Any]:
    """Each instance's mask and label; instances without a pixel in the frame are not asked for."""
    import torch

    del network
    masks, labels = [], []
    for sample in samples:
        _, number, asked = in_frame(sample)
        numbers = framed_labels(sample.part.store.things[sample.row], sample.seen, side)
        own = [j for j in np.flatnonzero(asked) if (numbers == j + 1).any()]
        masks.append(torch.from_numpy(np.array([numbers == j + 1 for j in own], np.float32).reshape(-1, side, side)))
        labels.append(torch.from_numpy(np.array([label[int(number[j])] for j in own], np.int64)))
    return {"mask_labels": masks, "class_labels": labels}


def _points_loss(network, images: np.ndarray, samples: Sequence[Sample], u: np.ndarray, twins, device) -> Tensor:
    import torch

    size = network.scaling.size_hw
    crops = pose_crops(images, samples, u, size, foreign.ROOM, twins)
    found = network.heatmaps(torch.cat([network.scaling(image) for image in crops.images]).to(device)).float()
    wanted = torch.from_numpy(heat_maps(crops.points, size, tuple(found.shape[2:]))).to(device)
    weight = torch.from_numpy(crops.points[..., 2]).to(device)
    each = (found - wanted).square().sum((2, 3))
    return (each * weight).sum() / weight.sum().clamp(min=1)


def save(out: Path, network: foreign.Foreign, photographs: Photographs) -> Path:
    """Write the folder's model, preparation and photographs; the weights' file."""
    from understudy.writers.files import replace_file

    network.model.save_pretrained(out)
    scaling = network.scaling
    high, wide = scaling.size_hw
    said = {"do_resize": True, "size": {"height": high, "width": wide}, "do_rescale": True, "rescale_factor": 1 / 255,
            "do_normalize": scaling.std != (1.0, 1.0, 1.0), "image_mean": scaling.mean, "image_std": scaling.std}
    replace_file(out / "preprocessor_config.json", [json.dumps(said, indent=1) + "\n"])
    told = {"trained": [h.tobytes().hex() for h in photographs.trained],
            "chose": [h.tobytes().hex() for h in photographs.chose]}
    replace_file(out / PHOTOGRAPHS, [json.dumps(told) + "\n"])
    return out / "model.safetensors"


def photographs_of(path: Path) -> Photographs | None:
    """The photographs behind a folder's training here; None for one that was not trained here."""
    try:
        said = json.loads((path / PHOTOGRAPHS).read_text(encoding="utf-8"))
        return Photographs(*(np.frombuffer(bytes.fromhex("".join(said[k])), np.uint8).reshape(-1, 32)
                             for k in ("trained", "chose")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"does not say which photographs it has seen: {error}", where=path / PHOTOGRAPHS) from error


def train(request, tell):
    """:func:`understudy.learn.session.train` from a folder of ``transformers``."""
    import torch

    from understudy.key import Key
    from understudy.learn import session, training_record
    from understudy.learn.cache import open_store
    from understudy.learn.native import loop
    from understudy.learn.prepare import prepare, stored_side, strength_for
    from understudy.learn.sources import open_source
    from understudy.learn.validation import score
    from understudy.writers.points import mirror

    if request.adapt:
        raise UsageError("networks of transformers are not adapted here", got=f"--adapt {request.adapt}")
    source = open_source(request.data)
    network, _ = foreign.load(request.init)
    points = ()
    if network.top_down:
        points = open_store(source, stored_side(frame_side(network)), request.count if source.made else None).point_names
    network, known, told = fitting(request.init, source.categories, request.classes, points, request.data,
                                   dict(request.renamed), request.seed)
    spec, seen = network.spec, photographs_of(request.init)
    side = frame_side(network)
    prepared = prepare(request.data, spec.task, spec.classes, side, mix=request.mix, validation=request.validation,
                       count=request.count, points=spec.points, renamed=request.renamed,
                       allow_overlap=request.allow_overlap, seen=seen, rows=request.rows)
    twins = mirror(spec.points)
    strength, more = strength_for(spec.task, spec.classes, spec.points, twins, request.augment)
    for message in (*told, *prepared.messages, *more):
        tell(message)
    training_record.made_folder(request.out)
    settings = loop.Settings(request.budget, request.batch, request.rate, threads=request.threads,
                             precision="fp32" if request.precision == "auto" else request.precision)
    tell(training_record.opening(prepared, spec, known["weights"], request))
    if torch.cuda.is_available():
        network.device = "cuda"
        network.model.to("cuda")
    mixture = Mixture(prepared.parts, Key(request.seed).child("train"), side, strength)
    checked = prepared.validation
    validate = None if checked is None else (lambda model: score(
        foreign.Foreign(model, spec, network.scaling, network.numbers, network.device), checked.store, checked.number))
    with torch.random.fork_rng():  # dropout, denoising queries and sampled points draw from torch's own generator
        torch.manual_seed(request.seed)
        fitted = loop.fit_by(network.model, loss_of(network, mixture, settings.batch, twins, settings.precision), settings,
                             validate, training_record.told_point(spec, tell), side)
    network.model = fitted.network.cpu()
    card = training_record.card_of(request, spec, prepared, settings, fitted, known["weights"], strength)
    photographs = (seen or none_seen()).joined(prepared.seen)
    model = save(request.out, network, photographs)
    training_record.write_training(request.out, card, fitted.curve)
    return session.Trained(model, card, fitted.broken, fitted.remedy)
