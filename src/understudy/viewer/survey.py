"""Counting a data set in one pass: every statistic here has a bounded size, however many records flow through.

:class:`Survey` counts records; :func:`manifest_columns` and :func:`wanted_shares` compare what the recipe asked for with
what was drawn.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from understudy.record import Record

MOST_VALUES = 50_000
_GRID = (24, 32)  # rows and columns of the map of places
_PARTED = re.compile(r"\[\d+\]")


@dataclass
class Column:
    """The values of one name: numbers (the first ``MOST_VALUES``) or texts (counted). ``n`` counts all of them."""

    numbers: list[float] = field(default_factory=list)
    texts: Counter[str] = field(default_factory=Counter)
    n: int = 0
    absent: int = 0

    def add(self, value: object) -> None:
        if value is None:
            self.absent += 1
            return
        self.n += 1
        if isinstance(value, int | float) and not isinstance(value, bool):
            if len(self.numbers) < MOST_VALUES and math.isfinite(value):
                self.numbers.append(float(value))
            return
        text = str(value)
        if text in self.texts or len(self.texts) < 1000:
            self.texts[text] += 1

    @property
    def constant(self) -> object | None:
        """The one value that all have, or None."""
        if self.numbers and not self.texts and min(self.numbers) == max(self.numbers):
            return self.numbers[0]
        return next(iter(self.texts)) if len(self.texts) == 1 and not self.numbers else None


@dataclass
class Survey:
    """What a data set holds, counted record by record."""

    records: int = 0
    instances: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    per_picture: Counter[int] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    box: dict[str, Column] = field(default_factory=lambda: {"side": Column(), "aspect": Column()})
    coco_sizes: Counter[str] = field(default_factory=Counter)
    visible: Column = field(default_factory=Column)
    truncation: Column = field(default_factory=Column)
    attributes: dict[str, Column] = field(default_factory=dict)
    points: dict[str, Counter[int]] = field(default_factory=dict)
    places: np.ndarray = field(default_factory=lambda: np.zeros(_GRID))
    licences: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        """Count one record; its picture is not decoded."""
        w, h = record.picture.size_wh
        self.records += 1
        self.instances += len(record.instances)
        self.per_picture[len(record.instances)] += 1
        self.sizes[w, h] += 1
        for licence in {a[2] for a in record.assets}:
            self.licences[licence] += 1
        for i in record.instances:
            self.categories[record.categories[i.category_id - 1]] += 1
            x0, y0, x1, y1 = i.xyxy_px
            side = math.sqrt((x1 - x0) * (y1 - y0))
            self.box["side"].add(side / math.sqrt(w * h))
            self.box["aspect"].add((y1 - y0) / (x1 - x0))
            area = i.area_px if i.area_px is not None else side * side
            # COCO's three sizes (cocoeval: areas below 32², below 96², above)
            self.coco_sizes["small" if area < 32**2 else "medium" if area < 96**2 else "large"] += 1
            self.visible.add(i.visible_fraction)
            self.truncation.add(i.truncation)
            rows, columns = _GRID
            self.places[int(y0 / h * rows):max(math.ceil(y1 / h * rows), int(y0 / h * rows) + 1),
                        int(x0 / w * columns):max(math.ceil(x1 / w * columns), int(x0 / w * columns) + 1)] += 1
            for name, value in i.attributes.items():
                if name in self.attributes or len(self.attributes) < 200:
                    self.attributes.setdefault(name, Column()).add(value)
            for points in sorted(i.points, key=lambda p: len(p.names))[:1]:
                for name, v in zip(points.names[:40], points.xyv[:, 2]):
                    self.points.setdefault(name, Counter())[int(v)] += 1


def manifest_columns(path: Path) -> dict[str, Column]:
    """Every drawn path of a manifest.parquet, members together (``age[0]`` and ``age[1]`` are one axis), in file order."""
    import pyarrow.parquet as pq

    columns: dict[str, Column] = {}
    with path.open("rb") as handle:  # Arrow itself opens only names that are UTF-8
        file = pq.ParquetFile(handle)
        names = [n for n in file.schema_arrow.names if n not in ("index", "file_name", "attempts")]
        for batch in file.iter_batches(batch_size=2048, columns=names):
            for name, array in zip(batch.schema.names, batch.columns):
                column = columns.setdefault(_PARTED.sub("", name), Column())
                for value in array.to_pylist():
                    column.add(value)
    return columns


def manifest_rows(path: Path, indices: set[int]) -> dict[int, dict[str, object]]:
    """What was drawn for a few records: index -> {path: value}."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows: dict[int, dict[str, object]] = {}
    with path.open("rb") as handle:
        for batch in pq.ParquetFile(handle).iter_batches(batch_size=2048):
            some = batch.filter(pc.is_in(batch.column("index"), value_set=pa.array(sorted(indices), pa.int64())))
            for row in some.to_pylist():
                rows[row["index"]] = {name: value for name, value in row.items()
                                      if value is not None and name not in ("index", "file_name", "attempts")}
    return rows


@dataclass(frozen=True)
class Share:
    """One option of a choice: how often it was wanted and came. low, high : 95 % interval of the share that came."""

    option: str
    wanted: float
    got: int
    low: float
    high: float


@dataclass(frozen=True)
class Shares:
    """A choice of the recipe against the draws. p : chance of a gap this large or larger if the recipe was followed
    (Pearson's chi-squared), None where there is too little to say."""

    path: str
    n: int
    options: tuple[Share, ...]
    p: float | None


def wanted_shares(recipe: Mapping[str, Any], columns: Mapping[str, Column]) -> list[Shares]:
    """Every weighted or equal choice of a recipe (its YAML as plain data) against the manifest."""
    found = []
    for path, options in choices(recipe):
        column = _column_of(path, columns)
        if column is None or column.n == 0 or sum(options.values()) <= 0:
            continue
        got: Counter[str] = Counter()
        for text, times in column.texts.items():
            got[option_of(text, options)] += times
        for number in column.numbers:
            got[option_of(number, options)] += 1
        n, total = got.total(), sum(options.values())
        shares = tuple(Share(o, w / total, got[o], *wilson(got[o], n)) for o, w in options.items())
        if got[""]:  # a value that the recipe's options do not name
            shares = (*shares, Share("(others)", 0.0, got[""], *wilson(got[""], n)))
        found.append(Shares(path, n, shares, chi_squared_p(shares, n)))
    return found


def _column_of(path: str, columns: Mapping[str, Column]) -> Column | None:
    """The column of a recipe's path. A column leaves out the name of what stands in a slot: ``surroundings.blend`` holds
    what the recipe calls ``surroundings.photographs.blend``."""
    if path in columns:
        return columns[path]
    names = path.split(".")
    shorter = (".".join(names[:k] + names[k + 1:]) for k in range(1, len(names) - 1))
    return next((columns[s] for s in shorter if s in columns), None)


def wilson(k: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (JASA 22, 1927): k of n -> (low, high)."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = k / n, z * z
    middle, half = p + z2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, (middle - half) / (1 + z2 / n)), min(1.0, (middle + half) / (1 + z2 / n))


def chi_squared_p(shares: tuple[Share, ...], n: int) -> float | None:
    """Pearson's chi-squared test of the counts; options that expect fewer than 5 are taken together."""
    from scipy.special import chdtrc

    if any(s.wanted == 0 and s.got for s in shares):
        return 0.0
    large = [(s.got, s.wanted * n) for s in shares if s.wanted * n >= 5]
    small = [(s.got, s.wanted * n) for s in shares if 0 < s.wanted * n < 5]
    rest = (sum(g for g, _ in small), sum(w for _, w in small))
    cells = [*large, rest] if rest[1] >= 5 else large
    if len(cells) < 2:
        return None
    return float(chdtrc(len(cells) - 1, sum((g - w) ** 2 / w for g, w in cells)))


def choices(recipe: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """Every weighted or equal choice of a recipe (its YAML as plain data): its path, and its options with their weights."""
    yield from _choices(recipe, (), set())


def _choices(node: Any, path: tuple[str, ...], above: set[int]) -> Iterator[tuple[str, dict[str, float]]]:
    if not isinstance(node, Mapping) or id(node) in above or len(path) > 30:  # YAML's aliases can make a ring
        return
    above.add(id(node))
    if len(node) == 1:
        (kind, body), = node.items()
        if kind == "weighted" and isinstance(body, Mapping) and all(_is_number(w) for w in body.values()):
            yield ".".join(path), {_plain(k): float(w) for k, w in body.items()}
            return
        if kind == "weighted" and isinstance(body, list) and all(isinstance(o, list) and len(o) == 2 for o in body):
            yield ".".join(path), {_label(value): float(weight) for value, weight in body}
            return
        if kind == "choice" and isinstance(body, list) and all(not isinstance(o, dict | list) for o in body):
            yield ".".join(path), {o: 1.0 * n for o, n in Counter(map(_plain, body)).items()}
            return
    for name, below in node.items():
        yield from _choices(below, (*path, str(name)), above)


def _label(value: Any) -> str:
    """An option's name: a literal's text, the range that a distribution reaches."""
    if isinstance(value, Mapping) and len(value) == 1:
        (kind, body), = value.items()
        if kind in ("uniform", "log_uniform", "integers") and isinstance(body, list) and len(body) == 2:
            return f"{_plain(body[0])}-{_plain(body[1])}"
        if kind == "normal" and isinstance(body, list) and len(body) == 4:
            return f"{_plain(body[2])}-{_plain(body[3])}"
    return _plain(value)


def option_of(value: str | float, options: Mapping[str, float]) -> str:
    """The option that a drawn value came from: itself, or the range that holds it ("13-17", "61+"); "" if none."""
    text = _plain(value)
    if text in options:
        return text
    if isinstance(value, float):
        for option in options:
            if _is_text_number(option) and float(option) == value:
                return option
            ends = re.fullmatch(r"\s*(-?[\d.]+)\s*(?:-|to|\.\.)\s*(-?[\d.]+)\s*", option)
            if ends and float(ends[1]) <= value <= float(ends[2]):
                return option
            above = re.fullmatch(r"\s*(-?[\d.]+)\s*\+\s*", option)
            if above and value >= float(above[1]):
                return option
    return ""


def _plain(value: object) -> str:
    """One spelling for a value in YAML and in the manifest (True and true, 3.0 and 3)."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = "null" if value is None else str(value)
    return {"True": "true", "False": "false"}.get(text, text)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
