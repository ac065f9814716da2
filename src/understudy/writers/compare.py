"""Do two records say the same? The measure of every round trip and the meaning of ``cannot_carry``'s keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from understudy.record import Instance, Record


def differences(wanted: Record, got: Record, tolerance_px: float = 0.0) -> dict[str, str]:
    """Every field of ``wanted`` that ``got`` does not repeat: {field: "what was wanted -> what came"}.

    Fields are named as in ``cannot_carry``: ``picture``, ``maps.depth``, ``instances.amodal_mask``; ``instances`` alone
    means that their number differs. ``area_px`` counts only where it was stated (readers may derive it).

    tolerance_px : how far boxes and points may lie apart; everything else is compared exactly
    """
    found: dict[str, str] = {}
    for field in dataclasses.fields(Record):
        a, b = getattr(wanted, field.name), getattr(got, field.name)
        if field.name == "maps":
            for name in dict.fromkeys([*a, *b]):
                if not _same(a.get(name), b.get(name)):
                    found[f"maps.{name}"] = f"{_short(a.get(name))} -> {_short(b.get(name))}"
        elif field.name == "instances":
            if len(a) != len(b):
                found["instances"] = f"{len(a)} -> {len(b)}"
            for one, other in zip(a, b):
                _instance(one, other, tolerance_px, found)
        elif not _same(a, b):
            found[field.name] = f"{_short(a)} -> {_short(b)}"
    return found


def _instance(wanted: Instance, got: Instance, tolerance_px: float, found: dict[str, str]) -> None:
    for field in dataclasses.fields(Instance):
        name, a, b = f"instances.{field.name}", getattr(wanted, field.name), getattr(got, field.name)
        if field.name == "area_px" and a is None:
            continue
        if field.name in ("xyxy_px", "amodal_xyxy_px") and a is not None and b is not None:
            same = np.allclose(a, b, rtol=0, atol=tolerance_px)
        elif field.name == "points" and len(a) == len(b):
            same = all(_same(dataclasses.replace(p, xyv=None), dataclasses.replace(q, xyv=None))
                       and np.allclose(p.xyv, q.xyv, rtol=0, atol=tolerance_px) for p, q in zip(a, b))
        else:
            same = _same(a, b)
        if not same:
            found.setdefault(name, f"{_short(a)} -> {_short(b)}")


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if a is None or b is None:
            return False
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if dataclasses.is_dataclass(a) and type(a) is type(b):
        return all(_same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return list(a) == list(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b))
    return a == b


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
