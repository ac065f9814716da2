"""Rules on files: pictures that cannot be read, are missing, are listed by nothing, or are there twice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from understudy.checks.finding import Finding

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})
Size = tuple[int, int]


def files_below(folder: Path) -> list[Path]:
    """Every file below ``folder``, sorted, through links to folders too (each folder once); hidden ones (unfinished work)
    are left out."""
    found, entered = [], set()
    for where, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(found)


def pictures_in(folder: Path) -> list[Path]:
    """Every picture file below ``folder``, sorted."""
    return [p for p in files_below(folder) if p.suffix.lower() in PICTURES]


class PictureCheck:
    """Reads each picture once: decodes it, remembers a digest of its bytes, and tells what is wrong."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: dict[bytes, Path] = {}
        self._sizes: dict[Path, Size | None] = {}

    @property
    def count(self) -> int:
        return len(self._sizes)

    @property
    def known(self) -> set[Path]:
        """Every path that was looked at."""
        return set(self._sizes)

    def size(self, path: Path) -> Size | None:
        """Width and height of a picture that :meth:`look` read; None if it cannot be read."""
        return self._sizes.get(path)

    def look(self, path: Path) -> Iterator[Finding]:
        """Findings about one file; nothing on a file seen before."""
        if path in self._sizes:
            return
        self._sizes[path] = None
        where = name_of(path, self._root)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            yield Finding("picture-missing", where, "the picture is not there")
            return
        except OSError as error:
            yield Finding("picture-unreadable", where, "the picture cannot be read", got=error.strerror)
            return
        size = decoded_size(data)
        if isinstance(size, str):
            yield Finding("picture-unreadable", where, "the picture cannot be decoded", got=size)
        else:
            self._sizes[path] = size
        digest = blake2b(data, digest_size=16).digest()
        if digest in self._seen:
            yield Finding("picture-twice", where, f"the same file as {name_of(self._seen[digest], self._root)}",
                          "each picture once", severity="warning")
        else:
            self._seen[digest] = path


def decoded_size(data: bytes) -> Size | str:
    """Width and height after decoding every pixel, or the reason why not."""
    import io
    import warnings

    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data)) as image:
                image.load()
                return image.size
    except Exception as error:  # Pillow raises what its many decoders raise
        return f"{type(error).__name__}: {error}"


def name_of(path: Path, root: Path) -> str:
    """The path as a message shows it: below ``root`` where it lies there."""
    try:
        return str(path.relative_to(root)) if path != root else path.name
    except ValueError:
        return str(path)


def ledger_findings(out: Path) -> tuple[list[Finding], int]:
    """Our own data set's committed files against the checksums of its ledger: findings, and how many files were read."""
    from hashlib import sha256

    found: list[Finding] = []
    count = 0
    for ledger in sorted((out / "ledger").glob("[0-9]*.json")):
        where = f"ledger/{ledger.name}"
        try:
            files = json.loads(ledger.read_text())["files"]
            wanted = {str(name): str(facts["sha256"]) for name, facts in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            found.append(Finding("ledger", where, "the ledger cannot be read", got=f"{type(error).__name__}: {error}"))
            continue
        for name, digest in wanted.items():
            count += 1
            path = out / name
            if not path.is_file():
                found.append(Finding("ledger", where, f"{name} is committed but not there"))
            elif sha256(path.read_bytes()).hexdigest() != digest:
                found.append(Finding("ledger", name, "the file has changed since it was made", digest[:16], "other bytes"))
    for name, digest in _described(out).items():
        count += 1
        path = out / name
        if not path.is_file():
            found.append(Finding("ledger", "croissant.json", f"{name} is described but not there"))
        elif sha256(path.read_bytes()).hexdigest() != digest:
            found.append(Finding("ledger", name, "the file has changed since it was made", digest[:16], "other bytes"))
    return found, count


def _described(out: Path) -> dict[str, str]:
    """Files of the set as a whole (annotations, manifest) and their checksums, from its own description. run.json and
    recipe.yaml say what a run is asked for, which the next one may extend."""
    try:
        listed = json.loads((out / "croissant.json").read_text())["distribution"]
        return {str(f["contentUrl"]): str(f["sha256"]) for f in listed
                if f["@type"] == "cr:FileObject" and f["contentUrl"] not in ("run.json", "recipe.yaml")}
    except FileNotFoundError:  # a run that was stopped describes nothing yet
        return {}
    except (OSError, ValueError, KeyError, TypeError):
        return {"croissant.json": "whole JSON"}
