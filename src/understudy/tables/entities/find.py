"""Which columns hold people or their numbers, by form, checksum and name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from understudy.tables.entities.checksums import iban_holds, luhn_holds

_SHARE = 0.9
LOOK = 500  # texts that tell what a column is
READ = 10_000  # texts that a column's form is read off
_NAMES = {
    "first_name": r"(first|given|fore)[_ ]?name|vorname|prenom",
    "last_name": r"(last|family|sur)[_ ]?name|nachname|surname|nom",
    "name": r"(full[_ ]?|customer[_ ]?|client[_ ]?|person[_ ]?|contact[_ ]?|holder[_ ]?)?name",
}


def entity(texts: Sequence[str], name: str) -> str:
    """The kind of entity that at least nine tenths of a column's texts are, or ""."""
    some = [t.strip() for t in texts[:LOOK] if t and t.strip()]
    if len(some) < 2:
        return ""

    def most(test) -> bool:
        left = int((1 - _SHARE) * len(some) + 1e-9)  # so many may fail
        for text in some:
            if not test(text):
                left -= 1
                if left < 0:
                    return False
        return True

    if most(lambda t: re.fullmatch(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}", t)):
        return "email"
    if most(iban_holds):
        return "iban"
    if most(lambda t: re.fullmatch(r"\d{3}-\d{2}-\d{4}", t)):
        return "ssn"
    if most(lambda t: re.fullmatch(r"\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}", t) and luhn_holds(t)):
        return "card"
    named = re.search(r"phone|mobile|telefon|(^|_)(tel|fax|cell)($|_)", name.lower())
    if most(lambda t: re.fullmatch(r"[+(]?[\d\s()./-]{7,20}", t) and 7 <= sum(c.isdigit() for c in t) <= 15) and (
        named or most(lambda t: t.startswith("+"))
    ):
        return "phone"
    if most(lambda t: re.fullmatch(r"[^\W\d_][\w'’. -]*", t)):
        return next((kind for kind, pattern in _NAMES.items() if re.fullmatch(pattern, name.lower())), "")
    return ""


def form(texts: Sequence[str], kind: str, k: int) -> str:
    """What a fake keeps of a column's form: a land and length, a length, a way to write, shared by at least k rows."""
    if kind not in ("iban", "card", "phone"):
        return ""
    import pyarrow as pa
    import pyarrow.compute as pc

    given = pc.utf8_trim_whitespace(pa.array([t for t in texts[:READ] if t], pa.string()))
    bare = pc.replace_substring_regex(given, r"[\s-]", "")
    if kind == "phone":
        american = pc.sum(pc.match_substring_regex(given, r"^\(?[2-9]\d\d\)?[ .-]?\d{3}[ .-]?\d{4}$")).as_py() or 0
        return "nanp" if american > len(bare) / 2 else ""
    lengths = pc.cast(pc.utf8_length(bare), pa.string())
    if kind == "iban":
        german = pc.equal(pc.utf8_upper(pc.utf8_slice_codeunits(bare, 0, 2)), "DE")
        lengths = pc.binary_join_element_wise(pc.if_else(german, "DE", "QZ"), lengths, ":")
    forms = Counter({one["values"]: one["counts"] for one in pc.value_counts(lengths).to_pylist()})
    (most, owners) = forms.most_common(1)[0] if forms else ("", 0)
    return most if owners >= k else ""
