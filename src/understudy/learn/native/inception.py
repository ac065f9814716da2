"""Inception v3's pooled features from published weights, whatever their widths: the network that KID was defined with.

The architecture is Szegedy et al.'s (*Rethinking the Inception Architecture*, CVPR 2016); names of weights are those of the
``inception_v3`` files on the Hugging Face hub (timm's, which are torchvision's). ``transformers`` has no such network of its
own and the packages that have one need torchvision, so it is written here as functions of the weights: 10 blocks, one table.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 299
LEAST_SIDE = 75
_EPSILON = 1e-3

# A branch: convolutions one after the other, a name each; "/": stride 2, no padding; "+": two side by side.
_A = (("branch1x1",), ("branch5x5_1", "branch5x5_2"), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
      ("mean", "branch_pool"))
_B = (("branch3x3/",), ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3/"), ("max",))
_C = (("branch1x1",), ("branch7x7_1", "branch7x7_2", "branch7x7_3"),
      ("branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"), ("mean", "branch_pool"))
_D = (("branch3x3_1", "branch3x3_2/"), ("branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4/"), ("max",))
_E = (("branch1x1",), ("branch3x3_1", "branch3x3_2a+branch3x3_2b"),
      ("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a+branch3x3dbl_3b"), ("mean", "branch_pool"))
BLOCKS = {"Mixed_5b": _A, "Mixed_5c": _A, "Mixed_5d": _A, "Mixed_6a": _B, "Mixed_6b": _C, "Mixed_6c": _C, "Mixed_6d": _C,
          "Mixed_6e": _C, "Mixed_7a": _D, "Mixed_7b": _E, "Mixed_7c": _E}


def names() -> list[str]:
    """The convolutions' names, in the order in which they are used."""
    stem = ["Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3"]
    inner = [f"{block}.{one}" for block, branches in BLOCKS.items() for branch in branches for step in branch
             if step not in ("mean", "max") for one in step.rstrip("/").split("+")]
    return stem + inner


def parameters(name: str) -> tuple[str, ...]:
    """The tensors of one convolution and its batch normalisation."""
    return (f"{name}.conv.weight", *(f"{name}.bn.{part}" for part in ("weight", "bias", "running_mean", "running_var")))


def pooled(weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """(b, 3, s, s) in -1 to 1, s at least 75 -> (b, features): the last block's mean over the picture."""
    def conv(name: str, x: Tensor, stride: int = 1, padded: bool = True) -> Tensor:
        kernel, scale, shift, mean, variance = (weights[n] for n in parameters(name))
        pad = tuple(k // 2 for k in kernel.shape[2:]) if padded else (0, 0)
        x = F.batch_norm(F.conv2d(x, kernel, None, stride, pad), mean, variance, scale, shift, False, 0.0, _EPSILON)
        return x.relu_()

    def step(block: str, name: str, x: Tensor) -> Tensor:
        if name == "mean":
            return F.avg_pool2d(x, 3, 1, 1)
        if name == "max":
            return F.max_pool2d(x, 3, 2)
        if name.endswith("/"):
            return conv(f"{block}.{name[:-1]}", x, 2, False)
        return torch.cat([conv(f"{block}.{one}", x) for one in name.split("+")], 1)

    x = conv("Conv2d_2a_3x3", conv("Conv2d_1a_3x3", x, 2, False), 1, False)
    x = F.max_pool2d(conv("Conv2d_2b_3x3", x), 3, 2)
    x = F.max_pool2d(conv("Conv2d_4a_3x3", conv("Conv2d_3b_1x1", x, 1, False), 1, False), 3, 2)
    for block, branches in BLOCKS.items():
        out = []
        for branch in branches:
            y = x
            for name in branch:
                y = step(block, name, y)
            out.append(y)
        x = torch.cat(out, 1)
    return x.mean((2, 3))
