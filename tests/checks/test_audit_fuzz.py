"""The auditor on damaged files: whatever a leaf of the JSON or a line of a label file becomes, it reports."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.checks.audit import Report, audit

CLEAN = {
    "images": [{"id": 1, "file_name": "1.png", "width": 16, "height": 12}],
    "categories": [{"id": 1, "name": "person", "keypoints": ["head"], "skeleton": []}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 2, 5, 4], "area": 20, "iscrowd": 0,
         "segmentation": [[2, 2, 7, 2, 7, 6, 2, 6]], "keypoints": [4.0, 3.0, 2], "num_keypoints": 1},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 16, 12], "area": 192, "iscrowd": 1,
         "segmentation": {"size": [12, 16], "counts": [0, 192]}},
    ],
}
AWKWARD = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=8),
    st.just("../../../etc/passwd"), st.just("x" * 5000),
    st.lists(st.one_of(st.floats(), st.none(), st.text(max_size=2)), max_size=7), st.just({}),
    st.just({"size": [12, 16], "counts": "zz9"}), st.just({"size": [10**9, 10**9], "counts": [10**18]}),
    st.just({"size": "ab", "counts": []}), st.just([[0, 0, 1, 1, 2]]), st.just([[[1]]]))


def leaves(thing, path=()):
    yield path
    items = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in items:
        yield from leaves(value, (*path, key))


PATHS = [p for p in leaves(CLEAN) if p]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(PATHS), value=AWKWARD)
def test_any_leaf_may_be_anything(path, value):
    data = json.loads(json.dumps(CLEAN))
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with tempfile.TemporaryDirectory() as folder:
        from PIL import Image

        Image.new("RGB", (16, 12)).save(Path(folder) / "1.png")
        (Path(folder) / "all.json").write_text(json.dumps(data))
        report = audit(Path(folder) / "all.json")
        assert isinstance(report, Report)
        for finding in report.findings:
            assert str(finding)
            json.dumps(finding.plain())


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(st.one_of(st.text(max_size=30), st.lists(st.one_of(st.floats(), st.integers(-5, 5)), max_size=9).map(
    lambda v: " ".join(map(str, v)))), max_size=4),
    names=st.sampled_from(["names: [a]", "names: {0: a}", "names: 3", "a", "- 1"]))
def test_any_line_may_be_anything(lines, names):
    with tempfile.TemporaryDirectory() as folder:
        from PIL import Image

        root = Path(folder)
        for name in ("images", "labels"):
            (root / name).mkdir()
        Image.new("RGB", (16, 12)).save(root / "images" / "1.png")
        (root / "labels" / "1.txt").write_text("\n".join(lines), encoding="utf-8", errors="replace")
        (root / "data.yaml").write_text(names)
        assert isinstance(audit(root), Report)
