"""How scenes are laid out for tracing: textures, alignment, choice of variant."""

import numpy as np
import pytest

from understudy.errors import MissingDependency
from understudy.key import Key
from understudy.renderers.mitsuba import Path, denoise, stage, variant
from understudy.renderers.mitsuba.paths import full_length, spoken_for
from understudy.renderers.texels import texel
from understudy.scene import Camera, Lens, Texture


def laid(lay, *textures):
    pages = stage.Pages()
    starts = [pages.add(t, t) for t in textures]
    return starts, pages.laid(lay)


def test_texels_are_packed_red_lowest():
    pixels, more = np.array([[(1, 2, 3), (255, 0, 128)]], np.uint8), np.full((3, 2, 3), 7, np.uint8)
    starts, texels = laid(stage.lay_colour, pixels, more, pixels)
    assert starts == [0, 2, 0] and texels.ctypes.data % 64 == 0  # the same texture twice is kept once
    assert (texels & 0xFFFFFF).tolist() == [0x030201, 0x8000FF, *[0x070707] * 6]


def test_heights_lie_one_to_a_texel():
    plain, coloured = np.array([[1, 200]], np.uint8), np.array([[(0, 30, 60)]], np.uint8)
    assert laid(stage.lay_height, plain, coloured)[1][:3].tolist() == [1, 200, 30]


def test_a_grey_texture_is_linear():
    grey = np.array([[0, 55, 128, 255]], np.uint8)
    codes = laid(stage.lay_colour, grey)[1] & 255
    linear = np.where(codes / 255 <= 0.04045, codes / 255 / 12.92, ((codes / 255 + 0.055) / 1.055) ** 2.4)
    assert linear == pytest.approx(grey[0] / 255, abs=0.006)


@pytest.mark.parametrize("size", [0, 1, 5, 1000])
def test_arrays_begin_on_a_border(size):
    array = np.arange(size, dtype=np.float32)
    flat = stage.aligned(array)
    assert (flat.ctypes.data % 64 == 0 or not size) and np.array_equal(flat, array)
    padded = stage.aligned(array, least=4)
    assert padded.ctypes.data % 64 == 0 and len(padded) == max(4, size) and np.array_equal(padded[:size], array)


def test_texture_coordinates_repeat_and_run_upwards():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[0, 0], pixels[3, 3] = (255, 0, 0), (0, 255, 0)
    uv = np.array([(0.1, 0.9), (1.1, -0.1), (0.9, 0.1), (-0.1, 5.1)], np.float32)
    assert texel(Texture(pixels), uv).tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]]


def test_half_the_samples_go_on_and_at_least_one():
    assert [full_length(n, 4) for n in (1, 2, 3, 4, 9)] == [1, 1, 1, 2, 3]
    assert full_length(4, 2) == 4


@pytest.mark.parametrize("height", [6, 7, 8])
@pytest.mark.parametrize("rows", [1, 2, 3])
def test_what_lies_beyond_direct_light_counts_once_for_every_row_of_a_block(height, rows):
    """The denoiser's blocks are means of ``rows`` rows, the last row repeated where there are too few."""
    camera = Camera(Lens((2, height), (9.0, 9.0), (1.0, height / 2)), np.eye(4))
    weight = spoken_for(camera, np.arange(2 * height), rows).reshape(height, 2)
    whole = np.concatenate([weight, np.repeat(weight[-1:], -height % rows, axis=0)])
    assert (whole.reshape(-1, rows, 2).mean(axis=1) == 1).all()
    assert np.count_nonzero(weight[:, 0]) == -(-height // rows)


def test_close_figures_have_larger_blocks_of_under_a_centimetre():
    assert [Path().block(px_per_m) for px_per_m in (20.0, 299.0, 300.0, 2000.0)] == [2, 2, 3, 3]
    assert Path().block(300.0) / 300.0 <= 0.01
    assert {Path(denoise=name).block(900.0) for name in ("off", "fast", "balanced", "high")} == {1}


def test_the_best_llvm_is_taken(tmp_path, monkeypatch):
    for name in ("libLLVM-14.so.1", "libLLVM-15.so.1", "libLLVM.so.18.1", "libLLVM.so.22.1", "libLLVMExtra.so"):
        (tmp_path / name).touch()
    monkeypatch.delenv("DRJIT_LIBLLVM_PATH", raising=False)
    monkeypatch.setattr(variant, "_LLVM_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(variant, "_LLVM_HOMES", ())
    assert variant.find_llvm() == tmp_path / "libLLVM.so.18.1"
    (tmp_path / "libLLVM-19.so").touch()
    assert variant.find_llvm() == tmp_path / "libLLVM-19.so"
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", "/mine.so")
    assert str(variant.find_llvm()) == "/mine.so"


def test_an_llvm_that_crashes_is_not_taken(tmp_path, monkeypatch):
    (tmp_path / "libLLVM-15.so.1").touch()
    monkeypatch.delenv("DRJIT_LIBLLVM_PATH", raising=False)
    monkeypatch.setattr(variant, "_LLVM_FOLDERS", (str(tmp_path),))
    monkeypatch.setattr(variant, "_LLVM_HOMES", ())
    assert variant.find_llvm() is None


def test_threads_come_from_the_environment(monkeypatch):
    for text, wanted in (("3", 3), ("0", 1), ("many", 1)):
        monkeypatch.setenv(variant.THREADS, text)
        assert variant.threads() == wanted


def test_denoising_keeps_flat_light_and_removes_noise():
    noise = (1 + 0.5 * Key(1).normals(48, 64, 3)).clip(0)
    flat, up = np.full((48, 64, 3), 0.5, np.float32), np.zeros((48, 64, 3), np.float32)
    up[..., 2] = 1
    out = denoise.denoised(noise, flat, up, "fast")
    assert out.std() < 0.15 * noise.std() and out.mean() == pytest.approx(noise.mean(), rel=0.03)
    assert np.array_equal(denoise.denoised(noise, flat, up, "off"), noise)


def test_a_missing_denoiser_names_the_remedy(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyoidn", None)
    monkeypatch.setattr(denoise, "_loaded", lambda: None)
    with pytest.raises(MissingDependency, match="pip install pyoidn"):
        denoise.denoised(*(np.zeros((8, 8, 3), np.float32),) * 3, "fast")


PLAIN = """
import dataclasses, sys
import numpy as np
sys.path.insert(0, {folder!r})
import test_composite as scenes
from understudy import signals
from understudy.key import Key
from understudy.renderers.mitsuba import Path
import mitsuba as mi
wanted = (signals.RGB, signals.INSTANCE, signals.DEPTH)
lens = dataclasses.replace(scenes.camera().lens, distortion=(-0.1, 0.0, 0.0, 0.0, 0.0))
into = scenes.scene()
into = dataclasses.replace(into, camera=dataclasses.replace(into.camera, lens=lens))
whole = dataclasses.replace(into, backdrop=None)
every = [Path(samples=32, denoise="off").render(s, wanted, Key(0)) for s in (into, whole)]
np.savez({out!r}, variant=mi.variant(), **{{f"{{n}}{{i}}": r[n] for i, r in enumerate(every) for n in r}})
"""


@pytest.mark.slow
def test_without_a_compiler_the_picture_is_the_same(tmp_path):
    """Mitsuba interpreted against compiled: the same labels but for edges, the same light within noise."""
    import os
    import subprocess
    import sys

    got = {}
    for name in ("scalar_rgb", "llvm_ad_rgb"):
        out = str(tmp_path / f"{name}.npz")
        code = PLAIN.format(folder=str(__file__).rsplit("/", 1)[0], out=out)
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, variant.WANTED: name})
        got[name] = np.load(out)
    plain, compiled = got.values()
    assert str(plain["variant"]) == "scalar_rgb"
    for i in range(2):
        assert (plain[f"instance{i}"] != compiled[f"instance{i}"]).mean() < 2e-3
        body = (plain[f"instance{i}"] == 1) & (compiled[f"instance{i}"] == 1)
        assert plain[f"rgb{i}"][body].mean() == pytest.approx(compiled[f"rgb{i}"][body].mean(), abs=6)
        assert plain[f"rgb{i}"].mean() == pytest.approx(compiled[f"rgb{i}"].mean(), abs=6)
