"""WebDataset shards in the package's own reader, and broken ones in ours."""

import dataclasses
import gc
import json
import tarfile

import numpy as np
import pytest

from understudy.errors import DatasetError
from understudy.writers.webdataset import WebDataset


@pytest.fixture
def out(records, write, tmp_path):
    return write(WebDataset(), tmp_path, records)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the package leaves its files open
def test_the_webdataset_package_reads_them(out, records):
    import webdataset

    urls = sorted(str(p) for p in (out / "shards").glob("*.tar"))
    samples = list(webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8"))
    gc.collect()
    assert [s["__key__"] for s in samples] == [f"{r.index:09d}" for r in records]
    for sample, record in zip(samples, records):
        pixels = sample[record.picture.suffix[1:]]
        assert pixels.shape[1::-1] == record.picture.size_wh
        assert [i["id"] for i in sample["json"]["instances"]] == [i.id for i in record.instances]
    assert samples[0]["json"]["drawn"] == dict(records[0].drawn)
    assert {"depth.png", "normals.png", "instances.png", "uv.npz", "iuv.1.png"} <= set(samples[0])


def test_members_carry_no_clock_owner_or_machine(out):
    for shard in (out / "shards").glob("*.tar"):
        with tarfile.open(shard) as tar:
            members = tar.getmembers()
            assert all((m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) == (0, 0, 0, "", "", 0o644) for m in members)
            keys = [m.name.split(".")[0] for m in members]
            assert keys == sorted(keys)
            assert shard.stat().st_size % tarfile.RECORDSIZE == 0


def test_bytes_are_those_of_tarfile(record, tmp_path, write):
    """Our headers are the standard library's own."""
    shard = write(WebDataset(), tmp_path, [record]) / "shards" / "00000.tar"
    with tarfile.open(shard) as tar, tarfile.open(tmp_path / "again.tar", "w", format=tarfile.USTAR_FORMAT) as again:
        for member in tar:
            again.addfile(member, tar.extractfile(member))
    assert (tmp_path / "again.tar").read_bytes() == shard.read_bytes()


def test_everything_drawn_and_every_asset_comes_back(out, records):
    for wanted, got in zip(records, WebDataset().read(out)):
        assert dict(got.drawn) == dict(wanted.drawn) and got.assets == wanted.assets


def test_ids_of_any_size(record, write, tmp_path):
    huge = dataclasses.replace(record.instances[0], id=(1 << 32) - 1)
    (back,) = WebDataset().read(write(WebDataset(), tmp_path, [dataclasses.replace(record, instances=(huge,))]))
    assert back.instances[0].id == (1 << 32) - 1
    assert np.array_equal(back.instances[0].densepose.iuv, huge.densepose.iuv)


def test_a_cut_off_shard_is_an_error_or_reported(out):
    shard = out / "shards" / "00000.tar"
    shard.write_bytes(shard.read_bytes()[:9_000])
    with pytest.raises(DatasetError, match=r"no whole tar|no usable|broken|no json"):
        list(WebDataset().read(out))
    heard = []
    assert [r.index for r in WebDataset().read(out, heard.append)][-1] == 12
    assert heard


def test_a_missing_shard_is_an_error(out):
    (out / "shards" / "00001.tar").unlink()
    with pytest.raises(DatasetError, match="a shard is missing"):
        list(WebDataset().read(out))


def test_tars_without_an_index_still_read(out, records):
    (out / "dataset.json").unlink()
    assert [r.index for r in WebDataset().read(out)] == [r.index for r in records]
    assert WebDataset().about(out).categories == records[0].categories


@pytest.mark.parametrize("content", [b"{}", b"[]", b"no json", b'{"categories": ["a"]}'])
def test_a_foreign_sample_says_so(content, tmp_path):
    import io

    (tmp_path / "x.json").write_bytes(content)
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        info = tarfile.TarInfo("a/0001.json")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    with pytest.raises(DatasetError):
        list(WebDataset().read(tmp_path))


def test_what_it_says_of_itself_is_in_dataset_json(out, about):
    said = json.loads((out / "dataset.json").read_text(encoding="utf-8"))
    assert said["licence"] == list(about.licence) and said["shards"] == [f"shards/{n:05d}.tar" for n in range(3)]
