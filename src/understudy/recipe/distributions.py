"""The distributions of a recipe: ``{uniform: [20, 30]}`` to a :class:`~understudy.values.Value` inside a support.

====================  ==============================================  =========================================
form                  arguments                                       where
====================  ==============================================  =========================================
``uniform``           ``[low, high]``                                 numbers
``log_uniform``       ``[low, high]``, both above 0                   numbers
``normal``            ``[mean, std]`` or ``[mean, std, low, high]``   numbers
``integers``          ``[low, high]``                                 numbers, whole numbers
``choice``            ``[option, ...]``                               everywhere
``weighted``          ``{option: weight}``, ``[[option, weight]]``    everywhere
====================  ==============================================  =========================================

The first four also take their arguments by name (``{uniform: {low: 20, high: 30}}``). An option of ``choice`` and of the
list form of ``weighted`` may be a distribution itself; ``{tune: {uniform: [20, 30]}}`` marks the whole of a parameter's
distribution as one that ``understudy search`` may move; a label of ``weighted`` may be a range (``"0-12"``, and ``"61+"`` up
to the support's end) where numbers are wanted.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from understudy import supports
from understudy.fields import Param
from understudy.recipe.literals import WRONG, as_float, read_literal, read_number, wanted
from understudy.recipe.marks import Reading, did_you_mean, listed, nearest, number
from understudy.recipe.scalars import plain_scalar
from understudy.recipe.tree import Entries, Items, Node, Scalar, shown
from understudy.values import (
    RANGE_LABEL,
    TUNE,
    Choice,
    Integers,
    LogUniform,
    Normal,
    Tuned,
    Uniform,
    Value,
    Weighted,
    as_value,
    label_of,
)


@dataclass(frozen=True)
class Form:
    """One distribution with numbers for arguments, as recipes write it."""

    make: Callable[..., Value]
    arguments: tuple[str, ...]
    needed: int
    whole: bool = False


FORMS = {
    "uniform": Form(Uniform, ("low", "high"), 2),
    "log_uniform": Form(LogUniform, ("low", "high"), 2),
    "normal": Form(Normal, ("mean", "std", "low", "high"), 2),
    "integers": Form(Integers, ("low", "high"), 2, whole=True),
}
# The arguments that may be infinite: a normal distribution without an end.
_OPEN_ENDS = {("normal", "low", -math.inf), ("normal", "high", math.inf)}
# A draw of a whole number comes from one 64-bit word.
_WIDEST_WHOLE = 2**53
# Beyond so many standard deviations a double holds nothing of the distribution function.
_FARTHEST_TAIL = 8.0
NAMES = (*FORMS, "choice", "weighted")
NUMERIC = (supports.Interval, supports.Integers)


def legal_forms(support: supports.Support) -> tuple[str, ...]:
    """The distributions that may stand where ``support`` is wanted."""
    if isinstance(support, supports.Interval):
        return NAMES
    return ("integers", "choice", "weighted") if isinstance(support, supports.Integers) else ("choice", "weighted")


def read_value(reading: Reading, node: Node, field: Param, path: str) -> Value | object:
    """The Value that the node says, every reach inside the support; or WRONG."""
    tuned = isinstance(node, Entries) and [key.text for key, _ in node.pairs] == [TUNE]
    inner = node.pairs[0][1] if tuned else node
    option = _option(reading, inner, field, path)
    if option is WRONG or not tuned:
        return option if option is WRONG else as_value(option)
    if not hasattr(option, "draw"):
        reading.wrong(inner.mark, path, "never varies, so there is nothing to tune", wanted="a distribution",
                      got=shown(inner), remedy="Write the range that a search may move in, as {tune: {uniform: [low, high]}}"
                      if isinstance(field.support, NUMERIC) else "Write {tune: {choice: [...]}}")
        return WRONG
    return Tuned(option)


def _option(reading: Reading, node: Node, field: Param, path: str) -> Any:
    """A distribution, or a literal as it is."""
    if not isinstance(node, Entries):
        return read_literal(reading, node, field, path)
    wrong = partial(reading.wrong, node.mark, path)
    names = [key.text for key, _ in node.pairs]
    if len(names) != 1:
        wrong("is not one distribution", wanted=f"{wanted(field)}, or one of {listed(NAMES)}", got=shown(node))
        return WRONG
    (key, inner), = node.pairs
    if key.text not in NAMES:
        near = nearest(key.text, NAMES) or _SYNONYMS.get(key.text.lower())
        reading.wrong(key.mark, path, f"there is no distribution {shown(key)}", wanted=f"one of {listed(NAMES)}",
                      remedy=near and f'Did you mean "{near}"?')
        return WRONG
    if key.text not in legal_forms(field.support):
        wrong(f"{key.text} does not fit here", wanted=wanted(field), got=shown(node), remedy=_refit(key.text, inner, field))
        return WRONG
    if key.text == "choice":
        return _choice(reading, inner, field, path)
    if key.text == "weighted":
        return _weighted(reading, inner, field, path)
    return _numeric(reading, key.text, inner, field, path)


_SYNONYMS = {"range": "uniform", "gaussian": "normal", "gauss": "normal", "randint": "integers", "one_of": "choice",
             "categorical": "weighted", "weights": "weighted", "any": "choice", "between": "uniform", "oneof": "choice"}


def _refit(name: str, inner: Node, field: Param) -> str | None:
    """What a numeric distribution should have been where only whole numbers or names are wanted."""
    ends = [n.value for n in inner.nodes[:2] if isinstance(n, Scalar)] if isinstance(inner, Items) else []
    if isinstance(inner, Entries):
        ends = [n.value for key, n in inner.pairs if isinstance(n, Scalar) and key.text in ("low", "high")]
    if isinstance(field.support, supports.Integers):
        if name != "normal" and len(ends) == 2 and all(supports.is_number(e) and math.isfinite(e) for e in ends):
            return f"Write {{integers: [{math.ceil(ends[0])}, {math.floor(ends[1])}]}} for whole numbers"
        return "Write {integers: [low, high]} for whole numbers"
    if isinstance(field.support, supports.OneOf | supports.Boolean):
        options = getattr(field.support, "options", ("true", "false"))
        first, second = options[0], options[-1]
        return f"Write {{choice: [{first}, {second}]}} or {{weighted: {{{first}: 3, {second}: 1}}}}"
    return "Write {choice: [...]} with the values to choose from"


def _numeric(reading: Reading, name: str, node: Node, field: Param, path: str) -> Any:
    form, unit = FORMS[name], field.unit
    given = _arguments(reading, name, node, path)
    if given is None:
        return WRONG
    numbers: dict[str, float | int] = {}
    for argument, inner in given.items():
        def wrong(inner: Node = inner, argument: str = argument, **facts: Any) -> None:
            kind = "a whole number" if form.whole else "a number"
            reading.wrong(inner.mark, path, f"{name}: {argument} is wrong",
                          wanted=kind + (f", in {unit}" if unit else ""), **facts)

        value = read_number(inner, unit, wrong)
        if value is WRONG:
            continue
        if form.whole:
            if isinstance(value, float) and not value.is_integer():
                wrong(got=shown(inner))
                continue
            value = int(value)
        elif not (math.isfinite(value := as_float(value)) or (name, argument, value) in _OPEN_ENDS):
            wrong(got=shown(inner))
            continue
        numbers[argument] = value
    if len(numbers) < len(given):
        return WRONG
    low, high = numbers.get("low"), numbers.get("high")
    if low is not None and high is not None and low > high:
        reading.wrong(node.mark, path, f"{name}: the low end is above the high end",
                      got=f"{number(low)} and {number(high)}", remedy=f"Write {number(high)} first, then {number(low)}")
        return WRONG
    if low is not None and high is not None and high - low > (_WIDEST_WHOLE if form.whole else sys.float_info.max) and (
            name != "normal"):
        reading.wrong(node.mark, path, f"{name}: the ends are too far apart", got=f"{number(low)} and {number(high)}")
        return WRONG
    try:
        value = form.make(**numbers)
    except ValueError as error:
        reading.wrong(node.mark, path, str(error))
        return WRONG
    if isinstance(value, Normal) and max(value.low - value.mean, value.mean - value.high) > _FARTHEST_TAIL * value.std:
        reading.wrong(node.mark, path, "normal: practically none of it lies between its ends", got=shown(node),
                      remedy="Write a mean between the two ends")
        return WRONG
    return value if _inside(reading, name, node, value, field, path) else WRONG


def _arguments(reading: Reading, name: str, node: Node, path: str) -> dict[str, Node] | None:
    """The arguments by name, from a list or a mapping."""
    form = FORMS[name]
    needs = f"[{', '.join(form.arguments[: form.needed])}]" + (
        f" or [{', '.join(form.arguments)}]" if len(form.arguments) > form.needed else "")
    if isinstance(node, Items) and len(node.nodes) in (form.needed, len(form.arguments)):
        return dict(zip(form.arguments, node.nodes))
    if isinstance(node, Entries):
        given = {key.text: inner for key, inner in node.pairs}
        odd = [key for key in given if key not in form.arguments]
        missing = [a for a in form.arguments[: form.needed] if a not in given]
        if not odd and not missing:
            return given
        what = f"has no {odd[0]}" if odd else f"{missing[0]} is missing"
        reading.wrong(node.mark, path, f"{name}: {what}", wanted=listed(form.arguments), got=shown(node),
                      remedy=did_you_mean(odd[0], form.arguments) if odd else None)
        return None
    reading.wrong(node.mark, path, f"{name}: wrong arguments", wanted=needs, got=shown(node))
    return None


def _inside(reading: Reading, name: str, node: Node, value: Value, field: Param, path: str) -> bool:
    """Does the support hold everything that ``value`` can give? An infinite reach needs an infinite support."""
    support, (low, high) = field.support, value.reach()
    if low >= support.low and high <= support.high:
        return True
    remedy = None
    if isinstance(value, Normal) and not (math.isfinite(low) and math.isfinite(high)):
        ends = (max(low, support.low), min(high, support.high))
        if ends[0] <= ends[1]:
            remedy = f"Write {{normal: [{', '.join(number(n) for n in (value.mean, value.std, *ends))}]}}"
    elif max(low, support.low) <= min(high, support.high) and not isinstance(value, Normal):
        ends = (max(low, support.low), min(high, support.high))
        inside = (number(ends[0]), number(ends[1]))
        remedy = "The part inside is " + (f"{{{name}: [{', '.join(inside)}]}}" if name in FORMS else f'"{"-".join(inside)}"')
    reading.wrong(node.mark, path, f"{name} reaches outside what is allowed", wanted=wanted(field),
                  got=f"{number(low)} to {number(high)}", remedy=remedy)
    return False


def _choice(reading: Reading, node: Node, field: Param, path: str) -> Any:
    if not isinstance(node, Items) or not node.nodes:
        reading.wrong(node.mark, path, "choice wants a list", wanted="[option, ...]", got=shown(node))
        return WRONG
    options = [_option(reading, n, field, f"{path}.choice[{i}]") for i, n in enumerate(node.nodes)]
    return WRONG if WRONG in options else Choice(tuple(options))


def _weighted(reading: Reading, node: Node, field: Param, path: str) -> Any:
    read: list[tuple[str, Any, Any]] = []
    if isinstance(node, Entries) and node.pairs:
        for key, weight in node.pairs:
            read.append((key.text, _label(reading, key, field, path), _weight(reading, weight, f"{path}.{key.text}")))
    elif isinstance(node, Items) and node.nodes:
        for i, pair in enumerate(node.nodes):
            at = f"{path}.weighted[{i}]"
            if not isinstance(pair, Items) or len(pair.nodes) != 2:
                reading.wrong(pair.mark, at, "is no option with its weight", wanted="[option, weight]", got=shown(pair))
                read.append(("", WRONG, WRONG))
                continue
            option, weight = pair.nodes
            value = _option(reading, option, field, at)
            label = option.text if isinstance(option, Scalar) else label_of(value) or shown(option)
            read.append((label, value, _weight(reading, weight, at)))
    else:
        reading.wrong(node.mark, path, "weighted wants options with weights",
                      wanted="{option: weight, ...} or [[option, weight], ...]", got=shown(node),
                      remedy="Write {choice: [...]} where all are equally likely" if isinstance(node, Items) else None)
        return WRONG
    if any(WRONG in (value, weight) for _, value, weight in read):
        return WRONG
    try:
        return Weighted(tuple(read))
    except ValueError as error:
        reading.wrong(node.mark, path, str(error), got=shown(node))
        return WRONG


def _weight(reading: Reading, node: Node, path: str) -> Any:
    def wrong(**facts: Any) -> None:
        reading.wrong(node.mark, path, "the weight is wrong", wanted="a number of at least 0", **facts)

    weight = read_number(node, "", wrong)
    if weight is WRONG:
        return WRONG
    weight = as_float(weight)
    if not 0 <= weight < math.inf:
        wrong(got=shown(node))
        return WRONG
    return weight


def _label(reading: Reading, key: Scalar, field: Param, path: str) -> Any:
    """What a label of ``weighted`` stands for: a literal, or a range of numbers."""
    match = RANGE_LABEL.fullmatch(key.text) if isinstance(field.support, NUMERIC) else None
    if match is None:
        value = key.value
        if isinstance(value, str) and not isinstance(field.support, supports.OneOf | supports.Text | supports.Many):
            with suppress(ValueError):
                value = plain_scalar(value)  # "12" in quotes: keys of JSON are always text
        return read_literal(reading, Scalar(value, key.mark, key.text), field, path)
    end = match["high"]
    if end is None and not math.isfinite(field.support.high):
        reading.wrong(key.mark, path, f'"{key.text}" has no end here', wanted=wanted(field),
                      remedy=f'Write the end too, such as "{match["low"]}-{number(2 * float(match["low"]) + 1)}"')
        return WRONG
    high = as_float(field.support.high) if end is None else float(end)
    low = float(match["low"])
    whole = isinstance(field.support, supports.Integers)
    if low > high or not math.isfinite(high - low) or (whole and not (low.is_integer() and high.is_integer())):
        reading.wrong(key.mark, path, f'the range "{key.text}" is wrong', wanted=wanted(field),
                      remedy=None if low <= high else f'Write "{end}-{match["low"]}"' if end else None)
        return WRONG
    value = Integers(int(low), int(high)) if whole else Uniform(low, high)
    return value if _inside(reading, f'the range "{key.text}"', key, value, field, path) else WRONG

