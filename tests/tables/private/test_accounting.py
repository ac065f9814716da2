"""Two accountants, written apart, that must agree; and the lemmas that the first one stands on, gone through by number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import ndtri, ndtri_exp

from understudy.tables.measure.distinguish import bounds
from understudy.tables.private.accounting import (
    LEAST_SIGMA,
    cost_of,
    counts_cost,
    counts_sigma,
    delta_of,
    epsilon_by_losses,
    epsilon_of,
    selection_cost,
    selection_scale,
)

CASES = [(0.1, 1e-6), (1.0, 1e-6), (1.0, 1e-9), (4.0, 1e-5), (20.0, 1e-3)]


@pytest.mark.parametrize(("epsilon", "delta"), CASES)
def test_budget_and_claim_are_inverse(epsilon, delta):
    cost = cost_of(epsilon, delta)
    assert epsilon_of(cost, delta) == pytest.approx(epsilon, rel=1e-6)
    assert delta_of(cost * 1.001, epsilon) > delta >= delta_of(cost * 0.999, epsilon)


def test_a_known_sigma():
    assert epsilon_of((1 / 4.2247) ** 2 / 2, 1e-6) == pytest.approx(1.0, abs=0.01)  # the analytic Gaussian mechanism's own


@pytest.mark.parametrize("sigma", [LEAST_SIGMA, 0.7, 1.0, 1.5, 2.0, 5.0, 28.0, 200.0])
def test_discrete_noise_is_no_easier_to_see_through_than_its_cost_says(sigma):
    """Every step of z(k), as far as a double reaches; the noise is symmetrical, so half of the line will do."""
    k = np.arange(-int(38 * sigma) - 60, int(38 * sigma) + 61)
    logs = np.logaddexp.accumulate((-(k**2) / (2 * sigma**2))[::-1])[::-1]
    z = -ndtri_exp(logs[k >= 1] - logs[0])
    steps = np.concatenate([[2 * z[0]], np.diff(z)[z[1:] < 36]])  # S(0) = 1 - S(1)
    mu = math.sqrt(2 * counts_cost(sigma))
    assert steps.max() <= mu <= 1.25 / sigma
    assert steps.max() == pytest.approx((1 + 1 / (24 * sigma**2)) / sigma, rel=0.07 if sigma < 1 else 0.006)


@pytest.mark.parametrize("e", [0.001, 0.1, 1.0, 4.0])
def test_the_worst_pair_of_a_noisy_maximum_is_even(e):
    t = np.linspace(1e-6, 1 - 1e-6, 20_001) * e
    q = (1 - np.exp(t - e)) / (np.exp(t) - np.exp(t - e))
    mu = float((ndtri(np.exp(t) * q) - ndtri(q)).max())
    assert math.sqrt(2 * selection_cost(2 / e)) == pytest.approx(mu, rel=1e-6)


@pytest.mark.parametrize("cost", [1e-5, 1e-3, 0.1, 1.0])
def test_noise_and_its_cost_are_inverse(cost):
    for rows in (1, 3):
        assert counts_cost(counts_sigma(cost, rows), rows) == pytest.approx(cost, rel=1e-9)
        assert counts_cost(counts_sigma(cost, rows), rows) <= cost
        assert selection_cost(selection_scale(cost, rows), rows) == pytest.approx(cost, rel=1e-6)
    assert counts_sigma(1e6) >= LEAST_SIGMA


@pytest.mark.parametrize(("epsilon", "delta"), CASES[:4])
def test_the_second_accountant_agrees(epsilon, delta):
    """Forty counts of two kinds and thirty choices: all that differs is what is rounded up, and the lemma's slack."""
    cost = cost_of(epsilon, delta)
    counts = [(counts_sigma(cost * 0.5 / 10), 1)] * 10 + [(counts_sigma(cost * 0.4 / 30, 3), 3)] * 30
    assert epsilon_by_losses(counts, [cost * 0.1 / 30] * 30, delta) == pytest.approx(epsilon, rel=0.004)


def test_the_second_accountant_knows_one_look_in_closed_form():
    """Canonne, Kamath, Steinke 2020, theorem 7: delta = P[x > e s^2 - 1/2] - exp(e) P[x > e s^2 + 1/2]."""
    sigma, delta = 6.0, 1e-5
    epsilon = epsilon_by_losses([(sigma, 1)], [], delta)
    k = np.arange(-400, 401)
    chance = np.exp(-(k**2) / (2 * sigma**2))
    chance /= chance.sum()

    def exact(e: float) -> float:
        return chance[k > e * sigma**2 - 0.5].sum() - math.exp(e) * chance[k > e * sigma**2 + 0.5].sum()

    assert exact(epsilon) <= delta <= exact(epsilon * 0.999)


def test_opendp_says_no_less():
    pytest.importorskip("opendp")
    from understudy.tables.private.ledger import _opendp

    dp = _opendp()
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    look = dp.make_gaussian(*space, scale=20.0)
    for rows in (1.0, 3.0):
        assert look.map(rows) <= counts_cost(20.0, rows) == pytest.approx(look.map(rows), rel=1e-3)
        theirs = dp.make_zCDP_to_approxDP(look).map(rows).epsilon(delta=1e-6)  # the same noise, another way to epsilon
        assert 0.9 * theirs < epsilon_of(counts_cost(20.0, rows), 1e-6) < theirs
    scores = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
    best = dp.make_noisy_max(*scores, dp.zero_concentrated_divergence(), scale=50.0)
    assert selection_cost(50.0, 2.0) == pytest.approx(
        best.map(2) * math.pi / 2, rel=0.01
    )  # a normal's worst against its mean


def test_googles_accountant_agrees():
    pld = pytest.importorskip("dp_accounting.pld.privacy_loss_distribution")
    for sigmas in ([20.0] * 30, [8.0, 50.0, 12.5]):
        whole = None
        for sigma in sigmas:
            own = pld.from_discrete_gaussian_mechanism(sigma, value_discretization_interval=1e-5)
            whole = own if whole is None else whole.compose(own)
        theirs = whole.get_epsilon_for_delta(1e-6)
        assert epsilon_of(sum(map(counts_cost, sigmas)), 1e-6) == pytest.approx(theirs, rel=0.002)
        assert epsilon_by_losses([(s, 1) for s in sigmas], [], 1e-6) == pytest.approx(theirs, rel=0.002)


def test_bounds_of_the_game_by_hand():
    plain, gaussian = bounds(500, 0, 500, 1e-6)
    assert plain == pytest.approx(math.log((1 - 1 / 136.05) / (1 / 136.05)), abs=0.01)  # 1 - 0.025 ** (1 / 500) = 1 / 136.05
    assert gaussian > plain
    assert bounds(250, 250, 500, 1e-6) == (0.0, 0.0)
    assert bounds(0, 500, 500, 1e-6)[1] == 0.0
