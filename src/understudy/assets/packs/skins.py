"""Skins of a pack: a material file that names a picture in the layout of MakeHuman's body."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.assets.packs.mhclo import licence_of
from understudy.assets.packs.obj import plain_text
from understudy.errors import AssetError

_LEAST_PX, _MOST_PX = 256, 1024


@dataclass(frozen=True)
class SkinFile:
    """A skin as it was read. picture : its file; pixels : (n, n, 3) uint8 sRGB; tags : lower case"""

    picture: Path
    pixels: np.ndarray
    tags: tuple[str, ...]
    licence: str


def is_skin(path: Path, folder: Path) -> bool:
    """Whether a .mhmat file below ``folder`` is a skin's: those of clothes lie beside their clothes."""
    return "skins" in (part.lower() for part in path.relative_to(folder.parent).parts[:-1])


def read_skin(path: Path) -> SkinFile:
    """Read a .mhmat file. Raises AssetError where it names no picture that can serve."""
    from PIL import Image

    text = plain_text(path)
    words = [line.split(None, 1) for line in text.splitlines()]
    named = next((w[1].strip() for w in words if len(w) == 2 and w[0] == "diffuseTexture"), None)
    if named is None:
        raise AssetError("the skin names no picture", where=path, wanted="a line diffuseTexture", got="none",
                         remedy="Leave it out, or take the skin's whole folder")
    picture = path.parent / named
    if not picture.is_file():
        raise AssetError("the skin's picture is missing", where=path, wanted=named, got="no such file",
                         remedy="Put it beside the file (packs often come in two parts)")
    try:
        with Image.open(picture) as image:
            size = image.size
            small = image.convert("RGB")
            small.thumbnail((_MOST_PX, _MOST_PX))
            pixels = np.asarray(small)
    except Exception as error:  # whatever a decoder makes of a broken file
        raise AssetError("the skin's picture cannot be decoded", where=picture, remedy="Download it again") from error
    if size[0] != size[1] or size[0] < _LEAST_PX:
        raise AssetError("the picture has not the layout of a MakeHuman skin", where=picture,
                         wanted=f"a square of {_LEAST_PX} pixels or more", got=f"{size[0]}x{size[1]}",
                         remedy="Skins are painted for the base mesh hm08; leave others out")
    tags = tuple(sorted({w[1].strip().lower() for w in words if len(w) == 2 and w[0] == "tag"}))
    return SkinFile(picture, pixels, tags, licence_of(text))
