"""Coverage by the first pictures: by hand, and a stop where nothing new comes."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.learn.realism import saturation


def test_halves_down_to_twenty_five():
    assert saturation.counts(400) == [25, 50, 100, 200, 400] and saturation.counts(30) == [30]


def test_pairs_by_hand():
    """Two texts with two values each: four pairs. The first 25 pictures show one, 50 two, 100 all of them."""
    a = ["x"] * 25 + ["x"] * 25 + ["y"] * 50
    b = ["p"] * 25 + ["q"] * 25 + ["p", "q"] * 25
    drawn = {"a": a, "b": b, "constant": [1.0] * 100, "nothing": [None] * 100, "names": [f"n{i}" for i in range(100)]}
    assert saturation.of_pairs(drawn) == {25: 0.25, 50: 0.5, 100: 1.0}
    assert saturation.of_pairs({"a": a, "constant": [1] * 100}) == {}
    gone = {"a": [None, *a[1:]], "b": b}
    assert saturation.of_pairs(gone)[100] == 1.0


def test_numbers_fall_into_eighths():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 1, 4000).tolist(), np.exp(rng.normal(0, 3, 4000)).tolist()
    assert saturation.of_pairs({"x": x, "y": y})[4000] == 1.0  # 64 cells, 62 pictures in each
    assert saturation.of_pairs({"x": x, "same": x})[4000] == pytest.approx(1 / 8, abs=0.02)  # the diagonal alone


def test_copies_add_nothing_and_a_stop_is_suggested():
    rng = np.random.default_rng(1)
    real, first = rng.normal(0, 1, (300, 3)), rng.normal(0, 1, (100, 3))
    copies = saturation.of_real(np.concatenate([first, first, first, first]), real)
    assert list(copies) == [25, 50, 100, 200, 400] and copies[100] == copies[400]
    assert saturation.enough(copies) == 100
    assert "100 pictures of this recipe cover what 400 do" in saturation.told({"r": copies})
    growing = saturation.of_real(np.concatenate([first + 6 * i for i in range(4)]), np.concatenate(
        [real + 6 * i for i in range(4)]))
    assert saturation.enough(growing) is None and "still cover more" in saturation.told({"r": growing})
    assert saturation.enough(copies, growing) is None
