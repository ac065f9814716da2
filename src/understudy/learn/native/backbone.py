"""One residual feature-pyramid backbone in three sizes, of plain 3x3 convolutions.

Residual blocks after He et al. (CVPR 2016), the pyramid after Lin et al. (CVPR 2017). Plain convolutions because on
processors bfloat16 makes them 1.5 to 2 times faster, and depthwise ones slower (bench/learn_throughput.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Size:
    """widths : channels of the stem and of the four stages (strides 2, 4, 8, 16, 32); blocks : residual blocks of each
    stage; pyramid : channels of what comes out."""

    widths: tuple[int, int, int, int, int]
    blocks: tuple[int, int, int, int]
    pyramid: int


SIZES = {
    "nano": Size((16, 24, 48, 72, 96), (1, 1, 1, 1), 32),
    "tiny": Size((24, 32, 64, 96, 128), (1, 1, 2, 1), 48),
    "small": Size((32, 48, 96, 144, 192), (2, 2, 2, 2), 64),
}


def convolution(cin: int, cout: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class Block(nn.Module):
    """Two 3x3 convolutions around a shortcut; the first may halve the size."""

    def __init__(self, cin: int, cout: int, stride: int) -> None:
        super().__init__()
        self.first = convolution(cin, cout, stride)
        self.second = nn.Sequential(nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout))
        self.shortcut = (nn.Identity() if cin == cout and stride == 1 else
                         nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout)))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)) + self.shortcut(x), inplace=True)


class Backbone(nn.Module):
    """(b, 3, s, s) -> (b, pyramid, s / 4, s / 4), s divisible by 32."""

    stride = 4

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.stem = convolution(3, size.widths[0], 2)
        self.stages = nn.ModuleList(
            nn.Sequential(Block(cin, cout, 2), *(Block(cout, cout, 1) for _ in range(blocks - 1)))
            for cin, cout, blocks in zip(size.widths, size.widths[1:], size.blocks))
        self.side = nn.ModuleList(nn.Conv2d(c, size.pyramid, 1) for c in size.widths[1:])
        self.smooth = nn.ModuleList(nn.Sequential(nn.Conv2d(size.pyramid, size.pyramid, 3, 1, 1), nn.ReLU(inplace=True))
                                    for _ in range(4))
        self.channels = size.pyramid
        self.deepest = size.widths[-1]

    def levels(self, x: Tensor) -> list[Tensor]:
        """The four stages' features, strides 4 to 32."""
        x = self.stem(x)
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        return self.pyramid(self.levels(x))

    def pyramid(self, levels: list[Tensor]) -> Tensor:
        """The stages' features joined at stride 4."""
        y = None
        for level, side, smooth in zip(levels[::-1], self.side[::-1], self.smooth[::-1]):
            y = side(level) if y is None else side(level) + F.interpolate(y, scale_factor=2.0, mode="nearest")
            y = smooth(y)
        return y


def normalised(images: Tensor) -> Tensor:
    """(b, h, w, 3) uint8 -> (b, 3, h, w) float32 around 0, channels last in memory."""
    return images.permute(0, 3, 1, 2).to(torch.float32).sub_(114.0).mul_(1 / 64.0)
