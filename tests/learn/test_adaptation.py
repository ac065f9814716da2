"""Adaptation to unlabelled pictures: closed forms of its parts, and the command that tries it beside none."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from understudy.cli import main
from understudy.errors import DatasetError
from understudy.key import Key
from understudy.learn.augment import Strength
from understudy.learn.fourier import restyled
from understudy.learn.native import alignment
from understudy.learn.native.network import Spec, built
from understudy.learn.native.statistics import with_statistics_of
from understudy.learn.unlabelled import open_unlabelled

SMALL = ["--size", "nano", "--side", "64", "--batch", "8"]


def ran(capsys, *argv) -> tuple[int, str, str]:
    code = main([str(a) for a in argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def noise(seed: int, shape=(40, 48, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_what_cannot_be_read_is_told_and_left_out(tmp_path):
    for i in range(9):
        Image.fromarray(noise(i)).save(tmp_path / f"{i}.png")
    (tmp_path / "3.png").write_bytes((tmp_path / "3.png").read_bytes()[:300])
    told: list[str] = []
    assert len(open_unlabelled(tmp_path, 32, told.append).images) == 8
    assert len(told) == 1 and told[0].startswith("left out: ") and "3.png" in told[0]
    (tmp_path / "4.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"too few readable pictures.*wanted 8 or more, got 7"):
        open_unlabelled(tmp_path, 32, told.append)


def test_coral_is_the_distance_of_covariances():
    a = torch.randn(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    cov = torch.cov(a.T)
    assert alignment.coral(a, a + 7) == pytest.approx(0, abs=1e-20)  # a mean that moved is no covariance
    assert float(alignment.coral(a, 2 * a)) == pytest.approx(float((3 * cov).square().sum()) / 36, rel=1e-9)


def test_the_turned_gradient_is_the_gradient_turned_round():
    x = torch.arange(4.0, requires_grad=True)
    y = alignment._Turned.apply(x, 0.25)
    assert torch.equal(y, x)
    (y * torch.tensor([1.0, 2, 3, 4])).sum().backward()
    assert torch.equal(x.grad, -0.25 * torch.tensor([1.0, 2, 3, 4]))
    assert alignment.strength(0) == 0 and alignment.strength(1) == pytest.approx(1, abs=1e-4)


def test_aligned_outputs_are_the_plain_ones_where_statistics_are_fixed(discs):
    """The labelled half's outputs and the shapes: nothing of the other half leaks into them but batch statistics."""
    network = built(Spec("semantic", ("a",), "nano", 64), 0).eval()
    real = open_unlabelled(discs("real", 9) / "images", 76, print).mixture(Key(0), 64, Strength())
    images = torch.from_numpy(noise(3, (4, 64, 64, 3)))
    for method in alignment.METHODS:
        align = alignment.Alignment(method, network, real, 0)
        out, apart = align(network, images, 0, 0.5)
        assert torch.allclose(out["classes"], network(alignment.normalised(images))["classes"], atol=1e-5)
        assert apart.item() > 0 and torch.isfinite(apart)


def test_minimising_coral_brings_covariances_together(discs):
    real = open_unlabelled(discs("real", 16) / "images", 76, print).mixture(Key(0), 64, Strength())
    network = built(Spec("semantic", ("a",), "nano", 64), 0)
    align = alignment.Alignment("coral", network, real, 0)
    optimizer = torch.optim.SGD(network.backbone.parameters(), 0.3)
    images = torch.from_numpy(noise(5, (8, 64, 64, 3)) // 4)
    losses = []
    for step in range(12):
        _, apart = align(network, images, step, 0.5)
        optimizer.zero_grad()
        apart.backward()
        optimizer.step()
        losses.append(apart.item())
    assert np.mean(losses[-3:]) < 0.7 * np.mean(losses[:3])


def test_fourier_adaptation_moves_the_mean_and_keeps_the_shapes():
    image, style = noise(0) // 4 + 90, noise(1) // 4 + 30
    assert np.abs(restyled(image, image).astype(int) - image).max() <= 1
    moved = restyled(image, style, beta=0)
    assert np.abs(moved.mean((0, 1)) - style.mean((0, 1))).max() < 0.6
    shift = moved.astype(float) - image
    assert np.abs(shift - shift.mean((0, 1))).max() <= 1.0  # one constant for each channel: the mean colour alone
    both = restyled(image, style, beta=0.1)
    reach = int(40 * 0.1)
    spectrum = [np.fft.fft2(p[..., 0].astype(float)) for p in (both, image, style)]
    at = (2, 3)  # below the reach: the style's amplitude at the picture's phase
    assert max(at) <= reach
    assert abs(spectrum[0][at]) == pytest.approx(abs(spectrum[2][at]), rel=0.05)
    assert np.angle(spectrum[0][at] / spectrum[1][at]) == pytest.approx(0, abs=0.05)
    beyond = (0, 12)
    assert abs(spectrum[0][beyond] - spectrum[1][beyond]) < 0.05 * abs(spectrum[1][beyond])


def test_adabn_takes_over_the_statistics_and_nothing_else():
    network = built(Spec("semantic", ("a",), "nano", 64), 0)
    images = noise(2, (24, 64, 64, 3))
    adapted = with_statistics_of(network, images, batch=24)
    first, own = adapted.backbone.stem[1], network.backbone.stem[1]
    x = network.backbone.stem[0](alignment.normalised(torch.from_numpy(images)))
    assert torch.allclose(first.running_mean, x.mean((0, 2, 3)), atol=1e-4)
    assert torch.allclose(first.running_var, x.var((0, 2, 3)), rtol=1e-3)
    assert first.momentum == own.momentum and not torch.equal(first.running_mean, own.running_mean)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), adapted.parameters()))


@pytest.fixture
def dark(tmp_path, disc_folder):
    """dark(name, count, seed): the discs in a quarter of the light."""
    def make(name, count, seed):
        folder = disc_folder(tmp_path / name, count, seed)
        for file in (folder / "images").iterdir():
            Image.fromarray((np.asarray(Image.open(file)) * 0.16 + 4).astype(np.uint8)).save(file)
        return folder
    return make


def test_every_way_beside_none_and_the_best_is_kept(discs, dark, tmp_path, capsys):
    bright, val, other, test = discs("bright", 30, 1), dark("val", 16, 2), dark("other", 20, 3), dark("test", 16, 4)
    out = tmp_path / "m"
    code, told, err = ran(capsys, "train", bright, "-o", out, "--val", val, "--adapt", "adabn,fda,coral,dann",
                          "--unlabelled", other / "images", "--budget", "480img", *SMALL)
    assert code == 0 and "which chooses, so it flatters" in told, err
    said = json.loads((out / "adaptation.json").read_text())
    scores = {w["name"]: w["score"]["value"] for w in said["ways"]}
    assert list(scores) == ["without", "adabn", "fda", "coral", "dann"]
    sure = {w["name"] for w in said["ways"] if w["gain"] is None or w["gain"]["low"] > 0}
    assert said["chosen"] == max(sure, key=scores.get) and "fda" in sure
    assert scores["fda"] > scores["without"] + 0.1  # the planted difference is one of light, which it takes away
    assert (out / "model.safetensors").read_bytes() == (out / said["chosen"] / "model.safetensors").read_bytes()
    assert json.loads((out / "run.json").read_text())["adapted"]["pictures"] == 20
    code, told, _ = ran(capsys, "evaluate", out, test)
    assert code == 0 and "mIoU" in told
    code, _, err = ran(capsys, "evaluate", out, other)  # adapted to them: they are no test any more
    assert code == 1 and "20 photographs are in the training of the model" in err


def test_adaptation_that_cannot_be_judged_is_refused(discs, figures, tmp_path, capsys):
    data, val = discs("data", 12, 1), discs("val", 8, 2)
    common = ["train", data, "-o", tmp_path / "m", "--budget", "16img", *SMALL]
    for extra, said in (
            (["--adapt", "adabn", "--unlabelled", val / "images"], "needs real labelled pictures to choose by"),
            (["--adapt", "magic", "--unlabelled", val / "images", "--val", val], "--adapt is not understood"),
            (["--adapt", "coral", "--val", val], "none are named"),
            (["--unlabelled", val / "images", "--val", val], "Add --adapt"),
            (["--adapt", "fda", "--val", val, "--unlabelled", figures("made", range(9), digest="abc")],
             "adaptation needs real pictures")):
        code, _, err = ran(capsys, *common, *extra)
        assert code == 2 and said in err, err
    code, _, err = ran(capsys, *common, "--adapt", "fda", "--val", val, "--unlabelled", discs("few", 3) / "images")
    assert code == 1 and "too few pictures" in err and not (tmp_path / "m").exists()
