"""The loop: one record (:mod:`~understudy.make.record`), a shard of them (:mod:`~understudy.make.shard`), a whole data set
(:mod:`~understudy.make.run`).

::

    from understudy.recipe import parse
    from understudy.make import generate

    report = generate(parse("people.yaml"), "people/", count=1000, workers=8)
"""

from understudy.make.record import Made, Outcome, Rejected, make_record
from understudy.make.run import Report, generate

__all__ = ["Made", "Outcome", "Rejected", "Report", "generate", "make_record"]
