"""Random masks through every format, mangled files through every reader, full disks, many records."""

import dataclasses
import errno
import io
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from understudy.errors import UnderstudyError, WriteError
from understudy.record import Instance, Record, Rle
from understudy.writers import About
from understudy.writers.coco import Coco
from understudy.writers.compare import differences
from understudy.writers.webdataset import WebDataset
from understudy.writers.yolo import Yolo

ROOMY = settings(max_examples=40, deadline=None, derandomize=True,
                 suppress_health_check=[HealthCheck.function_scoped_fixture])


def tight(mask):
    r, c = np.nonzero(mask)
    return float(c.min()), float(r.min()), float(c.max()) + 1, float(r.max()) + 1


@pytest.mark.parametrize("written", [Coco(), Yolo(task="segment"), WebDataset()], ids=lambda w: type(w).__name__)
@ROOMY
@given(masks=st.lists(arrays(bool, (48, 64), elements=st.booleans(), fill=st.booleans()).filter(np.any), min_size=1,
                      max_size=3))
def test_any_mask_comes_back(written, record, tmp_path, masks):
    tmp_path = Path(tempfile.mkdtemp(dir=tmp_path))  # a folder for each example
    instances = tuple(Instance(n, 1, tight(m), Rle.encode(m), float(m.sum())) for n, m in enumerate(masks, 1))
    wanted = Record(5, record.picture, record.categories, instances)
    shard = written.shard(tmp_path, 0)
    shard.add(wanted)
    shard.close()
    written.finish(tmp_path, [0], About("x", record.categories))
    (got,) = written.read(tmp_path)
    if isinstance(written, Yolo):  # the same mask twice is one row
        wanted = dataclasses.replace(wanted, instances=tuple(
            dataclasses.replace(i, id=n) for n, i in enumerate({i.mask.counts: i for i in instances}.values(), 1)))
    assert differences(wanted, got, 1e-4) == {}


@pytest.mark.parametrize(("written", "files"), [
    (Coco(), ["annotations/instances.json", "annotations/person_wholebody.json"]),
    (Yolo(task="pose"), ["labels", "data.yaml"]),
    (WebDataset(), ["shards/00000.tar", "dataset.json"])], ids=["coco", "yolo", "webdataset"])
@ROOMY
@given(data=st.data())
def test_a_mangled_file_is_an_error_of_ours(written, files, record, write, tmp_path, data):
    """Bytes changed, dropped or cut off: readers give records or an UnderstudyError, never anything else."""
    small = dataclasses.replace(record, maps={"parts": record.maps["parts"]})
    out = write(written, Path(tempfile.mkdtemp(dir=tmp_path)), [small])
    file = out / data.draw(st.sampled_from(files))
    file = next(file.rglob("*.txt")) if file.is_dir() else file
    content = bytearray(file.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    how = data.draw(st.sampled_from(["cut", "drop", "change"]))
    if how == "cut":
        del content[at:]
    elif how == "drop":
        del content[at:at + data.draw(st.integers(1, 40))]
    else:
        content[at] = data.draw(st.integers(0, 255))
    file.write_bytes(bytes(content))
    for report in (None, [].append):
        try:
            for _ in written.read(out, report):
                pass
        except UnderstudyError as error:
            assert str(error)


@pytest.mark.parametrize("written", [Coco(), Yolo(), WebDataset()], ids=lambda w: type(w).__name__)
def test_a_full_disk_is_one_clear_error(written, record, tmp_path, monkeypatch):
    shard = written.shard(tmp_path, 0)

    def full(self, *args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match="No space left on device"):
        shard.add(record)


@pytest.mark.parametrize("written", [Coco(), WebDataset()], ids=lambda w: type(w).__name__)
def test_finishing_and_reading_hold_one_record_at_a_time(written, record, tmp_path):
    """Ten times the records: the same memory (but for COCO's 24 bytes an entry)."""
    small = dataclasses.replace(record, maps={}, instances=record.instances[1:3])

    def peak(count, folder):
        shards = range(count // 20)
        for number in shards:
            shard = written.shard(folder, number)
            for k in range(20):
                shard.add(small.with_index(number * 20 + k))
            shard.close()
        tracemalloc.start()
        written.finish(folder, shards, About("x", record.categories))
        assert sum(1 for _ in written.read(folder)) == count
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    few, many = peak(20, tmp_path / "few"), peak(160, tmp_path / "many")
    size = (tmp_path / "many" / "annotations" / "instances.json").stat().st_size if isinstance(written, Coco) else 0
    assert many < few + 2**21 + 0.1 * size


def test_a_tar_beside_a_data_set_does_not_change_what_it_is(record, write, tmp_path):
    from understudy.writers import detect

    out = write(Yolo(), tmp_path, [record])
    with tarfile.open(out / "backup.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("x"), io.BytesIO())
    assert detect(out)[0] == "yolo"
