"""Amodal masks, visible fraction and truncation, from silhouettes drawn one entity at a time."""

from __future__ import annotations

from understudy.geometry.boxes import box_of_mask
from understudy.labels import Answers, answers
from understudy.record import Rle
from understudy.scene import Scene
from understudy.signals import INSTANCE, SILHOUETTES, SILHOUETTES_WIDE, Signals


@answers(INSTANCE, SILHOUETTES, SILHOUETTES_WIDE)
def amodal(scene: Scene, signals: Signals) -> Answers:
    """What would be seen of each entity with nothing in front of it.

    ``visible_fraction`` is seen area / amodal area inside the picture, in [0, 1]; ``truncation`` the share of the whole
    silhouette that lies outside the picture, in [0, 1]. Self-occlusion is no occlusion.
    """
    found = {}
    for n, entity in enumerate(scene.labelled):
        silhouette, wide = signals[SILHOUETTES][n], float(signals[SILHOUETTES_WIDE][n])
        inside = int(silhouette.sum())
        box = box_of_mask(silhouette)
        if box is None:
            continue
        seen = int((signals[INSTANCE] == entity.id).sum())
        found[entity.id] = {
            "amodal_mask": Rle.encode(silhouette),
            "amodal_xyxy_px": tuple(map(float, box)),
            "visible_fraction": min(seen / inside, 1.0),
            "truncation": min(max(1.0 - inside / max(wide, inside), 0.0), 1.0),
        }
    return Answers(found)
