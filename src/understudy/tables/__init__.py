"""Tables: made client data that keeps the statistics and loses the people.

::

    model = fit("people.csv")                    # or a Parquet file, a folder, a SQLite file, a pandas or polars frame
    made = model.sample(1000, seed=1)            # {"people": pyarrow.Table}
    model.save("people.model"); model = load("people.model")

What is learnt are states (``states/``: names and cells that at least k rows share), column after column, trees on the
states before (``trees.py``, ``chain.py``), and what these miss of whole rows (``correction.py``). ``docs/tables.md`` says
what that protects and what it does not.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.tables.model import Model


def fit(data: Any, **options: Any) -> Model:
    """Learn from ``data``; see :func:`understudy.tables.model.fit` for the options."""
    from understudy.tables import model

    return model.fit(data, **options)


def load(path: str | Path) -> Model:
    """A model from its file."""
    from understudy.tables import model

    return model.Model.load(Path(path))
