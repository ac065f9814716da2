"""The whole judgement: made against real pictures, features, attributes, the recipe's axes, and the page that shows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from understudy.errors import DatasetError, UsageError
from understudy.learn.cache import Store, open_store
from understudy.learn.drawing import jpeg_url, lines
from understudy.learn.evals.bootstrap import Figure
from understudy.learn.prepare import subset
from understudy.learn.realism import attributes, distances, features, saturation
from understudy.learn.report import page
from understudy.learn.sources import Source, open_source
from understudy.viewer.charts import histogram

SIDE = 192
_LEAST = 20
_FIXED = ("index", "file_name", "attempts")  # columns of a manifest that no path has


@dataclass(frozen=True)
class Judged:
    """auc : by extractor; metrics : by name with its extractor and count; compared : attributes, farthest first;
    axes : {attribute: [(path, correlation)]}; ranked : rows of the made store, the most made-looking first; mapped_by : the
    features of the map, the first of those with weights if there are any; covered : by the first made pictures,
    {what: {their number: share}}."""

    made: Store
    real: Store
    auc: Mapping[str, Figure]
    metrics: Mapping[str, Figure]
    itself: Mapping[str, float]
    compared: Sequence[attributes.Compared]
    axes: Mapping[str, Sequence[tuple[str, float]]]
    ranked: np.ndarray
    mapped_by: str
    map_xy: np.ndarray
    covered: Mapping[str, Mapping[int, float]]


def judge(made_path: Path, real_path: Path, count: int = 400, extractors: Sequence[str] = ()) -> Judged:
    """Compare at most ``count`` pictures of each, by our own features and those of ``extractors`` (folders, or names in the
    hub's cache). UsageError where the second is made; DatasetError below 20 pictures."""
    from understudy.learn.prepare import refuse_made
    from understudy.learn.realism.pretrained import pretrained
    from understudy.learn.session import need_torch, single_threaded_images

    need_torch()
    single_threaded_images()
    made_source, real_source = open_source(made_path), open_source(real_path)
    refuse_made(real_source, "realism")
    if made_path.resolve() == real_path.resolve():
        raise UsageError("both are the same data set", where=made_path)
    known = features.EXTRACTORS | dict(map(pretrained, extractors))  # before the work, so that a mistake costs none
    made, real = (_some(s, count) for s in (made_source, real_source))
    vectors = {}
    for name, extract in known.items():
        vectors[name] = features.standardised(*(extract(_images(s)) for s in (made, real)))
    auc, metrics, itself, score = {}, {}, {}, 0.0
    for name, (a, b) in vectors.items():
        auc[name], own = distances.told_apart(a, b)
        score = score + own / max(own.std(), 1e-9)
        tag = f"[{name}, n={len(a)}+{len(b)}]"
        metrics[f"KID{tag}"] = distances.by_halves(distances.kid, a, b)
        metrics[f"MMD{tag}"] = distances.by_halves(distances.mmd, a, b)
        for what in ("precision", "recall", "density", "coverage"):
            metrics[f"{what}{tag}"] = distances.by_halves(
                lambda x, y, what=what: distances.neighbourhoods(x, y)[what], a, b, draws=20)
        one, two = b[::2], b[1::2]
        itself[f"KID{tag}"], itself[f"MMD{tag}"] = distances.kid(one, two), distances.mmd(one, two)
        itself |= {f"{k}{tag}": v for k, v in distances.neighbourhoods(one, two).items()}
    compared, moved = _attributes(made, real, made_source, real_source)
    mapped = next((n for n in known if n not in features.EXTRACTORS), features.CLASSIC)
    covered = {f"real pictures [{features.CLASSIC}]": saturation.of_real(*vectors[features.CLASSIC]),
               "pairs of drawn values": saturation.of_pairs(drawn_of(made))}
    return Judged(made, real, auc, metrics, itself, compared, moved, np.argsort(-score),
                  mapped, _plane(np.concatenate(vectors[mapped])),
                  {name: curve for name, curve in covered.items() if curve})


def _some(source: Source, count: int) -> Store:
    store = open_store(source, SIDE, count if source.made else None)
    store = subset(store, count)
    if len(store) < _LEAST:
        raise DatasetError("too few pictures to compare", where=source.path, wanted=f"{_LEAST} or more", got=len(store))
    return store


def _images(store: Store) -> np.ndarray:
    return np.asarray(store.images[store.rows])


def _attributes(made: Store, real: Store, made_source: Source, real_source: Source):
    things = "masks" not in (made_source.kind, real_source.kind)
    pictures = [attributes.picture_values(s) for s in (made, real)]
    labels = [attributes.label_values(s, things) for s in (made, real)]
    sides = [attributes.side_values(s) for s in (made, real)]
    found = []
    for pair in (pictures, labels, sides):
        for name in pair[0]:
            one = attributes.compared(name, pair[0][name], pair[1][name]) if name in pair[1] else None
            if one is not None:
                found.append(one)
    found.sort(key=lambda c: (not c.sure, -c.low))
    drawn = drawn_of(made)
    moved = {}
    if drawn:
        each = pictures[0] | {k: v for k, v in (labels[0] | sides[0]).items() if len(v) == len(made)}
        moved = {c.name: attributes.axes(each[c.name], drawn) for c in found if c.sure and c.name in each}
    return found, moved


def manifest_paths(made: Path) -> list[str]:
    """The drawn paths of a made data set, as its manifest names them; [] without one."""
    import pyarrow.parquet as pq

    file = made / "manifest.parquet"
    return [n for n in pq.read_schema(file).names if n not in _FIXED] if file.is_file() else []


def drawn_of(made: Store) -> dict[str, list]:
    """{path: value of each picture} from the manifest beside a made data set; {} without one. Paths of later instances
    (``[1]`` and on) are left out: few pictures have them."""
    import pyarrow.parquet as pq

    file = Path(made.name) / "manifest.parquet"
    if not file.is_file():
        return {}
    with file.open("rb") as opened:
        table = pq.read_table(opened)
    place = {index: i for i, index in enumerate(table.column("index").to_pylist())}
    rows = [place.get(int(i)) for i in made.index[made.rows]]
    kept = {}
    for name in table.column_names:
        if name in _FIXED or ("[" in name and "[0]" not in name):
            continue
        column = table.column(name).to_pylist()
        kept[name] = [None if r is None else column[r] for r in rows]
    return kept


def _plane(vectors: np.ndarray) -> np.ndarray:
    """(n, 2) the two directions of greatest variance, scaled to 0 to 1 by ranks so that thumbnails spread out evenly."""
    centred = vectors - vectors.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    xy = centred @ directions[:2].T
    return np.argsort(np.argsort(xy, 0), 0) / max(len(xy) - 1, 1)


def plain(judged: Judged) -> dict:
    """For JSON."""
    return {"made": judged.made.name, "real": judged.real.name, "pictures": [len(judged.made), len(judged.real)],
            "digests": [judged.made.digest, judged.real.digest],
            "auc": {k: f.plain() for k, f in judged.auc.items()},
            "metrics": {k: f.plain() for k, f in judged.metrics.items()},
            "real_against_itself": dict(judged.itself),
            "covered": {name: {str(n): v for n, v in curve.items()} for name, curve in judged.covered.items()},
            "enough": saturation.enough(*judged.covered.values()),
            "attributes": [{"name": c.name, "distance": c.distance, "low": c.low, "high": c.high, "overlap": c.overlap,
                            "chance": c.chance, "sure": c.sure, "made_is": c.direction,
                            "axes": [{"path": p, "correlation": r} for p, r in judged.axes.get(c.name, [])]}
                           for c in judged.compared]}


def report(judged: Judged) -> str:
    """The page."""
    auc = "".join(f'<div class="fact"><b>{f.value:.2f}</b>told apart by {escape(k)} ({f.low:.2f} to {f.high:.2f})</div>'
                  for k, f in judged.auc.items())
    rows = "".join(f"<tr><td>{escape(k)}</td><td><b>{f.value:.3f}</b></td><td>{f.low:.3f} to {f.high:.3f}</td>"
                   f"<td>{judged.itself[k]:.3f}</td></tr>" for k, f in judged.metrics.items())
    cards = "".join(_card(c, judged.axes.get(c.name, ())) for c in judged.compared)
    return page("Realism", [
        (f"<h1>{escape(judged.made.name)} against {escape(judged.real.name)}</h1>"
        "<p class=note>A warning light: it says where made and real pictures differ, not whether that matters. What matters "
        "is the score on real pictures after training.</p>"
        f'<div class="facts"><div class="fact"><b>{len(judged.made)}</b>made</div>'
        f'<div class="fact"><b>{len(judged.real)}</b>real</div>{auc}</div>'
        "<p class=faint>Told apart: area under the curve of a logistic regression on pictures that it has not seen. 0.5 is "
        "chance, 1 certainty.</p>"),
        f'<h2>Properties, the surest difference first</h2><div class="charts">{cards}</div>',
        (f'<h2>Map of the pictures</h2><p class=faint>By {escape(judged.mapped_by)}: orange is made, blue is real.</p>'
        f'<img style="width:100%" src="{_map(judged)}" alt="">'),
        (f"<h2>How many are enough</h2>{_coverage(judged)}<p>{escape(saturation.told(judged.covered))}.</p>"
         "<p class=faint>What a network gains from more is measured by <code>understudy blend --made-counts</code>.</p>"),
        "<h2>The most made-looking pictures</h2>" + _strip(judged.made, judged.ranked[:12]),
        "<h2>The most real-looking of the made</h2>" + _strip(judged.made, judged.ranked[::-1][:12]),
        ("<h2>Distances</h2><p class=faint>The range is that of random halves of both. The last column is what one half of "
        "the real pictures scores against the other.</p><table class=plain><tr><th></th><th>all</th><th>halves</th><th>real "
        f"against itself</th></tr>{rows}</table>")])


def _card(c: attributes.Compared, moved: Sequence[tuple[str, float]]) -> str:
    low, high = float(min(c.made.min(), c.real.min())), float(max(c.made.max(), c.real.max()))
    told = "".join(f"<br><code>{escape(p)}</code> ({r:+.2f})" for p, r in moved)
    told = f"<p>moved by{told}</p>" if told else ""
    sure = f'<span class="off">made is {c.direction}</span>' if c.sure else '<span class="fine">no sure difference</span>'
    return (f'<div class="card"><h3>{escape(c.name)}: {sure}</h3><p class=faint>distance {c.distance:.2f} ({c.low:.2f} to '
            f'{c.high:.2f}) real deviations, overlap {c.overlap:.0%}</p>made{histogram(c.made.tolist(), low=low, high=high)}'
            f"real{histogram(c.real.tolist(), low=low, high=high)}{told}</div>")


def _coverage(judged: Judged) -> str:
    return lines({name: list(curve.items()) for name, curve in judged.covered.items()}, "made pictures", low=0, high=1)


def _map(judged: Judged, width: int = 1400, height: int = 800, cell: int = 54) -> str:
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (width, height), (24, 27, 33))
    pen = ImageDraw.Draw(canvas)
    n = len(judged.made)
    order = np.argsort((np.arange(len(judged.map_xy)) * 7919) % len(judged.map_xy))  # neither kind always on top
    taken: set[tuple[int, int]] = set()
    for i in order:
        x, y = judged.map_xy[i]
        place = int(x * (width // cell - 1)), int((1 - y) * (height // cell - 1))
        if place in taken:
            continue
        taken.add(place)
        store, row = (judged.made, i) if i < n else (judged.real, i - n)
        thumb = Image.fromarray(np.asarray(store.images[store.rows[row]])).resize((cell - 6, cell - 6))
        at = place[0] * cell + 3, place[1] * cell + 3
        pen.rectangle((at[0] - 2, at[1] - 2, at[0] + cell - 5, at[1] + cell - 5),
                      fill=(235, 130, 60) if i < n else (80, 150, 240))
        canvas.paste(thumb, at)
    return jpeg_url(canvas)


def _strip(store: Store, rows: Sequence[int]) -> str:
    from PIL import Image

    pictures = [(int(store.index[row]), Image.fromarray(np.asarray(store.images[row]))) for row in store.rows[rows]]
    each = "".join(f'<figure><img src="{jpeg_url(image)}" alt=""><figcaption>record {index}</figcaption></figure>'
                   for index, image in pictures)
    return f'<div class="worst">{each}</div>'


def write(judged: Judged, out: Path, told: Callable[[str], None]) -> None:
    """realism.json and report.html in ``out``."""
    from understudy.writers.files import replace_file

    replace_file(out / "realism.json", [json.dumps(plain(judged), indent=1) + "\n"])
    replace_file(out / "report.html", [report(judged)])
    told(str(out / "report.html"))
