"""Studies: the better set wins and surely so, equal ones do not; a killed queue goes on; tables pair."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from understudy.cli import main
from understudy.errors import DatasetError
from understudy.learn import study
from understudy.learn.compare import enough
from understudy.learn.evals.bootstrap import Figure
from understudy.learn.evals.pairing import difference, draws, mean_figure
from understudy.learn.study import Row

SMALL = ["--size", "nano", "--side", "32", "--batch", "8", "--budget", "280img", "-w", "1"]


def table(quality: float, seed: int, n: int = 80) -> dict[str, np.ndarray]:
    """Confusion of n pictures: each as hard as it is for everyone, right but for the quality."""
    hard = np.random.default_rng(7).uniform(-0.2, 0.2, n)
    right = np.clip(quality + hard + np.random.default_rng(seed).normal(0, 0.02, n), 0, 1) * 500
    return {"confusion": np.stack([np.stack([right, 500 - right], -1), np.stack([500 - right, right], -1)], 1).astype(int),
            "counted": np.array([0, 1])}


def test_pairing_sees_what_single_intervals_hide():
    good, less = (draws("semantic", [table(q, s) for s in seeds]) for q, seeds in ((0.72, (1, 2)), (0.70, (3, 4))))
    apart = difference(good, less, 80)
    a, b = mean_figure(good, 80), mean_figure(less, 80)
    assert a.low < b.high  # on their own the intervals overlap
    assert apart.sure and apart.p < 0.01 and 0.01 < apart.figure.value < 0.04
    same = difference(*(draws("semantic", [table(0.7, s)]) for s in (5, 6)), 80)
    assert not same.sure and str(same).endswith("no difference") and same.p > 0.05


def test_other_pictures_cannot_be_paired():
    with pytest.raises(DatasetError, match="other pictures"):
        draws("semantic", [table(0.7, 1, 80), table(0.7, 1, 79)])


def test_how_many_are_enough():
    def row(quality, seed):
        drawn = draws("semantic", [table(quality, seed)])
        return Row("", Figure(drawn[0], 0, 1, 80), (0, 1), 1, 0, "", None, None, drawn)

    assert enough({100: row(0.5, 1), 200: row(0.7, 2), 400: row(0.7, 3)}) == 200
    assert enough({100: row(0.5, 1), 200: row(0.7, 2)}) is None and enough({100: row(0.5, 1)}) is None


@pytest.fixture
def sets(discs, disc_folder, tmp_path):
    """good: discs; bad: discs whose masks are another picture's; a real test."""
    good, bad, test = discs("good", 16, 1), discs("bad", 16, 2), discs("test", 20, 3)
    files = sorted((bad / "masks").iterdir())
    turned = [np.asarray(Image.open(f)) for f in files]
    for file, mask in zip(files, turned[1:] + turned[:1]):
        Image.fromarray(mask).save(file)
    return good, bad, test


def test_the_better_set_wins_and_the_queue_goes_on(sets, tmp_path, capsys, monkeypatch):
    good, bad, test = sets
    command = [str(a) for a in ("compare", bad, good, "--real", test, "-o", tmp_path / "study", "--seeds", 2, *SMALL)]
    ran = []
    whole = study.run_one

    def killed_at_the_third(request, real):
        if len(ran) == 2:
            raise KeyboardInterrupt
        ran.append(request.out)
        whole(request, real)

    monkeypatch.setattr(study, "run_one", killed_at_the_third)
    assert main(command) == 130
    monkeypatch.setattr(study, "run_one", lambda request, real: (ran.append(request.out), whole(request, real)))
    assert main(command) == 0
    assert len(ran) == 4 and len(set(ran)) == 4  # nothing twice
    out, err = capsys.readouterr()
    assert "2 of 4 are there already" in err and out.splitlines()[0].startswith("good")
    assert main(command) == 0 and len(ran) == 4
    with (tmp_path / "study" / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [r["group"] for r in rows] == ["good", "bad"] and float(rows[1]["behind_low"]) > 0.05
    told = json.loads((tmp_path / "study" / "study.json").read_text())
    assert len(told["jobs"]) == 4 and {j["seed"] for j in told["jobs"]} == {0, 1}
    html = (tmp_path / "study" / "report.html").read_text()
    assert "Best: <b>good</b>" in html and "http" not in html.replace("http-equiv", "")
    (good / "masks" / "000.png").write_bytes((bad / "masks" / "000.png").read_bytes())
    assert main(command) == 0 and len(ran) == 6  # another content, other jobs


def test_a_blend_study_measures_every_cell(sets, tmp_path, capsys):
    good, _, test = sets
    made = good.rename(good.with_name("made"))
    real = sets[1]
    code = main([str(a) for a in ("blend", made, real, "--real", test, "-o", tmp_path / "s", "--ratios", "0,50,100",
                                  "--real-counts", "4", "--made-counts", "4", "--seeds", 1, "--allow-overlap", "--size",
                                  "nano", "--side", 32, "--batch", 4, "--budget", "24img", "-w", 2)])
    assert code == 0
    with (tmp_path / "s" / "leaderboard.csv").open() as file:
        rows = {r["group"]: r["pictures"] for r in csv.DictReader(file)}
    assert rows == {"made only": "16 real", "4 real, 0 % made": "4 real", "4 real, 50 % made": "16 real + 4 real",
                    "made, then 4 real": "4 real", "4 made only": "4 real"}
    html = (tmp_path / "s" / "report.html").read_text()
    assert html.count("<polyline") == 2 and "By the number of made pictures" in html


def test_a_study_measures_on_classes_of_other_names(sets, tmp_path, capsys):
    """Each side calls its class otherwise, and the user says which is which."""
    good, bad, test = sets
    for folder, name in ((good, "person"), (bad, "human"), (test, "human")):
        (folder / "classes.txt").write_text(f"{name}\nother\n")
        for file in (folder / "masks").iterdir():
            Image.fromarray((np.asarray(Image.open(file)) > 127).astype(np.uint8)).save(file)
    assert main([str(a) for a in ("compare", good, "--real", test, "--real-train", bad, "-o", tmp_path / "s", "--seeds", 1,
                                  "--rename", "human=person", "--size", "nano", "--side", 32, "--batch", 4, "--budget",
                                  "16img", "-w", 1)]) == 0
    assert "real only" in capsys.readouterr().out


def test_wrong_studies_are_one_message(sets, figures, tmp_path, capsys):
    good, bad, test = sets
    made = figures("made", range(2), digest="abc")
    for argv, code, text in [
        (["compare", good, good, "--real", test], 2, "named twice"),
        (["compare", good, "--real", made], 2, "--real needs real pictures"),
        (["compare", good, "--real", test, "--seeds", "0"], 2, "--seeds"),
        (["compare", good, "--real", good, "-w", "1", "--budget", "16img", "--side", "32"], 1, "photographs are in"),
        (["compare", good, "--real", test, "--real-train", test], 1, "20 photographs are in"),
        (["compare", good, "--real", figures("boxes", range(3))], 2, "no class is shared"),
        (["blend", good, bad, "--real", test, "--ratios", "0,120"], 2, "--ratios"),
        (["blend", good, bad, "--real", test, "--real-counts", "few"], 2, "--real-counts"),
    ]:
        assert main([str(a) for a in [*argv, "-o", tmp_path / "s"]]) == code
        assert text in capsys.readouterr().err
        assert not (tmp_path / "s" / "jobs").exists(), argv  # nothing is trained before it is refused


def test_axes_are_held_still_with_as_many_pictures_each(disc_folder, tmp_path, capsys):
    """Every group has the number of the narrowest, and only pictures of the value that is held."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pool, test = disc_folder(tmp_path / "pool", 120, 1), disc_folder(tmp_path / "test", 30, 2)
    left = []
    for file in sorted((pool / "masks").iterdir()):
        mask = np.asarray(Image.open(file)) > 127
        left.append("left" if np.nonzero(mask)[1].mean() < 32 else "right")
    dummy = np.random.default_rng(3).choice(["a", "b"], 120).tolist()
    pq.write_table(pa.table({"index": list(range(120)), "place.side": left, "dummy": dummy}), pool / "manifest.parquet")
    command = ["ablate", pool, "--axis", "place.side", "--axis", "dummy", "--real", test, "-o", tmp_path / "s", "--seeds", 1,
               "--size", "nano", "--side", 32, "--batch", 8, "--budget", "320img", "-w", 1]
    assert main([str(a) for a in command]) == 0
    told = json.loads((tmp_path / "s" / "ablation.json").read_text())
    worth = {a["path"]: a["worth"]["value"] for a in told["axes"]}
    assert set(worth) == {"place.side", "dummy"} and told["pictures"] >= 40
    out = capsys.readouterr().out
    assert "held at left" in out or "held at right" in out
    rows = {json.loads(f.read_text())["trained_on"][0]["pictures"] for f in (tmp_path / "s").glob("jobs/*/run.json")}
    assert rows == {told["pictures"]} and told["pictures"] == min(max(left.count(s) for s in ("left", "right")),
                                                                  max(dummy.count(s) for s in "ab"))
    from understudy.learn.ablate import held_still
    from understudy.learn.search.space import Axis

    kept, text = held_still(Axis("x", np.array(left, object)))
    assert {left[i] for i in kept} == {text} and len(kept) == left.count(text)
    kept, _ = held_still(Axis("x", np.arange(100.0)))
    assert kept.tolist() == list(range(40, 60))
    assert main([*map(str, command[:2]), "--axis", "nothing", *map(str, command[6:])]) == 2
