"""Fakes, made in bulk from random words: the same words give the same person in every kind."""

from __future__ import annotations

import numpy as np

from understudy.tables.entities.checksums import iban_digits, luhn_digit

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
    """(n,) object: fakes of ``kind`` from ``words`` (n, 2) uint64; ``like`` : the form to keep.

    Forms are what :func:`understudy.tables.entities.find.form` reads off a column: land and length, length, a way to write.
    """
    a, b = (words[:, i].astype(np.uint64) for i in (0, 1))
    if kind in ("first_name", "last_name", "name", "email"):
        first, last = _people(a)
        if kind == "first_name":
            return first.astype(object)
        if kind == "last_name":
            return last.astype(object)
        if kind == "name":
            return np.char.add(np.char.add(first, " "), last).astype(object)
        number = (a >> np.uint64(40)) % np.uint64(100_000)
        domain = np.array(_DOMAINS)[((a >> np.uint64(38)) % np.uint64(3)).astype(int)]
        parts = (np.char.lower(first), ".", np.char.lower(last), number.astype("U5"), "@", domain)
        return _joined(parts).astype(object)
    digits = _digits(a, b)
    if kind == "iban":
        return _iban(digits, like)
    if kind == "card":
        length = int(like) if like.isdigit() and 13 <= int(like) <= 19 else 16
        body = np.hstack([np.full((len(a), 4), 9), digits[:, : length - 5]])
        return _text(np.hstack([body, luhn_digit(body)[:, None]])).astype(object)
    if kind == "ssn":
        body = digits[:, :9].copy()
        body[:, 0], body[:, 3] = 9, 0
        body[:, 4] = 1 + body[:, 4] % 9
        return _joined((_text(body[:, :3]), "-", _text(body[:, 3:5]), "-", _text(body[:, 5:]))).astype(object)
    if kind == "phone":
        if like == "nanp":
            area = np.hstack([2 + digits[:, :1] % 8, digits[:, 1:3]])
            return _joined(("(", _text(area), ") 555-01", _text(digits[:, 3:5]))).astype(object)
        return np.char.add("+999 ", _text(digits[:, :9])).astype(object)
    raise KeyError(kind)


def _people(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    def pick(names, shift):
        return np.array(names)[((a >> np.uint64(shift)) % np.uint64(len(names))).astype(int)]

    return pick(_FIRST, 0), _joined((pick(_HEAD, 8), pick(_MIDDLE, 16), pick(_TAIL, 24)))


def _iban(digits: np.ndarray, like: str) -> np.ndarray:
    land, _, length = like.partition(":")
    size = int(length) if length.isdigit() and 15 <= int(length) <= 34 else 22
    body = digits[:, np.arange(size - 4) % digits.shape[1]]
    if land == "DE":
        body = body.copy()
        body[:, 0] = 9  # German bank codes begin with 1 to 8
    else:
        land = "QZ"  # ISO 3166 leaves QM to QZ to its users: no land, no bank
    check = iban_digits(land, body)
    return _joined((land, np.char.zfill(check.astype("U2"), 2), _text(body))).astype(object)


def _digits(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, 30) decimal digits."""
    out = []
    for word in (a, b):
        rest = word
        for _ in range(15):
            rest, digit = np.divmod(rest, np.uint64(10))
            out.append(digit.astype(np.int64))
    return np.stack(out, 1)


def _text(digits: np.ndarray) -> np.ndarray:
    """(n,) texts of (n, k) digits."""
    return np.ascontiguousarray((digits + 48).astype(np.uint32)).view(f"U{digits.shape[1]}")[:, 0]


def _joined(parts: tuple) -> np.ndarray:
    done = parts[0]
    for part in parts[1:]:
        done = np.char.add(done, part)
    return done
