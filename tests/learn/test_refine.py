"""The refiner and its data set: what it may change, what it must not, and when it is refused."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
import torch
from PIL import Image

from understudy.cli import main
from understudy.key import Key
from understudy.learn.budget import Budget
from understudy.learn.native import refiner
from understudy.learn.sources import open_source


def ran(capsys, *argv) -> tuple[int, str, str]:
    code = main([str(a) for a in argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def test_a_new_refiner_changes_nothing_and_none_changes_far():
    network = refiner.Refiner(8, 2, 255.0)
    image = np.random.default_rng(0).integers(0, 256, (33, 47, 3), dtype=np.uint8)
    assert (refiner.refined(network, image) == image).all()
    with torch.no_grad():
        network.last.bias.fill_(100.0)
    assert (refiner.refined(network, np.zeros((9, 9, 3), np.uint8)) <= 128).all()  # half of the range at most


def test_the_history_is_bounded_and_half_of_what_is_judged():
    history = refiner.History(6, Key(0))
    first = torch.zeros(4, 1)
    assert torch.equal(history.mixed(first, 0), first) and len(history) == 2
    for step in range(1, 9):
        mixed = history.mixed(torch.full((4, 1), float(step)), step)
        assert len(mixed) == 4 and (mixed[:2] == step).all() and (mixed[2:] < step).all()
    assert len(history) == 6


def crops(level: float, seed: int):
    """Batches of grey noise around a level."""
    def batch(number: int) -> np.ndarray:
        rng = np.random.default_rng((seed, number))
        return (level + rng.normal(0, 8, (4, 32, 32, 3))).clip(0, 255).astype(np.uint8)
    return batch


def test_it_learns_a_planted_difference_and_self_regularisation_holds_it_back():
    moved = {}
    for keep in (0.5, 100.0):
        settings = refiner.Settings(Budget(images=480), keep=keep, change=60.0, crop=32, width=8, blocks=1, batch=4,
                                    rate=3e-3, discriminate_first=20)
        network, points = refiner.learned(crops(90, 0), crops(140, 1), settings, lambda p: None)
        image = crops(90, 2)(0)[0]
        moved[keep] = float(refiner.refined(network, image).mean()) - float(image.mean())
        assert len(points) == 8 and points[-1].crops == 480
    assert moved[0.5] > 15 and abs(moved[100.0]) < 5


@pytest.mark.parametrize("most", [3.0, 12.0])
def test_no_picture_changes_by_more_than_it_may(most):
    """Real pictures are 50 lighter, so a free refiner would go there; nothing but the bound holds this one."""
    settings = refiner.Settings(Budget(images=480), keep=0.0, crop=32, width=8, blocks=1, batch=4, rate=3e-3,
                                discriminate_first=20, change=most)
    network, points = refiner.learned(crops(90, 0), crops(140, 1), settings, lambda p: None)
    assert max(p.change for p in points) == pytest.approx(most, rel=0.02)
    image = crops(90, 2)(0)[0]
    assert np.abs(refiner.refined(network, image).astype(int) - image).mean() < most + 0.5  # of rounding


def test_the_same_seed_gives_the_same_refiner():
    settings = refiner.Settings(Budget(images=40), crop=32, width=8, blocks=1, batch=4, discriminate_first=2)
    files = {refiner.saved(refiner.learned(crops(90, 0), crops(140, 1), settings, lambda p: None)[0], settings)
             for _ in range(2)}
    assert len(files) == 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A tiny data set of the solids world: pictures, labels, manifest, description."""
    out = tmp_path_factory.mktemp("refine") / "made"
    changes = ("sensors.camera.size=[96, 64]", "sensors.renderer=flat", "world.count=2", "world.shape=box",
               "world.distractors=0", "labels.keep=[boxes, masks]")
    assert main(["generate", "solids", "-n", "40", "-o", str(out), "--workers", "1",
                 *(a for c in changes for a in ("--set", c))]) == 0
    return out


@pytest.fixture
def real(tmp_path):
    """Photographs of nothing in particular: smooth colours, darker than the made ones."""
    folder = tmp_path / "real"
    folder.mkdir()
    for i in range(10):
        rough = np.random.default_rng(i).integers(0, 120, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(rough).resize((160, 120), Image.Resampling.BICUBIC).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def labeller(made, tmp_path_factory):
    out = tmp_path_factory.mktemp("labeller") / "m"
    assert main(["train", str(made), "-o", str(out), "--classes", "box", "--size", "nano", "--side", "64", "--budget",
                 "1200img", "--batch", "8"]) == 0
    return out


QUICK = ["--crop", "32", "--budget", "64img"]


@pytest.mark.filterwarnings("ignore")  # of mlcroissant's own use of rdflib and pandas
def test_the_refined_set_has_the_same_labels_and_says_where_it_comes_from(made, real, labeller, tmp_path, capsys, caplog):
    import mlcroissant
    import pyarrow.parquet as pq

    out = tmp_path / "refined"
    code, told, err = ran(capsys, "adapt", "refine", made, "--real-unlabelled", real, "-o", out, "--labeller", labeller,
                          *QUICK)
    assert code == 0 and "Nothing is known yet" in told, err
    before, after = (list(open_source(p).records()) for p in (made, out))
    assert len(before) == len(after) == 40
    for a, b in zip(before, after):
        assert a.index == b.index and a.instances == b.instances and a.picture.size_wh == b.picture.size_wh
        assert a.picture.data != b.picture.data
    assert ran(capsys, "check", out)[0] == 0
    lineage = json.loads((out / "lineage.json").read_text())
    assert lineage["real_pictures"] == 10 and len(lineage["photographs"][0]) == 64
    rows = pq.read_table(out / "manifest.parquet").to_pylist()
    assert {r["refinement.refiner"] for r in rows} == {lineage["refiner"]}
    assert max(r["refinement.change"] for r in rows) > 0
    assert pq.read_table(made / "manifest.parquet").to_pylist() == [
        {k: v for k, v in r.items() if not k.startswith("refinement.")} for r in rows]
    card = json.loads((out / "croissant.json").read_text())
    assert card["isBasedOn"] == json.loads((made / "croissant.json").read_text())["url"]
    assert lineage["refiner"][:32] in card["url"]
    with caplog.at_level(logging.ERROR):
        dataset = mlcroissant.Dataset(jsonld=out / "croissant.json")
        assert len(list(dataset.records("records"))) == 40
    assert not dataset.metadata.ctx.issues.errors
    assert open_source(out).made and open_source(out).behind.shape == (10, 32)
    page = (out / "refinement" / "report.html").read_text()
    assert page.count("<figure>") == 10 and "https://" not in page
    # a model that learns from it has seen the photographs behind it
    code, _, _ = ran(capsys, "train", out, "-o", tmp_path / "m", "--size", "nano", "--side", "64", "--budget", "16img",
                     "--classes", "box")
    assert code == 0
    test = tmp_path / "test"
    (test / "masks").mkdir(parents=True)
    (test / "images").mkdir()
    for i in range(10):
        image = Image.open(real / f"{i}.png")
        image.save(test / "images" / f"{i}.png")
        Image.fromarray((np.indices((120, 160))[0] > 60).astype(np.uint8) * 255).save(test / "masks" / f"{i}.png")
    code, _, err = ran(capsys, "evaluate", tmp_path / "m", test, "--rename", "foreground=box")
    assert code == 1 and "10 photographs are in the training" in err


def test_labels_that_would_lie_are_refused(made, real, labeller, tmp_path, capsys):
    out = tmp_path / "wild"
    code, told, err = ran(capsys, "adapt", "refine", made, "--real-unlabelled", real, "-o", out, "--labeller", labeller,
                          "--crop", "32", "--budget", "400img", "--keep", "0", "--change", "127", "--rate", "0.03",
                          "--agree", "0.99")
    assert code == 1 and "no longer show what the labels say" in err and not told
    assert [p.name for p in out.iterdir()] == ["refinement"]
    said = json.loads((out / "refinement" / "refinement.json").read_text())
    assert said["verdict"].startswith("refused")
    assert said["labeller_after"]["value"] < 0.99 * said["labeller_before"]["value"]


@pytest.mark.parametrize(("value", "low", "high"), ((-0.1, -0.2, 0.0), (0.02, -0.006, 0.056), (np.nan, np.nan, np.nan)))
def test_refined_pictures_that_teach_no_better_are_not_written(value, low, high, made, real, labeller, tmp_path, capsys,
                                                               monkeypatch):
    from understudy.learn import refine
    from understudy.learn.evals.bootstrap import Figure
    from understudy.learn.evals.pairing import Difference

    def compared(wish, folder, judged, scratch, tell):
        assert (folder / "lineage.json").is_file()
        from dataclasses import replace
        return replace(judged, made=Figure(0.6, 0.5, 0.7, 9), refined=Figure(0.5, 0.4, 0.6, 9),
                       better=Difference(Figure(value, low, high, 9), 0.1))

    monkeypatch.setattr(refine, "_compared", compared)
    out = tmp_path / "worse"
    code, _, err = ran(capsys, "adapt", "refine", made, "--real-unlabelled", real, "-o", out, "--labeller", labeller,
                       *QUICK)
    assert code == 1 and "teach no better" in err and [p.name for p in out.iterdir()] == ["refinement"]


def test_the_refined_set_is_there_only_if_it_teaches_more(made, real, labeller, discs, tmp_path, capsys):
    out = tmp_path / "judged"
    code, told, err = ran(capsys, "adapt", "refine", made, "--real-unlabelled", real, "-o", out, "--labeller", labeller,
                          "--classes", "box", "--val", discs("val", 6), "--val-budget", "32img", *QUICK)
    assert (out / "refinement").is_dir(), err
    said = json.loads((out / "refinement" / "refinement.json").read_text())
    better = said["refined_less_made"]["low"] > 0
    assert said["as_made"]["n"] == said["refined"]["n"] == 6
    assert (code == 0) == better == (out / "lineage.json").is_file() == ("learned from as made" in told), err
    assert ("teach no better" in err) == (not better)


def test_bad_wishes_are_one_message(made, real, discs, tmp_path, capsys):
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").write_text("")
    start = ["adapt", "refine", made, "--real-unlabelled"]
    for argv, code, said in (
            ([*start, real, "-o", full], 1, "exists already"),
            ([*start, made, "-o", tmp_path / "o"], 2, "adaptation needs real pictures"),
            ([*start, real, "-o", tmp_path / "o", "--crop", "33"], 2, "--crop"),
            ([*start, real, "-o", tmp_path / "o"], 2, "smaller than a crop"),
            ([*start, real, "-o", tmp_path / "o", "--agree", "2"], 2, "out of range"),
            (["adapt", "refine", discs("d"), "--real-unlabelled", real, "-o", tmp_path / "o"], 2, "folder of masks")):
        got, _, err = ran(capsys, *argv)
        assert got == code and said in err and not (tmp_path / "o").exists(), err
