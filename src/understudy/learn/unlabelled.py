"""Real pictures without labels: any folder of them, or the pictures of a data set. Nothing but pixels is read.

A model that has seen them through adaptation has seen them: their hashes are kept as of pictures that it learned from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.errors import DatasetError, UsageError
from understudy.learn.augment import Strength
from understudy.learn.cache import Store, scaled
from understudy.learn.duplicates import perceptual_hash
from understudy.learn.mixture import Mixture, Part

LEAST = 8
MOST = 2000
"""Pictures that are kept: the first ones by name."""


@dataclass(frozen=True)
class Unlabelled:
    """images : (n, side, side, 3) uint8, squares; hashes : (n, 32) uint8"""

    path: Path
    images: np.ndarray
    hashes: np.ndarray

    def mixture(self, key, side: int, strength: Strength) -> Mixture:
        """Endless augmented batches of these pictures."""
        n = len(self.images)
        nothing = np.zeros(0, np.int32)
        blank = np.zeros((n, 1, 1), np.uint8)
        store = Store(str(self.path), False, (), (), self.images.shape[1], "", self.images, blank, blank,
                      np.zeros((0, 4), np.float32), nothing, nothing.astype(bool), np.zeros((0, 0, 3), np.float32),
                      np.zeros(n + 1, np.int64), self.hashes, np.zeros(n, bool), np.arange(n), np.ones(n, np.float32),
                      np.arange(n))
        return Mixture([Part(store, 1.0, ())], key, side, strength)


def pictures_of(path: Path) -> list[Path]:
    """The picture files below a folder, in order. UsageError for a made data set, DatasetError for too few."""
    from understudy.learn.prepare import refuse_made
    from understudy.learn.sources import open_source
    from understudy.writers.files import pictures_below

    if not path.is_dir():
        raise DatasetError("is no folder of pictures", where=path)
    root = path
    try:
        source = open_source(path)
    except DatasetError:
        source = None  # a plain folder of pictures
    if source is not None:
        refuse_made(source, "adaptation")
        root = path / "images" if (path / "images").is_dir() else path
    files = list(pictures_below(root))
    if len(files) < LEAST:
        raise DatasetError("holds too few pictures to adapt to", where=path, wanted=f"{LEAST} or more", got=len(files))
    return files[:MOST]


def readable(path: Path, tell: Callable[[str], None]) -> Iterator[np.ndarray]:
    """The pictures of :func:`pictures_of`, (h, w, 3) uint8 each; those that cannot be read are told and left out.

    DatasetError after the last one where fewer than ``LEAST`` could be read.
    """
    from understudy.writers.files import picture_of, read_bytes

    count = 0
    for file in pictures_of(path):
        try:
            image = picture_of(read_bytes(file), file).decode()
        except (DatasetError, OSError, SyntaxError, ValueError) as error:
            tell(f"left out: {error if isinstance(error, DatasetError) else f'{file}: {error}'}")
            continue
        count += 1
        yield image
    if count < LEAST:
        raise DatasetError("holds too few readable pictures to adapt to", where=path, wanted=f"{LEAST} or more", got=count)


def open_unlabelled(path: Path, side: int, tell: Callable[[str], None]) -> Unlabelled:
    """The pictures at ``side`` pixels, as :func:`readable` finds them."""
    images, hashes = [], []
    for image in readable(path, tell):
        images.append(scaled(image, side))
        hashes.append(perceptual_hash(image))
    return Unlabelled(path, np.stack(images), np.stack(hashes))


def need_unlabelled(path: Path | None, method: str) -> Path:
    """UsageError where a method wants real pictures and none are named."""
    if path is None:
        raise UsageError(f"{method} adapts to real pictures, and none are named",
                         remedy="Name a folder of them with --unlabelled; labels are not needed")
    return path
