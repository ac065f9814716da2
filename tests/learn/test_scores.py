"""Scores: closed forms, equality with pycocotools to 1e-9, intervals that cover."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from understudy.learn.evals import bootstrap, regions, slices, things
from understudy.record import Rle
from understudy.writers.points import COCO_17


def test_confusion_and_iou_by_hand():
    truth = np.array([[0, 1, 1, 255]], np.uint8)
    found = np.array([[0, 1, 0, 1]], np.uint8)
    matrix = regions.confusion(truth, found, 1)
    assert matrix.tolist() == [[1, 0], [1, 1]]
    assert regions.ious(matrix[None]).tolist() == [0.5, 0.5]
    assert regions.mean_iou(matrix[None], np.array([3]), [0, 1]) == 0.5


def test_a_class_that_is_nowhere_does_not_count():
    matrix = regions.confusion(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8), 2)
    assert regions.mean_iou(matrix[None]) == 1.0


def test_pixels_are_pooled_over_pictures():
    a, b = np.array([[4, 0], [0, 4]]), np.array([[0, 2], [2, 0]])
    assert regions.ious(np.stack([a, b])).tolist() == [0.5, 0.5]
    assert regions.ious(np.stack([a, b]), np.array([1, 0])).tolist() == [1, 1]


def test_intervals_cover_the_truth():
    """95 % intervals of a mean of 60: of 300 about 285 hold the truth; fewer than 268 or none outside would be one false
    alarm in 10,000 for exact ones; percentile intervals run one or two per cent short, so 262 is asked for."""
    rng = np.random.default_rng(0)
    draws = bootstrap.resamples(60, 400)
    held = 0
    for _ in range(300):
        x = rng.normal(0, 1, 60)
        low, high = np.quantile(draws @ x / 60, (0.025, 0.975))
        held += low < 0 < high
    assert 262 <= held < 300


def test_draws_are_the_same_for_every_model():
    assert (bootstrap.resamples(30) == bootstrap.resamples(30)).all()
    assert (bootstrap.resamples(30).sum(1) == 30).all()
    one = bootstrap.figure(lambda w: float(w[:5].sum()), 30)
    assert one == bootstrap.figure(lambda w: float(w[:5].sum()), 30) and one.low < one.value < one.high


def random_ground(task: str, seed: int) -> things.Ground:
    """Pictures with many, one and no instances; crowds, tied scores, answers near the truth and far from it."""
    rng = np.random.default_rng(seed)
    images, annotations, answers = [], [], []
    for number in range(1, 26):
        w, h = int(rng.integers(60, 200)), int(rng.integers(60, 200))
        images.append({"id": number, "width": w, "height": h})
        for _ in range(rng.integers(0, 6) if number % 5 else 0):
            box = _box(rng, w, h)
            category = int(rng.integers(1, 4))
            entry = {"id": len(annotations) + 1, "image_id": number, "category_id": category, "bbox": box,
                     "area": box[2] * box[3], "iscrowd": int(rng.random() < 0.1 and task != "keypoint")}
            points = _points(rng, box)
            if task == "mask":
                entry["segmentation"] = _mask(box, w, h)
            if task == "keypoint":
                entry |= {"keypoints": points.ravel().tolist(), "num_keypoints": int((points[:, 2] > 0).sum())}
            annotations.append(entry)
            for _ in range(rng.integers(0, 3)):
                moved = np.array(box) + rng.normal(0, 0.08 * max(box[2:]), 4)
                moved = [max(moved[0], 0), max(moved[1], 0), max(moved[2], 2), max(moved[3], 2)]
                answer = {"image_id": number, "category_id": category if rng.random() < 0.9 else 1,
                          "score": float(np.round(rng.random(), 1)), "bbox": moved}
                if task == "mask":
                    answer["segmentation"] = _mask(moved, w, h)
                if task == "keypoint":
                    near = points + rng.normal(0, 0.04 * max(box[2:]), points.shape)
                    answer["keypoints"] = np.column_stack([near[:, :2], np.ones(17)]).ravel().tolist()
                answers.append(answer)
    categories = [{"id": c, "name": f"c{c}", "keypoints": list(COCO_17), "skeleton": []} for c in (1, 2, 3)]
    return things.Ground(images, annotations, categories, answers, task, COCO_17 if task == "keypoint" else ())


def _box(rng, w, h):
    x, y = rng.uniform(0, w * 0.7), rng.uniform(0, h * 0.7)
    return [float(x), float(y), float(rng.uniform(5, w - x)), float(rng.uniform(5, h - y))]


def _mask(box, w, h):
    pixels = np.zeros((h, w), bool)
    x, y, bw, bh = box
    pixels[int(y):int(y + bh) + 1, int(x):int(x + bw) + 1] = True
    code = Rle.encode(pixels)
    return {"size": [h, w], "counts": code.counts.decode()}


def _points(rng, box):
    xy = rng.uniform(0, 1, (17, 2)) * box[2:] + box[:2]
    return np.column_stack([xy, rng.integers(0, 3, 17)])


def by_pycocotools(ground: things.Ground) -> dict[str, float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": list(ground.images), "annotations": [dict(a) for a in ground.annotations],
                         "categories": list(ground.categories)}
        truth.createIndex()
        run = COCOeval(truth, truth.loadRes([dict(a) for a in ground.answers]), things.KINDS[ground.task])
        run.evaluate()
        run.accumulate()
        run.summarize()
    return dict(zip(("AP", "AP50", "AP75"), run.stats[:3]))


@pytest.mark.parametrize("task", ["box", "mask", "keypoint"])
@pytest.mark.parametrize("seed", range(4))
def test_headline_and_intervals_scores_equal_pycocotools(task, seed):
    ground = random_ground(task, seed)
    theirs, ours = by_pycocotools(ground), things.headline(ground)
    assert ours == pytest.approx(theirs, abs=1e-9) and 0.02 < ours["AP50"] < 0.98
    found = things.matches(ground)
    ones = np.ones(len(ground.images), np.int64)
    for name, span in {"AP": slice(None), "AP50": slice(0, 1)}.items():
        each = [things.average_precision(m, ones, span) for m in found]
        assert np.nanmean(each) == pytest.approx(theirs[name], abs=1e-9)


def test_a_picture_drawn_twice_counts_as_two():
    ground = random_ground("box", 9)
    weights = np.random.default_rng(1).integers(0, 3, len(ground.images))
    doubled_images, doubled, answers = [], [], []
    for image, times in zip(ground.images, weights):
        for _ in range(times):
            number = len(doubled_images) + 1
            doubled_images.append(image | {"id": number})
            doubled += [a | {"id": len(doubled) + k + 1, "image_id": number}
                        for k, a in enumerate(a for a in ground.annotations if a["image_id"] == image["id"])]
            answers += [a | {"image_id": number} for a in ground.answers if a["image_id"] == image["id"]]
    # ties between the copies are broken otherwise, so scores are made unlike
    whole = things.Ground(doubled_images, doubled, ground.categories, answers, "box")
    expected = things.headline(whole)["AP50"]
    got = np.nanmean([things.average_precision(m, weights, slice(0, 1)) for m in things.matches(ground)])
    assert got == pytest.approx(expected, abs=0.02)


def test_no_answers_score_nothing_and_nothing_to_find_is_no_score():
    ground = random_ground("box", 1)
    silent = things.Ground(ground.images, ground.annotations, ground.categories, [], "box")
    assert things.headline(silent)["AP50"] == 0
    figures, _ = things.figures(silent)
    assert figures["AP50"].value == figures["AP50"].high == 0
    empty = things.Ground(ground.images, [], ground.categories, [], "box")
    assert np.isnan(things.headline(empty)["AP50"])


def test_the_best_threshold_by_hand():
    found = things.Matches(np.zeros(4, int), np.array([0.9, 0.8, 0.7, 0.6]), np.tile([True, True, False, False], (10, 1)),
                           np.zeros((10, 4), bool), np.array([2]), np.array([1, 2]), np.array([0, 0]), np.array([0.9, 0.8]))
    assert things.best_threshold(found) == (0.8, 1.0, 1.0, 1.0)


def test_a_planted_gap_is_found_and_none_is_not():
    rng = np.random.default_rng(0)
    n = 150
    light, other = rng.permutation(n) * 1.7, rng.uniform(0, 1, n)
    right = np.where(light > np.quantile(light, 1 / 3), 0.9, 0.5) + rng.normal(0, 0.1, n)

    def score(members, weights):
        w = members * weights
        return float((right * w).sum() / w.sum()) if w.sum() else float("nan")

    planted = slices.sliced("light", light.tolist(), np.arange(n), n, score)
    assert planted.gap.low > 0.3 and planted.worst.startswith("up to") and abs(planted.gap.value - 0.4) < 0.1
    assert sum(f.n for f in planted.groups.values()) == n
    assert slices.sliced("other", other.tolist(), np.arange(n), n, score).gap.value < 0.15
    assert slices.sliced("same", [3] * n, np.arange(n), n, score) is None
    few = slices.sliced("few", ["a"] * (n - 3) + ["b"] * 3, np.arange(n), n, score)
    assert few is None


def test_oks_constants_are_cocos():
    from pycocotools.cocoeval import Params

    assert things.sigmas(COCO_17) == pytest.approx(Params("keypoints").kpt_oks_sigmas, abs=1e-12)
