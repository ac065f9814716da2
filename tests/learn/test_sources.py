"""What counts as a data set to learn from, and what is read from a folder of masks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from understudy.errors import DatasetError
from understudy.learn.sources import open_source


def test_a_mask_folder_is_real_and_its_masks_are_its_instances(discs):
    source = open_source(discs("real", 3))
    records = list(source.records())
    assert (source.kind, source.made, source.categories, len(records)) == ("masks", False, ("foreground",), 3)
    for record in records:
        stored = np.asarray(Image.open(source.path / "masks" / f"{record.index:03}.png")) > 127
        (instance,) = record.instances
        assert (instance.mask.decode() == stored).all() and instance.area_px == stored.sum()
    assert source.names() == {i: f"images/{i:03}.png" for i in range(3)}


def test_numbered_masks_need_names_and_keep_255_apart(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (8, 4)).save(tmp_path / "images" / "a.jpg")
    pixels = np.array([[0, 1, 2, 255]] * 2, np.uint8)  # half the picture's size: scaled up
    Image.fromarray(pixels).save(tmp_path / "masks" / "a.png")
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    source = open_source(tmp_path)
    (record,) = source.records()
    assert source.categories == ("cat", "dog")
    assert {(i.category_id, i.ignore, i.xyxy_px) for i in record.instances} == {
        (1, True, (6, 0, 8, 4)), (1, False, (2, 0, 4, 4)), (2, False, (4, 0, 6, 4))}
    (tmp_path / "classes.txt").write_text("cat\n")
    with pytest.raises(DatasetError, match=r"numbers that classes\.txt does not name"):
        list(open_source(tmp_path).records())


def test_a_picture_without_a_mask_is_told(discs):
    folder = discs("real", 3)
    (folder / "masks" / "001.png").unlink()
    told = []
    assert [r.index for r in open_source(folder).records(lambda e: told.append(str(e)))] == [0, 2]
    assert len(told) == 1 and "001" in told[0] and "no mask" in told[0]
    with pytest.raises(DatasetError, match="no mask"):
        list(open_source(folder).records())


def test_made_is_told_from_real(figures, tmp_path):
    assert not open_source(figures("real", range(2))).made
    assert open_source(figures("made", range(2), digest="1d118c")).made
    converted = figures("converted", range(2))
    (converted / "recipe.yaml").write_text("name: x\n")
    assert open_source(converted).made
    run = figures("run", range(2))
    (run / "run.json").write_text(json.dumps({"made_by": "understudy"}))
    assert open_source(run).made


def test_what_is_none_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="does not exist"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="images/ beside masks/"):
        open_source(tmp_path)


def test_the_fingerprint_follows_the_files(discs):
    folder = discs("real", 2)
    before = open_source(folder).fingerprint
    assert open_source(folder).fingerprint == before
    Image.new("L", (64, 64), 255).save(folder / "masks" / "001.png")
    assert open_source(folder).fingerprint != before
