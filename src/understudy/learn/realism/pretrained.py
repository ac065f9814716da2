"""Features of networks that learned from millions of photographs: DINOv2, CLIP, Inception v3, from a folder on this machine.

A folder is one that ``save_pretrained`` or the Hugging Face hub wrote: ``config.json``, ``model.safetensors``. A name such
as ``facebook/dinov2-small`` is looked up in the hub's cache on this machine. Nothing is downloaded here. An extractor's name
holds the network, its folder and the first eight digits of its weights' SHA-256: distances under other weights are others.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import DatasetError, MissingDependency, UsageError
from understudy.learn.catalogue.fetch import digest_of
from understudy.learn.foreign import json_object

Extractor = Callable[[np.ndarray], np.ndarray]
"""(n, s, s, 3) uint8 -> (n, features) float64."""

KINDS = {"dinov2": "Dinov2Model", "clip": "CLIPModel",
         "clip_vision_model": "CLIPVisionModelWithProjection", "inception_v3": ""}
"""What config.json calls a network (``model_type``, or timm's ``architecture``), and the class that reads it."""
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of its own photographs, as published
_HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


def pretrained(wanted: str, batch: int = 16) -> tuple[str, Extractor]:
    """(name, extractor) of a folder or of a name in the hub's cache. UsageError where there is none, DatasetError for one
    that is not known or not whole, MissingDependency without the packages."""
    folder = _folder(wanted)
    config = json_object(folder / "config.json")
    kind = next((k for k in (config.get("model_type"), config.get("architecture")) if k in KINDS), None)
    if kind is None:
        raise DatasetError("is no feature extractor that is known here", where=folder, wanted=", ".join(KINDS),
                           got=str(config.get("model_type") or config.get("architecture") or "no model_type"))
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise DatasetError("holds no weights", where=folder, wanted="model.safetensors; no other form is taken")
    side, (mean, std) = _scaling(folder, kind, config)
    network = _inception(weights) if kind == "inception_v3" else _transformer(folder, KINDS[kind])

    def extract(images: np.ndarray) -> np.ndarray:
        import torch

        rows = []
        with torch.no_grad():
            for start in range(0, len(images), batch):
                x = np.stack([_resized(np.asarray(i), side) for i in images[start:start + batch]]).astype(np.float32) / 255
                x = (x - np.float32(mean)) / np.float32(std)
                rows.append(network(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))).double().numpy())
        return np.concatenate(rows)

    short = folder.resolve().name if folder == Path(wanted).expanduser() else wanted
    return f"{kind} {short}@{digest_of(weights)[:8]}", extract


def _folder(wanted: str) -> Path:
    path = Path(wanted).expanduser()
    if path.is_dir():
        return path
    cached = _cached(wanted)
    if cached is None:
        raise UsageError("there is no such extractor on this machine", where=f"--extractor {wanted}",
                         wanted="a folder with config.json and model.safetensors, or a name in the Hugging Face cache",
                         remedy="Nothing is downloaded unasked: fetch it yourself (hf download facebook/dinov2-small) and "
                         "mind its licence")
    return cached


def _cached(name: str) -> Path | None:
    """The newest snapshot of a model in the hub's cache, by the cache's published layout."""
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    model = Path(os.environ.get("HF_HUB_CACHE") or home / "hub") / f"models--{name.replace('/', '--')}"
    reference = model / "refs" / "main"
    if reference.is_file():
        found = model / "snapshots" / reference.read_text(encoding="utf-8").strip()
        return found if found.is_dir() else None
    return None


def _scaling(folder: Path, kind: str, config: dict[str, Any]) -> tuple[int, tuple]:
    """The square's side in pixels, and (mean, std) of channels in 0 to 1."""
    file = folder / "preprocessor_config.json"
    said = json_object(file) if file.is_file() else {}
    default = {"dinov2": (224, _IMAGENET), "inception_v3": (299, _HALF)}.get(kind, (224, _CLIP))
    side = said.get("crop_size") or said.get("size") or (None if kind == "inception_v3" else _image_size(config, kind))
    if isinstance(side, dict):
        side = side.get("height") or side.get("shortest_edge")
    side = default[0] if side is None else side
    if not (isinstance(side, int) and 14 <= side <= 1024):
        raise DatasetError("says no usable size of pictures", where=folder, wanted="14 to 1024 pixels", got=side)
    return side, (tuple(said.get("image_mean", default[1][0])), tuple(said.get("image_std", default[1][1])))


def _image_size(config: dict[str, Any], kind: str) -> int | None:
    if kind == "dinov2":  # published ones say 518, which they were tuned at, and are used at 224
        patch, size = config.get("patch_size"), config.get("image_size")
        return None if not isinstance(size, int) or size >= 224 or not isinstance(patch, int) else size
    return config.get("image_size") or config.get("vision_config", {}).get("image_size")


def _resized(image: np.ndarray, side: int) -> np.ndarray:
    import cv2

    return cv2.resize(np.ascontiguousarray(image), (side, side),
                      interpolation=cv2.INTER_AREA if image.shape[0] > side else cv2.INTER_CUBIC)


def _transformer(folder: Path, known: str):
    from understudy.learn.foreign import need_transformers

    transformers = need_transformers()
    try:
        model = getattr(transformers, known).from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()
    except (OSError, ValueError, RuntimeError, AttributeError, ImportError) as error:
        raise DatasetError(f"cannot be loaded: {str(error).splitlines()[0][:200]}", where=folder) from error

    def features(x):
        seen = getattr(model, "vision_model", model)(pixel_values=x).pooler_output
        return model.visual_projection(seen) if hasattr(model, "visual_projection") else seen

    return features


def _inception(weights: Path):
    try:
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise MissingDependency(f"this extractor needs the package {error.name}",
                                remedy="pip install 'understudy[learn]'") from error
    from understudy.learn.native import inception

    try:
        tensors = load_file(weights)
    except Exception as error:  # safetensors' own error has no public class
        raise DatasetError(f"cannot be read: {str(error).splitlines()[0][:200]}", where=weights) from error
    absent = [n for name in inception.names() for n in inception.parameters(name) if n not in tensors]
    if absent:
        raise DatasetError("lacks weights of Inception v3", where=weights, got=f"{len(absent)} absent, {absent[0]} first")
    return lambda x: inception.pooled(tensors, x)
