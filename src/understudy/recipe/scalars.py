"""What an unquoted word of a recipe is: YAML 1.2's core schema (section 10.3.2), without YAML 1.1's traps.

``no``, ``on`` and ``y`` stay text, ``1e9`` is a number, ``12:30:45`` and ``2020-01-01`` stay text. A number with leading
zeros (octal in YAML 1.1, decimal in 1.2) is refused, because two readers would differ. ``10_000`` is a number, as in Python.
"""

from __future__ import annotations

import re

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")

# Longer runs of digits are no number that any parameter takes (and Python refuses to convert the longest).
_LONGEST_NUMBER = 300

# Words that YAML 1.1 reads as booleans; here they are text, and a message says so where a boolean is wanted.
OLD_BOOLEAN = {"yes": True, "on": True, "y": True, "no": False, "off": False, "n": False}


def plain_scalar(text: str) -> str | int | float | bool | None:
    """The value of the unquoted word ``text``. ValueError (with the remedy) for a number that readers read differently."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text.lower() in _SPECIAL:
        return _SPECIAL[text.lower()]
    if len(text) > _LONGEST_NUMBER:
        return text
    if _LEADING_ZERO.fullmatch(text):
        sign = text[0] if text[0] in "+-" else ""
        raise ValueError(f'Write {sign}{text.lstrip("+-0_") or "0"} for the number, or "{text}" in quotes for the text')
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def is_plain(text: str) -> bool:
    """May ``text`` be written without quotes and be read back as the same text by readers of YAML 1.1 and 1.2?"""
    if not re.fullmatch(r"[A-Za-z_./][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+][A-Za-z0-9_./+-]*)*", text):
        return False
    if text.lower() in OLD_BOOLEAN or text in (".", "..") or text.startswith(("---", "...")):
        return False
    try:
        return plain_scalar(text) == text
    except ValueError:
        return False
