"""Channels: what a renderer can give, each with its dtype, shape, unit and meaning stated once.

Label channels are *point samples at pixel centres* (column + 0.5, row + 0.5), never filtered: an id map holds ids only.
In a shape, ``h`` and ``w`` are the picture's rows and columns, ``n`` the number of entities with a silhouette.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from understudy.errors import SpecError


@dataclass(frozen=True)
class Spec:
    """One channel's contract."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    unit: str
    meaning: str

    def check(self, array: np.ndarray, where: str, sizes: dict[str, int]) -> None:
        """Raise SpecError unless ``array`` is what this Spec says; ``sizes`` binds the letters of the shape."""
        if array.dtype != np.dtype(self.dtype):
            raise SpecError(f"channel {self.name} has the wrong type", where=where, wanted=self.dtype, got=array.dtype)
        wanted = tuple(sizes.setdefault(s, n) if isinstance(s, str) else s for s, n in zip(self.shape, array.shape))
        if len(self.shape) != array.ndim or wanted != array.shape:
            raise SpecError(f"channel {self.name} has the wrong shape", where=where,
                            wanted=wanted if len(self.shape) == array.ndim else self.shape, got=array.shape)


RGB = Spec("rgb", "uint8", ("h", "w", 3), "sRGB", "the picture that the sensor gives")
INSTANCE = Spec("instance", "uint32", ("h", "w"), "entity id", "the entity seen at the pixel; 0 is none")
CATEGORY = Spec("category", "uint16", ("h", "w"), "category id", "the category of the entity seen; 0 is none")
PART = Spec("part", "uint8", ("h", "w"), "part id", "the part of the entity seen (scene.PARTS); 0 is none")
DEPTH = Spec("depth", "float32", ("h", "w"), "m", "z in the camera's frame of the surface seen; inf where there is none")
NORMAL = Spec("normal", "float32", ("h", "w", 3), "unit vector", "the surface's normal in the camera's frame; 0 if none")
UV = Spec("uv", "float32", ("h", "w", 2), "texture coordinate", "the surface's texture coordinate; 0 where there is none")
OBJECT = Spec("object", "float32", ("h", "w", 3), "m", "the surface point in its entity's rest frame; 0 if none")
IUV = Spec("iuv", "float32", ("h", "w", 3), "chart, u, v", "DensePose chart 1-24 (0 is none) and u, v in [0, 1] on it")
SILHOUETTES = Spec("silhouettes", "bool", ("n", "h", "w"), "-",
                   "the amodal silhouette of each labelled entity, drawn alone, in the order of scene.labelled")
SILHOUETTES_WIDE = Spec("wide_area", "float64", ("n",), "px",
                        "area of each amodal silhouette with the picture extended without end (for truncation)")

CHANNELS = {s.name: s for s in (RGB, INSTANCE, CATEGORY, PART, DEPTH, NORMAL, UV, OBJECT, IUV, SILHOUETTES,
                                SILHOUETTES_WIDE)}


class Signals(Mapping[str, np.ndarray]):
    """What a renderer gave for one scene: channel name -> read-only array, checked at birth."""

    def __init__(self, channels: dict[Spec, np.ndarray], where: str = "signals") -> None:
        sizes: dict[str, int] = {}
        self._arrays: dict[str, np.ndarray] = {}
        for spec, array in channels.items():
            spec.check(array, where, sizes)
            view = array.view()
            view.flags.writeable = False
            self._arrays[spec.name] = view

    def __getitem__(self, channel: str | Spec) -> np.ndarray:
        return self._arrays[channel.name if isinstance(channel, Spec) else channel]

    def __iter__(self):
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)
