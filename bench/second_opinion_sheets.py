"""The worst of a second opinion as contact sheets, ours green and theirs red."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from second_opinion_people import Hand, Person

from understudy.writers import read

_TILE_PX = 320


def sheet(people: list[Person], dataset: Path, path: Path, count: int = 10) -> None:
    """The worst: faces not detected first, then by face error, then by body error."""
    import cv2

    def badness(p: Person) -> float:
        if p.face is not None:
            return (10.0 if not p.detected else 0.0) + (5.0 if p.face_marks is None else p.face_error)
        return 2.0 if p.body_marks is None else (p.body_error or 0.0)

    worst = sorted((p for p in people if p.face or p.body), key=badness, reverse=True)[:count]
    wanted = {p.record for p in worst}
    images = {r.index: cv2.imdecode(np.frombuffer(r.picture.data, np.uint8), 1) for r in read(dataset) if r.index in wanted}
    tiles = []
    for p in worst:
        x0, y0, x1, y1 = p.face or p.body
        side = max(x1 - x0, y1 - y0) * (2.0 if p.face else 1.2)
        low = np.array([x0 + x1 - side, y0 + y1 - side]) / 2
        theirs = p.face_marks if p.face else p.body_marks
        text = f"{p.record} tone {p.group['skin tone']} age {p.group['age']} {p.group['hair']} {badness(p):.2f}"
        tiles.append(_tile(images[p.record], low, side, p.marks if p.face else p.coco, theirs, text))
    _write(tiles, path)


def hand_sheet(people: list[Person], dataset: Path, path: Path, count: int = 10) -> None:
    """The worst hands: those not found first, then by error."""
    import cv2

    def badness(hand: Hand) -> float:
        return 9.0 if hand.error is None else hand.error

    worst = sorted(((p, h) for p in people for h in p.hands), key=lambda one: badness(one[1]), reverse=True)[:count]
    wanted = {p.record for p, _ in worst}
    images = {r.index: cv2.imdecode(np.frombuffer(r.picture.data, np.uint8), 1) for r in read(dataset) if r.index in wanted}
    tiles = []
    for p, hand in worst:
        side = 2.0 * hand.size
        low = hand.marks.min(0) / 2 + hand.marks.max(0) / 2 - side / 2
        text = f"{p.record} {hand.side} tone {p.group['skin tone']} {badness(hand):.2f}"
        tiles.append(_tile(images[p.record], low, side, hand.marks, hand.found, text))
    _write(tiles, path)


def _tile(image: np.ndarray, low: np.ndarray, side: float, ours: np.ndarray, theirs: np.ndarray | None,
          text: str) -> np.ndarray:
    """The square of ``image`` from ``low`` on, with both sets of landmarks (n, 2) px."""
    import cv2

    scale = _TILE_PX / side
    crop = np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]])
    tile = cv2.warpAffine(image, crop, (_TILE_PX, _TILE_PX))
    for points, colour in ((ours, (0, 220, 0)), (theirs, (0, 0, 255))):
        for x, y in () if points is None else (points - low) * scale:
            cv2.circle(tile, (round(x), round(y)), 2, colour, -1, cv2.LINE_AA)
    cv2.putText(tile, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def _write(tiles: list[np.ndarray], path: Path) -> None:
    """Five tiles to a row."""
    import cv2

    tiles = tiles + [np.zeros((_TILE_PX, _TILE_PX, 3), np.uint8)] * (-len(tiles) % 5)
    cv2.imwrite(str(path), np.concatenate([np.concatenate(tiles[i:i + 5], 1) for i in range(0, len(tiles), 5)]))
