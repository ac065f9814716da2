"""Successive halving with Optuna: many candidates for a little while, the better third for longer, and again.

The first rung holds the recipe as it is with three seeds (their spread is the noise floor), half of the candidates from a
scrambled Sobol sequence, half from TPE (Bergstra et al., NeurIPS 2011) that learns from all of them. Every score is written
to a journal at once. A killed search replays: the samplers are seeded, so it asks the same questions and finds the answers
in the journal. A seed's search is therefore one function of its scores, killed or not. The first rung is also an Optuna
study in a JournalStorage beside it, written anew by each replay, for Optuna's own tools.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from understudy.errors import MissingDependency

Params = Mapping[str, float]
_NEW_SEEDS = 1000  # seeds of the last check lie this far from those that chose


@dataclass(frozen=True)
class Task:
    """One score to be found. params : None for the recipe as it is; rung : from 0; seed : of the training."""

    params: Params | None
    rung: int
    seed: int

    @property
    def name(self) -> str:
        plain = None if self.params is None else {k: round(v, 9) for k, v in sorted(self.params.items())}
        return json.dumps([self.rung, self.seed, plain])


Score = Callable[[Sequence[Task]], Iterable[float]]
"""Scores of several tasks in their order (they may run side by side), greater is better. What is given one by one is kept
one by one."""


@dataclass(frozen=True)
class Plan:
    """candidates : on the first rung; keep : how many go on to each later one; at_once : how many TPE proposes before it
    hears of any, whatever the number of workers, so that a search does not depend on it."""

    candidates: int = 27
    keep: tuple[int, ...] = (9, 3)
    at_once: int = 4
    seed: int = 0
    base_seeds: int = 3
    last_seeds: int = 2

    def share(self, rung: int) -> float:
        """A rung's budget over the last one's: each is three times the one before."""
        return 3.0 ** (rung - len(self.keep))


@dataclass(frozen=True)
class Candidate:
    """number : from 0 in the order asked; scores : by rung, the mean over its seeds."""

    number: int
    params: Params
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Outcome:
    """candidates : all of them; best : of the last rung; base : scores of the recipe as it is by rung and seed;
    sigma : the spread of trainings that differ in their seed alone, with the last rung's budget; gain : best less base on
    the last rung, of trainings with new seeds, since the best of several is always partly lucky; noise : the standard error
    of the gain; agreement : Kendall's tau of each rung with the next, among those that went on
    """

    candidates: Sequence[Candidate]
    best: Candidate
    base: Sequence[Sequence[float]]
    sigma: float
    gain: float
    noise: float
    agreement: Sequence[float] = field(default=())
    trainings: Sequence[tuple[Task, float]] = field(default=())

    @property
    def better(self) -> bool:
        """Whether the gain is more than two of its standard errors."""
        return self.gain > 2 * self.noise

    @property
    def verdict(self) -> str:
        """``better``; else ``inconclusive`` where small trainings did not rank as longer ones did (tau below 0.3), and
        ``as good as it is`` where they did."""
        if self.better:
            return "better"
        return "as good as it is" if self.agreement and self.agreement[0] >= 0.3 else "inconclusive"


def search(ranges: Mapping[str, tuple[float, float]], score: Score, plan: Plan, journal: Path | None = None,
           tell: Callable[[str], None] = lambda text: None) -> Outcome:
    """Find the best parameters within ``ranges``. ``journal``: a file of scores, to go on after a kill."""
    asked = _Journalled(score, journal)
    rungs, alike = len(plan.keep) + 1, []  # alike: scores of the last rung in groups that differ in their seed alone

    def as_it_is(rung: int) -> list[Task]:
        return [Task(None, rung, plan.seed + s) for s in range(plan.base_seeds)]

    spread = sobol(ranges, -(-plan.candidates // 2), plan.seed)
    first = asked([*as_it_is(0), *(Task(p, 0, plan.seed) for p in spread)])  # in one go, so that no worker waits
    base = [first[:plan.base_seeds]]
    tell(f"as it is: {np.mean(base[0]):.4f}, three seeds {min(base[0]):.4f} to {max(base[0]):.4f}")
    params = _first_rung(ranges, spread, first[plan.base_seeds:], asked, plan, tell,
                         journal and journal.with_name("optuna.journal"))
    scores = {i: [asked([Task(p, 0, plan.seed)])[0]] for i, p in enumerate(params)}
    going = list(scores)
    agreement = []
    for rung in range(1, rungs):
        before = going
        going = sorted(before, key=lambda i: -scores[i][-1])[:plan.keep[rung - 1]]
        seeds = range(plan.seed, plan.seed + (plan.last_seeds if rung == rungs - 1 else 1))
        told = asked([*as_it_is(rung), *(Task(params[i], rung, s) for i in going for s in seeds)])
        answers = told[plan.base_seeds:]
        alike = [answers[k * len(seeds):(k + 1) * len(seeds)] for k in range(len(going))]
        for i, own in zip(going, alike):
            scores[i].append(float(np.mean(own)))
        base.append(told[:plan.base_seeds])
        agreement.append(_tau([scores[i][-2] for i in going], [scores[i][-1] for i in going]))
        tell(f"rung {rung + 1} of {rungs}: best {max(scores[i][-1] for i in going):.4f}, as it is {np.mean(base[-1]):.4f}")
    best = max(going, key=lambda i: scores[i][-1])
    candidates = [Candidate(i, params[i], tuple(scores[i])) for i in scores]
    anew = asked([Task(params[best], rungs - 1, plan.seed + _NEW_SEEDS + s) for s in range(plan.last_seeds)])
    sigma = _spread([base[-1], anew, *alike])
    noise = sigma * float(np.sqrt(1 / plan.last_seeds + 1 / plan.base_seeds))
    gain = float(np.mean(anew) - np.mean(base[-1]))
    tell(f"the best, trained again with new seeds: {np.mean(anew):.4f}, {gain:+.4f} with a standard error of {noise:.4f}")
    return Outcome(candidates, candidates[best], base, sigma, gain, noise, agreement, tuple(asked.trainings.values()))


def _first_rung(ranges, spread: Sequence[Params], values: Sequence[float], asked: _Journalled, plan: Plan, tell,
                storage: Path | None) -> list[Params]:
    """The parameters of all candidates: ``spread``, of which the scores are known, and then what TPE proposes."""
    optuna = _optuna()
    distributions = {name: optuna.distributions.FloatDistribution(*reach) for name, reach in ranges.items()}
    kept = None
    if storage is not None:
        storage.unlink(missing_ok=True)
        kept = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(storage)))
    sampler = optuna.samplers.TPESampler(multivariate=True, n_startup_trials=0, seed=plan.seed,
                                         constant_liar=plan.at_once > 1)
    study = optuna.create_study(storage=kept, study_name="first rung", direction="maximize", sampler=sampler)
    params: list[Params] = []
    for point, value in zip(spread, values):
        study.add_trial(optuna.trial.create_trial(params=dict(point), distributions=distributions, value=value))
        params.append(point)
    while len(params) < plan.candidates:
        trials = [study.ask(distributions) for _ in range(min(plan.at_once, plan.candidates - len(params)))]
        for trial, value in zip(trials, asked([Task(t.params, 0, plan.seed) for t in trials])):
            study.tell(trial, value)
            params.append(trial.params)
        tell(f"{len(params)} of {plan.candidates} candidates tried")
    return params


def sobol(ranges: Mapping[str, tuple[float, float]], count: int, seed: int) -> list[dict[str, float]]:
    """``count`` well spread points: a scrambled Sobol sequence (Owen 1998)."""
    from scipy.stats import qmc

    power = int(np.ceil(np.log2(max(count, 2))))
    unit = qmc.Sobol(len(ranges), seed=seed).random_base2(power)[:count]
    low, high = np.array([r[0] for r in ranges.values()]), np.array([r[1] for r in ranges.values()])
    return [dict(zip(ranges, map(float, row))) for row in low + unit * (high - low)]


def _spread(groups: Sequence[Sequence[float]]) -> float:
    """The standard deviation within groups, pooled. Three seeds of one recipe are a poor guess, and the shorter rungs' would
    be too great a one: short trainings differ more."""
    squares = sum(float(np.var(g)) * len(g) for g in groups)
    return float(np.sqrt(squares / max(sum(len(g) - 1 for g in groups), 1)))


def _tau(a: Sequence[float], b: Sequence[float]) -> float:
    from scipy.stats import kendalltau

    if len(set(a)) < 2 or len(set(b)) < 2:
        return 0.0
    return float(kendalltau(a, b).statistic)


class _Journalled:
    """A score function that writes each answer down and never asks for it twice."""

    def __init__(self, score: Score, path: Path | None) -> None:
        self._score, self._path = score, path
        self._known: dict[str, float] = {}
        self.trainings: dict[str, tuple[Task, float]] = {}  # those of this search: a journal may hold more
        if path is not None and path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):  # the last one may be cut short
                    entry = json.loads(line)
                    self._known[entry["task"]] = entry["score"]

    def __call__(self, tasks: Sequence[Task]) -> list[float]:
        missing = [t for t in tasks if t.name not in self._known]
        if missing:
            for task, value in zip(missing, self._score(missing)):
                self._known[task.name] = float(value)
                if self._path is not None:
                    with self._path.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"task": task.name, "score": float(value)}) + "\n")
        self.trainings |= {t.name: (t, self._known[t.name]) for t in tasks}
        return [self._known[t.name] for t in tasks]


def _optuna():
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingDependency(f"the search needs the package {error.name}",
                                remedy="pip install 'understudy[learn]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
