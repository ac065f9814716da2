"""Scripts of ``bench/`` as modules, as they find each other when one is run."""

import importlib
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def bench():
    sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
    return importlib.import_module
