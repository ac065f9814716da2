"""Intervals: of shares (Wilson), of the area under a curve (Hanley and McNeil), of means over seeds."""

from __future__ import annotations

import numpy as np

Z = 1.959964  # 95 %


def wilson(hits: int, n: int) -> tuple[float, float, float]:
    """(share, low, high): a share with its 95 % interval; (0, 0, 1) of nothing."""
    if n == 0:
        return 0.0, 0.0, 1.0
    share, z2 = hits / n, Z * Z
    middle = (share + z2 / 2 / n) / (1 + z2 / n)
    half = Z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / 4 / n / n)
    return share, max(0.0, float(middle - half)), min(1.0, float(middle + half))


def auc(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float, float]:
    """(area under the ROC curve, low, high): the chance that a positive scores above a negative, ties a half."""
    from scipy.stats import rankdata

    p, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    area = float((ranks[:p].sum() - p * (p + 1) / 2) / p / n)
    q1, q2 = area / (2 - area), 2 * area * area / (1 + area)
    spread = np.sqrt(max(area * (1 - area) + (p - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2), 0.0) / p / n)
    return area, float(area - Z * spread), float(area + Z * spread)


def risk(attack: int, control: int, n_attack: int, n_control: int) -> tuple[float, float, float]:
    """(risk, low, high) of an attack beyond its control: (attack - control) / (1 - control), each a Wilson share
    (Giomi et al., Anonymeter, PETS 2023)."""
    a, a_low, a_high = _centred(attack, n_attack)
    c, c_low, c_high = _centred(control, n_control)
    found = (a - c) / max(1 - c, 1e-12)
    da, dc = (a_high - a_low) / 2, (c_high - c_low) / 2
    half = np.sqrt((da / max(1 - c, 1e-12)) ** 2 + ((1 - a) * dc / max(1 - c, 1e-12) ** 2) ** 2)
    return max(0.0, float(found)), max(0.0, float(found - half)), min(1.0, max(0.0, float(found + half)))


def _centred(hits: int, n: int) -> tuple[float, float, float]:
    _, low, high = wilson(hits, n)
    return (low + high) / 2, low, high
