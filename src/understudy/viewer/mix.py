"""The order of a mix: several ordered shares together (age x gender x skin tone x build), wanted against got."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from understudy.viewer.survey import Share, Shares, chi_squared_p, choices, option_of, wilson

# What makes a population, in the order of the table's columns: ends of a recipe's paths.
AXES = ("body.age", "body.gender", "skin.tone", "body.bmi", "body.bmi_z", "body.height_cm", "body.height_z")
_MOST_CELLS = 5000


def ordered_mix(recipe: Mapping[str, Any], manifest: Path) -> Shares | None:
    """All ordered axes of a population crossed, each figure of a manifest in its cell; None for fewer than two axes.

    Axes are drawn apart, so a cell's wanted share is the product of its options' shares.
    """
    import pyarrow.parquet as pq

    axes = {path: options for end in AXES for path, options in choices(recipe) if path.endswith(f".{end}")}
    cells = 1
    for options in axes.values():
        cells *= len(options)
    if len(axes) < 2 or cells > _MOST_CELLS:
        return None
    got: Counter[tuple[str, ...]] = Counter()
    with manifest.open("rb") as handle:
        file = pq.ParquetFile(handle)
        there = set(file.schema_arrow.names)
        members = sorted({m[0] for n in there if (m := re.search(r"(\[\d+\])+$", n)) and n[: m.start()] in axes})
        for member in members or [""]:
            names = [path + member for path in axes]
            if not set(names) <= there:
                continue
            for batch in file.iter_batches(batch_size=8192, columns=names):
                for row in zip(*(batch.column(name).to_pylist() for name in names)):
                    if None not in row:
                        got[tuple(option_of(v, options) for v, options in zip(row, axes.values()))] += 1
    n = got.total()
    if not n:
        return None
    totals = [sum(options.values()) for options in axes.values()]
    rows = []
    for cell in product(*axes.values()):
        wanted = 1.0
        for option, options, total in zip(cell, axes.values(), totals):
            wanted *= options[option] / total
        if wanted > 0 or got[cell]:
            rows.append(Share(" · ".join(cell), wanted, got[cell], *wilson(got[cell], n)))
    p = chi_squared_p(tuple(rows), n)
    rows.sort(key=lambda share: -abs(share.got - share.wanted * n))
    return Shares("the mix: " + " x ".join(path.rpartition(".")[2] for path in axes), n, tuple(rows), p)
