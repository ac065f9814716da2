"""Write, read, compare: only what ``cannot_carry`` says is lost, and every line of it is true."""

import dataclasses

import numpy as np
import pytest

from understudy import writers
from understudy.fields import fields_of, resolve
from understudy.writers.coco import Coco
from understudy.writers.compare import differences
from understudy.writers.webdataset import WebDataset
from understudy.writers.yolo import Yolo

EVERY = [Coco(), Coco(exact=True), WebDataset(), WebDataset(exact=True), Yolo(), Yolo(task="segment"), Yolo(task="pose"),
         Yolo(task="pose", points=133)]
EXACT_ENOUGH_PX = 1e-4  # YOLO's eight digits; COCO's width and height, added to the corner again


def read_back(written, out):
    return list(written.read(out))


def named(written):
    return "-".join([type(written).__name__, *(str(getattr(written, f.name)) for f in dataclasses.fields(written))])


@pytest.mark.parametrize("written", EVERY, ids=named)
def test_exactly_the_declared_fields_are_lost(written, records, write, tmp_path):
    got = read_back(written, write(written, tmp_path, records))
    assert [r.index for r in got] == [r.index for r in records]
    differing = {}
    for wanted, back in zip(records, got):
        if "instances" in written.lost:  # compare instance by instance what a format was given
            wanted = dataclasses.replace(wanted, instances=tuple(i for i in wanted.instances if not i.ignore))
            if len(wanted.instances) != len(back.instances):
                differing["instances"] = "shorter"
        differing |= differences(wanted, back, EXACT_ENOUGH_PX)
    declared = {k for k in written.lost if k not in ("instances", "instances.ignore", "maps")}
    if "maps" in written.lost:
        differing = {k.partition(".")[0] if k.startswith("maps.") else k: v for k, v in differing.items()}
        declared |= {"maps"}
    assert set(differing) == declared, differing


@pytest.mark.parametrize("written", EVERY, ids=named)
def test_lost_is_part_of_cannot_carry(written):
    assert set(written.lost.items()) <= set(type(written).cannot_carry.items())
    assert all(written.lost.values())


@pytest.mark.parametrize("written", EVERY, ids=named)
def test_ignored_instances_are_left_out_only_where_declared(written, record, write, tmp_path):
    (back,) = read_back(written, write(written, tmp_path, [record]))
    ignored = [i for i in record.instances if i.ignore]
    assert len(record.instances) - len(back.instances) == (len(ignored) if "instances.ignore" in written.lost else 0)


@pytest.mark.parametrize("written", EVERY, ids=named)
def test_the_same_records_give_the_same_bytes(written, records, write, tmp_path):
    """Shards in any order, finish twice: the files are the same."""
    a = write(written, tmp_path / "a", records)
    b = write(written, tmp_path / "b", records, order=[2, 0, 1])
    written.finish(b, [0, 1, 2], written.about(a))
    files = [sorted(p.relative_to(root) for p in root.rglob("*") if p.is_file()) for root in (a, b)]
    assert files[0] == files[1] and not [f for f in files[0] if f.suffix == ".tmp"]
    assert [f for f in files[0] if (a / f).read_bytes() != (b / f).read_bytes()] == []


@pytest.mark.parametrize("written", EVERY, ids=named)
def test_a_data_set_without_instances(written, records, write, tmp_path):
    empty = [r for r in records if not r.instances]
    out = write(written, tmp_path, empty)
    assert [r.instances for r in written.read(out)] == [(), ()]
    assert writers.detect(out)[0] == next(n for n in writers.WRITERS if resolve(writers.WRITERS, n) is type(written))


@pytest.mark.parametrize("written", EVERY, ids=named)
def test_it_says_the_same_of_itself(written, records, write, tmp_path, about):
    got = written.about(write(written, tmp_path, records))
    assert got == about


@pytest.mark.parametrize("written", EVERY, ids=named)
def test_pictures_keep_their_bytes(written, records, write, tmp_path):
    got = read_back(written, write(written, tmp_path, records))
    assert [r.picture.data for r in got] == [r.picture.data for r in records]


@pytest.mark.parametrize("name", sorted(writers.WRITERS))
def test_settings_are_declared(name):
    assert all(f.doc for f in fields_of(resolve(writers.WRITERS, name)).values())


def test_millimetres_and_normals_lose_what_is_said(record, write, tmp_path):
    (back,) = Coco().read(write(Coco(), tmp_path, [record]))
    depth, wanted = back.maps["depth"], record.maps["depth"]
    seen = np.isfinite(wanted)
    assert np.array_equal(np.isfinite(depth), seen)
    assert np.abs(depth[seen] - wanted[seen]).max() <= 0.00051
    length = np.linalg.norm(back.maps["normals"], axis=2)
    assert np.abs(length[seen] - 1).max() < 0.007
    cosine = (back.maps["normals"] * record.maps["normals"]).sum(axis=2) / np.where(seen, length, 1)
    assert np.degrees(np.arccos(np.clip(cosine[seen], -1, 1))).max() < 0.6
    assert not back.maps["normals"][~seen].any()
    assert back.maps["depth"].dtype == back.maps["normals"].dtype == np.float32


@pytest.mark.parametrize("written", [Coco(), WebDataset()], ids=named)
def test_writing_what_was_read_changes_nothing_more(written, record, write, tmp_path):
    (once,) = written.read(write(written, tmp_path / "a", [record]))
    (twice,) = written.read(write(written, tmp_path / "b", [once]))
    assert differences(once, twice) == {}


def test_depth_beyond_sixteen_bits_is_nothing_not_something_near(tmp_path, record, write):
    """8-bit and 16-bit wrap-around: 65.6 m must not come back as 6 cm."""
    depth = record.maps["depth"].copy()
    depth[10, 10:13] = (65.535, 65.6, 1000)
    far = dataclasses.replace(record, maps={"depth": depth})
    (back,) = Coco().read(write(Coco(), tmp_path / "a", [far]))
    assert back.maps["depth"][10, 10] == np.float32(65.535)
    assert np.isinf(back.maps["depth"][10, 11:13]).all()
    (back,) = Coco(exact=True).read(write(Coco(exact=True), tmp_path / "b", [far]))
    assert np.array_equal(back.maps["depth"], depth)


@pytest.mark.parametrize("highest", [255, 256, 65_535, 65_536, 70_001, (1 << 24) - 1, 1 << 24, (1 << 32) - 1])
def test_ids_do_not_wrap(highest, record, write, tmp_path):
    ids = record.maps["instances"].copy()
    ids[40, 40] = highest
    wide = dataclasses.replace(record, maps={"instances": ids})
    for written in (Coco(), WebDataset()):
        (back,) = written.read(write(written, tmp_path / type(written).__name__, [wide]))
        assert back.maps["instances"].dtype == np.uint32
        assert np.array_equal(back.maps["instances"], ids)
