"""Model cards, the shelf, fetching with digests, and our models made by one command."""

from __future__ import annotations

import hashlib
import http.server
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save

from understudy.cli import main
from understudy.errors import DatasetError
from understudy.learn.catalogue import shelf
from understudy.learn.catalogue.card import read_card


@pytest.fixture(autouse=True)
def own_shelf(tmp_path, monkeypatch):
    monkeypatch.setenv("UNDERSTUDY_MODELS", str(tmp_path / "shelf"))
    return tmp_path / "shelf"


def ran(capsys, *argv) -> tuple[int, str, str]:
    code = main([str(a) for a in argv])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


WEIGHTS = save({"a": torch.arange(6.0)}, {"x": "y"})


def card(path: Path, url: str, *, sha256: str = hashlib.sha256(WEIGHTS).hexdigest(), **more) -> Path:
    plain = {"name": "theirs", "kind": "public", "task": "box", "classes": ["person"], "about": "A test.",
             "licence": {"code": "MIT", "weights": "CC-BY-NC-4.0", "commercial": False},
             "files": [{"name": "model.safetensors", "url": url, "sha256": sha256}]} | more
    path.write_text(yaml.safe_dump(plain))
    return path


@pytest.fixture
def server(tmp_path):
    """(address, folder) of a web server on this machine."""
    root = tmp_path / "www"
    root.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            del args

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root)) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}", root
        serving.shutdown()
        thread.join()


def test_every_shipped_card_is_whole_and_every_licence_is_said(capsys):
    known = shelf.entries()
    assert {e.card.kind for e in known.values()} == {"own", "public"} and all(e.folder is None for e in known.values())
    for e in known.values():
        assert e.card.licence.code and e.card.licence.weights
        if e.card.kind == "public":
            assert all(f.url.startswith("https://") for f in e.card.files)
        else:
            assert {"recipe", "count", "seed", "task", "size", "side", "budget", "train_seed"} <= set(e.card.training)
    code, out, _ = ran(capsys, "models", "list")
    assert code == 0 and all(name in out for name in known) and "models train" in out and "models add" in out
    code, out, _ = ran(capsys, "models", "show", "segformer-b0")
    assert code == 0 and yaml.safe_load(out)["licence"]["commercial"] is False


def test_recipes_of_our_models_are_shipped_and_have_what_is_learned():
    from understudy.recipe import parse

    labels = {"semantic": "masks", "box": "boxes", "keypoint": "keypoints"}
    for e in shelf.entries().values():
        if e.card.kind == "own":
            recipe = parse(e.card.training["recipe"], overrides=e.card.training["set"])
            assert any(labels[e.card.task] in name for name in recipe.labels.keep)


def test_a_card_that_is_wrong_is_told_by_its_field(tmp_path):
    for more, said in (({"name": "../x"}, "name"), ({"task": "magic"}, "task"), ({"licence": {"code": "MIT"}}, "licence"),
                       ({"files": [{"name": "../../evil.safetensors", "url": "https://x/y"}]}, "files"),
                       ({"files": [{"name": "model.bin", "url": "https://x/y"}]}, "files"),
                       ({"files": [{"name": "m.safetensors", "url": "ftp://x/y"}]}, "files"),
                       ({"scores": [{"metric": "AP"}]}, "scores"), ({"colour": 1}, "colour")):
        with pytest.raises(DatasetError, match=said):
            read_card(card(tmp_path / "c.yaml", "https://x/y", **more))


def test_a_fetched_model_is_what_its_card_says(server, tmp_path, own_shelf, capsys):
    url, root = server
    (root / "m").write_bytes(WEIGHTS)
    code, out, err = ran(capsys, "models", "add", card(tmp_path / "c.yaml", f"{url}/m"))
    assert code == 0 and "CC-BY-NC-4.0" in out and "commercial use: no" in out, err
    assert (own_shelf / "theirs" / "model.safetensors").read_bytes() == WEIGHTS
    assert ran(capsys, "models", "verify")[:2] == (0, "theirs: as its card says\n")
    with (own_shelf / "theirs" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x77")
    code, out, _ = ran(capsys, "models", "verify", "theirs")
    assert code == 1 and "the card says" in out
    code, out, _ = ran(capsys, "models", "list")
    assert "on the shelf" in out


def test_what_is_not_what_the_card_says_is_not_kept(server, tmp_path, own_shelf, capsys):
    url, root = server
    (root / "other").write_bytes(save({"a": torch.zeros(6)}))
    (root / "pickle").write_bytes(b"\x80\x04]\x94.")
    (root / "cut").write_bytes(WEIGHTS[:-4])
    address = root.as_uri()
    for name, digest, said in (("other", None, "is not the file that the card means"), ("absent", None, "cannot be fetched"),
                               ("pickle", "own", "no safetensors file"), ("cut", "own", "cut short")):
        for base in (url, address):
            sha = hashlib.sha256((root / name).read_bytes()).hexdigest() if digest else hashlib.sha256(WEIGHTS).hexdigest()
            code, out, err = ran(capsys, "models", "add", card(tmp_path / "c.yaml", f"{base}/{name}", sha256=sha))
            assert code == 1 and said in err and not out, err
    files = [p for p in own_shelf.rglob("*") if p.is_file()]
    assert files == []
    listed = [{"name": "model.safetensors", "url": f"{address}/other", "bytes": 5,
               "sha256": hashlib.sha256(WEIGHTS).hexdigest()}]
    code, _, err = ran(capsys, "models", "add", card(tmp_path / "c.yaml", "", files=listed))
    assert code == 1 and "larger than its card says" in err


def test_without_a_digest_nothing_is_fetched_unless_pinned(tmp_path, own_shelf, capsys):
    (tmp_path / "m").write_bytes(WEIGHTS)
    path = card(tmp_path / "c.yaml", (tmp_path / "m").as_uri(), sha256="")
    code, _, err = ran(capsys, "models", "add", path)
    assert code == 2 and "knows no digest" in err and not own_shelf.exists()
    assert ran(capsys, "models", "add", path, "--pin")[0] == 0
    assert read_card(own_shelf / "theirs" / "card.yaml").files[0].sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    code, _, err = ran(capsys, "models", "add", card(tmp_path / "d.yaml", "http://127.0.0.1:9/m", sha256=""), "--pin")
    assert code == 2 and "neither a digest nor https" in err


def test_a_trained_model_gets_a_card_and_another_file_under_it_is_found(discs, tmp_path, own_shelf, capsys):
    small = ["--size", "nano", "--side", "64", "--batch", "8", "--budget", "16img"]
    assert ran(capsys, "train", discs("d"), "-o", tmp_path / "m", *small)[0] == 0
    code, _, err = ran(capsys, "models", "add", tmp_path / "m")
    assert code == 2 and "--licence" in err
    code, out, _ = ran(capsys, "models", "add", tmp_path / "m", "--name", "mine", "--licence", "CC0-1.0",
                       "--commercial", "yes")
    assert code == 0 and "semantic of foreground" in out
    told = read_card(own_shelf / "mine" / "card.yaml")
    assert told.kind == "added" and told.weights and told.data[0]["digest"] and told.training["seed"] == 0
    assert ran(capsys, "models", "verify", "mine")[0] == 0
    assert ran(capsys, "models", "add", tmp_path / "m", "--name", "mine", "--licence", "x")[0] == 2
    assert ran(capsys, "predict", own_shelf / "mine", tmp_path / "d" / "images", "-o", tmp_path / "p")[0] == 0


def test_our_models_are_made_by_one_command(own_shelf, capsys):
    plain = yaml.safe_load((Path(shelf.__file__).parent / "cards" / "solids-box-nano.yaml").read_text())
    assert plain["training"]["recipe"] == "solids"
    code, out, err = ran(capsys, "models", "train", "solids-box-nano", "-n", "12", "--budget", "32img", "-w", "1",
                         "--set", "sensors.renderer=flat", "--set", "labels.keep=[boxes]")
    assert code == 0 and "not measured" in out, err
    told = read_card(own_shelf / "solids-box-nano" / "card.yaml")
    assert told.kind == "own" and told.training["count"] == 12 and told.training["set"][-1] == "labels.keep=[boxes]"
    assert told.licence.commercial is None and "licences.json" in told.licence.note  # what --set put in, nobody has read
    assert told.data[0]["pictures"] == 12 and told.data[0]["made"] and len(told.files[0].sha256) == 64
    assert ran(capsys, "models", "verify")[0] == 0
    code, _, err = ran(capsys, "models", "train", "solids-box-nano")
    assert code == 2 and "on the shelf already" in err
    code, _, err = ran(capsys, "models", "train", "rtdetr-r18")
    assert code == 2 and "is not made here" in err
    code, _, err = ran(capsys, "models", "train", "nothing")
    assert code == 2 and "there is no model" in err
