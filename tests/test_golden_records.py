"""Ten records of each world, held to their digests: bytes change only with a line in CHANGELOG.md that says so.

Labels are digested exactly, drawn numbers after rounding to nine digits (libm may differ in the last bits). After a change
that is meant, ``python tests/test_golden_records.py`` writes the digests anew.
"""

import json
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from understudy.make import make_record
from understudy.recipe import parse

GOLDEN = Path(__file__).parent / "golden" / "records.json"
SMALL = ["sensors.renderer=flat", "sensors.camera.size=[96, 72]",
         "labels.keep=[masks, amodal, semantic, parts, instances, keypoints]"]
RECIPES = {
    "solids": ("solids", []),
    "people": ("people-in-rooms", []),
}


def digests(name: str) -> list[str]:
    recipe_name, more = RECIPES[name]
    recipe = parse(recipe_name, overrides=[*SMALL, *more])
    return [digest(make_record(recipe, index).record) for index in range(10)]


def digest(record) -> str:
    state = blake2b(digest_size=12)
    for channel in ("instances", "semantic", "parts"):
        state.update(np.ascontiguousarray(record.maps[channel]).tobytes())
    for instance in record.instances:
        state.update(repr((instance.id, instance.category_id, instance.xyxy_px, instance.mask.counts,
                           instance.amodal_mask.counts)).encode())
        for points in instance.points:
            state.update(points.xyv[:, 2].astype(np.uint8).tobytes())
    for path, value in record.drawn.items():
        state.update(f"{path}={f'{value:.9g}' if isinstance(value, float) else value!r}\n".encode())
    return state.hexdigest()


@pytest.mark.parametrize("name", RECIPES)
def test_records_are_those_of_the_golden_file(name):
    assert digests(name) == json.loads(GOLDEN.read_text())[name]


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: digests(name) for name in RECIPES}, indent=1) + "\n")
