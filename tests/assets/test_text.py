"""Text of strangers: whatever it holds is text; what is too large or not there is one message with the remedy."""

import pytest

from understudy.assets.text import read_text
from understudy.errors import AssetError


def test_whatever_it_holds_is_text(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfHIERARCHY \xff")
    assert read_text(tmp_path / "a", 1 << 20, "") == "HIERARCHY \ufffd"


def test_too_large_or_absent_is_one_message(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * ((2 << 20) + 1))
    with pytest.raises(AssetError, match=r"too large \(wanted at most 1 MB, got 2 MB"):
        read_text(tmp_path / "a", 1 << 20, "Cut it")
    with pytest.raises(AssetError, match="cannot be read") as error:
        read_text(tmp_path / "b", 1 << 20, "Add it")
    assert error.value.remedy == "Add it"
