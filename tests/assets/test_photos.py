"""Photographs: what is in a folder, and that no file, however odd, gives more than one clear reason."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from understudy.assets.photos import album, photograph
from understudy.errors import AssetError

SIZE = (64, 48)


def quarters(wh=(200, 150)) -> np.ndarray:
    """Red, green / blue, white quarters: every turn and mirror of it differs."""
    w, h = wh
    image = np.zeros((h, w, 3), np.uint8)
    image[: h // 2, : w // 2] = (220, 20, 20)
    image[: h // 2, w // 2:] = (20, 200, 20)
    image[h // 2:, : w // 2] = (20, 20, 220)
    image[h // 2:, w // 2:] = (240, 240, 240)
    return image


def corners(srgb: np.ndarray) -> list[str]:
    h, w, _ = srgb.shape
    names = []
    for y, x in ((h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, w // 4), (3 * h // 4, 3 * w // 4)):
        r, g, b = srgb[y, x].astype(int)
        names.append("white" if min(r, g, b) > 150 else "red" if r > max(g, b) else "green" if g > b else "blue")
    return names


UPRIGHT = ["red", "green", "blue", "white"]


def test_plain(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "a.png")
    photo = photograph(tmp_path / "a.png", SIZE)
    assert photo.srgb.shape == (48, 64, 3) and photo.srgb.dtype == np.uint8 and corners(photo.srgb) == UPRIGHT
    assert photo.size_wh == (200, 150) and photo.scale == pytest.approx(0.32) and len(photo.sha256) == 64


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_sets_the_picture_upright(tmp_path, orientation):
    """Stored pixels are the inverse turn of the upright picture (Exif 2.3, tag 0x0112)."""
    step = {1: None, 2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90",
            7: "TRANSVERSE", 8: "ROTATE_270"}[orientation]
    image = Image.fromarray(quarters())
    stored = image.transpose(Image.Transpose[step]) if step else image
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95)
    photo = photograph(tmp_path / "a.jpg", SIZE)
    assert corners(photo.srgb) == UPRIGHT and photo.size_wh == (200, 150)


def test_modes(tmp_path):
    rgb = Image.fromarray(quarters())
    rgb.convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    rgb.quantize(16).save(tmp_path / "palette.png")
    rgb.convert("RGBA").save(tmp_path / "alpha.webp", lossless=True)
    rgb.save(tmp_path / "tiff.tiff")
    rgb.save(tmp_path / "bmp.bmp")
    for name in ("cmyk.jpg", "palette.png", "alpha.webp", "tiff.tiff", "bmp.bmp"):
        assert corners(photograph(tmp_path / name, SIZE).srgb) == UPRIGHT, name


def test_sixteen_bit_grey_keeps_its_tones(tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (192, 1))
    Image.fromarray(ramp).save(tmp_path / "a.png")
    Image.fromarray(ramp).save(tmp_path / "a.tif")
    for name in ("a.png", "a.tif"):
        srgb = photograph(tmp_path / name, (256, 192)).srgb.astype(int)
        assert np.abs(srgb[90, :, 0] - np.arange(256)).max() <= 1, name
        assert (srgb[..., 0] == srgb[..., 2]).all()


def test_sixteen_bit_rgb(tmp_path):
    """Written by hand: Pillow writes no 16-bit RGB PNG."""
    rows = quarters().astype(">u2") * 257
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    (tmp_path / "a.png").write_bytes(png(200, 150, 16, 2, zlib.compress(raw)))
    assert corners(photograph(tmp_path / "a.png", SIZE).srgb) == UPRIGHT


def png(w, h, bits, colour, data) -> bytes:
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", w, h, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_transparency_lies_over_white(tmp_path, suffix):
    clear = np.zeros((150, 200, 4), np.uint8)
    Image.fromarray(clear).save(tmp_path / f"a.{suffix}", lossless=True)
    assert photograph(tmp_path / f"a.{suffix}", SIZE).srgb.min() == 255


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tiff"])
def test_of_an_animation_the_first_frame_counts(tmp_path, kind):
    first, second = Image.fromarray(quarters()), Image.new("RGB", (200, 150), (0, 0, 0))
    first.save(tmp_path / "a.png", format=kind.upper(), save_all=True, append_images=[second])
    assert corners(photograph(tmp_path / "a.png", SIZE).srgb) == UPRIGHT


def test_colour_profiles(tmp_path):
    """An sRGB profile changes nothing, and a broken one is passed over."""
    image = Image.fromarray(np.full((150, 200, 3), (120, 90, 60), np.uint8))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image.save(tmp_path / "same.png", icc_profile=srgb)
    image.save(tmp_path / "broken.png", icc_profile=b"no profile at all")
    for name in ("same.png", "broken.png"):
        assert (photograph(tmp_path / name, SIZE).srgb == (120, 90, 60)).all(), name


def test_cut_never_stretches(tmp_path):
    """A square in the photograph is a square in the picture, wide or tall."""
    image = np.zeros((400, 600, 3), np.uint8)
    image[150:250, 250:350] = 255
    Image.fromarray(image).save(tmp_path / "a.png")
    for size in ((300, 100), (100, 300), (128, 128)):
        white = photograph(tmp_path / "a.png", size).srgb[..., 0] > 127
        rows, columns = white.any(1).sum(), white.any(0).sum()
        assert abs(int(rows) - int(columns)) <= 1, size


def test_share_and_place(tmp_path):
    ramp = np.zeros((300, 400, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 400)
    ramp[..., 1] = np.linspace(0, 255, 300)[:, None]
    Image.fromarray(ramp).save(tmp_path / "a.png")
    low, high = (photograph(tmp_path / "a.png", (100, 75), 0.5, at).srgb for at in ((0, 0), (1, 1)))
    assert low[..., :2].max() < 131 and high[..., :2].min() > 124
    assert photograph(tmp_path / "a.png", (100, 75), 0.01).scale <= 2.0 + 1e-9  # enlarged twice at most
    assert photograph(tmp_path / "a.png", (1000, 750), 0.5).scale == pytest.approx(2.5)  # unless all of it is too small


def test_a_big_jpeg_is_decoded_small(tmp_path):
    """60 million pixels: above the bound, but a JPEG can be read at a fraction of its size."""
    Image.new("RGB", (10_000, 6_000), (90, 120, 40)).save(tmp_path / "a.jpg")
    photo = photograph(tmp_path / "a.jpg", (640, 384))
    assert np.abs(photo.srgb.astype(int) - (90, 120, 40)).max() <= 3 and photo.size_wh == (10_000, 6_000)


def corpus(folder) -> dict[str, str]:
    """Files that cannot be used, and a word of the reason."""
    whole = folder / "whole.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (150, 200, 3), np.uint8)).save(whole)
    data = whole.read_bytes()
    whole.unlink()
    bad = {
        "truncated.jpg": (data[: len(data) // 2], "truncated"),
        "header_only.jpg": (data[:30], "decoded"),
        "zero.png": (b"", "empty"),
        "text.png": (b"<html>not found</html>", "decoded"),
        "bomb.png": (png(60_000, 60_000, 8, 2, zlib.compress(b"\0" * 1_000_000)), "pixels"),
        "large.png": (png(12_000, 9_000, 8, 2, zlib.compress(b"\0" * 1_000)), "too many pixels"),
        "cut.png": (png(300, 200, 8, 2, zlib.compress(b"\0" * 100)), "decoded"),
        "tiny.png": (png(1, 1, 8, 2, zlib.compress(b"\0\0\0\0")), "too small"),
        "noise.webp": (bytes(np.random.default_rng(1).integers(0, 255, 5000, np.uint8)), "decoded"),
        "riff.webp": (b"RIFF\xff\xff\xff\x7fWEBPVP8 " + b"\0" * 50, "decoded"),
        "tiff.tif": (b"II*\0\x08\0\0\0\xff\xff" + b"\xff" * 60, "decoded"),
    }
    for name, (content, _) in bad.items():
        (folder / name).write_bytes(content)
    (folder / "folder.jpg").mkdir()
    return {name: word for name, (_, word) in bad.items()} | {"folder.jpg": "not a file", "absent.jpg": "No such file"}


def test_unusable_files_are_one_reason_each(tmp_path):
    for name, word in corpus(tmp_path).items():
        with pytest.raises(AssetError) as caught:
            photograph(tmp_path / name, SIZE)
        text = str(caught.value)
        assert word in text and name in text and "\n" not in text and len(text) < 400, text
        assert " at 0x" not in text, "the manifest holds the reason: it must be the same in every process"


def test_a_wrong_suffix_does_not_matter(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "a.png", format="JPEG", quality=95)
    assert corners(photograph(tmp_path / "a.png", SIZE).srgb) == UPRIGHT


def test_a_pipe_does_not_stall(tmp_path):
    import os

    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(AssetError, match="not a file"):
        photograph(tmp_path / "a.jpg", SIZE)


def fill(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_index_is_sorted_recursive_and_blind_to_hidden_files(tmp_path):
    fill(tmp_path, "b.jpg", "a/z.PNG", "a/.hidden.jpg", ".git/x.jpg", "notes.txt", "c.jpeg")
    assert album(tmp_path).names == ("a/z.PNG", "b.jpg", "c.jpeg")


def test_links_that_loop_are_followed_once(tmp_path):
    fill(tmp_path / "p", "a.jpg", "sub/b.jpg")
    (tmp_path / "p" / "sub" / "back").symlink_to(tmp_path / "p")
    (tmp_path / "p" / "self").symlink_to(tmp_path / "p" / "self")
    assert album(tmp_path / "p").names == ("a.jpg", "sub/b.jpg")


def test_folders_that_cannot_serve(tmp_path):
    fill(tmp_path, "file", "others/readme.txt", "people/a.jpg", "people/people.txt")
    (tmp_path / "people" / "people.txt").write_text("*.jpg\n")
    (tmp_path / "empty").mkdir()
    for name, words in {"absent": "cannot be opened", "file": "not a folder", "empty": "got an empty folder",
                        "others": "got 1 other file", "people": "every photograph of the folder is excluded"}.items():
        with pytest.raises(AssetError, match=words) as caught:
            album(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_exclusion_lists(tmp_path):
    fill(tmp_path / "p", "a.jpg", "b.jpg", "trip/c.jpg", "trip/d.jpg")
    (tmp_path / "p" / "people.txt").write_text("# seen by eye\nb.jpg\n\n")
    assert album(tmp_path / "p").names == ("a.jpg", "trip/c.jpg", "trip/d.jpg")
    (tmp_path / "mine.txt").write_text("trip/*\n")
    assert album(tmp_path / "p", tmp_path / "mine.txt").names == ("a.jpg",)
    with pytest.raises(AssetError, match="list cannot be read"):
        album(tmp_path / "p", tmp_path / "absent.txt")


def test_licences(tmp_path):
    fill(tmp_path / "a", "x.jpg")
    assert album(tmp_path / "a").licence_of("x.jpg") == ("unstated", "x.jpg")
    fill(tmp_path / "b", "x.jpg", "y.jpg")
    (tmp_path / "b" / "LICENCE.txt").write_text("\n# CC0-1.0\nmore words\n")
    (tmp_path / "b" / "licences.csv").write_text("name,licence,source\nx.jpg,CC-BY-4.0,https://example.org/x\n")
    assert album(tmp_path / "b").licence_of("x.jpg") == ("CC-BY-4.0", "https://example.org/x")
    assert album(tmp_path / "b").licence_of("y.jpg") == ("CC0-1.0", "y.jpg")
    fill(tmp_path / "c", "x.jpg")
    (tmp_path / "c" / "licences.csv").write_text("file;rights\n")
    with pytest.raises(AssetError, match="wrong columns"):
        album(tmp_path / "c")
