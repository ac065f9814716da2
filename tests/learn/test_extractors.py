"""Extractors with weights, from local folders: tiny ones with random weights stand for the published ones."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from understudy.cli import main
from understudy.errors import DatasetError, MissingDependency, UsageError
from understudy.learn import foreign
from understudy.learn.native import inception
from understudy.learn.realism.pretrained import pretrained

pytestmark = pytest.mark.filterwarnings("ignore")  # of the package's own


@pytest.fixture
def transformers():
    return pytest.importorskip("transformers", reason="the optional extra is not installed")


def pictures(n: int = 3, seed: int = 0, side: int = 96) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def dinov2(transformers, folder):
    config = transformers.Dinov2Config(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, mlp_ratio=2,
                                       image_size=56, patch_size=14)
    transformers.Dinov2Model(config).save_pretrained(folder)
    return folder


def clip(transformers, folder):
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.CLIPConfig(text_config=small | {"vocab_size": 50, "max_position_embeddings": 8},
                                     vision_config=small | {"image_size": 32, "patch_size": 16}, projection_dim=12)
    transformers.CLIPModel(config).save_pretrained(folder)
    return folder


# Channels out of each convolution of the published Inception v3 (Szegedy et al. 2016, table 1 and figures 5 to 7).
STEM = {"Conv2d_1a_3x3": 32, "Conv2d_2a_3x3": 32, "Conv2d_2b_3x3": 64, "Conv2d_3b_1x1": 80, "Conv2d_4a_3x3": 192}
KERNELS = {"branch1x1": (1, 1), "branch_pool": (1, 1), "branch5x5_1": (1, 1), "branch5x5_2": (5, 5),
           "branch3x3dbl_1": (1, 1), "branch7x7_1": (1, 1), "branch7x7_2": (1, 7), "branch7x7_3": (7, 1),
           "branch7x7dbl_1": (1, 1),
           "branch7x7dbl_2": (7, 1), "branch7x7dbl_3": (1, 7), "branch7x7dbl_4": (7, 1), "branch7x7dbl_5": (1, 7),
           "branch7x7x3_1": (1, 1), "branch7x7x3_2": (1, 7), "branch7x7x3_3": (7, 1), "branch3x3_1": (1, 1),
           "branch3x3_2a": (1, 3), "branch3x3_2b": (3, 1), "branch3x3dbl_3a": (1, 3), "branch3x3dbl_3b": (3, 1)}


def widths(block: str) -> dict[str, int]:
    """{convolution: channels out} of a block."""
    if block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        return {"branch1x1": 64, "branch5x5_1": 48, "branch5x5_2": 64, "branch3x3dbl_1": 64, "branch3x3dbl_2": 96,
                "branch3x3dbl_3": 96, "branch_pool": 32 if block == "Mixed_5b" else 64}
    if block == "Mixed_6a":
        return {"branch3x3": 384, "branch3x3dbl_1": 64, "branch3x3dbl_2": 96, "branch3x3dbl_3": 96}
    if block.startswith("Mixed_6"):
        c7 = {"b": 128, "c": 160, "d": 160, "e": 192}[block[-1]]
        return {"branch1x1": 192, "branch7x7_1": c7, "branch7x7_2": c7, "branch7x7_3": 192,
                **{f"branch7x7dbl_{k}": c7 for k in range(1, 5)}, "branch7x7dbl_5": 192, "branch_pool": 192}
    if block == "Mixed_7a":
        return {"branch3x3_1": 192, "branch3x3_2": 320, **{f"branch7x7x3_{k}": 192 for k in range(1, 5)}}
    return {"branch1x1": 320, "branch3x3_1": 384, "branch3x3_2a": 384, "branch3x3_2b": 384, "branch3x3dbl_1": 448,
            "branch3x3dbl_2": 384, "branch3x3dbl_3a": 384, "branch3x3dbl_3b": 384, "branch_pool": 192}


def inception_weights(divide: int = 1, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights by the published names and, with ``divide`` 1, the published shapes."""
    draw = torch.Generator().manual_seed(seed)
    out: dict[str, torch.Tensor] = {}

    def conv(name: str, cin: int, cout: int, kernel: tuple[int, int]) -> int:
        cout = max(cout // divide, 1)
        scale = math.sqrt(2 / (cin * kernel[0] * kernel[1]))
        out[f"{name}.conv.weight"] = torch.randn(cout, cin, *kernel, generator=draw) * scale
        for part, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            out[f"{name}.bn.{part}"] = torch.full((cout,), value)
        return cout

    channels = 3
    for name, cout in STEM.items():
        channels = conv(name, channels, cout, (1, 1) if name.endswith("1x1") else (3, 3))
    for block, branches in inception.BLOCKS.items():
        joined = 0
        for branch in branches:
            now = channels
            for step in branch:
                if step not in ("mean", "max"):
                    now = sum(conv(f"{block}.{one}", now, widths(block)[one], KERNELS.get(one, (3, 3)))
                              for one in step.rstrip("/").split("+"))
            joined += now
        channels = joined
    return out


def inception_folder(folder, divide: int = 16):
    folder.mkdir()
    save_file(inception_weights(divide), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"architecture": "inception_v3"}))
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": 75}))
    return folder


def test_inception_has_the_published_number_of_weights_and_features():
    """torchvision's documentation says 27,161,264 weights: the auxiliary head has 3,326,696 of them, the last layer
    2,049,000. What is left is convolutions and scales."""
    weights = inception_weights()
    learned = sum(w.numel() for name, w in weights.items() if "running" not in name)
    assert learned == 27_161_264 - 3_326_696 - 2_049_000
    assert len(inception.names()) == 94
    features = inception.pooled(weights, torch.zeros(1, 3, 75, 75))
    assert features.shape == (1, 2048)


def test_inception_answers_for_each_picture_alone_and_normalises_in_batches():
    weights = inception_weights(16)
    x = torch.randn(3, 3, 75, 75, generator=torch.Generator().manual_seed(3))
    together, alone = inception.pooled(weights, x), torch.cat([inception.pooled(weights, one[None]) for one in x])
    assert torch.allclose(together, alone, atol=1e-4) and together.std(0).min() >= 0 and together.std() > 1e-3
    factor = {"conv.weight": 2, "bn.running_var": 4}
    doubled = {n: w * next((f for end, f in factor.items() if n.endswith(end)), 1) for n, w in weights.items()}
    close = inception.pooled(doubled, x)  # batch normalisation undoes a scale, but for its epsilon
    assert torch.allclose(close, together, rtol=0.05, atol=0.02)


@pytest.mark.parametrize(("make", "kind", "width"), [(dinov2, "dinov2", 16), (clip, "clip", 12)])
def test_a_saved_network_is_an_extractor_named_for_its_weights(transformers, make, kind, width, tmp_path):
    torch.manual_seed(0)
    name, extract = pretrained(str(make(transformers, tmp_path / "small")))
    found = extract(pictures())
    assert name.startswith(f"{kind} small@") and len(name.rpartition("@")[2]) == 8
    assert found.shape == (3, width) and found.dtype == np.float64 and np.isfinite(found).all()
    assert np.allclose(found[::-1], extract(pictures()[::-1]), atol=1e-5), "each picture alone"
    assert found.std(0).max() > 1e-6
    again, _ = pretrained(str(make(transformers, tmp_path / "other")))
    assert again.rpartition("@")[2] != name.rpartition("@")[2], "other weights, another name"


def test_clip_is_what_the_package_says_it_is(transformers, tmp_path):
    """The projected embedding of the vision tower, of pixels normalised as CLIP's were."""
    torch.manual_seed(1)
    folder = clip(transformers, tmp_path / "c")
    image = pictures(1, side=32)
    mean, std = np.float32([0.48145466, 0.4578275, 0.40821073]), np.float32([0.26862954, 0.26130258, 0.27577711])
    x = torch.from_numpy((((image / 255) - mean) / std).transpose(0, 3, 1, 2).astype(np.float32))
    with torch.no_grad():
        wanted = transformers.CLIPModel.from_pretrained(folder).get_image_features(pixel_values=x)
    wanted = getattr(wanted, "pooler_output", wanted)
    assert np.allclose(pretrained(str(folder))[1](image), wanted.numpy(), atol=1e-5)


def test_a_name_is_found_in_the_cache_of_the_hub(tmp_path, monkeypatch):
    model = tmp_path / "hub" / "models--timm--inception_v3"
    (model / "refs").mkdir(parents=True)
    (model / "snapshots").mkdir()
    inception_folder(model / "snapshots" / "abc123")
    (model / "refs" / "main").write_text("abc123")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    name, extract = pretrained("timm/inception_v3")
    assert name.startswith("inception_v3 timm/inception_v3@") and extract(pictures(2)).shape[0] == 2
    with pytest.raises(UsageError, match="no such extractor on this machine"):
        pretrained("timm/another")


def test_what_is_wrong_is_said(tmp_path, monkeypatch, disc_folder, capsys):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "none"))
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "dinov2"}')
    with pytest.raises(DatasetError, match="holds no weights"):
        pretrained(str(folder))
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(DatasetError, match="no feature extractor that is known"):
        pretrained(str(folder))
    (folder / "config.json").write_text("{")
    with pytest.raises(DatasetError, match="cannot be read"):
        pretrained(str(folder))
    cut = inception_folder(tmp_path / "i")
    save_file({"fc.weight": torch.zeros(1)}, cut / "model.safetensors")
    with pytest.raises(DatasetError, match="lacks weights of Inception v3"):
        pretrained(str(cut))
    (cut / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(DatasetError, match="cannot be read"):
        pretrained(str(cut))
    (cut / "preprocessor_config.json").write_text('{"size": 100000}')
    with pytest.raises(DatasetError, match="no usable size"):
        pretrained(str(cut))
    a, b = disc_folder(tmp_path / "a", 24, 1), disc_folder(tmp_path / "b", 24, 2)
    assert main(["realism", str(a), str(b), "-o", str(tmp_path / "x"), "--extractor", "facebook/dinov2-small"]) == 2
    err = capsys.readouterr().err
    assert "no such extractor" in err and "hf download" in err and not (tmp_path / "x").exists()


def test_without_the_package_the_command_says_what_to_install(tmp_path, monkeypatch):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "dinov2"}')
    (folder / "model.safetensors").write_bytes(b"")

    def absent():
        raise MissingDependency("this model needs the package transformers",
                                remedy="pip install 'understudy[transformers]'")

    monkeypatch.setattr(foreign, "need_transformers", absent)
    with pytest.raises(MissingDependency, match="needs the package transformers"):
        pretrained(str(folder))


def test_the_extractor_is_in_every_metric_s_name(disc_folder, tmp_path, capsys):
    a, b = disc_folder(tmp_path / "a", 24, 1), disc_folder(tmp_path / "b", 24, 2)
    folder = inception_folder(tmp_path / "small-inception")
    assert main(["realism", str(a), str(b), "-o", str(tmp_path / "out"), "--extractor", str(folder)]) == 0
    told = json.loads((tmp_path / "out" / "realism.json").read_text())
    name = next(n for n in told["auc"] if n.startswith("inception_v3 small-inception@"))
    for what in ("KID", "MMD", "precision", "recall", "density", "coverage"):
        assert f"{what}[{name}, n=24+24]" in told["metrics"]
    assert f"By {name}: orange" in (tmp_path / "out" / "report.html").read_text()
    assert name in capsys.readouterr().out
