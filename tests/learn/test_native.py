"""The native networks: shapes, losses in closed form, answers from perfect outputs, model files, the loop's promises."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from understudy.errors import DatasetError
from understudy.key import Key
from understudy.learn.augment import WHOLE, Strength
from understudy.learn.budget import Budget
from understudy.learn.cache import open_store
from understudy.learn.duplicates import Photographs, none_seen
from understudy.learn.mixture import Mixture, Part, Sample
from understudy.learn.native import answer, loop, losses, model_file
from understudy.learn.native.backbone import SIZES, normalised
from understudy.learn.native.network import Network, Spec, built, outputs, weights
from understudy.learn.region_targets import Regions
from understudy.learn.sources import open_source
from understudy.learn.thing_targets import Things, things
from understudy.writers.points import COCO_17, mirror


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.mark.parametrize("task", ["semantic", "box", "mask", "keypoint"])
@pytest.mark.parametrize("size", SIZES)
def test_every_task_and_size_answers_at_a_quarter(task, size):
    spec = Spec(task, ("a", "b"), size, 64, ("p", "q", "r"))
    out = built(spec, 0).eval()(normalised(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)))
    assert {name: tuple(o.shape) for name, o in out.items()} == {n: (2, c, 16, 16) for n, c in outputs(spec).items()}


def test_sizes_are_in_order_and_seeds_decide():
    spec = [Spec("semantic", ("a",), size, 64) for size in SIZES]
    counts = [weights(built(s, 0)) for s in spec]
    assert counts == sorted(counts) and 250_000 < counts[0] < counts[1] < 1_100_000 < counts[2]
    one, same, other = (next(built(spec[0], s).parameters()) for s in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_building_leaves_torchs_own_randomness_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    built(Spec("box", ("a",), "nano", 64), 3)
    assert torch.equal(torch.rand(1), expected)


def test_semantic_loss_by_hand():
    share = np.zeros((1, 2, 2, 2), np.float32)
    share[:, 1, 0], share[:, 0, 1] = 1, 1
    wanted = Regions(share, np.ones((1, 2, 2), np.float32))
    sure = {"classes": torch.from_numpy(share * 40 - 20)}
    assert losses.semantic_loss(sure, wanted) < 1e-6
    blank = losses.semantic_loss({"classes": torch.zeros(1, 2, 2, 2)}, wanted)
    assert blank == pytest.approx(np.log(2) + 0.5 * (1 - (2 * 1 + 1) / (2 + 2 + 1)), abs=1e-6)


def test_generalised_iou_by_hand():
    a = torch.tensor([[0., 0, 2, 2], [0, 0, 1, 1], [0, 0, 2, 2]])
    b = torch.tensor([[0., 0, 2, 2], [2, 0, 3, 1], [1, 0, 3, 2]])
    assert losses.giou(a, b).tolist() == pytest.approx([1, -1 / 3, 1 / 3])


def perfect(wanted: Things, spec: Spec) -> dict[str, torch.Tensor]:
    """The outputs of a network that knows the answers: what its answers must then be is known, too."""
    b, _, h, w = wanted.heat.shape
    out = {name: torch.zeros(b, c, h, w) for name, c in outputs(spec).items()}
    out["heat"] = torch.logit(torch.from_numpy((wanted.heat == 1).astype(np.float32)).clamp(1e-6, 1 - 1e-4))
    box = wanted.box[wanted.owner]
    centre = np.stack([wanted.x, wanted.y], 1) + 0.5
    reach = np.concatenate([centre - box[:, :2], box[:, 2:] - centre], 1)
    out["sides"][wanted.picture, :, wanted.y, wanted.x] = torch.from_numpy(np.log(reach.clip(1e-3))).float()
    if spec.task == "mask":  # one prototype for each thing: its mask
        for n in range(len(wanted.box)):
            picture = wanted.picture[wanted.owner == n][0]
            out["prototypes"][picture, n] = torch.from_numpy(wanted.masks[n] * 20 - 10)
        out["coefficients"][wanted.picture, wanted.owner, wanted.y, wanted.x] = 1.0
    if spec.task == "keypoint":
        size = box[:, 2:] - box[:, :2]
        offsets = (wanted.points[wanted.owner][..., :2] - centre[:, None]) / size[:, None].clip(1)
        out["offsets"][wanted.picture, :, wanted.y, wanted.x] = torch.from_numpy(offsets.reshape(len(box), -1)).float()
        out["joints"] = torch.logit(torch.from_numpy((wanted.joints == 1).astype(np.float32)).clamp(1e-6, 1 - 1e-4))
    return out


@pytest.mark.parametrize("task", ["box", "mask", "keypoint"])
def test_perfect_outputs_have_little_loss_and_give_the_labels_back(task, figures, monkeypatch):
    store = open_store(open_source(figures("figures", range(3))), 192)
    points = COCO_17 if task == "keypoint" else ()
    spec = Spec(task, ("person", "dog"), "nano", 192, points)
    part = Part(store, 1.0, (1, 2))
    network = built(spec, 0)
    for row in range(3):
        wanted = things([Sample(part, row, WHOLE)], 2, 192, 4, masks=task == "mask",
                        twins=mirror(points) if points else None)
        out = perfect(wanted, spec)
        # cells that are half covered cost a mask half a bit each, whoever answers
        assert losses.thing_loss(out, wanted) < (0.6 if task == "mask" else 0.02)
        assert losses.thing_loss({name: torch.zeros_like(o) for name, o in out.items()}, wanted) > 2
        monkeypatch.setattr(Network, "forward", lambda self, x, out=out: out)
        image = np.zeros((120, 160, 3), np.uint8)
        found = answer.found_things(network, image)
        own = store.labels_of(row)
        truth = store.boxes[own] * (160, 120, 160, 120)
        sure = found.score > 0.9
        assert sure.sum() == len(truth) and (found.number[sure] == 1).all()
        order = [int(np.abs(found.xyxy[sure] - box).sum(1).argmin()) for box in truth]
        assert sorted(order) == list(range(len(truth)))
        assert np.abs(found.xyxy[sure][order] - truth).max() < 0.05
        if task == "mask":
            for n, mask in enumerate(found.masks[sure][order], start=1):
                record = list(open_source(store.name).records())[row]
                real = record.instances[n - 1].mask.decode()
                assert (mask & real).sum() / (mask | real).sum() > 0.85  # a quarter of the resolution
        if task == "keypoint":
            seen = store.points[own][..., 2] > 0
            apart = np.abs(found.points[sure][order][..., :2] - store.points[own][..., :2] * (160, 120)).max(2)
            assert apart[seen].max() < 6 and np.median(apart[seen]) < 2.5  # cells are 3.3 x 2.5 pixels


def test_boxes_that_overlap_are_one_answer():
    boxes = torch.tensor([[0., 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9], [20, 0, 30, 10]])
    kept = answer._unlike(boxes, torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([0, 0, 1, 0]))
    assert kept == [0, 2, 3]


def test_a_model_file_gives_the_same_network_back(tmp_path):
    spec = Spec("keypoint", ("a", "b"), "nano", 64, ("p", "left_q", "right_q"))
    network = built(spec, 7).eval()
    photographs = Photographs(np.arange(64, dtype=np.uint8).reshape(2, 32), np.full((1, 32), 9, np.uint8))
    model_file.save(tmp_path / "model.safetensors", network, {"seed": 7}, photographs)
    again, card, seen = model_file.load(tmp_path)
    x = torch.rand(1, 3, 64, 64)
    assert again.spec == spec and card == {"seed": 7}
    assert (seen.trained == photographs.trained).all() and (seen.chose == photographs.chose).all()
    assert all(torch.equal(a, b) for a, b in zip(network(x).values(), again(x).values()))


def test_what_is_no_model_is_one_message(tmp_path):
    from safetensors.torch import save_file

    with pytest.raises(DatasetError, match="there is no model"):
        model_file.load(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"\x08\0\0\0\0\0\0\0{}")
    with pytest.raises(DatasetError, match="model"):
        model_file.load(file)
    save_file({"a": torch.zeros(1)}, file)
    with pytest.raises(DatasetError, match="no model of this version"):
        model_file.load(file)
    model_file.save(file, built(Spec("box", ("a",), "nano", 64), 0), {}, none_seen())
    data = file.read_bytes()
    file.write_bytes(data[:len(data) // 2])
    with pytest.raises(DatasetError, match="no readable model"):
        model_file.load(file)


def test_the_learning_rate_rises_and_falls():
    rates = [loop.cycle(s) for s in np.linspace(0, 1, 101)]
    assert max(rates) == pytest.approx(1) and rates.index(max(rates)) == 10
    assert rates[:11] == sorted(rates[:11]) and rates[10:] == sorted(rates[10:], reverse=True) and 0 < rates[-1] < 1e-3


def fitted(store, *, seed=0, budget=96, rate=3e-3, validate=None, precision="fp32"):
    spec = Spec("semantic", ("foreground",), "nano", 64)
    mixture = Mixture([Part(store, 1.0, (1,))], Key(seed), 64, Strength())
    points = []
    settings = loop.Settings(Budget(images=budget), batch=8, rate=rate, checks=4, precision=precision)
    return loop.fit(built(spec, seed), mixture, settings, None, validate, points.append), points


def test_same_seed_threads_and_budget_same_numbers(discs):
    store = open_store(open_source(discs("real", 6)), 76)
    (one, points), (two, again) = fitted(store), fitted(store)
    assert [p.loss for p in points] == [p.loss for p in again] and len(points) == 4
    assert all(torch.equal(a, b) for a, b in zip(one.network.state_dict().values(), two.network.state_dict().values()))
    other, _ = fitted(store, seed=1)
    assert any(not torch.equal(a, b) for a, b in zip(one.network.state_dict().values(),
                                                     other.network.state_dict().values()))
    assert one.images == 96


def test_the_validation_chooses_the_checkpoint(discs):
    store = open_store(open_source(discs("real", 6)), 76)
    scores, kept = iter([0.2, 0.9, 0.5, 0.1]), []

    def validate(network):
        kept.append({k: v.clone() for k, v in network.state_dict().items()})
        return next(scores)

    done, points = fitted(store, validate=validate)
    assert done.chosen_at == points[1].images and [p.score for p in points] == [0.2, 0.9, 0.5, 0.1]
    assert all(torch.equal(v, kept[1][k]) for k, v in done.network.state_dict().items())


def test_a_loss_that_is_no_number_stops_and_keeps_good_weights(discs):
    store = open_store(open_source(discs("real", 6)), 76)
    done, _ = fitted(store, rate=1e30, budget=4000)
    assert "loss" in done.broken and done.images < 4000
    assert all(torch.isfinite(v).all() for v in done.network.state_dict().values() if v.is_floating_point())


def test_a_model_file_is_never_a_pickle(tmp_path):
    model_file.save(tmp_path / "m.safetensors", built(Spec("box", ("a",), "nano", 64), 0), {"x": 1}, none_seen())
    data = (tmp_path / "m.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    assert json.loads(header["__metadata__"]["understudy"])["card"] == {"x": 1}
