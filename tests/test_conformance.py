"""Every entry of every table, held to the conformance kit."""

from __future__ import annotations

from pathlib import Path

import pytest

import understudy
from understudy.checks.conformance import (
    label_checks,
    renderer_checks,
    surroundings_checks,
    unlisted,
    world_checks,
    writer_checks,
)
from understudy.fields import resolve
from understudy.labels import LABELS
from understudy.renderers import RENDERERS
from understudy.surroundings import SURROUNDINGS
from understudy.worlds import WORLDS
from understudy.writers import WRITERS

PACKAGE = Path(understudy.__file__).parent
TABLES = {"worlds": WORLDS, "surroundings": SURROUNDINGS, "renderers": RENDERERS, "labels": LABELS, "writers": WRITERS}


def _checks(kit, table, **options):
    return [check for name in table for check in kit(name, options.get(name, resolve(table, name)))]


def _quick(name):
    """The renderer with few samples: what is checked does not depend on their number."""
    cls = resolve(RENDERERS, name)
    return cls(samples=1) if "samples" in {f for f in cls.__dataclass_fields__} else cls


@pytest.mark.parametrize("check", _checks(world_checks, WORLDS), ids=str)
def test_worlds(check):
    check()


@pytest.mark.parametrize("check", _checks(surroundings_checks, SURROUNDINGS), ids=str)
def test_surroundings(check):
    check()


@pytest.mark.parametrize("check", _checks(renderer_checks, RENDERERS, **{n: _quick(n) for n in RENDERERS}), ids=str)
def test_renderers(check):
    check()


@pytest.mark.parametrize("check", _checks(label_checks, LABELS), ids=str)
def test_labels(check):
    check()


@pytest.mark.parametrize("check", _checks(writer_checks, WRITERS), ids=str)
def test_writers(check):
    check()


@pytest.mark.parametrize("kind", TABLES)
def test_every_entry_in_the_folder_is_in_the_table(kind):
    assert unlisted(PACKAGE / kind, TABLES[kind], kind) == []


@pytest.mark.parametrize("kind", TABLES)
def test_every_line_of_the_table_leads_to_an_entry(kind):
    for name in TABLES[kind]:
        entry = resolve(TABLES[kind], name)
        assert callable(entry) and entry.__module__.startswith(f"understudy.{kind}.")
