"""A refiner of made pictures: a small residual network that makes them look like real ones and leaves their shapes.

After Shrivastava et al., *Learning from simulated and unsupervised images through adversarial training* (CVPR 2017): the
refiner is kept near its input by the absolute difference (self-regularisation), a discriminator judges every local patch on
its own, and half of what it sees as refined comes from a buffer of earlier refined crops, so that it does not forget them.
Here the refiner adds to its input a change that starts at nothing, so it needs no warming up by self-regularisation alone;
and the change is bounded, since no weight alone holds it: the discriminator's pull grows and fades by a factor of a hundred
while both learn, and pictures with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from understudy.errors import RunError
from understudy.key import Key
from understudy.learn.budget import Budget

BUFFER = 256
"""Refined crops that are remembered."""
_REACH = 1.0  # a change of a channel at most: half of its range, of -1 to 1


@dataclass(frozen=True)
class Settings:
    """keep : weight of self-regularisation over the adversarial loss; crop : pixels of the square crops; width : channels;
    blocks : residual blocks; discriminate_first : steps of the discriminator alone; budget : in refiner's crops or time;
    change : by how much of 255 a picture's channels may change on average"""

    budget: Budget = Budget(images=8000)
    keep: float = 1.0
    crop: int = 96
    width: int = 24
    blocks: int = 3
    batch: int = 8
    rate: float = 3e-4
    discriminate_first: int = 40
    seed: int = 0
    threads: int = 1
    change: float = 8.0


@dataclass(frozen=True)
class Point:
    """Of the refiner's course. change : mean absolute change of a channel, of 255; told_apart : share of patches, real and
    refined ones alike, that the discriminator tells rightly; half is chance"""

    crops: int
    cpu_s: float
    change: float
    told_apart: float


class Refiner(nn.Module):
    """(b, 3, h, w) in -1 to 1 -> the same, changed by what its blocks say, but no picture by more than ``change`` of 255 on
    average: what is more is made less everywhere alike. Any size."""

    def __init__(self, width: int, blocks: int, change: float) -> None:
        super().__init__()
        self.most = change / 127.5
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.ReLU(inplace=True),
                                                  nn.Conv2d(width, width, 3, padding=1)) for _ in range(blocks))
        self.last = nn.Conv2d(width, 3, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first(x))
        for block in self.blocks:
            y = F.relu(y + block(y))
        moved = _REACH * torch.tanh(self.last(y))
        held = self.most / moved.abs().mean((1, 2, 3), keepdim=True).clamp(min=self.most)
        return (x + held * moved).clamp(-1, 1)


class Patches(nn.Module):
    """The discriminator: (b, 3, h, w) -> (b, 1, h / 8, w / 8), how real each patch of 29 pixels looks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(width, 2 * width, 3, 2, 1), nn.LeakyReLU(0.1),
            nn.Conv2d(2 * width, 2 * width, 3, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(2 * width, 2 * width, 3, 1, 1),
            nn.LeakyReLU(0.1), nn.Conv2d(2 * width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class History:
    """At most ``size`` earlier refined crops; a batch is half new ones and half of these."""

    def __init__(self, size: int, key: Key) -> None:
        self._size, self._key = size, key
        self._crops: list[Tensor] = []

    def mixed(self, refined: Tensor, step: int) -> Tensor:
        """(b, ...) of which half is from before, once there is enough; half of the new ones take the place of old ones."""
        half = len(refined) // 2
        out = refined
        order = self._key.child("places", step).uniforms(2 * half)
        if len(self._crops) >= max(half, 1):
            at = [int(u * len(self._crops)) for u in order[:half]]
            out = torch.cat([refined[half:], torch.stack([self._crops[i] for i in at])])
        for crop, u in zip(refined[:half], order[half:]):
            if len(self._crops) < self._size:
                self._crops.append(crop.clone())
            else:
                self._crops[int(u * self._size)] = crop.clone()
        return out

    def __len__(self) -> int:
        return len(self._crops)


Crops = Callable[[int], np.ndarray]
"""Batch ``number`` -> (b, crop, crop, 3) uint8."""


def learned(made: Crops, real: Crops, settings: Settings, tell: Callable[[Point], None]) -> tuple[Refiner, list[Point]]:
    """A refiner from crops of made and of real pictures. RunError where its loss becomes no number."""
    torch.set_num_threads(settings.threads)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        refiner = Refiner(settings.width, settings.blocks, settings.change).to(memory_format=torch.channels_last)
        judge = Patches(settings.width).to(memory_format=torch.channels_last)
    theirs = torch.optim.Adam(refiner.parameters(), settings.rate, betas=(0.5, 0.99))
    its = torch.optim.Adam(judge.parameters(), settings.rate, betas=(0.5, 0.99))
    history = History(BUFFER, Key(settings.seed).child("history"))
    spent = settings.budget.started()
    points: list[Point] = []
    number = 0
    while spent.share < 1:
        number += 1
        x, y = tensors(made(number)), tensors(real(number))
        alone = number <= settings.discriminate_first
        refined = x if alone else refiner(x)
        if not alone:
            told = judge(refined)
            loss = F.softplus(-told).mean() + settings.keep * (refined - x).abs().mean()
            theirs.zero_grad(set_to_none=True)
            loss.backward()
            theirs.step()
            spent.images += len(x)
            if not torch.isfinite(loss):
                raise RunError(f"the refiner's loss is {loss.item():g} after {spent.images:,} crops",
                               remedy="Try a smaller --rate")
        seen = refined.detach() if alone else history.mixed(refined.detach(), number)
        on_real, on_made = judge(y), judge(seen)
        its.zero_grad(set_to_none=True)
        (F.softplus(-on_real).mean() + F.softplus(on_made).mean()).backward()
        its.step()
        if not alone and spent.share >= (len(points) + 1) / 8:
            right = 0.5 * ((on_real > 0).float().mean() + (on_made < 0).float().mean()).item()
            points.append(Point(spent.images, spent.cpu_s, 127.5 * (refined - x).abs().mean().item(), right))
            tell(points[-1])
    return refiner.eval(), points


@torch.no_grad()
def refined(refiner: Refiner, image: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8 -> the same size, refined."""
    out = refiner(tensors(image[None]))[0]
    return (out.permute(1, 2, 0) * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).numpy()


def tensors(images: np.ndarray) -> Tensor:
    """(b, h, w, 3) uint8 -> (b, 3, h, w) float32 in -1 to 1, channels last in memory."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).to(torch.float32).sub_(127.5).div_(127.5)


def saved(refiner: Refiner, settings: Settings) -> bytes:
    """The refiner as a safetensors file."""
    import json

    from safetensors.torch import save

    tensors_ = {name: value.detach().contiguous() for name, value in refiner.state_dict().items()}
    return save(tensors_, {"understudy": json.dumps({"refiner": 1, "width": settings.width, "blocks": settings.blocks,
                                                      "change": settings.change})})
