"""The other side of apart.py: run by another environment's Python, which has mostlyai-engine and not us.

    python worker.py FOLDER

FOLDER has ``given.parquet`` and ``job.json`` (rows, seed, minutes, names: columns that hold names); ``made.parquet`` and
``answer.json`` are written. An answer never quotes an error's text, which may hold a row.
"""

import json
import sys
import time
from pathlib import Path


def work(folder: Path, job: dict) -> dict:
    """Learn and make rows; what to answer."""
    try:
        import pandas as pd
        from mostlyai.engine import TabularARGN
    except (ImportError, RuntimeError) as error:  # the latter: torchvision does not fit; no row is read yet
        return {"absent": str(error).partition("\n")[0][:200]}
    given = pd.read_parquet(folder / "given.parquet")
    kinds = {c: "TABULAR_CATEGORICAL" if c in job["names"] else "TABULAR_NUMERIC_AUTO" for c in given.columns}
    engine = TabularARGN(
        max_training_time=job["minutes"],
        tgt_encoding_types=kinds,
        workspace_dir=folder / "workspace",
        random_state=job["seed"],
        device="cpu",
    )
    engine.fit(given)
    engine.sample(n_samples=job["rows"]).to_parquet(folder / "made.parquet", index=False)
    return {"seconds": time.process_time()}


def main() -> None:
    folder = Path(sys.argv[1])
    try:
        answer = work(folder, json.loads((folder / "job.json").read_text()))
    except Exception as error:  # whatever the engine raises: its kind is told, its text may hold a row
        answer = {"failed": type(error).__name__}
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
