"""What is minimised for each task. Everything here is float32, whatever the network computed in."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from understudy.learn.region_targets import Regions
from understudy.learn.thing_targets import Things


def semantic_loss(out: dict[str, Tensor], wanted: Regions) -> Tensor:
    """Cross-entropy with each cell's shares, plus half of the soft Dice loss of each class that is no background
    (Milletari et al., V-Net, 3DV 2016)."""
    logits = out["classes"].float()
    share, weight = torch.from_numpy(wanted.share), torch.from_numpy(wanted.weight)
    entropy = -(share * logits.log_softmax(1)).sum(1)
    p, y = logits.softmax(1)[:, 1:] * weight[:, None], share[:, 1:] * weight[:, None]
    dice = 1 - (2 * (p * y).sum((2, 3)) + 1) / (p.sum((2, 3)) + y.sum((2, 3)) + 1)
    return (entropy * weight).sum() / weight.sum().clamp(min=1) + 0.5 * dice.mean()


def thing_loss(out: dict[str, Tensor], wanted: Things) -> Tensor:
    """Focal loss of the centres, generalised IoU of the boxes, and whatever of masks and points is asked for."""
    heat = torch.from_numpy(wanted.heat)
    loss = focal(out["heat"].float(), heat, torch.from_numpy(wanted.weight)[:, None], max(len(wanted.box), 1))
    if not len(wanted.owner):
        return loss + 0 * sum(o.float().sum() for o in out.values())
    at = tuple(torch.from_numpy(a) for a in (wanted.picture, wanted.y, wanted.x))
    owner = torch.from_numpy(wanted.owner)
    shares = 1 / torch.bincount(owner, minlength=len(wanted.box)).clamp(min=1)[owner]  # every box counts once
    box = torch.from_numpy(wanted.box)[owner]
    found = boxes_at(out["sides"], *at)
    total = shares.sum()
    loss = loss + 2 * ((1 - giou(found, box)) * shares).sum() / total
    if wanted.masks is not None and wanted.masked.any():
        loss = loss + _mask_loss(out, wanted, at, owner, box)
    if wanted.points is not None:
        loss = loss + _point_loss(out, wanted, at, owner, box, shares)
    return loss


def focal(logits: Tensor, heat: Tensor, weight: Tensor, count: int) -> Tensor:
    """CenterNet's focal loss of a heat map with bumps (Zhou et al. 2019, eq. 1): (b, c, h, w) both; weight (b, 1, h, w)."""
    p = logits.sigmoid()
    log_p, log_q = F.logsigmoid(logits), F.logsigmoid(-logits)
    peak = heat > 0.999
    each = torch.where(peak, (1 - p) ** 2 * log_p, (1 - heat) ** 4 * p**2 * log_q)
    return -(each * weight).sum() / count


def boxes_at(sides: Tensor, picture: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """(p, 4) xyxy in cells from the distances (left, top, right, bottom) that the cells answer with, as logarithms."""
    reach = sides[picture, :, y, x].float().clamp(-4, 6).exp()
    centre = torch.stack([x, y], 1).float() + 0.5
    return torch.cat([centre - reach[:, :2], centre + reach[:, 2:]], 1)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalised intersection over union (Rezatofighi et al., CVPR 2019) of pairs of xyxy: (p, 4), (p, 4) -> (p,)."""
    inner = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    outer = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - inner
    return inner / union.clamp(min=1e-6) - (outer - union) / outer.clamp(min=1e-6)


def _mask_loss(out, wanted: Things, at, owner: Tensor, box: Tensor) -> Tensor:
    """Cross-entropy of each mask inside its box, its mean over the box's area; one cell answers for each box."""
    masked = torch.from_numpy(wanted.masked)
    first = _one_each(owner)
    first = first[masked[owner[first]]][:64]
    picture, y, x = (a[first] for a in at)
    prototypes, coefficients = out["prototypes"].float(), out["coefficients"].float()
    logits = torch.einsum("pc,pchw->phw", coefficients[picture, :, y, x], prototypes[picture])
    target = torch.from_numpy(wanted.masks)[owner[first]]
    inside = box_cells(box[first], logits.shape[1], logits.shape[2])
    each = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * inside
    return (each.sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)).mean()


def box_cells(box: Tensor, h: int, w: int) -> Tensor:
    """(n, 4) xyxy in cells -> (n, h, w) float32: 1 in the cells that the box touches."""
    y, x = torch.arange(h)[None, :, None], torch.arange(w)[None, None]
    x0, y0, x1, y1 = (box[:, i, None, None] for i in range(4))
    return ((x + 1 > x0) & (x < x1) & (y + 1 > y0) & (y < y1)).float()


def _one_each(owner: Tensor) -> Tensor:
    """For each box the position of the last cell that answers for it (its centre, where that is still its own)."""
    last = torch.full((int(owner.max()) + 1,), -1)
    last[owner] = torch.arange(len(owner))
    return last[last >= 0]


def _point_loss(out, wanted: Things, at, owner: Tensor, box: Tensor, shares: Tensor) -> Tensor:
    """Distance of each labelled point over its box's size, and the focal loss of the points' own heat maps."""
    picture, y, x = at
    k = wanted.points.shape[1]
    points = torch.from_numpy(wanted.points)[owner]
    size = (box[:, 2:] - box[:, :2]).clamp(min=1)
    centre = torch.stack([x, y], 1).float() + 0.5
    found = out["offsets"][picture, :, y, x].float().reshape(-1, k, 2)
    goal = (points[..., :2] - centre[:, None]) / size[:, None]
    labelled = (points[..., 2] > 0).float() * shares[:, None]
    apart = F.smooth_l1_loss(found, goal, reduction="none", beta=0.05).sum(2)
    joints = torch.from_numpy(wanted.joints)
    loss = focal(out["joints"].float(), joints, torch.ones_like(joints[:, :1]), max(int((joints > 0.999).sum()), 1))
    return 4 * (apart * labelled).sum() / labelled.sum().clamp(min=1e-6) + 0.5 * loss
