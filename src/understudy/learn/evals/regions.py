"""Mean intersection over union from confusion matrices kept picture by picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.learn.evals.bootstrap import Figure, figure
from understudy.learn.mask_folder import UNLABELLED


def confusion(truth: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    """(h, w) uint8 class numbers both, 0 background, 255 in ``truth`` not counted -> (1 + classes, 1 + classes) int64
    pixels: row the truth, column the answer."""
    kept = truth != UNLABELLED
    size = classes + 1
    return np.bincount(truth[kept].astype(np.int64) * size + found[kept], minlength=size * size).reshape(size, size)


def ious(matrices: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """(n, c, c) pictures' confusion, each counted ``weights`` (n,) times -> (c,) IoU of each class over all pixels; NaN
    for a class that is neither there nor answered."""
    matrices = np.asarray(matrices, float)
    whole = matrices.sum(0) if weights is None else np.tensordot(np.asarray(weights, float), matrices, 1)
    both = np.diag(whole)
    either = whole.sum(0) + whole.sum(1) - both
    return np.divide(both, either, out=np.full(len(whole), np.nan), where=either > 0)


def mean_iou(matrices: np.ndarray, weights: np.ndarray | None = None, counted: Sequence[int] | None = None) -> float:
    """Mean over the classes ``counted`` (all, background included), pixels pooled over the pictures."""
    each = ious(matrices, weights)
    each = each if counted is None else each[list(counted)]
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def figures(matrices: np.ndarray, classes: Sequence[str], counted: Sequence[int]) -> dict[str, Figure]:
    """``mIoU`` over ``counted`` class numbers and ``IoU NAME`` of each, with intervals over pictures."""
    n = len(matrices)
    names = ("background", *classes)
    found = {"mIoU": figure(lambda w: mean_iou(matrices, w, counted), n)}
    for c in counted:
        found[f"IoU {names[c]}"] = figure(lambda w, c=c: float(ious(matrices, w)[c]), n)
    return found
