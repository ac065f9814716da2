"""docs/formats.md says what the formats say of themselves."""

import re
from pathlib import Path

import pytest

from understudy.fields import resolve
from understudy.writers import WRITERS
from understudy.writers import maps as encodings

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_the_tables_are_cannot_carry(name):
    section = re.search(rf"^### {name}\n(.*?)(?=^##)", PAGE, re.S | re.M).group(1)
    listed = dict(re.findall(r"^\| `(.+?)` \| (.+) \|$", section, re.M))
    assert listed == dict(resolve(WRITERS, name).cannot_carry)


def test_every_encoding_is_on_the_page_and_in_the_module():
    section = PAGE[PAGE.index("## Maps"):]
    rows = re.findall(r"^\| ([a-z0-9, ]+?) \| (?:png|npz) \|", section, re.M)
    on_page = {word for row in rows for word in row.split(", ")}
    in_module = set(re.findall(r"\b(mm16|normal8|mask1|id8|id16|id24|id32|rgb8|npz)\b", encodings.__doc__))
    assert on_page == in_module
