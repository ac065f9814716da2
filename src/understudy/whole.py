"""A file that a person names with ``-o``: there whole, or as it was before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from understudy.errors import WriteError


@contextmanager
def written_whole(path: Path, what: str = "file") -> Iterator[Path]:
    """A temporary name beside ``path`` to write to, renamed when the block ends well and removed when it does not. What is
    no plain file (``/dev/null``, a pipe) is written to itself: a rename would put a file in its place.

    Raises WriteError ("the ``what`` could not be written") if the folder refuses.
    """
    rough = path if path.exists() and not path.is_file() else path.with_name(f".{path.name}.part")
    try:
        yield rough
        if rough is not path:
            rough.replace(path)
    except OSError as error:
        raise WriteError(f"the {what} could not be written", where=path, got=error.strerror or str(error),
                         remedy="Choose another file with -o.") from error
    finally:
        if rough is not path:
            with suppress(OSError):  # Ctrl-C leaves no half file; a folder that refused to hold one refuses this too
                rough.unlink(missing_ok=True)
