"""A conditional as a table: the distribution of a column's states for each combination of groups of others' states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.tables import trees


@dataclass(frozen=True)
class Grid:
    """predictors : columns; groups : of each, (states,) the group of each of its states; sizes : groups of each
    ends : (product of sizes, states) float32, cumulative probabilities; the last predictor's group runs fastest
    """

    predictors: tuple[str, ...]
    groups: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]
    ends: np.ndarray

    def leaves(self, states: dict[str, np.ndarray], n: int) -> np.ndarray:
        """(n,) the row of ``ends`` of each row, given the states of the predictors."""
        leaf = np.zeros(n, np.int32)
        for name, group, size in zip(self.predictors, self.groups, self.sizes):
            leaf = leaf * size + group[states[name]]
        return leaf

    def draw(self, leaf: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(n,) int32 a state of each leaf's distribution, by the uniform numbers ``u``."""
        return trees.drawn(self.ends, leaf, u)

    def chance(self, leaf: np.ndarray, states: np.ndarray) -> np.ndarray:
        """(n,) probability of a state in a leaf."""
        return trees.chance(self.ends, leaf, states)

    def plain(self, store: dict[str, np.ndarray], name: str) -> dict[str, Any]:
        """JSON; arrays go to ``store`` under names that begin with ``name``."""
        store[f"{name}.ends"] = self.ends
        for i, group in enumerate(self.groups):
            store[f"{name}.group.{i}"] = group
        return {"predictors": list(self.predictors), "sizes": list(self.sizes), "arrays": name}

    @classmethod
    def restore(cls, own: dict[str, Any], store: dict[str, np.ndarray]) -> Grid:
        name = own["arrays"]
        groups = tuple(store[f"{name}.group.{i}"].astype(np.int32) for i in range(len(own["predictors"])))
        return cls(tuple(own["predictors"]), groups, tuple(own["sizes"]), store[f"{name}.ends"])
