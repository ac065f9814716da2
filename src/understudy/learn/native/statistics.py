"""AdaBN: a trained network whose batch normalisation knows the statistics of real pictures instead of made ones.

No label is needed and no weight changes (Li et al., *Adaptive batch normalization for practical domain adaptation*, Pattern
Recognition 2018).
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from understudy.learn.cache import scaled
from understudy.learn.native.backbone import normalised
from understudy.learn.native.network import Network


@torch.no_grad()
def with_statistics_of(network: Network, images: np.ndarray, batch: int = 16) -> Network:
    """A copy of ``network`` with the means and variances that ``images`` (n, s, s, 3) uint8 have in it, counted alike."""
    adapted = copy.deepcopy(network)
    layers = [m for m in adapted.modules() if isinstance(m, nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all batches
    adapted.train()
    pieces = np.array_split(np.arange(len(images)), max(round(len(images) / batch), 1))
    for rows in pieces:
        small = np.stack([scaled(np.asarray(images[i]), network.spec.side) for i in rows])
        adapted(normalised(torch.from_numpy(small)))
    for layer, own in zip(layers, (m for m in network.modules() if isinstance(m, nn.BatchNorm2d))):
        layer.momentum = own.momentum
    return adapted.eval()
