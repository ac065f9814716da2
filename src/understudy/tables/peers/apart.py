"""mostlyai-engine, the neural peer, in a process and an environment of its own: its packages never meet ours.

Values go over as Parquet in a folder that only we can read and that is gone afterwards, whatever happens; rows come back the
same way. The other side is :mod:`understudy.tables.peers.worker`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from understudy.errors import MissingDependency, TableError, UsageError

INSTALL = (
    "python -m venv ENV && ENV/bin/pip install mostlyai-engine, then --python ENV/bin/python; "
    "a torchvision that does not fit its torch breaks it and can be uninstalled"
)
_GRACE_S = 300.0  # beyond the minutes of training: imports, encoding, sampling


def make(
    values: Mapping[str, np.ndarray], n: int, *, python: Path, minutes: float = 10.0, seed: int = 0
) -> dict[str, np.ndarray]:
    """``n`` rows that the engine makes of ``values`` after at most so many minutes of training.

    python : the other environment's. UsageError, MissingDependency, TableError: it is not there, has no engine, or fails.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not python.is_file() or not os.access(python, os.X_OK):
        raise UsageError(
            "there is no such Python", where="--python", wanted="an environment's bin/python", got=python, remedy=INSTALL
        )
    if not 0 < minutes <= 24 * 60:
        raise UsageError("training takes some minutes", where="--minutes", wanted="above 0, at most 1440", got=minutes)
    numeric = {c: v.dtype.kind == "f" for c, v in values.items()}
    with tempfile.TemporaryDirectory(prefix="understudy-peer-") as name:
        folder = Path(name)
        given = {c: pa.array(v, pa.float64() if numeric[c] else pa.string(), from_pandas=True) for c, v in values.items()}
        pq.write_table(pa.table(given), folder / "given.parquet")
        job = {"rows": n, "seed": seed, "minutes": minutes, "names": [c for c in values if not numeric[c]]}
        (folder / "job.json").write_text(json.dumps(job))
        _run([str(python), str(Path(__file__).with_name("worker.py")), name], folder, 60 * minutes + _GRACE_S)
        _hold(_answer(folder / "answer.json"), python)
        try:
            made = pq.read_table(folder / "made.parquet")
        except (OSError, pa.ArrowInvalid):
            raise TableError("the other engine gave no rows", where=python) from None
    if made.num_rows != n:
        raise TableError("the other engine gave another number of rows", where=python, wanted=n, got=made.num_rows)
    plain = {c: bool(numeric.get(c)) and _plain(made[c].type) for c in made.column_names}
    return {c: np.array(made[c].to_pylist(), float if plain[c] else object) for c in made.column_names}


def _plain(kind: Any) -> bool:
    import pyarrow.types as pt

    return pt.is_integer(kind) or pt.is_floating(kind)


def _run(command: list[str], folder: Path, limit_s: float) -> None:
    """Run to the end, or to the limit, or until we are stopped: nothing is left running."""
    quiet = {"HF_HUB_OFFLINE": "1", "TMPDIR": str(folder), "PYTHONPATH": ""}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **quiet},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # an engine's talk may hold values
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        raise TableError(
            "the other engine takes too long",
            where=command[0],
            wanted=f"at most {limit_s:.0f} s",
            remedy="Give fewer --minutes",
        ) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answer(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {"failed": "no answer"}


def _hold(answer: Mapping[str, Any], python: Path) -> None:
    if "absent" in answer:
        raise MissingDependency(f"{python}: mostlyai-engine cannot be imported: {answer['absent']}", remedy=INSTALL)
    if "failed" in answer:
        raise TableError(
            "the other engine failed",
            where=python,
            got=answer["failed"],
            remedy="What it said may hold rows and is not shown: run it by itself on made rows to see",
        )
