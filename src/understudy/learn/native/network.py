"""A network for a task: the backbone and one head.

* ``semantic``: a score of each class (background first) in each cell of 4 pixels.
* ``box``: a heat map of centres for each class, and distances to the four sides.
* ``mask``: the same, with 24 prototype masks and each centre's coefficients (YOLACT; Bolya et al., ICCV 2019).
* ``keypoint``: the same, with each point's offset from the centre and a heat map for each point to sharpen it (CenterNet).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from understudy.learn.native.backbone import SIZES, Backbone, convolution

PROTOTYPES = 24
_RARE = -4.6  # the logit of 1 %: at first nothing is anywhere (RetinaNet's initial bias)


@dataclass(frozen=True)
class Spec:
    """Everything that a network is built from. side : pixels of its square input, divisible by 32; points : key points."""

    task: str
    classes: tuple[str, ...]
    size: str
    side: int
    points: tuple[str, ...] = ()


class Network(nn.Module):
    """(b, 3, side, side) -> {name: (b, channels, side / 4, side / 4)}, names and channels as :func:`outputs` says."""

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        self.spec = spec
        self.backbone = Backbone(SIZES[spec.size])
        channels = self.backbone.channels
        self.trunk = nn.Identity() if spec.task == "semantic" else convolution(channels, channels)
        self.heads = nn.ModuleDict()
        for name, out in outputs(spec).items():
            last = nn.Conv2d(channels, out, 1)
            if name in ("heat", "joints"):
                nn.init.constant_(last.bias, _RARE)
                nn.init.normal_(last.weight, std=0.01)
            self.heads[name] = last

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.answered(self.backbone.levels(x))

    def answered(self, levels: list[Tensor]) -> dict[str, Tensor]:
        """The outputs from the backbone's four stages."""
        features = self.trunk(self.backbone.pyramid(levels))
        return {name: head(features) for name, head in self.heads.items()}


def outputs(spec: Spec) -> dict[str, int]:
    """The heads of a task and their channels."""
    if spec.task == "semantic":
        return {"classes": len(spec.classes) + 1}
    extra = {"box": {}, "mask": {"prototypes": PROTOTYPES, "coefficients": PROTOTYPES},
             "keypoint": {"offsets": 2 * len(spec.points), "joints": len(spec.points)}}[spec.task]
    return {"heat": len(spec.classes), "sides": 4} | extra


def built(spec: Spec, seed: int) -> Network:
    """A network with random weights that depend on the seed alone, channels last in memory."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(spec).to(memory_format=torch.channels_last)


def weights(network: Network) -> int:
    """How many numbers are learned."""
    return sum(p.numel() for p in network.parameters())
