"""Zero-concentrated differential privacy in closed form: a second accountant beside OpenDP's.

A mechanism is rho-zCDP when the Renyi divergence of order a between its outputs on neighbouring tables is at most a * rho
for every a > 1 (Bun, Steinke, TCC 2016). Spendings of rho add up. Neighbours are tables of which one has a row more.
"""

from __future__ import annotations

import math

import numpy as np


def gaussian_rho(sigma: float, sensitivity: float = 1.0) -> float:
    """rho of (discrete) Gaussian noise of standard deviation ``sigma`` on counts of L2 ``sensitivity``."""
    return sensitivity**2 / (2 * sigma**2)


def selection_rho(scale: float, sensitivity: float = 1.0) -> float:
    """rho of a noisy maximum with Gumbel noise of ``scale`` over scores of ``sensitivity``: (2 s / scale)^2 / 8."""
    return (2 * sensitivity / scale) ** 2 / 8


def epsilon_of(rho: float, delta: float) -> float:
    """The least epsilon for which rho-zCDP gives (epsilon, delta)-DP (Canonne, Kamath, Steinke, NeurIPS 2020, prop. 12)."""
    low, high = 0.0, rho + 2 * math.sqrt(rho * math.log(1 / delta))
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(rho, middle) > delta else (low, middle)
    return high


def delta_of(rho: float, epsilon: float) -> float:
    """The delta of rho-zCDP at ``epsilon``: the least over orders a of exp((a-1)(a rho - epsilon)) (1-1/a)^a / (a-1)."""
    order = 1 + np.exp(np.linspace(-7, 12, 4000))
    logs = (order - 1) * (order * rho - epsilon) + order * np.log1p(-1 / order) - np.log(order - 1)
    return float(np.exp(min(logs.min(), 0.0)))


def rho_of(epsilon: float, delta: float) -> float:
    """The greatest rho that (epsilon, delta) leaves to spend."""
    low, high = 0.0, epsilon + 1.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if delta_of(middle, epsilon) <= delta else (low, middle)
    return low
