"""Large COCO files without holding them: one pass notes where each picture and annotation lies, later reads fetch them.

A COCO file is one JSON object whose top-level lists may hold millions of entries in any order. :class:`CocoIndex` keeps
24 bytes an entry and parses an entry again when it is asked for.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from understudy.errors import DatasetError

_CHUNK = 1 << 20
_DECODER = json.JSONDecoder()
_LISTS = ("images", "annotations")


class CocoIndex:
    """One open COCO annotation file.

    head : every top-level value but the two long lists (info, licenses, categories ...)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: dict[str, Any] = {}
        self._spans = {name: (array("q"), array("q")) for name in _LISTS}
        self._numbers: dict[Any, int] = {}  # ids that are no whole numbers (some tools write text) get one
        self._image_of, self._id_of = array("q"), array("q")
        self._by_id: tuple[np.ndarray, np.ndarray] | None = None
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise DatasetError(f"cannot read: {error.strerror or error}", where=path) from error
        try:
            self._note_entries()
        except BaseException:
            self._file.close()
            raise
        images = np.array(self._image_of, dtype=np.int64)
        self._order = np.argsort(images, kind="stable")
        self._sorted_images = images[self._order]

    def _note_entries(self) -> None:
        for key, offset, length, value in _entries(self._file, self.path):
            if key not in _LISTS:
                self.head[key] = value
                continue
            if not isinstance(value, dict):
                raise DatasetError(f"an entry of {key!r} is no object", where=self.path, got=repr(value)[:40])
            starts, lengths = self._spans[key]
            starts.append(offset)
            lengths.append(length)
            if key == "annotations":
                self._image_of.append(self._number(value.get("image_id")))
                self._id_of.append(self._number(value.get("id")))
        if any(name in self.head for name in _LISTS):
            raise DatasetError("images and annotations must be lists", where=self.path)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> CocoIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def images(self) -> Iterator[dict]:
        """The picture entries in file order."""
        starts, lengths = self._spans["images"]
        for i in range(len(starts)):
            yield self._entry(starts[i], lengths[i])

    def annotations_of(self, image_id: Any) -> list[dict]:
        """The annotations of one picture, in file order."""
        number = self._number(image_id)
        low, high = np.searchsorted(self._sorted_images, [number, number + 1])
        starts, lengths = self._spans["annotations"]
        return [self._entry(starts[i], lengths[i]) for i in self._order[low:high]]

    def annotation(self, annotation_id: Any) -> dict | None:
        """The annotation with this id, or None."""
        if self._by_id is None:
            ids = np.array(self._id_of, dtype=np.int64)
            order = np.argsort(ids, kind="stable")
            self._by_id = ids[order], order
        ids, order = self._by_id
        at = int(np.searchsorted(ids, self._number(annotation_id)))
        if at == len(ids) or ids[at] != self._number(annotation_id):
            return None
        starts, lengths = self._spans["annotations"]
        return self._entry(starts[order[at]], lengths[order[at]])

    def _entry(self, offset: int, length: int) -> dict:
        self._file.seek(offset)
        return json.loads(self._file.read(length))

    def _number(self, value: Any) -> int:
        if isinstance(value, int) and -(1 << 62) < value < 1 << 62:
            return value
        if isinstance(value, list | dict):
            raise DatasetError("an id is no number or text", where=self.path, got=repr(value)[:40])
        return self._numbers.setdefault(value, -(1 << 62) - 1 - len(self._numbers))


def _entries(file: BinaryIO, path: Path) -> Iterator[tuple[str, int, int, Any]]:
    """(key, offset, length, value) of every entry of the long lists and of every other top-level value."""
    text = _Text(file, path)
    text.expect("{")
    if text.peek() == "}":
        return
    while True:
        key = text.value()[2]
        text.expect(":")
        if key in _LISTS and text.peek() == "[":
            text.expect("[")
            while text.peek() != "]":
                yield (key, *text.value())
                if text.peek() != "]":
                    text.expect(",")
            text.expect("]")
        else:
            yield (key, *text.value())
        if text.peek() == "}":
            return
        text.expect(",")


class _Text:
    """A JSON file read in pieces. Bytes are taken as Latin-1, so that a place in the text is a place in the file; a value
    that holds more than ASCII is decoded again as the UTF-8 that it is."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        self._text, self._base, self._at = "", 0, 0
        if file.read(3) != b"\xef\xbb\xbf":  # a byte order mark, which some editors leave
            file.seek(0)
        else:
            self._base = 3

    def peek(self) -> str:
        """The next character that is no blank."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\r\n":
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                raise DatasetError("the JSON ends too early", where=self._path,
                                   remedy="The file was cut off while it was written or copied")

    def expect(self, character: str) -> None:
        if self.peek() != character:
            raise DatasetError("is not the JSON of a COCO file", where=f"{self._path}, byte {self._base + self._at}",
                               wanted=character, got=self.peek())
        self._at += 1

    def value(self) -> tuple[int, int, Any]:
        """(offset, length, value) of the value that comes next."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                raise DatasetError(f"is not JSON: {error.msg}", where=f"{self._path}, byte {self._base + error.pos}") \
                    from error
            except RecursionError as error:
                raise DatasetError("is nested too deep", where=self._path) from error
            if end == len(self._text) and self._more():  # a number might go on
                continue
            raw = self._text[self._at:end]
            offset = self._base + self._at
            self._at = end
            return offset, len(raw), value if raw.isascii() else self._decoded(raw, offset)

    def _decoded(self, raw: str, offset: int) -> Any:
        try:
            return json.loads(raw.encode("latin-1"))
        except UnicodeDecodeError as error:
            raise DatasetError("is not UTF-8", where=f"{self._path}, byte {offset + error.start}") from error

    def _more(self) -> bool:
        """Drop what is done with and read on: at least as much again as waits, so that a long value costs little."""
        waiting = self._text[self._at:]
        piece = self._file.read(max(_CHUNK, len(waiting)))
        self._base += self._at
        self._text, self._at = waiting + piece.decode("latin-1"), 0
        return bool(piece)
