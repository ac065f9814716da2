"""Fakes, made in bulk from random words: the same words give the same person in every kind."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from understudy.tables.entities.checksums import iban_digits, luhn_digit

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("email", "iban", "card", "ssn", "phone", "first_name", "last_name", "name")

_FIRST = (
    "Ada Aiko Alan Alma Amir Anna Anton Aria Astrid Ben Bela Carla Chen Clara Dana David Diego Dina Elif Elsa "
    "Emil Emma Enzo Erik Eva Farah Felix Finn Flora Franz Gina Greta Hana Hugo Ida Igor Ines Ivan Jana Jonas "
    "Julia Kai Karim Kira Lara Lena Leo Lina Luca Lucy Maja Marco Maria Mark Mila Mina Nadia Nils Nina Noah "
    "Nora Olga Omar Oskar Paul Petra Rosa Sami Sara Sofia Sven Tara Theo Tim Uma Vera Viktor Yara Yusuf Zoe"
).split()
_HEAD = (
    "Bal Bren Cor Dal Dor Fen Gal Gren Hal Hol Jor Kal Kel Lor Mal Mer Nor Or Pel Quil Ral Ros Sal Sel Tal Tor Ul Val Vor "
    "Wel Yor Zel"
).split()
_MIDDLE = "a an ar e el en er i il in ir o ol on or u ul un ur y".split()
_TAIL = "bek by den dorf feld gard hof ka ki lund man mark nov rath sen sky stad ter ton vik ward witz wyn zan".split()
_DOMAINS = ("example.com", "example.net", "example.org")


def fake(kind: str, words: np.ndarray, like: str = "") -> np.ndarray:
    """(n,) object: fakes of ``kind`` from ``words`` (n, 2) uint64; ``like`` : the form to keep."""
    return fakes(kind, words, like).to_numpy(zero_copy_only=False)


def fakes(kind: str, words: np.ndarray, like: str = "") -> pa.Array:
    """(n,) texts: fakes of ``kind`` from ``words`` (n, 2) uint64; ``like`` : the form to keep.

    Forms are what :func:`understudy.tables.entities.find.form` reads off a column: land and length, length, a way to write.
    Names follow from the first word; so does an e-mail, but for its number.
    """
    a, b = (np.ascontiguousarray(words[:, i], np.uint64) for i in (0, 1))
    if kind in ("first_name", "last_name", "name", "email"):
        return _person(kind, a, b)
    if kind == "iban":
        return _iban(_digits(a, b, 30), like)
    if kind == "card":
        length = int(like) if like.isdigit() and 13 <= int(like) <= 19 else 16
        body = np.hstack([np.full((len(a), 4), 9, np.uint8), _digits(a, b, length - 5)])
        return _written((body, luhn_digit(body)[:, None]))
    if kind == "ssn":
        body = _digits(a, b, 9)
        body[:, 0], body[:, 3] = 9, 0
        body[:, 4] = 1 + body[:, 4] % 9
        return _written((body[:, :3], "-", body[:, 3:5], "-", body[:, 5:]))
    if kind == "phone":
        digits = _digits(a, b, 9)
        if like == "nanp":
            return _written(("(", 2 + digits[:, :1] % 8, digits[:, 1:3], ") 555-01", digits[:, 3:5]))
        return _written(("+999 ", digits))
    raise KeyError(kind)


def _person(kind: str, a: np.ndarray, b: np.ndarray) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    lower = kind == "email"
    first = pc.take(_firsts(lower), pa.array(_pick(a, 0, len(_FIRST))))
    if kind == "first_name":
        return first
    parts = (_pick(a, 8, len(_HEAD)), _pick(a, 16, len(_MIDDLE)), _pick(a, 24, len(_TAIL)))
    last = pc.take(_lasts(lower), pa.array(np.ravel_multi_index(parts, (len(_HEAD), len(_MIDDLE), len(_TAIL)))))
    if kind == "last_name":
        return last
    if kind == "name":
        return pc.binary_join_element_wise(first, last, " ")
    number = pc.cast(pa.array(_pick(b, 40, 100_000)), pa.string())
    domain = pc.take(pa.array([f"@{d}" for d in _DOMAINS]), pa.array(_pick(a, 38, len(_DOMAINS))))
    return pc.binary_join_element_wise(first, ".", last, number, domain, "")


def _pick(word: np.ndarray, shift: int, n: int) -> np.ndarray:
    """(rows,) places among n."""
    return ((word >> np.uint64(shift)) % np.uint64(n)).astype(np.int64)


@lru_cache(maxsize=2)
def _firsts(lower: bool) -> pa.Array:
    import pyarrow as pa

    return pa.array([n.lower() if lower else n for n in _FIRST])


@lru_cache(maxsize=2)
def _lasts(lower: bool) -> pa.Array:
    """Every family name, the last syllable running fastest."""
    import pyarrow as pa

    names = [head + middle + tail for head in _HEAD for middle in _MIDDLE for tail in _TAIL]
    return pa.array([n.lower() if lower else n for n in names])


def _iban(digits: np.ndarray, like: str) -> pa.Array:
    land, _, length = like.partition(":")
    size = int(length) if length.isdigit() and 15 <= int(length) <= 34 else 22
    body = digits[:, np.arange(size - 4) % digits.shape[1]]
    if land == "DE":
        body[:, 0] = 9  # German bank codes begin with 1 to 8
    else:
        land = "QZ"  # ISO 3166 leaves QM to QZ to its users: no land, no bank
    check = iban_digits(land, body)
    return _written((land, np.stack([check // 10, check % 10], 1), body))


def _digits(a: np.ndarray, b: np.ndarray, most: int) -> np.ndarray:
    """(n, most) uint8 decimal digits, at most 30: fifteen of either word."""
    out = np.zeros((most, len(a)), np.uint8)
    for start, word in ((0, a), (15, b)):
        rest = word
        for place in range(start, min(start + 15, most)):
            tenth = rest // np.uint64(10)
            np.subtract(rest, tenth * np.uint64(10), out=out[place], casting="unsafe")
            rest = tenth
    return out.T


def _written(parts: tuple[str | np.ndarray, ...]) -> pa.Array:
    """(n,) texts of one length: pieces that all share, and (n, k) digits."""
    import pyarrow as pa

    n = next(len(p) for p in parts if not isinstance(p, str))
    width = sum(len(p) if isinstance(p, str) else p.shape[1] for p in parts)
    out, at = np.zeros((n, width), np.uint8), 0
    for part in parts:
        own = np.frombuffer(part.encode(), np.uint8) if isinstance(part, str) else part + np.uint8(48)
        out[:, at : at + own.shape[-1]] = own
        at += own.shape[-1]
    ends = np.arange(n + 1, dtype=np.int64) * width
    whole = pa.LargeStringArray.from_buffers(n, pa.py_buffer(ends), pa.py_buffer(out))
    return whole.cast(pa.string()) if ends[-1] < 2**31 else whole
