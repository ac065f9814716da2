"""Real tables with their entities replaced: the same real value is the same fake, in every row and table.

The map is a keyed hash (BLAKE2b) whose key is drawn for the occasion and thrown away: nobody can go back, nor test a guess.
What is no entity stays as it is, so a stripped table is still personal data: strip is for tests, not for release.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
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
        first, second = _words(secret, _domain(kind), [text], None, 0)[0]
        return int(first), int(second)

    return pa.array([None if t is None else rewritten(t, find, words) for t in values.to_pylist()], pa.string())


def _domain(kind: str) -> str:
    """Kinds that name the same person share their words."""
    return "person" if kind in ("name", "email", "first_name", "last_name") else kind


def _replaced(table: pa.Table, column: str, source: str, kind: str, k: int, secret: bytes) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    own, at = encoded(table[column])
    like = form(own.to_pylist(), kind, k)
    if source == column:
        texts, more, index = own.to_pylist(), None, at
    else:
        names, codes = encoded(table[source])
        wide = len(own) + 1
        both, index = np.unique((codes + 1) * np.int64(wide) + at + 1, return_inverse=True)
        texts, more = (["", *values.to_pylist()] for values in (names, own))
        texts, more = [texts[i] for i in both // wide], [more[i] for i in both % wide]
    made = np.full(len(texts), None, dtype=object)
    left = np.arange(len(texts))
    for attempt in range(_TRIES):
        if not len(left):
            break
        some = texts if attempt == 0 else [texts[i] for i in left]
        rest = more if attempt == 0 or more is None else [more[i] for i in left]
        fresh = fake(kind, _words(secret, _domain(kind), some, rest, attempt), like)
        made[left] = fresh
        left = left[pc.is_in(pa.array(fresh, pa.string()), own).to_numpy(zero_copy_only=False)]
    return pc.take(pa.array(made, pa.string()), pa.array(index.ravel(), pa.int64(), mask=at < 0))


def _words(secret: bytes, domain: str, texts: Sequence[str], more: Sequence[str] | None, attempt: int) -> np.ndarray:
    """(n, 2) uint64 words of each text; the first depends on it alone, so that a name and its e-mail agree; the second on
    ``more`` too, where there is any."""
    begun = blake2b(domain.encode() + b"\0" + str(attempt).encode() + b"\0", digest_size=16, key=secret)

    def hashed(data: bytes) -> bytes:
        own = begun.copy()
        own.update(data)
        return own.digest()

    plain = [text.strip().casefold().encode() for text in texts]
    words = np.frombuffer(b"".join(map(hashed, plain)), np.uint64).reshape(-1, 2)
    if more is None:
        return words
    longer = b"".join(hashed(len(t).to_bytes(8, "little") + t + m.encode()) if m else hashed(t) for t, m in zip(plain, more))
    return np.stack([words[:, 0], np.frombuffer(longer, np.uint64).reshape(-1, 2)[:, 1]], 1)
