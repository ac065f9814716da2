"""COCO files as others read them: pycocotools, Pillow, and the standard's own definitions."""

import contextlib
import dataclasses
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from understudy.errors import WriteError
from understudy.record import DensePose, Instance, Record, Rle
from understudy.writers import coco_fields
from understudy.writers.coco import Coco
from understudy.writers.coco_read import runs_of


@pytest.fixture
def out(records, write, tmp_path):
    return write(Coco(), tmp_path, records)


def loaded(out, kind="instances") -> COCO:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(out / "annotations" / f"{kind}.json"))


def document(out, kind="instances"):
    return json.loads((out / "annotations" / f"{kind}.json").read_text(encoding="utf-8"))


def test_every_file_loads_and_pictures_are_where_it_says(out, records):
    for kind in ("instances", "person_keypoints", "person_wholebody", "person_densepose"):
        coco = loaded(out, kind)
        assert len(coco.imgs) == len(records)
        for image in coco.imgs.values():
            path = out / "images" / image["file_name"]
            with Image.open(path) as opened:
                opened.verify()
            with Image.open(path) as opened:
                opened.load()
                assert opened.size == (image["width"], image["height"])


def test_maps_open_in_pillow_at_the_pictures_size(out):
    for image in loaded(out).imgs.values():
        for entry in image["understudy"].get("maps", {}).values():
            if entry["file"].endswith(".png"):
                with Image.open(out / entry["file"]) as opened:
                    opened.load()
                    assert opened.size == (image["width"], image["height"])


def test_box_mask_and_area_agree_on_every_annotation(out):
    coco = loaded(out)
    for annotation in coco.anns.values():
        mask = coco.annToMask(annotation).astype(bool)
        assert annotation["area"] == mask.sum() == coco_mask.area(coco.annToRLE(annotation)) > 0
        r, c = np.nonzero(mask)
        assert annotation["bbox"] == [c.min(), r.min(), c.max() + 1 - c.min(), r.max() + 1 - r.min()]


def test_masks_are_those_of_the_records(out, records):
    coco = loaded(out)
    for record in records:
        for instance in record.instances:
            annotation = coco.anns[record.index * 1_000_000 + instance.id]
            assert annotation["image_id"] == record.index + 1
            assert np.array_equal(coco.annToMask(annotation).astype(bool), instance.mask.decode())


def test_holes_are_run_length_codes_and_split_objects_two_polygons(out):
    annotations = loaded(out).anns
    split, ring, pixel = annotations[1], annotations[70_001], annotations[300]
    assert len(split["segmentation"]) == 2  # not the hull of both parts
    assert isinstance(ring["segmentation"], dict) and ring["area"] == 14 * 12 - 24  # the hole is no part of it
    assert ring["iscrowd"] == 0
    assert isinstance(pixel["segmentation"], dict) and pixel["iscrowd"] == pixel["ignore"] == 1


@pytest.mark.parametrize("kind", ["segm", "bbox", "keypoints"])
def test_ground_truth_against_itself_is_perfect(out, kind):
    coco = loaded(out, "person_keypoints" if kind == "keypoints" else "instances")
    results = [dict(a, score=0.5, segmentation=coco.annToRLE(a)) for a in coco.anns.values() if not a["iscrowd"]]
    with contextlib.redirect_stdout(io.StringIO()):
        evaluated = COCOeval(coco, coco.loadRes(results), kind)
        evaluated.evaluate()
        evaluated.accumulate()
        evaluated.summarize()
    assert evaluated.stats[0] == pytest.approx(1.0)


def test_ids_are_unique_start_at_one_and_agree_between_files(out):
    everything = [document(out, k) for k in ("instances", "person_keypoints", "person_wholebody", "person_densepose")]
    ids = [a["id"] for a in everything[0]["annotations"]]
    assert len(set(ids)) == len(ids) and min(ids) == 1
    images = [i["id"] for i in everything[0]["images"]]
    assert images == sorted(set(images)) and min(images) == 1
    by_id = {a["id"]: a for a in everything[0]["annotations"]}
    for other in everything[1:]:
        for annotation in other["annotations"]:
            same = by_id[annotation["id"]]
            assert {k: annotation[k] for k in ("image_id", "bbox", "area", "category_id")} == \
                {k: same[k] for k in ("image_id", "bbox", "area", "category_id")}


def test_ids_do_not_depend_on_other_shards(records, write, tmp_path):
    alone = document(write(Coco(), tmp_path / "a", records[3:4]))["annotations"]
    among = document(write(Coco(), tmp_path / "b", records))["annotations"]
    assert [a["id"] for a in alone] == [a["id"] for a in among if a["image_id"] == records[3].index + 1]


def test_an_instance_id_that_would_collide_is_refused(record, tmp_path):
    huge = dataclasses.replace(record.instances[1], id=1_000_000)
    with pytest.raises(WriteError, match="too large"):
        Coco().shard(tmp_path, 0).add(dataclasses.replace(record, instances=(huge,), maps={}))


def test_all_categories_are_listed_in_declared_order(out, about):
    for kind in ("instances", "person_keypoints", "person_wholebody"):
        listed = document(out, kind)["categories"]
        assert [(c["id"], c["name"]) for c in listed] == list(enumerate(about.categories, 1))
    person, other, _ = document(out, "person_keypoints")["categories"]
    assert person["keypoints"][5] == "left_shoulder" and len(person["skeleton"]) == 19
    assert "keypoints" not in other


def test_the_licence_is_the_data_sets_own(out, about):
    """A peer writes a fixed block whatever the assets are."""
    made = document(out)
    assert made["licenses"] == [{"id": 1, "name": about.licence[0], "url": about.licence[1]}]
    assert {i["license"] for i in made["images"]} == {1}
    assert made["info"]["description"] == about.description and "date_created" not in made["info"]


def test_keypoints_follow_the_standard(out, record):
    annotation = document(out, "person_keypoints")["annotations"][0]
    flat = np.array(annotation["keypoints"]).reshape(-1, 3)
    assert flat.shape == (17, 3)
    assert annotation["num_keypoints"] == (flat[:, 2] > 0).sum() == 15
    assert not flat[flat[:, 2] == 0].any()  # v = 0 means x = y = 0
    wanted = record.instances[0].points[0].xyv
    assert np.array_equal(flat[wanted[:, 2] > 0].astype(np.float32), wanted[wanted[:, 2] > 0])


def test_whole_body_fields_follow_the_standard(out, record):
    (annotation, *_), xyv = document(out, "person_wholebody")["annotations"], record.instances[0].points[1].xyv
    for part, count in (("foot", 6), ("face", 68), ("lefthand", 21), ("righthand", 21)):
        assert len(annotation[f"{part}_kpts"]) == 3 * count
        assert annotation[f"{part}_valid"] is True
    together = [v for k in ("keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts") for v in annotation[k]]
    kept = xyv[:, 2] > 0
    assert np.array_equal(np.array(together, np.float32).reshape(-1, 3)[kept], xyv[kept])
    x, y, w, h = annotation["face_box"]
    face = xyv[23:91]
    assert (x, y) == pytest.approx(face[:, :2].min(axis=0), abs=1e-4)
    assert (x + w, y + h) == pytest.approx(face[:, :2].max(axis=0), abs=1e-4)


def test_a_part_without_points_is_not_valid():
    xyv = np.zeros((133, 3), np.float32)
    xyv[:17] = (5, 5, 2)
    fields = coco_fields.whole_body_fields(xyv)
    assert not any(fields[f"{p}_valid"] for p in ("foot", "face", "lefthand", "righthand"))
    assert fields["face_box"] == [0, 0, 0, 0]


def test_densepose_points_are_pixel_centres_over_255_of_the_box():
    """Golden values at the corners (peers disagree on /255 and /256)."""
    iuv = np.zeros((10, 10, 3), np.uint8)
    iuv[0, 0], iuv[9, 9] = (1, 0, 255), (24, 128, 51)
    fields = coco_fields.densepose_fields(DensePose((20, 30, 30, 40), iuv), (20, 30, 30, 40))
    assert fields["dp_I"] == [1, 24]
    assert fields["dp_x"] == fields["dp_y"] == [255 * 0.05, 255 * 0.95]
    assert fields["dp_U"] == [0, round(128 / 255, 6)] and fields["dp_V"] == [1, 0.2]


def test_densepose_masks_are_the_coarse_parts_of_the_box(record):
    dense = record.instances[0].densepose
    fields = coco_fields.densepose_fields(dense, record.instances[0].xyxy_px)
    assert len(fields["dp_masks"]) == 14
    x0, y0, x1, y1 = dense.xyxy_px
    for part, code in enumerate(fields["dp_masks"], 1):
        if code:
            assert code["size"] == [256, 256]
            mask = coco_mask.decode(code).astype(bool)
            r, c = np.nonzero(mask)
            at = dense.iuv[((r + 0.5) / 256 * (y1 - y0)).astype(int), ((c + 0.5) / 256 * (x1 - x0)).astype(int), 0]
            assert set(coco_fields.COARSE_OF_CHART[at]) == {part}
    assert all(1 <= i <= 24 for i in fields["dp_I"])
    assert all(0 <= v <= 255 for v in fields["dp_x"] + fields["dp_y"])


def test_an_empty_mask_is_no_annotation(record, tmp_path):
    empty = Instance(1, 1, (0, 0, 4, 4), Rle.encode(np.zeros((48, 64), bool)))
    with pytest.raises(WriteError, match="empty mask"):
        Coco().shard(tmp_path, 0).add(dataclasses.replace(record, instances=(empty,), maps={}))


def test_a_value_without_json_form_is_refused(record, tmp_path):
    wrong = dataclasses.replace(record.instances[1], attributes={"age": float("nan")})
    with pytest.raises(WriteError, match="record 3: a value has no JSON form"):
        Coco().shard(tmp_path, 0).add(dataclasses.replace(record, instances=(wrong,), maps={}))


def test_two_names_for_one_convention_are_refused(record, tmp_path):
    points = record.instances[0].points[0]
    renamed = dataclasses.replace(points, names=points.names[::-1])
    shard = Coco().shard(tmp_path, 0)
    shard.add(record)
    with pytest.raises(WriteError, match="two lists of names"):
        shard.add(dataclasses.replace(record, index=9, maps={}, instances=(
            dataclasses.replace(record.instances[0], points=(renamed,), densepose=None),)))


def test_other_conventions_get_a_file_of_their_own(record, write, tmp_path):
    corners = dataclasses.replace(record.instances[0].points[0], convention="box_8", names=tuple(f"c{i}" for i in range(8)),
                                  xyv=np.full((8, 3), 2, np.float32), xyz_m=None)
    boxed = dataclasses.replace(record, instances=(dataclasses.replace(record.instances[1], points=(corners,)),))
    out = write(Coco(), tmp_path, [boxed])
    assert not (out / "annotations" / "person_keypoints.json").exists()
    made = document(out, "keypoints")
    assert made["categories"][1]["keypoints"] == list(corners.names)
    assert made["annotations"][0]["num_keypoints"] == 8
    (back,) = Coco().read(out)
    assert back.instances[0].points[0].names == corners.names


def test_an_annotation_is_written_once_and_no_file_twice(record, tmp_path, about):
    """Append cost is flat: a shard touches its own files alone, and nothing is rewritten."""
    before = {}
    for number in range(4):
        shard = Coco().shard(tmp_path, number)
        shard.add(record.with_index(number))
        shard.close()
        files = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in tmp_path.rglob("*") if p.is_file()}
        assert all(files[p] == stamp for p, stamp in before.items())
        before = files
    Coco().finish(tmp_path, range(4), about)
    assert all((p.stat().st_mtime_ns, p.stat().st_ino) == stamp for p, stamp in before.items())
    assert len(document(tmp_path)["annotations"]) == 4 * len(record.instances)


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_hash_seeds_change_nothing(seed, tmp_path):
    code = """
import sys, pathlib, hashlib, numpy as np, io
from PIL import Image
from understudy.record import *
from understudy.writers import About
from understudy.writers.coco import Coco
out = io.BytesIO(); Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(out, "PNG")
names = tuple(f"class {k}" for k in range(40))
mask = np.zeros((8, 8), bool); mask[2:4, 3:6] = True
root = pathlib.Path(sys.argv[1])
shard = Coco().shard(root, 0)
for k in (39, 2, 17):
    instance = Instance(1, k + 1, (3, 2, 6, 4), Rle.encode(mask))
    shard.add(Record(k, Picture(out.getvalue(), ".png", (8, 8)), names, (instance,)))
shard.close(); Coco().finish(root, [0], About("x", names))
print(hashlib.sha256((root / "annotations/instances.json").read_bytes()).hexdigest())
"""
    made = [subprocess.run([sys.executable, "-c", code, str(tmp_path / s)], env={**os.environ, "PYTHONHASHSEED": s},
                           capture_output=True, text=True, check=True).stdout for s in ("7", seed)]
    assert made[0] == made[1]


def test_a_folder_that_cannot_be_written(record, tmp_path):
    (tmp_path / "images").write_text("a file where a folder must be")
    with pytest.raises(WriteError, match="cannot write"):
        Coco().shard(tmp_path, 0).add(dataclasses.replace(record, maps={}))


def test_runs_are_decoded_like_pycocotools_does(record):
    for instance in record.instances:
        runs = runs_of(instance.mask.counts)
        pixels = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(64, 48).T
        assert np.array_equal(pixels, instance.mask.decode())


def test_a_box_without_mask_has_its_own_area(record, write, tmp_path):
    boxed = Record(0, record.picture, record.categories, (Instance(1, 1, (1.5, 2.25, 10.0, 20.0)),))
    (annotation,) = document(write(Coco(), tmp_path, [boxed]))["annotations"]
    assert annotation["area"] == 8.5 * 17.75 and annotation["segmentation"] == []
