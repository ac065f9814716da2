"""The score that chooses a checkpoint: a network on a small cached real set, point figure only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from understudy.learn.cache import Store
from understudy.learn.evals import regions as region_scores
from understudy.learn.evals import things as thing_scores

if TYPE_CHECKING:
    from understudy.learn.native.network import Network


def score(network: Network, store: Store, number: tuple[int, ...]) -> float:
    """mIoU (semantic) or AP50 on the store's squares. number : class number by category id. Greater is better."""
    if network.spec.task == "semantic":
        return _mean_iou(network, store, number)
    return _ap50(network, store, number)


def _mean_iou(network: Network, store: Store, number: tuple[int, ...]) -> float:
    from understudy.learn.native.answer import class_map

    table = np.zeros(256, np.uint8)
    table[1:len(number) + 1] = number
    table[255] = 255
    classes = len(network.spec.classes)
    matrices = [region_scores.confusion(table[store.regions[row]],
                                        class_map(network, np.asarray(store.images[row]), mirror=False), classes)
                for row in store.rows]
    return region_scores.mean_iou(np.stack(matrices), None, [0, *sorted({n for n in number if n})])


def _ap50(network: Network, store: Store, number: tuple[int, ...]) -> float:
    from understudy.learn.native.answer import found_things

    task, side, points = network.spec.task, store.side, network.spec.points
    images, annotations, answers = [], [], []
    for row in store.rows.tolist():
        image = {"id": row + 1, "width": side, "height": side}
        images.append(image)
        own = store.labels_of(row)
        for i in range(own.start, own.stop):
            if number[store.category[i] - 1]:
                x0, y0, x1, y1 = (float(v) * side for v in store.boxes[i])
                entry = {"id": len(annotations) + 1, "image_id": row + 1, "category_id": number[store.category[i] - 1],
                         "bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0),
                         "iscrowd": int(store.ignored[i])}
                if task == "mask":
                    entry["segmentation"] = _rle(store.things[row] == i - own.start + 1)
                if task == "keypoint":
                    flat = store.points[i].astype(float) * (side, side, 1)
                    entry |= {"keypoints": flat.ravel().tolist(), "num_keypoints": int((flat[:, 2] > 0).sum())}
                annotations.append(entry)
        within = store.boxes[own][~store.ignored[own]].astype(float) * side  # a top-down network looks into these
        found = found_things(network, np.asarray(store.images[row]), within)
        for i in range(len(found.score)):
            x0, y0, x1, y1 = (float(v) for v in found.xyxy[i])
            answer = {"image_id": row + 1, "category_id": int(found.number[i]), "score": float(found.score[i]),
                      "bbox": [x0, y0, x1 - x0, y1 - y0]}
            if found.masks is not None:
                answer["segmentation"] = _rle(found.masks[i])
            if found.points is not None:
                answer["keypoints"] = found.points[i].astype(float).ravel().tolist()
            answers.append(answer)
    categories = [{"id": i, "name": n} for i, n in enumerate(network.spec.classes, start=1) if i in number]
    known = {c["id"] for c in categories}
    ground = thing_scores.Ground(images, annotations, categories, [a for a in answers if a["category_id"] in known], task,
                                 points)
    return thing_scores.headline(ground)["AP50"]


def _rle(mask: np.ndarray) -> dict[str, object]:
    from understudy.record import Rle

    code = Rle.encode(mask)
    return {"size": list(code.size_hw), "counts": code.counts}
