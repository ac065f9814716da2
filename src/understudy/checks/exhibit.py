"""A record under audit: its decoded picture and masks, decoded once, and rules that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from understudy.checks.finding import Finding, Tolerance
from understudy.record import Instance, Record


@dataclass(frozen=True)
class Exhibit:
    """One record and the tolerance that it is judged by."""

    record: Record
    tolerance: Tolerance

    @cached_property
    def pixels(self) -> np.ndarray | str:
        """The decoded picture, (h, w, 3) uint8, or why its bytes cannot be decoded."""
        try:
            return self.record.picture.decode()
        except Exception as error:  # Pillow raises what its many decoders raise
            return f"{type(error).__name__}: {error}"

    @cached_property
    def masks(self) -> dict[int, np.ndarray]:
        """Instance id -> modal mask, (h, w) bool; only the instances that have one."""
        return {i.id: i.mask.decode() for i in self.record.instances if i.mask is not None}

    @cached_property
    def amodal(self) -> dict[int, np.ndarray]:
        """Instance id -> amodal mask, (h, w) bool; only the instances that have one."""
        return {i.id: i.amodal_mask.decode() for i in self.record.instances if i.amodal_mask is not None}

    @cached_property
    def seen(self) -> np.ndarray | None:
        """(h, w) bool, where any labelled instance is seen; None unless every instance has a mask."""
        if len(self.masks) != len(self.record.instances):
            return None
        w, h = self.record.picture.size_wh
        return np.logical_or.reduce([np.zeros((h, w), bool), *self.masks.values()])

    def where(self, instance: Instance | None = None) -> str:
        return f"record {self.record.index}" + ("" if instance is None else f", instance {instance.id}")


Check = Callable[[Exhibit], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """A named demand on one record. ``demand`` completes the sentence "every ...". """

    name: str
    demand: str
    check: Check


def said(check: Exhibit, rule: str, instance: Instance | None, message: str, wanted: object = None,
         got: object = None, severity: str = "error") -> Finding:
    """A finding about ``instance`` of the exhibit (None: about the record)."""
    return Finding(rule, check.where(instance), message, None if wanted is None else str(wanted),
                   None if got is None else str(got), severity)


def short(numbers) -> str:
    """A few numbers for a message: ``12.5 3 40 80``."""
    return " ".join(f"{float(n):.6g}" for n in numbers)
