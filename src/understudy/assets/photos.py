"""A folder of photographs: which there are, and reading one safely whatever is in the file.

Every file in the folder is a stranger's. A picture that cannot be used is one :class:`~understudy.errors.AssetError` with
the reason, never a crash, a stall or a gigabyte of memory; the caller falls to another photograph.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import os
import re
import stat
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from understudy.errors import AssetError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
_DECODERS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # a file's name may lie about its format
_MAX_FILE_BYTES = 256 << 20
_MAX_PIXELS = 50_000_000  # decoded at once; about 200 MB
_MIN_SIDE_PX = 64
_UNSTATED = "unstated"
# EXIF orientation (Exif 2.3, tag 0x0112) -> the member of PIL.Image.Transpose that sets the picture upright
_TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270",
          7: "TRANSVERSE", 8: "ROTATE_90"}
_ON_ITS_SIDE = ("TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")


@dataclass(frozen=True)
class Album:
    """A folder's photographs.

    names : paths below ``root`` with "/", sorted; never empty
    licences : name -> (licence, source) of those listed in the folder's licences.csv
    licence : what the folder's LICENCE file says first, or "unstated"
    """

    root: Path
    names: tuple[str, ...]
    licences: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    licence: str = _UNSTATED

    def licence_of(self, name: str) -> tuple[str, str]:
        """(licence, source) of one photograph."""
        return self.licences.get(name, (self.licence, name))


def album(folder: str | Path, exclude: str | Path | None = None) -> Album:
    """Index ``folder`` with all folders below it (links are followed once, hidden files are not seen).

    Photographs named in ``people.txt`` in the folder, or in the file ``exclude``, are left out: one name or pattern
    (``holiday/*.jpg``) a line, ``#`` starts a comment. Raises AssetError with one message for a missing folder, an empty
    one, one without photographs and one with all of them excluded.
    """
    root = Path(folder).expanduser()
    try:
        changed = root.stat()
    except OSError as error:
        raise AssetError("the folder of photographs cannot be opened", where=root, got=error.strerror,
                         remedy="Name an existing folder, or leave folder out for procedural surroundings") from error
    if not stat.S_ISDIR(changed.st_mode):
        raise AssetError("this is not a folder of photographs", where=root, wanted="a folder", got="a file")
    return _album(root, None if exclude is None else Path(exclude).expanduser(), changed.st_mtime_ns)


@lru_cache(maxsize=4)
def _album(root: Path, exclude: Path | None, _changed_ns: int) -> Album:
    names, others = _walk(root)
    if not names:
        raise AssetError("the folder holds no photographs", where=root, wanted=f"files ending in {', '.join(SUFFIXES)}",
                         got="an empty folder" if not others else f"{others} other file{'s' if others > 1 else ''}")
    patterns = [p for f in (root / "people.txt", exclude) if f is not None for p in _listed(f, must=f is exclude)]
    if patterns:
        kept = tuple(n for n in names if not any(fnmatch.fnmatchcase(n, p) for p in patterns))
        if not kept:
            raise AssetError("every photograph of the folder is excluded", where=root, got=f"{len(names)} excluded",
                             remedy="Shorten people.txt or the exclude list")
        names = kept
    licences = _licences(root)
    return Album(root, names, licences, folder_licence(root))


def _walk(root: Path) -> tuple[tuple[str, ...], int]:
    """(sorted names of photographs, number of other files)."""
    names, others, seen = [], 0, set()

    def refuse(error: OSError) -> None:
        raise AssetError("a folder of photographs cannot be listed", where=error.filename, got=error.strerror) from error

    for here, folders, files in os.walk(root, followlinks=True, onerror=refuse):
        status = Path(here).stat()
        identity = (status.st_dev, status.st_ino)
        if identity in seen:  # a link back to where we were
            folders.clear()
            continue
        seen.add(identity)
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for file in files:
            if file.startswith("."):
                continue
            if file.lower().endswith(SUFFIXES):
                names.append((Path(here) / file).relative_to(root).as_posix())
            else:
                others += 1
    return tuple(sorted(names)), others


def _listed(path: Path, must: bool) -> list[str]:
    if not must and not path.is_file():
        return []
    lines = _text(path).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _licences(root: Path) -> dict[str, tuple[str, str]]:
    path = root / "licences.csv"
    if not path.is_file():
        return {}
    rows = csv.DictReader(io.StringIO(_text(path)))
    if not {"name", "licence"} <= set(rows.fieldnames or ()):
        raise AssetError("the licence list has the wrong columns", where=path, wanted="name, licence and perhaps source",
                         got=", ".join(rows.fieldnames or ()) or "nothing")
    return {r["name"]: ((r["licence"] or "").strip() or _UNSTATED, (r.get("source") or "").strip() or r["name"])
            for r in rows if r["name"]}


def folder_licence(root: Path) -> str:
    """The first line of a folder's LICENCE file, or "unstated"."""
    for stem in ("LICENCE", "LICENSE", "LICENCE.txt", "LICENSE.txt", "LICENCE.md", "LICENSE.md"):
        if (root / stem).is_file():
            lines = [line.strip(" #\t") for line in _text(root / stem).splitlines()]
            return next((line[:120] for line in lines if line), _UNSTATED)
    return _UNSTATED


def _text(path: Path) -> str:
    try:
        with path.open("rb") as handle:
            return handle.read(16 << 20).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise AssetError("the list cannot be read", where=path, got=error.strerror) from error


@dataclass(frozen=True)
class Photograph:
    """One photograph, cut to a picture.

    srgb : (h, w, 3) uint8, upright
    size_wh : the whole photograph's size, upright
    scale : pixels of the picture for one pixel of the photograph (above 1 is enlarged)
    """

    srgb: np.ndarray
    size_wh: tuple[int, int]
    scale: float
    sha256: str


def photograph(path: str | Path, size_wh: tuple[int, int], share: float = 1.0,
               at: tuple[float, float] = (0.5, 0.5), refuse: Callable[[np.ndarray], str | None] | None = None) -> Photograph:
    """Read ``path`` and cut a piece of the shape of ``size_wh`` from it, scaled to exactly that size, stretched by no
    more than the rounding of its edges to pixels.

    ``share`` is the piece's size over the largest that fits (0-1); ``at`` places it (0 is left or top, 1 right or bottom).
    A piece is never enlarged more than twice for the sake of ``share``. EXIF orientation is applied, colour profiles,
    CMYK, grey, palettes, 16-bit samples and transparency (over white) become 8-bit sRGB, of an animation the first frame
    counts. ``refuse`` looks at the piece ((h, w, 3) uint8 sRGB, not yet enlarged) and may give a reason not to take it.
    Raises AssetError with the reason.
    """
    path = Path(path)
    data = _bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # decoders warn of oddities that do not matter here
            pixels, whole, scale = _decoded(data, size_wh, share, at, refuse)
    except AssetError as error:
        raise AssetError(error.message, where=path, wanted=error.wanted, got=error.got) from error
    except Exception as error:  # whatever a decoder makes of a broken file
        raise AssetError("the photograph cannot be decoded", where=path, got=_reason(error)) from error
    return Photograph(pixels, whole, scale, sha256(data).hexdigest())


def _reason(error: Exception) -> str:
    """A decoder's complaint in one line. It goes into the manifest, so it must not name addresses in memory."""
    if type(error).__name__ == "UnidentifiedImageError":
        return "not " + ", ".join(_DECODERS[:-1]) + f" or {_DECODERS[-1]}"
    return re.sub(r"<[^>]*>|0x[0-9a-fA-F]+", "...", str(error)).split("\n")[0][:120] or type(error).__name__


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise AssetError("this is not a file", where=path)
        if status.st_size == 0:
            raise AssetError("the file is empty", where=path)
        if status.st_size > _MAX_FILE_BYTES:
            raise AssetError("the file is too large", where=path, wanted=f"at most {_MAX_FILE_BYTES >> 20} MiB",
                             got=f"{status.st_size >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise AssetError("the photograph cannot be read", where=path, got=error.strerror or str(error)) from error


def _decoded(data: bytes, size_wh: tuple[int, int], share: float,
             at: tuple[float, float], refuse) -> tuple[np.ndarray, tuple[int, int], float]:
    import cv2
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=_DECODERS) as image:
        turn = _TURNS.get(_orientation(image))
        turned = turn in _ON_ITS_SIDE
        wide, high = image.size[::-1] if turned else image.size
        if min(wide, high) < _MIN_SIDE_PX:
            raise AssetError("the photograph is too small", wanted=f"{_MIN_SIDE_PX} pixels a side", got=f"{wide}x{high}")
        piece = _piece((wide, high), size_wh, share, at)
        scale = size_wh[0] / (piece[2] - piece[0])
        if image.format in ("JPEG", "MPO") and scale < 0.5:  # decode at 1/2, 1/4 or 1/8
            image.draft(None, tuple(round(side * scale * 1.2) for side in image.size))
        if image.size[0] * image.size[1] > _MAX_PIXELS:
            raise AssetError("the photograph has too many pixels", wanted=f"at most {_MAX_PIXELS // 10**6} million",
                             got=f"{wide}x{high}")
        image.load()
        profile = image.info.get("icc_profile")
        upright = _plain_mode(image)
        if turn is not None:
            upright = upright.transpose(Image.Transpose[turn])
        shrunk = upright.size[0] / wide
        box = tuple(min(edge * shrunk, limit) for edge, limit in zip(piece, (*upright.size, *upright.size)))
        cut = upright.crop(tuple(round(edge) for edge in box)) if scale > 1 else upright.resize(
            size_wh, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
        srgb = np.asarray(_to_srgb(cut, profile))
        reason = None if refuse is None else refuse(srgb)
        if reason:
            raise AssetError(reason)
        return srgb.copy() if scale <= 1 else cv2.resize(srgb, size_wh, interpolation=cv2.INTER_CUBIC), (wide, high), scale


def _piece(whole_wh: tuple[int, int], size_wh: tuple[int, int], share: float,
           at: tuple[float, float]) -> tuple[float, float, float, float]:
    """Edges (left, top, right, bottom) of the piece, in the photograph's pixels."""
    fit = min(whole_wh[0] / size_wh[0], whole_wh[1] / size_wh[1])  # photograph's pixels for one of the picture
    used = fit * min(max(share, 0.0), 1.0)
    used = max(used, min(fit, 0.5))
    width, height = size_wh[0] * used, size_wh[1] * used
    left, top = (whole_wh[0] - width) * at[0], (whole_wh[1] - height) * at[1]
    return left, top, left + width, top + height


def _orientation(image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # broken EXIF is no reason to lose the picture: it counts as upright
        return 1


def _plain_mode(image):
    """L, RGB or CMYK, 8 bits, nothing transparent."""
    from PIL import Image

    mode = image.mode
    if mode.startswith("I") or mode == "F":  # 16-bit grey, or 32-bit
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max() > 255 else 255.0 if values.max() > 1 or mode != "F" else 1.0
        if mode.startswith("I;16"):
            top = 65535.0
        return Image.fromarray((np.clip(values / top, 0, 1) * 255 + 0.5).astype(np.uint8), "L")
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image if mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _to_srgb(image, profile: bytes | None):
    """8-bit RGB through the photograph's own colour profile, where there is one that can be used."""
    if not profile or len(profile) > (4 << 20):
        return image.convert("RGB")
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode != "CMYK" and "srgb" in (ImageCms.getProfileDescription(source) or "").lower():
            return image.convert("RGB")
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a broken profile, or one of another colour space
        return image.convert("RGB")
