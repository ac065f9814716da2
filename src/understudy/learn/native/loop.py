"""The training loop: AdamW, one cycle of the learning rate, averaged weights, the best checkpoint by a real validation.

Nothing here depends on the clock when the budget is counted in pictures: the same seed, thread count and budget give the
same numbers on the same kind of machine.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from understudy.errors import RunError
from understudy.learn.budget import Budget
from understudy.learn.mixture import Mixture
from understudy.learn.native.alignment import Alignment
from understudy.learn.native.backbone import normalised
from understudy.learn.native.losses import semantic_loss, thing_loss
from understudy.learn.native.network import Network
from understudy.learn.region_targets import regions
from understudy.learn.thing_targets import things


@dataclass(frozen=True)
class Settings:
    """How to train.

    rate : greatest learning rate; decay : AdamW's weight decay; average : of the weights, per step
    checks : how often the validation is asked, the last time at the end; precision : bf16, fp32 or auto
    """

    budget: Budget
    batch: int = 16
    rate: float = 3e-3
    decay: float = 0.02
    average: float = 0.995
    checks: int = 8
    precision: str = "auto"
    threads: int = 1


@dataclass
class Point:
    """One point of the curve. score : of the validation, if it was asked here."""

    images: int
    cpu_s: float
    loss: float
    score: float | None = None


@dataclass
class Fitted:
    """network : the chosen, averaged weights; chosen_at : pictures shown until then; broken : why it stopped early, if it
    did; remedy : what to do then."""

    network: nn.Module
    images: int
    cpu_s: float
    curve: list[Point] = field(default_factory=list)
    chosen_at: int = 0
    broken: str = ""
    remedy: str = ""


def bf16_is_faster() -> bool:
    """Whether this processor computes in bfloat16 (AVX-512 BF16 or AMX). Its flags decide, not a timing: a benchmark on a
    busy machine could choose differently each time, and with it every number."""
    cpu = torch.cpu
    return bool(cpu._is_avx512_bf16_supported() or cpu._is_amx_tile_supported())


def fit(network: Network, mixture: Mixture, settings: Settings, twins: list[int] | None,
        validate: Callable[[Network], float] | None, tell: Callable[[Point], None],
        alignment: Alignment | None = None) -> Fitted:
    """Train ``network`` (changed in place). ``validate`` scores averaged weights, greater is better; without it the last
    ones are taken. ``alignment`` draws its features towards those of real pictures. A loss that is no number, and memory
    that runs out, end it: ``broken`` says so. RunError when there is no memory for the first batch."""
    spec, stride = network.spec, network.backbone.stride
    bf16 = settings.precision == "bf16" or (settings.precision == "auto" and bf16_is_faster())

    def loss(step: int, share: float) -> Tensor:
        images, samples = mixture.batch(step, settings.batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            if alignment is None:
                out, apart = network(normalised(torch.from_numpy(images))), 0.0
            else:
                out, apart = alignment(network, torch.from_numpy(images), step, share)
        if spec.task == "semantic":
            return semantic_loss(out, regions(samples, len(spec.classes), mixture.side, stride)) + apart
        return thing_loss(out, things(samples, len(spec.classes), mixture.side, stride, masks=spec.task == "mask",
                                      twins=twins if spec.task == "keypoint" else None)) + apart

    return fit_by(network, loss, settings, validate, tell, mixture.side,
                  extra=alignment.parameters() if alignment is not None else ())


def fit_by(network: nn.Module, loss: Callable[[int, float], Tensor], settings: Settings,
           validate: Callable[[nn.Module], float] | None, tell: Callable[[Point], None], side: int,
           extra: Iterable[Tensor] = ()) -> Fitted:
    """Train any network (changed in place) by ``loss``, of a step's number and the share of the budget that is used.
    side : of the pictures, for the message where memory runs out; extra : parameters that are learned beside its own."""
    torch.set_num_threads(settings.threads)
    done = Fitted(copy.deepcopy(network).eval(), 0, 0.0)
    spent = settings.budget.started()
    try:
        _fit(network, loss, settings, validate, tell, [*network.parameters(), *extra], done, spent)
    except (MemoryError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or "alloc" in str(error) or "out of memory" in str(error)):
            raise
        got, remedy = f"batches of {settings.batch} pictures of {side} pixels", "Pass a smaller --batch, --side or --size"
        if not done.images:
            raise RunError("out of memory", wanted="room for a batch", got=got, remedy=remedy) from error
        done.broken, done.remedy = f"out of memory after {done.images:,} pictures, with {got}", remedy
    done.chosen_at = done.chosen_at or done.images
    done.cpu_s = spent.cpu_s
    done.network.eval()
    return done


def _fit(network, loss, settings, validate, tell, learned, done: Fitted, spent) -> None:
    """Fill ``done`` step by step, so that what it holds is good wherever this breaks off."""
    averaged = done.network
    optimizer = torch.optim.AdamW(learned, settings.rate, weight_decay=settings.decay, fused=True)
    best, due, recent = -math.inf, 1, []
    step = 0
    while spent.share < 1:
        network.train()
        for group in optimizer.param_groups:
            group["lr"] = settings.rate * cycle(spent.share)
        missed = loss(step, spent.share)
        optimizer.zero_grad(set_to_none=True)
        missed.backward()
        norm = torch.nn.utils.clip_grad_norm_(learned, 10.0)
        value = missed.item()
        if not (math.isfinite(value) and math.isfinite(norm.item())):
            done.broken = f"the loss is {value:g} and its gradient {norm.item():g} after {spent.images:,} pictures"
            done.remedy = "Try a smaller --rate"
            break
        optimizer.step()
        _average(averaged, network, min(settings.average, (1 + step) / (10 + step)))
        step += 1
        spent.images += settings.batch
        done.images = spent.images
        recent.append(value)
        if spent.share >= due / settings.checks:
            due = int(spent.share * settings.checks + 1e-9) + 1
            point = Point(spent.images, spent.cpu_s, sum(recent) / len(recent))
            recent = []
            if validate is not None:
                before = spent.cpu_s
                point.score = validate(averaged)
                spent.start_s += spent.cpu_s - before  # measuring is not learning
                if point.score > best:
                    best, done.chosen_at = point.score, point.images
                    done.network = copy.deepcopy(averaged)
            done.curve.append(point)
            tell(point)


def cycle(share: float, rise: float = 0.1) -> float:
    """The learning rate over its greatest, at ``share`` of the budget: up for a tenth, then down, both as half cosines
    (Smith and Topin, *Super-convergence*, 2018)."""
    if share < rise:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * share / rise))
    return max(0.5 * (1 + math.cos(math.pi * (share - rise) / (1 - rise))), 1e-4)


@torch.no_grad()
def _average(averaged: nn.Module, network: nn.Module, keep: float) -> None:
    pairs = [(a, b) for a, b in zip(averaged.state_dict().values(), network.state_dict().values())]
    real = [(a, b) for a, b in pairs if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in real], [b for _, b in real], 1 - keep)
    for a, b in pairs:
        if not a.is_floating_point():
            a.copy_(b)
