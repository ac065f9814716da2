"""The conformance kit: what every world, place, renderer, label and format must keep to, as checks with names of their own.

It is part of the package so that an addition of yours can be held to it in your own tests::

    import pytest
    from understudy.checks.conformance import world_checks
    from birds import Birds

    @pytest.mark.parametrize("check", world_checks("birds", Birds), ids=str)
    def test_birds(check):
        check()

A check raises AssertionError with what was wanted and what it got. ``world_checks``, ``surroundings_checks``,
``renderer_checks``, ``label_checks`` and ``writer_checks`` take the entry's name and its class (an instance where it needs
settings); ``unlisted`` finds files that no table names.
"""

from understudy.checks.conformance.check import Check
from understudy.checks.conformance.labels import label_checks
from understudy.checks.conformance.renderers import renderer_checks
from understudy.checks.conformance.tables import unlisted
from understudy.checks.conformance.worlds import surroundings_checks, world_checks
from understudy.checks.conformance.writers import writer_checks

__all__ = ["Check", "label_checks", "renderer_checks", "surroundings_checks", "unlisted", "world_checks", "writer_checks"]
