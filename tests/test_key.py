"""Named streams: addresses that differ anywhere give other numbers, the same address gives the same ones for ever."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.key import Key

PARTS = st.lists(st.one_of(st.integers(), st.text(max_size=6)), max_size=4).map(tuple)


def test_parts_do_not_run_together():
    """A hash without separators gives ``(1, "23x")`` and ``(12, "3x")`` one stream (a defect met in a peer)."""
    root = Key(0)
    for a, b in (((1, "23x"), (12, "3x")), (("ab", "c"), ("a", "bc")), ((1,), ("1",)), (("",), ()), ((1, 2), (2, 1))):
        assert root.child(*a) != root.child(*b)
        assert root.child(*a).words(2).tolist() != root.child(*b).words(2).tolist()


@given(PARTS, PARTS)
def test_equal_addresses_and_no_others_are_equal(a, b):
    assert (Key(3).child(*a) == Key(3).child(*b)) == (list(map(repr, a)) == list(map(repr, b)))
    assert Key(3).child(*a, *b) == Key(3).child(*a).child(*b)


def test_every_seed_counts_0_and_negatives_too():
    first = [Key(seed).words(1)[0] for seed in (0, 1, -1, 2**63, -(2**63))]
    assert len(set(first)) == 5 and Key(0).words(1)[0] == first[0]


def test_the_numbers_never_change():
    """Data sets of earlier versions must come out the same: these change only with a line in CHANGELOG.md."""
    key = Key(1) / "record" / 17
    program = "from understudy.key import Key; k = Key(1) / 'record' / 17; print(k.words(2).tolist(), k.integer(1, 6))"
    fresh = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert fresh.strip() == f"{key.words(2).tolist()} {key.integer(1, 6)}" == GOLDEN


def test_asking_twice_moves_nothing():
    key = Key(4).child("a")
    before = key.uniforms(5)
    key.normals(1000)
    key.child("b").words(9)
    assert np.array_equal(key.uniforms(5), before)


@pytest.mark.parametrize("part", [True, 1.0, None, b"a"])
def test_names_are_text_or_whole_numbers(part):
    with pytest.raises(TypeError, match="made of str and int"):
        Key(0).child(part)


def test_integers_are_unbiased():
    """Chi-squared over 6 faces; at a fixed seed, so the false-alarm rate of 1 in 10,000 was paid once."""
    counts = np.bincount([Key(0).child(i).integer(1, 6) for i in range(12_000)], minlength=7)[1:]
    assert ((counts - 2000) ** 2 / 2000).sum() < 25.7


GOLDEN = "[8229185977764501910, 248069626422483687] 5"
