"""Columns of which nothing about a row is learnt: identifiers made afresh, and free text from common words."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from understudy.tables.content import Texts
from understudy.tables.entities import fake
from understudy.tables.entities.find import form

if TYPE_CHECKING:
    from understudy.key import Key

_SETS = {"0": "0123456789", "a": "abcdefghijklmnopqrstuvwxyz", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "f": "0123456789abcdef"}


@dataclass(frozen=True)
class Fresh:
    """Identifiers. shape : one character a place, "0" a digit, "a"/"A" a letter, "f" a hexadecimal digit, others after a
    backslash as they are; "" counts 1, 2, 3 ... ; entity : fakes of this kind instead, in the form ``shape``
    """

    missing: bool
    shape: str
    entity: str = ""

    ordered = False

    @classmethod
    def learn(cls, content: Texts, k: int, entity: str = "") -> Fresh:
        given = [t for t in content.texts if t]
        absent = len(content.texts) - len(given)
        return cls(absent >= k, form(given, entity, k) if entity and given else _shape(given, k), entity)

    @property
    def count(self) -> int:
        return 1 + self.missing

    def encode(self, content: Texts) -> np.ndarray:
        return _absent(content, self.missing)

    def decode(self, states: np.ndarray, key: Key, first: int) -> np.ndarray:
        n = len(states)
        if self.entity:
            made = fake(self.entity, key.words(2 * n).reshape(n, 2), self.shape)
        elif not self.shape:
            made = [str(first + i + 1) for i in range(n)]
        else:
            places = _places(self.shape)
            open_places = [p for p in places if len(p) > 1]
            digits = (
                (key.uniforms(len(open_places), n) * np.array([[len(p)] for p in open_places])).astype(int)
                if open_places
                else np.zeros((0, n), int)
            )
            columns, at = [], 0
            for place in places:
                if len(place) > 1:
                    columns.append([place[d] for d in digits[at]])
                    at += 1
                else:
                    columns.append([place] * n)
            made = ["".join(parts) for parts in zip(*columns)]
        return np.array([None if s else m for s, m in zip(states, made)], dtype=object)

    def labels(self) -> list[str]:
        return ["(given)", "(missing)"][: self.count]

    def plain(self) -> dict[str, Any]:
        return {"states": "fresh", "missing": self.missing, "shape": self.shape, "entity": self.entity}

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> Fresh:
        return cls(plain["missing"], plain["shape"], plain["entity"])


def _shape(given: list[str], k: int) -> str:
    """The common shape of codes ("AB-1234" -> "AA\\-0000") when all have it and it can tell many apart, else ""."""
    if (
        len(given) < k
        or len({len(t) for t in given[:5000]}) != 1
        or all(re.fullmatch(r"[1-9]\d{0,8}", t) for t in given[:100])
    ):
        return ""
    width = len(given[0])
    if any(len(t) != width for t in given) or width > 64:
        return ""
    shape = ""
    for column in zip(*given):
        seen = set(column)
        one = next((name for name, chars in _SETS.items() if seen <= set(chars)), None)
        common = len(seen) == 1  # a character that all rows share belongs to the shape, not to a row
        if common:
            shape += "\\" + column[0]
        elif one is None:
            return ""
        else:
            shape += one
    return shape if sum(len(p) > 1 for p in _places(shape)) >= 4 else ""


def _places(shape: str) -> list[str]:
    """Each place's characters to choose from."""
    return [m[1] if m.startswith("\\") else _SETS[m] for m in re.findall(r"\\.|.", shape, re.DOTALL)]


@dataclass(frozen=True)
class Words:
    """Free text as words that at least k rows use, drawn alone by their frequency; lengths by decile."""

    missing: bool
    words: tuple[str, ...]
    shares: tuple[float, ...]
    lengths: tuple[int, ...]

    ordered = False

    @classmethod
    def learn(cls, content: Texts, k: int) -> Words:
        given = [t for t in content.texts if t]
        owners: Counter[str] = Counter()
        for text in given:
            owners.update(set(text.split()))
        common = sorted(((w, n) for w, n in owners.items() if n >= k), key=lambda pair: (-pair[1], pair[0]))[:2000]
        total = sum(n for _, n in common) or 1
        lengths = (
            np.quantile([len(t.split()) for t in given], np.linspace(0.05, 0.95, 10)).round().astype(int) if given else [0]
        )
        return cls(
            len(content.texts) - len(given) >= k,
            tuple(w for w, _ in common),
            tuple(n / total for _, n in common),
            tuple(int(n) for n in lengths),
        )

    @property
    def count(self) -> int:
        return 1 + self.missing

    def encode(self, content: Texts) -> np.ndarray:
        return _absent(content, self.missing)

    def decode(self, states: np.ndarray, key: Key, first: int) -> np.ndarray:
        n = len(states)
        lengths = np.array(self.lengths)[(key.child("length").uniforms(n) * len(self.lengths)).astype(int)]
        if not self.words:
            return np.array([None if s else "" for s in states], dtype=object)
        ends = np.cumsum(self.shares)
        at = np.minimum(np.searchsorted(ends, key.child("words").uniforms(int(lengths.sum()))), len(ends) - 1)
        words = np.array(self.words, dtype=object)[at]
        cuts = np.concatenate([[0], np.cumsum(lengths)])
        made = [" ".join(words[a:b]) for a, b in itertools.pairwise(cuts)]
        return np.array([None if s else m for s, m in zip(states, made)], dtype=object)

    def labels(self) -> list[str]:
        return ["(given)", "(missing)"][: self.count]

    def plain(self) -> dict[str, Any]:
        return {
            "states": "words",
            "missing": self.missing,
            "words": list(self.words),
            "shares": list(self.shares),
            "lengths": list(self.lengths),
        }

    @classmethod
    def restore(cls, plain: dict[str, Any]) -> Words:
        return cls(plain["missing"], *(tuple(plain[name]) for name in ("words", "shares", "lengths")))


def _absent(content: Texts, told: bool) -> np.ndarray:
    """(n,) int32: 1 where there is no text, 0 where there is; all 0 where what is missing is not told apart."""
    return np.array([told and not text for text in content.texts], np.int32)
