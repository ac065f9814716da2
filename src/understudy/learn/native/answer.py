"""What a network says of pictures: class probabilities, or boxes with scores, masks and points, in the picture's pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from understudy.learn.cache import scaled
from understudy.learn.native.backbone import normalised
from understudy.learn.native.losses import boxes_at
from understudy.learn.native.network import Network

MOST = 100
"""Answers kept for a picture, as COCO's evaluation does."""
_LEAST_SCORE = 0.01
_SAME_IOU = 0.6


@dataclass(frozen=True)
class Found:
    """The answers for one picture, best first.

    xyxy : (n, 4) float32 pixels; score : (n,) 0 to 1; number : (n,) class number from 1
    masks : (n, h, w) bool or None; points : (n, k, 3) x, y in pixels and a score, or None
    """

    xyxy: np.ndarray
    score: np.ndarray
    number: np.ndarray
    masks: np.ndarray | None = None
    points: np.ndarray | None = None


@torch.no_grad()
def class_map(network: Network, image: np.ndarray, mirror: bool = True) -> np.ndarray:
    """(h, w, 3) uint8 -> (h, w) uint8 class numbers, 0 background. With ``mirror`` the mean with the mirrored picture's."""
    if not isinstance(network, Network):
        return network.class_map(image)
    x = normalised(torch.from_numpy(scaled(image, network.spec.side))[None])
    network.eval()
    logits = network(x)["classes"].float()
    if mirror:
        logits = (logits + network(x.flip(3))["classes"].float().flip(3)) / 2
    whole = F.interpolate(logits, image.shape[:2], mode="bilinear", align_corners=False)[0]
    return whole.argmax(0).to(torch.uint8).numpy()


@torch.no_grad()
def found_things(network: Network, image: np.ndarray, within: np.ndarray | None = None) -> Found:
    """(h, w, 3) uint8 -> what the detector finds; ``within`` (n, 4) xyxy pixels: boxes for a network that wants some."""
    if not isinstance(network, Network):
        return network.found_things(image, within)
    network.eval()
    out = {name: value.float() for name, value in
           network(normalised(torch.from_numpy(scaled(image, network.spec.side))[None])).items()}
    heat = out["heat"].sigmoid()
    peaks = heat * (F.max_pool2d(heat, 3, 1, 1) == heat)
    classes, h, w = peaks.shape[1:]
    score, place = peaks.flatten().topk(min(4 * MOST, classes * h * w))
    place = place[score > _LEAST_SCORE]
    score = score[score > _LEAST_SCORE]
    number, y, x = place // (h * w), place // w % h, place % w
    boxes = boxes_at(out["sides"], torch.zeros_like(y), y, x)
    kept = _unlike(boxes, score, number)[:MOST]
    number, y, x, boxes, score = number[kept], y[kept], x[kept], boxes[kept], score[kept]
    scale = np.array([image.shape[1] / w, image.shape[0] / h], np.float32)
    xyxy = boxes.numpy() * np.tile(scale, 2)
    xyxy = xyxy.clip(0, [image.shape[1], image.shape[0]] * 2).astype(np.float32)
    masks = points = None
    if "prototypes" in out:
        masks = _masks(out, y, x, xyxy, image.shape[:2])
    if "offsets" in out:
        points = _points(out, y, x, boxes, scale)
    whole = (xyxy[:, 2:] - xyxy[:, :2]).min(1) > 0 if len(xyxy) else np.zeros(0, bool)
    return Found(xyxy[whole], score.numpy()[whole], number.numpy()[whole].astype(np.int64) + 1,
                 None if masks is None else masks[whole], None if points is None else points[whole])


def _unlike(boxes: torch.Tensor, score: torch.Tensor, number: torch.Tensor) -> list[int]:
    """Which boxes stay when of those that overlap in one class only the best does; best first (they come sorted)."""
    from understudy.geometry.boxes import box_iou

    overlap = box_iou(boxes.numpy(), boxes.numpy()) * (number[:, None] == number[None]).numpy()
    kept: list[int] = []
    for i in range(len(boxes)):
        if not kept or overlap[i, kept].max() <= _SAME_IOU:
            kept.append(i)
    return kept


def _masks(out, y, x, xyxy: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    """Each answer's mask: prototypes weighted by its coefficients, cut at its box."""
    h, w = size_hw
    masks = np.zeros((len(xyxy), h, w), bool)
    if not len(xyxy):
        return masks
    logits = torch.einsum("pc,chw->phw", out["coefficients"][0][:, y, x].T, out["prototypes"][0])
    for i, (one, (x0, y0, x1, y1)) in enumerate(zip(logits, xyxy)):
        whole = F.interpolate(one[None, None], size_hw, mode="bilinear", align_corners=False)[0, 0] > 0
        cut = slice(int(y0), int(np.ceil(y1))), slice(int(x0), int(np.ceil(x1)))
        masks[i][cut] = whole.numpy()[cut]
    return masks


def _points(out, y, x, boxes: torch.Tensor, scale: np.ndarray) -> np.ndarray:
    """Each answer's points: where its centre says, moved to the nearest strong peak of the point's own heat map."""
    k = out["joints"].shape[1]
    n = len(boxes)
    size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1)
    centre = torch.stack([x, y], 1).float() + 0.5
    said = centre[:, None] + out["offsets"][0][:, y, x].T.reshape(n, k, 2) * size[:, None]
    joints = out["joints"].sigmoid()[0]
    h, w = joints.shape[1:]
    peaks = (F.max_pool2d(joints[None], 3, 1, 1)[0] == joints) & (joints > 0.1)
    found = np.zeros((n, k, 3), np.float32)
    for j in range(k):
        at = peaks[j].nonzero()
        spots = at.flip(1).float() + 0.5
        for i in range(n):
            here = said[i, j]
            cell = here.floor().long()
            score = float(joints[j, cell[1].clamp(0, h - 1), cell[0].clamp(0, w - 1)])
            if len(spots):
                apart = ((spots - here) / size[i]).square().sum(1)
                nearest = int(apart.argmin())
                if float(apart[nearest]) < 0.1**2:
                    here, score = spots[nearest], float(joints[j, at[nearest, 0], at[nearest, 1]])
            found[i, j] = float(here[0] * scale[0]), float(here[1] * scale[1]), score
    return found
