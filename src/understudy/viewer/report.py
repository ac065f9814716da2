"""The HTML report on a data set: one file with everything in it, of a size that does not grow with the data set."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from understudy.errors import DatasetError
from understudy.record import Record
from understudy.viewer import charts, layers
from understudy.viewer.mix import ordered_mix
from understudy.viewer.page import PAGE, SCRIPT, STYLE
from understudy.viewer.survey import Column, Shares, Survey, manifest_columns, manifest_rows, wanted_shares

_SAMPLE_PX = 460
_MOST_CHARTS = 160
_OFF_AT_FIRST = ("amodal", "captions")


@dataclass
class Source:
    """What lies in a data set's folder beside its records; empty for a foreign one.

    lost : reasons why records were rejected or failed, counted; redrawn : draws that were refused and drawn again
    mix : the ordered axes of a population crossed; problems : what could not be read, said in the report
    """

    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    licences: list[Mapping[str, Any]] = field(default_factory=list)
    mix: Shares | None = None
    made: int = 0
    rejected: int = 0
    failed: int = 0
    redrawn: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def report(path: Path, *, samples: int = 24, seconds: Mapping[str, float] | None = None) -> str:
    """The report on the data set in ``path`` as HTML. Raises DatasetError if there is no data set.

    samples : how many pictures to show; seconds : cost of a record by stop of its path, measured elsewhere
    """
    from understudy.writers import detect

    name, written = detect(path)
    source = read_source(path)
    survey, shown = Survey(), _Spread(samples)
    for record in written.read(path, lambda error: source.problems.append(str(error))):
        survey.add(record)
        shown.offer(record)
    if not survey.records:
        raise DatasetError("the data set holds no records", where=path,
                           got=source.problems[0] if source.problems else None)
    content = [_head(path, name, survey, source), _samples(_with_draws(shown.kept, path, source)), _holds(survey)]
    if source.columns:
        content += [_shares(source), _drawn(source)]
    content += [_cost(seconds), _lost(source), _licences(source, survey)]
    return PAGE.format(title=escape(f"{source.name} · understudy"), style=STYLE, script=SCRIPT, content="\n".join(content))


class _Spread:
    """Keeps about ``n`` records spread evenly over a stream of unknown length."""

    def __init__(self, n: int) -> None:
        self._n, self._every, self._seen = max(n, 0), 1, 0
        self._kept: list[tuple[int, Record]] = []

    def offer(self, record: Record) -> None:
        if self._n and self._seen % self._every == 0:
            self._kept.append((self._seen, record))
            if len(self._kept) >= 2 * self._n:
                self._every *= 2
                self._kept = [k for k in self._kept if k[0] % self._every == 0]
        self._seen += 1

    @property
    def kept(self) -> list[Record]:
        if len(self._kept) <= self._n:
            return [r for _, r in self._kept]
        step = len(self._kept) / self._n
        return [self._kept[int(k * step)][1] for k in range(self._n)]


def read_source(path: Path) -> Source:
    """Everything beside the records that is there and can be read."""
    folder = path if path.is_dir() else path.parent
    source = Source(path.name or str(path))
    if (folder / "manifest.parquet").is_file():
        try:
            source.columns = manifest_columns(folder / "manifest.parquet")
        except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
            source.problems.append(f"manifest.parquet: {error}")
    source.recipe = _plain_yaml(folder / "recipe.yaml", source)
    if source.columns:
        source.mix = ordered_mix(source.recipe, folder / "manifest.parquet")
    source.run = _json(folder / "run.json", source, {})
    licences = _json(folder / "licences.json", source, {})
    if isinstance(licences, dict) and isinstance(licences.get("assets"), list):
        source.licences = [a for a in licences["assets"] if isinstance(a, dict)]
    for file in sorted((folder / "ledger").glob("[0-9]*.json")):
        entry = _json(file, source, {})
        if not isinstance(entry, dict):
            continue
        source.made += int(entry.get("made", 0))
        for kind in ("rejected", "failed"):
            for line in entry.get(kind, []):
                setattr(source, kind, getattr(source, kind) + 1)
                source.lost[f"{kind}: {line.get('why') or (line.get('refused') or ['?'])[-1]}"] += 1
        for line in entry.get("redrawn", []):
            source.redrawn += len(line.get("refused", ()))
            for why in line.get("refused", ()):
                source.lost[f"drawn again: {why}"] += 1
        if len(source.lost) > 500:
            source.lost = Counter(dict(source.lost.most_common(250)))
    if isinstance(source.recipe.get("name"), str):
        source.name = source.recipe["name"]
    return source


def _with_draws(records: list[Record], path: Path, source: Source) -> list[Record]:
    """The samples with what was drawn for them, from the manifest where the format does not carry it."""
    if not source.columns or all(r.drawn for r in records):
        return records
    rows = manifest_rows(path / "manifest.parquet", {r.index for r in records})
    return [replace(r, drawn=r.drawn or rows.get(r.index, {})) for r in records]


def _head(path: Path, kind: str, survey: Survey, source: Source) -> str:
    w, h = survey.sizes.most_common(1)[0][0]
    facts = [(f"{survey.records:,}", "pictures"), (f"{survey.instances:,}", "instances"),
             (f"{survey.instances / survey.records:.2f}", "a picture"),
             (f"{w}×{h}", "pixels" if len(survey.sizes) == 1 else f"pixels, most of {len(survey.sizes)} sizes"),
             (f"{len(survey.categories)}", "categories seen")]
    if source.run or source.made:
        facts.append((f"{source.rejected:,} · {source.failed:,}", "rejected · failed"))
    if "seed" in source.run:
        facts.append((str(source.run["seed"]), "seed"))
    boxes = "".join(f'<div class="fact"><b>{escape(value)}</b><span class="faint">{escape(what)}</span></div>'
                    for value, what in facts)
    notes = "".join(f'<p class="off">{escape(p)}</p>' for p in source.problems[:10])
    return (f'<h1>{escape(source.name)}</h1><div class="faint">{escape(str(path))} · {escape(kind)}</div>'
            f'<div class="facts">{boxes}</div>{notes}')


def _samples(records: list[Record]) -> str:
    if not records:
        return ""
    has: set[str] = set()
    cards = []
    for record in records:
        stage, holds = layers.stage(record, _SAMPLE_PX)
        has |= holds
        seen = Counter(record.categories[i.category_id - 1] for i in record.instances)
        holding = ", ".join(f"{n} {name}" if n > 1 else name for name, n in seen.items()) or "no instances"
        cards.append(f'<div class="sample">{stage}<p><b>{record.index:06d}</b><span class="faint">{escape(holding)}</span>'
                     f"</p>{_details(record)}</div>")
    toggles = "".join(f'<label><input type="checkbox" data-layer="{name}"{"" if name in _OFF_AT_FIRST else " checked"}> '
                      f"{escape(text)}</label>" for name, text in layers.LAYERS.items() if name in has)
    views = [v for v in layers.VIEWS if v in has]
    picks = "".join(f'<label><input type="radio" name="view" value="{v}"{" checked" if v == "picture" else ""}> {v}</label>'
                    for v in ("picture", *views)) if views else ""
    return (f'<h2>Samples</h2><div class="bar">{toggles}<span class="faint">{"view" if views else ""}</span>{picks}</div>'
            f'<div class="samples">{"".join(cards)}</div>')


def _details(record: Record) -> str:
    """Each instance's attributes, then every drawn value."""
    rows = []
    for i in record.instances[:40]:
        facts = {"seen": i.visible_fraction, "cut": i.truncation, **i.attributes}
        said = ", ".join(f"{name} {_short(value)}" for name, value in facts.items() if value is not None)
        rows.append(f"<tr><th>{escape(record.categories[i.category_id - 1])} {i.id}</th><td>{escape(said)}</td></tr>")
    rows += [f"<tr><th>{escape(name)}</th><td>{escape(_short(value))}</td></tr>"
             for name, value in list(record.drawn.items())[:400]]
    if not rows:
        return ""
    return (f'<details><summary>{len(record.instances)} instances, {len(record.drawn)} drawn values</summary>'
            f'<div class="scroll"><table>{"".join(rows)}</table></div></details>')


def _holds(survey: Survey) -> str:
    cards = [("instances a picture", charts.counts_histogram(survey.per_picture)),
             ("where instances lie (boxes, on the picture)", charts.heat_map(survey.places) if survey.instances else ""),
             ("box size (square root of its share of the picture)",
              charts.histogram(survey.box["side"].numbers, low=0.0, high=1.0)),
             ("box height / width", charts.histogram(survey.box["aspect"].numbers)),
             ("COCO's small (under 32² px), medium, large (over 96²)", charts.bars(survey.coco_sizes)),
             ("categories", charts.bars(survey.categories) if len(survey.categories) > 1 else ""),
             ("share seen (1 is nothing in front)", charts.histogram(survey.visible.numbers, low=0.0, high=1.0)),
             ("share cut off by the border", charts.histogram(survey.truncation.numbers, low=0.0, high=1.0))]
    if survey.points:
        cards.append(("points: seen, hidden, outside",
                      charts.stacked(survey.points, ((2, "seen"), (1, "hidden"), (0, "outside")))))
    cards += [(f"attribute: {name}", _column(column)) for name, column in survey.attributes.items()]
    return f"<h2>What the pictures hold</h2>{_cards(cards)}"


def _shares(source: Source) -> str:
    found = [*([source.mix] if source.mix else []), *wanted_shares(source.recipe, source.columns)]
    if not found:
        return ""
    limit = 0.01 / len(found)  # Bonferroni: one false alarm in a hundred reports
    cards = []
    for shares in found[:_MOST_CHARTS]:
        off = shares.p is not None and shares.p < limit
        verdict = ("too few to tell" if shares.p is None else
                   f'<span class="{"off" if off else "fine"}">{"not as wanted" if off else "as wanted"}</span>, '
                   f"p = {shares.p:.2g}")
        rows = "".join(f"<tr><td>{escape(s.option)}</td><td>{s.wanted:.1%}</td><td>{s.got / shares.n:.1%}</td>"
                       f"<td>{charts.share_bar(s.wanted, s.got / shares.n, s.low, s.high)}</td></tr>"
                       for s in shares.options[:30])
        cards.append(f'<div class="card"><h3>{escape(shares.path)}</h3><p class="faint">{shares.n:,} draws, {verdict}</p>'
                     f'<table class="shares"><tr><th></th><th>wanted</th><th>got</th><th></th></tr>{rows}</table></div>')
    return ('<h2>Wanted against got</h2><p class="faint">Every choice of the recipe against the manifest: bar and 95 % '
            "interval (Wilson) are what came, the tick is what was wanted. Pearson's chi-squared test says when they differ "
            "by more than chance (one false alarm in a hundred reports); refused draws shift what is no population."
            f'</p><div class="charts">{"".join(cards)}</div>')


def _drawn(source: Source) -> str:
    varied = {n: c for n, c in source.columns.items() if c.n and c.constant is None}
    fixed = {n: c.constant for n, c in source.columns.items() if c.n and c.constant is not None}
    text = _cards([(name, _column(column)) for name, column in list(varied.items())[:_MOST_CHARTS]])
    rows = "".join(f"<tr><th>{escape(n)}</th><td>{escape(_short(v))}</td></tr>" for n, v in list(fixed.items())[:400])
    constants = (f'<details class="card"><summary>{len(fixed)} values that never change</summary><table>{rows}</table>'
                 "</details>" if fixed else "")
    return f"<h2>Every drawn value</h2>{text}{constants}"


def _cost(seconds: Mapping[str, float] | None) -> str:
    if not seconds:
        return ""
    total = sum(seconds.values())
    rows = "".join(f"<tr><th>{escape(stop)}</th><td>{s:.3f} s</td><td>{s / total:.1%}</td></tr>"
                   for stop, s in seconds.items())
    return (f'<h2>Rate and cost</h2><div class="card"><table>{rows}<tr><th>a record</th><td>{total:.3f} s</td>'
            f"<td>{1 / total:.2f} a second with one worker</td></tr></table></div>")


def _lost(source: Source) -> str:
    if not source.lost:
        return ""
    rows = "".join(f"<tr><td>{n:,}</td><td>{escape(why)}</td></tr>" for why, n in source.lost.most_common(40))
    return (f'<h2>Rejected, failed, drawn again</h2><p class="faint">{source.rejected:,} records rejected, '
            f"{source.failed:,} failed, {source.redrawn:,} draws refused and drawn again.</p>"
            f'<div class="card scroll"><table>{rows}</table></div>')


def _licences(source: Source, survey: Survey) -> str:
    if source.licences:
        counted = Counter(str(a.get("licence", "?")) for a in source.licences)
        rows = "".join(f"<tr><th>{escape(str(a.get('licence')))}</th><td>{escape(str(a.get('name')))}</td>"
                       f"<td>{escape(str(a.get('source')))}</td><td>{escape(str(a.get('records', '')))}</td></tr>"
                       for a in source.licences[:500])
    elif survey.licences:
        counted, rows = survey.licences, ""
    else:
        return ""
    table = (f'<div class="card scroll"><table><tr><th>licence</th><th>asset</th><th>source</th><th>records</th></tr>{rows}'
             "</table></div>" if rows else "")
    said = ", ".join(f"{name}: {n:,} assets" for name, n in counted.most_common(20))
    return f'<h2>Licences</h2><p class="faint">{escape(said)}</p>{table}'


def _cards(cards: list[tuple[str, str]]) -> str:
    return '<div class="charts">' + "".join(f'<div class="card"><h3>{escape(title)}</h3>{chart}</div>'
                                           for title, chart in cards if chart) + "</div>"


def _column(column: Column) -> str:
    if column.numbers and not column.texts:
        return charts.histogram(column.numbers)
    return charts.bars(column.texts + Counter(f"{n:g}" for n in column.numbers)) if column.n else ""


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _json(path: Path, source: Source, otherwise: Any) -> Any:
    if not path.is_file():
        return otherwise
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        source.problems.append(f"{path.name}: {error}")
        return otherwise


def _plain_yaml(path: Path, source: Source) -> Mapping[str, Any]:
    import yaml

    if not path.is_file():
        return {}
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        source.problems.append(f"{path.name}: {error}")
        return {}
    return loaded if isinstance(loaded, dict) else {}
