"""A motion: joints that turn over time, whatever file they came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from understudy.errors import AssetError

MAX_BYTES, MAX_JOINTS = 64 << 20, 1000
REMEDY = "Export the motion again, or take the file out of the folder"


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


def read_text(path: Path) -> str:
    """The file's text (whatever is no UTF-8 is replaced). Raises AssetError where it cannot be read."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise AssetError("the motion file is too large", where=path, wanted=f"at most {MAX_BYTES >> 20} MB",
                             got=f"{size >> 20} MB", remedy="Cut it into shorter clips")
        return path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise AssetError("the motion file cannot be read", where=path, got=error.strerror, remedy=REMEDY) from error


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
