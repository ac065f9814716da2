"""Text files of strangers: read whole, up to a size, whatever they hold."""

from __future__ import annotations

from pathlib import Path

from understudy.errors import AssetError


def read_text(path: Path, most_bytes: int, remedy: str) -> str:
    """The file's text (whatever is no UTF-8 is replaced). Raises AssetError, with ``remedy``, where it is missing, larger
    than ``most_bytes`` or cannot be read."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise AssetError("the file is too large", where=path, wanted=f"at most {most_bytes >> 20} MB",
                             got=f"{size >> 20} MB", remedy=remedy)
        return path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise AssetError("the file cannot be read", where=path, got=error.strerror, remedy=remedy) from error
