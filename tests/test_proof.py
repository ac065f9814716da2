"""docs/proof.md names tests that exist, and gives every claim at least one."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "proof.md").read_text(encoding="utf-8")
IDS = sorted(set(re.findall(r"`([\w/]+\.py::\w+)`", PAGE)))
HEADS = ("| claim |", "| what |", "| defect |")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(HEADS)]


@cache
def named_in(file: str) -> frozenset[str]:
    """Names of the test functions of a file, read without importing it; of those that are skipped, none."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef)
                     and not any("skip" in ast.unparse(d) or "xfail" in ast.unparse(d) for d in node.decorator_list))


@pytest.mark.parametrize("test", IDS)
def test_what_is_named_exists(test):
    file, _, name = test.partition("::")
    assert name in named_in(file)


def test_every_claim_names_a_test():
    assert len(ROWS) > 50 and len(IDS) > 80
    assert [row for row in ROWS if "::" not in row] == []
