"""The exact text of a small data set: a change here is a change of format, and belongs in the changelog."""

from pathlib import Path

import numpy as np
import pytest

from understudy.record import Instance, Picture, PointSet, Record, Rle
from understudy.writers import About
from understudy.writers.coco import Coco
from understudy.writers.webdataset import WebDataset
from understudy.writers.yolo import Yolo

GOLDEN = Path(__file__).parents[1] / "golden" / "formats"
ONE_PIXEL = bytes.fromhex(  # a PNG whose bytes do not hang on a library's version
    "89504e470d0a1a0a0000000d49484452000000080000000608000000000000000000")


def record() -> Record:
    solid, ring = np.zeros((6, 8), bool), np.zeros((6, 8), bool)
    solid[0:2, 0:3] = True
    solid[4:6, 1:2] = True
    ring[2:5, 4:8] = True
    ring[3, 5] = False
    points = PointSet("tips", ("left_tip", "right_tip"), np.array([[0.5, 1.25, 2], [-3, 2, 0]], np.float32),
                      np.array([[0.1, 0.2, 3], [1, 2, 3]], np.float32))
    return Record(7, Picture(ONE_PIXEL, ".png", (8, 6)), ("person", "Hund"), (
        Instance(1, 1, (0, 0, 3, 6), Rle.encode(solid), 8.0, (0, 0, 3, 6), Rle.encode(solid), 1.0, 0.25, (points,),
                 attributes={"age": 30.5, "hat": False, "hair": "kurz"}),
        Instance(70_000, 2, (4, 2, 8, 5), Rle.encode(ring), 11.0, ignore=True)),
        camera={"matrix": [[10.0, 0.0, 4.0], [0.0, 10.0, 3.0], [0.0, 0.0, 1.0]]}, drawn={"world.count": 2})


CASES = {
    "coco_instances.json": (Coco(), "annotations/instances.json"),
    "coco_keypoints.json": (Coco(), "annotations/keypoints.json"),
    "yolo_detect.txt": (Yolo(), "labels/00000/000000007.txt"),
    "yolo_pose.txt": (Yolo(task="pose", points=2), "labels/00000/000000007.txt"),
    "yolo_pose.yaml": (Yolo(task="pose", points=2), "data.yaml"),
    "yolo_segment.txt": (Yolo(task="segment"), "labels/00000/000000007.txt"),
    "webdataset_dataset.json": (WebDataset(), "dataset.json"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_text_is_what_it_was(name, tmp_path):
    written, file = CASES[name]
    shard = written.shard(tmp_path, 0)
    shard.add(record())
    shard.close()
    about = About("gold", ("person", "Hund"), ("CC0-1.0", "https://example.org"), "Golden", "1", "d1", 5)
    written.finish(tmp_path, [0], about)
    assert (tmp_path / file).read_text(encoding="utf-8") == (GOLDEN / name).read_text(encoding="utf-8")
