"""States of quantities and dates: what is missing, texts among the numbers, and cells of the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.tables.content import Numbers
from understudy.tables.states.cells import Cells, cut

if TYPE_CHECKING:
    from understudy.key import Key
    from understudy.tables.schema import Column

MISSING = np.nan


@dataclass(frozen=True)
class NumberStates:
    """marks : states that are no number, first of all: "" (missing), then texts; cells : of the numbers, if there are any
    digits : after the point; low, high : bounds that hold of every made value
    """

    marks: tuple[str, ...]
    cells: Cells | None
    digits: int
    low: float
    high: float

    ordered = True

    @classmethod
    def learn(cls, content: Numbers, column: Column, k: int, cells: int) -> NumberStates:
        given = content.x[content.token < 0]
        marks = []
        owners = np.bincount(content.token[content.token >= 0], minlength=len(content.tokens) + 1)
        fewer = owners[1:][owners[1:] < k].sum()  # texts with too few owners are missing too
        if owners[0] + fewer >= k or (not len(given) and not marks):
            marks.append("")
        marks += [text for text, count in zip(content.tokens, owners[1:]) if count >= k]
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        digits = column.decimals if column.kind in ("number", "latitude", "longitude") else 0
        return cls(tuple(marks), cut(given, k, cells) if len(given) else None, digits, low, high)

    @property
    def count(self) -> int:
        return len(self.marks) + (self.cells.count if self.cells else 0)

    def encode(self, content: Numbers) -> np.ndarray:
        """States; where something is missing that no state stands for, the cell in the middle."""
        place = {text: n for n, text in enumerate(self.marks)}
        fallback = place.get("", len(self.marks) + (self.cells.count // 2 if self.cells else 0))
        table = np.array([fallback, *(place.get(text, fallback) for text in content.tokens)], np.int32)
        states = table[np.maximum(content.token, 0)]
        given = content.token < 0
        if self.cells is None:
            states[given] = 0
        else:
            states[given] = len(self.marks) + self.cells.at(content.x[given])
        return states

    def decode(self, states: np.ndarray, key: Key, first: int) -> np.ndarray:
        x = np.full(len(states), MISSING)
        given = states >= len(self.marks)
        if self.cells is not None:
            u, v = key.uniforms(2, len(states))
            drawn = self.cells.draw(np.maximum(states - len(self.marks), 0), u, v, self.digits)
            x[given] = np.clip(drawn, self.low, self.high)[given]
        return x

    def labels(self) -> list[str]:
        own = (
            []
            if self.cells is None
            else [f"{a:.6g}" if a == b else f"{a:.6g} to {b:.6g}" for a, b in zip(self.cells.low, self.cells.high)]
        )
        return [*(text or "(missing)" for text in self.marks), *own]

    def plain(self) -> dict[str, Any]:
        cells = (
            None
            if self.cells is None
            else {
                name: [None if np.isinf(x) else x for x in getattr(self.cells, name).tolist()]
                for name in ("first", "low", "high", "value", "share", "cell")
            }
        )
        bounds = {name: None if np.isinf(getattr(self, name)) else getattr(self, name) for name in ("low", "high")}
        return {"states": "numbers", "marks": list(self.marks), "cells": cells, "digits": self.digits, **bounds}

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> NumberStates:
        cells = None
        if plain["cells"] is not None:
            arrays = {
                name: np.array([-np.inf if x is None else x for x in values], float)
                for name, values in plain["cells"].items()
            }
            cells = Cells(**arrays | {"cell": arrays["cell"].astype(np.int64)})
        low = -np.inf if plain["low"] is None else plain["low"]
        high = np.inf if plain["high"] is None else plain["high"]
        return cls(tuple(plain["marks"]), cells, plain["digits"], low, high)
