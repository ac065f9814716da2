"""A generative adversarial network under differential privacy (Xie et al., 2018), the peer that the field names first.

Only the critic sees real rows, and learns from them by DP-SGD (Abadi et al., CCS 2016; Opacus): each row's gradient is
clipped, noise is added to the sum. The generator learns from the critic alone. Columns are what the schema says and nothing
else, on the grids that our own private fit uses: names, bounds and the number of rows must be public.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.errors import MissingDependency, UsageError
from understudy.key import Key
from understudy.tables.content import Names, Numbers
from understudy.tables.private.domains import grid
from understudy.tables.private.ledger import Budget
from understudy.tables.schema import NUMERIC, Column, Schema
from understudy.tables.states import States
from understudy.tables.states.names import NameStates
from understudy.tables.states.numbers import NumberStates

if TYPE_CHECKING:
    import torch

REMEDY = "pip install 'understudy[gan]'"


@dataclass(frozen=True)
class Training:
    """batch : real rows a step, on average; steps : of the critic; every : steps of the critic for one of the generator
    clip : greatest length of one row's gradient; wide : units of each hidden layer; noise : inputs of the generator
    memory : of the running mean of the generator's weights, a step, that rows are made by
    """

    batch: int = 200
    steps: int = 2000
    every: int = 2
    clip: float = 1.0
    wide: int = 128
    noise: int = 32
    rate: float = 1e-3
    memory: float = 0.9


def domain(column: Column, where: str) -> States:
    """States that the schema alone decides. UsageError: names or bounds are not declared."""
    if column.kind in NUMERIC:
        if column.low is None or column.high is None:
            raise UsageError("a network needs public bounds", where=where, wanted="low and high in the schema")
        digits = column.decimals if column.kind in ("number", "latitude", "longitude") else 0
        return NumberStates(("",), grid(column.low, column.high, column), digits, column.low, column.high)
    names = ("false", "true") if column.stored == "bool" else column.order or column.names
    if not names:
        raise UsageError("a network needs public names", where=where, wanted="names: [...] in the schema")
    return NameStates((None, *names), column.kind == "ordered")


def make(
    values: Mapping[str, np.ndarray], schema: Schema, n: int, budget: Budget, seed: int = 0, training: Training | None = None
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """``n`` rows, and what they cost: noise (times ``clip``), epsilon as Opacus accounts for it, delta.

    Noise has no seed; ``seed`` is for values inside the cells alone.
    """
    torch, opacus = _packages()
    plan = training or Training()
    states = {c: domain(s, c) for c, s in schema.columns.items()}
    codes = {c: s.encode(_content(values[c], schema.columns[c])) for c, s in states.items()}
    sizes = [s.count for s in states.values()]
    rows = len(next(iter(codes.values())))
    share = min(plan.batch / rows, 1.0)
    spread = opacus.get_noise_multiplier(
        target_epsilon=budget.epsilon, target_delta=budget.delta, sample_rate=share, steps=plan.steps
    )
    one_hot = torch.nn.functional.one_hot
    real = torch.cat([one_hot(torch.from_numpy(codes[c].astype(np.int64)), s.count) for c, s in states.items()], 1)
    with torch.random.fork_rng(devices=[]):
        torch.seed()  # from the operating system: noise that a seed repeats hides nothing from who knows the seed
        generator, epsilon = _learnt(torch, opacus, real, sizes, plan, spread, budget.delta)
        made = dict(zip(states, _drawn(torch, generator, n, plan, sizes)))
    key = Key(seed) / "dpgan"
    decoded = {c: s.decode(made[c], key.child(c), 0) for c, s in states.items()}
    return decoded, {"noise": float(spread), "epsilon": epsilon, "delta": budget.delta}


def _learnt(
    torch: Any, opacus: Any, real: torch.Tensor, sizes: list[int], plan: Training, spread: float, delta: float
) -> tuple[torch.nn.Module, float]:
    """The generator, and the epsilon that was spent. real : (n, states of all columns) one-hot"""
    rows, share = len(real), min(plan.batch / len(real), 1.0)
    generator = _layers(torch, plan.noise, plan.wide, sum(sizes))
    critic = opacus.GradSampleModule(_layers(torch, sum(sizes), plan.wide, 1))
    learner = opacus.DPOptimizer(
        torch.optim.Adam(critic.parameters(), plan.rate, betas=(0.5, 0.9)),
        noise_multiplier=spread,
        max_grad_norm=plan.clip,
        expected_batch_size=2 * plan.batch,
    )
    accountant = opacus.RDPAccountant()
    learner.attach_step_hook(accountant.get_optimizer_hook_fn(sample_rate=share))
    shaper = torch.optim.Adam(generator.parameters(), plan.rate, betas=(0.5, 0.9))
    mean = torch.optim.swa_utils.AveragedModel(  # such a pair circles round what it looks for (Yazici et al., ICLR 2019)
        generator, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(plan.memory)
    )

    def fakes() -> torch.Tensor:
        return _soft(torch, generator(torch.randn(plan.batch, plan.noise)), sizes)

    for step in range(plan.steps):
        some = real[torch.rand(rows) < share].float()  # Poisson sampling, as the accountant takes it
        seen = torch.cat([some, fakes().detach()]).requires_grad_()  # Opacus hooks the first layer through its input
        said = critic(seen)[:, 0]
        truth = torch.cat([torch.ones(len(some)), torch.zeros(plan.batch)])
        learner.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(said, truth, reduction="sum").backward()
        learner.step()
        if step % plan.every == 0:
            critic.disable_hooks()
            shaper.zero_grad()
            torch.nn.functional.softplus(-critic(fakes())).mean().backward()
            shaper.step()
            mean.update_parameters(generator)
            critic.enable_hooks()
    return mean, float(accountant.get_epsilon(delta))


def _content(values: np.ndarray, column: Column) -> Numbers | Names:
    """Values as content; what the schema does not have is missing."""
    if column.kind in NUMERIC:
        x = np.clip(values, column.low, column.high)
        return Numbers(x, np.where(np.isnan(x), 0, -1).astype(np.int16))
    names = ("false", "true") if column.stored == "bool" else column.order or column.names
    place = {name: i for i, name in enumerate(names)}
    return Names(np.array([place.get(v, -1) for v in values], np.int32), tuple(names))


def _layers(torch: Any, inputs: int, wide: int, outputs: int) -> torch.nn.Module:
    parts = [torch.nn.Linear(inputs, wide), torch.nn.LeakyReLU(0.2), torch.nn.Linear(wide, wide), torch.nn.LeakyReLU(0.2)]
    return torch.nn.Sequential(*parts, torch.nn.Linear(wide, outputs))


def _soft(torch: Any, logits: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    """(n, states of all columns): nearly one-hot, and still with a gradient (Gumbel softmax)."""
    return torch.cat([torch.nn.functional.gumbel_softmax(part, tau=0.5) for part in logits.split(sizes, 1)], 1)


def _drawn(torch: Any, generator: Any, n: int, plan: Training, sizes: list[int]) -> Iterator[np.ndarray]:
    """(n,) int32 states, column after column."""
    with torch.no_grad():
        logits = generator(torch.randn(n, plan.noise))
        for part in logits.split(sizes, 1):
            yield torch.distributions.Categorical(logits=part).sample().numpy().astype(np.int32)


def _packages() -> tuple[Any, Any]:
    """torch, and what is used of Opacus."""
    from types import SimpleNamespace

    try:
        import torch
        from opacus import GradSampleModule
        from opacus.accountants import RDPAccountant
        from opacus.accountants.utils import get_noise_multiplier
        from opacus.optimizers import DPOptimizer
    except ImportError as error:
        raise MissingDependency(f"{error.name} is missing: the network learns with it", remedy=REMEDY) from None
    return torch, SimpleNamespace(
        GradSampleModule=GradSampleModule,
        RDPAccountant=RDPAccountant,
        get_noise_multiplier=get_noise_multiplier,
        DPOptimizer=DPOptimizer,
    )
