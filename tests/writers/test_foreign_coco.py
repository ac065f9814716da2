"""COCO files that others wrote, well and badly; very large ones without holding them."""

import json
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from understudy import writers
from understudy.errors import DatasetError
from understudy.writers import json_index
from understudy.writers.coco import Coco
from understudy.writers.json_index import CocoIndex


def dataset(tmp_path, annotations=(), name="annotations/instances_val2017.json", folder="val2017", **more):
    """A folder like COCO's own: one 40 x 30 picture, categories 1 and 90."""
    path = tmp_path / folder / "000000000139.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30)).save(path)
    document = {
        "images": [{"id": 139, "file_name": path.name, "width": 40, "height": 30}],
        "annotations": list(annotations),
        "categories": [{"id": 90, "name": "toothbrush"}, {"id": 1, "name": "person"}], **more}
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")
    return tmp_path


def annotation(**facts):
    return {"id": 900100139000, "image_id": 139, "category_id": 90, "bbox": [2, 3, 10, 8], "iscrowd": 0} | facts


def test_categories_with_gaps_are_numbered_in_order_of_id(tmp_path):
    (record,) = writers.read(dataset(tmp_path, [annotation()]))
    assert record.categories == ("person", "toothbrush")
    assert record.instances[0].category_id == 2 and record.instances[0].id == 1
    assert record.instances[0].xyxy_px == (2, 3, 12, 11)


def test_polygons_and_both_run_length_codes_mean_the_same(tmp_path):
    mask = np.zeros((30, 40), bool)
    mask[3:11, 2:12] = True
    polygon = [[2, 3, 12, 3, 12, 11, 2, 11]]
    runs, flat = [], mask.T.ravel()
    value = False
    while flat.size:
        n = int(np.argmax(flat != value)) if (flat != value).any() else flat.size
        runs.append(n)
        flat, value = flat[n:], not value
    code = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    forms = [polygon, {"size": [30, 40], "counts": runs}, {"size": [30, 40], "counts": code["counts"].decode()}]
    (record,) = writers.read(dataset(tmp_path, [annotation(id=k, segmentation=s) for k, s in enumerate(forms)]))
    assert [np.array_equal(i.mask.decode(), mask) for i in record.instances] == [True] * 3
    assert {i.area_px for i in record.instances} == {80}


def test_missing_fields(tmp_path):
    """No segmentation, no area, no iscrowd, no info, no licences; a box from the mask where there is none."""
    bare = {"id": 1, "image_id": 139, "category_id": 1, "bbox": [1, 1, 5, 5]}
    boxless = {"id": 2, "image_id": 139, "category_id": 1, "segmentation": [[2, 3, 12, 3, 12, 11, 2, 11]]}
    (record,) = writers.read(dataset(tmp_path, [bare, boxless, annotation(id=3, segmentation=[], iscrowd=1)]))
    assert record.instances[0].mask is None and record.instances[0].area_px is None
    assert record.instances[1].xyxy_px == (2, 3, 12, 11)
    assert record.instances[2].ignore
    assert writers.detect(tmp_path)[1].about(tmp_path).licence == ("unspecified", "")


def test_keypoints_of_an_instances_file_come_from_its_sibling(tmp_path):
    flat = [k % 30 if k % 3 < 2 else 2 for k in range(51)]
    names = [f"joint {k}" for k in range(17)]
    dataset(tmp_path, [annotation(category_id=1, keypoints=flat, num_keypoints=17)],
            "annotations/person_keypoints_val2017.json",
            categories=[{"id": 1, "name": "person", "keypoints": names, "skeleton": []}])
    dataset(tmp_path, [annotation(category_id=1)])
    (record,) = writers.read(tmp_path)
    (points,) = record.instances[0].points
    assert points.names == tuple(names) and points.xyv.ravel().tolist() == flat


def test_splits_are_read_one_after_the_other(tmp_path):
    dataset(tmp_path)
    dataset(tmp_path, name="annotations/instances_train2017.json", folder="train2017")
    (tmp_path / "annotations" / "captions_val2017.json").write_text('{"images": [], "annotations": []}')
    assert [r.index for r in writers.read(tmp_path)] == [0, 1]


@pytest.mark.parametrize(("name", "folder"), [
    ("train/_annotations.coco.json", "train"), ("labels.json", "data"), ("x.json", "images"),
    ("annotations/instances_val.json", "images/val"), ("_annotations.coco.json", ".")])
def test_layouts_of_the_wild(name, folder, tmp_path):
    assert len(list(writers.read(dataset(tmp_path, [annotation()], name, folder)))) == 1
    assert len(list(writers.read(tmp_path / name))) == 1  # the file itself, too


WRONG = {
    "category": annotation(category_id=7), "no box area": annotation(bbox=[2, 3, 0, 8]),
    "box outside": annotation(bbox=[50, 3, 5, 8]), "three numbers": annotation(bbox=[2, 3, 5]),
    "not finite": annotation(bbox=[2, 3, float("nan"), 8]), "text box": annotation(bbox="2 3 4 5"),
    "neither": annotation(bbox=None), "odd polygon": annotation(segmentation=[[1, 2, 3]]),
    "far away": annotation(segmentation=[[1, 1, 1e9, 1, 5, 5]]),
    "nothing covered": annotation(segmentation=[[1, 1, 1, 1, 1, 1]]), "line": annotation(segmentation=[[1, 1, 5, 5]]),
    "size": annotation(segmentation={"size": [40, 30], "counts": [1200]}),
    "runs": annotation(segmentation={"size": [30, 40], "counts": [5, 10]}),
    "negative run": annotation(segmentation={"size": [30, 40], "counts": [1300, -100]}),
    "long runs": annotation(segmentation={"size": [30, 40], "counts": "ok" * 500}),  # C code would write past its buffer
    "no code": annotation(segmentation={"size": [30, 40], "counts": "\u20ac"}), "text": annotation(segmentation="abc"),
    "points": annotation(keypoints=[1, 2]), "object": annotation(segmentation={"a": 1}),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_a_wrong_annotation_is_named_and_can_be_left_out(case, tmp_path):
    out = dataset(tmp_path, [annotation(id=5), WRONG[case]])
    with pytest.raises(DatasetError, match="annotation 900100139000"):
        list(writers.read(out))
    heard = []
    (record,) = writers.read(out, heard.append)
    assert len(record.instances) == 1 and len(heard) == 1


@pytest.mark.parametrize("image", [
    {"id": 139, "file_name": "absent.jpg", "width": 40, "height": 30}, {"id": 139, "width": 40, "height": 30},
    {"id": 139, "file_name": "000000000139.jpg", "width": 41, "height": 30}, {"file_name": "000000000139.jpg"},
    {"id": 139, "file_name": "../../etc/passwd", "width": 1, "height": 1}, {"id": 139, "file_name": "/etc/passwd"}])
def test_a_wrong_picture_is_named_and_can_be_left_out(image, tmp_path):
    out = dataset(tmp_path, images=[image])
    with pytest.raises(DatasetError):
        list(writers.read(out))
    heard = []
    assert list(writers.read(out, heard.append)) == [] and len(heard) == 1


@pytest.mark.parametrize("text", [
    '{"images": [{"file_name": "a', '{"images": [], "annotations": [], "categories": [{"id": 1}]}',
    '{"annotations": [], "images": [}',
    '{"images": [], "annotations": [3]}', '{"images": {}, "annotations": []}', '{"images": [], "annotations": []',
    '{"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}',
    '{"images": [], "annotations": [{"image_id": [1]}]}', '{"images": [], "annotations": [], "x": ' + "[" * 100_000,
    '{"images" []}, "annotations"'])
def test_a_broken_file_is_one_clear_error(text, tmp_path):
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances.json").write_text(text)
    with pytest.raises(DatasetError, match=r"instances\.json"):
        list(Coco().read(tmp_path))


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
def test_entries_are_found_wherever_the_pieces_of_a_file_end(chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(json_index, "_CHUNK", chunk)
    document = {"info": {"año": "日本 \"[{\\"}, "n": 12345, "annotations": [
        {"id": k, "image_id": k % 3, "text": "ü{]" * k} for k in range(9)],
        "empty": [], "images": [{"id": 0}, {"id": "two"}]}
    for indent in (None, 2):
        file = tmp_path / "x.json"
        file.write_bytes(b"\xef\xbb\xbf" + json.dumps(document, ensure_ascii=False, indent=indent).encode())
        with CocoIndex(file) as index:
            assert index.head == {k: document[k] for k in ("info", "n", "empty")}
            assert list(index.images()) == document["images"]
            assert index.annotations_of(1) == [document["annotations"][k] for k in (1, 4, 7)]
            assert index.annotations_of("two") == [] == index.annotations_of(17)
            assert index.annotation(5) == document["annotations"][5] and index.annotation(99) is None


def test_a_large_file_is_not_held(tmp_path):
    """30 MB of annotations in no order: the index takes a twentieth of it."""
    file = tmp_path / "big.json"
    padding = "x" * 1000
    with file.open("w") as out:
        out.write('{"annotations": [')
        out.write(",".join(json.dumps({"id": k, "image_id": (k * 7919) % 30_000, "s": padding}) for k in range(30_000)))
        out.write('], "images": []}')
    tracemalloc.start()
    with CocoIndex(file) as index:
        peak = tracemalloc.get_traced_memory()[1]
        assert index.annotations_of(7919)[0]["id"] == 1
    tracemalloc.stop()
    assert peak < 8_000_000


def test_what_is_no_data_set_says_what_was_looked_for(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "settings.json").write_text('{"a": 1}')
    with pytest.raises(DatasetError, match=r"WebDataset.*COCO.*YOLO"):
        writers.detect(tmp_path)
    with pytest.raises(DatasetError, match="does not exist"):
        writers.read(tmp_path / "absent")


def test_splits_with_other_categories_are_refused(tmp_path):
    dataset(tmp_path)
    dataset(tmp_path, name="annotations/instances_a.json", folder="a", categories=[{"id": 1, "name": "cat"}])
    with pytest.raises(DatasetError, match="different categories"):
        list(writers.read(tmp_path))
