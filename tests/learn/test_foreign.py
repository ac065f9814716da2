"""Networks of transformers, tiny and with random weights: their answers mean what ours mean, and they are measured alike."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from understudy.cli import doctor, main
from understudy.errors import DatasetError, MissingDependency
from understudy.learn import foreign

transformers = pytest.importorskip("transformers", reason="the optional extra is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of the package's own


def rt_detr(labels=("person", "dog")):
    config = transformers.RTDetrConfig(
        backbone_config=transformers.RTDetrResNetConfig(embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1],
                                                        layer_type="basic", out_features=["stage2", "stage3", "stage4"]),
        encoder_hidden_dim=16, encoder_in_channels=[8, 16, 16], encoder_ffn_dim=16, encoder_attention_heads=2, d_model=16,
        num_queries=12, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16, decoder_layers=1, decoder_attention_heads=2,
        encoder_layers=1, num_denoising=0, id2label=dict(enumerate(labels)), use_pretrained_backbone=False)
    return transformers.RTDetrForObjectDetection(config)


def segformer(labels=("background", "foreground")):
    return transformers.SegformerForSemanticSegmentation(transformers.SegformerConfig(
        hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], decoder_hidden_size=8, num_attention_heads=[1, 1, 1, 1],
        id2label=dict(enumerate(labels))))


def mask2former(labels=("person", "dog")):
    config = transformers.Mask2FormerConfig(
        backbone_config=transformers.SwinConfig(image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 1, 1],
                                                window_size=2, out_features=["stage1", "stage2", "stage3", "stage4"]),
        feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=16, encoder_layers=1, decoder_layers=2,
        num_attention_heads=2, dim_feedforward=16, num_queries=8, id2label=dict(enumerate(labels)))
    return transformers.Mask2FormerForUniversalSegmentation(config)


def vitpose():
    from understudy.writers.points import COCO_17

    short = [n.replace("left_", "L_").replace("right_", "R_").title().replace("l_", "L_") for n in COCO_17]
    return transformers.VitPoseForPoseEstimation(transformers.VitPoseConfig(
        backbone_config=transformers.VitPoseBackboneConfig(image_size=[64, 48], patch_size=[16, 16], hidden_size=16,
                                                           num_hidden_layers=1, num_attention_heads=2, mlp_ratio=1,
                                                           out_indices=[1]),
        use_simple_decoder=True, id2label=dict(enumerate(short))))


@pytest.fixture
def saved(tmp_path):
    def save(model, **preprocessing):
        folder = tmp_path / type(model).__name__
        model.save_pretrained(folder)
        if preprocessing:
            (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
        return folder
    return save


def ran(capsys, *argv) -> tuple[int, str, str]:
    code = main([str(a) for a in argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


SIZE = {"size": {"height": 64, "width": 64}}


def test_boxes_are_centres_and_sizes_of_the_picture(monkeypatch):
    network, _ = foreign.wrapped(rt_detr(), SIZE)

    class Out:
        logits = torch.tensor([[[9.0, -9.0], [-9.0, 2.0], [-9.0, -9.0]]])
        pred_boxes = torch.tensor([[[0.5, 0.5, 0.5, 1.0], [0.25, 0.25, 0.5, 0.5], [0.5, 0.5, 0.1, 0.1]]])

    network.model = lambda pixel_values: Out
    found = network.found_things(np.zeros((100, 200, 3), np.uint8))
    assert found.number.tolist() == [1, 2] and found.score == pytest.approx([0.99988, 0.8808], abs=1e-4)
    assert found.xyxy.tolist() == [[50, 0, 150, 100], [0, 0, 100, 50]]


def test_regions_leave_the_background_out_and_fill_the_picture():
    network, _ = foreign.wrapped(segformer(("wall", "background", "sky")), SIZE)
    assert network.spec.classes == ("wall", "sky")

    class Out:
        logits = torch.zeros(1, 3, 16, 16)

    Out.logits[0, 2, :, :8] = 5
    Out.logits[0, 1, :8, 8:] = 5
    Out.logits[0, 0, 8:, 8:] = 5
    network.model = lambda pixel_values: Out
    found = network.class_map(np.zeros((32, 64, 3), np.uint8))
    assert found.shape == (32, 64) and found.dtype == np.uint8
    assert (found[:, :28] == 2).all() and (found[:12, 36:] == 0).all() and (found[20:, 36:] == 1).all()


def test_masks_have_their_own_boxes():
    network, _ = foreign.wrapped(mask2former(), SIZE)

    class Out:
        class_queries_logits = torch.tensor([[[9.0, 0, 0], [0, 0, 9.0], [0, 9.0, 0]]])
        masks_queries_logits = torch.full((1, 3, 16, 16), -9.0)

    Out.masks_queries_logits[0, 0, 4:8, 2:6] = 9
    Out.masks_queries_logits[0, 1, :, :] = 9
    network.model = lambda pixel_values: Out
    found = network.found_things(np.zeros((64, 64, 3), np.uint8))
    assert found.number.tolist() == [1]  # the second is no object, the third has no pixel
    assert found.xyxy[0] == pytest.approx([8, 16, 24, 32], abs=2) and found.masks.shape == (1, 64, 64)


def test_points_come_back_to_the_picture():
    network, _ = foreign.wrapped(vitpose(), {"size": {"height": 64, "width": 48}})
    from understudy.writers.points import COCO_17

    assert network.spec.points == COCO_17 and network.top_down

    class Out:
        heatmaps = torch.zeros(1, 17, 16, 12)

    Out.heatmaps[0, :, 8, 6] = 1.0
    inner = network.model
    network.model = type("M", (), {"config": inner.config, "__call__": lambda self, **given: Out})()
    found = network.found_things(np.zeros((200, 200, 3), np.uint8), np.array([[80.0, 60, 110, 100]]))
    # the crop of 64 x 48 is centred on the box's middle (95, 80); cell (8, 6) lies half a cell beyond it
    side = 40 / 64 * 1.25
    assert found.points[0, 0] == pytest.approx([95 + 0.5 * 4 * side, 80 + 0.5 * 4 * side, 1.0], abs=1e-4)


@pytest.mark.parametrize(("make", "data", "extra"), [(rt_detr, "figures", SIZE), (mask2former, "figures", SIZE),
                                                     (vitpose, "figures", {"size": {"height": 64, "width": 48}}),
                                                     (segformer, "discs", {"size": {"shortest_edge": 64}})])
def test_each_is_measured_like_ours(make, data, extra, saved, figures, discs, tmp_path, capsys):
    folder = saved(make(), **extra)
    real = figures("real", range(3)) if data == "figures" else discs("real", 3)
    code, out, err = ran(capsys, "evaluate", folder, real, "-o", tmp_path / "eval")
    assert code == 0 and "Nobody knows here which photographs" in err, err
    told = json.loads((tmp_path / "eval" / "evaluation.json").read_text())
    main_figure = next(iter(told["figures"]))
    assert main_figure in out and main_figure in ("AP50", "mIoU")
    assert "transformers" not in told["training"] and told["training"]["weights"] > 0


def test_predictions_and_what_cannot_predict(saved, discs, tmp_path, capsys):
    images = discs("real", 2) / "images"
    code, out, _ = ran(capsys, "predict", saved(segformer(), **SIZE), images, "-o", tmp_path / "p")
    assert code == 0 and "2 pictures" in out
    code, _, err = ran(capsys, "predict", saved(vitpose()), images, "-o", tmp_path / "q")
    assert code == 2 and "looks into boxes that it is given" in err


def test_what_is_not_known_or_not_whole_is_one_message(tmp_path, saved):
    folder = saved(segformer())
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(DatasetError, match="holds no weights"):
        foreign.load(folder)
    (folder / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(DatasetError, match="no model that is known here"):
        foreign.load(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(DatasetError, match="cannot be read"):
        foreign.load(folder)


def test_a_torchvision_that_breaks_transformers_is_named():
    def broken():
        raise RuntimeError("operator torchvision::nms does not exist")

    with pytest.raises(MissingDependency, match="torchvision"):
        foreign.need_transformers(broken)
    said = doctor.foreign({"transformers": None, "transformers.models.rt_detr.modeling_rt_detr":
                           "RuntimeError: operator torchvision::nms does not exist"}, "")
    assert said.state == doctor.NOTE and "torchvision" in said.what and "pip uninstall torchvision" in said.remedy
    assert doctor.foreign({"transformers": None}, "").state == doctor.OK


def d_fine(labels=("person", "dog")):
    config = transformers.DFineConfig(
        backbone_config=transformers.HGNetV2Config(
            embedding_size=8, hidden_sizes=[8, 8, 16, 16], stem_channels=[3, 8, 8], stage_in_channels=[8, 8, 8, 16],
            stage_mid_channels=[8, 8, 8, 8], stage_out_channels=[8, 8, 16, 16], stage_num_blocks=[1, 1, 1, 1],
            stage_downsample=[False, True, True, True], stage_light_block=[False, False, True, True],
            stage_kernel_size=[3, 3, 5, 5], stage_numb_of_layers=[1, 1, 1, 1],
            out_features=["stage2", "stage3", "stage4"]),
        encoder_hidden_dim=16, encoder_in_channels=[8, 16, 16], encoder_ffn_dim=16, encoder_attention_heads=2, d_model=16,
        num_queries=12, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16, decoder_layers=2, decoder_attention_heads=2,
        encoder_layers=1, num_denoising=0, id2label=dict(enumerate(labels)))
    return transformers.DFineForObjectDetection(config)


@pytest.mark.parametrize(("make", "data", "extra"), [
    (rt_detr, "figures", SIZE), (d_fine, "figures", SIZE), (mask2former, "figures", SIZE),
    (vitpose, "figures", {"size": {"height": 64, "width": 48}}), (segformer, "discs", SIZE)])
def test_each_is_trained_and_what_comes_out_is_evaluated_and_trained_on(make, data, extra, saved, figures, discs, tmp_path,
                                                                        capsys):
    made = figures("made", range(12), "digest") if data == "figures" else discs("made", 12, 3)
    real = figures("real", range(20, 24)) if data == "figures" else discs("real", 4)
    val = figures("val", range(30, 33)) if data == "figures" else discs("val", 3, 5)
    torch.manual_seed(0)
    start, out = saved(make(), **extra), tmp_path / "tuned"
    quick = ("--batch", "4", "--budget", "96img")
    code, _, err = ran(capsys, "finetune", start, made, "--mix", f"{real}=0.25", "--val", val, "-o", out, "--rate", "3e-3",
                       "--allow-overlap", *quick)  # figures of balls resemble each other
    assert code == 0, err
    losses = [float(line.split(",")[2]) for line in (out / "curve.csv").read_text().splitlines()[1:]]
    assert len(losses) == 8 and np.isfinite(losses).all()
    assert ("on the real validation" in err) and json.loads((out / "run.json").read_text())["images"] == 96
    code, _, err = ran(capsys, "evaluate", out, real)  # it has learned from these
    assert code == 1 and "are in the training of the model" in err
    code, _, err = ran(capsys, "finetune", out, real, "-o", tmp_path / "again", "--batch", "4", "--budget", "8img")
    assert code == 0 and (tmp_path / "again" / "config.json").is_file(), err


def trained(folder, data, out, budget: str) -> list[float]:
    assert main(["finetune", str(folder), str(data), "-o", str(out), "--batch", "4", "--budget", budget, "--rate", "3e-3",
                 "--augment", "light"]) == 0
    return [float(line.split(",")[2]) for line in (out / "curve.csv").read_text().splitlines()[1:]]


@pytest.mark.parametrize(("make", "data", "extra", "most"), [
    (rt_detr, "figures", SIZE, 0.8), (vitpose, "figures", {"size": {"height": 64, "width": 48}}, 0.8),
    (segformer, "discs", SIZE, 0.8), (mask2former, "figures", SIZE, 0.9)])
def test_the_losses_fall_and_the_same_seed_gives_the_same_numbers(make, data, extra, most, saved, figures, discs, tmp_path):
    from safetensors.torch import load_file

    torch.manual_seed(0)
    start = saved(make(), **extra)
    learned = figures("made", range(6), "digest") if data == "figures" else discs("made", 6)
    losses = trained(start, learned, tmp_path / "a", "320img")
    assert losses[-1] < most * losses[0]
    trained(start, learned, tmp_path / "b", "32img")
    trained(start, learned, tmp_path / "c", "32img")
    one, two = (load_file(tmp_path / n / "model.safetensors") for n in "bc")
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_a_new_last_layer_where_the_classes_differ(saved, figures, tmp_path, capsys):
    start = saved(rt_detr(("cat", "dog")), **SIZE)
    code, _, err = ran(capsys, "finetune", start, figures("made", range(4), "d"), "-o", tmp_path / "m", "--batch", "2",
                       "--budget", "4img")
    assert code == 0 and "gets a new last layer, for person, dog" in err, err
    assert foreign.load(tmp_path / "m")[0].spec.classes == ("person", "dog")


def test_a_pose_crop_shows_the_box_in_the_picture_s_proportions():
    """A picture twice as wide as high holds a square of 40 pixels; its crop shows a square, points where they belong."""
    from understudy.learn.augment import WHOLE
    from understudy.learn.mixture import Part, Sample
    from understudy.learn.pose_crops import heat_maps, pose_crops

    picture = np.zeros((100, 200, 3), np.uint8)
    picture[30:70, 80:120] = 255
    import cv2

    frame = cv2.resize(picture, (100, 100), interpolation=cv2.INTER_AREA)

    class Store:
        boxes, category, ignored = np.float32([[0.4, 0.3, 0.6, 0.7]]), np.array([1]), np.array([False])
        points, aspect = np.float32([[[0.4, 0.3, 2], [0.6, 0.7, 2]]]), np.float32([2.0])
        labels_of = staticmethod(lambda row: slice(0, 1))

    crops = pose_crops(frame[None], [Sample(Part(Store(), 1.0, (1,)), 0, WHOLE)], np.zeros(1), (64, 64), 1.25, [0, 1])
    inside = crops.images[0, :, :, 0] > 127
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    assert abs(len(rows) - 64 / 1.25) <= 2 and abs(len(columns) - 64 / 1.25) <= 2
    assert crops.points[0] == pytest.approx(np.array([[6.4, 6.4, 1], [57.6, 57.6, 1]]), abs=0.01)
    heat = heat_maps(np.float32([[[20.0, 36.0, 1], [1.0, 1.0, 0]]]), (64, 64), (16, 16))
    assert np.unravel_index(heat[0, 0].argmax(), (16, 16)) in ((8, 4), (9, 5), (8, 5), (9, 4)) and not heat[0, 1].any()
