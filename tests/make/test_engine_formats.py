"""The engine over every format in the table: a shard without one record is a shard."""

from __future__ import annotations

import dataclasses

import engine_fakes as fakes
import pytest

from understudy.fields import resolve
from understudy.make import generate
from understudy.writers import WRITERS


@pytest.mark.parametrize("name", WRITERS)
def test_shards_without_records(tmp_path, name):
    lost = {index: "never" for index in (0, 1, 4, 5)}  # the first shard of two, and the last
    recipe = fakes.FakeRecipe(world=fakes.Rectangles(trouble=lost))
    recipe = dataclasses.replace(recipe, write=resolve(WRITERS, name)(), write_name=name)
    for out, workers in (("a", 0), ("b", 2)):
        report = generate(recipe, tmp_path / out, count=6, shard_size=2, workers=workers)
        assert (report.made, report.rejected) == (2, 4)
    assert fakes.tree(tmp_path / "a") == fakes.tree(tmp_path / "b")
    read = list(recipe.write.read(tmp_path / "a"))
    assert [record.index for record in read] == [2, 3]
    assert generate(recipe, tmp_path / "a", count=6, workers=0).now == 0
