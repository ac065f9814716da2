"""Two accountants, written apart, that must agree."""

from __future__ import annotations

import math

import pytest

from understudy.tables.measure.distinguish import bounds, gaussian_epsilon
from understudy.tables.private.accounting import delta_of, epsilon_of, gaussian_rho, rho_of, selection_rho

CASES = [(0.1, 1e-6), (1.0, 1e-6), (1.0, 1e-9), (4.0, 1e-5), (20.0, 1e-3)]


@pytest.mark.parametrize(("epsilon", "delta"), CASES)
def test_budget_and_claim_are_inverse(epsilon, delta):
    rho = rho_of(epsilon, delta)
    assert epsilon_of(rho, delta) == pytest.approx(epsilon, rel=1e-6)
    assert delta_of(rho * 1.001, epsilon) > delta >= delta_of(rho * 0.999, epsilon)


def test_the_conversion_is_better_than_the_simple_one_and_no_better_than_the_truth():
    for rho in (0.001, 0.02, 0.5):
        simple = rho + 2 * math.sqrt(rho * math.log(1e6))  # Bun, Steinke 2016
        exact = gaussian_epsilon(math.sqrt(2 * rho), 1e-6)  # of one Gaussian, the mechanism that is rho-zCDP and no less
        assert exact <= epsilon_of(rho, 1e-6) <= simple


@pytest.mark.parametrize(("epsilon", "delta"), CASES)
def test_opendp_agrees(epsilon, delta):
    pytest.importorskip("opendp")
    from understudy.tables.private.ledger import _opendp

    dp = _opendp()
    sigma = math.sqrt(1 / (2 * rho_of(epsilon, delta)))
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    look = dp.make_gaussian(*space, scale=sigma)
    assert look.map(1.0) == pytest.approx(gaussian_rho(sigma), rel=1e-12)
    assert look.map(3.0) == pytest.approx(gaussian_rho(sigma, 3.0), rel=1e-12)
    theirs = dp.make_zCDP_to_approxDP(look).map(1.0).epsilon(delta=delta)
    assert theirs == pytest.approx(epsilon_of(gaussian_rho(sigma), delta), rel=1e-4)
    scores = dp.vector_domain(dp.atom_domain(T="i64")), dp.linf_distance(T="i64")
    best = dp.make_noisy_max(*scores, dp.zero_concentrated_divergence(), scale=5.0)
    assert best.map(2) == pytest.approx(selection_rho(5.0, 2.0), rel=1e-12)


def test_googles_accountant_agrees():
    dp_event = pytest.importorskip("dp_accounting.dp_event")
    rdp = pytest.importorskip("dp_accounting.rdp")
    orders = [1 + x / 20 for x in range(1, 4000)]
    for sigmas in ([20.0] * 30, [8.0, 50.0, 12.5]):
        accountant = rdp.RdpAccountant(orders)
        for sigma in sigmas:
            accountant.compose(dp_event.GaussianDpEvent(sigma))
        rho = sum(gaussian_rho(s) for s in sigmas)
        assert accountant.get_epsilon(1e-6) == pytest.approx(epsilon_of(rho, 1e-6), rel=0.01)


def test_bounds_of_the_game_by_hand():
    plain, gaussian = bounds(500, 0, 500, 1e-6)
    assert plain == pytest.approx(math.log((1 - 1 / 136.05) / (1 / 136.05)), abs=0.01)  # 1 - 0.025 ** (1 / 500) = 1 / 136.05
    assert gaussian > plain
    assert bounds(250, 250, 500, 1e-6) == (0.0, 0.0)
    assert bounds(0, 500, 500, 1e-6)[1] == 0.0
    # one Gaussian at sigma 4.2247 is (1, 1e-6)-DP: the analytic Gaussian mechanism's own figure
    assert gaussian_epsilon(1 / 4.2247, 1e-6) == pytest.approx(1.0, abs=0.01)
