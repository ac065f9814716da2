"""Folders ``images`` and ``masks`` side by side: the simplest form in which people keep segmentations.

``masks/NAME.png`` belongs to ``images/NAME.*``. Without ``classes.txt`` a mask is black (background) and white (the one
class, ``foreground``), cut at half. With ``classes.txt`` (one name a line) its values are class numbers, 0 the background
and 255 not labelled. A mask of another size than its picture is scaled to it. Each class of a picture is one instance, its
region: there are no separate things in such a folder, so it cannot teach boxes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from understudy.errors import DatasetError
from understudy.learn.sources import FOREGROUND
from understudy.record import Instance, Record, Rle
from understudy.writers.files import fail, picture_of, pictures_below, read_bytes

UNLABELLED = 255


def recognises(path: Path) -> bool:
    return path.is_dir() and (path / "images").is_dir() and (path / "masks").is_dir() and not (path / "labels").is_dir()


def categories(path: Path) -> tuple[str, ...]:
    """The class names: the lines of ``classes.txt``, else the one class ``foreground``."""
    try:
        text = (path / "classes.txt").read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return (FOREGROUND,)
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read: {error}", where=path / "classes.txt") from error
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not names or len(names) > 254 or len(set(names)) < len(names):
        raise DatasetError("names no usable classes", where=path / "classes.txt", wanted="1 to 254 different lines",
                           got=len(names))
    return names


def read(path: Path, report: Callable[[DatasetError], None] | None = None) -> Iterator[Record]:
    """Every picture that has a mask, in order of name. A picture without one raises DatasetError, or is reported."""
    names = categories(path)
    numbered = (path / "classes.txt").is_file()
    for index, file in enumerate(pictures_below(path / "images")):
        try:
            picture = picture_of(read_bytes(file), file)
            mask = (path / "masks" / file.relative_to(path / "images")).with_suffix(".png")
            if not mask.is_file():
                raise DatasetError("the picture has no mask", where=file, wanted=mask)
            regions = _regions(_pixels(mask), names, numbered, mask)
            yield Record(index, picture, names, _instances(regions, picture.size_wh))
        except DatasetError as error:
            fail(error, report)


def _pixels(mask: Path) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(mask) as image:
            return np.asarray(image if image.mode in ("L", "P") else image.convert("L"))
    except (OSError, ValueError, SyntaxError) as error:
        raise DatasetError(f"is no usable picture: {error}", where=mask) from error


def _regions(pixels: np.ndarray, names: tuple[str, ...], numbered: bool, where: Path) -> dict[int, np.ndarray]:
    """{category id: (h, w) bool}, 0 standing for what is not labelled."""
    if not numbered:
        return {1: pixels > 127}
    wrong = sorted(set(np.unique(pixels).tolist()) - set(range(len(names) + 1)) - {UNLABELLED})
    if wrong:
        raise DatasetError("a mask holds numbers that classes.txt does not name", where=where,
                           wanted=f"0 to {len(names)}, or {UNLABELLED}", got=wrong[:10])
    return {int(v) % UNLABELLED: pixels == v for v in np.unique(pixels) if v}


def _instances(regions: dict[int, np.ndarray], size_wh: tuple[int, int]) -> tuple[Instance, ...]:
    from PIL import Image

    from understudy.geometry.boxes import box_of_mask

    found = []
    for category, region in sorted(regions.items()):
        if region.shape != size_wh[::-1]:
            region = np.asarray(Image.fromarray(region).resize(size_wh, Image.Resampling.NEAREST))
        box = box_of_mask(region)
        if box is not None:
            found.append(Instance(len(found) + 1, max(category, 1), tuple(map(float, box)), Rle.encode(region),
                                  float(region.sum()), ignore=category == 0))
    return tuple(found)
