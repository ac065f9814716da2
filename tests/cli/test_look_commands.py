"""``understudy preview`` and ``understudy inspect``, on the quickest world and renderer."""

from __future__ import annotations

import pytest
from PIL import Image

from understudy.cli import main, opening

RECIPE = """
name: few solids
world: {solids: {count: 2, distractors: 0}}
sensors: {camera: {size: [96, 72]}, renderer: flat}
labels: {keep: [boxes, masks, amodal, depth, instances, camera]}
write: coco
"""


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "few.yaml").write_text(RECIPE)
    return tmp_path / "few.yaml"


def opened(path):
    with Image.open(path) as image:
        return image.copy()


def test_preview_writes_a_sheet_and_says_where(recipe, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert main(["preview", str(recipe), "-n", "3", "-o", str(out), "--no-open", "--width", "96"]) == 0
    assert capsys.readouterr().out.strip() == f"{out}: 3 records"
    assert opened(out).size == (3 * 106 + 10, 46 + 72 + 20 + 5)


def test_preview_of_record_i_is_record_i(recipe, tmp_path, capsys):
    assert main(["preview", str(recipe), "--only", "1", "--plain", "-o", str(tmp_path / "one.png"), "--no-open"]) == 0
    out = capsys.readouterr().out
    assert "world.solids.count" in out and "one.png: 1 records" in out
    assert main(["preview", str(recipe), "-n", "2", "--plain", "-o", str(tmp_path / "two.png"), "--no-open",
                 "--width", "96", "--columns", "2"]) == 0
    one, two = (opened(tmp_path / f"{n}.png") for n in ("one", "two"))
    assert one.crop((10, 46, 106, 118)).tobytes() == two.crop((116, 46, 212, 118)).tobytes()


def test_preview_follows_seed_set_and_look(recipe, tmp_path):
    sheets = []
    for more in ([], ["--seed", "9"], ["--set", "world.solids.count=4"], ["--pairs"], ["--channels"]):
        out = tmp_path / f"{len(sheets)}.png"
        assert main(["preview", str(recipe), "-n", "1", "-o", str(out), "--no-open", *more]) == 0
        sheets.append(out.read_bytes())
    assert len(set(sheets)) == 5


def test_preview_with_workers_is_the_same_sheet(recipe, tmp_path):
    for workers in (1, 2):
        assert main(["preview", str(recipe), "-n", "2", "-o", str(tmp_path / f"{workers}.png"), "--no-open",
                     "-w", str(workers)]) == 0
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


@pytest.mark.parametrize(("more", "code"), [(["-n", "0"], 2), (["--only", "-1"], 2), (["--set", "world.nothing=3"], 2),
                                            (["-o", "/nowhere/at/all.png"], 1)])
def test_preview_tells_what_is_wrong(recipe, more, code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["preview", str(recipe), "--no-open", "-n", "1", *more]) == code
    assert capsys.readouterr().err.startswith("understudy:")


def test_the_viewer_is_opened_once_and_only_where_there_is_one(recipe, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(opening, "show", lambda path: shown.append(path) or True)
    out = tmp_path / "sheet.png"
    assert main(["preview", str(recipe), "-n", "2", "-o", str(out), "--open"]) == 0
    assert shown == [out]
    monkeypatch.undo()
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(opening.sys, "platform", "linux")
    assert opening.viewer() is None and opening.show(out) is False


def test_a_made_data_set_is_clean_and_reported_on(recipe, tmp_path, capsys):
    out = tmp_path / "data"
    assert main(["generate", str(recipe), "-n", "3", "-o", str(out), "-w", "0", "-q"]) == 0
    assert main(["check", str(out), "--strict"]) == 0
    assert "nothing wrong" in capsys.readouterr().out
    assert main(["inspect", str(out), "-o", str(tmp_path / "r.html"), "--samples", "2", "--time", "1"]) == 0
    html = (tmp_path / "r.html").read_text()
    for words in ("few solids", "Samples", "Every drawn value", "Rate and cost", "world.solids.size_m"):
        assert words in html
    assert html.count('class="sample"') == 2


def test_inspect_tells_what_is_wrong(tmp_path, capsys):
    assert main(["inspect", str(tmp_path)]) == 1
    assert main(["inspect", str(tmp_path), "--samples", "-1"]) == 2
    assert capsys.readouterr().err.count("understudy:") == 2
