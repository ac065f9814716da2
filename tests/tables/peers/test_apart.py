"""The neural peer lives in an environment of its own: here a Python that finds a stand-in for its package."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from understudy.cli import main
from understudy.errors import MissingDependency, TableError, UsageError
from understudy.tables.peers import apart

SECRET = "Zanzibar-7391"

# What the worker uses of the engine: fit and sample. It gives rows back in another order, and says what it saw.
ENGINE = """
class TabularARGN:
    def __init__(self, max_training_time, tgt_encoding_types, workspace_dir, random_state, device):
        self.kinds, self.seed = tgt_encoding_types, random_state
        workspace_dir.mkdir()
    def fit(self, given):
        self.given = given
        assert self.kinds == {"age": "TABULAR_NUMERIC_AUTO", "since": "TABULAR_NUMERIC_AUTO", "group": "TABULAR_CATEGORICAL"}
        assert given["age"].dtype.kind == "f" and given["group"].isna().sum() == 1
    def sample(self, n_samples):
        {act}
        return self.given.sample(n_samples, replace=True, random_state=self.seed)
"""


def environment(folder: Path, act: str = "pass") -> Path:
    """A Python whose mostlyai-engine does ``act`` when it samples; ``""``: one without the package."""
    package = folder / "packages" / "mostlyai"
    package.mkdir(parents=True)
    if act:
        (package / "__init__.py").touch()
        (package / "engine.py").write_text(ENGINE.replace("{act}", act))
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={package.parent} exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    path = tmp_path_factory.mktemp("peer") / "people.csv"
    n = np.arange(300)
    group = np.where(n == 9, SECRET, np.where(n % 3 == 0, "old", "young"))
    since = np.array([f"2{y:03}-03-01" for y in n % 30])
    table = {"age": 20 + n % 50, "since": since, "group": np.where(n == 5, "", group), "email": [f"a{i}@b.org" for i in n]}
    pc.write_csv(pa.table(table), path)
    return path


def test_rows_come_back_in_the_formats_of_the_source(people, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    made = tmp_path / "made.parquet"
    command = ["table", "peer", str(people), "--engine", "mostlyai", "--python", str(environment(tmp_path)), "-n", "400"]
    assert main([*command, "-o", str(made)]) == 0
    table = pq.read_table(made)
    assert table.num_rows == 400 and table.column_names == ["age", "since", "group"]
    assert set(table["since"].to_pylist()) <= {f"2{y:03}-03-01" for y in range(30)}
    assert set(table["age"].to_pylist()) <= set(range(20, 70))
    assert "given to no other engine: email" in capsys.readouterr().err
    assert not list((tmp_path / "tmp").iterdir())  # nothing of the data stays behind


@pytest.mark.parametrize(
    "act, error, words",
    [
        ("", MissingDependency, "pip install mostlyai-engine"),
        (f"raise ValueError('{SECRET}')", TableError, "got ValueError"),
        ("import os; os._exit(9)", TableError, "no answer"),
        ("self.given = self.given.drop(columns='age')", TableError, "left a column out"),
        ("self.given['age'] = 'x'", TableError, "something else than numbers"),
        ("n_samples = 7", TableError, "another number of rows"),
        ("import time; time.sleep(60)", TableError, "takes too long"),
    ],
)
def test_what_goes_wrong_over_there_is_one_message_without_a_value(people, tmp_path, capsys, monkeypatch, act, error, words):
    if "sleep" in act:
        monkeypatch.setattr(apart, "_GRACE_S", 4.0)
    made = tmp_path / "made.csv"
    command = ["table", "peer", str(people), "--engine", "mostlyai", "--python", str(environment(tmp_path, act))]
    assert main([*command, "--minutes", "0.01", "-o", str(made)]) == error.exit_code
    told = capsys.readouterr().err
    assert words in told and SECRET not in told and "Traceback" not in told and not made.exists()


def test_wrong_commands(people, tmp_path, capsys):
    made = tmp_path / "made.csv"
    for more, words in (
        (["--engine", "ctgan"], "mostlyai or dpgan"),
        (["--engine", "mostlyai"], "environment of its own"),
        (["--engine", "mostlyai", "--python", str(tmp_path / "none")], "no such Python"),
        (["--engine", "mostlyai", "--python", sys.executable, "--minutes", "0"], "--minutes"),
        (["--engine", "dpgan"], "dpgan needs it"),
        (["--engine", "dpgan", "--epsilon", "1"], "public knowledge"),
        (["--engine", "mostlyai", "--python", sys.executable, "-n", "0"], "number of rows"),
    ):
        assert main(["table", "peer", str(people), *more, "-o", str(made)]) == UsageError.exit_code
        assert words in capsys.readouterr().err and not made.exists()
