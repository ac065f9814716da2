"""The ledger: what a look costs, what it tells, and that no more is spent than there is."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.errors import UsageError
from understudy.tables.private.accounting import counts_sigma, epsilon_of
from understudy.tables.private.ledger import Budget, Entry, Ledger

pytest.importorskip("opendp")


@pytest.mark.parametrize("epsilon", [0, -1, 1e9, float("nan"), float("inf"), 0.001])
def test_nonsense_is_refused(epsilon):
    with pytest.raises(UsageError, match="--epsilon: epsilon is out of bounds"):
        Budget(epsilon)


@pytest.mark.parametrize("delta", [0, -1e-6, 0.5, 1, float("nan")])
def test_a_delta_that_protects_nobody_is_refused(delta):
    with pytest.raises(UsageError, match="--delta"):
        Budget(1.0, delta)


def test_noise_is_what_the_ledger_says():
    ledger = Ledger(Budget(20, 1e-3))
    noisy, sigma = ledger.counts("cells", np.zeros((40, 50), int), ledger.rho / 100)
    assert sigma == pytest.approx(counts_sigma(ledger.rho / 100), rel=1e-9)
    n = noisy.size  # a standard deviation's own is sigma / sqrt(2 n): five of them, false alarm below 1e-6
    assert noisy.std() == pytest.approx(sigma, rel=5 / (2 * n) ** 0.5) and abs(noisy.mean()) < 5 * sigma / n**0.5
    assert ledger.left == pytest.approx(0.99 * ledger.rho)


def test_names_that_few_have_stay_away():
    ledger = Ledger(Budget(1.0))
    found, sigma = ledger.names("names", {"many": 5000, "few": 3, "one": 1}, ledger.rho / 2, 1e-8)
    assert list(found) == ["many"] and abs(found["many"] - 5000) < 6 * sigma
    assert ledger.entries[0].delta <= 1e-8 < 10 * ledger.entries[0].delta  # the threshold is no higher than it must be


def test_the_best_by_far_is_picked():
    ledger = Ledger(Budget(1.0))
    assert ledger.best("which", np.array([0.0, 10_000.0, 50.0]), ledger.rho / 2) == 1


def test_what_is_not_there_cannot_be_spent():
    ledger = Ledger(Budget(1.0))
    ledger.counts("a", np.zeros(2, int), ledger.rho * 0.9)
    with pytest.raises(RuntimeError, match="the budget is spent"):
        ledger.counts("b", np.zeros(2, int), ledger.rho * 0.2)


def test_both_accountants_stand_below_the_claim():
    ledger = Ledger(Budget(1.0, 1e-6))
    ledger.names("names", {"x": 10}, ledger.rho * 0.3, 1e-7)
    ledger.counts("cells", np.zeros(9, int), ledger.rho * 0.3)
    ledger.counts("more", np.zeros(9, int), ledger.rho * 0.3)
    ledger.best("which", np.zeros(3), ledger.rho * 0.1 * (1 - 1e-9))
    told = ledger.plain()
    assert told["epsilon spent"] <= 1.0 and told["epsilon spent"] > 0.98
    assert told["epsilon spent, second accountant"] == pytest.approx(told["epsilon spent"], rel=0.002)
    assert told["epsilon spent"] < told["epsilon spent, by OpenDP's looser sum"] < 1.1
    assert epsilon_of(sum(look["rho"] for look in told["looks"]), 1e-6) <= 1.0


def test_a_look_that_opendp_finds_dearer_is_refused():
    with pytest.raises(RuntimeError, match="the accountants disagree"):
        Ledger(Budget(1.0))._spend(Entry("a", "by hand", 30.0, rho=0.001, zcdp=0.002))
