"""Features of made and of real pictures drawn together while a network learns: CORAL and DANN.

Both look at the cells of the backbone's deepest stage, of a batch of the pictures that are learned from and of a batch of
real ones without labels. The two batches pass through the backbone as one, so they share their normalisation.

* ``coral``: the distance between the covariances of the two (Sun and Saenko, *Deep CORAL*, ECCV workshops 2016).
* ``dann``: a small classifier learns to tell the two apart, and its gradient is turned round before it reaches the backbone
  (Ganin et al., *Domain-adversarial training of neural networks*, JMLR 2016).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.learn.mixture import Mixture
from understudy.learn.native.backbone import normalised
from understudy.learn.native.network import Network

METHODS = ("coral", "dann")
_CORAL_WEIGHT = 10.0
_DANN_WEIGHT = 0.1


class Alignment(nn.Module):
    """The extra loss of one training. real : where its unlabelled batches come from, half as large as the labelled ones."""

    def __init__(self, method: str, network: Network, real: Mixture, seed: int) -> None:
        super().__init__()
        self.method, self.real = method, real
        channels = network.backbone.deepest
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.judge = None if method != "dann" else nn.Sequential(nn.Conv2d(channels, 32, 1), nn.ReLU(),
                                                                     nn.Conv2d(32, 1, 1))

    def forward(self, network: Network, images: Tensor, step: int, share: float) -> tuple[dict[str, Tensor], Tensor]:
        """The network's outputs for ``images`` (b, h, w, 3) uint8, and the extra loss. share : of the budget used."""
        count = len(images)
        others, _ = self.real.batch(step, max(count // 2, 2))
        levels = network.backbone.levels(normalised(torch.cat([images, torch.from_numpy(others)])))
        out = network.answered([level[:count] for level in levels])
        deep = levels[-1].float()
        if self.method == "coral":
            return out, _CORAL_WEIGHT * coral(cells(deep[:count]), cells(deep[count:]))
        turned = _Turned.apply(deep, _DANN_WEIGHT * strength(share))
        told = self.judge(turned).float()
        return out, 0.5 * (F.softplus(-told[:count]).mean() + F.softplus(told[count:]).mean())


def cells(features: Tensor) -> Tensor:
    """(b, c, h, w) -> (b * h * w, c)."""
    return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def coral(a: Tensor, b: Tensor) -> Tensor:
    """Squared Frobenius distance of the covariances of (n, d) and (m, d), over 4 d squared."""
    return (torch.cov(a.T) - torch.cov(b.T)).square().sum() / (4 * a.shape[1] ** 2)


def strength(share: float) -> float:
    """How much of the turned gradient arrives: from 0 to 1 over the training (Ganin et al., section 5.2.2)."""
    return 2 / (1 + math.exp(-10 * share)) - 1


class _Turned(torch.autograd.Function):
    """The identity whose gradient is multiplied by ``-weight``."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: float) -> Tensor:
        ctx.weight = weight
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        return -ctx.weight * gradient, None
