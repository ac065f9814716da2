"""A motion: joints that turn over time, whatever file they came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from understudy.assets.text import read_text
from understudy.errors import AssetError

MAX_JOINTS = 1000
_MAX_BYTES = 64 << 20
REMEDY = "Export the motion again, in shorter clips where it is large, or take the file out of the folder"


@dataclass(frozen=True, eq=False)  # one clip is one file read once
class Clip:
    """A skeleton and how it moves, in the file's own unit and axes.

    names : J joints, parents before their children; a limb's loose end is a joint too, named ``PARENT.end``
    parents : (J,) int, -1 for the root; offsets : (J, 3) from the parent's joint at rest (the root's is 0)
    turns : (F, J, 3, 3) float32, each joint's turn against its parent, in axes that are the file's own at rest
    roots : (F, 3) where the root's joint is
    """

    path: Path
    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    turns: np.ndarray
    roots: np.ndarray

    @property
    def frames(self) -> int:
        return len(self.turns)

    @cached_property
    def rest(self) -> np.ndarray:
        """(J, 3) joints at rest, the root at the origin."""
        at = self.offsets.astype(float)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                at[joint] += at[parent]
        return at

    def turned(self, frame: int) -> np.ndarray:
        """(J, 3, 3) rotation of every joint from its rest, in the file's axes."""
        out = self.turns[frame].astype(float)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                out[joint] = out[parent] @ out[joint]
        return out

    @cached_property
    def joints(self) -> np.ndarray:
        """(F, J, 3) float32 joints in every frame."""
        turned = self.turns.copy()
        at = np.zeros((self.frames, len(self.names), 3), np.float32)
        at[:, 0] = self.roots
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                turned[:, joint] = turned[:, parent] @ turned[:, joint]
                at[:, joint] = at[:, parent] + turned[:, parent] @ self.offsets[joint].astype(np.float32)
        return at


def motion_text(path: Path) -> str:
    """The text of a motion file. Raises AssetError where it is too large or cannot be read."""
    return read_text(path, _MAX_BYTES, REMEDY)


def numbers(tokens: list[str], where: object) -> np.ndarray:
    """(n,) float64. Raises AssetError naming the first that is no finite number."""
    try:
        values = np.array(tokens, float)
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all():
        bad = next((t for t in tokens if not _finite(t)), "?")
        raise AssetError("this is no number", where=where, wanted="a finite number", got=repr(bad[:40]), remedy=REMEDY)
    return values


def _finite(token: str) -> bool:
    try:
        return bool(np.isfinite(float(token)))
    except ValueError:
        return False


def about(axis: int, degrees: np.ndarray) -> np.ndarray:
    """(..., 3, 3) rotations about one axis."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    out = np.zeros((*np.shape(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[..., axis, axis] = 1
    out[..., i, i], out[..., j, j], out[..., i, j], out[..., j, i] = c, c, -s, s
    return out
