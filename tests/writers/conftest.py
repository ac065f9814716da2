"""Awkward records: everything that a format gets wrong somewhere, in small pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from understudy.record import DensePose, Instance, Picture, PointSet, Record, Rle
from understudy.writers import About

COCO_17 = ("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
           "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
           "right_ankle")
WHOLE = COCO_17 + tuple(f"{s}_{p}" for s in ("left", "right") for p in ("big_toe", "small_toe", "heel")) + tuple(
    f"face_{i}" for i in range(68)) + tuple(f"{s}_hand_{i}" for s in ("left", "right") for i in range(21))
CATEGORIES = ("person", "Fußgänger 行人", "never seen")
W, H = 64, 48


def picture(suffix=".jpg", size_wh=(W, H), shade=90) -> Picture:
    w, h = size_wh
    y, x = np.mgrid[:h, :w]
    pixels = np.stack([(x * 3) % 256, (y * 5) % 256, np.full_like(x, shade)], axis=2).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG" if suffix == ".jpg" else "PNG")
    return Picture(out.getvalue(), suffix, (w, h))


def tight(mask):
    r, c = np.nonzero(mask)
    return float(c.min()), float(r.min()), float(c.max()) + 1, float(r.max()) + 1


def instance(number, mask, category=1, **facts) -> Instance:
    return Instance(number, category, tight(mask), Rle.encode(mask), float(mask.sum()), **facts)


def blank() -> np.ndarray:
    return np.zeros((H, W), bool)


def masks() -> dict[str, np.ndarray]:
    """By name, none overlapping another."""
    made = {name: blank() for name in ("split", "ring", "pixel", "diagonal", "left", "top", "right", "bottom", "line")}
    made["split"][4:12, 4:20] = True
    made["split"][:, 10:13] = False
    made["ring"][16:28, 20:34] = True
    made["ring"][20:24, 24:30] = False
    made["pixel"][30, 40] = True
    made["diagonal"][range(32, 40), range(44, 52)] = True
    made["left"][20:30, 0:6] = True
    made["top"][0:3, 24:36] = True
    made["right"][8:28, 58:64] = True
    made["bottom"][42:48, 10:30] = True
    made["line"][14, 36:56] = True
    return made


def body(n, seed=0, outside=True, convention="coco_17", names=COCO_17) -> PointSet:
    """Points inside the picture; some hidden, the first outside with its place kept."""
    k = np.arange(n, dtype=np.float32)
    xyv = np.stack([(7.123 * (k + seed)) % W, (3.77 * k + seed) % H, 1 + (k % 2)], axis=1).astype(np.float32)
    if outside:
        xyv[0] = (-12.5, 70.25, 0)
        xyv[3] = (0, 0, 0)
    return PointSet(convention, names, xyv, np.stack([k / 3, -k / 7, k + 0.1], axis=1).astype(np.float32))


def densepose(mask) -> DensePose:
    x0, y0, x1, y1 = map(int, tight(mask))
    inner = mask[y0:y1, x0:x1]
    y, x = np.mgrid[:y1 - y0, :x1 - x0]
    iuv = np.stack([1 + (x + y) % 24, (x * 17) % 256, (y * 31) % 256], axis=2).astype(np.uint8)
    return DensePose((x0, y0, x1, y1), np.where(inner[..., None], iuv, 0).astype(np.uint8))


def full_record(index=3) -> Record:
    """Every field filled."""
    shapes = masks()
    amodal = shapes["split"].copy()
    amodal[4:12, 10:13] = True
    instances = [
        instance(1, shapes["split"], amodal_mask=Rle.encode(amodal), amodal_xyxy_px=tight(amodal),
                 visible_fraction=104 / 128, truncation=0.0, densepose=densepose(shapes["split"]),
                 points=(body(17), body(133, 5, convention="coco_wholebody_133", names=WHOLE)),
                 attributes={"age": 34.5, "hair": "länger 長", "hat": False, "garments": 3}),
        instance(70_001, shapes["ring"], 2, truncation=0.125, visible_fraction=1.0),
        instance(300, shapes["pixel"], 1, ignore=True),
    ]
    instances += [instance(1000 + k, shapes[name]) for k, name in
                  enumerate(("diagonal", "left", "top", "right", "bottom", "line"))]
    ids = np.zeros((H, W), np.uint32)
    for i in instances:
        ids[i.mask.decode()] = i.id
    y, x = np.mgrid[:H, :W].astype(np.float32)
    depth = 1 + x / 7 + y / 11
    depth[:5] = np.inf
    normals = np.stack([x - 30, y - 20, np.full_like(x, -25)], axis=2)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    normals[:5] = 0
    maps = {"depth": depth, "normals": normals, "instances": ids, "parts": (x % 16).astype(np.uint8),
            "semantic": (ids % 3).astype(np.uint16), "lit": x > y, "uv": np.stack([x, y], 2) / 64}
    camera = {"matrix": [[500.5, 0.0, 32.0], [0.0, 501.25, 24.0], [0.0, 0.0, 1.0]],
              "distortion": [0.1, 0.0, 0.0, 0.0, -0.01], "to_world": np.eye(4).tolist()}
    return Record(index, picture(), CATEGORIES, tuple(instances), maps, camera,
                  {"world.count": 9, "world.light[0]": 0.1 + 0.2, "world.name": "Straße", "world.none": None},
                  (("wall.jpg", "https://example.org/ü", "CC0-1.0", "ab" * 32),))


@pytest.fixture
def record() -> Record:
    return full_record()


@pytest.fixture
def records() -> list[Record]:
    """Seven pictures: full, empty, odd sizes, PNG; indices with a gap (a rejected record leaves one)."""
    shapes = masks()
    wide = np.zeros((20, 90), bool)
    wide[3:9, 80:90] = True
    whole = np.ones((H, W), bool)
    return [
        full_record(0),
        Record(1, picture(shade=1), CATEGORIES),
        Record(2, picture(".png", (90, 20)), CATEGORIES, (instance(1, wide, 2),)),
        full_record(4),
        Record(5, picture(shade=200), CATEGORIES, (instance(255, shapes["left"]), instance(256, shapes["right"]),
                                                   instance(65_536, shapes["ring"], 2))),
        Record(11, picture(".png"), CATEGORIES, (instance(7, whole, 2),)),
        Record(12, picture(), CATEGORIES),
    ]


@pytest.fixture
def about() -> About:
    return About("street people", CATEGORIES, ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
                 "Made people — Straße", "1.0", "d1ge57", 0)


@pytest.fixture
def write(about):
    """Write records as shards of ``size`` and finish: the folder."""
    def write(written, out, records, size=3, order=None):
        groups = [records[i:i + size] for i in range(0, len(records), size)]
        numbers = range(len(groups))
        for number in order if order is not None else numbers:
            before = {p for p in out.rglob("*") if p.is_file()}
            shard = written.shard(out, number)
            for record in groups[number]:
                shard.add(record)
            units = shard.close()
            assert units and all((out / u).exists() and f"{number:05d}" in u for u in units)
            named = {p for u in units for p in ([out / u] if (out / u).is_file() else (out / u).rglob("*")) if p.is_file()}
            assert named == {p for p in out.rglob("*") if p.is_file()} - before  # a commit renames these and no others
        written.finish(out, list(numbers), about)
        return out
    return write
