"""What every writer and reader does with files: whole or not at all, the same bytes each time, one clear error."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from understudy.errors import DatasetError, WriteError
from understudy.record import Picture

Report = Callable[[DatasetError], None]
"""Receives what a reader had to leave out. A reader without one raises the error instead."""

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the system's refusals into WriteError, which names the file and the remedy."""
    try:
        yield
    except OSError as error:
        raise WriteError(f"cannot write: {error.strerror or error}", where=path,
                         remedy="Free some space or choose a folder that may be written; what is whole is kept") from error


def write_bytes(path: Path, data: bytes) -> None:
    """A new file, its folders made."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def append_bytes(path: Path, data: bytes) -> None:
    """More of a file that exists or not. Nothing stays open between two records, so a failure leaks no handle."""
    with writing(path), path.open("ab") as out:
        out.write(data)


def replace_file(path: Path, chunks: Iterable[str | bytes]) -> None:
    """Write ``chunks`` (text as UTF-8) under a temporary name, then rename: a reader sees the old file or the new one."""
    temporary = path.with_name(path.name + ".tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as out:
            for chunk in chunks:
                out.write(chunk.encode() if isinstance(chunk, str) else chunk)
        temporary.replace(path)


def to_json(value: Any, where: str) -> str:
    """Compact JSON of plain values: keys in the order given, whole floats without a fraction, infinities refused."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError) as error:
        raise WriteError(f"a value has no JSON form: {error}", where=where) from error


def _plain(value: Any) -> Any:
    """What JSON's encoder does not know by itself, one step plainer."""
    if isinstance(value, Mapping):
        return {str(k): v for k, v in value.items()}
    if hasattr(value, "tolist"):  # NumPy arrays and scalars; float32 by its own shortest digits, which read back to it
        if value.dtype.kind == "f" and value.dtype.itemsize < 8:
            value = value.astype(str).astype(float)
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not plain data")


def number(value: float) -> float | int:
    """The same number, written without ``.0`` where it is whole (a third of a COCO file is boxes and polygons)."""
    return int(value) if math.isfinite(value) and value == int(value) else value


def read_json(path: Path) -> Any:
    """A small JSON file; DatasetError when it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DatasetError(f"cannot read: {error.strerror or error}", where=path) from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"is not JSON: {error}", where=path) from error


def read_jsons(paths: Iterable[Path]) -> list[Any]:
    """Small JSON files of which many are the same, each kind parsed once (do not change what comes back)."""
    met: dict[bytes, Any] = {}
    found = []
    for path in paths:
        data = read_bytes(path)
        if data not in met:
            met[data] = read_json(path)
        found.append(met[data])
    return found


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DatasetError(f"cannot read: {error.strerror or error}", where=path) from error


def picture_of(data: bytes, where: object, upright_wh: tuple[int, int] | None = None) -> Picture:
    """A Picture from an image file's bytes; DatasetError if they are no image.

    JPEG and PNG are kept byte for byte. Other kinds, and pictures that an EXIF mark turns, become an upright PNG of the
    same pixels (trainers turn them too). ``upright_wh``: the size that the labels were made for; a marked picture whose
    raw size is that one, and whose turned size is not, is left as it lies.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(io.BytesIO(data)) as image:
            turned = image.getexif().get(0x0112, 1) in range(2, 9)
            if turned and upright_wh is not None and image.size == tuple(upright_wh) != image.size[::-1]:
                turned = image.getexif().get(0x0112) in (2, 3, 4)  # half turns and mirrors keep the size
            if image.format in ("JPEG", "PNG") and not turned:
                return Picture(data, ".jpg" if image.format == "JPEG" else ".png", image.size)
            out = io.BytesIO()
            upright = ImageOps.exif_transpose(image) if turned else image
            upright = upright.convert("RGB")
            upright.info.clear()
            upright.save(out, "PNG")
            return Picture(out.getvalue(), ".png", upright.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(f"is no usable picture: {error}", where=where) from error


def pictures_below(folder: Path) -> Iterator[Path]:
    """Every picture file in ``folder`` and below, what is hidden left out, in order of name; one folder listed at a time."""
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from pictures_below(path)
        elif path.suffix.lower() in IMAGE_SUFFIXES:
            yield path


def inside(root: Path, name: str, where: object) -> Path:
    """``root / name``; a name from a file that leads out of the folder is refused."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise DatasetError("a file name leads out of the data set's folder", where=where, got=name)
    return root / name


def fail(error: DatasetError, report: Report | None) -> None:
    """Raise, or hand the error to ``report`` and go on."""
    if report is None:
        raise error
    report(error)
