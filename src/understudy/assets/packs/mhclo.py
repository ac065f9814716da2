"""MakeHuman's .mhclo files: how a mesh is bound to MakeHuman's base mesh, and what it hides.

Each vertex of the mesh hangs from three vertices of the base mesh by weights and an offset that grows with the body, or sits
on one of them (http://www.makehumancommunity.org/wiki/Documentation:MHCLO_file_format). Lengths are MakeHuman's decimetres,
axes x left, y up, z ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from understudy.assets.packs.obj import plain_text
from understudy.errors import AssetError

BASE_MESH, BASE_VERTICES = "hm08", 19158
_REMEDY = "Export it again with MakeClothes for the base mesh hm08, or leave it out"


@dataclass(frozen=True)
class Binding:
    """What a .mhclo file says.

    corners : (n, 3) int base vertices; shares : (n, 3) their weights; offsets : (n, 3) decimetres
    scales : for x, y and z two base vertices and their distance, in decimetres, for which the offsets are meant
    hidden : (k,) base vertices whose skin is not shown; obj, material : files it names ("" where none)
    """

    name: str
    tags: tuple[str, ...]
    licence: str
    obj: str
    material: str
    corners: np.ndarray
    shares: np.ndarray
    offsets: np.ndarray
    scales: tuple[tuple[int, int, float], ...]
    hidden: np.ndarray


def read_mhclo(path: Path) -> Binding:
    """The binding in ``path``. Raises AssetError for a broken file and for one made for another base mesh."""
    said: dict[str, str] = {}
    tags: list[str] = []
    rows: list[list[float]] = []
    hidden: list[str] = []
    section = ""
    text = plain_text(path)
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith(("#", "//")):
            continue
        if words[0] in ("verts", "delete_verts"):
            section = words[0]
        elif _is_number(words[0]) and section == "verts":
            try:
                rows.append([float(w) for w in words])
            except ValueError as error:
                raise _wrong("a vertex's binding is no list of numbers", path, number, line) from error
            if len(words) not in (1, 6, 9) or not np.isfinite(rows[-1]).all():
                raise _wrong("a vertex's binding is neither one base vertex nor three with weights", path, number, line)
        elif section == "delete_verts" and (_is_number(words[0]) or words[0] == "-"):
            hidden += words
        elif words[0] == "tag":
            tags.append(" ".join(words[1:]))
        else:  # also between "verts" and its lines
            said.setdefault(words[0], " ".join(words[1:]))
    _check(path, said, rows)
    corners, shares, offsets = _bound(rows)
    if corners.max() >= BASE_VERTICES or corners.min() < 0:
        raise AssetError("it is made for another base mesh", where=path, wanted=f"base vertices below {BASE_VERTICES}",
                         got=str(int(corners.max())), remedy=_REMEDY)
    return Binding(said.get("name", path.stem), tuple(tags), licence_of(text) or said.get("license", ""), said["obj_file"],
                   said.get("material", ""), corners, shares, offsets,
                   tuple(_scale(path, said, f"{axis}_scale") for axis in "xyz"), _ranges(path, hidden))


def _wrong(message: str, path: Path, line: int, got: str) -> AssetError:
    return AssetError(message, where=f"{path}:{line}", got=repr(got.strip()[:60]), remedy=_REMEDY)


def _is_number(word: str) -> bool:
    return word.lstrip("+-").replace(".", "", 1).replace("e", "", 1).replace("-", "").isdigit()


def _check(path: Path, said: dict[str, str], rows: list[list[float]]) -> None:
    mesh = said.get("basemesh", BASE_MESH)
    if mesh.lower() not in (BASE_MESH, "makehuman"):
        raise AssetError("it is made for another base mesh", where=path, wanted=BASE_MESH, got=mesh, remedy=_REMEDY)
    if "obj_file" not in said:
        raise AssetError("it names no mesh", where=path, wanted="a line obj_file", got="none", remedy=_REMEDY)
    if not rows:
        raise AssetError("it binds no vertex", where=path, wanted="lines below verts", got="none", remedy=_REMEDY)


def _bound(rows: list[list[float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = len(rows)
    corners, shares, offsets = np.zeros((n, 3), np.int64), np.zeros((n, 3)), np.zeros((n, 3))
    for i, row in enumerate(rows):
        if len(row) == 1:
            corners[i], shares[i] = int(row[0]), (1, 0, 0)
        else:
            corners[i], shares[i] = [int(v) for v in row[:3]], row[3:6]
            offsets[i] = row[6:9] if len(row) == 9 else 0
    return corners, shares, offsets


def _scale(path: Path, said: dict[str, str], name: str) -> tuple[int, int, float]:
    words = said.get(name, "").split()
    if not words:
        return (0, 0, 0.0)  # offsets as they are
    try:
        a, b, length = int(words[0]), int(words[1]), float(words[2])
    except (ValueError, IndexError) as error:
        raise AssetError("a scale is not two base vertices and a length", where=path, got=f"{name} {said[name][:40]}",
                         remedy=_REMEDY) from error
    if not (0 <= a < BASE_VERTICES and 0 <= b < BASE_VERTICES and length > 0):
        raise AssetError("a scale is not two base vertices and a length", where=path, got=f"{name} {said[name][:40]}",
                         remedy=_REMEDY)
    return a, b, length


def _ranges(path: Path, words: list[str]) -> np.ndarray:
    """``1 - 3 7`` as [1, 2, 3, 7]."""
    out: list[int] = []
    through = False
    for word in words:
        if word == "-":
            through = True
            continue
        if not word.isdigit() or (through and not out):
            raise AssetError("the list of hidden vertices is broken", where=path, got=repr(word[:40]), remedy=_REMEDY)
        value = int(word)
        out.extend(range(out[-1] + 1, value + 1) if through else [value])
        through = False
    return np.array([v for v in out if v < BASE_VERTICES], np.int64)


def licence_of(text: str) -> str:
    """What the comments at a MakeHuman file's head say of its licence, "" if nothing."""
    for line in text.splitlines()[:40]:
        bare = line.lstrip("#/ ").strip()
        if bare.lower().startswith(("license", "licence")):
            return bare[7:].lstrip(": ").strip()[:80]
        if line.startswith("#") and "released as CC0" in line:
            return "CC0-1.0"
    return ""
