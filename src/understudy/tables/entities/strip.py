"""Real tables with their entities replaced: the same real value is the same fake, in every row and table.

The map is a keyed hash (BLAKE2b) whose key is drawn for the occasion and thrown away: nobody can go back, nor test a guess.
What is no entity stays as it is, so a stripped table is still personal data: strip is for tests, not for release.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from understudy.tables.content import encoded
from understudy.tables.entities.fakes import fake
from understudy.tables.entities.find import form
from understudy.tables.entities.freetext import Finder, rewritten

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
        return _words(secret, _domain(kind), text, "", 0)

    return pa.array([None if t is None else rewritten(t, find, words) for t in values.to_pylist()], pa.string())


def _domain(kind: str) -> str:
    """Kinds that name the same person share their words."""
    return "person" if kind in ("name", "email", "first_name", "last_name") else kind


def _replaced(table: pa.Table, column: str, source: str, kind: str, k: int, secret: bytes) -> pa.Array:
    import pyarrow as pa

    own, at = encoded(table[column])
    names, codes = (own, at) if source == column else encoded(table[source])
    both = np.unique(np.stack([codes, at]), axis=1, return_inverse=True) if source != column else None
    texts, known = names.to_pylist(), set(own.to_pylist())
    like = form(own.to_pylist(), kind, k)
    pairs = (
        [(texts[c] if c >= 0 else "", own[int(a)].as_py() if a >= 0 else "") for c, a in both[0].T]
        if both
        else [(t, "") for t in texts]
    )
    made = np.array([None] * len(pairs), dtype=object)
    left = np.arange(len(pairs))
    for attempt in range(_TRIES):
        words = [_words(secret, _domain(kind), *pairs[i], attempt) for i in left]
        if not len(left):
            break
        made[left] = fake(kind, np.array(words, np.uint64).reshape(-1, 2), like)
        left = np.array([i for i in left if made[i] in known], int)
    index = both[1].ravel() if both else at
    return pa.array([None if a < 0 else made[i] for i, a in zip(index, at)], pa.string())


def _words(secret: bytes, domain: str, text: str, more: str, attempt: int) -> tuple[int, int]:
    """Two words of a value; the first depends on ``text`` alone, so that a name and its e-mail agree."""

    def word(*parts: str) -> int:
        data = b"".join(len(p.encode()).to_bytes(8, "little") + p.encode() for p in parts)
        return int.from_bytes(blake2b(data, digest_size=8, key=secret).digest(), "little")

    return word(domain, text.strip().casefold(), str(attempt)), word(domain, text.strip().casefold(), more, str(attempt))
