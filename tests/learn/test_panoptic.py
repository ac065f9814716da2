"""Panoptic quality against closed forms: Kirillov et al.'s definition worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.learn.evals import panoptic
from understudy.learn.evals.panoptic import VOID, Segments, counts, quality
from understudy.learn.evals.things import Ground
from understudy.record import Rle


def row(*numbers: int) -> np.ndarray:
    """A picture of one row."""
    return np.array([numbers], np.int32)


def test_a_picture_against_itself_is_perfect():
    segments = Segments(np.arange(12).reshape(3, 4) // 4, {1: 1, 2: 2})
    table = counts(segments, segments, 2)
    assert table.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]] and quality(table[None]) == (1, 1, 1)


def test_half_is_no_match_and_more_than_half_is():
    truth = Segments(row(1, 1, 1, 1, 0, 0, 0, 0), {1: 1})
    for found, expected in ((row(1, 1, 1, 1, 1, 1, 1, 1), [0, 0, 1, 1]),  # IoU 4/8: a false one and a miss
                            (row(1, 1, 1, 1, 1, 1, 1, 0), [4 / 7, 1, 0, 0]), (row(*[0] * 8), [0, 0, 0, 1])):
        segments = Segments(found, {1: 1} if found.any() else {})
        assert counts(truth, segments, 1)[0] == pytest.approx(expected)


def test_the_classes_must_agree():
    truth, found = Segments(row(1, 1, 0), {1: 1}), Segments(row(5, 5, 0), {5: 2})
    assert counts(truth, found, 2).tolist() == [[0, 0, 0, 1], [0, 0, 1, 0]]


def test_pq_is_sq_times_rq_of_each_class_and_the_mean_over_classes():
    tables = np.array([[[0.8, 1, 1, 0], [1.5, 2, 0, 2]], [[0, 0, 0, 0], [0.9, 1, 0, 0]]])
    one, two = 0.8 / 1.5, 2.4 / 4
    assert quality(tables)[0] == pytest.approx((one + two) / 2)
    assert quality(tables)[1:] == pytest.approx(((0.8 + 0.8) / 2, (1 / 1.5 + 3 / 4) / 2))
    assert quality(tables, np.array([0, 1])) == pytest.approx((0.9, 0.9, 1.0))  # a class that is nowhere is not counted
    assert np.isnan(quality(np.zeros((1, 2, 4)))).all()


def test_unlabelled_pixels_are_nobody_s():
    truth = Segments(row(1, 1, 1, VOID, VOID, VOID, 0, 0), {1: 1})
    assert counts(truth, Segments(row(1, 1, 1, 1, 1, 1, 0, 0), {1: 1}), 1)[0].tolist() == [1, 1, 0, 0]
    mostly, hardly = Segments(row(0, 0, 0, 1, 1, 1, 1, 1), {1: 1}), Segments(row(0, 0, 0, 0, 1, 1, 1, 1), {1: 1})
    assert counts(truth, mostly, 1)[0].tolist() == [0, 0, 0, 1]  # 3 of 5 cells are not labelled
    assert counts(truth, hardly, 1)[0].tolist() == [0, 0, 1, 1]  # exactly half is not more than half


def test_crowds_are_neither_wanted_nor_punished():
    truth = Segments(row(1, 1, 2, 2, 2, 2), {1: 1, 2: 1}, frozenset({2}))
    found = Segments(row(1, 1, 2, 2, 3, 3), {1: 1, 2: 1, 3: 2})
    assert counts(truth, found, 2).tolist() == [[1, 1, 0, 0], [0, 0, 1, 0]]  # another class on it is punished


def test_intervals_hold_the_figure_and_regions_are_segments():
    rng = np.random.default_rng(0)
    tables = []
    for _ in range(30):
        truth = (rng.random((8, 8)) < 0.5).astype(np.uint8)
        found = np.where(rng.random((8, 8)) < 0.15, 1 - truth, truth).astype(np.uint8)
        tables.append(counts(panoptic.of_map(truth, 255), panoptic.of_map(found, 255), 1))
        both, either = (truth & found).sum(), (truth | found).sum()
        assert tables[-1][0, 0] == pytest.approx(both / either if both / either > 0.5 else 0)
    told = panoptic.figures(np.stack(tables))
    assert told["PQ"].low <= told["PQ"].value <= told["PQ"].high and told["PQ"].n == 30


def test_masks_of_coco_become_segments_best_first():
    def rle(*cells):
        mask = np.zeros((1, 8), bool)
        mask[0, list(cells)] = True
        code = Rle.encode(mask)
        return {"size": list(code.size_hw), "counts": code.counts}

    image = [{"id": 1, "width": 8, "height": 1}]
    truth = [{"id": 1, "image_id": 1, "category_id": 7, "area": 4, "iscrowd": 0, "segmentation": rle(0, 1, 2, 3)}]
    answers = [{"image_id": 1, "category_id": 7, "score": 0.9, "segmentation": rle(0, 1, 2, 3, 4)},
               {"image_id": 1, "category_id": 7, "score": 0.8, "segmentation": rle(2, 3, 4, 5)},  # three of four are taken
               {"image_id": 1, "category_id": 7, "score": 0.7, "segmentation": rle(6)},
               {"image_id": 1, "category_id": 7, "score": 0.1, "segmentation": rle(7)}]
    ground = Ground(image, truth, [{"id": 7, "name": "x"}], answers, "mask")
    assert panoptic.of_things(ground, [0.5])[0, 0].tolist() == [0.8, 1, 1, 0]
