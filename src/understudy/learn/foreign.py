"""Networks of the ``transformers`` package, from a folder on this machine: RT-DETR and D-FINE (boxes), SegFormer (regions),
Mask2Former (instance masks), ViTPose (key points). They are measured and asked like our own; nothing is downloaded here.

A folder is one that its publisher, ``save_pretrained`` or our own training (:mod:`understudy.learn.foreign_training`) wrote:
``config.json``, ``model.safetensors`` and, where pictures are to be scaled in a special way, ``preprocessor_config.json``.
Pictures are prepared here, not by the package's processors, which want torchvision.

ViTPose is top-down: it finds points in boxes that it is given. It is measured in the labelled boxes, which flatters it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import DatasetError, MissingDependency, UsageError

if TYPE_CHECKING:
    from understudy.learn.native.answer import Found
    from understudy.learn.native.network import Spec

TASKS = {"RTDetrForObjectDetection": "box", "RTDetrV2ForObjectDetection": "box", "DFineForObjectDetection": "box",
         "SegformerForSemanticSegmentation": "semantic", "Mask2FormerForUniversalSegmentation": "mask",
         "VitPoseForPoseEstimation": "keypoint"}
"""The architectures that are known, as config.json names them."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, where nothing else is said
_LEAST_SCORE = 0.01
ROOM = 1.25
"""A top-down crop's side over its box's."""


def recognises(path: Path) -> bool:
    """Whether ``path`` is a folder of a model of ``transformers``."""
    return path.is_dir() and (path / "config.json").is_file()


@dataclass(frozen=True)
class Scaling:
    """How pictures are prepared: (height, width), then minus mean over std of channels in 0 to 1."""

    size_hw: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __call__(self, image: np.ndarray):
        """(h, w, 3) uint8 -> (1, 3, height, width) float32 tensor."""
        import cv2
        import torch

        small = image
        if image.shape[:2] != self.size_hw:
            small = cv2.resize(np.ascontiguousarray(image), self.size_hw[::-1], interpolation=cv2.INTER_AREA
                               if min(image.shape[:2]) > min(self.size_hw) else cv2.INTER_LINEAR)
        x = (small.astype(np.float32) / 255 - np.float32(self.mean)) / np.float32(self.std)
        return torch.from_numpy(x.transpose(2, 0, 1)[None].copy())


class Foreign:
    """A network of ``transformers`` that answers as ours do (:mod:`understudy.learn.native.answer`)."""

    def __init__(self, model: Any, spec: Spec, scaling: Scaling, numbers: np.ndarray, device: str = "cpu") -> None:
        self.model, self.spec, self.scaling, self.device = model, spec, scaling, device
        self.numbers = numbers  # class number (0 none) by the model's own label

    @property
    def top_down(self) -> bool:
        """Whether it must be given boxes."""
        return self.spec.task == "keypoint"

    def inputs(self, image: np.ndarray):
        """(h, w, 3) uint8 -> (1, 3, height, width) where the network is."""
        return self.scaling(image).to(self.device)

    def class_map(self, image: np.ndarray) -> np.ndarray:
        """(h, w, 3) uint8 -> (h, w) uint8 class numbers."""
        import torch
        import torch.nn.functional as F

        with torch.no_grad():
            logits = self.model(pixel_values=self.inputs(image)).logits.float().cpu()
            whole = F.interpolate(logits, image.shape[:2], mode="bilinear", align_corners=False)[0]
        return self.numbers[whole.argmax(0).numpy()].astype(np.uint8)

    def found_things(self, image: np.ndarray, within: np.ndarray | None = None) -> Found:
        """What it finds; ``within`` (n, 4) xyxy pixels: the boxes that a top-down network looks into."""
        import torch

        with torch.no_grad():
            return {"box": self._boxes, "mask": self._masks}[self.spec.task](image) if not self.top_down else \
                self._points(image, within)

    def _boxes(self, image: np.ndarray) -> Found:
        out = self.model(pixel_values=self.inputs(image))
        score = out.logits[0].sigmoid().float().cpu().numpy()
        h, w = image.shape[:2]
        cx, cy, bw, bh = out.pred_boxes[0].float().cpu().numpy().T * np.array([[w], [h], [w], [h]])
        xyxy = np.stack([cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2], 1).clip(0, [w, h, w, h])
        return self._found(np.repeat(np.arange(score.shape[0]), score.shape[1]), score.ravel(),
                           self.numbers[np.tile(np.arange(score.shape[1]), score.shape[0])], xyxy)

    def _masks(self, image: np.ndarray) -> Found:
        import torch.nn.functional as F

        from understudy.geometry.boxes import box_of_mask

        out = self.model(pixel_values=self.inputs(image))
        chance = out.class_queries_logits[0].float().cpu().softmax(-1)[:, :-1]
        logits = out.masks_queries_logits.float().cpu()
        whole = F.interpolate(logits, image.shape[:2], mode="bilinear", align_corners=False)[0]
        masks = (whole > 0).numpy()
        sure = (whole.sigmoid() * (whole > 0)).sum((1, 2)) / (whole > 0).sum((1, 2)).clamp(min=1)
        best, label = chance.max(-1)
        boxes = [box_of_mask(mask) for mask in masks]
        there = np.array([box is not None for box in boxes])
        xyxy = np.array([box or (0, 0, 0, 0) for box in boxes], np.float32).reshape(-1, 4)
        score = np.where(there, (best * sure).numpy(), 0.0)
        return self._found(np.arange(len(score)), score, self.numbers[label.numpy()], xyxy, masks)

    def _found(self, row: np.ndarray, score: np.ndarray, number: np.ndarray, xyxy: np.ndarray,
               masks: np.ndarray | None = None) -> Found:
        """The best answers of those that have a class."""
        from understudy.learn.native.answer import MOST, Found

        good = np.flatnonzero((score > _LEAST_SCORE) & (number > 0))
        good = good[np.argsort(-score[good], kind="stable")][:MOST]
        boxes = xyxy[row[good]].astype(np.float32)
        whole = (boxes[:, 2:] - boxes[:, :2]).min(1) > 0 if len(boxes) else np.zeros(0, bool)
        good, boxes = good[whole], boxes[whole]
        return Found(boxes, score[good].astype(np.float32), number[good].astype(np.int64),
                     None if masks is None else masks[row[good]])

    def heatmaps(self, crops):
        """(b, 3, height, width) crops -> (b, k, h, w): a top-down network's answer."""
        import torch

        given = {"pixel_values": crops}
        if getattr(self.model.config.backbone_config, "num_experts", 1) > 1:
            given["dataset_index"] = torch.zeros(len(crops), dtype=torch.int64, device=crops.device)
        return self.model(**given).heatmaps

    def _points(self, image: np.ndarray, within: np.ndarray | None) -> Found:
        import cv2

        from understudy.learn.native.answer import Found

        if within is None:
            raise UsageError("this network looks into boxes that it is given, and finds none itself",
                             got=type(self.model).__name__, remedy="Measure it with `understudy evaluate`: the labelled "
                             "boxes are given to it")
        high, wide = self.scaling.size_hw
        points = np.zeros((len(within), len(self.spec.points), 3), np.float32)
        for i, (x0, y0, x1, y1) in enumerate(np.asarray(within, float)):
            side = max((x1 - x0) / wide, (y1 - y0) / high) * ROOM  # pixels of the picture for one of the crop
            left, top = (x0 + x1) / 2 - side * wide / 2, (y0 + y1) / 2 - side * high / 2
            crop = cv2.warpAffine(image, np.float32([[side, 0, left + 0.5 * side - 0.5], [0, side, top + 0.5 * side - 0.5]]),
                                  (wide, high), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            heat = self.heatmaps(self.inputs(crop))[0].float().cpu().numpy()
            flat = heat.reshape(len(heat), -1)
            at = flat.argmax(1)
            y, x = at // heat.shape[2], at % heat.shape[2]
            points[i, :, 0] = left + (x + 0.5) * side * wide / heat.shape[2]
            points[i, :, 1] = top + (y + 0.5) * side * high / heat.shape[1]
            points[i, :, 2] = flat.max(1)
        score = points[:, :, 2].mean(1) if len(points) else np.zeros(0, np.float32)
        order = np.argsort(-score, kind="stable")
        return Found(np.asarray(within, np.float32).reshape(-1, 4)[order], score[order], np.ones(len(order), np.int64), None,
                     points[order])


def load(path: Path, labels: Sequence[str] | None = None) -> tuple[Foreign, dict[str, Any]]:
    """The network in a folder, and a card with what is known of it. labels : gives it a new last layer for these, random
    where the old one does not fit. DatasetError for one that is not known or not whole."""
    config = json_object(path / "config.json")
    known = [a for a in config.get("architectures") or [] if a in TASKS]
    if not known:
        raise DatasetError("is no model that is known here", where=path, wanted=", ".join(TASKS),
                           got=", ".join(config.get("architectures") or []) or "no architectures in config.json")
    if not (path / "model.safetensors").is_file():
        raise DatasetError("holds no weights", where=path, wanted="model.safetensors; no other form is taken")
    transformers = need_transformers()
    try:
        new = {} if labels is None else {"num_labels": len(labels), "id2label": dict(enumerate(labels)),
                                         "label2id": {n: i for i, n in enumerate(labels)}, "ignore_mismatched_sizes": True}
        model = getattr(transformers, known[0]).from_pretrained(path, local_files_only=True, use_safetensors=True,
                                                                **new).eval()
    except (OSError, ValueError, RuntimeError, AttributeError, ImportError) as error:
        raise DatasetError(f"cannot be loaded: {str(error).splitlines()[0][:200]}", where=path) from error
    prepared = path / "preprocessor_config.json"
    return wrapped(model, json_object(prepared) if prepared.is_file() else {})


def wrapped(model: Any, preprocessing: Mapping[str, Any]) -> tuple[Foreign, dict[str, Any]]:
    """A loaded model of a known architecture, and its card."""
    from understudy.learn.native.network import Spec

    name = type(model).__name__
    task, config = TASKS[name], model.config
    labels = [str(config.id2label[i]) for i in sorted(config.id2label)]
    points: tuple[str, ...] = ()
    if task == "keypoint":
        points, classes, numbers = _point_names(labels), ("person",), np.array([1])
    else:
        classes = tuple(c for c in dict.fromkeys(labels) if c.casefold() not in ("background", "n/a", "no-object"))
        place = {c: i for i, c in enumerate(classes, start=1)}
        numbers = np.array([place.get(c, 0) for c in labels])
    scaling = _scaling(preprocessing, config, task)
    spec = Spec(task, classes, name, max(scaling.size_hw), points)
    count = sum(p.numel() for p in model.parameters())
    card = {"task": task, "classes": list(classes), "size": name, "side": spec.side, "weights": count, "trained_on": [],
            "validated_on": None, "started_from": None, "seed": "unknown", "budget": "unknown", "images": 0, "cpu_s": 0.0}
    return Foreign(model, spec, scaling, numbers), card


def _scaling(said: Mapping[str, Any], config: Any, task: str) -> Scaling:
    size = said.get("size") or {}
    if isinstance(size, int):
        size = {"height": size, "width": size}
    short = size.get("shortest_edge")
    default = {"box": (640, 640), "semantic": (512, 512), "mask": (384, 384), "keypoint": (256, 192)}[task]
    image = getattr(getattr(config, "backbone_config", None), "image_size", None) if task == "keypoint" else None
    high, wide = (size.get("height") or short, size.get("width") or short) if size else (image or default)
    if not (isinstance(high, int) and isinstance(wide, int) and 16 <= min(high, wide) <= max(high, wide) <= 4096):
        raise DatasetError("preprocessor_config.json says no usable size", wanted="height and width", got=dict(size))
    if said.get("do_normalize", task != "box"):
        return Scaling((high, wide), tuple(said.get("image_mean", _MEAN)), tuple(said.get("image_std", _STD)))
    return Scaling((high, wide), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def _point_names(labels: list[str]) -> tuple[str, ...]:
    """``L_Shoulder`` and the like as COCO names them."""
    plain = (label.casefold() for label in labels)
    return tuple("left_" + n[2:] if n.startswith("l_") else "right_" + n[2:] if n.startswith("r_") else n for n in plain)


def json_object(path: Path) -> dict[str, Any]:
    """The object of a JSON file; DatasetError where it cannot be read or is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetError(f"cannot be read: {error}", where=path) from error
    if not isinstance(told, dict):
        raise DatasetError("is no JSON object", where=path)
    return told


def need_transformers(tried: Callable[[], Any] | None = None) -> Any:
    """The package; MissingDependency where it is absent, or broken by a torchvision that does not fit the torch."""
    try:
        if tried is not None:
            return tried()
        import transformers
    except ModuleNotFoundError as error:
        raise MissingDependency(f"this model needs the package {error.name}",
                                remedy="pip install 'understudy[transformers]'") from error
    except (ImportError, RuntimeError) as error:
        raise MissingDependency(f"transformers does not work: {str(error).splitlines()[0][:160]}",
                                remedy="`understudy doctor` says why; a torchvision that does not fit torch is the usual "
                                "reason, and nothing here needs it: pip uninstall torchvision") from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers
