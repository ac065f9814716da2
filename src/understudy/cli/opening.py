"""Files that a person will look at, opened in a viewer where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


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
