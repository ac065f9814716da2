"""What a picture is like, in numbers, without downloaded weights: two extractors with different blind spots.

``classic`` hardly sees content, ``randconv`` hardly sees blur (measured: docs/learning.md), so both are always shown.
Networks that learned from photographs see content best, where the user has one (:mod:`understudy.learn.realism.pretrained`).
An extractor's name is part of a metric's name, since distances under different features cannot be compared.
"""

from __future__ import annotations

import numpy as np

CLASSIC = "classic"
RANDCONV = "randconv-s1"
_SIDE = 96


def classic(images: np.ndarray) -> np.ndarray:
    """(n, s, s, 3) uint8 -> (n, 27) float64: Lab means and deviations, gradient directions and sizes, a radial power
    spectrum, the Laplacian."""
    return np.stack([_classic(np.asarray(image)) for image in images])


def _classic(image: np.ndarray) -> np.ndarray:
    import cv2

    small = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(float)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    size = np.hypot(dx, dy)
    turns = np.histogram(np.arctan2(dy, dx) % np.pi, 8, (0, np.pi), weights=size)[0]
    power = np.abs(np.fft.fftshift(np.fft.fft2(grey - grey.mean()))) ** 2
    y, x = np.indices(power.shape) - _SIDE // 2
    ring = np.minimum(np.hypot(x, y) / (_SIDE / 2) * 9, 8.999).astype(int)
    rings = np.log1p(np.bincount(ring.ravel(), power.ravel(), 9) / np.maximum(np.bincount(ring.ravel(), minlength=9), 1))
    laplacian = np.log1p(cv2.Laplacian(grey, cv2.CV_32F).var())
    return np.concatenate([lab.mean(0), lab.std(0), turns / max(turns.sum(), 1e-9), [np.log1p(size.mean()),
                           np.log1p(size.std()), np.log1p(np.quantile(size, 0.95))], rings, [laplacian]])


def randconv(images: np.ndarray, batch: int = 32) -> np.ndarray:
    """(n, s, s, 3) uint8 -> (n, 480) float64: means and deviations of each channel of a network with fixed random weights
    (seed 1), at four sizes."""
    import torch

    from understudy.learn.cache import scaled
    from understudy.learn.native.backbone import SIZES, Backbone, normalised

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(1)
        network = Backbone(SIZES["nano"]).eval()
        rows = []
        for start in range(0, len(images), batch):
            small = np.stack([scaled(np.asarray(i), _SIDE) for i in images[start:start + batch]])
            levels = network.levels(normalised(torch.from_numpy(small)))
            rows.append(torch.cat([f(level) for level in levels for f in (_means, _deviations)], 1).double().numpy())
    return np.concatenate(rows)


def _means(level):
    return level.mean((2, 3))


def _deviations(level):
    return level.std((2, 3))


EXTRACTORS = {CLASSIC: classic, RANDCONV: randconv}


def standardised(made: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both with the real pictures' mean taken away and divided by their deviation, cut at ten."""
    mean, deviation = real.mean(0), real.std(0)
    deviation = np.where(deviation > 1e-9, deviation, 1.0)
    return ((made - mean) / deviation).clip(-10, 10), ((real - mean) / deviation).clip(-10, 10)
