"""Picture and labels are of one moment: a code painted into each rectangle is read back under that very rectangle's mask."""

from __future__ import annotations

import io

import engine_fakes as fakes
import numpy as np

from understudy.make import make_record


def test_each_mask_lies_on_the_code_of_its_own_record():
    from PIL import Image

    shades = set()
    for index in range(12):
        record = make_record(fakes.FakeRecipe(), index).record
        with Image.open(io.BytesIO(record.picture.data)) as image:
            pixels = np.asarray(image.convert("RGB"))[..., 0]
        for instance in record.instances:
            (drawn,) = {int(v) for k, v in record.drawn.items() if k.endswith(f"shade[{instance.id - 1}]")}
            seen = pixels[instance.mask.decode()]
            assert seen.size and set(seen.tolist()) == {drawn}, index
            shades.add(drawn)
    assert len(shades) > 12  # the code tells records apart
