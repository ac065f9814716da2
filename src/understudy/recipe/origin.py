"""What a recipe file's relative paths start from: its own folder, unless its first line says otherwise.

::

    # paths start from: "../recipes"

That line, a path relative to the file, stands in the ``recipe.yaml`` of a made data set, which lies elsewhere than the
recipe that was typed: run again from there, it names the same files.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

_HEAD = "# paths start from: "


def starts_line(start: Path, folder: Path) -> str:
    """The first line of a recipe file in ``folder`` whose paths start from ``start``; nothing where that is the same."""
    way = os.path.relpath(start.resolve(), folder.resolve())
    return "" if way == "." else f"{_HEAD}{json.dumps(way)}\n"


def start_of(path: Path) -> Path:
    """The folder that the recipe file's relative paths start from, absolute."""
    own = path.absolute().parent
    try:
        if not path.is_file():
            return own
        with path.open("rb") as file:
            line = file.readline(16384).decode(errors="replace").strip()
        return own / str(json.loads(line.removeprefix(_HEAD))) if line.startswith(_HEAD) else own
    except (OSError, ValueError):  # the reader of the whole file says what is wrong with it
        return own
