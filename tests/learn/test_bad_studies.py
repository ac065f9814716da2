"""Hostile input of trainings and studies: no memory, no numbers, counts, ratios, labels and classes that cannot be."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from understudy.cli import main
from understudy.errors import RunError
from understudy.learn.budget import Budget
from understudy.learn.cache import open_store
from understudy.learn.mixture import Mixture
from understudy.learn.native import loop, model_file
from understudy.learn.native.network import Spec, built
from understudy.learn.prepare import stored_side
from understudy.learn.search import pool as searched
from understudy.learn.search.halving import Plan, Task
from understudy.learn.session import Request
from understudy.learn.sources import open_source

SMALL = ["--size", "nano", "--side", "32", "--batch", "4"]
TORCH_SAYS = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


@pytest.fixture
def starved(monkeypatch):
    """starved(after, error): from that batch on there is no memory."""
    def starve(after: int, error: Exception) -> None:
        whole = Mixture.batch

        def batch(self, number, size):
            if number >= after:
                raise error
            return whole(self, number, size)

        monkeypatch.setattr(Mixture, "batch", batch)
    return starve


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError(TORCH_SAYS), RuntimeError("CUDA out of memory. Tried ...")])
def test_memory_that_runs_out_later_keeps_the_last_good_model(error, starved, discs, tmp_path, capsys):
    real = discs("real", 8)
    command = ["train", str(real), "-o", str(tmp_path / "m"), "--budget", "200img", *SMALL]
    starved(6, error)
    assert main(command) == 1
    err = capsys.readouterr().err
    assert "out of memory after 24 pictures, with batches of 4 pictures of 32 pixels" in err
    assert "smaller --batch, --side or --size" in err and "kept" in err
    card = json.loads((tmp_path / "m" / "run.json").read_text())
    assert card["images"] == 24 and "out of memory" in card["broken"]
    network, _, _ = model_file.load(tmp_path / "m")
    assert all(np.isfinite(v.numpy()).all() for v in network.state_dict().values())
    assert main(["evaluate", str(tmp_path / "m"), str(discs("test", 9, 5))]) == 0


def test_the_checkpoint_that_a_validation_chose_outlives_the_memory(starved, discs, tmp_path, capsys):
    real, val = discs("real", 8), discs("val", 8, 2)
    command = ["train", str(real), "--val", str(val), "-o", str(tmp_path / "m"), "--budget", "80img", *SMALL]
    starved(15, MemoryError())
    assert main(command) == 1 and "out of memory after 60 pictures" in capsys.readouterr().err
    card = json.loads((tmp_path / "m" / "run.json").read_text())
    scored = [p for p in card["curve"] if p["score"] is not None] if "curve" in card else None
    assert 0 < card["chosen_at"] <= 60 and (scored is None or card["chosen_at"] in [p["images"] for p in scored])


def test_no_memory_for_the_first_batch_leaves_nothing(starved, discs, tmp_path, capsys):
    starved(0, RuntimeError(TORCH_SAYS))
    assert main(["train", str(discs("real", 8)), "-o", str(tmp_path / "m"), "--budget", "80img", *SMALL]) == 1
    err = capsys.readouterr().err
    assert "out of memory" in err and "--batch" in err and "Traceback" not in err
    assert not (tmp_path / "m" / "model.safetensors").exists()


def test_other_errors_are_not_taken_for_memory(starved, discs, tmp_path):
    starved(2, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        main(["--debug", "train", str(discs("real", 8)), "-o", str(tmp_path / "m"), "--budget", "80img", *SMALL])


def test_a_search_does_not_take_want_of_memory_for_a_bad_candidate(discs, tmp_path, starved):
    base = Request(discs("real", 8), tmp_path / "o", side=32, size="nano", batch=4, budget=Budget(images=72),
                   validation=discs("val", 8, 2))
    hunt = searched.Hunt(base, (), 8, tmp_path / "s", Plan())
    candidate = Task({}, 0, 0)
    assert 0 <= searched.one(hunt, tuple(range(8)), candidate) <= 1
    starved(1, MemoryError())
    with pytest.raises(RunError, match="out of memory after 4 pictures"):
        searched.one(hunt, tuple(range(8)), candidate)


def test_a_search_whose_pool_as_it_is_cannot_be_learned_from_says_so(discs, tmp_path):
    """A candidate that breaks has the score of its last good weights; the rate that breaks everything is an error."""
    base = Request(discs("real", 8), tmp_path / "o", side=32, size="nano", batch=4, budget=Budget(images=72), rate=1e9,
                   validation=discs("val", 8, 2))
    hunt = searched.Hunt(base, (), 8, tmp_path / "s", Plan())
    assert 0 <= searched.one(hunt, tuple(range(8)), Task({}, 2, 0)) <= 1
    with pytest.raises(RunError, match=r"the loss is .*smaller --rate"):
        searched.one(hunt, tuple(range(8)), Task(None, 2, 0))


def blend(made, real, test, out, *more):
    return main([str(a) for a in ("blend", made, real, "--real", test, "-o", out, "--seeds", 1, "-w", 1, "--budget", "16img",
                                  *SMALL, *more)])


def test_a_blend_is_refused_before_anything_is_trained(discs, figures, tmp_path, capsys):
    made, real, test = discs("made", 10, 1), discs("real", 6, 2), discs("test", 6, 3)
    one_class = discs("one", 6, 4)
    for file in (one_class / "masks").iterdir():
        Image.new("L", (64, 64), 255).save(file)
    unlabelled = discs("none", 6, 5)
    for file in (unlabelled / "masks").iterdir():
        Image.new("L", (64, 64), 0).save(file)
    without = discs("without", 6, 6)
    for file in (without / "masks").iterdir():
        file.unlink()
    other = figures("other", range(6))  # classes that are not discs', two of them
    cases = [
        ((made, real, test, "--real-counts", "3,7"), 2, ("--real-counts asks for more", "at most 6", "7")),
        ((made, real, test, "--made-counts", "5,11"), 2, ("--made-counts asks for more", "at most 10", "11")),
        ((made, real, test, "--ratios", "101"), 2, ("--ratios", "0 to 100")),
        ((made, real, test, "--ratios", "-5"), 2, ("--ratios",)),
        ((made, real, test, "--ratios", "33.3"), 2, ("--ratios", "whole numbers")),
        ((made, real, test, "--ratios", ""), 2, ("--ratios",)),
        ((made, real, test, "--real-counts", "0"), 2, ("--real-counts",)),
        ((made, one_class, test), 1, ("one class",)),
        ((one_class, real, test), 1, ("one class",)),
        ((made, unlabelled, test), 1, ("nothing to learn from",)),
        ((made, without, test), 1, ("without",)),
        ((made, real, other), 2, ("no class is shared",)),
        ((made, other, test), 2, ("no class is shared",)),
        ((made, test, test), 1, ("6 photographs are in",)),
        ((made, real, tmp_path / "nowhere"), 1, ("does not exist",)),
    ]
    for argv, code, texts in cases:
        got = blend(*argv[:3], tmp_path / "s", *argv[3:])
        err = capsys.readouterr().err
        assert (got, [t for t in texts if t not in err]) == (code, []), (argv[1:], got, err)
        assert "Traceback" not in err and not list(tmp_path.glob("s/jobs/*/model.safetensors")), argv


def test_a_blend_tells_once_what_is_left_out(discs, tmp_path, capsys):
    made, real, test = discs("made", 8, 1), discs("real", 6, 2), discs("test", 6, 3)
    next(iter(sorted((real / "masks").iterdir()))).unlink()
    assert blend(made, real, test, tmp_path / "s", "--ratios", "0,50") == 0
    err = capsys.readouterr().err
    assert err.count("left out") == 1 and str(real) in err


def test_photographs_of_the_validation_are_no_training(discs, tmp_path, capsys):
    made, real, test = discs("made", 8, 1), discs("real", 6, 2), discs("test", 6, 3)
    assert main([str(a) for a in ("compare", made, "--real", test, "--val", test, "-o", tmp_path / "s", "--budget", "16img",
                                  "--seeds", 1, "-w", 1, *SMALL)]) == 1
    assert "photographs are in" in capsys.readouterr().err
    assert main([str(a) for a in ("train", real, "--val", real, "-o", tmp_path / "m", "--budget", "16img", *SMALL)]) == 1
    assert "6 photographs are in" in capsys.readouterr().err


def test_more_pictures_than_there_are_is_told(discs, tmp_path, capsys):
    command = ["train", str(discs("real", 6)), "-o", str(tmp_path / "m"), "--count", "50", "--budget", "16img", *SMALL]
    assert main(command) == 0
    assert "50 pictures are asked for, and there are 6" in capsys.readouterr().err


def test_a_loss_that_is_no_number_keeps_the_checkpoint_that_the_validation_chose(discs):
    """The loss breaks at the fifth step: what the validation chose before is what is given back."""
    store = open_store(open_source(discs("real", 6)), stored_side(32))
    network = built(Spec("semantic", ("foreground",), "nano", 32), 0)
    kept = []

    def validate(net):
        kept.append({k: v.clone() for k, v in net.state_dict().items()})
        return 1.0 / len(kept)  # the first is the best

    def loss(step, share):
        out = network(torch.zeros(2, 3, 32, 32) + step)["classes"].float()
        return out.square().mean() * (float("nan") if step == 5 else 1.0)

    done = loop.fit_by(network, loss, loop.Settings(Budget(images=16), batch=2, checks=8), validate, lambda point: None, 32)
    assert "nan" in done.broken and "--rate" in done.remedy and done.images == 10 and done.chosen_at == 2
    assert all(torch.equal(v, kept[0][k]) for k, v in done.network.state_dict().items()) and len(store) == 6


def test_want_of_memory_at_once_is_one_error(discs):
    def loss(step, share):
        raise MemoryError

    network = built(Spec("semantic", ("foreground",), "nano", 32), 0)
    with pytest.raises(RunError, match="out of memory"):
        loop.fit_by(network, loss, loop.Settings(Budget(images=16), batch=2), None, lambda point: None, 32)
