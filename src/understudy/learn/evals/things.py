"""COCO's average precision of boxes, masks and key points, with intervals over pictures.

The headline numbers come from faster-coco-eval; the intervals from pycocotools' matches, put together again with each
picture counted as often as it was drawn. Tests hold the two, and pycocotools' own numbers, equal to 1e-9.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from understudy.errors import MissingDependency
from understudy.learn.evals.bootstrap import Figure, figure

KINDS = {"box": "bbox", "mask": "segm", "keypoint": "keypoints"}
_RECALLS = np.linspace(0.0, 1.0, 101)

# Lin et al., COCO key point evaluation (cocodataset.org): the spread of annotators for each point, over the object's size.
_SIGMAS = {"nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062, "hip": 0.107,
           "knee": 0.087, "ankle": 0.089}
OTHER_SIGMA = 0.05
"""For points that COCO does not know."""


@dataclass(frozen=True)
class Ground:
    """The truth and the answers of a set of pictures in COCO's form.

    images, annotations, categories : COCO's lists; answers : COCO's results; points : names of the key points
    """

    images: Sequence[Mapping[str, Any]]
    annotations: Sequence[Mapping[str, Any]]
    categories: Sequence[Mapping[str, Any]]
    answers: Sequence[Mapping[str, Any]]
    task: str
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Matches:
    """pycocotools' matches at 10 IoU thresholds, for one class.

    picture : (d,) the picture of each answer, best first; score : (d,); right, left_out : (10, d) bool
    wanted : (n,) instances to find in each picture
    truth : (g,) annotation ids; picture_of : (g,); met : (g,) score of the answer that found it at IoU .5, -1 if none did
    """

    picture: np.ndarray
    score: np.ndarray
    right: np.ndarray
    left_out: np.ndarray
    wanted: np.ndarray
    truth: np.ndarray
    picture_of: np.ndarray
    met: np.ndarray


def sigmas(points: Sequence[str]) -> np.ndarray:
    """(k,) OKS constants by the points' names."""
    return np.array([_SIGMAS.get(name.removeprefix("left_").removeprefix("right_"), OTHER_SIGMA) for name in points])


def headline(ground: Ground) -> dict[str, float]:
    """AP, AP50 and AP75 over the classes, by faster-coco-eval. NaN where there is nothing to find."""
    try:
        from faster_coco_eval import COCO, COCOeval_faster
    except ModuleNotFoundError as error:
        raise MissingDependency("faster-coco-eval is not installed", remedy="pip install 'understudy[learn]'") from error
    silent = io.StringIO()
    with contextlib.redirect_stdout(silent):
        truth = COCO(_dataset(ground), print_function=lambda *_: None)
        answers = truth.loadRes(_results(ground)) if ground.answers else None
        if answers is None:
            return dict.fromkeys(("AP", "AP50", "AP75"), 0.0 if ground.annotations else float("nan"))
        run = COCOeval_faster(truth, answers, KINDS[ground.task], print_function=lambda *_: None, separate_eval=True,
                              rle_iou_max_workers=1,
                              kpt_oks_sigmas=sigmas(ground.points).tolist() if ground.task == "keypoint" else None)
        _set(run.params, ground)
        run.evaluate()
        run.accumulate()
    precision = np.asarray(run.eval["precision"])[:, :, :, 0, -1]  # thresholds, recalls, classes, all areas, most answers
    return {"AP": _mean(precision), "AP50": _mean(precision[:1]), "AP75": _mean(precision[5:6])}


def matches(ground: Ground) -> list[Matches]:
    """pycocotools' matches of each class, in the categories' order."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth, answers = COCO(), COCO()
        truth.dataset = _dataset(ground)
        truth.createIndex()
        answers = truth.loadRes(_results(ground)) if ground.answers else answers
        if not ground.answers:
            answers.dataset = _dataset(ground) | {"annotations": []}
            answers.createIndex()
        run = COCOeval(truth, answers, KINDS[ground.task])
        _set(run.params, ground)
        run.params.areaRng, run.params.areaRngLbl = [run.params.areaRng[0]], ["all"]
        run.evaluate()
    place = {image["id"]: i for i, image in enumerate(ground.images)}
    pictures = len(run.params.imgIds)
    return [_gathered(run.evalImgs[c * pictures:(c + 1) * pictures], place) for c in range(len(run.params.catIds))]


def _gathered(evaluated: Sequence[dict | None], place: Mapping[int, int]) -> Matches:
    picture, score, right, left_out, truth, picture_of, met = ([] for _ in range(7))
    wanted = np.zeros(len(place), np.int64)
    for one in evaluated:
        if one is None:
            continue
        n = place[one["image_id"]]
        picture += [n] * len(one["dtScores"])
        score += list(one["dtScores"])
        right.append(np.asarray(one["dtMatches"]).reshape(10, -1) > 0)
        left_out.append(np.asarray(one["dtIgnore"]).reshape(10, -1).astype(bool))
        counted = ~np.asarray(one["gtIgnore"], bool)
        wanted[n] = counted.sum()
        scores = dict(zip(one["dtIds"], one["dtScores"]))
        for i in np.flatnonzero(counted):
            truth.append(one["gtIds"][i])
            picture_of.append(n)
            met.append(scores.get(int(np.asarray(one["gtMatches"])[0, i]), -1.0))
    score = np.array(score, float)
    best_first = np.argsort(-score, kind="mergesort")
    joined = [np.concatenate(a, 1) if a else np.zeros((10, 0), bool) for a in (right, left_out)]
    return Matches(np.array(picture, np.int64)[best_first], score[best_first], joined[0][:, best_first],
                   joined[1][:, best_first], wanted, np.array(truth, np.int64), np.array(picture_of, np.int64),
                   np.array(met, float))


def average_precision(found: Matches, weights: np.ndarray, thresholds: slice = slice(None)) -> float:
    """COCO's AP of one class (101 recalls, precision made monotone) with picture i counted ``weights[i]`` times."""
    wanted = float((found.wanted * weights).sum())
    if not wanted:
        return float("nan")
    counts = weights[found.picture] * ~found.left_out[thresholds]
    right = np.cumsum(counts * found.right[thresholds], 1, dtype=float)
    wrong = np.cumsum(counts * ~found.right[thresholds], 1, dtype=float)
    precision = right / np.maximum(right + wrong, np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    total = 0.0
    for recall, height in zip(right / wanted, precision):
        at = np.searchsorted(recall, _RECALLS, side="left")
        total += height[at[at < len(height)]].sum() / len(_RECALLS)
    return total / len(right)


def figures(ground: Ground) -> tuple[dict[str, Figure], list[Matches]]:
    """AP and AP50 with intervals, and the matches that they come from."""
    found = matches(ground)
    point = headline(ground)
    n = len(ground.images)
    spans = {"AP50": slice(0, 1), "AP": slice(None)}
    result = {}
    for name, span in spans.items():
        measured = figure(lambda w, span=span: _nanmean([average_precision(m, w, span) for m in found]), n)
        result[name] = Figure(point[name], measured.low, measured.high, n)
    return result, found


def best_threshold(found: Matches) -> tuple[float, float, float, float]:
    """(score, precision, recall, F1) at IoU .5 where F1 is greatest; (1, 0, 0, 0) where nothing is right."""
    counted = ~found.left_out[0]
    right = np.cumsum(found.right[0] & counted)
    total = np.cumsum(counted)
    wanted = found.wanted.sum()
    if not len(right) or not right[-1] or not wanted:
        return 1.0, 0.0, 0.0, 0.0
    f1 = 2 * right / np.maximum(total + wanted, 1)
    best = int(f1.argmax())
    return float(found.score[best]), float(right[best] / max(total[best], 1)), float(right[best] / wanted), float(f1[best])


def _dataset(ground: Ground) -> dict[str, list]:
    return {"images": list(ground.images), "annotations": [dict(a) for a in ground.annotations],
            "categories": list(ground.categories)}


def _results(ground: Ground) -> list[dict]:
    return [dict(a) for a in ground.answers]


def _set(params: Any, ground: Ground) -> None:
    params.imgIds = [image["id"] for image in ground.images]
    params.catIds = [category["id"] for category in ground.categories]
    if ground.task == "keypoint":
        params.kpt_oks_sigmas = sigmas(ground.points)


def _mean(precision: np.ndarray) -> float:
    kept = precision[precision > -1]
    return float(kept.mean()) if kept.size else float("nan")


def _nanmean(values: Sequence[float]) -> float:
    kept = [v for v in values if np.isfinite(v)]
    return float(np.mean(kept)) if kept else float("nan")
