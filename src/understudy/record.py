"""A record: one picture with its labels, the one shape that every writer takes and every reader gives back.

Boxes are xyxy in continuous pixels, half-open (a full 640x480 picture is 0, 0, 640, 480). Masks are COCO run-length
codes (column-major, compressed) so that a record stays small. A field that a format cannot carry is None after reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from understudy.errors import SpecError


@dataclass(frozen=True)
class Rle:
    """A binary mask: COCO's compressed run-length code. size_hw : rows and columns."""

    size_hw: tuple[int, int]
    counts: bytes

    @classmethod
    def encode(cls, mask: np.ndarray) -> Rle:
        """From (h, w) bool."""
        from pycocotools import mask as coco

        code = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
        return cls(tuple(code["size"]), code["counts"])

    def decode(self) -> np.ndarray:
        """(h, w) bool."""
        from pycocotools import mask as coco

        return coco.decode({"size": list(self.size_hw), "counts": self.counts}).astype(bool)

    @property
    def area(self) -> int:
        from pycocotools import mask as coco

        return int(coco.area({"size": list(self.size_hw), "counts": self.counts}))


@dataclass(frozen=True)
class DensePose:
    """DensePose of one instance on its modal box.

    xyxy_px : the integer box that the arrays cover
    iuv : (bh, bw, 3) uint8: chart 0-24, then u and v as round(255 * value)
    """

    xyxy_px: tuple[int, int, int, int]
    iuv: np.ndarray


@dataclass(frozen=True)
class PointSet:
    """Named points of one instance: xyv (k, 3) float32 pixels and visibility (2 visible, 1 labelled but hidden, 0 outside).

    xyz_m : (k, 3) float32 in the camera's frame, or None.
    """

    convention: str
    names: tuple[str, ...]
    xyv: np.ndarray
    xyz_m: np.ndarray | None = None


@dataclass(frozen=True)
class Instance:
    """One labelled thing in one picture.

    xyxy_px : tight modal box; amodal_xyxy_px : box of the whole silhouette inside the picture
    mask, amodal_mask : what is seen; what would be seen with nothing in front
    visible_fraction : seen area / amodal area inside the picture; truncation : share of the whole silhouette that the
        picture's border cuts off
    """

    id: int
    category_id: int
    xyxy_px: tuple[float, float, float, float]
    mask: Rle | None = None
    area_px: float | None = None
    amodal_xyxy_px: tuple[float, float, float, float] | None = None
    amodal_mask: Rle | None = None
    visible_fraction: float | None = None
    truncation: float | None = None
    points: tuple[PointSet, ...] = ()
    densepose: DensePose | None = None
    attributes: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    ignore: bool = False


@dataclass(frozen=True)
class Picture:
    """An encoded picture. data : the file's bytes; suffix : ".jpg" or ".png"."""

    data: bytes
    suffix: str
    size_wh: tuple[int, int]

    def decode(self) -> np.ndarray:
        """(h, w, 3) uint8 sRGB."""
        import io

        from PIL import Image

        with Image.open(io.BytesIO(self.data)) as image:
            return np.asarray(image.convert("RGB"))


@dataclass(frozen=True)
class Record:
    """One picture, its labels and how it came to be.

    index : its number in the data set, from 0; names files
    maps : whole-picture labels by channel name (depth, normal, part, semantic ...); a writer says what it keeps
    camera : {"matrix": 3x3, "distortion": 5, "to_world": 4x4} as nested lists
    drawn : every drawn value by path; assets : (name, source, licence, sha256) of each file used
    """

    index: int
    picture: Picture
    categories: tuple[str, ...]
    instances: tuple[Instance, ...] = ()
    maps: Mapping[str, np.ndarray] = field(default_factory=dict)
    camera: Mapping[str, Any] | None = None
    drawn: Mapping[str, Any] = field(default_factory=dict)
    assets: tuple[tuple[str, str, str, str], ...] = ()

    def __post_init__(self) -> None:
        where = f"record {self.index}"
        ids = [i.id for i in self.instances]
        if len(set(ids)) != len(ids) or any(i < 1 for i in ids):
            raise SpecError("instance ids must be unique and at least 1", where=where, got=ids)
        w, h = self.picture.size_wh
        for inst in self.instances:
            if not 1 <= inst.category_id <= len(self.categories):
                raise SpecError("category id out of range", where=f"{where}, instance {inst.id}",
                                wanted=f"1 to {len(self.categories)}", got=inst.category_id)
            x0, y0, x1, y1 = inst.xyxy_px
            if not (0 <= x0 < x1 <= w and 0 <= y0 < y1 <= h):
                raise SpecError("a box must have an area and lie in the picture", where=f"{where}, instance {inst.id}",
                                wanted=f"inside 0 0 {w} {h}", got=inst.xyxy_px)
            for mask in (inst.mask, inst.amodal_mask):
                if mask is not None and tuple(mask.size_hw) != (h, w):
                    raise SpecError("a mask must have the picture's size", where=f"{where}, instance {inst.id}",
                                    wanted=(h, w), got=mask.size_hw)
        for name, array in self.maps.items():
            if array.shape[:2] != (h, w):
                raise SpecError(f"map {name} must have the picture's size", where=where, wanted=(h, w),
                                got=array.shape[:2])

    def with_index(self, index: int) -> Record:
        return replace(self, index=index)
