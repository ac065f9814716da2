"""Checksums of account and card numbers."""

from __future__ import annotations

import re

import numpy as np


def iban_holds(text: str) -> bool:
    """Whether an IBAN's check digits are right (ISO 13616: the rearranged number is 1 modulo 97)."""
    bare = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}", bare):
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def luhn_holds(text: str) -> bool:
    """Whether a card number's last digit is right (ISO/IEC 7812, Luhn)."""
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    return len(digits) >= 12 and sum(doubled) % 10 == 0


def luhn_digit(digits: np.ndarray) -> np.ndarray:
    """(n,) the digit that completes (n, k) digits to numbers that Luhn accepts."""
    total = np.zeros(len(digits), np.int64)
    for place, column in enumerate(digits.T[::-1]):
        total += column if place % 2 else 2 * column - 9 * (column > 4)
    return -total % 10


def iban_digits(land: str, account: np.ndarray) -> np.ndarray:
    """(n,) the two check digits, as numbers, of (n, k) digits of an account in ``land``."""
    rest = np.zeros(len(account), np.int64)
    for column in account.T:
        rest = (rest * 10 + column) % 97
    for digit in "".join(str(int(c, 36)) for c in land) + "00":
        rest = (rest * 10 + int(digit)) % 97
    return 98 - rest
