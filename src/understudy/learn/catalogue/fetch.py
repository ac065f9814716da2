"""Fetching a model's files when the user asks: whole or not at all, and only what has the digest that its card says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from understudy.errors import AssetError, UsageError
from understudy.learn.catalogue.card import File

_PIECE = 1 << 20
MOST_BYTES = 16 * 2**30
_PATIENCE_S = 60
_LONGEST_HEADER = 100 * 2**20  # of a safetensors file, as the format's own reader has it


def fetched(file: File, folder: Path, tell: Callable[[str], None], pin: bool = False) -> File:
    """``file`` in ``folder``, its digest and size filled in. AssetError where it cannot be fetched or is another file.

    A card that knows no digest is refused unless ``pin``: then what comes now is what every later check wants.
    """
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    if not file.sha256 and not pin:
        raise UsageError(f"the card knows no digest of {file.name}, so what is fetched could be anything", where=file.url,
                         remedy="Compare with its publisher's, write sha256 in a card of your own, or take what comes and "
                         "hold every later copy to it with --pin")
    if not file.sha256 and file.url.startswith("http://"):
        raise UsageError("neither a digest nor https vouches for this file", where=file.url)
    rough = folder / f".{file.name}.part"
    digest, size = hashlib.sha256(), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with urlopen(Request(file.url, headers={"User-Agent": "understudy"}), timeout=_PATIENCE_S) as source, \
                rough.open("wb") as out:
            told = source.headers.get("Content-Length")
            if file.url.startswith("https:") and not source.url.startswith("https:"):
                raise AssetError("was sent on to an address without https", where=file.url, got=source.url)
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > (file.bytes or MOST_BYTES):
                    raise AssetError("is larger than its card says", where=file.url,
                                     wanted=f"{file.bytes or MOST_BYTES} bytes")
                digest.update(piece)
                out.write(piece)
        if told is not None and told.isdigit() and int(told) != size:
            raise AssetError("came short", where=file.url, wanted=f"{told} bytes", got=size, remedy="Run the command again")
        if file.bytes is not None and size != file.bytes:
            raise AssetError("is not as large as its card says", where=file.url, wanted=f"{file.bytes} bytes", got=size)
        if file.sha256 and digest.hexdigest() != file.sha256:
            raise AssetError("is not the file that the card means", where=file.url, wanted=f"sha256 {file.sha256}",
                             got=digest.hexdigest(), remedy="Nothing of it is kept")
        only_safe(rough, file.name)
        rough.replace(folder / file.name)
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise AssetError(f"cannot be fetched: {reason}", where=file.url,
                         remedy="Look at the network, or put the files there by hand and name them in a card of your own "
                         "with file:// addresses") from error
    finally:
        rough.unlink(missing_ok=True)
    tell(f"{file.name}: {size:,} bytes, sha256 {digest.hexdigest()}")
    return File(file.name, file.url, digest.hexdigest(), size)


def only_safe(path: Path, name: str) -> None:
    """AssetError for weights that are no safetensors file (a pickle can run code), or a .json that is none."""
    if name.endswith(".json"):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, ValueError) as error:
            raise AssetError("is no JSON", where=name) from error
    if not name.endswith(".safetensors"):
        return
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        head = file.read(length) if 2 <= length <= min(_LONGEST_HEADER, path.stat().st_size) else b""
    try:
        header = json.loads(head)
        ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
    except (UnicodeDecodeError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise AssetError("is no safetensors file; no other form of weights is taken", where=name) from error
    if 8 + length + max(ends, default=0) != path.stat().st_size:
        raise AssetError("is a safetensors file cut short or with more behind it", where=name,
                         wanted=f"{8 + length + max(ends, default=0)} bytes", got=path.stat().st_size)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
