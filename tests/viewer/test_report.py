"""The HTML report: whole, self-contained, escaped, bounded; also of foreign data sets."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

import pytest

from understudy.errors import DatasetError
from understudy.viewer import charts, layers
from understudy.viewer.report import _Spread, read_source, report

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


class Reader(HTMLParser):
    """Collects tags, and complains of a tag that is not closed."""

    VOID = {"meta", "img", "input", "br", "link"}

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()


def read(html):
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def yolo(tmp_path, name="person"):
    from PIL import Image

    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text(f"names: [{json.dumps(name)}]\n")
    for n in range(3):
        Image.new("RGB", (64, 48), (n * 50, 90, 0)).save(tmp_path / "images" / f"{n}.png")
        (tmp_path / "labels" / f"{n}.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    return tmp_path


def test_a_foreign_folder_gives_a_whole_page_without_a_network(tmp_path):
    html = report(yolo(tmp_path))
    reader = read(html)
    assert reader.tags.count("img") >= 3 and reader.tags.count("script") == 1
    for name, value in reader.attributes:
        if name in ("src", "href"):
            assert value.startswith("data:")
    assert "default-src 'none'" in html and not re.search(r"(?:src|href)=.?https?:|@import|url\(", html)


def test_everything_is_escaped(tmp_path):
    folder = yolo(tmp_path, EVIL)
    (folder / "recipe.yaml").write_text(json.dumps({"name": EVIL, "world": {EVIL: {"choice": [EVIL, "b"]}}}))
    (folder / "run.json").write_text(json.dumps({"seed": EVIL}))
    (folder / "licences.json").write_text(json.dumps({"assets": [{"name": EVIL, "licence": EVIL, "source": EVIL}]}))
    (folder / "ledger").mkdir()
    (folder / "ledger" / "00000.json").write_text(json.dumps({"made": 3, "failed": [{"index": 1, "why": EVIL}]}))
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"index": [0, 1, 2], f"world.{EVIL}": [EVIL, "b", "b"], f"{EVIL}.n": [1.0, 2.0, 3.0]}),
                   folder / "manifest.parquet")
    html = report(folder)
    reader = read(html)
    assert reader.tags.count("script") == 1 and not any(name.startswith("on") for name, _ in reader.attributes)
    assert "<script>alert" not in html and "&lt;script&gt;alert(1)" in html
    assert "Wanted against got" in html and "Rejected, failed" in html and "Licences" in html


def test_layers_of_a_full_record(ball_people):
    html, has = layers.stage(ball_people(), 160)
    read(html)
    assert has == {"masks", "amodal", "boxes", "points", "captions", "instances", "semantic", "parts", "depth", "normals",
                   "densepose"}
    assert html.count('class="view"') == 6


def test_attributes_cannot_break_a_layer(ball_people):
    record = ball_people(0, 1)
    instance = dataclasses.replace(record.instances[0], attributes={"top": EVIL})
    html, _ = layers.stage(dataclasses.replace(record, instances=(instance,)), 160)
    assert "<script" not in html and "&lt;script" in html
    read(html)


def test_a_report_does_not_grow_with_the_count(ball_people):
    spread = _Spread(4)
    for n in range(1000):
        spread.offer(n)
        assert len(spread._kept) < 8
    assert len(spread.kept) == 4 and spread.kept[0] == 0 and spread.kept[-1] >= 600


@pytest.mark.parametrize("n", [1, 3, 4, 5, 9, 31])
def test_samples_are_spread(n):
    spread = _Spread(4)
    for k in range(n):
        spread.offer(k)
    assert len(spread.kept) == min(n, 4) or (n > 4 and 3 <= len(spread.kept) <= 4)
    assert spread.kept == sorted(set(spread.kept))


def test_damaged_companions_are_told_and_do_no_harm(tmp_path):
    folder = yolo(tmp_path)
    for name in ("run.json", "licences.json"):
        (folder / name).write_text("{")
    (folder / "recipe.yaml").write_text("a: [")
    (folder / "manifest.parquet").write_bytes(b"PAR1 none")
    source = read_source(folder)
    assert len(source.problems) == 4
    assert "manifest.parquet" in report(folder)


def test_an_empty_or_absent_data_set_is_told(tmp_path):
    with pytest.raises(DatasetError):
        report(tmp_path)
    with pytest.raises(DatasetError):
        report(tmp_path / "none")


def test_charts_are_whole_svg():
    import numpy as np

    for svg in (charts.histogram([1, 2, 2, 5]), charts.histogram([0.1, 0.5], low=0.0, high=1.0),
                charts.bars({EVIL: 3, "b": 1}), charts.heat_map(np.eye(4)),
                charts.share_bar(0.5, 0.4, 0.3, 0.6), charts.histogram([7.0, 7.0])):
        read(svg)
        assert "<script" not in svg
    assert charts.histogram([]) == ""


def test_a_histogram_counts_every_value():
    svg = charts.histogram([0.0] * 3 + [1.0] * 5, low=0.0, high=1.0)
    assert sum(int(n) for n in re.findall(r": (\d+)</title>", svg)) == 8
