"""Files that a person will look at: written whole, and opened in a viewer where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path


def written(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it; WriteError if the folder refuses."""
    from understudy.errors import WriteError

    rough = path.with_name(f".{path.name}.part")
    try:
        rough.write_bytes(data)
        rough.replace(path)
    except OSError as error:
        raise WriteError("the file could not be written", where=path, got=error.strerror or str(error),
                         remedy="Choose another file with -o.") from error
    finally:
        with suppress(OSError):  # Ctrl-C leaves no half file; a folder that refused to hold one refuses this too
            rough.unlink(missing_ok=True)


def viewer() -> str | None:
    """The command that opens a file on this desktop; None where there is no display or no such command."""
    if sys.platform == "darwin":
        return shutil.which("open")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return shutil.which("xdg-open")
    return None


def show(path: Path) -> bool:
    """Open ``path`` in the desktop's viewer, without waiting for it; whether there was one."""
    command = viewer()
    if command is None:
        return False
    subprocess.Popen([command, str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                     start_new_session=True)
    return True
