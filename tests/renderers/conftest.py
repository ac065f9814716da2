"""What tests of the compiled renderer share."""

import pytest

from understudy.renderers.mitsuba.variant import mitsuba


@pytest.fixture
def mi():
    """Mitsuba as it compiles: rays and their numbers are plain NumPy, or Mitsuba's own, where nothing can be compiled."""
    module = mitsuba()
    if module.variant().startswith("scalar"):
        pytest.skip("nothing is compiled here: no LLVM and no GPU")
    return module
