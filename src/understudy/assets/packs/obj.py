"""Wavefront .obj files, as far as worn things need them: positions, texture coordinates, faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.assets.text import read_text
from understudy.errors import AssetError

_MAX_BYTES = 128 << 20
_REMEDY = "Export the mesh again, or leave it out"
_WHOLE = "Leave out what is too large, and add the whole pack, with the files that its files name"


@dataclass(frozen=True)
class Obj:
    """vertices : (n, 3); faces : (m, 3) over them; uv : (k, 2), uv_faces : (m, 3) over uv (both None without texture)."""

    vertices: np.ndarray
    faces: np.ndarray
    uv: np.ndarray | None
    uv_faces: np.ndarray | None


def read_obj(path: Path) -> Obj:
    """The mesh in ``path``, polygons cut into triangles. Raises AssetError, naming the line, for a broken file."""
    points: list[list[float]] = []
    uv: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    uv_faces: list[tuple[int, int, int]] = []
    textured = True
    for number, line in enumerate(plain_text(path).splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            if words[0] == "v":
                points.append([float(w) for w in words[1:4]])
            elif words[0] == "vt":
                uv.append([float(w) for w in words[1:3]])
            elif words[0] == "f":
                corners = [word.split("/") for word in words[1:]]
                at = [_index(c[0], len(points)) for c in corners]
                faces += [(at[0], at[k], at[k + 1]) for k in range(1, len(at) - 1)]
                if textured and all(len(c) > 1 and c[1] for c in corners):
                    t = [_index(c[1], len(uv)) for c in corners]
                    uv_faces += [(t[0], t[k], t[k + 1]) for k in range(1, len(t) - 1)]
                else:
                    textured = False
        except (ValueError, IndexError) as error:
            raise AssetError("the mesh is broken", where=f"{path}:{number}", got=repr(line.strip()[:60]),
                             remedy=_REMEDY) from error
    vertices = np.array(points, float).reshape(-1, 3) if all(len(p) == 3 for p in points) else np.full((1, 3), np.nan)
    if not len(points) or not faces or not np.isfinite(vertices).all():
        raise AssetError("the mesh is broken", where=path, wanted="points and faces",
                         got=f"{len(points)} points, {len(faces)} faces", remedy=_REMEDY)
    has_uv = textured and uv_faces and all(len(t) == 2 for t in uv)
    return Obj(vertices, np.array(faces, np.int32), np.array(uv, float) if has_uv else None,
               np.array(uv_faces, np.int32) if has_uv else None)


def _index(word: str, count: int) -> int:
    value = int(word)
    value = value - 1 if value > 0 else count + value
    if not 0 <= value < count:
        raise IndexError(word)
    return value


def plain_text(path: Path) -> str:
    """The text of a pack's file. Raises AssetError where it is missing, too large or cannot be read."""
    return read_text(path, _MAX_BYTES, _WHOLE)
