"""train, finetune, evaluate, predict from the command line: they learn, they refuse, they leave whole files."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from understudy.cli import main

SMALL = ["--size", "nano", "--side", "64", "--batch", "8"]


def ran(capsys, *argv) -> tuple[int, str, str]:
    code = main([str(a) for a in argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


@pytest.fixture(scope="module")
def trained(tmp_path_factory, disc_folder):
    """A model of discs that has learned for some seconds, its training and test folders."""
    base = tmp_path_factory.mktemp("trained")
    real, test = disc_folder(base / "real", 40, 1), disc_folder(base / "test", 24, 2)
    assert main(["train", str(real), "-o", str(base / "model"), "--budget", "1200img", *SMALL]) == 0
    return base / "model", real, test


def test_it_learns_and_says_so_only_of_real_pictures(trained, tmp_path, capsys):
    model, _, test = trained
    code, out, _err = ran(capsys, "evaluate", model, test, "-o", tmp_path / "eval")
    assert code == 0
    told = json.loads((tmp_path / "eval" / "evaluation.json").read_text())
    figure = told["figures"]["mIoU"]
    assert figure["value"] > 0.85 and figure["low"] < figure["value"] < figure["high"] and figure["n"] == 24
    assert f"{figure['value']:.3f}" in out
    page = (tmp_path / "eval" / "report.html").read_text()
    assert page.count("<figure>") == 24 and "http://" not in page and "https://" not in page
    with np.load(tmp_path / "eval" / "table.npz") as table:
        assert table["confusion"].shape == (24, 2, 2) and table["confusion"].sum() == 24 * 64 * 64
    card = json.loads((model / "run.json").read_text())
    assert card["images"] == 1200 and card["trained_on"][0]["pictures"] == 40 and card["versions"]["torch"]
    assert len((model / "curve.csv").read_text().splitlines()) == 9
    assert "nothing is known yet" in (model / "report.html").read_text()


def test_training_photographs_are_refused_as_a_test_with_their_list(trained, tmp_path, capsys):
    model, real, test = trained
    both = tmp_path / "both"
    shutil.copytree(test, both)
    for kind in ("images", "masks"):
        shutil.copy(real / kind / "007.png", both / kind / "new.png")
    code, out, err = ran(capsys, "evaluate", model, both)
    assert code == 1 and "images/new.png" in err and "1 photograph is in" in err and "mIoU" not in out
    assert ran(capsys, "evaluate", model, both, "--allow-overlap")[0] == 0
    code, _, err = ran(capsys, "train", real, "--val", both, "-o", tmp_path / "m", "--budget", "16img", *SMALL)
    assert code == 1 and "images/new.png = images/007.png" in err and not (tmp_path / "m").exists()
    code, _, err = ran(capsys, "finetune", model, test, "--val", real, "-o", tmp_path / "m", "--budget", "16img")
    assert code == 1 and "40 photographs are in the training of the model" in err


def test_photographs_that_chose_the_checkpoint_are_no_test_either(trained, discs, tmp_path, capsys):
    _, real, test = trained
    code, _, _ = ran(capsys, "train", discs("other", 8, 9), "--val", test, "-o", tmp_path / "m", "--budget", "32img", *SMALL)
    assert code == 0
    code, out, err = ran(capsys, "evaluate", tmp_path / "m", test)
    assert code == 1 and "24 photographs are in the validation that chose the model" in err and "mIoU" not in out
    code, _, _ = ran(capsys, "finetune", tmp_path / "m", real, "--val", test, "-o", tmp_path / "n", "--budget", "32img")
    assert code == 0  # the same validation may choose again


def test_fine_tuning_goes_on_from_the_model(trained, tmp_path, capsys):
    model, _, test = trained
    code, _out, err = ran(capsys, "finetune", model, test, "-o", tmp_path / "fine", "--budget", "64img", "--batch", "8")
    assert code == 0
    card = json.loads((tmp_path / "fine" / "run.json").read_text())
    assert card["started_from"] == str(model) and card["size"] == "nano" and card["side"] == 64
    first = float((tmp_path / "fine" / "curve.csv").read_text().splitlines()[1].split(",")[2])
    assert first < 0.5  # a new network starts above 1
    code, _, err = ran(capsys, "evaluate", tmp_path / "fine", trained[1])  # the first training's pictures are still known
    assert code == 1 and "40 photographs" in err


def test_predictions_are_pictures_of_class_numbers(trained, tmp_path, capsys):
    model, _, test = trained
    (tmp_path / "bad.jpg").write_bytes(b"none")
    code, out, err = ran(capsys, "predict", model, test / "images", tmp_path / "bad.jpg", "-o", tmp_path / "out")
    assert code == 0 and "24 pictures" in out and "bad.jpg" in err
    found = np.asarray(Image.open(tmp_path / "out" / "003.png"))
    truth = np.asarray(Image.open(test / "masks" / "003.png")) > 127
    assert set(np.unique(found)) <= {0, 1} and ((found == 1) == truth).mean() > 0.9
    assert (tmp_path / "out" / "classes.txt").read_text() == "foreground\n"


def test_made_pictures_are_no_test(trained, figures, tmp_path, capsys):
    made = figures("made", range(2), digest="abc")
    code, out, err = ran(capsys, "evaluate", trained[0], made)
    assert code == 2 and "a score on made pictures is no result" in err and "mIoU" not in out
    code, _, err = ran(capsys, "train", trained[1], "--val", made, "-o", tmp_path / "m", *SMALL)
    assert code == 2 and "--val needs real pictures" in err


def test_a_broken_loss_is_exit_1_and_keeps_a_model(discs, tmp_path, capsys):
    code, _out, err = ran(capsys, "train", discs("real", 8), "-o", tmp_path / "m", "--rate", "1e30", "--budget", "4000img",
                         *SMALL)
    assert code == 1 and "training stopped: the loss is" in err and "last good" in err
    assert ran(capsys, "evaluate", tmp_path / "m", discs("test", 9, 5))[0] == 0


def test_mixing_two_sets_with_other_class_names(discs, figures, tmp_path, capsys):
    made = figures("made", range(4), digest="abc")
    code, out, err = ran(capsys, "train", made, "--classes", "person", "--mix", f"{discs('real', 6)}=0.25",
                         "-o", tmp_path / "m", "--budget", "64img", *SMALL)
    assert code == 0 and "'foreground' is taken for 'person'" in err and "Nothing is known yet" in out
    card = json.loads((tmp_path / "m" / "run.json").read_text())
    assert [(p["made"], p["share"], p["pictures"]) for p in card["trained_on"]] == [(True, 0.75, 4), (False, 0.25, 6)]


def test_wrong_commands_are_one_message(discs, figures, tmp_path, capsys):
    real, boxes = discs("real", 4), figures("boxes", range(2))
    cases = [
        (["train", tmp_path / "nowhere", "-o", tmp_path / "m"], 1, "does not exist"),
        (["train", real, "-o", tmp_path / "m", "--task", "box"], 2, "no separate things"),
        (["train", real, "-o", tmp_path / "m", "--budget", "soon"], 2, "budget is not understood"),
        (["train", real, "-o", tmp_path / "m", "--side", "100"], 2, "multiple of 32"),
        (["train", real, "-o", tmp_path / "m", "--mix", "x"], 2, "--mix is not understood"),
        (["train", real, "-o", tmp_path / "m", "--mix", f"{real}=0.6", "--mix", f"{real}=0.6"], 2, "leave nothing"),
        (["train", real, "-o", tmp_path / "m", "--classes", "cat"], 2, "--classes names"),
        (["train", boxes, "-o", tmp_path / "m", "--classes", "dog", "--task", "box"], 1, "nothing to learn from"),
        (["train", real, "-o", tmp_path / "m", "--rate", "nan"], 2, "--rate"),
        (["train", real, "-o", real / "images" / "000.png"], 2, "is there already"),
        (["evaluate", tmp_path, real], 1, "there is no model"),
        (["finetune", tmp_path / "none", real, "-o", tmp_path / "m"], 1, "there is no model"),
        (["predict", tmp_path, tmp_path / "none.jpg", "-o", tmp_path / "m"], 2, "no such picture"),
    ]
    for argv, code, text in cases:
        got, _, err = ran(capsys, *argv)
        assert (got, text in err) == (code, True), (argv, got, err)
        assert not (tmp_path / "m").exists(), argv


def test_nothing_is_overwritten(trained, discs, capsys):
    code, _, err = ran(capsys, "train", discs("real", 4), "-o", trained[0])
    assert code == 2 and "is there already" in err


def test_a_set_of_one_class_of_pixels_is_refused(discs, tmp_path, capsys):
    folder = discs("real", 3)
    for file in (folder / "masks").iterdir():
        Image.new("L", (64, 64), 255).save(file)
    code, _, err = ran(capsys, "train", folder, "-o", tmp_path / "m")
    assert code == 1 and "every labelled pixel is of one class" in err
    for file in (folder / "masks").iterdir():
        Image.new("L", (64, 64), 0).save(file)
    assert "no instance of the classes" in ran(capsys, "train", folder, "-o", tmp_path / "m")[2]


@pytest.mark.slow
@pytest.mark.parametrize(("task", "least"), [("box", 0.7), ("mask", 0.6), ("keypoint", 0.6)])
def test_every_task_learns_figures(task, least, figures, tmp_path, capsys):
    """Figures that training has not seen, of the same kind: a floor for each head."""
    real, test = figures("real", range(60)), figures("test", range(100, 120))
    code, _, _ = ran(capsys, "train", real, "--task", task, "--classes", "person", "-o", tmp_path / "m", "--size", "nano",
                     "--side", "96", "--budget", "12000img")
    assert code == 0
    code, out, _ = ran(capsys, "evaluate", tmp_path / "m", test, "--json", "--allow-overlap")
    assert code == 0 and json.loads(out)["figures"]["AP50"]["value"] > least
    code, _, _ = ran(capsys, "predict", tmp_path / "m", test / "images", "-o", tmp_path / "out")
    answers = json.loads((tmp_path / "out" / "predictions.json").read_text())["answers"]
    sure = [a for a in answers if a["score"] > 0.4]
    assert 20 <= len(sure) <= 60 and all(("segmentation" in a) == (task == "mask") for a in sure)
    assert all(len(a.get("keypoints", [])) == (51 if task == "keypoint" else 0) for a in sure)
