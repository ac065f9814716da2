"""From a written data set to a batch: what the cache keeps, that labels follow pictures, that batches are functions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from understudy.errors import DatasetError
from understudy.key import Key
from understudy.learn.augment import DRAWS, WHOLE, Strength, Window, framed, framed_labels, recoloured, window
from understudy.learn.cache import open_store
from understudy.learn.mixture import Mixture, Part, Sample
from understudy.learn.region_targets import regions
from understudy.learn.sources import open_source
from understudy.learn.thing_targets import things

STILL = Strength(scale=(1, 1), aspect=1, flip=False, light=0, gain=0, tint=0, grey=0, blur=0, coarse=0, jpeg=0, noise=0)


def test_the_cache_keeps_pictures_and_labels(discs, figures):
    store = open_store(open_source(discs("real", 4)), 64)
    for row, record in enumerate(open_source(store.name).records()):
        assert (store.images[row] == record.picture.decode()).all()  # the same size: untouched
        assert (store.regions[row].astype(bool) == record.instances[0].mask.decode()).all()
    store = open_store(open_source(figures("figures", range(3))), 120)
    records = list(open_source(store.name).records())
    assert store.point_names[0] == "nose" and len(store.boxes) == sum(len(r.instances) for r in records)
    for row, record in enumerate(records):
        own = store.labels_of(row)
        assert np.allclose(store.boxes[own] * (160, 120, 160, 120), [i.xyxy_px for i in record.instances], atol=1e-4)
        assert np.allclose(store.points[own][..., :2] * (160, 120), [i.points[0].xyv[:, :2] for i in record.instances],
                           atol=1e-3)
        for n, instance in enumerate(record.instances, start=1):
            share = (store.things[row] == n).mean()
            assert abs(share - instance.area_px / (160 * 120)) < 0.01


def test_a_cache_is_found_again_and_follows_the_files(discs):
    folder = discs("real", 3)
    first = open_store(open_source(folder), 32)
    again = open_store(open_source(folder), 32)
    assert first.images.filename == again.images.filename and first.digest == again.digest
    (folder / "images" / "002.png").unlink()
    (folder / "masks" / "002.png").unlink()
    assert len(open_store(open_source(folder), 32)) == 2
    assert len(open_store(open_source(folder), 32, count=1)) == 1


def test_nothing_readable_is_one_message(discs):
    folder = discs("real", 2)
    for file in (folder / "images").iterdir():
        file.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"no picture that can be learned from.*no usable picture"):
        open_store(open_source(folder), 32)


def test_the_whole_window_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    assert (framed(image, WHOLE, 48) == image).all()
    mirrored = framed(image, Window(0, 0, 1, 1, True), 48)
    assert (mirrored == image[:, ::-1]).all()
    assert (recoloured(image, np.full(DRAWS, 0.5), STILL, np.zeros(10_000, np.float32)) == image).all()


@pytest.mark.parametrize("seed", range(20))
def test_boxes_follow_the_pixels(seed):
    """The box of the warped pixels is the warped box, to a pixel: flips, crops and rims."""
    u = Key(seed).uniforms(DRAWS)
    seen = window(u, Strength(scale=(0.5, 1.4), aspect=1.5))
    labels = np.zeros((200, 200), np.uint8)
    labels[60:140, 70:120] = 7
    warped = framed_labels(labels, seen, 160)
    box = (seen.boxes(np.array([[70, 60, 120, 140]]) / 200)[0] * 160).clip(0, 160)
    ys, xs = np.nonzero(warped == 7)
    assert np.abs(box - (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)).max() <= 1.01
    image = np.repeat(labels[..., None] * 30, 3, 2)
    inside = (slice(int(box[1]) + 2, int(box[3]) - 2), slice(int(box[0]) + 2, int(box[2]) - 2))  # linear edges left out
    assert (framed(image, seen, 160)[..., 0][inside] == 210).all()


def test_every_strength_keeps_the_shape_and_type():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    noise = Key(0).normals(1 << 15)
    always = Strength(grey=0.5, blur=1, coarse=1, jpeg=1)
    results = [recoloured(image, Key(s).uniforms(DRAWS), always, noise) for s in range(10)]
    assert all(r.shape == image.shape and r.dtype == np.uint8 for r in results)
    assert len({r.tobytes() for r in results}) == 10


def parts(store, shares=(1.0,)):
    return [Part(store, s, (1,) * len(store.categories)) for s in shares]


def test_a_batch_is_a_function_of_key_and_number(discs):
    store = open_store(open_source(discs("real", 5)), 76)
    one, two = (Mixture(parts(store), Key(3), 64, Strength()) for _ in range(2))
    for number in range(3):
        (a, _), (b, _) = one.batch(number, 4), two.batch(number, 4)
        assert (a == b).all()
    other, _ = Mixture(parts(store), Key(4), 64, Strength()).batch(0, 4)
    assert (other != Mixture(parts(store), Key(3), 64, Strength()).batch(0, 4)[0]).any()


def test_every_picture_once_a_turn(discs):
    store = open_store(open_source(discs("real", 6)), 76)
    mixture = Mixture(parts(store), Key(1), 64, Strength())
    rows = [s.row for number in range(4) for s in mixture.batch(number, 3)[1]]
    assert sorted(rows[:6]) == sorted(rows[6:]) == list(range(6)) and rows[:6] != rows[6:]


def test_shares_of_a_mixture_are_kept(discs):
    """4,000 pictures at 15 %: 600 expected, deviation 22.6; five of them is one false alarm in 1.7 million."""
    store = open_store(open_source(discs("real", 6)), 76)
    mixture = Mixture(parts(store, (0.85, 0.15)), Key(1), 32, STILL)
    real = sum(s.part is mixture.parts[1] for number in range(40) for s in mixture.batch(number, 100)[1])
    assert abs(real - 600) < 5 * 22.6


def test_region_targets_are_shares(discs):
    store = open_store(open_source(discs("real", 3)), 64)
    part = parts(store)[0]
    got = regions([Sample(part, r, WHOLE) for r in range(3)], 1, 64, 4)
    truth = (np.asarray(store.regions) == 1).reshape(3, 16, 4, 16, 4).mean((2, 4))
    assert np.allclose(got.share[:, 1], truth) and np.allclose(got.share.sum(1), 1) and (got.weight == 1).all()


def test_unlabelled_pixels_weigh_nothing(discs):
    store = open_store(open_source(discs("real", 1)), 64)
    hidden = np.array(store.regions)
    hidden[:, :32] = 255
    got = regions([Sample(parts(replace(store, regions=hidden))[0], 0, WHOLE)], 1, 64, 4)
    assert (got.weight[0, :8] == 0).all() and (got.weight[0, 8:] == 1).all()


def test_thing_targets_stand_where_the_boxes_are(figures):
    store = open_store(open_source(figures("figures", [0])), 160)
    part = Part(store, 1.0, (1, 0))
    flipped = Window(0, 0, 1, 1, True)
    twins = [0, 2, 1, 4, 3, *(i + (1 if i % 2 else -1) for i in range(5, 17))]
    for seen in (WHOLE, flipped):
        got = things([Sample(part, 0, seen)], 1, 160, 4, masks=True, twins=twins)
        n = len(store.boxes)
        assert len(got.box) == n and set(got.owner.tolist()) == set(range(n)) and got.masked.all()
        assert (got.heat == 1).sum() == n
        for i in range(n):
            x0, y0, x1, y1 = got.box[i]
            assert got.heat[0, 0, int((y0 + y1) / 2), int((x0 + x1) / 2)] == 1
            ys, xs = np.nonzero(got.masks[i])
            assert xs.min() >= x0 - 1 and xs.max() + 1 <= x1 + 1 and ys.min() >= y0 - 1 and ys.max() + 1 <= y1 + 1
            left, right = got.points[i, 5], got.points[i, 6]
            assert left[0] > right[0] or not (left[2] and right[2])  # it looks at the camera, in the mirror, too
        where = got.y, got.x
        inside = got.box[got.owner]
        assert (where[1] + 1 >= inside[:, 0]).all() and (where[1] <= inside[:, 2]).all()


def test_what_is_to_be_ignored_is_neither_asked_for_nor_punished(figures):
    store = open_store(open_source(figures("figures", [0])), 160)
    part = Part(replace(store, ignored=np.ones_like(store.ignored)), 1.0, (1, 0))
    got = things([Sample(part, 0, WHOLE)], 1, 160, 4)
    assert not len(got.box) and got.heat.max() == 0
    x0, y0, x1, y1 = (store.boxes[0] * 40).astype(int)
    assert (got.weight[0, y0:y1, x0:x1] == 0).all() and got.weight.max() == 1
    unnamed = things([Sample(Part(store, 1.0, (0, 0)), 0, WHOLE)], 1, 160, 4)
    assert not len(unnamed.box) and (unnamed.weight == 1).all()  # a class that is not learned is background
