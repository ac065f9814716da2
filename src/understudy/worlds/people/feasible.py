"""Which bodies there are: a mix that orders others is refused before anything is made.

Statures and indices that the body model reaches for every gender presentation, measured on it (docs/population.md); a test
holds the table to the model.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from understudy.errors import UsageError
from understudy.supports import is_number
from understudy.values import Choice, Fixed, Value, Weighted, as_value, label_of

#                     years: least and greatest stature (cm), least and greatest index (kg/m2)
_REACHED = np.array([
    (0, 33, 66, 9.4, 16.6), (0.5, 40, 79, 9.4, 16.6), (1, 52, 103, 9.4, 18.6), (2, 60, 120, 9.5, 21.6),
    (4, 77, 152, 10.8, 28.0), (5, 82, 161, 11.2, 29.7), (8, 95, 186, 12.5, 34.7), (12, 112, 205, 13.8, 40.0),
    (16, 136, 231, 15.2, 47.5),
    (20, 136, 231, 15.3, 47.5), (95, 134, 230, 15.3, 47.5),
])


_REMEDY = ("Order it apart, in a recipe for these ages and one for the others; or order bmi_z and height_z, which mean "
           "the same at every age")


def reached(years: tuple[float, float]) -> tuple[tuple[float, float], tuple[float, float]]:
    """((least, greatest stature in cm), (least, greatest index)) that somebody between two ages may have."""
    ages = np.unique(np.clip([*years, *(a for a in _REACHED[:, 0] if years[0] < a < years[1])], 0, 95))
    rows = np.stack([np.interp(ages, _REACHED[:, 0], _REACHED[:, k]) for k in range(1, 5)], axis=1)
    return ((float(rows[:, 0].min()), float(rows[:, 1].max())), (float(rows[:, 2].min()), float(rows[:, 3].max())))


def refuse_impossible(age: Value, height_cm: Value, bmi: Value) -> None:
    """UsageError where an ordered age together with an ordered stature or index is nobody's, naming what to change."""
    for ages in spans(age):
        heights, indices = reached((ages[1], ages[2]))
        for what, unit, order, (low, high) in (("stature", "cm", height_cm, heights),
                                               ("body-mass index", "kg/m2", bmi, indices)):
            for label, least, greatest in spans(order):
                if greatest == 0:  # drawn for age and gender
                    continue
                if least > high or greatest < low:
                    raise UsageError(f"nobody aged {ages[0]} has a {what} of {label} {unit}", got=label, remedy=_REMEDY,
                                     wanted=f"{low:.0f} to {high:.0f} {unit} at that age")


def spans(value: Value) -> Iterator[tuple[str, float, float]]:
    """(label, least, greatest) of every option of a value that has a share, or of the value itself."""
    value = as_value(value)
    if isinstance(value, Weighted):
        options = [(label, as_value(option)) for label, option, weight in value.options if weight > 0]
    elif isinstance(value, Choice):
        options = [(label_of(option), as_value(option)) for option in value.options]
    else:
        options = [(label_of(value), value)]
    for label, option in options:
        ends = option.reach()
        if not all(is_number(end) for end in ends):  # the parser says what is wrong with it
            continue
        low, high = float(min(ends)), float(max(ends))
        said = label or (f"{low:g}" if isinstance(option, Fixed) else f"{low:g}-{high:g}")
        yield said, low, high
