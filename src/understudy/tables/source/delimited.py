"""Delimited text: encoding and delimiter found, ragged rows told by their line, all columns as text."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.errors import TableError

if TYPE_CHECKING:
    import pyarrow as pa

DELIMITERS = (",", ";", "\t", "|")
_PEEK = 200  # lines that decide on the delimiter
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_delimited(path: Path, *, drop_ragged: bool = False) -> tuple[pa.Table, tuple[str, ...]]:
    """The file as a table of text columns (empty fields are null), and notes on what was mended."""
    from understudy.tables.source import distinct_names, stem

    data = _bytes(path)
    if not data.strip():
        raise TableError("the file is empty", where=path, wanted="a line of column names and rows below it")
    data, notes = _utf8(data, path)
    delimiter = _delimiter(data, path)
    table, more = _parse(data, delimiter, path, drop_ragged)
    table, renamed = distinct_names(table, stem(path))
    if all(_is_number(name) for name in table.column_names):
        raise TableError(
            "the first line holds numbers where the columns' names should be",
            where=f"{path}:1",
            remedy="Add a line of names",
        )
    return table, (*notes, *more, *renamed)


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        raise TableError("the compressed file is cut short or broken", where=path) from None


def _utf8(data: bytes, path: Path) -> tuple[bytes, tuple[str, ...]]:
    """``data`` in UTF-8. Without a mark it is UTF-8 if that fits; a line that does not fit is Windows-1252, and noted."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :] if encoding == "utf-8" and _fits(data) else _from(data, mark, encoding), ()
            except UnicodeDecodeError as error:
                raise TableError(
                    f"its first bytes promise {encoding}, which then breaks off", where=path, got=f"byte {error.start}"
                ) from None
    if b"\0" in data[:65536]:
        raise TableError("this is no text file", where=path, got="zero bytes", remedy="Save it as UTF-8 text")
    if _fits(data):
        return data, ()
    lines = data.split(b"\n")
    odd = [n for n, line in enumerate(lines, 1) if not _fits(line)]
    wide = any(not line.isascii() and _fits(line) for line in lines)
    for n in odd:
        lines[n - 1] = lines[n - 1].decode("cp1252", errors="replace").encode()
    what, read = (f"{len(odd)} lines are", "were read") if wide else ("it is", "was read")
    mixed = ", the others UTF-8: the encodings are mixed" if wide else ""
    return b"\n".join(lines), (f"{path.name}: {what} no UTF-8 (first: line {odd[0]}) and {read} as Windows-1252{mixed}",)


def _from(data: bytes, mark: bytes, encoding: str) -> bytes:
    return data.decode("utf-8-sig" if encoding == "utf-8" else encoding).encode()


def _fits(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(data: bytes, path: Path) -> str:
    """The delimiter that cuts the first lines into the same number of fields most often; the most fields break a tie."""
    head = data[: 1 << 22].decode(errors="replace").splitlines()[:_PEEK]
    best, score = ",", (0.0, 1)
    for delimiter in DELIMITERS:
        widths = []
        try:
            widths = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
        except csv.Error:
            continue
        if widths and widths[0] > 1:
            alike = sum(w == widths[0] for w in widths) / len(widths)
            if (alike, widths[0]) > score:
                best, score = delimiter, (alike, widths[0])
    return best


def _parse(data: bytes, delimiter: str, path: Path, drop_ragged: bool) -> tuple[pa.Table, tuple[str, ...]]:
    import pyarrow as pa
    import pyarrow.csv as pc

    blank = len(data) - len(data.lstrip(b"\r\n"))
    names, header = _header(data[blank:], delimiter)
    above = data[: blank + header].count(b"\n")  # lines, before the rows begin
    data = data[blank + header :]
    ragged: list[tuple[int | None, int]] = []

    def odd(row: pc.InvalidRow) -> str:
        ragged.append((row.number + above if row.number else None, row.actual_columns))
        return "skip"

    slots = [f"f{n}" for n in range(len(names))]  # names may come twice: columns are read under their numbers
    try:
        table = pc.read_csv(
            pa.BufferReader(data),
            read_options=pc.ReadOptions(use_threads=False, column_names=slots, block_size=max(1 << 24, 4 * header)),
            parse_options=pc.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=odd),
            convert_options=pc.ConvertOptions(
                column_types={slot: pa.string() for slot in slots},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid:  # its text quotes the data
        table = None
    if table is None or (not table.num_rows and not ragged):
        if data.count(b"\n") and table is None:
            raise TableError(
                "the rows cannot be told apart",
                where=path,
                wanted=f"fields separated by {delimiter!r}",
                remedy="Look for a quotation mark that is never closed",
            )
        raise TableError("there is a line of names and no row below it", where=path)
    if ragged and not drop_ragged:
        line, fields = ragged[0]
        raise TableError(
            f"{len(ragged)} rows have another number of fields than the line of names",
            where=f"{path}:{line}" if line else path,
            wanted=f"{len(names)} fields",
            got=f"{fields} in the first of them",
            remedy="Mend them, or leave them out with --drop-ragged",
        )
    notes = (f"{path.name}: {len(ragged)} rows with another number of fields were left out",) * bool(ragged)
    if not table.num_rows:
        raise TableError("no row has as many fields as the line of names", where=path, wanted=f"{len(names)} fields")
    return table.rename_columns(names), notes


def _header(data: bytes, delimiter: str) -> tuple[list[str], int]:
    """The columns' names, and how many bytes they take; a name in quotation marks may run over lines."""
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        for line in io.BytesIO(data):
            taken += len(line)
            yield line.decode()

    return next(csv.reader(lines(), delimiter=delimiter)), taken


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
