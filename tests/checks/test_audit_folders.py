"""The auditor on folders: COCO and YOLO written by hand, one defect in each, the finding named; and our own ledger."""

from __future__ import annotations

import copy
import json
import shutil

import numpy as np
import pytest

from understudy.checks.audit import SET_RULES, audit
from understudy.checks.coco import rle_is_whole
from understudy.errors import DatasetError
from understudy.record import Rle


def picture(path, shade, size=(64, 48)):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 90, 120)).save(path)


@pytest.fixture
def coco(tmp_path):
    """A correct foreign data set, and a function that writes its JSON after a change."""
    for n in (1, 2):
        picture(tmp_path / "images" / f"{n}.png", 40 * n)
    points = [20.0, 12.0, 2, 0, 0, 0]
    data = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 64, "height": 48} for n in (1, 2)],
        "categories": [{"id": 1, "name": "person", "keypoints": ["head", "tail"], "skeleton": [[1, 2]]}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 8, 20, 16], "area": 320, "iscrowd": 0,
             "segmentation": [[10, 8, 30, 8, 30, 24, 10, 24]], "keypoints": points, "num_keypoints": 1},
            {"id": 2, "image_id": 2, "category_id": 1, "bbox": [3, 5, 4, 6], "area": 24, "iscrowd": 1,
             "segmentation": rle(3, 5, 7, 11)},
        ],
    }

    def write(change=None):
        altered = copy.deepcopy(data)
        if change is not None:
            change(altered)
        (tmp_path / "annotations").mkdir(exist_ok=True)
        (tmp_path / "annotations" / "instances.json").write_text(json.dumps(altered))
        return tmp_path

    return write


def rle(x0, y0, x1, y1, size=(64, 48)):
    mask = np.zeros(size[::-1], bool)
    mask[y0:y1, x0:x1] = True
    return {"size": [48, 64], "counts": Rle.encode(mask).counts.decode()}


def rules(path):
    return sorted({f.rule for f in audit(path).findings})


def test_a_clean_coco_set(coco):
    report = audit(coco())
    assert report.ok and report.findings == () and report.kind == "coco"
    assert report.counts["pictures"] == 2 and report.counts["annotations"] == 2 and report.counts["masks"] == 2


def a(**fields):
    return lambda d: d["annotations"][0].update(fields)


COCO_PLANTS = {
    "dangling image": ("dangling", a(image_id=9)),
    "dangling category": ("dangling", a(category_id=2)),
    "list as id": ("dangling", a(image_id=[1])),
    "same id": ("ids", a(id=2)),
    "id 0": ("ids", a(id=0)),
    "text id": ("ids", a(id="one")),
    "category twice": ("ids", lambda d: d["categories"].append(dict(d["categories"][0], name="dog"))),
    "names alike": ("category", lambda d: d["categories"].append(dict(d["categories"][0], id=2))),
    "nan box": ("bbox", a(bbox=[10, float("nan"), 20, 16])),
    "empty box": ("bbox", a(bbox=[10, 8, 0, 16])),
    "three numbers": ("bbox", a(bbox=[10, 8, 20])),
    "box outside": ("bbox", a(bbox=[50, 8, 20, 16], segmentation=None)),
    "box and mask": ("bbox-segmentation", a(bbox=[10, 8, 26, 16])),
    "box as xyxy": ("bbox-segmentation", a(bbox=[10, 8, 30, 24])),
    "area": ("area", a(area=500)),
    "no area": ("area", a(area=0)),
    "flat polygon": ("segmentation", a(segmentation=[[10, 8, 30, 8, 20, 8]])),
    "two points": ("segmentation", a(segmentation=[[10, 8, 30, 8]])),
    "odd polygon": ("segmentation", a(segmentation=[[10, 8, 30, 8, 30, 24, 10]])),
    "polygon outside": ("segmentation", a(segmentation=[[10, 8, 90, 8, 90, 24, 10, 24]], bbox=None, area=1280)),
    "rle size": ("segmentation", lambda d: d["annotations"][1]["segmentation"].update(size=[40, 64])),
    "rle cut": ("segmentation", lambda d: d["annotations"][1]["segmentation"].update(
        counts=d["annotations"][1]["segmentation"]["counts"][:-2])),
    "rle list": ("segmentation", lambda d: d["annotations"][1]["segmentation"].update(counts=[10, 20])),
    "crowd": ("annotation", a(iscrowd=3)),
    "point count": ("keypoints", a(num_keypoints=2)),
    "points missing": ("keypoints", a(keypoints=[20, 12, 2], num_keypoints=1)),
    "visibility": ("keypoints", a(keypoints=[20, 12, 3, 0, 0, 0])),
    "point outside": ("keypoints", a(keypoints=[200, 12, 2, 0, 0, 0])),
    "pair": ("keypoints", a(keypoints=[20, 12])),
    "size": ("picture-size", lambda d: d["images"][1].update(width=48, height=64)),
    "missing": ("picture-missing", lambda d: d["images"].append({"id": 3, "file_name": "3.png", "width": 1, "height": 1})),
    "no name": ("picture-missing", lambda d: d["images"].append({"id": 3, "width": 64, "height": 48})),
    "twice": ("annotation-twice", lambda d: d["annotations"].append(dict(d["annotations"][0], id=3))),
    "no table": ("json", lambda d: d.update(annotations={})),
}


@pytest.mark.parametrize("name", COCO_PLANTS)
def test_a_planted_coco_defect_is_found(coco, name):
    rule, change = COCO_PLANTS[name]
    found = rules(coco(change))
    assert rule in found and len(set(found) - {"picture-size"}) <= 1, found


def test_pictures_without_entries_twice_and_broken(coco, tmp_path):
    root = coco()
    picture(root / "images" / "extra.png", 200)
    assert rules(root) == ["picture-orphan"]
    shutil.copy(root / "images" / "1.png", root / "images" / "2.png")
    assert rules(root) == ["picture-orphan", "picture-twice"]
    (root / "images" / "extra.png").unlink()
    data = (root / "images" / "1.png").read_bytes()
    (root / "images" / "2.png").write_bytes(data[: len(data) // 2])
    report = audit(root)
    assert [f.rule for f in report.findings] == ["picture-unreadable"] and not report.ok


def test_broken_json_is_a_finding(coco):
    root = coco()
    file = root / "annotations" / "instances.json"
    file.write_text(file.read_text()[:-30])
    assert "json" in rules(root)


def test_warnings_alone_are_no_failure(coco):
    root = coco()
    picture(root / "images" / "extra.png", 200)
    report = audit(root)
    assert report.ok and report.warnings == 1


@pytest.mark.parametrize("size", [1, 7, 300])
def test_run_lengths_are_checked_before_c_code_sees_them(size):
    mask = np.arange(size * 5).reshape(5, size) % 3 == 0
    code = Rle.encode(mask)
    assert rle_is_whole(code.counts, mask.size)
    assert not rle_is_whole(code.counts[:-1], mask.size) or size == 1
    assert not rle_is_whole(code.counts + b"4", mask.size)
    assert not rle_is_whole(code.counts + b"\x01", mask.size)
    assert not rle_is_whole(code.counts, mask.size + 1)


@pytest.fixture
def yolo(tmp_path):
    for n in (1, 2):
        picture(tmp_path / "images" / "train" / f"{n}.png", 40 * n)
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/train\nnames: {0: person, 1: dog}\n")
    (tmp_path / "labels" / "train" / "1.txt").write_text("0 0.5 0.5 0.25 0.5\n1 0.2 0.2 0.1 0.1\n")
    (tmp_path / "labels" / "train" / "2.txt").write_text("1 0.1 0.1 0.4 0.1 0.4 0.6\n")
    return tmp_path


def test_a_clean_yolo_set(yolo):
    report = audit(yolo)
    assert report.findings == () and report.kind == "yolo"
    assert report.counts["pictures"] == 2 and report.counts["annotations"] == 3 and report.counts["records"] == 2


@pytest.mark.parametrize(("rule", "line"), [
    ("dangling", "2 0.5 0.5 0.1 0.1"), ("dangling", "0.5 0.5 0.5 0.1 0.1"), ("dangling", "-1 0.5 0.5 0.1 0.1"),
    ("label-line", "0 0.5 0.5 0.1"), ("label-line", "0 a b c d"), ("label-line", "0 nan 0.5 0.1 0.1"),
    ("label-line", "0 0.1 0.1 0.2 0.2 0.3"), ("bbox", "0 0.5 0.5 0 0.1"), ("bbox", "0 0.9 0.5 0.4 0.1"),
    ("segmentation", "0 0.1 0.1 1.4 0.1 0.4 0.6"), ("segmentation", "0 0.1 0.1 0.1 0.1 0.1 0.1"),
    ("annotation-twice", "1 0.2 0.2 0.1 0.1"),
])
def test_a_planted_yolo_line_is_found(yolo, rule, line):
    with (yolo / "labels" / "train" / "1.txt").open("a") as file:
        file.write(line + "\n")
    report = audit(yolo)
    assert [f.rule for f in report.findings] == [rule]
    assert report.findings[0].where == "labels/train/1.txt:3"


def test_yolo_files_without_partners(yolo):
    (yolo / "labels" / "train" / "9.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    picture(yolo / "images" / "train" / "3.png", 130)
    assert rules(yolo) == ["label-missing", "label-orphan"]


@pytest.mark.parametrize("text", ["names: []", "names: [a]\nnc: 2", "names: {", "nothing: 1"])
def test_yolo_names_are_checked(yolo, text):
    (yolo / "data.yaml").write_text(text + "\n")
    assert "category" in rules(yolo)


def test_yolo_pose_lines(yolo):
    text = (yolo / "data.yaml").read_text() + "kpt_shape: [1, 3]\n"
    (yolo / "data.yaml").write_text(text)
    (yolo / "labels" / "train" / "1.txt").write_text("0 0.5 0.5 0.25 0.5 0.5 0.5 2\n")
    (yolo / "labels" / "train" / "2.txt").write_text("0 0.5 0.5 0.25 0.5 1.5 0.5 2\n")
    assert rules(yolo) == ["keypoints"]


def test_boxes_and_polygons_of_one_set_are_compared(yolo):
    (yolo / "polygons").mkdir()
    (yolo / "polygons" / "1.txt").write_text("1 0.375 0.25 0.625 0.25 0.625 0.75 0.375 0.75\n")
    report = audit(yolo)
    assert [f.rule for f in report.findings] == ["box-polygon"] and "another class" in report.findings[0].message
    (yolo / "polygons" / "1.txt").write_text("0 0.1 0.25 0.625 0.25 0.625 0.75 0.375 0.75\n")
    assert [(f.rule, f.severity) for f in audit(yolo).findings] == [("box-polygon", "warning")]


def test_nothing_to_check_is_an_error(tmp_path):
    with pytest.raises(DatasetError):
        audit(tmp_path)
    with pytest.raises(DatasetError, match="nothing here"):
        audit(tmp_path / "absent")


def test_the_list_of_findings_is_bounded_and_the_count_is_not(coco):
    def many(d):
        d["annotations"] = [dict(d["annotations"][0], id=n, image_id=77, bbox=[1, 1, n, 1], segmentation=None, area=n)
                            for n in range(1, 41)]

    report = audit(coco(many), limit=5)
    assert len(report.findings) == 5 and report.errors == 40 and report.tally == {"dangling": 40}


def test_changed_and_lost_files_of_ours(coco):
    from hashlib import sha256

    root = coco()
    (root / "run.json").write_text("{}")
    (root / "ledger").mkdir()
    names = ["images/1.png", "images/2.png"]
    files = {n: {"bytes": 1, "sha256": sha256((root / n).read_bytes()).hexdigest()} for n in names}
    (root / "ledger" / "00000.json").write_text(json.dumps({"files": files}))
    assert "ledger" not in rules(root)
    picture(root / "images" / "1.png", 250)
    assert "ledger" in rules(root)
    (root / "images" / "2.png").unlink()
    assert [f.rule for f in audit(root).findings].count("ledger") == 2
    (root / "ledger" / "00001.json").write_text("{")
    assert any("cannot be read" in f.message for f in audit(root).findings if f.rule == "ledger")


def test_a_record_that_cannot_be_read_back_is_a_finding(coco, ball_people, monkeypatch):
    def read(path):
        yield ball_people(0)
        raise DatasetError("the file ends early", where=path)

    monkeypatch.setattr("understudy.writers.read", read)
    report = audit(coco())
    assert [f.rule for f in report.findings] == ["readable"] and report.counts["records"] == 1


def test_every_rule_on_sets_is_planted_somewhere_here():
    planted = {rule for rule, _ in COCO_PLANTS.values()} | {
        "index-unique", "categories-same", "picture-twice", "picture-orphan", "label-orphan", "label-missing", "label-line",
        "box-polygon", "category", "ledger", "readable"}
    assert planted == set(SET_RULES) | {"picture-size", "area"}  # these two are rules on records as well


def test_linked_folders_are_looked_into_once(yolo):
    (yolo / "images" / "train").rename(yolo.parent / "elsewhere")
    (yolo / "images" / "train").symlink_to(yolo.parent / "elsewhere")
    (yolo / "images" / "again").symlink_to(yolo)
    report = audit(yolo)
    assert report.findings == () and report.counts["pictures"] == 2
    shutil.rmtree(yolo.parent / "elsewhere")
