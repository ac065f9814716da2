"""Real tables with their entities replaced: the same real value is the same fake, in every row and table.

The map is a keyed hash (SipHash, its keys by BLAKE2b from a secret) whose secret is drawn for the occasion and thrown away:
nobody can go back, nor test a guess.
What is no entity stays as it is, so a stripped table is still personal data: strip is for tests, not for release.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from understudy.tables.entities.fakes import fakes
from understudy.tables.entities.find import READ, form
from understudy.tables.entities.freetext import Finder, rewritten
from understudy.tables.entities.siphash import siphash

if TYPE_CHECKING:
    import pyarrow as pa

    from understudy.tables.schema import Schema

_TRIES = 50


def strip(
    tables: Mapping[str, pa.Table],
    schemas: Mapping[str, Schema],
    k: int = 8,
    secret: bytes | None = None,
    find: Finder | None = None,
) -> dict[str, pa.Table]:
    """Tables with every column of an entity replaced. In a row with a name and an e-mail the e-mail follows the name.

    No fake is a value of the column that it replaces: one that is, is drawn again. find : of entities within columns of free
    text (freetext.finder); they get the fake that the same text gets in a column
    """
    secret = secrets.token_bytes(32) if secret is None else secret
    done = {}
    for name, table in tables.items():
        kinds = {c: spec.entity for c, spec in schemas[name].columns.items() if spec.entity}
        people = next((c for c, kind in kinds.items() if kind in ("name", "last_name")), None)
        new = table
        for column, kind in kinds.items():
            source = people if kind == "email" and people else column
            at = table.column_names.index(column)
            new = new.set_column(at, column, _replaced(table, column, source, kind, k, secret))
        for column in (c for c, spec in schemas[name].columns.items() if find and spec.kind == "text"):
            new = new.set_column(table.column_names.index(column), column, _rewritten(table[column], find, secret))
        done[name] = new
    return done


def _rewritten(values: pa.ChunkedArray, find: Finder, secret: bytes) -> pa.Array:
    """Free text with its entities replaced."""
    import pyarrow as pa

    def words(kind: str, text: str) -> tuple[int, int]:
        first, second = _words(pa.array([text]), secret, _domain(kind), 0)[0]
        return int(first), int(second)

    return pa.array([None if t is None else rewritten(t, find, words) for t in values.to_pylist()], pa.string())


def _domain(kind: str) -> str:
    """Kinds that name the same person share their words."""
    return "person" if kind in ("name", "email", "first_name", "last_name") else kind


def _replaced(table: pa.Table, column: str, source: str, kind: str, k: int, secret: bytes) -> pa.Array:
    """The column's fakes. The first word is of ``source``, so that an e-mail follows its row's name; the second of the
    column itself, so that two people of one name have two."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own, other = _texts(table[column]), _texts(table[source])
    domain, like = _domain(kind), form(own[:READ].to_pylist(), kind, k)
    taken = pc.drop_null(own)

    def drawn(own: pa.Array, other: pa.Array, attempt: int) -> pa.Array:
        words = _words(own, secret, domain, attempt)
        if source != column:
            named = _words(other, secret, domain, attempt)[:, 0]
            words[:, 0] = np.where(other.is_null().to_numpy(zero_copy_only=False), words[:, 0], named)
        return fakes(kind, words, like)

    made = drawn(own, other, 0)
    for attempt in range(1, _TRIES):
        left = pc.is_in(made, taken)
        if not pc.any(left).as_py():
            break
        made = pc.replace_with_mask(made, left, drawn(own.filter(left), other.filter(left), attempt))
    return pc.if_else(own.is_valid(), made, pa.scalar(None, made.type))


def _texts(values: pa.ChunkedArray) -> pa.StringArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.cast(values, pa.string()).combine_chunks()


def _words(texts: pa.StringArray, secret: bytes, domain: str, attempt: int) -> np.ndarray:
    """(n, 2) uint64 words of each text; case and the space around it make no difference."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.ascii_lower(pc.ascii_trim_whitespace(texts))
    strange = pc.fill_null(pc.invert(pc.string_is_ascii(texts)), False)
    if pc.any(strange).as_py():
        folded = [text.strip().casefold() for text in texts.filter(strange).to_pylist()]
        plain = pc.replace_with_mask(plain, strange, pa.array(folded, pa.string()))
    key = blake2b(domain.encode() + b"\0" + str(attempt).encode(), digest_size=16, key=secret).digest()
    return siphash(plain, key)
