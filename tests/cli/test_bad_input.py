"""Bad input from end to end, as a user types it, in processes of their own: one message, an exit code, nothing lost."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from understudy.cli import main

RECIPE = """
name: few solids
world:
  solids:
    count: 2
    surroundings: SURROUNDINGS
sensors: {camera: {size: [96, 72]}, renderer: flat}
"""
NO_MODULE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from understudy.cli import main
sys.exit(main(sys.argv[2:]))
"""


def typed(*arguments):
    """The command as a user types it: (exit code, what it said on both streams)."""
    done = subprocess.run([sys.executable, "-m", "understudy", *map(os.fspath, arguments)], capture_output=True, check=False,
                          text=True, errors="replace")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipes" / "few.yaml"
    path.parent.mkdir()
    path.write_text(RECIPE.replace("SURROUNDINGS", "null"))
    return path


def scenery():
    """A plain landscape without the colour of skin: (150, 200, 3) uint8."""
    y, x = np.mgrid[0:150, 0:200]
    return np.stack([80 + y // 4, 120 + x // 8, 200 - y // 3], -1).astype(np.uint8)


def bomb() -> bytes:
    """A PNG of 50,000 x 20,000 pixels in about a megabyte."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(50_001 * 100)) for _ in range(200)) + packer.flush()

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 50_000, 20_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def saved(form, pixels=None, **more) -> bytes:
    from PIL import Image

    out, pixels = io.BytesIO(), scenery() if pixels is None else pixels
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(out, form, **more)
    return out.getvalue()


def cut_short() -> bytes:
    data = saved("JPEG")
    return data[:len(data) // 2]


def people() -> bytes:
    import cv2

    return saved("PNG", cv2.circle(scenery(), (100, 75), 30, (224, 172, 140), -1))


def odd_but_good() -> dict[str, bytes]:
    from PIL import Image

    picture = Image.fromarray(scenery())
    turned = Image.Exif()
    turned[0x0112] = 6
    return {"cmyk.jpg": saved("JPEG", picture.convert("CMYK")), "grey.jpg": saved("JPEG", scenery()[..., 1]),
            "sixteen.png": saved("PNG", scenery()[..., 1].astype(np.uint16) * 257), "wrong-suffix.jpg": saved("PNG"),
            "animated.png": saved("PNG", save_all=True, append_images=[picture.rotate(180)]),
            "turned.jpg": saved("JPEG", exif=turned), "huge.jpg": saved("JPEG", Image.new("RGB", (7000, 6000), "green"))}


def made_with(tmp_path, files, *more):
    """Exit code of a run over a folder of these files, with the run's folder."""
    photos = tmp_path / "photos"
    if files is not None:
        photos.mkdir()
        for name, data in files.items():
            (photos / name).write_bytes(data)
    (tmp_path / "photos.yaml").write_text(RECIPE.replace("SURROUNDINGS", "{photographs: {folder: photos}}"))
    return main(["generate", str(tmp_path / "photos.yaml"), "-o", str(tmp_path / "out"), "-w", "0", *more])


@pytest.mark.parametrize(("files", "why"), [
    (None, "cannot be opened"),
    ({}, "an empty folder"),
    ({"notes.txt": b"hello"}, "1 other file"),
    ({"zero.jpg": b""}, "the file is empty"),
    ({"text.jpg": b"hello"}, "cannot be decoded"),
    ({"cut.jpg": cut_short}, "cannot be decoded"),
    ({"bomb.png": bomb}, "cannot be decoded"),
    ({"people.png": people}, "there seem to be people in it"),
], ids=["missing", "empty", "no-photographs", "zero-bytes", "not-a-picture", "truncated", "zip-bomb", "people"])
def test_photographs_that_cannot_serve_are_one_message(tmp_path, files, why, capsys):
    files = files and {name: data() if callable(data) else data for name, data in files.items()}
    assert made_with(tmp_path, files, "-n", "2", "-q") == 1
    said = capsys.readouterr().err
    assert said.startswith("understudy: ") and said.count("\n") == 1 and why in said
    assert main(["preview", str(tmp_path / "photos.yaml"), "-n", "2", "--no-open", "-o", str(tmp_path / "sheet.png")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("understudy: ") and said.count("\n") == 1 and why in said
    assert not (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(("files", "why"), [(None, "cannot be opened"), ({}, "an empty folder")], ids=["missing", "empty"])
@pytest.mark.parametrize("command", [["-n", "500", "-w", "2"], ["--only", "3"]])
def test_a_folder_that_cannot_serve_is_told_before_a_worker_starts(tmp_path, monkeypatch, capsys, files, why, command):
    monkeypatch.setattr("understudy.make.processes._start", lambda *_: pytest.fail("a worker was started"))
    assert made_with(tmp_path, files, *command) == 1
    said = capsys.readouterr().err
    assert said.startswith("understudy: ") and said.count("\n") == 1 and why in said
    assert not (tmp_path / "out").exists()


def _no_superuser():
    """Root, too, is refused what the modes refuse (Linux: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH are given up)."""
    import ctypes

    for capability in (1, 2):
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


@pytest.mark.parametrize(("closed", "why"), [
    ("photos", "photos: a folder of photographs cannot be listed"),
    ("photos/inner", "inner: a folder of photographs cannot be listed"),
    ("photos/inner/a.png", "a.png: the photograph cannot be read"),
    ("out", "out/.lock: cannot write here"), ("out/images", "cannot write here"), ("out/ledger", "out/ledger: "),
    ("photos.yaml", "photos.yaml: cannot be read"),
])
def test_what_may_not_be_read_or_written_is_one_message(tmp_path, closed, why):
    (tmp_path / "photos" / "inner").mkdir(parents=True)
    (tmp_path / "photos" / "inner" / "a.png").write_bytes(saved("PNG"))
    (tmp_path / "photos.yaml").write_text(RECIPE.replace("SURROUNDINGS", "{photographs: {folder: photos}}"))
    command = ["generate", str(tmp_path / "photos.yaml"), "-w", "0", "-q", "-o", str(tmp_path / "out")]
    if closed.startswith("out"):
        assert main([*command, "-n", "2"]) == 0
    mode = (tmp_path / closed).stat().st_mode
    (tmp_path / closed).chmod(0o555 if closed in ("out", "out/images") else 0)
    try:
        done = subprocess.run([sys.executable, "-m", "understudy", *command, "-n", "9"], capture_output=True, text=True,
                              check=False, preexec_fn=_no_superuser)
    finally:
        (tmp_path / closed).chmod(mode)
    assert done.returncode in (1, 2) and done.stderr.startswith("understudy: ") and done.stderr.count("\n") == 1
    assert why in done.stderr and "Traceback" not in done.stderr


def test_a_file_that_may_not_grow_is_one_message_and_costs_nothing(recipe, tmp_path):
    """The kernel's own refusal in the middle of the annotations (ulimit -f): what is made stays, and goes on from there."""
    import resource

    command = [sys.executable, "-m", "understudy", "generate", recipe, "-n", "24", "-w", "1", "-q", "-o", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    assert done.returncode == 1 and done.stderr.startswith("understudy: ") and done.stderr.count("\n") == 1
    assert "File too large" in done.stderr and not (tmp_path / "out" / ".work").exists()
    ledgers = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out" / "ledger").glob("[0-9]*.json")}
    assert ledgers
    assert subprocess.run(command, check=False).returncode == 0
    assert {name: (tmp_path / "out" / "ledger" / name).stat().st_mtime_ns for name in ledgers} == ledgers
    assert main(["check", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize("there", [True, False])
def test_one_record_that_does_not_fit_leaves_nothing(recipe, tmp_path, monkeypatch, capsys, there):
    """The disk is full when its last file is written; the same command serves when there is room."""
    from understudy.writers.coco import Coco

    out, really = tmp_path / "one", Coco.finish
    if there:
        out.mkdir()

    def full(self, out, shards, about):
        really(self, out, shards, about)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Coco, "finish", full)
    command = ["generate", str(recipe), "--only", "1", "-q", "-o", str(out)]
    assert main(command) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert out.exists() is there and (not there or list(out.iterdir()) == [])
    monkeypatch.setattr(Coco, "finish", really)
    assert main(command) == 0


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_fewer_records_than_asked_is_no_success(recipe, tmp_path, monkeypatch, capsys, quiet):
    """Two scenes that cannot be: the rest is made, and the exit code says that it is not all; the next time too."""
    from understudy.make import Rejected, shard

    really = shard.make_record
    monkeypatch.setattr(shard, "make_record", lambda recipe, index, **more: Rejected(index, ("it cannot be",))
                        if index in (1, 4) else really(recipe, index, **more))
    for _ in range(2):
        assert main(["generate", str(recipe), "-n", "6", "-w", "0", "-o", str(tmp_path / "out"), *quiet]) == 1
        assert capsys.readouterr().err.splitlines()[-1].startswith(
            "understudy: 2 of 6 records are not there (2 rejected, 0 failed; the reasons are in ")
        assert len(list((tmp_path / "out" / "images").rglob("*.jpg"))) == 4
    assert main(["check", str(tmp_path / "out")]) == 0


def test_the_recipe_in_the_folder_finds_the_photographs_from_anywhere(tmp_path, monkeypatch, capsys):
    """Relative paths: the same bytes from OUT/recipe.yaml, in another working directory; and it extends OUT itself."""
    assert made_with(tmp_path, {"a.png": saved("PNG")}, "-n", "2", "-q") == 0
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere" / "deep")
    own = tmp_path / "out" / "recipe.yaml"
    assert own.read_text().startswith('# paths start from: ".."\n') and "folder: photos\n" in own.read_text()
    assert main(["generate", str(own), "-w", "0", "-q", "-o", "../../again"]) == 0
    assert main(["generate", "../../out/recipe.yaml", "-n", "3", "-w", "0", "-q", "-o", "../../out"]) == 0
    names = sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file())
    assert main(["generate", str(tmp_path / "photos.yaml"), "-n", "2", "-w", "0", "-q", "-o", str(tmp_path / "twice")]) == 0
    assert [n for n in names if (tmp_path / "again" / n).read_bytes() != (tmp_path / "twice" / n).read_bytes()] == []
    assert main(["inspect", str(tmp_path / "out"), "--time", "1", "-o", str(tmp_path / "r.html")]) == 0
    assert capsys.readouterr().err == ""


def test_odd_photographs_serve_and_bad_ones_beside_them_are_replaced(tmp_path, capsys):
    import pyarrow.parquet as pq

    odd = odd_but_good()
    assert made_with(tmp_path, {**odd, "cut.jpg": cut_short(), "zero.jpg": b""}, "-n", "24", "-q") == 0
    rows = pq.read_table(tmp_path / "out" / "manifest.parquet").to_pylist()
    assert len(rows) == 24
    used = {row["world.solids.surroundings.photo"] for row in rows}
    assert used <= odd.keys() and len(used) > 4
    assert any("zero.jpg: the file is empty" in row["world.solids.surroundings.passed_over"] for row in rows)
    assert main(["check", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["generate", "RECIPE", "-n", "1000000000"], 1, "would not fit on this disk"),
    (["generate", "RECIPE", "--set", "count=1e9"], 1, "would not fit on this disk"),
    (["generate", "RECIPE", "--set", "world.solids.count=1e9"], 2, "lies outside what is allowed"),
    (["generate", "RECIPE", "--set", "sensors.camera.size=[1e6, 1e6]"], 2, "lies outside what is allowed"),
    (["generate", "RECIPE", "--set", "garbage"], 2, "is not an override"),
    (["generate", "RECIPE", "--format", "cocoa"], 2, "understudy: --format: "),
    (["generate", "RECIPE", "--seed", str(10**20)], 2, "understudy: --seed: "),
    (["generate", "RECIPE", "--only", "9999999999"], 2, "there is no such record"),
    (["generate", "RECIPE", "-o", "RECIPE"], 1, "this is a file"),
    (["generate", "RECIPE", "-o", "/proc/nowhere"], 1, "cannot write here"),
    (["generate", "missing.yaml"], 2, "there is no such recipe"),
    (["generate", "/dev/null"], 2, "not a regular file"),
    (["preview", "RECIPE", "-n", "1000000000"], 2, "N from 1 to 10,000"),
    (["preview", "RECIPE", "--width", "10000000"], 2, "too large"),
    (["preview", "RECIPE", "-n", "1", "-o", "/proc/nowhere.png"], 1, "could not be written"),
    (["preview", "EMPTY"], 1, "no data set"),
    *(([*command, what, *more], 1, words) for command, more in (
        (["check"], []), (["inspect"], ["-o", "r.html"]), (["convert", "--to", "yolo", "-o", "out"], []))
      for what, words in (("nowhere", ""), ("EMPTY", "no data set"), ("NOTES", "no data set"), ("BROKEN", ""))),
])
def test_a_wrong_command_is_one_message_and_leaves_nothing(recipe, tmp_path, monkeypatch, capsys, arguments, code, words):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("hello")
    (tmp_path / "broken.json").write_text('{"images": [{"id": 1,')
    places = {"RECIPE": recipe, "EMPTY": tmp_path / "empty", "NOTES": tmp_path / "notes", "BROKEN": tmp_path / "broken.json"}
    assert main([str(places.get(a, a)) for a in arguments]) == code
    said = capsys.readouterr()
    assert words in said.err + said.out and "Traceback" not in said.err and "This is a defect" not in said.err
    assert said.err.startswith("understudy: ") or said.out.startswith("error: ")
    assert list(Path.cwd().iterdir()) == []


def test_a_reader_that_goes_away_ends_no_run(recipe, tmp_path):
    """``understudy generate ... 2>&1 | head -0``: the data set is made all the same."""
    out = tmp_path / "out"
    run = subprocess.Popen([sys.executable, "-m", "understudy", "generate", recipe, "-n", "3", "-w", "0", "-o", out],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    run.stdout.close()
    assert run.wait(timeout=120) == 141  # nobody read the summary
    assert (out / "croissant.json").exists() and main(["check", str(out)]) == 0


def test_a_list_that_cannot_be_written_is_no_success():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "understudy", "recipe", "list"], stdout=full, check=False,
                              stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr == "understudy: the system: No space left on device\n"


@pytest.mark.parametrize("module", ["scipy", "cv2", "pyarrow", "pycocotools"])
def test_a_missing_package_is_named(recipe, tmp_path, module):
    done = subprocess.run([sys.executable, "-c", NO_MODULE, module, "generate", recipe, "-n", "1", "-w", "0", "-q",
                           "-o", tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"understudy: the package {module} is missing. ") and done.stderr.count("\n") == 1


def test_names_that_are_no_utf8(tmp_path):
    here = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9r"))
    here.mkdir()
    recipe = here / os.fsdecode(b"r\xe9c.yaml")
    recipe.write_text(RECIPE.removeprefix("\nname: few solids").replace("SURROUNDINGS", "null"))
    for arguments in (["generate", recipe, "-n", "2", "-w", "1", "-q", "-o", here / "out"], ["check", here / "out"],
                      ["inspect", here / "out", "-o", here / "r.html"], ["preview", here / "out", "-o", here / "p.png"],
                      ["convert", here / "out", "--to", "yolo", "-o", here / "y"]):
        assert typed(*arguments)[0] == 0, arguments
    assert all((here / name).exists() for name in ("out/manifest.parquet", "r.html", "p.png", "y/data.yaml"))


@pytest.mark.parametrize("command", [["preview", "RECIPE", "-n", "1000", "--width", "16", "--no-open", "-o", "sheet.png"],
                                     ["generate", "RECIPE", "-n", "2000", "-w", "0", "-o", "out"]])
def test_ctrl_c_is_130_and_leaves_no_half_file(recipe, tmp_path, command):
    run = subprocess.Popen([sys.executable, "-m", "understudy", *(str(recipe) if a == "RECIPE" else a for a in command)],
                           cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           # a test run in the background ignores the signal, and its children would inherit that
                           preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while run.poll() is None and not ((tmp_path / "sheet.png").exists() or (tmp_path / "out" / "ledger").exists()):
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130 and "understudy: stopped" in said and "Traceback" not in said
    assert not [p for p in tmp_path.rglob(".*") if p.name.startswith((".sheet", ".work", ".lock"))]


def test_a_killed_worker_of_a_preview_is_one_message(recipe, tmp_path):
    run = subprocess.Popen([sys.executable, "-m", "understudy", "preview", recipe, "-n", "400", "-w", "2", "--no-open",
                            "--width", "16", "-o", tmp_path / "sheet.png"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    while run.poll() is None and not (tmp_path / "sheet.png").exists():
        time.sleep(0.05)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    worker = next(c for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes())
    os.kill(int(worker), signal.SIGKILL)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 1 and said.startswith("understudy: a worker process died.") and "Traceback" not in said


class Refusing:
    """A folder that takes nothing: even taking away what is not there is refused, as on a read-only mount."""

    @staticmethod
    def unlink(self, missing_ok=False):
        raise OSError(30, "Read-only file system", str(self))


@pytest.mark.parametrize("command", [["preview", "OUT", "-n", "1", "--no-open", "-o", "/proc/x.png"],
                                     ["inspect", "OUT", "-o", "/proc/x.html"]])
def test_a_read_only_folder_is_one_message(recipe, tmp_path, monkeypatch, capsys, command):
    out = tmp_path / "out"
    assert main(["generate", str(recipe), "-n", "1", "-w", "0", "-q", "-o", str(out)]) == 0
    monkeypatch.setattr(Path, "unlink", Refusing.unlink)
    assert main([str(out) if a == "OUT" else a for a in command]) == 1
    said = capsys.readouterr().err
    assert "could not be written" in said and "This is a defect" not in said


@pytest.mark.parametrize("command", [["preview", "RECIPE", "-n", "1", "--no-open"], ["inspect", "OUT"]])
def test_a_device_is_written_to_and_never_replaced(recipe, tmp_path, capsys, command):
    """Root's ``-o /dev/null`` must not put a picture in the device's place; a full one is one message."""
    out, device = tmp_path / "out", tmp_path / "device"
    assert main(["generate", str(recipe), "-n", "1", "-w", "0", "-q", "-o", str(out)]) == 0
    words = [{"OUT": str(out), "RECIPE": str(recipe)}.get(a, a) for a in command]
    for target, code in (("/dev/null", 0), ("/dev/full", 1)):
        device.unlink(missing_ok=True)
        device.symlink_to(target)
        assert main([*words, "-o", str(device)]) == code
        assert device.is_symlink() and device.resolve().is_char_device()
    assert "could not be written (got No space left on device)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["annotations/instances.json", "annotations/keypoints.json", "manifest.parquet",
                                  "licences.json", "croissant.json"])
def test_the_audit_sees_every_file_of_the_set_that_was_cut_short(recipe, tmp_path, name, capsys):
    out = tmp_path / "out"
    assert main(["generate", str(recipe), "-n", "2", "-w", "0", "-q", "-o", str(out)]) == 0
    assert main(["check", str(out)]) == 0
    data = (out / name).read_bytes()
    (out / name).write_bytes(data[:len(data) // 10])
    assert main(["check", str(out)]) == 1
    assert name in capsys.readouterr().out


@pytest.mark.parametrize("command", [["inspect", "-o", "new"], ["convert", "--to", "yolo", "-o", "new"],
                                     ["preview", "-o", "new"]])
def test_a_cut_annotation_file_is_no_poorer_data_set(recipe, tmp_path, command, capsys, monkeypatch):
    """Its sibling (keypoints.json) is whole, and must not stand in for it without a word."""
    monkeypatch.chdir(tmp_path)
    assert main(["generate", str(recipe), "-n", "2", "-w", "0", "-q", "-o", "out"]) == 0
    file = tmp_path / "out" / "annotations" / "instances.json"
    file.write_bytes(file.read_bytes()[:300])
    assert main([*command, "out"]) == 1
    assert "instances.json" in capsys.readouterr().err and not Path("new").exists()
