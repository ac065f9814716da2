"""Small data sets to learn from: discs on noise as a mask folder, figures of balls as COCO; both in seconds on one core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNDERSTUDY_CACHE", str(tmp_path_factory.mktemp("learn-cache")))
        yield


def disc(rng: np.random.Generator, side: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc before dark, coarse noise: (side, side, 3) uint8, (side, side) bool. Easy, and no two alike."""
    y, x = np.mgrid[:side, :side]
    cx, cy, r = rng.uniform(0.25, 0.75) * side, rng.uniform(0.25, 0.75) * side, rng.uniform(0.12, 0.3) * side
    inside = (x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 < r**2
    ground = np.kron(rng.integers(0, 110, (8, 8, 3)), np.ones((side // 8, side // 8, 1)))
    image = np.where(inside[..., None], rng.integers(150, 256, 3), ground) + rng.normal(0, 6, (side, side, 3))
    return image.clip(0, 255).astype(np.uint8), inside


def mask_folder(path: Path, count: int, seed: int) -> Path:
    from PIL import Image

    rng = np.random.default_rng(seed)
    for name in ("images", "masks"):
        (path / name).mkdir(parents=True)
    for i in range(count):
        image, inside = disc(rng)
        Image.fromarray(image).save(path / "images" / f"{i:03}.png")
        Image.fromarray(inside.astype(np.uint8) * 255).save(path / "masks" / f"{i:03}.png")
    return path


@pytest.fixture(scope="session")
def disc_folder():
    """disc_folder(path, count, seed) -> the folder."""
    return mask_folder


@pytest.fixture
def discs(tmp_path):
    """discs(name, count, seed) -> a folder of images and masks."""
    return lambda name, count=12, seed=0: mask_folder(tmp_path / name, count, seed)


def coco_folder(path: Path, records, digest: str = "") -> Path:
    """Records as one COCO folder; with a recipe's digest it counts as made."""
    from understudy.writers import About
    from understudy.writers.coco import Coco

    written = Coco()
    shard = written.shard(path, 0)
    categories: tuple[str, ...] = ()
    for record in records:
        shard.add(record)
        categories = record.categories
    shard.close()
    written.finish(path, [0], About("figures", categories, recipe_digest=digest))
    return path


@pytest.fixture
def figures(tmp_path, ball_people):
    """figures(name, indices, digest="") -> a COCO folder of figures made of balls, with boxes, masks and 17 points."""
    return lambda name, indices, digest="": coco_folder(tmp_path / name, [ball_people(i) for i in indices], digest)
