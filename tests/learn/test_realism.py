"""Realism: nothing differs from itself, planted differences are named with their axis, distances in closed form."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from understudy.cli import main
from understudy.learn.realism import attributes, distances, features


def normal(seed: int, n: int, d: int = 6, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (n, d))


def test_distances_of_one_distribution_are_nothing():
    """40 pairs: the mean of an unbiased distance lies within four of its standard errors of 0."""
    for score in (distances.kid, distances.mmd):
        values = np.array([score(normal(2 * s, 60), normal(2 * s + 1, 60)) for s in range(40)])
        assert abs(values.mean()) < 4 * values.std() / np.sqrt(40)
        assert score(normal(0, 60), normal(1, 60, shift=1.0)) > values.max()


def test_kid_by_hand():
    a, b = np.array([[1.0], [-1.0]]), np.array([[0.0], [0.0]])
    # (x y + 1)^3: between the two of a (1 * -1 + 1)^3 = 0, between those of b 1, across 1
    assert distances.kid(a, b) == pytest.approx(0 + 1 - 2)


def test_neighbourhoods_by_hand():
    real = np.array([[0.0], [1], [2], [3]])
    near, far = np.array([[0.5], [2.5]]), np.array([[50.0], [60]])
    found = distances.neighbourhoods(near, real, k=1)
    assert (found["precision"], found["coverage"], found["density"]) == (1, 1, 2)
    found = distances.neighbourhoods(far, real, k=1)
    assert (found["precision"], found["coverage"], found["density"]) == (0, 0, 0)


def test_who_cannot_be_told_apart_is_not():
    figure, own = distances.told_apart(normal(1, 150), normal(2, 150))
    assert figure.low < 0.5 < figure.high and len(own) == 150
    figure, own = distances.told_apart(np.concatenate([normal(1, 100, shift=2), normal(3, 10)]), normal(2, 110))
    assert figure.value > 0.9 and own[:100].mean() > own[100:].mean() + 1


def test_a_property_is_only_different_where_it_is():
    """Of 40 comparisons of one distribution few are called different: at 1 % each, more than 3 is a chance in 1,500."""
    alarms = sum(attributes.compared("x", normal(s, 80, 1)[:, 0], normal(s + 99, 60, 1)[:, 0]).sure for s in range(40))
    assert alarms <= 3
    moved = attributes.compared("x", normal(1, 80, 1)[:, 0] + 1, normal(2, 60, 1)[:, 0])
    assert moved.sure and moved.direction == "higher" and 0.6 < moved.distance < 1.5 and moved.low < moved.distance
    wide = attributes.compared("x", 4 * normal(1, 80, 1)[:, 0], normal(2, 60, 1)[:, 0])
    assert wide.sure and wide.direction in ("wider", "higher", "lower")
    assert attributes.compared("x", np.zeros(5), np.zeros(50)) is None


def test_the_path_that_moves_a_property_is_named_and_no_dummy():
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(20):
        n = 120
        live, kind = rng.uniform(0, 1, n), rng.choice(["a", "b", "c"], n)
        values = live + 0.8 * (kind == "b") + rng.normal(0, 0.3, n)
        drawn = {"light.power": live.tolist(), "place.kind": kind.tolist(), "constant": [1] * n,
                 "sometimes": [None] * 100 + [1.0] * 20}
        drawn |= {f"dummy{k}": rng.uniform(0, 1, n).tolist() for k in range(40)}
        named = [path for path, _ in attributes.axes(values, drawn)]
        assert set(named[:2]) == {"light.power", "place.kind"}
        alarms += len(named) > 2
    assert alarms <= 2  # 1 % each


def test_what_is_labelled_is_measured_apart_from_what_is_not():
    rng = np.random.default_rng(1)
    region = np.zeros((96, 96), np.uint8)
    region[20:70, 20:70] = 1
    image = np.full((192, 192, 3), 100.0)
    inside = np.kron(region, np.ones((2, 2))) == 1
    image[~inside] += rng.normal(0, 20, (192, 192, 1))[~inside]  # rough surroundings of a smooth, red thing
    image[inside] = (200, 50, 50)
    values = attributes._sides(image.clip(0, 255).astype(np.uint8), region)
    assert values["labelled: fine detail"] < 1 and values["unlabelled: fine detail"] == pytest.approx(19, abs=2)
    assert values["labelled: saturation"] == pytest.approx(150, abs=1) and values["unlabelled: saturation"] == 0
    assert values["labelled: contrast"] < 1 and values["unlabelled: contrast"] == pytest.approx(20, abs=1.5)
    assert values["unlabelled: light"] == pytest.approx(100, abs=1)
    nothing = attributes._sides(image.clip(0, 255).astype(np.uint8), np.zeros((96, 96), np.uint8))
    assert np.isnan(nothing["labelled: light"]) and nothing["unlabelled: light"] > 0


def test_features_are_the_same_for_the_same_picture():
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    for extract, width in ((features.classic, 27), (features.randconv, 480)):
        one, again = extract(images), extract(images[::-1])
        assert one.shape == (3, width) and np.isfinite(one).all()
        assert np.allclose(one, again[::-1], atol=1e-6)


def test_the_command_names_what_was_planted(disc_folder, figures, tmp_path, capsys):
    import pyarrow as pa
    import pyarrow.parquet as pq

    real, made = disc_folder(tmp_path / "real", 40, 1), disc_folder(tmp_path / "made", 60, 2)
    gains = np.random.default_rng(3).uniform(0.3, 0.7, 60)
    for i, file in enumerate(sorted((made / "images").iterdir())):
        Image.fromarray((np.asarray(Image.open(file)) * gains[i]).astype(np.uint8)).save(file)
    pq.write_table(pa.table({"index": list(range(60)), "file_name": [""] * 60, "attempts": [1] * 60,
                             "light.power": gains.tolist(), "dummy": np.random.default_rng(4).uniform(0, 1, 60).tolist()}),
                   made / "manifest.parquet")
    assert main(["realism", str(made), str(real), "-o", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    told = json.loads((tmp_path / "out" / "realism.json").read_text())
    light = next(a for a in told["attributes"] if a["name"] == "light")
    assert light["sure"] and light["made_is"] == "lower" and [a["path"] for a in light["axes"]] == ["light.power"]
    assert "light: made is lower" in out and "light.power" in out and "dummy" not in out
    assert all(0.8 < f["value"] <= 1 for f in told["auc"].values())
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<figure>") == 24 and "http" not in page.replace("http-equiv", "")


def test_halves_of_one_set_do_not_differ(disc_folder, tmp_path, capsys):
    a, b = disc_folder(tmp_path / "a", 50, 1), disc_folder(tmp_path / "b", 50, 2)
    assert main(["realism", str(a), str(b), "-o", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out" / "realism.json").read_text())
    assert sum(x["sure"] for x in told["attributes"]) <= 2
    assert all(f["low"] < 0.6 for f in told["auc"].values())
    for argv, text in [((a, a), "same data set"), ((a, b, "--count", "3"), "--count")]:
        assert main(["realism", *map(str, argv), "-o", str(tmp_path / "x")]) == 2 and text in capsys.readouterr().err
    few = disc_folder(tmp_path / "few", 5, 1)
    assert main(["realism", str(few), str(b), "-o", str(tmp_path / "x")]) == 1
