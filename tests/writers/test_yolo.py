"""YOLO files by an independent, strict reading of the rules that Ultralytics documents for its trainers."""

import dataclasses

import numpy as np
import pytest
import yaml
from PIL import Image
from pycocotools import mask as coco_mask

from understudy.errors import DatasetError, WriteError
from understudy.record import Instance, PointSet, Rle
from understudy.writers import detect
from understudy.writers.points import mirror
from understudy.writers.yolo import Yolo


class Strict:
    """What a trainer checks before it starts: any breach is an AssertionError."""

    def __init__(self, root):
        self.config = yaml.safe_load((root / "data.yaml").read_text(encoding="utf-8"))
        assert self.config["train"] and self.config["val"]
        names = self.config["names"]
        assert list(names) == list(range(len(names))) and self.config["nc"] == len(names)
        shape = self.config.get("kpt_shape")
        if shape:
            assert shape[1] in (2, 3) and sorted(self.config["flip_idx"]) == list(range(shape[0]))
        self.rows = {}
        for image in sorted((root / self.config["train"]).rglob("*.*")):
            with Image.open(image) as opened:
                opened.verify()
            label = type(image)(str(image).replace("/images/", "/labels/")).with_suffix(".txt")
            assert label.is_file()
            self.rows[image] = self._parse(label, shape, len(names))

    def _parse(self, label, shape, classes):
        lines = [line.split() for line in label.read_text().splitlines()]
        assert all(lines) and len({tuple(line) for line in lines}) == len(lines)
        if shape:
            assert all(len(line) == 5 + shape[0] * shape[1] for line in lines)
        segments = not shape and any(len(line) > 6 for line in lines)
        parsed = []
        for words in lines:
            assert words[0].isdecimal() and int(words[0]) < classes
            values = np.array(words[1:], np.float32)
            if segments:
                assert len(values) >= 6 and len(values) % 2 == 0
            elif not shape:
                assert len(values) == 4
            coordinates = values if not shape else np.concatenate([values[:4], values[4:].reshape(-1, 3)[:, :2].ravel()])
            assert (coordinates >= 0).all() and (coordinates <= 1).all()
            if not segments:
                assert values[2] > 0 and values[3] > 0
            if shape:
                assert set(values[4:].reshape(-1, 3)[:, 2]) <= {0, 1, 2}
            parsed.append((int(words[0]), values))
        return parsed


@pytest.mark.parametrize("task", ["detect", "segment", "pose"])
def test_a_strict_reader_accepts_everything(task, records, write, tmp_path):
    strict = Strict(write(Yolo(task=task), tmp_path, records))
    assert len(strict.rows) == len(records)
    counts = [len(rows) for rows in strict.rows.values()]
    assert counts == [sum(not i.ignore for i in r.instances) for r in records]
    assert counts[1] == 0  # a picture without instances has an empty file, not none


def test_boxes_are_centre_and_size_over_the_pictures_own_sides(records, write, tmp_path):
    strict = Strict(write(Yolo(), tmp_path, records))
    (category, values), = list(strict.rows.values())[2]  # 90 x 20, box 80 3 90 9
    assert category == 1
    assert values == pytest.approx([85 / 90, 6 / 20, 10 / 90, 6 / 20])


def test_outlines_fill_to_the_mask_with_parts_apart_and_holes_open(record, write, tmp_path):
    out = write(Yolo(task="segment"), tmp_path, [record])
    (rows,) = Strict(out).rows.values()
    for (_, values), instance in zip(rows, [i for i in record.instances if not i.ignore]):
        polygon = (values.reshape(-1, 2) * (64, 48)).ravel().tolist()
        filled = coco_mask.decode(coco_mask.frPyObjects([polygon], 48, 64))[..., 0].astype(bool)
        wanted = instance.mask.decode()
        assert np.array_equal(filled, wanted)


def test_an_outlines_extent_is_the_box(record, write, tmp_path):
    (rows,) = Strict(write(Yolo(task="segment"), tmp_path, [record])).rows.values()
    for (_, values), instance in zip(rows, [i for i in record.instances if not i.ignore]):
        points = values.reshape(-1, 2) * (64, 48)
        assert (*points.min(axis=0), *points.max(axis=0)) == pytest.approx(instance.xyxy_px, abs=1e-4)


def test_the_same_row_twice_is_written_once(record, write, tmp_path):
    twins = dataclasses.replace(record, maps={}, instances=(
        Instance(1, 1, (2, 2, 9, 9)), Instance(2, 1, (2, 2, 9, 9)), Instance(3, 2, (2, 2, 9, 9))))
    (rows,) = Strict(write(Yolo(), tmp_path, [twins])).rows.values()
    assert len(rows) == 2


def test_points_outside_the_picture_are_zero(record, write, tmp_path):
    xyv = np.full((17, 3), 2, np.float32)
    xyv[:3] = [(-0.5, 3, 2), (64.5, 3, 1), (64, 48, 2)]
    points = dataclasses.replace(record.instances[0].points[0], xyv=xyv, xyz_m=None)
    moved = dataclasses.replace(record, maps={}, instances=(dataclasses.replace(record.instances[0], points=(points,)),))
    ((_, values),), = Strict(write(Yolo(task="pose"), tmp_path, [moved])).rows.values()
    assert values[4:13].tolist() == [0, 0, 0, 0, 0, 0, 1, 1, 2]


def test_pose_names_its_points_and_their_mirror(record, write, tmp_path):
    config = Strict(write(Yolo(task="pose"), tmp_path, [record])).config
    assert config["kpt_shape"] == [17, 3]
    assert config["flip_idx"] == [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
    assert config["kpt_names"][0][9] == "left_wrist"


def test_whole_body_mirrors_to_itself_twice(record):
    names = record.instances[0].points[1].names
    twins = mirror(names)
    assert [twins[t] for t in twins] == list(range(133))
    assert twins[17] == 20  # left big toe, right big toe
    assert twins[23] == 23 + 16 and twins[23 + 8] == 23 + 8  # the jaw's ends; the chin
    assert twins[91] == 112  # hands
    middle = {23 + i for i in (8, 27, 28, 29, 30, 33, 51, 57, 62, 66)} | {0}
    assert {i for i, t in enumerate(twins) if i == t} == middle


def test_a_segment_row_needs_a_mask(record, tmp_path):
    boxed = dataclasses.replace(record, instances=(Instance(1, 1, (2, 2, 9, 9)),))
    with pytest.raises(WriteError, match="task segment needs a mask"):
        Yolo(task="segment").shard(tmp_path, 0).add(boxed)


def test_two_point_conventions_do_not_mix(record, tmp_path):
    other = PointSet("dog", tuple(f"p{i}" for i in range(17)), np.ones((17, 3), np.float32))
    mixed = dataclasses.replace(record, instances=(
        record.instances[0], dataclasses.replace(record.instances[1], points=(other,))))
    with pytest.raises(WriteError, match="share one list of points"):
        Yolo(task="pose").shard(tmp_path, 0).add(mixed)


# reading others' folders

def png(path, size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (10, 20, 30)).save(path)


def test_a_roboflow_style_folder(tmp_path):
    """Splits above images and labels, names as a list."""
    for split, text in (("train", "1 0.5 0.5 0.25 0.2\n"), ("valid", "0 0.1 0.1 0.5 0.1 0.5 0.5\n"), ("test", "")):
        png(tmp_path / split / "images" / f"{split} bild ü.png")
        (tmp_path / split / "labels").mkdir()
        (tmp_path / split / "labels" / f"{split} bild ü.txt").write_text(text)
    (tmp_path / "data.yaml").write_text("train: ../train/images\nval: ../valid/images\nnc: 2\nnames: [Hund, 人]\n", "utf-8")
    name, written = detect(tmp_path)
    assert name == "yolo"
    train, valid, test = written.read(tmp_path)
    assert train.categories == ("Hund", "人")
    assert train.instances[0].category_id == 2 and train.instances[0].xyxy_px == (15, 12, 25, 18)
    assert valid.instances[0].mask.area == valid.instances[0].area_px > 60
    assert test.instances == () and [r.index for r in (train, valid, test)] == [0, 1, 2]


def test_splits_below_images_names_as_a_dict_and_points(tmp_path):
    png(tmp_path / "images" / "train" / "a.png")
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "labels" / "train" / "a.txt").write_text("0 .5 .5 .2 .2 .25 .5 2 0 0 0\n\n")
    (tmp_path / "data.yaml").write_text("names: {0: dog}\nkpt_shape: [2, 3]\n")
    (record,) = Yolo().read(tmp_path)
    points = record.instances[0].points[0]
    assert points.xyv.tolist() == [[10, 15, 2], [0, 0, 0]] and points.names == ("point_0", "point_1")


def test_points_without_visibility(tmp_path):
    png(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .2 .2 .25 .5 0 0\n")
    (tmp_path / "data.yaml").write_text("names: {0: dog}\nkpt_shape: [2, 2]\n")
    (record,) = Yolo().read(tmp_path)
    assert record.instances[0].points[0].xyv[:, 2].tolist() == [2, 0]


def test_without_a_config_classes_are_numbered_and_a_missing_label_file_is_a_negative(tmp_path):
    png(tmp_path / "images" / "a.png")
    png(tmp_path / "images" / "b.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("3 .5 .5 .2 .2\n")
    a, b = Yolo().read(tmp_path)
    assert a.categories == ("class_0", "class_1", "class_2", "class_3") and b.instances == ()
    (tmp_path / "classes.txt").write_text("w\nx\ny\nz\n")
    assert next(Yolo().read(tmp_path)).categories == ("w", "x", "y", "z")


@pytest.mark.parametrize(("row", "message"), [
    ("7 .5 .5 .1 .1", "the class is not listed"), ("0.5 .5 .5 .1 .1", "the class is not listed"),
    ("-1 .5 .5 .1 .1", "the class is not listed"), ("0 .5 .5 0 .1", "no area"), ("0 .5 .5 .1", "number of columns"),
    ("0 .5 .5 .1 .1 .9", "number of columns"), ("0 .5 .5 nan .1", "four numbers"), ("0 1.5 1.5 .1 .1", "no area"),
    ("0 .1 .1 .5 .1 inf .5", "pairs of numbers"), ("0 .1 .1 .1 .1 .1 .1", "no pixel"),
    ("0 .1 .1 3e6 .1 .5 .5", "far out of the picture"), ("person .5 .5 .1 .1", "other than numbers"),
    ("nan .5 .5 .1 .1", "the class is not listed"),
])
def test_a_wrong_row_names_its_line_and_can_be_left_out(row, message, tmp_path):
    png(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text(f"0 .5 .5 .2 .2\n{row}\n")
    (tmp_path / "data.yaml").write_text("names: [x]\n")
    with pytest.raises(DatasetError, match=f"a.txt:2: .*{message}"):
        list(Yolo().read(tmp_path))
    heard = []
    (record,) = Yolo().read(tmp_path, heard.append)
    assert len(record.instances) == 1 and len(heard) == 1


@pytest.mark.parametrize("text", [
    "names: [", "just text", "names: {a: b}", "- 1", "names: {999999999: x}", "names: [x]\nkpt_shape: 17",
    "names: [x]\nkpt_shape: [2, 4]", "names: [x]\nkpt_shape: [2, 3]\nkpt_names: {0: [a]}", "names: [x]\nunderstudy: 3"])
def test_a_broken_config_is_one_clear_error(text, tmp_path):
    png(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(DatasetError):
        list(Yolo().read(tmp_path))


def test_boxes_are_cut_at_the_border(tmp_path):
    png(tmp_path / "images" / "a.png")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0 0 .5 .5\n")
    (record,) = Yolo().read(tmp_path)
    assert record.instances[0].xyxy_px == (0, 0, 10, 7.5)


def test_a_picture_turned_by_exif_and_one_of_another_kind_come_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "images" / "a.jpg", exif=exif)
    Image.new("CMYK", (40, 30)).save(tmp_path / "images" / "b.tif")
    (tmp_path / "images" / "c.jpg").write_bytes(b"\xff\xd8 no picture")
    heard = []
    a, b = Yolo().read(tmp_path, heard.append)
    assert a.picture.size_wh == (30, 40) and a.picture.suffix == ".png" and a.picture.decode().shape == (40, 30, 3)
    assert b.picture.size_wh == (40, 30) and "no usable picture" in str(heard[0])


def test_a_mask_record_of_ours_keeps_index_and_gaps(records, write, tmp_path):
    assert [r.index for r in Yolo().read(write(Yolo(), tmp_path, records))] == [0, 1, 2, 4, 5, 11, 12]


def test_an_empty_mask_is_no_row(record, tmp_path):
    empty = dataclasses.replace(record.instances[1], mask=Rle.encode(np.zeros((48, 64), bool)))
    with pytest.raises(WriteError, match="empty mask"):
        Yolo(task="segment").shard(tmp_path, 0).add(dataclasses.replace(record, instances=(empty,)))
