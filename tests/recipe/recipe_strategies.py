"""Good recipes, generated from what the fields declare."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from understudy import supports
from understudy.fields import Group, Param, Setting, Slot, resolve
from understudy.recipe.parts import Tables, declared
from understudy.values import Choice, Integers, LogUniform, Normal, Uniform, Weighted

_WIDE = 1e6


def instances(cls: type, tables: Tables) -> st.SearchStrategy:
    """A dataclass of fields with some fields given, as Python would."""
    fields = declared(cls, tables)
    return st.fixed_dictionaries({}, optional={n: of_field(f, tables) for n, f in fields.items()}).map(lambda kw: cls(**kw))


def of_field(field: Any, tables: Tables) -> st.SearchStrategy:
    if isinstance(field, Group):
        return instances(field.cls, tables)
    if isinstance(field, Slot):
        entries = [instances(resolve(field.table, name), tables) for name in field.table]
        return st.one_of(entries + [st.none()] * field.optional) if entries else st.none()
    if isinstance(field, Setting):
        return literals(field.support)
    return values(field)


def literals(support: supports.Support) -> st.SearchStrategy:
    if isinstance(support, supports.Interval):
        return st.floats(*_ends(support), allow_subnormal=False)
    if isinstance(support, supports.Integers):
        return st.integers(*(int(e) for e in _ends(support)))
    if isinstance(support, supports.OneOf):
        return st.sampled_from(support.options)
    if isinstance(support, supports.Boolean):
        return st.booleans()
    if isinstance(support, supports.Vector):
        one = supports.Integers(support.low, support.high) if support.whole else supports.Interval(support.low, support.high)
        return st.tuples(*[literals(one)] * support.length)
    if isinstance(support, supports.Many):
        return st.lists(st.sampled_from(support.options), unique=True).map(tuple)
    text = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(str.strip)
    return st.one_of(text, st.none()) if support.optional else text


def _ends(support: Any) -> tuple[float, float]:
    return max(support.low, -_WIDE), min(support.high, _WIDE)


def values(field: Param) -> st.SearchStrategy:
    support, literal = field.support, literals(field.support)
    leaves = [literal]
    if isinstance(support, supports.Interval):
        pair = st.tuples(literal, literal).map(sorted)
        leaves.append(pair.map(lambda p: Uniform(*p)))
        leaves.append(st.tuples(st.floats(*_ends(support)), st.floats(0.01, 10), pair).filter(
            lambda n: max(n[2][0] - n[0], n[0] - n[2][1]) < 7 * n[1]).map(lambda n: Normal(n[0], n[1], *n[2])))
        if support.high > 0:
            low = max(support.low, 1e-6)
            positive = st.tuples(*[st.floats(low, _ends(support)[1])] * 2).map(sorted)
            leaves.append(positive.map(lambda p: LogUniform(*p)))
    if isinstance(support, supports.Interval | supports.Integers):
        whole = literals(supports.Integers(math.ceil(_ends(support)[0]), math.floor(_ends(support)[1])))
        leaves.append(st.tuples(whole, whole).map(sorted).map(lambda p: Integers(*p)))

    def wider(inner: st.SearchStrategy) -> st.SearchStrategy:
        weights = st.floats(0.01, 100)
        return (st.lists(inner, min_size=1, max_size=3).map(lambda o: Choice(tuple(o)))
                | st.lists(st.tuples(st.just("x"), inner, weights), min_size=1, max_size=3).map(
                    lambda o: Weighted(tuple(o))))

    return st.recursive(st.one_of(leaves), wider, max_leaves=4)
