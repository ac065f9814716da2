"""Quantities with a unit written in them: ``175 cm`` where metres are wanted is 1.75.

A parameter declares its unit in words of the field ("m", "degrees", "s"); a recipe may write any unit of the same
dimension. Factors are exact decimals, so that ``175 cm`` is 1.75 and not 1.7500000000000002.
"""

from __future__ import annotations

import re
from decimal import Decimal

# dimension -> unit -> how many of the dimension's first unit it is (SI Brochure, 9th edition; inch and pound by NIST SP 811)
_DIMENSIONS: dict[str, dict[str, Decimal]] = {
    "length": {"m": Decimal(1), "cm": Decimal("0.01"), "mm": Decimal("0.001"), "km": Decimal(1000),
               "in": Decimal("0.0254"), "ft": Decimal("0.3048")},
    "angle": {"degrees": Decimal(1), "degree": Decimal(1), "deg": Decimal(1), "°": Decimal(1)},
    "time": {"s": Decimal(1), "ms": Decimal("0.001"), "min": Decimal(60), "h": Decimal(3600)},
    "mass": {"kg": Decimal(1), "g": Decimal("0.001"), "lb": Decimal("0.45359237")},
    "age": {"years": Decimal(1), "year": Decimal(1), "months": Decimal(1) / 12, "month": Decimal(1) / 12},
    "share": {"": Decimal(1), "%": Decimal("0.01")},
    "exposure": {"stops": Decimal(1), "stop": Decimal(1), "EV": Decimal(1)},
    "picture": {"px": Decimal(1)},
}
_UNIT = {unit: (dimension, factor) for dimension, units in _DIMENSIONS.items() for unit, factor in units.items()}
_QUANTITY = re.compile(r"\s*([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))\s*([A-Za-z°%][A-Za-z°%/0-9]*)\s*")


def quantity(text: str) -> tuple[str, str] | None:
    """``"175 cm"`` -> ("175", "cm"); None if the text is no number with a unit."""
    match = _QUANTITY.fullmatch(text) if len(text) <= 60 else None
    return None if match is None else (match[1], match[2])


def convert(number: str, unit: str, wanted: str) -> float | None:
    """``number`` of ``unit`` as a number of ``wanted``, or None where the two are no units of one dimension."""
    if unit == wanted:
        return float(number)
    if unit not in _UNIT or wanted not in _UNIT or _UNIT[unit][0] != _UNIT[wanted][0]:
        return None
    return float(Decimal(number) * _UNIT[unit][1] / _UNIT[wanted][1])


def siblings(unit: str) -> tuple[str, ...]:
    """Every unit that may be written where ``unit`` is wanted, itself included ("" stands for a bare number)."""
    if unit not in _UNIT:
        return (unit,) if unit else ()
    return tuple(_DIMENSIONS[_UNIT[unit][0]])
