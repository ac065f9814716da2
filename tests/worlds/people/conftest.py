"""Fixtures of the people world's tests."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def dress_figures():
    """The module beside this file (test modules are imported one by one, without their folder)."""
    path = Path(__file__).with_name("dress_figures.py")
    spec = importlib.util.spec_from_file_location("dress_figures", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
