"""Is every group made equally well? Scores on held-out made people by skin tone, age band and gender presentation.

    python bench/people_groups.py MADE MODEL REAL [--json OUT.json]

MADE is a data set of one person a picture whose groups are alike in all else (bench/people_groups.yaml); MODEL a semantic
network trained on other made pictures (bench/learning_check.py); REAL labelled photographs of people.

* Segmentation: intersection over union of the person with the network's, mean over pictures.
* Found: share of people with an intersection over union of at least 0.5.
* Realism: people are cut out of made and real pictures with a margin; a logistic regression on the features of ``understudy
  realism`` says for each cut, unseen, how likely it is real. The score is the chance that a made cut looks more real than
  another one drawn at random (0.5 for a group like the rest).

Intervals are 95 %: of 1,000 draws of pictures, Wilson's for shares. A group is marked as worse where the interval of its
difference from all the others lies below 0.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from second_opinion import wilson
from second_opinion_people import groups_of

from understudy.key import Key
from understudy.writers import read

_KINDS = ("skin tone", "age", "gender")
_SIDE, _MARGIN, _LEAST_PX = 96, 0.15, 40
_DRAWS, _FOLDS, _FOUND = 1000, 5, 0.5


@dataclass(frozen=True)
class Seen:
    """One made person: its groups, the overlap with the network's answer, how real its cut looks (log odds)."""

    group: dict[str, str]
    iou: float
    real: float = 0.0


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks."""
    return float((a & b).sum() / max((a | b).sum(), 1))


def cut(image: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """(s, s, 3) uint8: the square around a mask with a margin; None where it is too small."""
    import cv2

    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if rows.size < _LEAST_PX or columns.size < _LEAST_PX // 2:
        return None
    side = max(rows[-1] - rows[0], columns[-1] - columns[0]) * (1 + 2 * _MARGIN)
    x, y = (columns[0] + columns[-1] - side) / 2, (rows[0] + rows[-1] - side) / 2
    scale = _SIDE / side
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.warpAffine(image, np.array([[scale, 0, -x * scale], [0, scale, -y * scale]]), (_SIDE, _SIDE), flags=way,
                          borderMode=cv2.BORDER_REFLECT_101)


def made_people(dataset: Path, model: Path) -> tuple[list[Seen], list[np.ndarray | None]]:
    from understudy.learn.native.answer import class_map
    from understudy.learn.native.model_file import load

    network = load(model)[0]
    people, cuts = [], []
    for record in read(dataset):
        if len(record.instances) != 1 or record.instances[0].mask is None:
            continue
        image, mask = record.picture.decode(), record.instances[0].mask.decode()
        people.append(Seen(groups_of(record.instances[0]), overlap(class_map(network, image) == 1, mask)))
        cuts.append(cut(image, mask))
    return people, cuts


def real_cuts(folder: Path) -> list[np.ndarray]:
    """The people of labelled photographs: for each picture, all its people as one."""
    from understudy.learn.sources import open_source

    cuts = [cut(record.picture.decode(), np.logical_or.reduce([i.mask.decode() for i in record.instances]))
            for record in open_source(folder).records() if record.instances]
    return [one for one in cuts if one is not None]


def likely_real(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Log odds of being real of each made cut (n,), by a classifier that has not seen it."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from understudy.learn.realism.features import EXTRACTORS

    x = np.concatenate([np.concatenate([extract(images) for extract in EXTRACTORS.values()], 1) for images in (made, real)])
    truth = np.repeat([0, 1], [len(made), len(real)])
    fold = Key(0).child("folds").permutation(len(x)) % _FOLDS
    odds = np.zeros(len(x))
    for k in range(_FOLDS):
        told = make_pipeline(StandardScaler(), LogisticRegression(C=0.02, max_iter=2000, class_weight="balanced"))
        odds[fold == k] = told.fit(x[fold != k], truth[fold != k]).decision_function(x[fold == k])
    apart = area(odds[len(made):], odds[:len(made)])
    print(f"made and real cuts are told apart with an area under the curve of {apart:.3f}")
    return odds[:len(made)]


def area(above: np.ndarray, below: np.ndarray) -> float:
    """The chance that one of ``above`` exceeds one of ``below``, ties counting half."""
    order = np.sort(below)
    return float((np.searchsorted(order, above, "left") + np.searchsorted(order, above, "right")).mean() / (2 * len(below)))


def drawn(score, inside: np.ndarray, outside: np.ndarray) -> tuple[float, tuple[float, float]]:
    """``score`` of rows, and its interval over draws of rows, those of a group and those of the rest apart."""
    values = []
    for i in range(_DRAWS):
        key = Key(i).child("rows")
        a, b = (rows[(key.child(name).uniforms(len(rows)) * len(rows)).astype(int)]
                for name, rows in (("in", inside), ("out", outside)))
        values.append(score(a, b))
    return score(inside, outside), tuple(float(v) for v in np.quantile(values, (0.025, 0.975)))


def report(people: list[Seen]) -> dict[str, dict]:
    """Figures for each group."""
    iou, real = np.array([p.iou for p in people]), np.array([p.real for p in people])
    out = {}
    for kind in _KINDS:
        for name in sorted({p.group[kind] for p in people}):
            mine = np.array([p.group[kind] == name for p in people])
            inside, outside = np.flatnonzero(mine), np.flatnonzero(~mine)
            hits = int((iou[inside] >= _FOUND).sum())
            figures = {"n": len(inside), "iou": drawn(lambda a, b: float(iou[a].mean()), inside, outside),
                       "iou_less_others": drawn(lambda a, b: float(iou[a].mean() - iou[b].mean()), inside, outside),
                       "found": (hits / len(inside), wilson(hits, len(inside))),
                       "realism": drawn(lambda a, b: area(real[a], real[b]), inside, outside)}
            figures["worse"] = [what for what, (_, (_, high)), line in (
                ("segmentation", figures["iou_less_others"], 0.0), ("realism", figures["realism"], 0.5)) if high < line]
            out[f"{kind} {name}"] = figures
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("made", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("real", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    people, cuts = made_people(args.made, args.model)
    known = [i for i, c in enumerate(cuts) if c is not None]
    odds = likely_real(np.stack([cuts[i] for i in known]), np.stack(real_cuts(args.real)))
    people = [Seen(people[i].group, people[i].iou, float(o)) for i, o in zip(known, odds)]
    found = report(people)
    print(f"{len(people)} made people")
    print("| group | n | segmentation | less the others' | found | realism | worse |\n|---|---|---|---|---|---|---|")
    for name, row in found.items():
        cells = [f"{value:.3f} [{low:.3f}, {high:.3f}]"
                 for value, (low, high) in (row[k] for k in ("iou", "iou_less_others", "found", "realism"))]
        print(f"| {name} | {row['n']} | " + " | ".join(cells) + f" | {', '.join(row['worse']) or '-'} |")
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
